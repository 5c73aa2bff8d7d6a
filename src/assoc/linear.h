/** Linear regression of traits on one variant at a time, with covariates, from exact integer sums.
 *
 *  A model serves the traits that share one set S of samples with phenotype and covariates. For a
 *  variant with calls g let R be the samples of S that are called, Q the orthonormal centred
 *  covariates [c] and y the residual traits [p], of unit length over S. With everything centred
 *  within R, ordinary least squares needs the sums Sgg, SgQ, Sgy, SQQ, SQy, Syy. The first three
 *  come from counts and from the product across samples; the last three are 1, 0 and 1 over S,
 *  minus sums over the few samples of S that are missing. All are integers: shards of samples may
 *  be added in any order. Then, with SQQ = L L',
 *
 *      w = L^-1 SQg    z = L^-1 SQy    gg = Sgg - w'w    gy = Sgy - w'z    yy = Syy - z'z
 *      beta = gy / gg    se^2 = (yy - gy^2 / gg) / df / gg    df = |R| - rank(SQQ) - 2
 *
 *  That is least squares on complete cases (--missing exact). With --missing mean, missing calls
 *  are the mean of the called ones: Sgg, SgQ, Sgy are the same, the others are those over S, and
 *  |S| takes the place of |R|. Source: Frisch & Waugh 1933, Econometrica 1:387.
 *
 *  Accuracy: columns are good to 2^-49 of their largest value in cohorts of up to 8192 samples, to
 *  2^-42 above. Against least squares in double precision, beta (relative to the larger of |beta|
 *  and se) and se are good to 1e-9; to that rounding over the share that is left where a variant's
 *  missing samples take nearly all of a covariate's, or a trait's, variance away.
 */
#ifndef GP_SRC_ASSOC_LINEAR_H
#define GP_SRC_ASSOC_LINEAR_H

#include "src/assoc/moments.h"
#include "src/assoc/result.h"
#include "src/base/err.h"
#include "src/geno/product.h"
#include <stdint.h>

/** What a model is made of. All columns run over the n samples of S in store order. */
typedef struct gp_linear_input {
    int64_t n;              /* |S| */
    const int64_t *sample;  /* [n] their numbers in the store, ascending */
    int64_t covariates;     /* c, without intercept */
    int64_t traits;         /* p */
    const double *basis;    /* [c x n] from gp_design_basis */
    const double *residual; /* [p x n] from gp_design_residual */
    const double *length;   /* [p] from gp_design_residual: the unit of beta */
    int64_t first, samples; /* this shard: store samples [first, first + samples), first % 64 = 0 */
    int exact;              /* 1: complete cases; 0: missing calls are the mean */
    int64_t keep;           /* bytes to spend, at most, on what speeds up missing calls */
} gp_linear_input;

typedef struct gp_linear {
    int64_t n, c, p;
    int exact, threads;
    int bits;     /* of the fixed point */
    gp_operand y; /* [shard x (c + p)]: basis, then residuals */
    gp_product *product;
    gp_moments moments;
    uint8_t *mask;  /* [stride of the shard] the samples of S in it */
    int64_t *total; /* [c + p] sum of each column over all of S */
    double *length; /* [p] */
    double *unit;   /* [moments] what a sum of 1 is worth, of columns and of their products */
    int64_t scratch_size;
    double *scratch; /* [threads x scratch_size] */
} gp_linear;

/** Quantises the columns and makes room for everything; borrows nothing of input. The model comes
 *  zeroed, is freed in any case, and points into itself: it may not be copied or moved. */
int gp_linear_init(gp_linear *model, const gp_linear_input *input, gp_err *err);
void gp_linear_free(gp_linear *model);

/** A residual trait in fixed point, ready to take the place of another. */
typedef struct gp_linear_column {
    int64_t *value; /* [samples of the shard] 0 outside S */
    int64_t total;  /* over all of S */
    double length;  /* as in gp_linear_input; 0: there is nothing to test */
    int exponent;
} gp_linear_column;

/** Quantises a residual for models of this input. The column comes zeroed, is freed in any case,
 *  and borrows nothing.
 *    in        in  n, sample, first and samples count
 *    residual  in  [n], of length `length` before it was scaled to 1 */
int gp_linear_column_init(gp_linear_column *column, const gp_linear_input *in,
                          const double *residual, double length, gp_err *err);
void gp_linear_column_free(gp_linear_column *column);

/** Bytes that a column of a shard of so many samples holds. */
int64_t gp_linear_column_bytes(int64_t samples);

/** Replaces traits: from now on the model is what it would be if it had been made of these. OpenMP
 *  threads share it.
 *    column  in  [p] NULL: that trait stays. Of the same S and shard; copied */
void gp_linear_exchange(gp_linear *model, const gp_linear_column *const *column);

/** Integers per variant in a block of sums. */
int64_t gp_linear_sums_width(const gp_linear *model);

/** The same, before there is a model: the most that so many covariates and traits can need. */
int64_t gp_linear_sums_widest(int64_t covariates, int64_t traits);

/** Bytes that a model holds, but for small change. */
int64_t gp_linear_bytes(const gp_linear *model);

/** This shard's sums for a block of m variants; OpenMP threads share it.
 *    calls  in   of m variants and the samples of the shard
 *    sums   out  [m x gp_linear_sums_width] in the model's own order, aligned to 64 bytes;
 *                element-wise addable over shards */
void gp_linear_sums(gp_linear *model, const gp_calls *calls, int64_t *sums);

/** Tests chosen variants of a block from its sums over all shards; OpenMP threads share it.
 *    sums    in   [m x gp_linear_sums_width] of all m variants
 *    chosen  in   [count] numbers of variants in the block, ascending
 *    result  out  [count x p] row-major */
void gp_linear_test(gp_linear *model, const int64_t *sums, int64_t m, const int64_t *chosen,
                    int64_t count, gp_result *result);

#endif
