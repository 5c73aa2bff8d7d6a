/** The Gaussian error linear unit, in its tanh form. Local, thread-safe.
 *  Source: Hendrycks and Gimpel 2016, arXiv:1606.08415. */
#ifndef GP_SRC_NN_GELU_H
#define GP_SRC_NN_GELU_H

#include "src/nn/real.h"
#include <stdint.h>

/**    x, y  in, out  [n] */
void gp_nn_gelu_forward(int64_t n, const gp_real *x, gp_real *y);

/** Makes y once more, on the way.
 *    x  in     [n]
 *    d  inout  [n] gradients with respect to y become those with respect to x
 *    y  out    [n] */
void gp_nn_gelu_backward(int64_t n, const gp_real *x, gp_real *d, gp_real *y);

#endif
