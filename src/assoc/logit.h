/** Logistic regression of a binary trait on one variant at a time: the null model and the score
 * test of a whole block of variants, from exact integer sums. The full models stand in
 *  src/assoc/logit_fit.h.
 *
 *  S, its covariates x (with the intercept) and the shard are those of gp_logit_rows. The null
 * model is P(y = 1) = mu = 1 / (1 + exp(-offset - x'b)), by maximum likelihood over S; w = mu (1 -
 * mu), r = y - mu. For a variant with calls g let R be the samples of S that are called (missing
 * calls: exact), or S with missing calls as the mean of the called ones. Then, over R, with H = sum
 * of w x x', s = sum of r x (0 over S), a = sum of w g x:
 *
 *      U = sum of r g - a' H^-1 s    V = sum of w g^2 - a' H^-1 a    z = U / V^(1/2)
 *
 *  beta = U / V, se = V^(-1/2): one step of Newton's method from the null model. p is normal's.
 *  Sums over g come from the product across samples, that of g^2 from the same product with the
 *  calls of two copies alone; what missing calls take away from H and s from src/assoc/moments.h.
 */
#ifndef GP_SRC_ASSOC_LOGIT_H
#define GP_SRC_ASSOC_LOGIT_H

#include "src/assoc/logit_rows.h"
#include "src/assoc/result.h"
#include "src/geno/product.h"

/* ---- the null model ---- */

typedef struct gp_logit_null {
    int likelihood_alone; /* in: 1 = firth is not wanted, and becomes beta */
    gp_status status; /* OK, SEPARATION or NO_CONVERGENCE; cases and controls are there for all */
    int64_t cases, controls;
    double loglik;
    double *beta;        /* [c] by maximum likelihood */
    double *information; /* [c x c] at beta, symmetric */
    double *firth;       /* [c] by Firth's penalised likelihood */
} gp_logit_null;

/** Adds integers over the shards, as gp_par_sum does. No adder, or no add: there is one shard. */
typedef struct gp_logit_adder {
    int (*add)(void *context, int64_t *x, int64_t count, gp_err *err);
    void *context;
} gp_logit_adder;

/** Fits it by Newton's method, step by step over the shards of rows, all of which call this and
 *  meet in adder. OpenMP threads share a step.
 *    y, offset  in  [rows->groups x 64]
 *  GP_OK whatever the status; numbers are only there for OK. SEPARATION: there is a direction in
 *  which the likelihood never falls (or a class is empty). null comes zeroed, and is freed in any
 *  case. Where memory fails on one shard all return GP_EFAIL. Log odds are good to 1e-9, Firth's
 *  too. Cost per step: n c^2 / 2; some 6 steps, and as many for Firth's likelihood. */
int gp_logit_null_fit(gp_logit_null *null, const gp_logit_rows *rows, const double *y,
                      const double *offset, const gp_logit_adder *adder, gp_err *err);
void gp_logit_null_free(gp_logit_null *null);

/* ---- the score test ---- */

typedef struct gp_logit gp_logit;

typedef struct gp_logit_input {
    const gp_logit_rows *rows; /* borrowed as long as the model lives; traits may share it */
    const double *y;           /* [groups x 64]; borrowed too */
    int exact;                 /* 1: complete cases; 0: missing calls are the mean */
    int64_t keep;              /* bytes to spend, at most, on what speeds up missing calls */
} gp_logit_input;

/** A model without its null model, which gp_logit_set gives. NULL and an error on failure. */
gp_logit *gp_logit_new(const gp_logit_input *input, gp_err *err);
void gp_logit_free(gp_logit *model);

/** Bytes that a model of n samples in all, so many store samples in the shard, and c columns holds,
 *  but for what it keeps for missing calls (input->keep at most). */
int64_t gp_logit_bytes(int64_t n, int64_t samples, int64_t c, int exact);

/** Takes a null model (borrowed until the next one) and its offset [groups x 64] (borrowed too):
 *  again for each chromosome where offsets differ. OpenMP threads share it. */
int gp_logit_set(gp_logit *model, const gp_logit_null *null, const double *offset, gp_err *err);

/** Integers per variant in a block of sums; and the most that c columns can need. */
int64_t gp_logit_score_width(const gp_logit *model);
int64_t gp_logit_score_widest(int64_t c);

/** This shard's sums for a block of m variants; OpenMP threads share it.
 *    sums  out  [m x gp_logit_score_width] in the model's own order, aligned to 64 bytes;
 *               element-wise addable over shards */
void gp_logit_score_sums(gp_logit *model, const gp_calls *calls, int64_t *sums);

/** Tests chosen variants from a block's sums over all shards; OpenMP threads share it. n, cases,
 *  frequencies are those of R.
 *    chosen  in   [count] numbers of variants in the block, ascending
 *    result  out  of variant chosen[i]: result[i * step]. CONSTANT, ALL_MISSING, COLLINEAR (less
 *                 than 1e-8 of the sum of w (g - mean)^2 is left), FEW_SAMPLES (R has no case, no
 *                 control, or no more samples than columns and the variant). apart = 1 where
 * missing calls go with the trait or its covariates so far that the null model of R is another one,
 * by 0.02 log odds and by what chance explains: the score test then has a wrong variance, and the
 * full models of src/assoc/logit_fit.h but APPROX and SPA are to be trusted. Not looked for with
 * missing calls as the mean */
void gp_logit_score(gp_logit *model, const int64_t *sums, int64_t m, const int64_t *chosen,
                    int64_t count, gp_result *result, int64_t step);

/* ---- for the full models ---- */

/** What is known of a variant at the null model, over R: d = c + 1, the variant last. */
typedef struct gp_logit_start {
    int64_t variant;     /* of the block */
    double missing;      /* what a missing call counts; NaN: it does not */
    double *information; /* [d x d] symmetric */
    int separated; /* the genotype alone separates cases from controls (no case has fewer copies
                      than any control has, or none has more): no maximum of the likelihood */
} gp_logit_start;

/** Reads it from a block's sums.
 *    start  inout  ->information is the caller's room */
void gp_logit_start_at(gp_logit *model, const int64_t *sums, int64_t m, int64_t variant,
                       gp_logit_start *start);

/** The parts that passes need; borrowed. */
const gp_logit_rows *gp_logit_rows_of(const gp_logit *model);
const double *gp_logit_y(const gp_logit *model);
const double *gp_logit_offset(const gp_logit *model);
const gp_logit_null *gp_logit_null_of(const gp_logit *model);
/** [groups x 64] the null model's log odds, by maximum likelihood, and by Firth's. */
const double *gp_logit_odds_of(const gp_logit *model);
const double *gp_logit_firth_odds_of(const gp_logit *model);

#endif
