/** Tokens of patches, straight from packed calls: x W + b, with own weights for each patch, or the
 *  mask token; and the additive path, which takes the same x to the outputs.
 *
 *  x [S x P] are the standardised dosages of a patch's P variants; they are decoded when they are
 *  wanted, forward and backward. Local, thread-safe.
 */
#ifndef GP_SRC_NN_PATCH_H
#define GP_SRC_NN_PATCH_H

#include "src/nn/batch.h"
#include "src/nn/engine.h"
#include "src/nn/shape.h"
#include "src/nn/tensors.h"
#include <stddef.h>

/** One patch of a shard. */
typedef struct gp_nn_patch {
    const gp_nn_engine *engine;
    const gp_nn_shape *shape;
    const gp_nn_batch *batch;
    const gp_nn_tensors *weight;
    const gp_real *level; /* [m x 4] x of the calls 0, 1, 2 and missing */
    int64_t number;
    gp_real *x; /* [S x P] room */
} gp_nn_patch;

/** Variants of a patch, and its first. */
static inline int64_t gp_nn_patch_size(const gp_nn_patch *patch) {
    return patch->shape->first[patch->number + 1] - patch->shape->first[patch->number];
}
static inline int64_t gp_nn_patch_first(const gp_nn_patch *patch) {
    return patch->shape->first[patch->number];
}

/** Whether the mask token stands for it in sample s of the shard. */
static inline int gp_nn_patch_masked(const gp_nn_patch *patch, int64_t s) {
    return patch->batch->masked != NULL &&
           patch->batch->masked[s * patch->shape->patches + patch->number];
}

/** Sets patch->x.
 *    hide  in  1: samples in which the patch is masked get 0 */
void gp_nn_patch_decode(const gp_nn_patch *patch, int hide);

/** After gp_nn_patch_decode with hide, as all below.
 *    token  out  [S x T x C] the patch's token of each sample */
void gp_nn_patch_forward(const gp_nn_patch *patch, gp_real *token);

/**    dtoken    in     [S x T x C]
 *     gradient  inout  the patch's rows of patch.weight and patch.bias are set; to mask.token is
 *                      added */
void gp_nn_patch_gradient(const gp_nn_patch *patch, const gp_real *dtoken,
                          const gp_nn_tensors *gradient);

/** Gradients with respect to x; needs no x. 0 where the patch is masked.
 *    dx  out  [S x m] the patch's columns */
void gp_nn_patch_backward(const gp_nn_patch *patch, const gp_real *dtoken, gp_real *dx);

/** The additive path.
 *    output  inout  [S x p] x . linear is added */
void gp_nn_additive_forward(const gp_nn_patch *patch, gp_real *output);

/**    doutput  in   [S x p]
 *     dlinear  out  [m x p] the patch's rows */
void gp_nn_additive_gradient(const gp_nn_patch *patch, const gp_real *doutput, gp_real *dlinear);

/** Adds the gradients of one trait with respect to x where the patch is not masked.
 *    dx  inout  [S x m] the patch's columns */
void gp_nn_additive_backward(const gp_nn_patch *patch, int64_t trait, gp_real *dx);

#endif
