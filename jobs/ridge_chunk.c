/* Designs of the baselines' regressions: who trains, covariates made orthonormal among them, and
 * the same combinations of covariates for everybody else. */
#include "jobs/ridge_private.h"
#include "jobs/traits.h"
#include "src/assoc/design.h"
#include "src/assoc/row_sums.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int gp_ridge_chunk_init(gp_ridge_chunk *h, int64_t room, gp_err *err) {
    int64_t real = (int64_t)sizeof(double), c = h->plan->cohort->covariates;
    h->covariates = c;
    h->basis = 1 + c;
    h->design = gp_mem_alloc(room, sizeof *h->design, err);
    h->mask = gp_mem_alloc(h->rows, room, err);
    h->asked = gp_mem_alloc(h->rows, room, err);
    h->e = gp_mem_alloc(h->rows, room * h->basis * real, err);
    h->y = gp_mem_alloc(h->rows, room * real, err);
    h->length = gp_mem_alloc(room, real, err);
    h->fit = gp_mem_alloc(room, h->basis * real, err);
    h->trained = gp_mem_alloc(room, sizeof *h->trained, err);
    h->kept = gp_mem_alloc(c, room, err);
    h->mean = gp_mem_alloc(c, room * real, err);
    h->turn = gp_mem_alloc(c * c, room * real, err);
    h->list = gp_mem_alloc(h->n, sizeof *h->list, err);
    h->q = gp_mem_alloc(c, h->n * real, err);
    h->scratch = gp_mem_alloc(h->n, real, err);
    return err->code;
}

void gp_ridge_chunk_free(gp_ridge_chunk *h) {
    free(h->design);
    free(h->mask);
    free(h->asked);
    free(h->e);
    free(h->y);
    free(h->length);
    free(h->fit);
    free(h->trained);
    free(h->kept);
    free(h->mean);
    free(h->turn);
    free(h->list);
    free(h->q);
    free(h->scratch);
    *h = (gp_ridge_chunk){0};
}

int64_t gp_ridge_chunk_bytes(int64_t n, int64_t rows, int64_t covariates, int64_t room) {
    int64_t basis = 1 + covariates;
    return room *
               (rows * (2 + 8 * (basis + 1)) + 8 * (3 + basis + covariates * basis) + covariates) +
           8 * n * (2 + covariates);
}

int gp_ridge_trains(const gp_ridge_plan *plan, int64_t model, int64_t trait, int64_t sample) {
    const gp_folds *folds = plan->folds;
    return gp_trait_uses(plan->cohort, &plan->cohort->trait[plan->trait[trait]], sample) &&
           (model == folds->count || folds->of[sample] != model);
}

/* ---- a design ---- */

/* Lists the samples that train, and marks them and those asked for among this rank's rows. */
static void set_masks(gp_ridge_chunk *h, int64_t d, const gp_ridge_column *column) {
    int whole = column->inner == GP_RIDGE_INNER;
    const gp_cohort *cohort = h->plan->cohort;
    uint8_t *mask = h->mask + d * h->rows, *asked = h->asked + d * h->rows;
    int64_t number = 0;
    h->trained[d] = 0;
    for (int64_t i = 0; i < h->n; i++) {
        int64_t sample = h->sample[i], row = i - h->first;
        int member = gp_ridge_trains(h->plan, column->model, column->like, sample);
        int held = member && number % GP_RIDGE_INNER == column->inner;
        number += member;
        if (member && !held)
            h->list[h->trained[d]++] = i;
        if (row < 0 || row >= h->rows)
            continue;
        mask[row] = (uint8_t)(member && !held);
        asked[row] = (uint8_t)(whole ? cohort->complete[sample] : held);
    }
}

/* A column of the cohort's numbers, for a design's samples; returns its mean, which is removed. */
static double gather(const gp_ridge_chunk *h, int64_t n, const double *value, double *to) {
    double sum = 0.0, rest = 0.0;
    for (int64_t i = 0; i < n; i++) {
        to[i] = value[h->sample[h->list[i]]];
        sum += to[i];
    }
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        rest += to[i] -= mean;
    rest /= (double)n; /* the mean of large numbers is itself off by rounding */
    for (int64_t i = 0; i < n; i++)
        to[i] -= rest;
    return mean + rest;
}

/* The basis among the samples, and how covariates are made of it. Returns its rank. */
static int64_t make_basis(gp_ridge_chunk *h, int64_t d) {
    const gp_cohort *cohort = h->plan->cohort;
    int64_t n = h->trained[d], c = h->covariates, at = 0;
    uint8_t *kept = h->kept + d * c;
    double *mean = h->mean + d * c, *turn = h->turn + d * c * c;
    for (int64_t k = 0; k < c; k++)
        for (int64_t i = 0; i < n; i++)
            h->q[k * n + i] = cohort->covariate[k].value[h->sample[h->list[i]]];
    int64_t rank = gp_design_basis(h->q, n, c, kept);
    memset(turn, 0, (size_t)(c * c) * sizeof *turn);
    for (int64_t k = 0; k < c; k++) {
        mean[k] = gather(h, n, cohort->covariate[k].value, h->scratch);
        for (int64_t b = 0; kept[k] && b <= at; b++)
            turn[b * c + k] = gp_dot(h->q + b * n, h->scratch, n);
        at += kept[k];
    }
    return rank;
}

