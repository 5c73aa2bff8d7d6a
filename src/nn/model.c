#include "src/nn/model.h"
#include "src/base/mem.h"
#include "src/nn/block.h"
#include "src/nn/covariate.h"
#include "src/nn/decoder.h"
#include "src/nn/dense.h"
#include "src/nn/dropout.h"
#include "src/nn/loss.h"
#include "src/nn/patch.h"
#include "src/nn/pool.h"
#include "src/nn/rotary.h"
#include "src/nn/vector.h"

#include <stdlib.h>
#include <string.h>

/* x of the calls 0, 1, 2 and missing. A variant of scale 0 may have no mean. */
static void set_levels(gp_nn_model *model) {
    for (int64_t j = 0; j < model->shape.variants; j++)
        for (int call = 0; call < 3 && model->scale[j] != 0; call++)
            model->level[4 * j + call] = (gp_real)((call - model->mean[j]) * model->scale[j]);
}

int gp_nn_model_init(gp_nn_model *model, gp_err *err) {
    const gp_nn_shape *shape = &model->shape;
    if (gp_nn_table_init(&model->table, shape, err) != GP_OK)
        return err->code;
    int64_t size = (int64_t)sizeof(gp_real), turns = gp_nn_tokens(shape) * (shape->rotary / 2);
    model->parameter = gp_mem_alloc(model->table.parameters, size, err);
    model->level = gp_mem_alloc(shape->variants, 4 * size, err);
    model->cosine = gp_mem_alloc(turns, size, err);
    model->sine = gp_mem_alloc(turns, size, err);
    model->at = gp_mem_alloc(1, sizeof *model->at, err);
    if (err->code != GP_OK ||
        gp_nn_tensors_init(model->at, &model->table, model->parameter, err) != GP_OK)
        return err->code;
    set_levels(model);
    gp_nn_rotary_tables(shape, model->cosine, model->sine);
    return GP_OK;
}

void gp_nn_model_free(gp_nn_model *model) {
    gp_nn_table_free(&model->table);
    if (model->at != NULL)
        gp_nn_tensors_free(model->at);
    free(model->at);
    free(model->parameter);
    free(model->level);
    free(model->cosine);
    free(model->sine);
    memset(model, 0, sizeof *model);
}

/* ---- the layers before and behind the blocks, of a shard ---- */

static gp_nn_patch patches_of(const gp_nn_pass *pass) {
    const gp_nn_model *model = pass->model;
    return (gp_nn_patch){.engine = model->engine,
                         .shape = &model->shape,
                         .batch = pass->batch,
                         .weight = model->at,
                         .level = model->level,
                         .x = pass->work->dosage};
}

static gp_nn_covariate covariates_of(const gp_nn_pass *pass) {
    const gp_nn_shape *shape = &pass->model->shape;
    const gp_nn_tensors *w = pass->model->at;
    return (gp_nn_covariate){pass->batch->samples, shape->covariates,      gp_nn_tokens(shape),
                             shape->channels,      pass->batch->covariate, w->covariate,
                             w->covariate_bias};
}

static gp_nn_dropout dropout_of(const gp_nn_pass *pass) {
    const gp_nn_shape *shape = &pass->model->shape;
    return gp_nn_dropout_of(pass->batch, gp_nn_tokens(shape) * shape->channels);
}

static gp_nn_norm norm_of(const gp_nn_pass *pass) {
    const gp_nn_tensors *w = pass->model->at;
    return (gp_nn_norm){gp_nn_rows(pass), pass->model->shape.channels, w->norm_weight,
                        w->norm_bias};
}

static gp_nn_pool pool_of(const gp_nn_pass *pass) {
    const gp_nn_shape *shape = &pass->model->shape;
    return (gp_nn_pool){pass->batch->samples, gp_nn_tokens(shape), shape->channels};
}

static gp_nn_dense head_of(const gp_nn_pass *pass) {
    const gp_nn_shape *shape = &pass->model->shape;
    const gp_nn_tensors *w = pass->model->at;
    return (gp_nn_dense){
        pass->model->engine, pass->batch->samples, shape->channels, shape->traits, w->head,
        w->head_bias};
}

static gp_nn_decoder decoder_of(const gp_nn_pass *pass) {
    const gp_nn_work *w = pass->work;
    return (gp_nn_decoder){.patch = patches_of(pass),
                           .token = w->normal,
                           .share = w->share,
                           .gathered = w->gathered,
                           .error = w->prediction};
}

static int decodes(const gp_nn_pass *pass) {
    return pass->model->shape.decodes && pass->batch->masked != NULL;
}

