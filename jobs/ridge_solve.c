/* Solves the regressions chunk by chunk: first for the grid of penalties, then for those chosen. */
#include "jobs/ridge_private.h"
#include "src/assoc/row_sums.h"
#include "src/base/split.h"

#include <math.h>
#include <string.h>

/* Of residuals, relative to the trait's part that covariates leave. Which penalty is best needs
 * fewer digits than predictions, whose products are good to about 1e-11. */
#define TOLERANCE_GRID 1e-5
#define TOLERANCE 1e-8

static int multiply(void *context, const double *x, int64_t columns, double *y, gp_err *err) {
    gp_ridge_run *w = context;
    gp_progress_at(&w->progress, w->settled + w->chunk.count - columns);
    return gp_components_multiply(&w->product, x, columns, y, err);
}

static int add(void *context, int64_t *x, int64_t count, gp_err *err) {
    gp_ridge_run *w = context;
    return gp_par_sum(w->job->par, x, count, err);
}

static int agree(void *context, gp_err *err) {
    gp_ridge_run *w = context;
    return gp_par_agree(w->job->par, err);
}

/* Solves the chunk for the penalties of w->lambda. Collective. */
static int solve(gp_ridge_run *w, int64_t penalties, double tolerance, gp_ridge_solve *s,
                 gp_err *err) {
    const gp_ridge_chunk *h = &w->chunk;
    *s = (gp_ridge_solve){.n = h->n,
                          .first = h->first,
                          .rows = h->rows,
                          .columns = h->count,
                          .penalties = penalties,
                          .lambda = w->lambda,
                          .designs = h->designs,
                          .design = h->design,
                          .mask = h->mask,
                          .basis = h->basis,
                          .e = h->e,
                          .asked = h->asked,
                          .y = h->y,
                          .tolerance = tolerance,
                          .most_products = GP_RIDGE_MOST_PRODUCTS,
                          .context = w,
                          .multiply = multiply,
                          .add = add,
                          .agree = agree};
    gp_ridge_solve_run(s, err);
    w->products += s->products;
    w->settled += h->count;
    w->unsettled += err->code == GP_OK && !s->converged;
    return err->code;
}

static int64_t fit_of(const gp_ridge_run *w, int64_t column) {
    const gp_ridge_column *c = &w->chunk.column[column];
    return c->model * w->ridge->traits + c->trait;
}

static double observed(const gp_ridge_run *w, int64_t column, int64_t row) {
    const gp_ridge_plan *plan = w->plan;
    int64_t trait = plan->trait[w->chunk.column[column].trait];
    return plan->cohort->trait[trait].value[w->chunk.sample[w->chunk.first + row]];
}

/* ---- the grid ---- */

/* A column's squared errors among a block's samples of the inner fold. Returns where the next
 * block's values begin. */
static int64_t add_errors(gp_ridge_run *w, const gp_ridge_solve *s, gp_row_sums *sums, int64_t j,
                          int64_t block, int64_t value_at) {
    const gp_ridge_chunk *h = &w->chunk;
    double sum[GP_RIDGE_GRID] = {0};
    int64_t count, at = gp_row_sums_at(sums, block, &count);
    for (int64_t i = at; i < at + count; i++) {
        if (!h->asked[h->design[j] * h->rows + i])
            continue;
        double rest = observed(w, j, i) - gp_ridge_chunk_fitted(h, j, i);
        for (int64_t k = 0; k < GP_RIDGE_GRID; k++) {
            double value = s->value[(j * GP_RIDGE_GRID + k) * s->asked_most + value_at];
            double error = rest - h->length[j] * value;
            sum[k] += error * error;
        }
        value_at++;
    }
    for (int64_t k = 0; k < GP_RIDGE_GRID; k++)
        gp_row_sums_set(sums, block, j * GP_RIDGE_GRID + k, sum[k]);
    return value_at;
}

/* Collective. */
static int measure(gp_ridge_run *w, const gp_ridge_solve *s, gp_row_sums *sums, gp_err *err) {
    const gp_ridge_chunk *h = &w->chunk;
    gp_row_sums_begin(sums, h->count * GP_RIDGE_GRID);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < h->count; j++)
        for (int64_t k = sums->from, at = 0; k < sums->to; k++)
            at = add_errors(w, s, sums, j, k, at);
    if (gp_row_sums_add(sums, w->total, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < h->count; j++)
        for (int64_t k = 0; k < GP_RIDGE_GRID; k++)
            w->error[fit_of(w, j) * GP_RIDGE_GRID + k] += w->total[j * GP_RIDGE_GRID + k];
    return GP_OK;
}

