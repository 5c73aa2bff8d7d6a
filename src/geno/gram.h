/** Blocks of a genomic relationship matrix, exact in integers.
 *
 *    K[b][a] = sum over variants j of w_j (g_ja - mu_j) (g_jb - mu_j)
 *
 *  over the variants that both samples are called at: a missing call counts as the variant's mean
 *  mu_j, and adds 0. w_j = 1 gives the centred form, w_j = gp_gram_weight(mu_j) the standardised
 *  one; division by the number of variants is the caller's. Sources: Yang et al. 2011, Am J Hum
 *  Genet 88:76 (A_jk); Zhou and Stephens 2012, Nat Genet 44:821 (the centred form).
 *
 *  K is kept as int64 in units of 2^-exponent, one exponent for the whole matrix. What a variant
 *  adds to a pair of samples depends on its own mean, weight and two calls only, so the integers
 *  are the same for any cut into blocks of samples or of variants, in any order, on any kernel
 *  (src/geno/kernel.h) and threads; sums of blocks of variants add up exactly, and what was added
 *  can be subtracted again (a chromosome left out).
 *
 *  Error. With 3 digits a weight is an integer of 1 to 127 times an integer of 15 bits, in units of
 *  2^-16 if it lies in (6.97, 55.7]; 8 times as much for each factor of 8 above that, or less
 *  below. The best of 32 such products is taken: off by 1.1e-6 of the weight (root mean square),
 *  and never by more than 1e-5 (the largest among all weights half a unit apart); weights of 1 and
 *  2 are met. With 4 digits it is a whole number of units of 2^-25 if it lies in (1.99, 63], 32
 *  times as much for each factor of 32, and off by at most 8e-9. So K is the relationship matrix of
 *  weights with that relative error; and, by the inequality of Cauchy and Schwarz, |error of K_ab|
 *  <= 1e-5 sqrt(K_aa K_bb). The errors of m variants mostly cancel: K / m, standardised, is
 *  typically off by about 1.1e-6 / sqrt(m), and among 10^8 pairs by six times that (3e-8 for
 *  m = 50,000); a sample with itself by sqrt(mean weight) times as much. Missing calls add, with 3
 *  digits, about 5e-5 sqrt(f / m) where a share f is missing, and with weights of up to 55.7 never
 *  more than 2^-8 f: their terms have units of 2^-13, and imputed calls the weight's unit times up
 *  to 127. Below GP_GRAM_FEW variants 4 digits are taken: 4.3e-9 / sqrt(m), and 1.4e-7 sqrt(f / m),
 *  at most 2^-21 f. The mean's part is rounded to units of 2^-exponent, 2.5 of them at most for
 *  each variant; no other unit is finer. The exponent is 38 for 50,000 variants of frequency
 *  0.01 or more, and 17 for 10^7 variants with single copies among 500,000 samples.
 *
 *  Bounds. |K| <= 4 variants most_weight < 2^62 units, which leaves one bit for all roundings;
 *  sums on the way wrap modulo 2^64, which does no harm. A kernel's int32 sum of GP_GRAM_STEP terms
 *  of up to 254 * 128 is below 2^27 (two such digits are joined in int64); of up to 256 at most
 *  2^20, and two of 3 or 4 digits joined in int32 are below 2^29.
 */
#ifndef GP_SRC_GENO_GRAM_H
#define GP_SRC_GENO_GRAM_H

#include "src/base/err.h"
#include "src/geno/calls.h"
#include <stdint.h>

enum {
    GP_GRAM_FEW = 4096,  /* variants, below which a digit more costs little and is needed */
    GP_GRAM_STEP = 4096, /* variants that are multiplied at a time; a block may have more */
    GP_GRAM_GROUP = 64   /* samples: ranges of samples begin at multiples of it */
};

/** How numbers become integers: the same for all blocks, ranks and runs of one matrix. */
typedef struct gp_gram_plan {
    int64_t variants;   /* of the whole matrix, at most */
    double most_weight; /* of any variant, but for a relative 2^-20 */
    int exponent;
    int digits; /* precision of weights: 3 or 4 digits of 8 bits, as told above */
} gp_gram_plan;

/** Plans a matrix of so many variants with weights of at most most_weight. With a smallest allele
 *  frequency f, that is gp_gram_weight(2 f); without, gp_gram_weight(1 / called samples).
 *  GP_EINPUT where the sums would not fit (4 variants most_weight > 2^46), or most_weight is not
 *  above 0. */
int gp_gram_plan_init(gp_gram_plan *plan, int64_t variants, double most_weight, gp_err *err);

/** The weight 1 / (2 p (1 - p)) of a variant with mean 2 p; 0 where the variant is constant or
 *  nowhere called (the mean is 0, 2 or NaN): it then adds nothing. */
double gp_gram_weight(double mean);

/** K in the plan's units, as a double. */
double gp_gram_value(const gp_gram_plan *plan, int64_t sum);

/** What is added to what. */
typedef struct gp_gram_block {
    const gp_calls *calls; /* of a block of variants, over the samples of the shard */
    const double *mean;    /* [calls->m] mean dosage of ALT, 0 to 2; not read where weight is 0 */
    const double *weight;  /* [calls->m] finite, >= 0; 0: the variant does not count */
    /* Ranges of samples [first, first + count), counted as in calls; first is a multiple of
     * GP_GRAM_GROUP. Either b is a, or all of b comes after a. */
    int64_t a_first, a_count, b_first, b_count;
    int64_t *sums; /* [b_count x a_count], rows of pitch integers; where b is a, only elements on
                    * and below the diagonal are touched */
    int64_t pitch;
} gp_gram_block;

/** Scratch for a plan: 12 MiB, and 3.5 MiB for each of OpenMP's threads at the time of its making.
 *  One gp_gram_add at a time. */
typedef struct gp_gram gp_gram;

/** Multiply-adds for each variant and pair of samples without missing calls: as many as digits, but
 *  2 for 3 digits on a kernel that takes all bytes on both sides (avx512, amx). */
int gp_gram_planes(const gp_gram *gram);

/** Room for ranges of up to most_samples samples (16 bytes each). NULL and an error where memory
 *  is refused. */
gp_gram *gp_gram_new(const gp_gram_plan *plan, int64_t most_samples, gp_err *err);
void gp_gram_free(gp_gram *gram);

/** Adds a block of variants to a block of the matrix. OpenMP threads share it. GP_EINPUT, and
 *  nothing added, where a weight or the variants are not within the plan, a counting variant's mean
 *  is not within 0 to 2, or the ranges are not as told. Fastest with blocks of a multiple of
 *  GP_GRAM_STEP variants: the matrix is read and written once for each step.
 *  Cost: m * pairs * (gp_gram_planes + (digits - 1 for variants with missing calls))
 *  multiply-adds. */
int gp_gram_add(gp_gram *gram, const gp_gram_block *block, gp_err *err);

#endif
