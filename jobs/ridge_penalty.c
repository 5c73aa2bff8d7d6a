/* The penalty of a ridge regression: its scale, and the best one from squared errors on a grid. */
#include "jobs/ridge_private.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/geno/gram.h"

#include <math.h>
#include <stdlib.h>

const double gp_ridge_grid[GP_RIDGE_GRID] = {0.95, 0.9, 0.8, 0.7, 0.6,  0.5,
                                             0.4,  0.3, 0.2, 0.1, 0.05, 0.02};

double gp_ridge_penalty(double heritability, double diagonal) {
    return diagonal * (1.0 - heritability) / heritability;
}

/* Where the parabola through three points is lowest; the middle one where it is none. */
static double lowest(const double x[3], const double y[3]) {
    double left = (x[1] - x[0]) * (y[1] - y[2]), right = (x[1] - x[2]) * (y[1] - y[0]);
    double at = x[1] - 0.5 * ((x[1] - x[0]) * left - (x[1] - x[2]) * right) / (left - right);
    return at >= x[0] && at <= x[2] ? at : x[1];
}

double gp_ridge_choose(const double *error, double diagonal) {
    int best = GP_RIDGE_GRID - 1; /* of equal errors the largest penalty's */
    double x[3], y[3];
    for (int k = GP_RIDGE_GRID - 2; k >= 0; k--)
        best = error[k] < error[best] ? k : best;
    if (best == 0 || best == GP_RIDGE_GRID - 1)
        return gp_ridge_penalty(gp_ridge_grid[best], diagonal);
    for (int k = 0; k < 3; k++) {
        x[k] = gp_log(gp_ridge_penalty(gp_ridge_grid[best - 1 + k], diagonal));
        y[k] = error[best - 1 + k];
    }
    return gp_exp(lowest(x, y));
}

/* ---- the mean of K's diagonal ---- */

typedef struct diagonal {
    gp_ridge_run *w;
    int64_t *counts; /* [batch x 8] */
    int bits;        /* of a variant's share: a sum of integers is the same in any order */
    int64_t sum[1];
} diagonal;

static int take_diagonal(void *context, const gp_ahead_batch *batch, const double *c, gp_err *err) {
    diagonal *d = context;
    const gp_components_product *p = &d->w->product;
    const int64_t *calls =
        p->variants.calls + p->variants.first[batch->run.chromosome] + batch->run.first;
    (void)c;
    gp_selection_count(d->w->plan->selection, GP_AUTOSOME, &batch->calls, d->counts);
    for (int64_t j = 0; j < batch->run.count; j++) {
        if (calls[j] == 0)
            continue;
        double mean = gp_kinship_mean(calls[j]), sum = 0.0;
        for (int g = 0; g < 3; g++)
            sum += (double)d->counts[8 * j + g] * (g - mean) * (g - mean);
        /* 0 to 2: twice the variance, in units of what outbred samples have */
        sum *= gp_gram_weight(mean) / (double)p->n;
        d->sum[0] += gp_fixed_from(sum, d->bits);
    }
    return err->code;
}

/* Collective. */
int gp_ridge_find_diagonal(gp_ridge_run *w, gp_err *err) {
    gp_components_product *p = &w->product;
    diagonal d = {.w = w, .bits = 60};
    for (int64_t m = 1; m < p->variants.total; m *= 2)
        d.bits--;
    double *nothing = gp_mem_alloc(p->n, sizeof *nothing, err);
    d.counts = gp_mem_alloc(p->pass.batch, 8 * (int64_t)sizeof *d.counts, err);
    gp_selection_masks(w->plan->selection, w->plan->cohort, 0, p->pass.samples, err);
    if (gp_par_agree(w->job->par, err) == GP_OK &&
        gp_components_visit(p, nothing, 1, take_diagonal, &d, err) == GP_OK &&
        gp_par_sum(w->job->par, d.sum, 1, err) == GP_OK)
        w->diagonal = gp_fixed_to(d.sum[0], d.bits) / (double)p->variants.total;
    free(nothing);
    free(d.counts);
    return gp_par_agree(w->job->par, err);
}
