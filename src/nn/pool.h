/** Pooling: the mean of a sample's tokens. Local, thread-safe. */
#ifndef GP_SRC_NN_POOL_H
#define GP_SRC_NN_POOL_H

#include "src/nn/real.h"
#include <stdint.h>

typedef struct gp_nn_pool {
    int64_t samples, tokens, channels;
} gp_nn_pool;

/**    x  in   [S x T x C]
 *     y  out  [S x C] */
void gp_nn_pool_forward(const gp_nn_pool *pool, const gp_real *x, gp_real *y);

/**    dy  in   [S x C]
 *     dx  out  [S x T x C] */
void gp_nn_pool_backward(const gp_nn_pool *pool, const gp_real *dy, gp_real *dx);

#endif
