/** AdamW with decoupled weight decay, and soft thresholds for L1; the schedule of its rate.
 *  Local. Source: Loshchilov and Hutter 2019, arXiv:1711.05101 (algorithm 2); Parikh and Boyd
 *  2014, Foundations and Trends in Optimization 1:127 (proximal step). */
#ifndef GP_SRC_NN_ADAMW_H
#define GP_SRC_NN_ADAMW_H

#include "src/nn/parameters.h"

typedef struct gp_nn_adamw {
    double rate;                  /* of this step */
    double beta1, beta2, epsilon; /* 0.9, 0.999, 1e-8 */
    double decay;                 /* L2: parameters that decay lose rate * decay of themselves */
    double l1;             /* parameters that are sparse move rate * l1 towards 0, and stop there */
    int64_t step;          /* 1 for the first */
    const uint8_t *frozen; /* [tensors of the table] 1 = left as it is; NULL: none */
} gp_nn_adamw;

/** One step for parameters [first, first + count), which may cut tensors anywhere.
 *    gradient   in     [count]
 *    m, v       inout  [count] first and second moments; 0 before the first step
 *    parameter  inout  [count] */
void gp_nn_adamw_step(const gp_nn_adamw *adamw, const gp_nn_table *table, int64_t first,
                      int64_t count, const gp_real *gradient, gp_real *m, gp_real *v,
                      gp_real *parameter);

/** The rate of a step (from 1): linear warm-up to peak over `warmup` steps, then half a cosine
 *  down to 0 at `steps`. */
double gp_nn_rate(double peak, int64_t step, int64_t warmup, int64_t steps);

#endif
