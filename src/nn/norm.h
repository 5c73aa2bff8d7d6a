/** LayerNorm: each row minus its mean, over its standard deviation, times weight, plus bias.
 *  Local, thread-safe. Source: Ba et al. 2016, arXiv:1607.06450. */
#ifndef GP_SRC_NN_NORM_H
#define GP_SRC_NN_NORM_H

#include "src/nn/real.h"
#include <stdint.h>

typedef struct gp_nn_norm {
    int64_t rows, channels;
    const gp_real *weight, *bias; /* [C] each */
} gp_nn_norm;

/** What the backward pass needs of the forward pass. */
typedef struct gp_nn_norm_kept {
    gp_real *unit;    /* [rows x C] rows before weight and bias: mean 0, deviation 1 */
    gp_real *inverse; /* [rows] 1 / sqrt(variance + 1e-5) */
} gp_nn_norm_kept;

/**    x     in   [rows x C]
 *     kept  out
 *     y     out  [rows x C] */
void gp_nn_norm_forward(const gp_nn_norm *norm, const gp_real *x, const gp_nn_norm_kept *kept,
                        gp_real *y);

/** y once more, from what was kept. */
void gp_nn_norm_again(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *y);

/** Gradients with respect to weight and bias.
 *    dy            in   [rows x C]
 *    dweight, dbias out [C] each */
void gp_nn_norm_gradient(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, const gp_real *dy,
                         gp_real *dweight, gp_real *dbias);

/** Adds the gradients with respect to x.
 *    dy  inout  [rows x C] lost
 *    dx  inout  [rows x C] added to */
void gp_nn_norm_backward(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *dy,
                         gp_real *dx);

#endif
