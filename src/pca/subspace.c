#include "src/pca/subspace.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/base/split.h"
#include "src/pca/symmetric.h"
#include "src/pca/thin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 16, /* columns: more take fewer products, each of which costs more; 80 digits, whole
                   tiles */
    OVER = 10,  /* columns beyond those wanted, for small numbers of them */
    GENERATIONS = 13 /* blocks in a basis, beside the vectors that a restart keeps */
};

int64_t gp_subspace_block(int64_t n, int64_t wanted) {
    return gp_least(n, gp_least(wanted + OVER, BLOCK));
}

/* What a restart keeps. */
static int64_t kept_of(int64_t n, int64_t wanted) {
    return gp_least(n, wanted + gp_subspace_block(n, wanted));
}

int64_t gp_subspace_most(int64_t n, int64_t wanted) {
    return gp_least(n, kept_of(n, wanted) + GENERATIONS * gp_subspace_block(n, wanted));
}

/* A solution under way. */
typedef struct work {
    gp_subspace *s;
    gp_thin thin;
    int64_t block, most;
    int64_t count;   /* columns of the basis whose products are known */
    int64_t fresh;   /* of those, the last ones: the latest block */
    double *basis;   /* [most + block x rows] */
    double *next;    /* [block x rows] */
    double *t;       /* [most x most] basis' A basis */
    double *ritz;    /* [most x most] row k: vector k in terms of the basis */
    double *theta;   /* [most] */
    double *cross;   /* [most x block] */
    double *small;   /* [block x block] */
    double *left;    /* [block x block] gram matrix of what the basis lacks of the latest product */
    double *scratch; /* [most] */
    uint64_t draws;
} work;

static int agree(const gp_subspace *s, gp_err *err) {
    return s->agree != NULL ? s->agree(s->context, err) : err->code;
}

static int work_init(work *w, gp_err *err) {
    gp_subspace *s = w->s;
    int64_t d = (int64_t)sizeof(double), rows = s->rows;
    w->block = gp_subspace_block(s->n, s->wanted);
    w->most = gp_subspace_most(s->n, s->wanted);
    gp_thin_init(&w->thin, s, w->most, w->block, err);
    w->basis = gp_mem_alloc(rows, (w->most + w->block) * d, err);
    w->next = gp_mem_alloc(rows, w->block * d, err);
    w->t = gp_mem_alloc(w->most, w->most * d, err);
    w->ritz = gp_mem_alloc(w->most, w->most * d, err);
    w->theta = gp_mem_alloc(w->most, d, err);
    w->cross = gp_mem_alloc(w->most, w->block * d, err);
    w->small = gp_mem_alloc(w->block, w->block * d, err);
    w->left = gp_mem_alloc(w->block, w->block * d, err);
    w->scratch = gp_mem_alloc(w->most, d, err);
    s->value = gp_mem_alloc(s->wanted, d, err);
    s->residual = gp_mem_alloc(s->wanted, d, err);
    s->vector = gp_mem_alloc(rows, s->wanted * d, err);
    return agree(s, err);
}

static void work_free(work *w) {
    gp_thin_free(&w->thin);
    free(w->basis);
    free(w->next);
    free(w->t);
    free(w->ritz);
    free(w->theta);
    free(w->cross);
    free(w->small);
    free(w->left);
    free(w->scratch);
}

/* Random columns, each number a function of its row alone. */
static void draw(work *w, double *x, int64_t columns) {
    const gp_subspace *s = w->s;
    for (int64_t k = 0; k < columns; k++, w->draws++)
        for (int64_t i = 0; i < s->rows; i++) {
            uint64_t row = (uint64_t)(s->first + i);
            gp_rng rng = gp_rng_stream(s->seed, GP_SUBSPACE_PURPOSE, (uint32_t)row,
                                       (uint32_t)(row >> 32), (uint32_t)w->draws);
            x[k * s->rows + i] = gp_rng_normal(&rng);
        }
}