int gp_ridge_search(gp_ridge_run *w, gp_err *err) {
    gp_row_sums sums = {
        .n = w->chunk.n, .first = w->chunk.first, .rows = w->chunk.rows, .context = w, .add = add};
    int64_t columns = gp_ridge_list_columns(w, GP_RIDGE_INNER);
    for (int64_t j = 0; j < w->room * GP_RIDGE_GRID; j++)
        w->lambda[j] = gp_ridge_penalty(gp_ridge_grid[j % GP_RIDGE_GRID], w->diagonal);
    gp_row_sums_init(&sums, w->room * GP_RIDGE_GRID, err);
    gp_par_agree(w->job->par, err);
    for (int64_t at = 0; err->code == GP_OK && at < columns; at += w->room) {
        gp_ridge_solve s = {0};
        gp_ridge_chunk_set(&w->chunk, w->column + at, gp_least(w->room, columns - at));
        if (solve(w, GP_RIDGE_GRID, TOLERANCE_GRID, &s, err) == GP_OK)
            measure(w, &s, &sums, err);
        gp_ridge_solve_free(&s);
    }
    gp_row_sums_free(&sums);
    for (int64_t k = 0; err->code == GP_OK && k < w->ridge->models * w->ridge->traits; k++) {
        w->penalty[k] = gp_ridge_choose(w->error + k * GP_RIDGE_GRID, w->diagonal);
        w->ridge->heritability[k] = w->diagonal / (w->diagonal + w->penalty[k]);
    }
    return err->code;
}

/* ---- predictions ---- */

/* A regression without an inner fold: this rank's samples of that fold. */
static void take_inner(gp_ridge_run *w, const gp_ridge_solve *s, int64_t j) {
    const gp_ridge_chunk *h = &w->chunk;
    const double *value = s->value + j * s->asked_most;
    double *cross = w->ridge->cross + fit_of(w, j) * h->n + h->first;
    for (int64_t i = 0; i < h->rows; i++)
        if (h->asked[h->design[j] * h->rows + i])
            cross[i] = gp_ridge_chunk_fitted(h, j, i) + h->length[j] * *value++;
}

/* Whether a sample trains any trait of a model. */
static int is_in_use(const gp_ridge_run *w, int64_t model, int64_t sample) {
    for (int64_t t = 0; t < w->ridge->traits; t++)
        if (gp_ridge_trains(w->plan, model, t, sample))
            return 1;
    return 0;
}

/* A whole model: this rank's samples with all covariates. */
static void take_rows(gp_ridge_run *w, const gp_ridge_solve *s, int64_t j) {
    const gp_ridge_chunk *h = &w->chunk;
    const gp_ridge_column *column = &h->column[j];
    int64_t from = fit_of(w, j) * h->n + h->first, at = 0;
    gp_ridge *r = w->ridge;
    for (int64_t i = 0; i < h->rows; i++) {
        int64_t sample = h->sample[h->first + i];
        double fitted = NAN, value = NAN;
        if (h->asked[h->design[j] * h->rows + i]) {
            fitted = gp_ridge_chunk_fitted(h, j, i);
            value = fitted + h->length[j] * s->value[j * s->asked_most + at++];
        }
        r->covariates[from + i] = fitted;
        r->value[from + i] = value;
        r->alpha[from + i] = h->length[j] * s->alpha[j * h->rows + i];
        /* Without the trait's value a sample trains no model of it. */
        if (!gp_ridge_trains(w->plan, column->model, column->trait, sample))
            r->cross[from + i] = is_in_use(w, column->model, sample) ? value : NAN;
    }
}

/* The effects of covariates, the same on all ranks; the chunk's fit is used up. */
static void take_effects(gp_ridge_run *w, const gp_ridge_solve *s, int64_t j) {
    gp_ridge_chunk *h = &w->chunk;
    int64_t d = h->design[j], basis = h->basis, to = fit_of(w, j) * basis;
    double *fit = h->fit + j * basis;
    gp_ridge_chunk_effects(h, d, fit, w->ridge->alone + to);
    for (int64_t b = 0; b < basis; b++)
        fit[b] -= h->length[j] * s->along[j * basis + b];
    gp_ridge_chunk_effects(h, d, fit, w->ridge->fixed + to);
    for (int64_t k = 0; k < h->covariates; k++)
        w->ridge->dropped[k] |= !h->kept[d * h->covariates + k];
}

int gp_ridge_predict(gp_ridge_run *w, gp_err *err) {
    int64_t columns = gp_ridge_list_columns(w, 1 + GP_RIDGE_INNER);
    for (int64_t at = 0; err->code == GP_OK && at < columns; at += w->room) {
        gp_ridge_solve s = {0};
        int64_t count = gp_least(w->room, columns - at);
        gp_ridge_chunk_set(&w->chunk, w->column + at, count);
        for (int64_t j = 0; j < count; j++)
            w->lambda[j] = w->penalty[fit_of(w, j)];
        if (solve(w, 1, TOLERANCE, &s, err) == GP_OK)
            for (int64_t j = 0; j < count; j++) {
                if (w->chunk.column[j].inner < GP_RIDGE_INNER) {
                    take_inner(w, &s, j);
                } else {
                    take_rows(w, &s, j);
                    take_effects(w, &s, j);
                }
            }
        gp_ridge_solve_free(&s);
    }
    return err->code;
}
