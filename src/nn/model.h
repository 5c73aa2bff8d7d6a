/** The network: outputs of a shard of samples, and gradients of its loss.
 *
 *    token of covariate k    e = z_k w_k + b_k
 *    token of a patch        e = x W + b    x [variants of the patch] standardised dosages, missing
 *                                           calls 0; or the mask token
 *    block                   h = norm(e);  e += dropout(attention(h)) + dropout(mlp(h))
 *    output of trait t       y = head_t . mean over tokens of norm(e) + bias_t + offset_t
 *                                + x . linear_t
 *  (GPT-J's block: one LayerNorm feeds attention and MLP; queries and keys turned by position on
 *  part of each head; no biases in attention; GELU in its tanh form.)
 *
 *  Loss of a shard: sum over samples and observed traits of (y - target)^2 / 2, or of the
 *  cross-entropy of the logit y. With a decoder: half the squared error of the standardised dosages
 *  of masked patches' called genotypes, divided by the variants of a sample that are masked.
 *
 *  Local. A gp_nn_model is read by many threads; each has a gp_nn_work.
 *  Source: Wang and Komatsuzaki 2021 (GPT-J-6B); Su et al. 2021, arXiv:2104.09864 (rotary);
 *  Hendrycks and Gimpel 2016, arXiv:1606.08415 (GELU).
 */
#ifndef GP_SRC_NN_MODEL_H
#define GP_SRC_NN_MODEL_H

#include "src/nn/batch.h"
#include "src/nn/engine.h"
#include "src/nn/parameters.h"

typedef struct gp_nn_model {
    gp_nn_shape shape;          /* borrowed arrays */
    gp_nn_table table;          /* owned */
    gp_real *parameter;         /* [table.parameters] owned */
    const double *mean;         /* [m] borrowed: of the dosage; */
    const double *scale;        /* [m] x = (dosage - mean) * scale; 0 = the variant says nothing */
    const gp_nn_engine *engine; /* borrowed */
    gp_real *level;             /* [m x 4] owned: x of the calls 0, 1, 2 and missing (0) */
    gp_real *cosine, *sine;     /* [T x rotary / 2] owned; covariate tokens are at position 0 */
    struct gp_nn_tensors *at;   /* parameters by name (src/nn/tensors.h) owned */
} gp_nn_model;

/** Makes tables and room; parameters are 0. shape, mean, scale and engine are set before; the rest
 *  comes zeroed. Freed in any case. */
int gp_nn_model_init(gp_nn_model *model, gp_err *err);
void gp_nn_model_free(gp_nn_model *model);

/** What a thread needs: one allocation for activations, one for gradients. */
typedef struct gp_nn_work gp_nn_work;

/** For shards of up to so many samples. backward 0: activations of one block only, no gradients. */
gp_nn_work *gp_nn_work_new(const gp_nn_model *model, int64_t samples, int backward, gp_err *err);
void gp_nn_work_free(gp_nn_work *work);

/** Its bytes; no parameter memory is needed to ask. */
int64_t gp_nn_work_bytes(const gp_nn_shape *shape, const gp_nn_table *table, int64_t samples,
                         int backward);

/** Runs a shard forward.
 *    output  out  [S x p] or NULL: logits for binary traits
 *  Returns the loss (0 without targets and decoder). */
double gp_nn_forward(const gp_nn_model *model, gp_nn_work *work, const gp_nn_batch *batch,
                     gp_real *output);

/** Is told that a group of gradients is finished: gradient + group_first[group] and on. */
typedef void gp_nn_group_done(void *context, int64_t group, const gp_real *gradient);

/** Runs the shard of the last gp_nn_forward backward: gradients of its loss, group by group in
 *  their order. Needs a work made with backward.
 *    done  in  called by this thread after each group; may be NULL
 *  Returns the gradients [table.parameters], padding 0, which stay until the next call. */
const gp_real *gp_nn_backward(const gp_nn_model *model, gp_nn_work *work, const gp_nn_batch *batch,
                              gp_nn_group_done *done, void *context);

/* ---- what explanations need ---- */

/** Gradients of one output, of each sample, with respect to its standardised dosages, after
 *  gp_nn_forward with a work made with backward.
 *    trait  in
 *    dx     out  [S x m] d y_trait / d x; 0 for masked patches */
void gp_nn_input_gradient(const gp_nn_model *model, gp_nn_work *work, const gp_nn_batch *batch,
                          int64_t trait, gp_real *dx);

/** Attention of a layer after gp_nn_forward with a work made with backward: [S x H x T x T], row =
 *  the token that attends. */
const gp_real *gp_nn_attention_of(const gp_nn_work *work, int64_t layer);

#endif
