/** Samples and covariates of binary traits, laid out for passes over them, and exact sums of those
 *  passes: what logistic models are fitted with.
 *
 *  Samples of the pattern S keep the store's places, in groups of 64 as the packed calls have them;
 *  places without a sample of S count nothing. The first column is the intercept (1), the others
 * are covariates; all c of them are independent.
 *
 *  Sums are of doubles, each rounded first to a multiple of a power of two that depends on the
 *  columns alone (the largest size that a term can have, 2^-gp_logit_bits). So they are integers,
 *  exact in any order: the same for any threads, shards and CPUs. Local.
 */
#ifndef GP_SRC_ASSOC_LOGIT_ROWS_H
#define GP_SRC_ASSOC_LOGIT_ROWS_H

#include "src/base/err.h"
#include "src/geno/calls.h"
#include <stdint.h>

typedef struct gp_logit_rows {
    int64_t n;              /* |S|, over all shards */
    int64_t first, samples; /* this shard: store samples [first, first + samples), first % 64 = 0 */
    int64_t groups;         /* of 64 samples */
    int64_t c;              /* columns, with the intercept */
    double *x;              /* [groups x c x 64]; 0 where there is no sample of S */
    int *exponent;          /* [c] |x| <= 2^exponent over all of S */
    uint8_t *mask;          /* [16 groups] the samples of S: see src/geno/count.h */
    int bits;               /* of a term's size that sums keep */
} gp_logit_rows;

typedef struct gp_logit_rows_input {
    int64_t n;              /* |S| */
    const int64_t *sample;  /* [n] their numbers in the store, ascending */
    int64_t covariates;     /* without intercept */
    const double *basis;    /* [covariates x n] from gp_design_basis; it is scaled by sqrt(n) */
    int64_t first, samples; /* this shard */
} gp_logit_rows_input;

/** Borrows nothing. rows comes zeroed, and is freed in any case. */
int gp_logit_rows_init(gp_logit_rows *rows, const gp_logit_rows_input *input, gp_err *err);
void gp_logit_rows_free(gp_logit_rows *rows);

/** Bytes that rows of so many samples and columns hold. */
int64_t gp_logit_rows_bytes(int64_t samples, int64_t c);

/** Puts a column over S into this shard's places; the others are 0.
 *    sample  in   [rows->n] as in the input
 *    value   in   [rows->n]
 *    to      out  [groups x 64] */
void gp_logit_rows_spread(const gp_logit_rows *rows, const int64_t *sample, const double *value,
                          double *to);

/** A pass over all samples of this shard that count: with a variant, those of S whose call is not
 *  missing, or all of S where missing calls have a value. */
typedef struct gp_logit_pass {
    const double *y;       /* [groups x 64] 0 control, 1 case */
    const double *offset;  /* [groups x 64] log odds beside the model's own */
    const gp_calls *calls; /* NULL: no variant; else its samples are this shard's */
    int64_t variant;       /* of calls */
    double missing;        /* what a missing call counts, 0 to 2; NaN: the sample is left out */
    const double *beta;    /* of c columns, then of the variant */
    /* Of gp_logit_pass_all: rows of the inverse of the lower Cholesky factor of the information,
     * [d x d], d = c, with a variant c + 1: gradients are those of Firth's penalised likelihood,
     * sum of (y - mu + h (1/2 - mu)) x, h = w |inverse x|^2 (at most 1), and the information's
     * weights are w (1 + h): minus the gradient's slope with h held. NULL: of the likelihood. */
    const double *inverse;
    /* Of gp_logit_pass_one: the variant is g - gamma'x. */
    const double *gamma; /* [c] */
    double *scratch;     /* [gp_logit_pass_scratch] of this thread */
} gp_logit_pass;

/** Numbers of scratch that a pass takes. */
int64_t gp_logit_pass_scratch(const gp_logit_rows *rows);

/** Integers of gp_logit_pass_all: the log-likelihood; its gradient [d]; the information, the upper
 *  triangle row by row [d (d + 1) / 2]. */
static inline int64_t gp_logit_all_width(int64_t d) {
    return 1 + d + d * (d + 1) / 2;
}

/** Adds up, over groups [first, first + groups) of this shard, what stands above. Log odds are
 *  offset + beta'x + beta_g g.
 *    sums  inout  [gp_logit_all_width(d)], element-wise addable over groups and shards */
void gp_logit_pass_all(const gp_logit_rows *rows, const gp_logit_pass *pass, int64_t first,
                       int64_t groups, int64_t *sums);

/** What such sums are worth, as doubles: value [gp_logit_all_width(d)]. with_variant tells whether
 *  d = c + 1. */
void gp_logit_all_values(const gp_logit_rows *rows, int with_variant, const int64_t *sums,
                         double *value);

/** What rounding leaves of a difference of two log-likelihoods of |S| terms, amply (8 standard
 *  deviations). */
double gp_logit_noise(const gp_logit_rows *rows);

/** The model of one variant alone, log odds offset + beta[0] (g - gamma'x): integers of the sums
 *  of the log-likelihood, (y - mu) v, w v^2 and w (1 - 2 mu) v^3 with v = g - gamma'x. */
enum { GP_LOGIT_ONE_WIDTH = 4 };
void gp_logit_pass_one(const gp_logit_rows *rows, const gp_logit_pass *pass, int64_t first,
                       int64_t groups, int64_t *sums);
void gp_logit_one_values(const gp_logit_rows *rows, const gp_logit_pass *pass, const int64_t *sums,
                         double value[GP_LOGIT_ONE_WIDTH]);

/** Log odds without the variant, offset + beta'x, for all places of this shard.
 * OpenMP threads share it.
 *    to  out  [groups x 64] */
void gp_logit_odds(const gp_logit_rows *rows, const double *offset, const double *beta, double *to);

#endif
