/** Which variants an output is made of: gradients, integrated gradients, attention rollout.
 *
 *  With x the standardised dosages of a sample (0 = the mean) and y an output:
 *
 *    gradient: slope_j = dy / dx_j at x.
 *
 *    integrated: slope_j = integral of dy / dx_j over the points a x, a from 0 to 1, by so many
 *    points of Gauss and Legendre. slope_j x_j adds up over the variants to y(x) - y(0).
 *
 *    rollout: a token's share is the mean over the tokens that attend of the product over layers of
 *    (A + I) / 2, A being the mean over heads of the attention. A patch's share is spread over its
 *    variants as |x_j| times the length of their embedding weights (evenly where all of that is 0).
 *    It knows neither trait nor sign, nor the linear path.
 *
 *  A variant's attribution is the mean over samples of slope_j, its importance that of |slope_j
 * x_j| (rollout: of its share). Local. Source: Simonyan et al. 2014, arXiv:1312.6034 and Shrikumar
 * et al. 2017, arXiv:1704.02685 (gradient x input); Sundararajan et al. 2017, arXiv:1703.01365
 * (equation 1); Abramowitz and Stegun 1964, 25.4.30 (points and weights); Abnar and Zuidema 2020,
 * arXiv:2005.00928 (section 3).
 */
#ifndef GP_SRC_NN_ATTRIBUTION_H
#define GP_SRC_NN_ATTRIBUTION_H

#include "src/nn/model.h"
#include <omp.h>

/* ---- a shard ---- */

/** What a thread explains shards with. models and model are set before; the rest starts zeroed. */
typedef struct gp_nn_explainer {
    int64_t models;           /* of one shape, whose outputs are averaged */
    const gp_nn_model *model; /* [models] borrowed */
    int64_t samples, steps;   /* steps 0: the gradient at x */
    gp_nn_work *work;
    gp_real *level;              /* [m x 4] of a point between 0 and x */
    gp_real *slope;              /* [S x m] */
    gp_real *dx;                 /* [S x m] */
    double *point, *weight;      /* [steps] of the path; weights add up to 1 */
    double *share, *mix;         /* [T] of one sample */
    double *length;              /* [models x m] of the variants' embedding weights */
    double *effect, *importance; /* [m] sums over a shard's samples */
} gp_nn_explainer;

/** For shards of up to so many samples. Freed in any case. */
int gp_nn_explainer_init(gp_nn_explainer *e, int64_t samples, int64_t steps, gp_err *err);
void gp_nn_explainer_free(gp_nn_explainer *e);

/** Takes a shard: needed before its slopes, trait by trait. */
void gp_nn_explainer_begin(gp_nn_explainer *e, const gp_nn_batch *batch);

/** Slopes of one trait's output: [S x m], valid until the next call. */
const gp_real *gp_nn_explainer_slopes(gp_nn_explainer *e, const gp_nn_batch *batch, int64_t trait);

/** Shares of tokens of one sample of the shard: [T], they add up to 1; valid until the next call.
 */
const double *gp_nn_explainer_rollout(gp_nn_explainer *e, int64_t sample);

/* ---- sums over all samples ---- */

enum {
    GP_NN_LARGEST_SLOPE = 1 << 10, /* and largest contribution, that sums have room for */
    GP_NN_SEGMENTS = 64            /* locks: threads add to different variants side by side */
};

/** Sums as integers: the same whoever adds them, in whatever order. Starts zeroed. */
typedef struct gp_nn_attributions {
    int64_t variants, traits;
    int exponent;                 /* a number x counts as round(x 2^exponent) */
    int64_t *effect, *importance; /* [traits x m] */
    int64_t misfits;              /* sums that were too large, or not finite */
    omp_lock_t lock[GP_NN_SEGMENTS];
    int locks; /* are made */
} gp_nn_attributions;

/** traits 1 will do for rollout.
 *    samples  in  of all ranks */
int gp_nn_attributions_init(gp_nn_attributions *a, int64_t variants, int64_t traits,
                            int64_t samples, gp_err *err);
void gp_nn_attributions_free(gp_nn_attributions *a);

/** Adds a shard's slopes of one trait, or its rollout. Thread-safe. */
void gp_nn_attributions_add(gp_nn_attributions *a, gp_nn_explainer *e, const gp_nn_batch *batch,
                            int64_t trait);
void gp_nn_attributions_add_rollout(gp_nn_attributions *a, gp_nn_explainer *e,
                                    const gp_nn_batch *batch);

#endif