/* ---- forward ---- */

/* Sets the stream to the tokens. The outputs begin as offsets and the additive path, which reads
 * the patches in passing. */
static void embed(const gp_nn_pass *pass) {
    gp_nn_work *w = pass->work;
    const gp_nn_shape *shape = &pass->model->shape;
    gp_nn_covariate covariate = covariates_of(pass);
    gp_nn_covariate_forward(&covariate, w->stream);
    int64_t outputs = pass->batch->samples * shape->traits;
    memset(w->output, 0, (size_t)outputs * sizeof *w->output);
    gp_nn_patch patch = patches_of(pass);
    for (; patch.number < shape->patches; patch.number++) {
        gp_nn_patch_decode(&patch, 1);
        gp_nn_patch_forward(&patch, w->stream);
        if (pass->batch->linear)
            gp_nn_additive_forward(&patch, w->output);
    }
    if (pass->batch->offset != NULL)
        gp_nn_add(w->output, pass->batch->offset, outputs);
    gp_nn_dropout dropout = dropout_of(pass);
    gp_nn_dropped(&dropout, gp_nn_place_embedding(), w->stream, w->stream);
}

/* Adds the heads' part to the outputs. */
static void add_heads(const gp_nn_pass *pass) {
    gp_nn_work *w = pass->work;
    const gp_nn_shape *shape = &pass->model->shape;
    gp_nn_norm norm = norm_of(pass);
    gp_nn_kept kept = gp_nn_kept_of(pass, shape->layers);
    gp_nn_norm_forward(&norm, w->stream, &kept.norm, w->normal);
    gp_nn_pool pool = pool_of(pass);
    gp_nn_pool_forward(&pool, w->normal, w->pooled);
    gp_nn_dense head = head_of(pass);
    for (int64_t s = 0; s < pass->batch->samples; s++)
        gp_nn_add(w->output + s * shape->traits, head.bias, shape->traits);
    gp_nn_multiply(head.engine, gp_nn_matrix(w->pooled, head.rows, head.in),
                   gp_nn_turned(head.weight, head.out, head.in), 1, 1,
                   gp_nn_matrix(w->output, head.rows, head.out));
}

double gp_nn_forward(const gp_nn_model *model, gp_nn_work *work, const gp_nn_batch *batch,
                     gp_real *output) {
    const gp_nn_pass pass = {model, work, batch};
    embed(&pass);
    for (int64_t layer = 0; layer < model->shape.layers; layer++)
        gp_nn_block_forward(&pass, layer);
    add_heads(&pass);
    if (output != NULL)
        memcpy(output, work->output,
               (size_t)(batch->samples * model->shape.traits) * sizeof *output);
    double loss = gp_nn_loss_forward(&model->shape, batch, work->output);
    if (decodes(&pass)) {
        gp_nn_decoder decoder = decoder_of(&pass);
        loss += gp_nn_decoder_forward(&decoder);
    }
    return loss;
}

/* ---- backward ---- */

/* Sets dstream to 0 and adds what comes through the final LayerNorm from dnormal, which is lost. */
static void final_norm_backward(const gp_nn_pass *pass) {
    gp_nn_work *w = pass->work;
    gp_nn_norm norm = norm_of(pass);
    gp_nn_kept kept = gp_nn_kept_of(pass, pass->model->shape.layers);
    memset(w->dstream, 0, (size_t)(norm.rows * norm.channels) * sizeof *w->dstream);
    gp_nn_norm_backward(&norm, &kept.norm, w->dnormal, w->dstream);
}

static void linear_gradient(const gp_nn_pass *pass) {
    const gp_nn_shape *shape = &pass->model->shape;
    gp_nn_work *w = pass->work;
    gp_nn_patch patch = patches_of(pass);
    if (!pass->batch->linear) {
        memset(w->of.linear, 0, (size_t)(shape->variants * shape->traits) * sizeof *w->of.linear);
        return;
    }
    for (; patch.number < shape->patches; patch.number++) {
        gp_nn_patch_decode(&patch, 1);
        gp_nn_additive_gradient(&patch, w->doutput, w->of.linear);
    }
}

/* Adds to dnormal. */
static void decoder_backward(const gp_nn_pass *pass) {
    const gp_nn_shape *shape = &pass->model->shape;
    gp_nn_work *w = pass->work;
    if (!shape->decodes)
        return;
    if (!decodes(pass)) {
        size_t size = (size_t)shape->variants * sizeof *w->of.decode;
        memset(w->of.decode, 0, size * (size_t)shape->channels);
        memset(w->of.decode_bias, 0, size);
        return;
    }
    gp_nn_norm norm = norm_of(pass);
    gp_nn_kept kept = gp_nn_kept_of(pass, shape->layers);
    gp_nn_norm_again(&norm, &kept.norm, w->normal);
    gp_nn_decoder decoder = decoder_of(pass);
    gp_nn_decoder_backward(&decoder, w->dnormal, &w->of);
}

