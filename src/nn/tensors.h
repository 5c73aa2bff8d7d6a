/** Where each tensor of a network lies, by name: in the parameters, or in their gradients.
 *  Private to src/nn; shapes are in src/nn/parameters.h. Local. */
#ifndef GP_SRC_NN_TENSORS_H
#define GP_SRC_NN_TENSORS_H

#include "src/nn/parameters.h"

typedef struct gp_nn_block_tensors {
    gp_real *norm_weight, *norm_bias;
    gp_real *qkv, *out;
    gp_real *up, *up_bias;
    gp_real *down, *down_bias;
} gp_nn_block_tensors;

typedef struct gp_nn_tensors {
    gp_real *norm_weight, *norm_bias;
    gp_real *head, *head_bias;
    gp_real *linear;
    gp_real *decode, *decode_bias; /* NULL without a decoder */
    gp_nn_block_tensors *block;    /* [L] owned */
    gp_real *patch, *patch_bias;
    gp_real *covariate, *covariate_bias;
    gp_real *mask;
} gp_nn_tensors;

/** Looks them up. Comes zeroed; freed in any case.
 *    base  in  [table->parameters] borrowed */
int gp_nn_tensors_init(gp_nn_tensors *tensors, const gp_nn_table *table, gp_real *base,
                       gp_err *err);
void gp_nn_tensors_free(gp_nn_tensors *tensors);

#endif