/* The basis for rows outside the mask: the same combinations of covariates. */
static void extend(gp_ridge_chunk *h, int64_t d, int64_t row) {
    const gp_cohort *cohort = h->plan->cohort;
    int64_t c = h->covariates, at = 0, sample = h->sample[h->first + row];
    const double *turn = h->turn + d * c * c;
    double *e = h->e + (d * h->basis + 1) * h->rows + row;
    for (int64_t k = 0; k < c; k++) {
        if (!h->kept[d * c + k])
            continue;
        double x = cohort->covariate[k].value[sample] - h->mean[d * c + k];
        for (int64_t b = 0; b < at; b++)
            x -= turn[b * c + k] * e[b * h->rows];
        e[at * h->rows] = x / turn[at * c + k];
        at++;
    }
}

static void set_rows(gp_ridge_chunk *h, int64_t d, int64_t rank) {
    int64_t n = h->trained[d], rows = h->rows, at = 0;
    double *e = h->e + d * h->basis * rows, one = 1.0 / sqrt((double)n);
    memset(e, 0, (size_t)(h->basis * rows) * sizeof *e);
    while (at < n && h->list[at] < h->first)
        at++;
    for (int64_t i = 0; i < rows; i++) {
        if (!h->plan->cohort->complete[h->sample[h->first + i]])
            continue;
        e[i] = one;
        if (!h->mask[d * rows + i]) {
            extend(h, d, i);
            continue;
        }
        for (int64_t b = 0; b < rank; b++)
            e[(1 + b) * rows + i] = h->q[b * n + at];
        at++;
    }
}

static void set_trait(gp_ridge_chunk *h, int64_t d, int64_t rank, int64_t j) {
    const gp_ridge_plan *plan = h->plan;
    int64_t n = h->trained[d];
    const double *value = plan->cohort->trait[plan->trait[h->column[j].trait]].value;
    double *y = h->y + j * h->rows, *fit = h->fit + j * h->basis;
    memset(fit, 0, (size_t)h->basis * sizeof *fit);
    memset(y, 0, (size_t)h->rows * sizeof *y);
    fit[0] = gather(h, n, value, h->scratch) * sqrt((double)n);
    for (int64_t b = 0; b < rank; b++)
        fit[1 + b] = gp_dot(h->q + b * n, h->scratch, n);
    h->length[j] = gp_design_residual(h->q, n, rank, h->scratch);
    for (int64_t i = 0; i < n; i++) {
        int64_t row = h->list[i] - h->first;
        if (row >= 0 && row < h->rows)
            y[row] = h->scratch[i];
    }
}

void gp_ridge_chunk_set(gp_ridge_chunk *h, const gp_ridge_column *column, int64_t count) {
    int64_t rank = 0;
    h->column = column;
    h->count = count;
    h->designs = 0;
    for (int64_t j = 0; j < count; j++) {
        const gp_ridge_column *last = j > 0 ? &column[j - 1] : NULL;
        if (last == NULL || last->model != column[j].model || last->inner != column[j].inner ||
            last->like != column[j].like) {
            set_masks(h, h->designs, &column[j]);
            rank = make_basis(h, h->designs);
            set_rows(h, h->designs++, rank);
        }
        h->design[j] = h->designs - 1;
        set_trait(h, h->designs - 1, rank, j);
    }
}

/* ---- from coordinates ---- */

double gp_ridge_chunk_fitted(const gp_ridge_chunk *h, int64_t column, int64_t row) {
    const double *e = h->e + h->design[column] * h->basis * h->rows + row;
    double sum = 0.0;
    for (int64_t b = 0; b < h->basis; b++)
        sum += h->fit[column * h->basis + b] * e[b * h->rows];
    return sum;
}

void gp_ridge_chunk_effects(const gp_ridge_chunk *h, int64_t d, const double *along,
                            double *fixed) {
    int64_t c = h->covariates, at = 0;
    const double *turn = h->turn + d * c * c;
    fixed[0] = along[0] / sqrt((double)h->trained[d]);
    for (int64_t k = 0; k < c; k++)
        at += h->kept[d * c + k];
    for (int64_t k = c - 1; k >= 0; k--) {
        fixed[1 + k] = 0.0;
        if (!h->kept[d * c + k])
            continue;
        double rest = along[at--];
        for (int64_t later = k + 1; later < c; later++)
            if (h->kept[d * c + later])
                rest -= turn[at * c + later] * fixed[1 + later];
        fixed[1 + k] = rest / turn[at * c + k];
        fixed[0] -= fixed[1 + k] * h->mean[d * c + k];
    }
}