/* Group 0: from the loss to dstream. */
static void heads_backward(const gp_nn_pass *pass) {
    gp_nn_work *w = pass->work;
    gp_nn_loss_backward(&pass->model->shape, pass->batch, w->output, w->doutput);
    gp_nn_dense head = head_of(pass);
    gp_nn_dense_gradient(&head, w->doutput, w->pooled, w->of.head, w->of.head_bias);
    linear_gradient(pass);
    gp_nn_dense_backward(&head, w->doutput, 0, w->dpooled);
    gp_nn_pool pool = pool_of(pass);
    gp_nn_pool_backward(&pool, w->dpooled, w->dnormal);
    decoder_backward(pass);
    gp_nn_norm norm = norm_of(pass);
    gp_nn_kept kept = gp_nn_kept_of(pass, pass->model->shape.layers);
    gp_nn_norm_gradient(&norm, &kept.norm, w->dnormal, w->of.norm_weight, w->of.norm_bias);
    final_norm_backward(pass);
}

/* Group L + 1: from dstream to the embeddings' gradients. */
static void embed_backward(const gp_nn_pass *pass) {
    gp_nn_work *w = pass->work;
    const gp_nn_shape *shape = &pass->model->shape;
    gp_nn_dropout dropout = dropout_of(pass);
    const gp_real *d = gp_nn_dropped(&dropout, gp_nn_place_embedding(), w->dstream, w->dstream);
    gp_nn_covariate covariate = covariates_of(pass);
    gp_nn_covariate_gradient(&covariate, d, w->of.covariate, w->of.covariate_bias);
    memset(w->of.mask, 0, (size_t)shape->channels * sizeof *w->of.mask);
    gp_nn_patch patch = patches_of(pass);
    for (; patch.number < shape->patches; patch.number++) {
        gp_nn_patch_decode(&patch, 1);
        gp_nn_patch_gradient(&patch, d, &w->of);
    }
}

static void tell(const gp_nn_pass *pass, gp_nn_group_done *done, void *context, int64_t group) {
    if (done != NULL)
        done(context, group, pass->work->gradient);
}

const gp_real *gp_nn_backward(const gp_nn_model *model, gp_nn_work *work, const gp_nn_batch *batch,
                              gp_nn_group_done *done, void *context) {
    const gp_nn_pass pass = {model, work, batch};
    int64_t layers = model->shape.layers;
    heads_backward(&pass);
    tell(&pass, done, context, 0);
    for (int64_t layer = layers - 1; layer >= 0; layer--) {
        gp_nn_block_backward(&pass, layer, &work->of.block[layer]);
        tell(&pass, done, context, layers - layer);
    }
    embed_backward(&pass);
    tell(&pass, done, context, layers + 1);
    return work->gradient;
}

/* ---- explanations ---- */

void gp_nn_input_gradient(const gp_nn_model *model, gp_nn_work *work, const gp_nn_batch *batch,
                          int64_t trait, gp_real *dx) {
    const gp_nn_pass pass = {model, work, batch};
    int64_t channels = model->shape.channels;
    for (int64_t s = 0; s < batch->samples; s++)
        memcpy(work->dpooled + s * channels, model->at->head + trait * channels,
               (size_t)channels * sizeof *work->dpooled);
    gp_nn_pool pool = pool_of(&pass);
    gp_nn_pool_backward(&pool, work->dpooled, work->dnormal);
    final_norm_backward(&pass);
    for (int64_t layer = model->shape.layers - 1; layer >= 0; layer--)
        gp_nn_block_backward(&pass, layer, NULL);
    gp_nn_dropout dropout = dropout_of(&pass);
    gp_nn_dropped(&dropout, gp_nn_place_embedding(), work->dstream, work->dstream);
    gp_nn_patch patch = patches_of(&pass);
    for (; patch.number < model->shape.patches; patch.number++) {
        gp_nn_patch_backward(&patch, work->dstream, dx);
        if (batch->linear)
            gp_nn_additive_backward(&patch, trait, dx);
    }
}

const gp_real *gp_nn_attention_of(const gp_nn_work *work, int64_t layer) {
    return work->probability + layer * work->layer_probabilities;
}
