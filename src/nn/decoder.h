/** Prediction of masked patches' genotypes from what the network made of their tokens.
 *
 *  The loss of a sample: half the squared error of the standardised dosages of the called genotypes
 *  in masked patches, over the number of variants in them. Local, thread-safe.
 */
#ifndef GP_SRC_NN_DECODER_H
#define GP_SRC_NN_DECODER_H

#include "src/nn/patch.h"

/** Room; patch.x too is used. */
typedef struct gp_nn_decoder {
    gp_nn_patch patch;    /* number is set by these functions */
    const gp_real *token; /* [S x T x C] after the final LayerNorm */
    gp_real *share;       /* [S] room */
    gp_real *gathered;    /* [S x C] room: tokens of the samples that have the patch masked */
    gp_real *error;       /* [S x P] room, for the longest patch */
} gp_nn_decoder;

/** Returns the sum over samples; 0 without masks. */
double gp_nn_decoder_forward(gp_nn_decoder *decoder);

/** Sets decode.weight's and decode.bias's gradients.
 *    dtoken  inout  [S x T x C] added to */
void gp_nn_decoder_backward(gp_nn_decoder *decoder, gp_real *dtoken, const gp_nn_tensors *gradient);

#endif
