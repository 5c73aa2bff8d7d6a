#include "src/assoc/ridge.h"
#include "src/assoc/row_sums.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/pca/subspace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A column's iteration: that of its first penalty. */
typedef struct column {
    double start, rr;               /* squared lengths of the first residual and of this one */
    double pp;                      /* of the direction */
    double bound;                   /* at least the length of the next direction */
    double unit;                    /* a power of two: a direction times it is no longer than 1 */
    double step, step_before, turn; /* alpha_k, alpha_(k-1), beta_(k-1) of the literature */
    int64_t live;                   /* penalties that have not settled: the first ones */
} column;

/* What differs for another penalty: its residual is `share` times the first one's, and share
 * changes by `ratio` in a step. */
typedef struct shift {
    double share, ratio;
} shift;

/* A solution under way. */
typedef struct work {
    gp_ridge_solve *s;
    gp_row_sums sums;
    column *column;  /* [columns] */
    shift *shift;    /* [columns x penalties] */
    int64_t *active; /* [columns] those that have not settled */
    int64_t count;
    int64_t *asked;      /* [designs x asked_most] local rows */
    int64_t *asked_rows; /* [designs] */
    double *p, *r;       /* [columns x rows] */
    double *in, *out;    /* [columns x rows] of the active columns, packed */
    double *w;           /* [columns x penalties x asked_most] (I - E Q' M) K p */
    double *total;       /* [columns x (basis + 2)] */
} work;

static int agree(const gp_ridge_solve *s, gp_err *err) {
    return s->agree != NULL ? s->agree(s->context, err) : err->code;
}

/* ---- room ---- */

static int64_t width_of(const gp_ridge_solve *s) {
    return s->basis + 2;
}

static void list_asked(work *w) {
    const gp_ridge_solve *s = w->s;
    for (int64_t d = 0; d < s->designs; d++)
        for (int64_t i = 0; i < s->rows; i++)
            if (s->asked[d * s->rows + i])
                w->asked[d * s->asked_most + w->asked_rows[d]++] = i;
}

static int64_t count_most_asked(const gp_ridge_solve *s) {
    int64_t most = 0;
    for (int64_t d = 0; d < s->designs; d++) {
        int64_t count = 0;
        for (int64_t i = 0; i < s->rows; i++)
            count += s->asked[d * s->rows + i] != 0;
        most = gp_most(most, count);
    }
    return most;
}

static int work_init(work *w, gp_err *err) {
    gp_ridge_solve *s = w->s;
    int64_t real = (int64_t)sizeof(double), c = s->columns, cells = c * s->penalties;
    w->sums = (gp_row_sums){
        .n = s->n, .first = s->first, .rows = s->rows, .context = s->context, .add = s->add};
    s->asked_most = count_most_asked(s);
    gp_row_sums_init(&w->sums, c * width_of(s), err);
    w->column = gp_mem_alloc(c, sizeof *w->column, err);
    w->shift = gp_mem_alloc(cells, sizeof *w->shift, err);
    w->active = gp_mem_alloc(c, sizeof *w->active, err);
    w->asked = gp_mem_alloc(s->asked_most, s->designs * (int64_t)sizeof *w->asked, err);
    w->asked_rows = gp_mem_alloc(s->designs, sizeof *w->asked_rows, err);
    w->p = gp_mem_alloc(s->rows, c * real, err);
    w->r = gp_mem_alloc(s->rows, c * real, err);
    w->in = gp_mem_alloc(s->rows, c * real, err);
    w->out = gp_mem_alloc(s->rows, c * real, err);
    w->w = gp_mem_alloc(s->asked_most, cells * real, err);
    w->total = gp_mem_alloc(c, width_of(s) * real, err);
    s->alpha = gp_mem_alloc(s->rows, c * real, err);
    s->along = gp_mem_alloc(c, s->basis * real, err);
    s->value = gp_mem_alloc(s->asked_most, cells * real, err);
    if (err->code == GP_OK)
        list_asked(w);
    return agree(s, err);
}

static void work_free(work *w) {
    gp_row_sums_free(&w->sums);
    free(w->column);
    free(w->shift);
    free(w->active);
    free(w->asked);
    free(w->asked_rows);
    free(w->p);
    free(w->r);
    free(w->in);
    free(w->out);
    free(w->w);
    free(w->total);
}

int64_t gp_ridge_solve_bytes(const gp_ridge_solve *s, int64_t asked) {
    int64_t c = s->columns;
    return gp_row_sums_bytes(s->n, c * width_of(s)) + s->designs * (asked + 1) * 8 +
           c * (s->rows * 5 * 8 + (int64_t)sizeof(column) + 8) +
           c * s->penalties * (2 * asked * 8 + (int64_t)sizeof(shift)) +
           c * (width_of(s) + s->basis) * 8;
}

/* ---- steps ---- */

