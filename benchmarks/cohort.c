#include "benchmarks/cohort.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int cohort_init(cohort *c, int64_t n, int64_t m, int64_t block, gp_err *err) {
    int64_t stride = gp_geno_stride(n);
    *c = (cohort){.n = n, .m = m, .block = block, .blocks = (m + block - 1) / block};
    c->rows = gp_mem_alloc(m, stride, err);
    c->piece = gp_mem_alloc(c->blocks, sizeof *c->piece, err);
    for (int64_t b = 0; b < c->blocks && err->code == GP_OK; b++)
        c->piece[b] =
            (gp_piece){.row = c->rows + b * block * stride, .pitch = stride, .samples = n};
    return err->code;
}

/* 0, 1 and 2 copies with shares 1/4, 1/2 and 1/4: a het's low bit comes up half the time, and of
 * the rest the high bit half the time. */
static uint64_t word_of_calls(uint64_t *seed) {
    const uint64_t low = 0x5555555555555555u;
    uint64_t random = bench_bits(seed), het = random & low;
    return het | (random & ~low & ~(het << 1));
}

/* Leaps from one missing call to the next: the lengths are geometric. */
static void lose_calls(uint8_t *row, int64_t n, double missing, uint64_t *seed) {
    double scale = 1 / log1p(-missing);
    for (double i = 0;; i++) {
        i += floor(log((double)((bench_bits(seed) >> 11) + 1) * 0x1p-53) * scale);
        if (!(i < (double)n))
            return;
        gp_geno_set(row, (int64_t)i, GP_GENO_MISSING);
    }
}

static void draw_row(uint8_t *row, int64_t n, double missing, uint64_t seed) {
    int64_t stride = gp_geno_stride(n);
    for (int64_t k = 0; k < stride; k += 8) {
        uint64_t word = word_of_calls(&seed);
        memcpy(row + k, &word, sizeof word);
    }
    if (missing > 0)
        lose_calls(row, n, missing < 1 ? missing : 1 - 0x1p-53, &seed);
    for (int64_t i = n; i < stride * 4; i++)
        gp_geno_set(row, i, 0);
}

void cohort_draw(cohort *c, double missing) {
    int64_t stride = gp_geno_stride(c->n);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < c->m; j++)
        draw_row(c->rows + j * stride, c->n, missing, (uint64_t)j << 32);
}

void cohort_free(cohort *c) {
    free(c->rows);
    free(c->piece);
    *c = (cohort){0};
}

gp_calls cohort_calls(const cohort *c, int64_t b) {
    int64_t left = c->m - b * c->block;
    return (gp_calls){left < c->block ? left : c->block, 1, &c->piece[b]};
}

const uint8_t *cohort_row(const cohort *c, int64_t variant) {
    return c->rows + variant * gp_geno_stride(c->n);
}

double cohort_bytes(const cohort *c) {
    return (double)c->m * (double)gp_geno_stride(c->n);
}
