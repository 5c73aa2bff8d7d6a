#include "src/assoc/lmm_inside.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/tail.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

gp_lmm_batch *gp_lmm_batch_new(const gp_lmm *model, int64_t most, gp_err *err) {
    gp_lmm_batch *batch = gp_mem_alloc(1, sizeof *batch, err);
    if (batch == NULL)
        return NULL;
    batch->model = model;
    batch->most = most;
    batch->round = -1;
    batch->threads = omp_get_max_threads();
    batch->status = gp_mem_alloc(most, sizeof *batch->status, err);
    batch->pair = gp_mem_alloc(most * model->p, sizeof *batch->pair, err);
    int64_t panels = (int64_t)batch->threads * GP_LMM_ROWS * GP_LMM_PANEL;
    batch->squares = gp_mem_alloc(panels, sizeof(double), err);
    if (model->exact) {
        batch->chosen = gp_mem_alloc(most, sizeof *batch->chosen, err);
        batch->list = gp_mem_alloc(most * model->p, sizeof *batch->list, err);
        batch->list_count = gp_mem_alloc(model->p, sizeof *batch->list_count, err);
        batch->gather = gp_mem_alloc(panels, sizeof(double), err);
        batch->table =
            gp_mem_alloc(GP_CHEBYSHEV * (model->c + 2) * GP_LMM_PANEL, sizeof(double), err);
    }
    if (err->code != GP_OK) {
        gp_lmm_batch_free(batch);
        batch = NULL;
    }
    return batch;
}

void gp_lmm_batch_free(gp_lmm_batch *batch) {
    if (batch == NULL)
        return;
    free(batch->status);
    free(batch->pair);
    free(batch->squares);
    free(batch->chosen);
    free(batch->list);
    free(batch->list_count);
    free(batch->gather);
    free(batch->table);
    free(batch);
}

/* The next round is that of the first region that any pair wants. */
static void choose_round(gp_lmm_batch *batch) {
    const gp_lmm *model = batch->model;
    uint32_t wanted = 0;
    for (int64_t i = 0; model->exact && i < batch->m * model->p; i++)
        wanted |= batch->pair[i].wanted;
    batch->round = -1;
    if (wanted == 0)
        return;
    uint32_t bit = wanted & -wanted;
    batch->round = 1 + __builtin_ctz(wanted);
    batch->chosen_count = 0;
    for (int64_t t = 0; t < model->p; t++)
        batch->list_count[t] = 0;
    for (int64_t i = 0; i < batch->m; i++) {
        uint32_t any = 0;
        for (int64_t t = 0; t < model->p; t++) {
            if (!(batch->pair[i * model->p + t].wanted & bit))
                continue;
            batch->list[t * batch->most + batch->list_count[t]++] = batch->chosen_count;
            any = 1;
        }
        if (any)
            batch->chosen[batch->chosen_count++] = i;
    }
}

void gp_lmm_begin(gp_lmm_batch *batch, const gp_lmm_site *site, int64_t m) {
    const gp_lmm *model = batch->model;
    batch->m = m;
    batch->site = site;
    batch->round = -1;
    for (int64_t i = 0; i < m; i++) {
        batch->status[i] = site[i].called == 0 ? GP_STATUS_ALL_MISSING
                           : site[i].constant  ? GP_STATUS_CONSTANT
                           : model->df < 1.0   ? GP_STATUS_FEW_SAMPLES
                                               : GP_STATUS_OK;
        if (batch->status[i] == GP_STATUS_OK)
            batch->round = 0;
    }
    for (int64_t i = 0; i < m * model->p; i++)
        batch->pair[i] = (gp_lmm_pair){NAN, -INFINITY, NAN, NAN, 0, 0};
}

int64_t gp_lmm_width(const gp_lmm_batch *batch) {
    const gp_lmm *model = batch->model;
    if (batch->round < 0)
        return 0;
    if (batch->round == 0)
        return batch->m * (model->x_columns + model->xx_columns);
    int64_t listed = 0;
    for (int64_t t = 0; t < model->p; t++)
        listed += batch->list_count[t];
    return GP_CHEBYSHEV * (batch->chosen_count * (model->c + 1) + listed);
}

void gp_lmm_sum(gp_lmm_batch *batch, const double *x, double *sums) {
    if (batch->round == 0)
        gp_lmm_sum_first(batch, x, sums);
    else if (batch->round > 0)
        gp_lmm_sum_region(batch, x, sums);
}

void gp_lmm_take(gp_lmm_batch *batch, const double *sums) {
    if (batch->round == 0)
        gp_lmm_take_first(batch, sums);
    else if (batch->round > 0)
        gp_lmm_take_region(batch, sums);
    if (batch->round >= 0)
        choose_round(batch);
}

static gp_result result_of(const gp_lmm_batch *batch, int64_t variant, int64_t trait) {
    const gp_lmm *model = batch->model;
    const gp_lmm_pair *pair = batch->pair + variant * model->p + trait;
    const gp_lmm_site *site = batch->site + variant;
    gp_result r = gp_result_none(batch->status[variant], model->n);
    if (site->called > 0)
        r.frequency = site->frequency;
    double se = sqrt(pair->variance / model->df), statistic = pair->beta / se;
    if (r.status == GP_STATUS_OK && !isfinite(statistic))
        r.status = GP_STATUS_NO_CONVERGENCE;
    if (r.status != GP_STATUS_OK)
        return r;
    r.beta = pair->beta;
    r.se = se;
    r.statistic = statistic;
    r.neglog10p = gp_t_neglog10p(statistic, model->df);
    return r;
}

void gp_lmm_results(const gp_lmm_batch *batch, gp_result *result) {
    int64_t p = batch->model->p;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < batch->m; i++)
        for (int64_t t = 0; t < p; t++)
            result[i * p + t] = result_of(batch, i, t);
}

double gp_lmm_ratio(const gp_lmm_batch *batch, int64_t variant, int64_t trait) {
    return batch->status[variant] == GP_STATUS_OK
               ? gp_exp(batch->pair[variant * batch->model->p + trait].t)
               : NAN;
}
