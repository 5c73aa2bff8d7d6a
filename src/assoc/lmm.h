/** Tests of variants in a linear mixed model y = W a + x b + u + e, on the spectrum of K: exact
 *  (each variant's own ratio of variances by REML) or fixed (the null model's).
 *
 *  Everything that a test needs of a rotated variant x are sums over eigenvalues, s_a(t) = sum_i
 *  x_i a_i / (e^t d_i + 1) for a = the columns of W, the traits, and x itself; t = log(lambda).
 *  They are analytic in t within |Im t| < pi, so that sums at a few Chebyshev points of a
 *  stretch of t give them (and the likelihood) all along it, to rounding. All variants are
 *  summed at the same points: matrix products of a block of variants. One round covers the
 *  surroundings of the null model's t, and the slope at GEMMA's eleven points; further rounds
 *  the few stretches, for the few variants, where that slope says that the likelihood may have a
 *  higher maximum. Shards of eigenvalues add their sums.
 *
 *  Results: beta and se by generalised least squares at the maximum of the restricted likelihood
 *  of the model with x; Wald's test against t with n - c - 1 degrees of freedom (GEMMA -lmm 1).
 *  Sources as in src/assoc/reml.h. Where the likelihood has several maxima, the highest is taken
 *  of those that the slopes at GEMMA's points, and all along the stretches that were looked at,
 *  tell of.
 *
 *  Local; OpenMP threads share a block; their number changes no bit of the sums. BLAS is called
 *  by each of them: it should use one thread itself. Cost of round 0 per variant, exact: 38 (c +
 *  2) products and additions per eigenvalue of the shard for the first trait; each further trait
 *  38, and 16 (c + 1) more where its null model's t is not near another's.
 */
#ifndef GP_SRC_ASSOC_LMM_H
#define GP_SRC_ASSOC_LMM_H

#include "src/assoc/reml.h"
#include "src/assoc/result.h"

typedef struct gp_lmm_input {
    int64_t n, c, p;     /* samples; fixed effects; traits */
    const double *value; /* [n] cleaned eigenvalues */
    const double *w, *y; /* [c x n], [p x n] rotated; w's first is the intercept */
    const int64_t *mine; /* [columns] this shard's eigenvalues (0 to n - 1): x's columns */
    int64_t columns;
    int exact; /* 0: the null model's ratio for every variant */
} gp_lmm_input;

typedef struct gp_lmm gp_lmm;

/** Fits the null models, and makes the tables of the points. Borrows nothing. NULL and an error
 *  on failure (GP_EINPUT as in gp_reml_fit, the trait being named by its number from 1 on:
 *  "trait 2: ..."). */
gp_lmm *gp_lmm_new(const gp_lmm_input *input, gp_err *err);
void gp_lmm_free(gp_lmm *model);

/** The null model of a trait. */
const gp_reml *gp_lmm_null(const gp_lmm *model, int64_t trait);

/** Bytes that a model and a batch of `most` variants hold. */
int64_t gp_lmm_bytes(const gp_lmm_input *input, int64_t most);

/** Scratch for a block of up to `most` variants. */
typedef struct gp_lmm_batch gp_lmm_batch;
gp_lmm_batch *gp_lmm_batch_new(const gp_lmm *model, int64_t most, gp_err *err);
void gp_lmm_batch_free(gp_lmm_batch *batch);

/** What is known of a variant beside x. */
typedef struct gp_lmm_site {
    int64_t called;   /* samples in use that are called */
    double frequency; /* of the effect allele among them */
    int constant;     /* all calls alike: status CONSTANT (or ALL_MISSING where none is called) */
} gp_lmm_site;

/** Begins with m variants; site [m] is borrowed until gp_lmm_results. Then, until gp_lmm_width
 *  is 0: gp_lmm_sum, add over the shards, gp_lmm_take. Every shard comes to the same widths,
 *  since what it takes is the same, bit by bit. */
void gp_lmm_begin(gp_lmm_batch *batch, const gp_lmm_site *site, int64_t m);

/** Doubles to be summed in this round; 0 = no more rounds. */
int64_t gp_lmm_width(const gp_lmm_batch *batch);

/** This shard's part of the sums.
 *    x     in   [m x columns] rotated variants
 *    sums  out  [gp_lmm_width] */
void gp_lmm_sum(gp_lmm_batch *batch, const double *x, double *sums);

/** Takes the sums over all shards. */
void gp_lmm_take(gp_lmm_batch *batch, const double *sums);

/** Results of all variants. COLLINEAR where W determines x (less than 1e-8 of x's centred length
 *  is left, squared); result.n is n.
 *    result  out  [m x p] row-major */
void gp_lmm_results(const gp_lmm_batch *batch, gp_result *result);

/** lambda = vg / ve at which a variant was tested; NaN where it has no number. */
double gp_lmm_ratio(const gp_lmm_batch *batch, int64_t variant, int64_t trait);

#endif
