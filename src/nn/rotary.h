/** Rotary positions: part of each query and key is turned by its token's position, so that their
 *  products depend on distances alone.
 *
 *  Channel pairs (i, i + rotary / 2) of each head's first `rotary` channels turn by the angle
 *  position * 10000^(-2 i / rotary). Local, thread-safe. Source: Su et al. 2021, arXiv:2104.09864.
 */
#ifndef GP_SRC_NN_ROTARY_H
#define GP_SRC_NN_ROTARY_H

#include "src/nn/real.h"
#include "src/nn/shape.h"

/** Sines and cosines of a network's tokens; covariates' stand at position 0.
 *    cosine, sine  out  [T x rotary / 2] each */
void gp_nn_rotary_tables(const gp_nn_shape *shape, gp_real *cosine, gp_real *sine);

typedef struct gp_nn_rotary {
    int64_t samples, tokens, channels, heads, rotary;
    const gp_real *cosine, *sine;
} gp_nn_rotary;

/** Turns queries and keys, in place.
 *    qkv  inout  [S x T x 3C] */
void gp_nn_rotary_forward(const gp_nn_rotary *rotary, gp_real *qkv);

/** Turns their gradients back.
 *    dqkv  inout  [S x T x 3C] */
void gp_nn_rotary_backward(const gp_nn_rotary *rotary, gp_real *dqkv);

#endif
