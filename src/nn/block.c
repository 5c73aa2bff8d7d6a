#include "src/nn/block.h"
#include "src/nn/attention.h"
#include "src/nn/dense.h"
#include "src/nn/dropout.h"
#include "src/nn/gelu.h"
#include "src/nn/rotary.h"

#include <stddef.h>

/* A block's layers, of a shard. */
typedef struct layers {
    int64_t rows, channels;
    gp_nn_norm norm;
    gp_nn_dense qkv, out, up, down;
    gp_nn_rotary rotary;
    gp_nn_attention attention;
    gp_nn_dropout dropout;
    gp_nn_kept kept;
} layers;

static layers layers_of(const gp_nn_pass *pass, int64_t layer) {
    const gp_nn_model *model = pass->model;
    const gp_nn_shape *shape = &model->shape;
    const gp_nn_engine *e = model->engine;
    const gp_nn_block_tensors *w = &model->at->block[layer];
    int64_t s = pass->batch->samples, t = gp_nn_tokens(shape), c = shape->channels, n = s * t;
    return (layers){
        .rows = n,
        .channels = c,
        .norm = {n, c, w->norm_weight, w->norm_bias},
        .qkv = {e, n, c, 3 * c, w->qkv, NULL},
        .out = {e, n, c, c, w->out, NULL},
        .up = {e, n, c, 4 * c, w->up, w->up_bias},
        .down = {e, n, 4 * c, c, w->down, w->down_bias},
        .rotary = {s, t, c, shape->heads, shape->rotary, model->cosine, model->sine},
        .attention = {e, s, t, c, shape->heads, shape->causal},
        .dropout = gp_nn_dropout_of(pass->batch, t * c),
        .kept = gp_nn_kept_of(pass, layer),
    };
}

/* Adds work->branch, with dropout, to the stream. */
static void add_branch(const layers *l, gp_nn_work *w, uint32_t place) {
    gp_nn_drop_onto(&l->dropout, place, w->branch, w->stream);
}

void gp_nn_block_forward(const gp_nn_pass *pass, int64_t layer) {
    const layers l = layers_of(pass, layer);
    gp_nn_work *w = pass->work;
    gp_nn_norm_forward(&l.norm, w->stream, &l.kept.norm, w->normal);

    gp_nn_dense_forward(&l.qkv, w->normal, l.kept.qkv);
    gp_nn_rotary_forward(&l.rotary, l.kept.qkv);
    gp_nn_attention_forward(&l.attention, l.kept.qkv, l.kept.probability, l.kept.mixed);
    gp_nn_dense_forward(&l.out, l.kept.mixed, w->branch);
    add_branch(&l, w, gp_nn_place_attention(layer));

    gp_nn_dense_forward(&l.up, w->normal, l.kept.up);
    gp_nn_gelu_forward(l.rows * 4 * l.channels, l.kept.up, w->active);
    gp_nn_dense_forward(&l.down, w->active, w->branch);
    add_branch(&l, w, gp_nn_place_mlp(layer));
}

/* Sets work->dnormal. */
static void mlp_backward(const layers *l, gp_nn_work *w, const gp_real *dbranch,
                         const gp_nn_block_tensors *gradient) {
    gp_nn_dense_backward(&l->down, dbranch, 0, w->dwide);
    gp_nn_gelu_backward(l->rows * 4 * l->channels, l->kept.up, w->dwide, w->active);
    gp_nn_dense_backward(&l->up, w->dwide, 0, w->dnormal);
    if (gradient == NULL)
        return;
    gp_nn_dense_gradient(&l->down, dbranch, w->active, gradient->down, gradient->down_bias);
    gp_nn_dense_gradient(&l->up, w->dwide, w->normal, gradient->up, gradient->up_bias);
}

/* Adds to work->dnormal. */
static void attention_backward(const layers *l, gp_nn_work *w, const gp_real *dbranch,
                               const gp_nn_block_tensors *gradient) {
    const gp_nn_attention_kept kept = {l->kept.qkv, l->kept.probability};
    gp_real *dmixed = w->branch;
    gp_nn_dense_backward(&l->out, dbranch, 0, dmixed);
    gp_nn_attention_backward(&l->attention, &kept, dmixed, w->dprobability, w->dwide);
    gp_nn_rotary_backward(&l->rotary, w->dwide);
    gp_nn_dense_backward(&l->qkv, w->dwide, 1, w->dnormal);
    if (gradient == NULL)
        return;
    gp_nn_dense_gradient(&l->out, dbranch, l->kept.mixed, gradient->out, NULL);
    gp_nn_dense_gradient(&l->qkv, w->dwide, w->normal, gradient->qkv, NULL);
}

void gp_nn_block_backward(const gp_nn_pass *pass, int64_t layer,
                          const gp_nn_block_tensors *gradient) {
    const layers l = layers_of(pass, layer);
    gp_nn_work *w = pass->work;
    if (gradient != NULL)
        gp_nn_norm_again(&l.norm, &l.kept.norm, w->normal);
    mlp_backward(&l, w, gp_nn_dropped(&l.dropout, gp_nn_place_mlp(layer), w->dstream, w->dbranch),
                 gradient);
    attention_backward(
        &l, w, gp_nn_dropped(&l.dropout, gp_nn_place_attention(layer), w->dstream, w->dbranch),
        gradient);
    if (gradient != NULL)
        gp_nn_norm_gradient(&l.norm, &l.kept.norm, w->dnormal, gradient->norm_weight,
                            gradient->norm_bias);
    gp_nn_norm_backward(&l.norm, &l.kept.norm, w->dnormal, w->dstream);
}
