/** The parameters of a network: one array, and a table of the tensors in it.
 *
 *  Tensors lie group by group, in the order in which the backward pass is done with them: group
 *  0 is the heads (and final norm, decoder, linear path), 1 to L the blocks from the last to the
 *  first, L + 1 the tokens' embeddings. Tensors begin at multiples of 16 numbers; padding is 0.
 *
 *  Names and shapes (as torch.nn has them: a matrix is [out x in]; sizes may be 0):
 *    norm.weight, norm.bias             [C]
 *    head.weight [p x C]  head.bias [p]             start as 0
 *    linear.weight [m x p]                          the additive path; starts as 0
 *    decode.weight [m x C]  decode.bias [m]         only where shape.decodes
 *    block.K.norm.weight, .norm.bias    [C]         K = 0 to L - 1
 *    block.K.qkv.weight [3C x C]                    queries, keys, values of head 0, 1 ... each
 *    block.K.out.weight [C x C]
 *    block.K.up.weight [4C x C]   block.K.up.bias [4C]
 *    block.K.down.weight [C x 4C] block.K.down.bias [C]
 *    patch.weight [m x C]   patch.bias [patches x C]
 *    covariate.weight [c x C]  covariate.bias [c x C]
 *    mask.token [C]
 *  Local.
 */
#ifndef GP_SRC_NN_PARAMETERS_H
#define GP_SRC_NN_PARAMETERS_H

#include "src/base/err.h"
#include "src/nn/real.h"
#include "src/nn/shape.h"
#include <stdint.h>

typedef struct gp_nn_tensor {
    char name[40];
    int64_t rows, columns; /* a vector has 1 row */
    int64_t first;         /* where it begins among the parameters */
    int group;
    int decays; /* by weight decay (L2): matrices; not norms, biases, the mask token, the linear
                   path */
    int sparse; /* by --l1: patch.weight */
    int adapts; /* has a low-rank update with --lora: qkv, out, up, down */
    double deviation; /* of its normal start: 0 = zeros, < 0 = ones */
} gp_nn_tensor;

/** The table. Starts zeroed; freed in any case. */
typedef struct gp_nn_table {
    gp_nn_tensor *tensor; /* [count], in memory's order */
    int64_t count;
    int64_t parameters;   /* numbers in all, with padding */
    int64_t groups;       /* L + 2 */
    int64_t *group_first; /* [groups + 1] where a group begins */
} gp_nn_table;

/** Checks the shape. Cost: the tensors; no parameter memory is needed. */
int gp_nn_table_init(gp_nn_table *table, const gp_nn_shape *shape, gp_err *err);
void gp_nn_table_free(gp_nn_table *table);

/** For those who make tables: room for so many tensors in so many groups, and then the
 *  tensors one by one, group by group, each group with at least one. The tensor that comes
 *  back has name, sizes, place and group; all else 0. */
int gp_nn_table_room(gp_nn_table *table, int64_t tensors, int64_t groups, gp_err *err);
gp_nn_tensor *gp_nn_table_add(gp_nn_table *table, int group, const char *name, int64_t rows,
                              int64_t columns);

/** The tensor of this name, or NULL. */
const gp_nn_tensor *gp_nn_table_find(const gp_nn_table *table, const char *name);

/** Sets parameters to their random start: a function of the seed, the tensors' order and the
 *  shape alone; each row of a tensor is a stream of its own. With threads of OpenMP.
 *    parameter  out  [table->parameters] */
void gp_nn_start(const gp_nn_table *table, uint64_t seed, gp_real *parameter);

/** Names the random numbers of a tensor: src/base/rng.h; rows are its second index. */
typedef struct gp_nn_stream {
    uint64_t seed;
    uint32_t purpose, number;
} gp_nn_stream;

/** The same for one tensor.
 *    to  out  [rows x columns] */
void gp_nn_start_tensor(const gp_nn_tensor *tensor, gp_nn_stream stream, gp_real *to);

#endif
