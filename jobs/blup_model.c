/* One model of blup: the spectrum of a group of traits with one fold left out. */
#include "jobs/blup.h"
#include "jobs/job.h"
#include "jobs/traits.h"
#include "src/assoc/blup.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A group's traits with one fold left out, or with none. */
typedef struct model {
    gp_blup_run *run;
    const gp_blup_group *group;
    int64_t fold; /* -1: none */
    char name[GP_BLUP_FOLD_NAME];
    int64_t n, m;    /* training samples; samples whose genetic values are wanted */
    int64_t *train;  /* [n] store samples */
    int64_t *sample; /* [m] store samples, ascending, the training samples among them */
    int64_t *place;  /* [n] of the training samples in `sample` */
    double *x, *y;   /* [c x n], [p x n] */
    gp_blup blup;
    double *value; /* [n] eigenvalues */
    double *thin;  /* [n x (1 + rank + p)] rotated */
    double *alpha; /* [n x p] */
    double *u;     /* [m x p] */
    double *shift; /* [p] */
} model;

static void model_free(model *m) {
    gp_blup_free(&m->blup);
    free(m->train);
    free(m->sample);
    free(m->place);
    free(m->x);
    free(m->y);
    free(m->value);
    free(m->thin);
    free(m->alpha);
    free(m->u);
    free(m->shift);
}

static const char *first_trait(const model *m) {
    return m->run->cohort.trait[m->group->trait[0]].name;
}

/* Who trains; and who is predicted: with folds the group, without all that have a row. */
static int list_samples(model *m, gp_err *err) {
    const gp_blup_run *run = m->run;
    const gp_blup_group *group = m->group;
    int64_t at = 0, samples = run->cohort.samples.n;
    m->train = gp_mem_alloc(group->n, sizeof *m->train, err);
    m->place = gp_mem_alloc(group->n, sizeof *m->place, err);
    m->sample = gp_mem_alloc(samples, sizeof *m->sample, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0; i < samples; i++) {
        int member = at < group->n && group->sample[at] == i;
        at += member;
        if (m->fold < 0 ? !run->cohort.kept[i] : !member)
            continue;
        if (member && (m->fold < 0 || run->folds.of[i] != m->fold)) {
            m->place[m->n] = m->m;
            m->train[m->n++] = i;
        }
        m->sample[m->m++] = i;
    }
    int64_t c = run->cohort.covariates;
    if (m->n < c + 3)
        return gp_err_set(err, GP_EINPUT,
                          "trait '%s', fold %s: %lld samples to train with are too few for %lld "
                          "covariates and an intercept",
                          first_trait(m), m->name, (long long)m->n, (long long)c);
    return GP_OK;
}

static void gather(const model *m, const double *value, double *to) {
    for (int64_t i = 0; i < m->n; i++)
        to[i] = value[m->train[i]];
}

static int check_lengths(const model *m, gp_err *err) {
    for (int64_t t = 0; t < m->group->traits; t++) {
        const double *y = m->y + t * m->n;
        int64_t same = 1;
        while (same < m->n && y[same] == y[0])
            same++;
        if (m->blup.length[t] > 0.0)
            continue;
        const char *trait = m->run->cohort.trait[m->group->trait[t]].name;
        return gp_err_set(err, GP_EINPUT, "trait '%s', fold %s: %s among the samples to train with",
                          trait, m->name,
                          same == m->n ? "it is constant" : "the covariates determine it");
    }
    return GP_OK;
}

/* Covariates that add nothing, each once in a run. */
static void tell_dropped(model *m) {
    for (int64_t k = 0; k < m->run->cohort.covariates; k++)
        if (!m->blup.kept[k] && !m->run->dropped[k]) {
            m->run->dropped[k] = 1;
            gp_trait_tell_dropped(m->run->job->sink, &m->run->cohort, k, m->group->trait[0]);
        }
}

/* Local. */
static int make_design(model *m, gp_err *err) {
    const gp_cohort *cohort = &m->run->cohort;
    int64_t c = cohort->covariates, p = m->group->traits, real = (int64_t)sizeof(double);
    m->x = gp_mem_alloc(c, m->n * real, err);
    m->y = gp_mem_alloc(p, m->n * real, err);
    m->value = gp_mem_alloc(m->n, real, err);
    m->thin = gp_mem_alloc(m->n, (1 + c + p) * real, err);
    m->alpha = gp_mem_alloc(m->n, p * real, err);
    m->u = gp_mem_alloc(m->m, p * real, err);
    m->shift = gp_mem_alloc(p, real, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t k = 0; k < c; k++)
        gather(m, cohort->covariate[k].value, m->x + k * m->n);
    for (int64_t t = 0; t < p; t++)
        gather(m, cohort->trait[m->group->trait[t]].value, m->y + t * m->n);
    gp_blup_input input = {.n = m->n, .c = c, .p = p, .x = m->x, .y = m->y};
    if (gp_blup_init(&m->blup, &input, err) == GP_OK && check_lengths(m, err) == GP_OK)
        tell_dropped(m);
    free(m->x);
    free(m->y);
    m->x = m->y = NULL;
    return err->code;
}

