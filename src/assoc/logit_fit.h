/** The full models of chosen variants: logistic regression by maximum likelihood (Wald's test), by
 *  Firth's penalised likelihood, and the saddlepoint approximation of the score's distribution.
 *
 *  A batch of variants goes through rounds of sums over all samples; shards add their sums, and
 *  every shard then takes the same step. Sums are exact integers (src/assoc/logit_rows.h).
 *
 *    WALD    Newton's method on the likelihood; z = beta / se. SEPARATION where there is none.
 *    FIRTH   maximum of l + log|I| / 2 over all d coefficients; se from I at the maximum; p from
 *            twice the difference to the maximum with beta_g = 0 (the penalty is that of all d).
 *            Source: Firth 1993, Biometrika 80:27; Heinze & Schemper 2002, Stat Med 21:2409.
 *    APPROX  the same for the variant alone: g less its projection on the covariates (weighted by
 *            w), the covariates' effects held at those of the null model by Firth's likelihood, as
 *            an offset. Source: Mbatchou et al. 2021, Nat Genet 53:1097.
 *    SPA     p of the score from its cumulant generating function given the null model, two tails,
 *            each by Barndorff-Nielsen's formula; beta as the score test has it, se = |beta| /
 *            z. Source: Dey et al. 2017, Am J Hum Genet 101:37.
 *
 *  statistic is the signed normal deviate of which p is the two-sided probability (WALD: z itself).
 *  NO_CONVERGENCE where rounds run out. Local; OpenMP threads share a round.
 */
#ifndef GP_SRC_ASSOC_LOGIT_FIT_H
#define GP_SRC_ASSOC_LOGIT_FIT_H

#include "src/assoc/logit.h"

typedef enum gp_logit_kind {
    GP_LOGIT_WALD,
    GP_LOGIT_FIRTH,
    GP_LOGIT_APPROX,
    GP_LOGIT_SPA
} gp_logit_kind;

enum { GP_LOGIT_BATCH = 128 /* variants at once, at most */ };

/** Room for batches of a kind; for APPROX and SPA the room of WALD or FIRTH does too. Of any model
 *  with its null model and c columns. */
typedef struct gp_logit_batch gp_logit_batch;
gp_logit_batch *gp_logit_batch_new(int64_t c, gp_logit_kind kind, gp_err *err);
void gp_logit_batch_free(gp_logit_batch *batch);
int64_t gp_logit_batch_bytes(int64_t c, gp_logit_kind kind);

/** Most integers of a round. */
int64_t gp_logit_batch_widest(int64_t c);

/** Begins with up to GP_LOGIT_BATCH variants of a block whose score tests are OK; all borrowed
 * until gp_logit_batch_width is 0. Then, until it is: gp_logit_batch_sum, add over the shards,
 *  gp_logit_batch_take.
 *    sums     in     the block's, over all shards [m variants]
 *    chosen   in     [count] numbers of variants in the block
 *    result   inout  [count] of each, borrowed: the score test's; becomes the full model's */
void gp_logit_batch_begin(gp_logit_batch *batch, gp_logit *model, gp_logit_kind kind,
                          const gp_calls *calls, const int64_t *sums, int64_t m,
                          const int64_t *chosen, int64_t count, gp_result *const *result);

/** Integers to be summed in this round; 0 = all variants have their results. */
int64_t gp_logit_batch_width(const gp_logit_batch *batch);

/** This shard's part. sums  out  [gp_logit_batch_width] */
void gp_logit_batch_sum(gp_logit_batch *batch, int64_t *sums);

/** Takes the sums over all shards. */
void gp_logit_batch_take(gp_logit_batch *batch, const int64_t *sums);

#endif
