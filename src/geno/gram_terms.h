/** A step of variants as the terms of a relationship matrix: integers, and bytes for tiles. Private
 *  to src/geno/gram*.c.
 *
 *  Let h be the copies of the rarer allele (by the given mean, so mu <= 1), 0 where the call is
 *  missing, d = 1 where it is missing and 0 elsewhere; W, A, B the integers round(w 2^e), W mu and
 *  W mu^2. With sample a on the weighted side a variant adds
 *
 *    calls    R_a h_b   R = -W, 0, W for 0, 1, 2 copies, R' = A' - W where missing (imputed)
 *    missing  T_a d_b   T = -B, A - B, 2 A - B, 0
 *    alone    -(A h_a + B d_a) + (W - A) h_b + B
 *
 *  which is W (h_a - mu) (h_b - mu) where both are called, and 0 else, but for the roundings of
 *  R' and T. R and T are whole multiples of 2^shift with few digits; variants are sorted by shift,
 *  so that a run of one shift is summed as it is and shifted once.
 *
 *  With plan->digits = 3, R is 2^shift s V: a scale s of 1 to 127, and a V (and V' for R') that two
 *  digits hold. A kernel with any_left multiplies s h_b by the two digits of V; another one h_b by
 *  the three digits of s V. Both give the same integers.
 */
#ifndef GP_SRC_GENO_GRAM_TERMS_H
#define GP_SRC_GENO_GRAM_TERMS_H

#include "src/geno/gram.h"
#include "src/geno/kernel.h"

enum {
    GP_GRAM_DIGITS = 4, /* at most */
    GP_GRAM_RUNS = 16,  /* shifts are 0, or at least 3 bits apart and below 41 */
    GP_GRAM_TILES = GP_GRAM_STEP / GP_TILE_TERMS + GP_GRAM_RUNS,
    GP_GRAM_WIDE = 8 /* digits of an int64 */
};

typedef struct gp_gram_run {
    int shift;
    int64_t tile, tiles;
} gp_gram_run;

/** A variant's values for calls 0, 1, 2 and missing, in units of 2^shift scale. */
typedef struct gp_gram_values {
    int shift, scale;
    int32_t call[4];
} gp_gram_values;

typedef struct gp_gram_variant {
    int flipped; /* the rarer allele is REF */
    double mean; /* of the rarer allele */
    int64_t w, a, b;
    gp_gram_values calls, missing;
} gp_gram_variant;

/** One product: its variants in order, 64 to a tile, and the bytes for their calls. */
typedef struct gp_gram_factor {
    int digits, runs;
    int64_t tiles;
    gp_gram_run run[GP_GRAM_RUNS];
    int32_t lines[GP_GRAM_TILES];                  /* variants of a tile, 1 to 64 */
    int32_t variant[GP_GRAM_TILES][GP_TILE_TERMS]; /* counted from the step's first */
    _Alignas(16) uint8_t left[GP_GRAM_TILES][GP_TILE_TERMS][4];
    _Alignas(16) uint8_t right[GP_GRAM_DIGITS][GP_GRAM_TILES][GP_TILE_TERMS][4];
} gp_gram_factor;

typedef struct gp_gram_terms {
    int any_left; /* whether the kernel has it; set before the rest is made */
    int64_t m;
    gp_gram_factor calls, missing;
    _Alignas(16) uint8_t copies[GP_GRAM_TILES][GP_TILE_TERMS][4]; /* h, in the order of calls */
    gp_gram_variant variant[GP_GRAM_STEP];                        /* 0 where the weight is 0 */
    int64_t all;                                                  /* sum of B, modulo 2^64 */
} gp_gram_terms;

/** Digits that a kernel multiplies for the calls. */
int gp_gram_terms_digits(const gp_gram_plan *plan, int any_left);

/** Makes the terms of variants [first, first + m), m <= GP_GRAM_STEP, of a block that was checked.
 *    has_missing  in  [m] whether any sample of range b is missing */
void gp_gram_terms_set(gp_gram_terms *terms, const gp_gram_plan *plan, const gp_gram_block *block,
                       int64_t first, int64_t m, const uint8_t *has_missing);

#endif
