/** A cohort in memory and the linear model's results for it: what the tests of regression share.
 * Include cmocka.h first.
 */
#ifndef GP_TESTS_SUPPORT_COHORT_H
#define GP_TESTS_SUPPORT_COHORT_H

#include "src/assoc/design.h"
#include "src/assoc/linear.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include <stdlib.h>
#include <string.h>

typedef struct cohort {
    int64_t n, m, c, p; /* samples of the store, variants, covariates, traits */
    int64_t stride;
    uint8_t *rows;   /* [m x stride] */
    double *x;       /* [c x n] covariates, without intercept */
    double *y;       /* [p x n] traits */
    int64_t used;    /* |S| */
    int64_t *sample; /* [used] S, ascending */
} cohort;

static inline void *cohort_room(int64_t count, size_t size) {
    gp_err err = {0};
    void *room = gp_mem_alloc(count, (int64_t)size, &err);
    assert_non_null(room);
    return room;
}

/** All calls 0, all numbers 0, every sample used. */
static inline cohort cohort_new(int64_t n, int64_t m, int64_t c, int64_t p) {
    cohort h = {.n = n, .m = m, .c = c, .p = p, .stride = gp_geno_stride(n), .used = n};
    h.rows = cohort_room(m * h.stride, 1);
    h.x = cohort_room(c * n, sizeof *h.x);
    h.y = cohort_room(p * n, sizeof *h.y);
    h.sample = cohort_room(n, sizeof *h.sample);
    for (int64_t i = 0; i < n; i++)
        h.sample[i] = i;
    return h;
}

static inline void cohort_free(cohort *h) {
    free(h->rows);
    free(h->x);
    free(h->y);
    free(h->sample);
    *h = (cohort){0};
}

static inline int cohort_call(const cohort *h, int64_t variant, int64_t sample) {
    return gp_geno_get(h->rows + variant * h->stride, sample);
}

/** Column x of the store's samples, those in use only. */
static inline void cohort_pick(const cohort *h, const double *x, double *to) {
    for (int64_t i = 0; i < h->used; i++)
        to[i] = x[h->sample[i]];
}

/** The dense part of a model: made once, shared by its shards. */
typedef struct cohort_design {
    double *basis, *residual, *length;
    int64_t rank;
} cohort_design;

static inline cohort_design cohort_prepare(const cohort *h) {
    cohort_design d = {.basis = cohort_room(h->c * h->used, sizeof(double)),
                       .residual = cohort_room(h->p * h->used, sizeof(double)),
                       .length = cohort_room(h->p, sizeof(double))};
    uint8_t *kept = cohort_room(h->c, 1);
    for (int64_t j = 0; j < h->c; j++)
        cohort_pick(h, h->x + j * h->n, d.basis + j * h->used);
    d.rank = gp_design_basis(d.basis, h->used, h->c, kept);
    for (int64_t t = 0; t < h->p; t++) {
        double *y = d.residual + t * h->used;
        cohort_pick(h, h->y + t * h->n, y);
        d.length[t] = gp_design_residual(d.basis, h->used, d.rank, y);
    }
    free(kept);
    return d;
}

static inline void cohort_design_free(cohort_design *d) {
    free(d->basis);
    free(d->residual);
    free(d->length);
    *d = (cohort_design){0};
}

/** What gp_linear_init needs for part shard of shards. */
static inline gp_linear_input cohort_input(const cohort *h, const cohort_design *d, int exact,
                                           int64_t shards, int64_t shard) {
    int64_t first = gp_split_begin(h->n, GP_GENO_GROUP, shards, shard);
    return (gp_linear_input){.n = h->used,
                             .sample = h->sample,
                             .covariates = d->rank,
                             .traits = h->p,
                             .basis = d->basis,
                             .residual = d->residual,
                             .length = d->length,
                             .first = first,
                             .samples =
                                 gp_split_begin(h->n, GP_GENO_GROUP, shards, shard + 1) - first,
                             .exact = exact};
}

/** The calls of one shard, cut into up to COHORT_PIECES pieces of a few groups of 64 samples. */
enum { COHORT_PIECES = 3 };
typedef struct cohort_calls {
    gp_calls calls;
    gp_piece piece[COHORT_PIECES];
} cohort_calls;

/** Views of the cohort's rows; c stays where it is while they are in use. */
static inline void cohort_view(const cohort *h, int64_t first, int64_t samples, cohort_calls *c) {
    c->calls = (gp_calls){.m = h->m, .piece = c->piece};
    for (int64_t k = 0; k < COHORT_PIECES; k++) {
        int64_t from = gp_split_begin(samples, GP_GENO_GROUP, COHORT_PIECES, k),
                to = gp_split_begin(samples, GP_GENO_GROUP, COHORT_PIECES, k + 1);
        if (to > from)
            c->piece[c->calls.pieces++] =
                (gp_piece){h->rows + (first + from) / 4, h->stride, from, to - from};
    }
}

/** Tests all variants, the samples cut into shards whose sums are added.
 *    result  out  [m x p]
 *  Returns the sums [m x width]; free() them. */
static inline int64_t *cohort_test(const cohort *h, int exact, int64_t shards, gp_result *result) {
    cohort_design d = cohort_prepare(h);
    int64_t *total = NULL, cells = 0, *all = cohort_room(h->m, sizeof *all);
    for (int64_t j = 0; j < h->m; j++)
        all[j] = j;
    for (int64_t s = 0; s < shards; s++) {
        gp_err err = {0};
        gp_linear model = {0};
        cohort_calls c;
        gp_linear_input in = cohort_input(h, &d, exact, shards, s);
        assert_int_equal(gp_linear_init(&model, &in, &err), GP_OK);
        cells = h->m * gp_linear_sums_width(&model);
        if (total == NULL)
            total = cohort_room(cells, sizeof *total);
        int64_t *sums = cohort_room(cells, sizeof *sums);
        memset(sums, 0x55, (size_t)cells * sizeof *sums); /* all of it has to be written */
        cohort_view(h, in.first, in.samples, &c);
        gp_linear_sums(&model, &c.calls, sums);
        for (int64_t k = 0; k < cells; k++)
            total[k] += sums[k];
        free(sums);
        if (s == shards - 1)
            gp_linear_test(&model, total, h->m, all, h->m, result);
        gp_linear_free(&model);
    }
    free(all);
    cohort_design_free(&d);
    return total;
}

/** Whether two results are the same to the bit, NaN included. */
static inline int cohort_same(const gp_result *a, const gp_result *b) {
    const double *v[2][5] = {{&a->frequency, &a->beta, &a->se, &a->statistic, &a->neglog10p},
                             {&b->frequency, &b->beta, &b->se, &b->statistic, &b->neglog10p}};
    for (int k = 0; k < 5; k++)
        if (memcmp(v[0][k], v[1][k], sizeof(double)) != 0)
            return 0;
    return a->status == b->status && a->n == b->n;
}

#endif
