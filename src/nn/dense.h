/** A matrix and perhaps a bias: y = x W' + b. Local, thread-safe. */
#ifndef GP_SRC_NN_DENSE_H
#define GP_SRC_NN_DENSE_H

#include "src/nn/engine.h"

typedef struct gp_nn_dense {
    const gp_nn_engine *engine;
    int64_t rows, in, out;
    const gp_real *weight; /* [out x in] */
    const gp_real *bias;   /* [out], or NULL: 0 */
} gp_nn_dense;

/**    x  in   [rows x in]
 *     y  out  [rows x out] */
void gp_nn_dense_forward(const gp_nn_dense *dense, const gp_real *x, gp_real *y);

/** Gradients with respect to x.
 *    dy    in   [rows x out]
 *    keep  in   1: dx is added to
 *    dx    out  [rows x in] */
void gp_nn_dense_backward(const gp_nn_dense *dense, const gp_real *dy, int keep, gp_real *dx);

/** Gradients with respect to weight and bias.
 *    dweight  out  [out x in]
 *    dbias    out  [out]; not looked at where there is no bias */
void gp_nn_dense_gradient(const gp_nn_dense *dense, const gp_real *dy, const gp_real *x,
                          gp_real *dweight, gp_real *dbias);

#endif
