/** What a thread needs to run a network: one table of arrays in one allocation, and the gradients
 *  of the parameters. Private to src/nn. */
#ifndef GP_SRC_NN_WORK_H
#define GP_SRC_NN_WORK_H

#include "src/nn/model.h"
#include "src/nn/norm.h"
#include "src/nn/tensors.h"

/** N = S T rows, one per token. What is kept has a slot per block, and `unit` and `inverse` one
 * more for the final LayerNorm; without a backward pass all share one slot. */
struct gp_nn_work {
    int64_t samples; /* S, at most */
    int backward;
    int64_t layer_probabilities; /* numbers from one block's to the next's */
    gp_real *memory;             /* of all arrays here; owned */
    gp_real *gradient;           /* [table.parameters] owned; NULL without a backward pass */
    gp_nn_tensors of;            /* gradients by name; owns a list */

    gp_real *stream;     /* [N x C] what the blocks add to */
    gp_real *normal;     /* [N x C] after a LayerNorm */
    gp_real *branch;     /* [N x C] what a block's attention or MLP adds */
    gp_real *active;     /* [N x 4C] after GELU */
    gp_real *pooled;     /* [S x C] */
    gp_real *output;     /* [S x p] */
    gp_real *dosage;     /* [S x longest patch] */
    gp_real *share;      /* [S] decoder */
    gp_real *gathered;   /* [S x C] decoder */
    gp_real *prediction; /* [S x longest patch] decoder */

    gp_real *unit;        /* kept: [N x C] */
    gp_real *inverse;     /* kept: [N] */
    gp_real *qkv;         /* kept: [N x 3C] queries and keys turned */
    gp_real *probability; /* kept: [S x H x T x T] */
    gp_real *mixed;       /* kept: [N x C] values mixed by attention */
    gp_real *up;          /* kept: [N x 4C] before GELU */

    gp_real *dstream;      /* [N x C] */
    gp_real *dbranch;      /* [N x C] */
    gp_real *dnormal;      /* [N x C] */
    gp_real *dwide;        /* [N x 4C] of up, or of qkv */
    gp_real *dprobability; /* [T x T] */
    gp_real *dpooled;      /* [S x C] */
    gp_real *doutput;      /* [S x p] */
};

/** A shard on its way through a network. */
typedef struct gp_nn_pass {
    const gp_nn_model *model;
    gp_nn_work *work;
    const gp_nn_batch *batch;
} gp_nn_pass;

/** N of a shard. */
static inline int64_t gp_nn_rows(const gp_nn_pass *pass) {
    return pass->batch->samples * gp_nn_tokens(&pass->model->shape);
}

/** What is kept of a block; of L: of the final LayerNorm, whose other arrays are NULL. */
typedef struct gp_nn_kept {
    gp_nn_norm_kept norm;
    gp_real *qkv, *probability, *mixed, *up;
} gp_nn_kept;

gp_nn_kept gp_nn_kept_of(const gp_nn_pass *pass, int64_t layer);

#endif
