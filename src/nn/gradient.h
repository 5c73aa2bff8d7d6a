/** The sum of gradient shards as integers: the same whoever adds them, in whatever order.
 *
 *  The parameters are cut into buckets, which never cross a group (src/nn/parameters.h) and hold
 *  up to GP_NN_BUCKET numbers. A bucket has one exponent e: a gradient g counts as round(g 2^e),
 *  to even in the middle. |g| 2^e must stay below 2^b, b = min(50, 62 - log2 shards) (the
 *  logarithm rounded up): then no sum passes 2^62. Where a shard has a larger number, or one
 *  that is not finite, it is counted, and the step is done again with exponents from what was
 *  met.
 *
 *  Exponents come from the sum of the step before, such that a shard's gradients may be about
 *  2^8 times the largest |sum| / sqrt(shards): what they are if they are noise, and more than
 *  they are if they agree. The largest |mean| of a bucket is then at least 2^(b - 9 -
 *  log2(shards) / 2) units, while it is as large as in the step before, and off by half a unit
 *  at most: 42 significant bits with one shard, 40 with 16, 36 with 4096, 30 with 65536 (a float
 *  has 24). So exponents are a function of the gradients and of `shards`, a property of the
 *  options, and not of ranks.
 *
 *  How a step goes: clear, add every shard's buckets, sum `value` over ranks; if there are
 *  misfits, the maximum of `largest` over ranks, refit, and all again: misfits now mean numbers
 *  that are not finite. Else settle each bucket after it was read (get, squares). Local.
 */
#ifndef GP_SRC_NN_GRADIENT_H
#define GP_SRC_NN_GRADIENT_H

#include "src/base/err.h"
#include "src/nn/parameters.h"

enum { GP_NN_BUCKET = 1 << 18, GP_NN_SHARDS = 1 << 16 /* of a step, at most */ };

typedef struct gp_nn_sum {
    int64_t buckets;
    int64_t *first;        /* [buckets + 1] parameters of bucket b: first[b] to first[b + 1] */
    int64_t *group_bucket; /* [groups + 1] a group's buckets */
    int64_t *value;  /* [first[buckets] + buckets] bucket b begins at first[b] + b; behind its sums
                        stands how many shards did not fit */
    int *exponent;   /* [buckets] */
    double *largest; /* [buckets] largest |g| that this rank met since gp_nn_sum_clear; inf for what
                        is not finite */
    int64_t shards;  /* of a step, at most: all ranks' */
} gp_nn_sum;

/** Cuts buckets and makes room. Exponents begin such that nothing but 0 fits (in float): the
 *  first step is done twice. GP_EINPUT above GP_NN_SHARDS shards. Comes zeroed; freed in any
 *  case. */
int gp_nn_sum_init(gp_nn_sum *sum, const gp_nn_table *table, int64_t shards, gp_err *err);
void gp_nn_sum_free(gp_nn_sum *sum);

void gp_nn_sum_clear(gp_nn_sum *sum);

/** Adds a shard's gradients of one bucket. Not thread-safe for one bucket. Cost: two looks at
 *  each number, in vectors.
 *    gradient  in  [parameters], all of them */
void gp_nn_sum_add(gp_nn_sum *sum, int64_t bucket, const gp_real *gradient);

/** After the sum over all ranks: how many shards did not fit, over all buckets. */
int64_t gp_nn_sum_misfits(const gp_nn_sum *sum);

/** Exponents from the largest numbers that were met (by any rank: the caller has made the
 *  maximum). A bucket that met nothing but 0, or what is not finite, keeps its exponent. */
void gp_nn_sum_refit(gp_nn_sum *sum);

/** The exponent for the next step, from a bucket's sums over all ranks (as they stand: get and
 *  squares come before). A bucket of zeros keeps its exponent. */
void gp_nn_sum_settle(gp_nn_sum *sum, int64_t bucket);

/** The sum of squares of a bucket's gradients, in one fixed order. */
double gp_nn_sum_squares(const gp_nn_sum *sum, int64_t bucket);

/** Gradients of a bucket as numbers, times factor.
 *    to  out  [first[bucket + 1] - first[bucket]] */
void gp_nn_sum_get(const gp_nn_sum *sum, int64_t bucket, double factor, gp_real *to);

#endif