/* Squared lengths of the active columns' residuals. Collective. */
static int measure(work *w, gp_err *err) {
    const gp_ridge_solve *s = w->s;
    gp_row_sums *sums = &w->sums;
    gp_row_sums_begin(sums, w->count);
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t k = sums->from; k < sums->to; k++)
        for (int64_t a = 0; a < w->count; a++) {
            int64_t n, at = gp_row_sums_at(sums, k, &n);
            const double *r = w->r + w->active[a] * s->rows + at;
            gp_row_sums_set(sums, k, a, gp_dot(r, r, n));
        }
    return gp_row_sums_add(sums, w->total, err);
}

/* The active columns' directions, of length up to 1 (products are in fixed point), side by side. */
static void pack(work *w) {
    const gp_ridge_solve *s = w->s;
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < w->count; a++) {
        column *c = &w->column[w->active[a]];
        const double *p = w->p + w->active[a] * s->rows;
        int exponent;
        frexp(c->bound, &exponent);
        c->unit = ldexp(1.0, -exponent);
        for (int64_t i = 0; i < s->rows; i++)
            w->in[a * s->rows + i] = p[i] * c->unit;
    }
}

/* One block's sums of one column: Q' K p, then p' K p and p' p. */
static void project_sums(work *w, int64_t block, int64_t a) {
    const gp_ridge_solve *s = w->s;
    gp_row_sums *sums = &w->sums;
    double masked[GP_SUBSPACE_ROWS];
    int64_t j = w->active[a], d = s->design[j], width = width_of(s), rows = s->rows;
    int64_t n, at = gp_row_sums_at(sums, block, &n);
    const uint8_t *mask = s->mask + d * rows + at;
    const double *p = w->p + j * rows + at;
    double *q = w->out + a * rows + at, back = 1.0 / w->column[j].unit;
    for (int64_t i = 0; i < n; i++) {
        q[i] *= back;
        masked[i] = mask[i] ? q[i] : 0.0;
    }
    for (int64_t b = 0; b < s->basis; b++)
        gp_row_sums_set(sums, block, a * width + b,
                        gp_dot(s->e + (d * s->basis + b) * rows + at, masked, n));
    gp_row_sums_set(sums, block, a * width + s->basis, gp_dot(p, masked, n));
    gp_row_sums_set(sums, block, a * width + s->basis + 1, gp_dot(p, p, n));
}

/* Steps' lengths. The same on all ranks. */
static int choose_steps(work *w, gp_err *err) {
    const gp_ridge_solve *s = w->s;
    int64_t width = width_of(s);
    for (int64_t a = 0; a < w->count; a++) {
        int64_t j = w->active[a];
        column *c = &w->column[j];
        const double *total = w->total + a * width;
        c->pp = total[s->basis + 1];
        double bend = total[s->basis] + s->lambda[j * s->penalties] * c->pp;
        c->step_before = c->step;
        c->step = c->rr / bend;
        /* Penalties are above 0 and K has no negative values: only numbers that are none, or a
         * product that is not K's, get here. */
        if (!(bend > 0.0) || !isfinite(c->step))
            return gp_err_set(err, GP_EFAIL, "ridge regression: a number is not finite");
        for (int64_t b = 0; b < s->basis; b++)
            s->along[j * s->basis + b] += c->step * total[b];
    }
    return GP_OK;
}

/* One column's rows of a block: K p loses the covariates, alpha and the residual take the step. */
static void take_step(work *w, int64_t block, int64_t a) {
    const gp_ridge_solve *s = w->s;
    int64_t j = w->active[a], d = s->design[j], rows = s->rows;
    int64_t n, at = gp_row_sums_at(&w->sums, block, &n);
    const uint8_t *mask = s->mask + d * rows + at;
    double *q = w->out + a * rows + at, *r = w->r + j * rows + at;
    double *alpha = s->alpha + j * rows + at, *p = w->p + j * rows + at;
    double step = w->column[j].step, lambda = s->lambda[j * s->penalties];
    for (int64_t b = 0; b < s->basis; b++) {
        const double *e = s->e + (d * s->basis + b) * rows + at;
        double f = w->total[a * width_of(s) + b];
        for (int64_t i = 0; i < n; i++)
            q[i] -= f * e[i];
    }
    for (int64_t i = 0; i < n; i++) {
        alpha[i] += step * p[i];
        r[i] -= mask[i] ? step * (q[i] + lambda * p[i]) : 0.0;
    }
}

/* A column's values, for all of its penalties that have not settled. A penalty's own direction is
 * share * residual + turn * the one before, and so is its product. */
