/** Random packed calls for benchmarks, made once, all in memory: blocks of variants, each as
 *  gp_calls of one piece. Allele frequencies are 1/2: every byte that unpacking can meet comes. */
#ifndef GP_BENCHMARKS_COHORT_H
#define GP_BENCHMARKS_COHORT_H

#include "src/base/err.h"
#include "src/geno/calls.h"
#include <stdint.h>

typedef struct cohort {
    int64_t n, m, block, blocks;
    uint8_t *rows;   /* [m x gp_geno_stride(n)] */
    gp_piece *piece; /* [blocks] */
} cohort;

/** Makes room for m variants of n samples; all calls are 0. */
int cohort_init(cohort *c, int64_t n, int64_t m, int64_t block, gp_err *err);

/** Random calls, of which the given share is missing; the same for any number of threads of OpenMP,
 *  which share the work. */
void cohort_draw(cohort *c, double missing);

void cohort_free(cohort *c);

/** Block b: a view. */
gp_calls cohort_calls(const cohort *c, int64_t b);

const uint8_t *cohort_row(const cohort *c, int64_t variant);

/** Bytes of packed calls. */
double cohort_bytes(const cohort *c);

/** 64 random bits; *state is any seed, and moves on. Source: SplitMix64 (Steele et al. 2014,
 *  OOPSLA:453). */
static inline uint64_t bench_bits(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

#endif
