/** Attention: each token takes the mean of all tokens' values, weighed by the softmax of its
 *  query's products with their keys over sqrt(D).
 *
 *  A row of qkv holds the queries of heads 0, 1, ..., then the keys, then the values. Local,
 *  thread-safe. Source: Vaswani et al. 2017, arXiv:1706.03762 (equation 1).
 */
#ifndef GP_SRC_NN_ATTENTION_H
#define GP_SRC_NN_ATTENTION_H

#include "src/nn/engine.h"

typedef struct gp_nn_attention {
    const gp_nn_engine *engine;
    int64_t samples, tokens, channels, heads;
    int causal; /* a token sees itself and those before it */
} gp_nn_attention;

/**    qkv          in   [S x T x 3C]
 *     probability  out  [S x H x T x T] row = the token that attends
 *     mixed        out  [S x T x C] */
void gp_nn_attention_forward(const gp_nn_attention *attention, const gp_real *qkv,
                             gp_real *probability, gp_real *mixed);

/** What the backward pass goes from. */
typedef struct gp_nn_attention_kept {
    const gp_real *qkv, *probability;
} gp_nn_attention_kept;

/**    dmixed   in   [S x T x C]
 *     scratch  out  [T x T]
 *     dqkv     out  [S x T x 3C] */
void gp_nn_attention_backward(const gp_nn_attention *attention, const gp_nn_attention_kept *kept,
                              const gp_real *dmixed, gp_real *scratch, gp_real *dqkv);

#endif
