/** The loss of the outputs: half a squared error, or the cross-entropy of a logit. Targets that
 *  are missing (NaN) count nothing. Local, thread-safe. */
#ifndef GP_SRC_NN_LOSS_H
#define GP_SRC_NN_LOSS_H

#include "src/nn/batch.h"
#include "src/nn/shape.h"

/**    output  in  [S x p]
 *  Returns the sum over samples and traits; 0 without targets. */
double gp_nn_loss_forward(const gp_nn_shape *shape, const gp_nn_batch *batch,
                          const gp_real *output);

/**    doutput  out  [S x p] */
void gp_nn_loss_backward(const gp_nn_shape *shape, const gp_nn_batch *batch, const gp_real *output,
                         gp_real *doutput);

#endif
