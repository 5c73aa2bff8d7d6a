#include "jobs/compare.h"
#include "io/digits.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far -log10 p may go before a hit has moved. */
static const double tenfold = 1.0;

typedef struct comparison {
    const gp_report_trait *before, *after;
    gp_text *to;
    gp_err *err;
} comparison;

/* ---- lines ---- */

static void add_change(const comparison *c, const char *what, const char *before,
                       const char *after) {
    gp_text_print(c->to, c->err, "%s\t%s\tNA\tNA\tNA\t%s\t%s\n",
                  (c->after != NULL ? c->after : c->before)->name, what, before, after);
}

static void add_number(const comparison *c, const char *what, double before, double after) {
    char text[2][40];
    const double value[2] = {before, after};
    for (int k = 0; k < 2; k++)
        if (isfinite(value[k]))
            snprintf(text[k], sizeof text[k], "%.4f", value[k]);
        else
            snprintf(text[k], sizeof text[k], "NA");
    if (strcmp(text[0], text[1]) != 0)
        add_change(c, what, text[0], text[1]);
}

static void add_count(const comparison *c, const char *what, double before, double after) {
    char text[2][40];
    const double value[2] = {before, after};
    for (int k = 0; k < 2; k++)
        if (isfinite(value[k]))
            snprintf(text[k], sizeof text[k], "%.0f", value[k]);
        else
            snprintf(text[k], sizeof text[k], "NA");
    if (strcmp(text[0], text[1]) != 0)
        add_change(c, what, text[0], text[1]);
}

/* ---- hits ---- */

static const char *text_of(const gp_report_trait *trait, int64_t i, int which) {
    return gp_sheet_text(&trait->hits, i, trait->hit[which]);
}

static double number_of(const gp_report_trait *trait, int64_t i, int which, gp_err *err) {
    return gp_sheet_number(&trait->hits, i, trait->hit[which], err);
}

static void print_p(char to[GP_DIGITS_ROOM + 1], double neg_log10) {
    *gp_digits_power(to, neg_log10) = 0;
}

static void add_hit(const comparison *c, const char *what, const gp_report_trait *trait, int64_t i,
                    const char *before, const char *after) {
    gp_text_print(c->to, c->err, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", trait->name, what,
                  text_of(trait, i, GP_HIT_ID), text_of(trait, i, GP_HIT_CHROMOSOME),
                  text_of(trait, i, GP_HIT_POSITION), before, after);
}

static int overlap(const gp_report_trait *a, int64_t i, const gp_report_trait *b, int64_t j,
                   gp_err *err) {
    return strcmp(text_of(a, i, GP_HIT_CHROMOSOME), text_of(b, j, GP_HIT_CHROMOSOME)) == 0 &&
           number_of(a, i, GP_HIT_START, err) <= number_of(b, j, GP_HIT_END, err) &&
           number_of(b, j, GP_HIT_START, err) <= number_of(a, i, GP_HIT_END, err);
}

static int same_variant(const gp_report_trait *a, int64_t i, const gp_report_trait *b, int64_t j) {
    static const int column[] = {GP_HIT_POSITION, GP_HIT_ID, GP_HIT_EFFECT_ALLELE,
                                 GP_HIT_OTHER_ALLELE};
    for (size_t k = 0; k < sizeof column / sizeof *column; k++)
        if (strcmp(text_of(a, i, column[k]), text_of(b, j, column[k])) != 0)
            return 0;
    return 1;
}

/* The other run's hit whose clump overlaps hit i's: the same variant, else the one of the smallest
 * p; -1 where there is none. Lines are in order of p. */
static int64_t partner(const gp_report_trait *of, int64_t i, const gp_report_trait *in,
                       gp_err *err) {
    int64_t found = -1;
    for (int64_t j = 0; j < in->hits.rows && err->code == GP_OK; j++) {
        if (!overlap(of, i, in, j, err))
            continue;
        if (same_variant(of, i, in, j))
            return j;
        found = found < 0 ? j : found;
    }
    return found;
}

static void compare_hit(const comparison *c, int64_t i) {
    char before[GP_DIGITS_ROOM + 1] = "NA", after[GP_DIGITS_ROOM + 1];
    double now = number_of(c->after, i, GP_HIT_NEG_LOG10, c->err);
    int64_t j = partner(c->after, i, c->before, c->err);
    print_p(after, now);
    if (j < 0) {
        add_hit(c, "new hit", c->after, i, before, after);
        return;
    }
    double then = number_of(c->before, j, GP_HIT_NEG_LOG10, c->err);
    print_p(before, then);
    if (!same_variant(c->after, i, c->before, j))
        add_hit(c, "moved hit", c->after, i, text_of(c->before, j, GP_HIT_ID),
                text_of(c->after, i, GP_HIT_ID));
    else if (fabs(now - then) > tenfold)
        add_hit(c, "moved hit", c->after, i, before, after);
}

static void compare_hits(const comparison *c) {
    char before[GP_DIGITS_ROOM + 1];
    for (int64_t i = 0; i < c->after->hits.rows && c->err->code == GP_OK; i++)
        compare_hit(c, i);
    for (int64_t j = 0; j < c->before->hits.rows && c->err->code == GP_OK; j++) {
        if (partner(c->before, j, c->after, c->err) >= 0)
            continue;
        print_p(before, number_of(c->before, j, GP_HIT_NEG_LOG10, c->err));
        add_hit(c, "lost hit", c->before, j, before, "NA");
    }
}

/* ---- traits ---- */

static void compare_trait(const comparison *c) {
    const double tested[2] = {c->before->summary ? (double)gp_report_tested(c->before) : NAN,
                              c->after->summary ? (double)gp_report_tested(c->after) : NAN};
    static const char *const measure[] = {"r2", "auc"};
    compare_hits(c);
    add_number(c, "lambda", gp_report_number(c->before, "lambda_gc"),
               gp_report_number(c->after, "lambda_gc"));
    for (int k = 0; k < 2; k++)
        for (int model = 0; model < GP_GUESS_MODELS; model++) {
            char what[40];
            snprintf(what, sizeof what, "%s %s", measure[k], gp_guess_model[model]);
            add_number(c, what,
                       gp_report_metric(c->before, gp_guess_model[model], measure[k], NULL, NULL),
                       gp_report_metric(c->after, gp_guess_model[model], measure[k], NULL, NULL));
        }
    add_count(c, "samples", gp_report_number(c->before, "samples"),
              gp_report_number(c->after, "samples"));
    add_count(c, "variants", tested[0], tested[1]);
}

static const gp_report_trait *find(const gp_report_run *run, const char *name) {
    for (int64_t t = 0; t < run->traits; t++)
        if (strcmp(run->trait[t].name, name) == 0)
            return &run->trait[t];
    return NULL;
}

int gp_compare_runs(const gp_report_run *before, const gp_report_run *after, gp_text *to,
                    gp_err *err) {
    gp_text_print(to, err, "trait\twhat\tid\tchromosome\tbase_pair_location\tbefore\tafter\n");
    for (int64_t t = 0; t < after->traits && err->code == GP_OK; t++) {
        const gp_report_trait *now = &after->trait[t];
        comparison c = {.before = find(before, now->name), .after = now, .to = to, .err = err};
        if (c.before == NULL)
            add_change(&c, "new trait", "NA", "NA");
        else
            compare_trait(&c);
    }
    for (int64_t t = 0; t < before->traits && err->code == GP_OK; t++) {
        comparison c = {.before = &before->trait[t], .to = to, .err = err};
        if (find(after, c.before->name) == NULL)
            add_change(&c, "lost trait", "NA", "NA");
    }
    return err->code;
}
