#include "jobs/null_models.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/count.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One pattern's null models under way. */
typedef struct fitting {
    gp_job *job;
    gp_cohort *cohort;
    const gp_offsets *offsets;
    gp_pattern *pattern;
    gp_logit_rows rows; /* of this rank's samples */
    double *y, *offset; /* [groups x 64] */
    int parted;         /* a fit's ranks have met for the last time */
    int stopped;        /* by a signal here, before they did */
    int firth;          /* Firth's fits are wanted too */
} fitting;

void gp_null_models_place(const gp_logit_rows *rows, const double *value, double *to) {
    for (int64_t i = 0; i < rows->groups * GP_GENO_GROUP; i++)
        to[i] = value != NULL && i < rows->samples && gp_mask_get(rows->mask, i) ? value[i] : 0.0;
}

/* ---- meeting ---- */

/* Every sum begins with the question whether a rank has failed, so that none waits for it
 * in vain. -1: one has. */
static int meet(fitting *f, int64_t failed, gp_err *err) {
    if (gp_par_sum(f->job->par, &failed, 1, err) != GP_OK)
        return -1;
    f->parted = failed > 0;
    return f->parted ? -1 : 0;
}

static int add(void *context, int64_t *x, int64_t count, gp_err *err) {
    fitting *f = context;
    f->stopped = gp_job_check_signals(err) != GP_OK;
    if (meet(f, f->stopped, err) < 0)
        return gp_err_set(err, GP_EFAIL, "another rank failed");
    return gp_par_sum(f->job->par, x, count, err);
}

/* One fit. Collective: all ranks leave with the same code, and the words of one that failed. */
static int fit(fitting *f, gp_logit_null *null, gp_err *err) {
    const gp_logit_adder adder = {add, f};
    gp_err mine = {0};
    f->parted = f->stopped = 0;
    gp_logit_null_fit(null, &f->rows, f->y, f->offset, &adder, &mine);
    int here = mine.code != GP_OK && (!f->parted || f->stopped);
    if (!f->parted)
        meet(f, here, err);
    if (here)
        gp_err_set(err, mine.code, "%s", mine.text);
    return gp_par_agree(f->job->par, err);
}

/* ---- why there is no model ---- */

typedef struct range {
    double low, high;
} range;

static range widen(range r, double value) {
    return (range){fmin(r.low, value), fmax(r.high, value)};
}

/* Whether a covariate's values of cases all lie on one side of those of controls (and may
 * touch). */
static int separates(const gp_pattern *pattern, const double *y, const double *value) {
    range of[2] = {{INFINITY, -INFINITY}, {INFINITY, -INFINITY}};
    for (int64_t i = 0; i < pattern->n; i++)
        of[y[i] == 1.0] = widen(of[y[i] == 1.0], value[pattern->sample[i]]);
    int constant = fmin(of[0].low, of[1].low) == fmax(of[0].high, of[1].high);
    return !constant && (of[0].high <= of[1].low || of[1].high <= of[0].low);
}

static const char *culprit(const fitting *f, const double *y) {
    for (int64_t k = 0; k < f->cohort->covariates; k++)
        if (separates(f->pattern, y, f->cohort->covariate[k].value))
            return f->cohort->covariate[k].name;
    return NULL;
}

/* Marks a trait of the pattern skipped. */
static void give_up(const fitting *f, int64_t t, gp_status status) {
    gp_trait *trait = &f->cohort->trait[f->pattern->trait[t]];
    int offset = gp_offset_of(f->offsets, f->pattern->trait[t]) != NULL;
    if (status == GP_STATUS_SEPARATION) {
        const char *name = culprit(f, f->pattern->residual + t * f->pattern->n);
        snprintf(trait->why, sizeof trait->why,
                 name != NULL
                     ? "covariate '%.80s' separates its cases from its controls; leave it out, or "
                       "join its rare levels"
                     : "the covariates together separate its cases from its controls",
                 name);
    } else {
        snprintf(trait->why, sizeof trait->why,
                 "its model of covariates%s alone does not converge; leave out covariates of few "
                 "samples%s",
                 offset ? " and --offset" : "",
                 offset ? ", and see that offsets are log odds" : "");
    }
    trait->skipped = trait->why;
}