/* Collective. */
static int fit(model *m, gp_err *err) {
    gp_blup_run *run = m->run;
    gp_par *par = run->job->par;
    gp_dense vector = {0};
    char part[GP_BLUP_FOLD_NAME + 16];
    int64_t p = m->group->traits, width = 1 + m->blup.rank + p;
    double *turned = gp_mem_alloc(m->n, p * (int64_t)sizeof *turned, err);
    snprintf(part, sizeof part, ", fold %s", m->name);
    if (gp_par_agree(par, err) == GP_OK &&
        gp_dense_init(&vector, par, run->grid, m->n, err) == GP_OK &&
        gp_kinship_spectrum(run->job, &run->kinship, m->train, GP_GRM_WHOLE, &vector, m->value,
                            err) == GP_OK &&
        gp_dense_times_turned(&vector, m->blup.thin, width, m->thin, err) == GP_OK) {
        gp_blup_fit(&m->blup, m->value, m->thin, turned, err);
        gp_trait_name_error(&run->cohort, m->group->trait, p, part, err);
        if (gp_par_agree(par, err) == GP_OK)
            gp_dense_times(&vector, turned, p, m->alpha, err);
    }
    gp_dense_free(&vector);
    free(turned);
    return err->code;
}

/* The genetic values of all samples wanted. Collective. */
static int relate(model *m, gp_err *err) {
    gp_blup_run *run = m->run;
    int64_t p = m->group->traits;
    gp_dense k = {0};
    double *padded = gp_mem_alloc(m->m, p * (int64_t)sizeof *padded, err);
    for (int64_t i = 0; padded != NULL && i < m->n; i++)
        memcpy(padded + m->place[i] * p, m->alpha + i * p, (size_t)p * sizeof *padded);
    if (gp_par_agree(run->job->par, err) == GP_OK &&
        gp_dense_init(&k, run->job->par, run->grid, m->m, err) == GP_OK &&
        gp_kinship_load(run->job, &run->kinship, m->sample, GP_GRM_WHOLE, &k, err) == GP_OK &&
        gp_dense_symmetric_times(&k, padded, p, m->u, err) == GP_OK)
        gp_blup_genetic(&m->blup, m->u, m->m, m->place, m->u, m->shift);
    gp_dense_free(&k);
    free(padded);
    return err->code;
}

/* ---- what becomes of it ---- */

static void predict(const model *m, gp_blup_predicted *to) {
    const gp_cohort *cohort = &m->run->cohort;
    const gp_blup *b = &m->blup;
    int64_t p = m->group->traits;
    double *x = m->thin; /* is no longer needed, and has room for a sample's covariates */
    for (int64_t i = 0; i < m->m; i++) {
        int64_t sample = m->sample[i];
        if (!cohort->complete[sample] || (m->fold >= 0 && m->run->folds.of[sample] != m->fold))
            continue;
        for (int64_t k = 0; k < b->c; k++)
            x[k] = cohort->covariate[k].value[sample];
        for (int64_t t = 0; t < p; t++) {
            to->covariates[sample * p + t] = gp_blup_covariates(b, b->alone + t * (1 + b->c), x);
            to->blup[sample * p + t] =
                gp_blup_covariates(b, b->fixed + t * (1 + b->c), x) + m->u[i * p + t];
        }
    }
}

/* What variant effects need, of all traits together. */
static void keep(const model *m) {
    gp_blup_run *run = m->run;
    int64_t p = m->group->traits, c = run->cohort.covariates;
    for (int64_t t = 0; t < p; t++) {
        int64_t column = run->fitted + t;
        double lambda = m->blup.fit[t].lambda, *effect = run->effect + column * (1 + c);
        for (int64_t i = 0; i < m->n; i++)
            run->alpha[m->train[i] * run->traits + column] = lambda * m->alpha[i * p + t];
        memcpy(effect, m->blup.fixed + t * (1 + c), (size_t)(1 + c) * sizeof *effect);
        effect[0] -= m->shift[t];
    }
}

int gp_blup_model(gp_blup_run *run, const gp_blup_group *group, int64_t fold, gp_blup_predicted *to,
                  gp_err *err) {
    model m = {.run = run, .group = group, .fold = fold};
    gp_blup_fold_name(run, fold, m.name);
    gp_job_check_signals(err);
    if (err->code == GP_OK && list_samples(&m, err) == GP_OK)
        make_design(&m, err);
    if (gp_par_agree(run->job->par, err) == GP_OK && fit(&m, err) == GP_OK &&
        relate(&m, err) == GP_OK) {
        predict(&m, to);
        if (fold < 0)
            keep(&m);
        for (int64_t t = 0; t < group->traits; t++)
            to->found[(fold < 0 ? 0 : fold) * group->traits + t] =
                (gp_blup_found){m.n, m.blup.fit[t]};
    }
    model_free(&m);
    return err->code;
}
