#include "io/file.h"
#include "jobs/simulation.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- names ---- */

enum { NAME = 24 /* bytes of "I" and any number */ };

static void name_person(char name[NAME], char kind, int64_t i) {
    if (i < 0)
        snprintf(name, NAME, "0");
    else
        snprintf(name, NAME, "%c%06lld", kind, (long long)i + 1);
}

/* The family of each sample: named by the father, of children or of the mother; else by itself. */
static void find_families(const gp_people *people, int64_t *family) {
    for (int64_t i = 0; i < people->n; i++)
        family[i] = i;
    for (int64_t i = people->n - people->children; i < people->n; i++)
        family[i] = family[people->mother[i]] = people->father[i];
}

int gp_simulation_name_samples(gp_simulation *s, gp_err *err) {
    const gp_people *people = &s->people;
    char fid[NAME], iid[NAME], father[NAME], mother[NAME];
    int64_t *family = gp_mem_alloc(people->n, sizeof *family, err);
    if (family == NULL)
        return err->code;
    find_families(people, family);
    for (int64_t i = 0; i < people->n && err->code == GP_OK; i++) {
        gp_sample sample = {fid, iid, father, mother, people->sex[i]};
        name_person(fid, 'F', family[i]);
        name_person(iid, 'I', i);
        name_person(father, 'I', people->father[i]);
        name_person(mother, 'I', people->mother[i]);
        gp_samples_add(&s->samples, &sample, err);
    }
    free(family);
    return err->code;
}

int gp_simulation_name_variant(gp_text *text, int64_t variant, gp_err *err) {
    return gp_text_print(text, err, "rs%lld", (long long)variant + 1);
}

/* ---- tables ---- */

static int write_table(const gp_simulation *s, const char *kind, const gp_text *table,
                       gp_err *err) {
    gp_text path = {0};
    if (err->code == GP_OK && gp_text_print(&path, err, "%s.%s.tsv", s->ask->out, kind) == GP_OK)
        gp_io_write_file(path.bytes, table->bytes, table->length, err);
    gp_text_free(&path);
    return err->code;
}

static int print_ids(const gp_simulation *s, int64_t i, gp_text *table, gp_err *err) {
    return gp_text_print(table, err, "%s\t%s", gp_samples_fid(&s->samples, i),
                         gp_samples_iid(&s->samples, i));
}

static int write_covariates(const gp_simulation *s, gp_err *err) {
    const gp_people *p = &s->people;
    gp_text table = {0};
    gp_text_print(&table, err, "FID\tIID\tage\tsex\texposure\tbatch\n");
    for (int64_t i = 0; i < p->n && err->code == GP_OK; i++)
        if (print_ids(s, i, &table, err) == GP_OK)
            gp_text_print(&table, err, "\t%.1f\t%d\t%.2f\t%s\n", p->age[i], p->sex[i] == 1,
                          p->exposure[i], gp_people_batch[p->batch[i]]);
    write_table(s, "covar", &table, err);
    gp_text_free(&table);
    return err->code;
}

/* values [traits x n] row-major; NaN = missing */
static int write_traits(const gp_simulation *s, const double *values, gp_err *err) {
    int64_t n = s->people.n, traits = s->plan.traits;
    gp_text table = {0};
    gp_text_print(&table, err, "FID\tIID");
    for (int64_t t = 0; t < traits && err->code == GP_OK; t++)
        gp_text_print(&table, err, "\ttrait%lld", (long long)t + 1);
    for (int64_t i = 0; i < n && err->code == GP_OK; i++) {
        gp_text_add(&table, "\n", 1, err);
        print_ids(s, i, &table, err);
        for (int64_t t = 0; t < traits && err->code == GP_OK; t++) {
            double value = values[t * n + i];
            if (isnan(value))
                gp_text_add(&table, "\tNA", 3, err);
            else
                gp_text_print(&table, err, "\t%.6g", value);
        }
    }
    if (err->code == GP_OK)
        gp_text_add(&table, "\n", 1, err);
    write_table(s, "pheno", &table, err);
    gp_text_free(&table);
    return err->code;
}

/* ---- truth ---- */

/* One effect of one causal variant. */
typedef struct effect {
    const char *kind;
    double size, share;
    int64_t partner; /* variant, or -1 */
} effect;

static int print_effect(const gp_simulation *s, int64_t t, const gp_cause *c, effect e,
                        gp_text *table, gp_err *err) {
    char ref, alt;
    gp_alleles_draw((uint64_t)s->ask->seed, c->variant, &ref, &alt);
    gp_text_print(table, err, "trait%lld\t%s\t%lld\t%lld\t", (long long)t + 1, e.kind,
                  (long long)c->chromosome + 1, (long long)c->position);
    gp_simulation_name_variant(table, c->variant, err);
    gp_text_print(table, err, "\t%c\t%.9g\t%.6g\t", alt, e.size, e.share);
    if (e.partner < 0)
        return gp_text_add(table, "NA\n", 3, err);
    gp_simulation_name_variant(table, e.partner, err);
    return gp_text_add(table, "\n", 1, err);
}

static int print_cause(const gp_simulation *s, int64_t t, const gp_cause *c, gp_text *table,
                       gp_err *err) {
    const gp_cause *all = s->causes.cause + t * s->causes.each;
    int first_of_pair = c->partner > c - all;
    if (s->plan.additive > 0)
        print_effect(s, t, c, (effect){"additive", c->additive, c->additive_share, -1}, table, err);
    if (s->plan.dominance > 0)
        print_effect(s, t, c, (effect){"dominance", c->dominance, c->dominance_share, -1}, table,
                     err);
    if (s->plan.epistasis > 0 && first_of_pair)
        print_effect(
            s, t, c,
            (effect){"epistasis", c->epistasis, c->epistasis_share, all[c->partner].variant}, table,
            err);
    return err->code;
}

static int write_truth(const gp_simulation *s, gp_err *err) {
    gp_text table = {0};
    gp_text_print(&table, err,
                  "trait\tkind\tchromosome\tposition\tid\teffect_allele\teffect\tvariance_share\t"
                  "partner\n");
    for (int64_t t = 0; t < s->causes.traits; t++)
        for (int64_t k = 0; k < s->causes.each && err->code == GP_OK; k++)
            print_cause(s, t, s->causes.cause + t * s->causes.each + k, &table, err);
    write_table(s, "truth", &table, err);
    gp_text_free(&table);
    return err->code;
}

int gp_simulation_write_tables(gp_simulation *s, gp_err *err) {
    int64_t n = s->people.n;
    double *values = gp_mem_alloc(s->plan.traits * n, sizeof *values, err);
    if (values == NULL)
        return err->code;
    for (int64_t t = 0; t < s->plan.traits && err->code == GP_OK; t++)
        gp_trait_make(&s->plan, t, &s->causes, &s->people, values + t * n, err);
    if (err->code == GP_OK && write_traits(s, values, err) == GP_OK &&
        write_covariates(s, err) == GP_OK)
        write_truth(s, err);
    free(values);
    return err->code;
}
