/** GPT-J's block: one LayerNorm feeds attention and MLP, and both are added to the stream.
 *
 *    h = norm(e);  e += dropout(out . attention(rotary(qkv . h))) + dropout(down . gelu(up . h))
 *
 *  Private to src/nn. Local, thread-safe but for pass->work.
 */
#ifndef GP_SRC_NN_BLOCK_H
#define GP_SRC_NN_BLOCK_H

#include "src/nn/work.h"

/** Takes work->stream through a block. */
void gp_nn_block_forward(const gp_nn_pass *pass, int64_t layer);

/** Takes work->dstream back through it.
 *    gradient  out  of the block's parameters; or NULL: not wanted */
void gp_nn_block_backward(const gp_nn_pass *pass, int64_t layer,
                          const gp_nn_block_tensors *gradient);

#endif