/* Replaces x's columns by orthonormal ones of the same span; those shorter than `least`, and
 * directions that are rounding alone, go. Sets *columns to how many are left. */
static int straighten(work *w, double *x, int64_t *columns, double least, gp_err *err) {
    enum { MOST = BLOCK };
    const double noise = 1e-12; /* of the largest: squared lengths, so 1e-6 in length */
    double unit[MOST], value[MOST], scratch[MOST], *g = w->small;
    int64_t p = *columns, left = 0;
    if (gp_thin_cross(&w->thin, x, p, x, p, g, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < p; k++) {
        double length = sqrt(g[k * p + k]);
        unit[k] = length > least ? 1.0 / length : 0.0;
    }
    for (int64_t j = 0; j < p; j++)
        for (int64_t k = 0; k < p; k++)
            g[j * p + k] *= unit[j] * unit[k];
    if (gp_symmetric_eigen(p, g, value, scratch, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < p && value[j] > noise * value[0]; j++, left++)
        for (int64_t k = 0; k < p; k++)
            g[j * p + k] *= unit[k] / sqrt(value[j]);
    gp_thin_turn(&w->thin, x, p, g, left);
    *columns = left;
    return GP_OK;
}

/* Removes the basis from x; what it removed stands in cross [count x columns]. */
static int remove_basis(work *w, double *x, int64_t columns, gp_err *err) {
    if (w->count == 0 || columns == 0)
        return GP_OK;
    if (gp_thin_cross(&w->thin, w->basis, w->count, x, columns, w->cross, err) != GP_OK)
        return err->code;
    gp_thin_subtract(&w->thin, w->basis, w->count, w->cross, columns, x);
    return GP_OK;
}

/* Makes x, from which the basis was removed, an orthonormal block beside it. What was left of
 * the basis by rounding is large beside short columns: it is removed once more when all have
 * length 1.
 */
static int prepare(work *w, double *x, int64_t *columns, double least, gp_err *err) {
    if (*columns > 0 && straighten(w, x, columns, least, err) == GP_OK &&
        remove_basis(w, x, *columns, err) == GP_OK && *columns > 0)
        straighten(w, x, columns, 0.0, err);
    return err->code;
}

/* Takes the block behind the basis into it: product, projected matrix, and what the basis lacks
 * of the product, in next. */
static int extend(work *w, int64_t p, gp_err *err) {
    gp_subspace *s = w->s;
    const double *x = w->basis + w->count * s->rows;
    s->products++;
    if (s->multiply(s->context, x, p, w->next, err) != GP_OK)
        return err->code;
    int64_t old = w->count, count = w->count += p;
    if (remove_basis(w, w->next, p, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < count; j++)
        for (int64_t k = 0; k < p; k++)
            w->t[j * w->most + old + k] = w->cross[j * p + k];
    for (int64_t k = old; k < count; k++) {
        for (int64_t j = 0; j < old; j++)
            w->t[k * w->most + j] = w->t[j * w->most + k];
        for (int64_t j = old; j < k; j++) {
            double mean = 0.5 * (w->t[j * w->most + k] + w->t[k * w->most + j]);
            w->t[j * w->most + k] = w->t[k * w->most + j] = mean;
        }
    }
    w->fresh = p;
    return gp_thin_cross(&w->thin, w->next, p, w->next, p, w->left, err);
}

/* Solves the projected matrix. The residual of a vector is that of the latest block's share of
 * it: products of all earlier blocks lie within the basis. */
static int solve(work *w, gp_err *err) {
    gp_subspace *s = w->s;
    int64_t count = w->count, p = w->fresh;
    for (int64_t j = 0; j < count; j++)
        memcpy(w->ritz + j * count, w->t + j * w->most, (size_t)count * sizeof *w->ritz);
    if (gp_symmetric_eigen(count, w->ritz, w->theta, w->scratch, err) != GP_OK)
        return err->code;
    s->converged = count >= s->wanted;
    for (int64_t k = 0; k < gp_least(s->wanted, count); k++) {
        const double *share = w->ritz + k * count + count - p;
        double sum = 0.0;
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < p; j++)
                sum += share[i] * w->left[i * p + j] * share[j];
        s->value[k] = w->theta[k];
        s->residual[k] = sqrt(fmax(sum, 0.0));
        /* Values far below the first are none: what is left of them is rounding. */
        double size = fmax(w->theta[k], 1e-4 * w->theta[0]);
        if (s->residual[k] > s->tolerance * size)
            s->converged = 0;
    }
    return GP_OK;
}

/* Keeps the best vectors as the basis. */
static void restart(work *w, int64_t keep) {
    keep = gp_least(keep, w->count);
    gp_thin_turn(&w->thin, w->basis, w->count, w->ritz, keep);
    for (int64_t j = 0; j < keep; j++)
        for (int64_t k = 0; k < keep; k++)
            w->t[j * w->most + k] = j == k ? w->theta[j] : 0.0;
    w->count = keep;
}

/* The next block, behind the basis: what the latest product brought, or, where that is nothing,
 * random columns. *columns is 0 where the basis holds all there is. */
static int choose(work *w, int64_t *columns, gp_err *err) {
    gp_subspace *s = w->s;
    double least = w->count > 0 ? 1e-11 * w->theta[0] : 0.0;
    int64_t room = gp_least(w->block, s->n - w->count);
    *columns = w->count > 0 ? w->fresh : 0;
    if (prepare(w, w->next, columns, least, err) != GP_OK)
        return err->code;
    if (*columns == 0 && room > 0 && w->count < s->wanted) {
        *columns = room;
        draw(w, w->next, room);
        if (remove_basis(w, w->next, room, err) != GP_OK ||
            prepare(w, w->next, columns, 0.0, err) != GP_OK)
            return err->code;
    }
    *columns = gp_least(*columns, room);
    return GP_OK;
}

static int iterate(work *w, gp_err *err) {
    gp_subspace *s = w->s;
    for (;;) {
        int64_t columns = 0;
        if (choose(w, &columns, err) != GP_OK)
            return err->code;
        if (columns == 0) { /* nothing is outside the basis: its values are exact */
            s->converged = w->count >= s->wanted;
            return GP_OK;
        }
        if (w->count + columns > w->most)
            restart(w, kept_of(s->n, s->wanted));
        memcpy(w->basis + w->count * s->rows, w->next,
               (size_t)(columns * s->rows) * sizeof *w->next);
        if (extend(w, columns, err) != GP_OK || solve(w, err) != GP_OK || s->converged ||
            s->products >= s->most_products)
            return err->code;
    }
}

int gp_subspace_solve(gp_subspace *s, gp_err *err) {
    work w = {.s = s};
    s->products = 0;
    if (work_init(&w, err) == GP_OK && iterate(&w, err) == GP_OK) {
        int64_t found = gp_least(s->wanted, w.count);
        gp_thin_turn(&w.thin, w.basis, w.count, w.ritz, found);
        memcpy(s->vector, w.basis, (size_t)(found * s->rows) * sizeof *s->vector);
    }
    work_free(&w);
    return err->code;
}

void gp_subspace_free(gp_subspace *s) {
    free(s->value);
    free(s->residual);
    free(s->vector);
    s->value = s->residual = s->vector = NULL;
}

int64_t gp_subspace_bytes(int64_t n, int64_t rows, int64_t wanted) {
    int64_t block = gp_subspace_block(n, wanted), most = gp_subspace_most(n, wanted);
    return 8 * (rows * (most + 2 * block + wanted) + 2 * most * most + 2 * most * block +
                gp_units(n, GP_SUBSPACE_ROWS) * most * block);
}