/* ---- fitting ---- */

/* A trait's models, until one fails. */
static int fit_trait(fitting *f, int64_t t, gp_err *err) {
    gp_pattern *pattern = f->pattern;
    gp_binary *binary = &pattern->binary[t];
    const gp_offset *offset = gp_offset_of(f->offsets, pattern->trait[t]);
    binary->nulls = offset != NULL ? offset->count : 1;
    binary->null = gp_mem_alloc(binary->nulls, sizeof *binary->null, err);
    if (gp_par_agree(f->job->par, err) != GP_OK)
        return err->code;
    gp_logit_rows_spread(&f->rows, pattern->sample, pattern->residual + t * pattern->n, f->y);
    for (int64_t k = 0; k < binary->nulls; k++) {
        gp_null_models_place(&f->rows, offset != NULL ? offset->part[k] : NULL, f->offset);
        binary->null[k].likelihood_alone = !f->firth;
        if (fit(f, &binary->null[k], err) != GP_OK)
            return err->code;
        if (binary->null[k].status != GP_STATUS_OK) {
            give_up(f, t, binary->null[k].status);
            return GP_OK;
        }
    }
    return GP_OK;
}

static int make_rows(fitting *f, gp_err *err) {
    const gp_pattern *pattern = f->pattern;
    int64_t n = f->cohort->samples.n, rank = gp_par_rank(f->job->par),
            ranks = gp_par_size(f->job->par);
    gp_logit_rows_input input = {.n = pattern->n,
                                 .sample = pattern->sample,
                                 .covariates = pattern->rank,
                                 .basis = pattern->basis,
                                 .first = gp_split_begin(n, GP_GENO_GROUP, ranks, rank)};
    input.samples = gp_split_begin(n, GP_GENO_GROUP, ranks, rank + 1) - input.first;
    if (gp_logit_rows_init(&f->rows, &input, err) != GP_OK)
        return err->code;
    f->y = gp_mem_alloc(f->rows.groups * GP_GENO_GROUP, sizeof *f->y, err);
    f->offset = gp_mem_alloc(f->rows.groups * GP_GENO_GROUP, sizeof *f->offset, err);
    return err->code;
}

static int fit_pattern(fitting *f, gp_err *err) {
    make_rows(f, err);
    if (gp_par_agree(f->job->par, err) == GP_OK)
        for (int64_t t = 0; t < f->pattern->traits && err->code == GP_OK; t++)
            fit_trait(f, t, err);
    gp_logit_rows_free(&f->rows);
    free(f->y);
    free(f->offset);
    return err->code;
}

int gp_null_models_fit(gp_job *job, gp_patterns *patterns, gp_cohort *cohort, gp_offsets *offsets,
                       gp_err *err) {
    int logistic = 0;
    for (int64_t k = 0; k < patterns->count; k++) {
        fitting f = {.job = job,
                     .cohort = cohort,
                     .offsets = offsets,
                     .pattern = &patterns->pattern[k],
                     .firth = patterns->firth};
        if (f.pattern->kind != GP_PATTERN_LOGISTIC)
            continue;
        logistic = 1;
        if (fit_pattern(&f, err) != GP_OK)
            return err->code;
    }
    if (!logistic)
        return GP_OK;
    gp_offsets_free_parts(offsets);
    for (int64_t k = 0; k < cohort->covariates; k++) {
        free(cohort->covariate[k].value);
        cohort->covariate[k].value = NULL;
    }
    gp_patterns_drop(patterns, cohort, job->sink, err);
    return gp_par_agree(job->par, err);
}
