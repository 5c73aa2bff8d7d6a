/** Dropout: numbers become 0 with probability p, and the others grow by 1 / (1 - p).
 *
 *  Which ones is a function of the seed, the step, the sample's number, the place in the network
 *  and the number's place in the sample: it is made anew in the backward pass, never kept. p is a
 *  multiple of 2^-16. Local, thread-safe. Source: Srivastava et al. 2014, JMLR 15:1929.
 */
#ifndef GP_SRC_NN_DROPOUT_H
#define GP_SRC_NN_DROPOUT_H

#include "src/nn/batch.h"

enum { GP_NN_DROPOUT_PURPOSE = 71 }; /* of src/base/rng.h */

typedef struct gp_nn_dropout {
    const gp_nn_batch *batch;
    int64_t size;   /* numbers of a sample */
    uint32_t below; /* of 2^16: a number goes where its 16 bits are below; 0: nothing does */
    gp_real scale;
} gp_nn_dropout;

gp_nn_dropout gp_nn_dropout_of(const gp_nn_batch *batch, int64_t size);

/** Places, for the streams' names. */
static inline uint32_t gp_nn_place_embedding(void) {
    return 0;
}
static inline uint32_t gp_nn_place_attention(int64_t layer) {
    return (uint32_t)(1 + 2 * layer);
}
static inline uint32_t gp_nn_place_mlp(int64_t layer) {
    return (uint32_t)(2 + 2 * layer);
}

/** x with dropout, forward and backward alike.
 *    x     in   [S x size]
 *    room  out  [S x size] where it goes; may be x
 *  Returns room, or x itself where nothing is dropped; room is then left as it is. */
const gp_real *gp_nn_dropped(const gp_nn_dropout *dropout, uint32_t place, const gp_real *x,
                             gp_real *room);

/** Adds x with dropout.
 *    x   in     [S x size]
 *    to  inout  [S x size] */
void gp_nn_drop_onto(const gp_nn_dropout *dropout, uint32_t place, const gp_real *x, gp_real *to);

#endif