static void take_values(work *w, int64_t a) {
    const gp_ridge_solve *s = w->s;
    int64_t j = w->active[a], d = s->design[j], most = s->asked_most, rows = w->asked_rows[d];
    const column *c = &w->column[j];
    const int64_t *asked = w->asked + d * most;
    const double *q = w->out + a * s->rows;
    double *first = w->w + j * s->penalties * most;
    for (int64_t k = c->live - 1; k >= 0; k--) {
        shift *of = &w->shift[j * s->penalties + k];
        double sigma = s->lambda[j * s->penalties + k] - s->lambda[j * s->penalties];
        double again = c->step_before > 0.0 ? c->step * c->turn / c->step_before : 0.0;
        double ratio = 1.0 / (1.0 + sigma * c->step + again * (1.0 - of->ratio));
        double turn = c->turn * of->ratio * of->ratio, step = c->step * ratio;
        double *mine = first + k * most, *value = s->value + (j * s->penalties + k) * most;
        /* The first penalty's come last: the others need its product of the step before. */
        for (int64_t i = 0; i < rows; i++) {
            double of_residual = q[asked[i]] - c->turn * first[i];
            mine[i] = k == 0 ? q[asked[i]] : of->share * of_residual + turn * mine[i];
            value[i] += step * mine[i];
        }
        of->ratio = ratio;
        of->share *= ratio;
    }
}

/* The next directions, of the columns and penalties that have not settled. */
static void turn_and_drop(work *w) {
    const gp_ridge_solve *s = w->s;
    int64_t left = 0;
    for (int64_t a = 0; a < w->count; a++) {
        int64_t j = w->active[a];
        column *c = &w->column[j];
        double enough = s->tolerance * s->tolerance * c->start;
        c->turn = w->total[a] / c->rr;
        c->rr = w->total[a];
        c->bound = sqrt(c->rr) + c->turn * sqrt(c->pp);
        while (c->live > 1) {
            double share = w->shift[j * s->penalties + c->live - 1].share;
            if (share * share * c->rr > enough)
                break;
            c->live--;
        }
        if (c->rr > enough)
            w->active[left++] = j;
    }
    w->count = left;
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < w->count; a++) {
        const double *r = w->r + w->active[a] * s->rows;
        double *p = w->p + w->active[a] * s->rows, turn = w->column[w->active[a]].turn;
        for (int64_t i = 0; i < s->rows; i++)
            p[i] = r[i] + turn * p[i];
    }
}

/* ---- together ---- */

static int begin(work *w, gp_err *err) {
    const gp_ridge_solve *s = w->s;
    size_t bytes = (size_t)(s->columns * s->rows) * sizeof(double);
    memcpy(w->r, s->y, bytes);
    memcpy(w->p, s->y, bytes);
    for (int64_t j = 0; j < s->columns; j++)
        w->active[j] = j;
    w->count = s->columns;
    if (measure(w, err) != GP_OK)
        return err->code;
    w->count = 0;
    for (int64_t j = 0; j < s->columns; j++) {
        column *c = &w->column[j];
        c->start = c->rr = w->total[j];
        c->bound = sqrt(c->rr);
        c->live = s->penalties;
        if (!isfinite(c->rr))
            return gp_err_set(err, GP_EFAIL, "ridge regression: a number is not finite");
        for (int64_t k = 0; k < s->penalties; k++)
            w->shift[j * s->penalties + k] = (shift){.share = 1.0, .ratio = 1.0};
        if (c->rr > 0.0)
            w->active[w->count++] = j;
    }
    return GP_OK;
}

static int iterate(work *w, gp_err *err) {
    gp_ridge_solve *s = w->s;
    gp_row_sums *sums = &w->sums;
    s->products++;
    pack(w);
    if (s->multiply(s->context, w->in, w->count, w->out, err) != GP_OK)
        return err->code;
    gp_row_sums_begin(sums, w->count * width_of(s));
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t a = 0; a < w->count; a++)
        for (int64_t k = sums->from; k < sums->to; k++)
            project_sums(w, k, a);
    if (gp_row_sums_add(sums, w->total, err) != GP_OK || choose_steps(w, err) != GP_OK)
        return err->code;
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t a = 0; a < w->count; a++)
        for (int64_t k = sums->from; k < sums->to; k++)
            take_step(w, k, a);
#pragma omp parallel for schedule(dynamic)
    for (int64_t a = 0; a < w->count; a++)
        take_values(w, a);
    if (measure(w, err) == GP_OK)
        turn_and_drop(w);
    return err->code;
}

int gp_ridge_solve_run(gp_ridge_solve *s, gp_err *err) {
    work w = {.s = s};
    s->products = 0;
    s->converged = 0;
    if (work_init(&w, err) == GP_OK && begin(&w, err) == GP_OK) {
        while (w.count > 0 && s->products < s->most_products && iterate(&w, err) == GP_OK)
            ;
        s->converged = w.count == 0;
    }
    work_free(&w);
    return err->code;
}

void gp_ridge_solve_free(gp_ridge_solve *s) {
    free(s->alpha);
    free(s->along);
    free(s->value);
    s->alpha = s->along = s->value = NULL;
}
