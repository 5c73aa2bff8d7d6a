#include "src/nn/decoder.h"
#include "src/geno/code.h"
#include "src/nn/dense.h"
#include "src/nn/vector.h"

#include <string.h>

/* 1 / the masked variants of each sample. */
static void set_shares(gp_nn_decoder *d) {
    const gp_nn_batch *batch = d->patch.batch;
    for (int64_t s = 0; s < batch->samples; s++) {
        int64_t variants = 0;
        for (d->patch.number = 0; d->patch.number < d->patch.shape->patches; d->patch.number++)
            if (gp_nn_patch_masked(&d->patch, s))
                variants += gp_nn_patch_size(&d->patch);
        d->share[s] = variants > 0 ? 1 / (gp_real)variants : 0;
    }
}

static int64_t place_of(const gp_nn_decoder *d, int64_t s) {
    const gp_nn_shape *shape = d->patch.shape;
    return (s * gp_nn_tokens(shape) + shape->covariates + d->patch.number) * shape->channels;
}

/* The patch's tokens, of those samples in which it is masked; returns how many. */
static int64_t gather(gp_nn_decoder *d) {
    int64_t channels = d->patch.shape->channels, rows = 0;
    for (int64_t s = 0; s < d->patch.batch->samples; s++)
        if (gp_nn_patch_masked(&d->patch, s))
            memcpy(d->gathered + rows++ * channels, d->token + place_of(d, s),
                   (size_t)channels * sizeof *d->gathered);
    return rows;
}

static gp_nn_dense dense_of(const gp_nn_decoder *d, int64_t rows) {
    int64_t first = gp_nn_patch_first(&d->patch), channels = d->patch.shape->channels;
    return (gp_nn_dense){d->patch.engine,
                         rows,
                         channels,
                         gp_nn_patch_size(&d->patch),
                         d->patch.weight->decode + first * channels,
                         d->patch.weight->decode_bias + first};
}

/* A sample's predictions become gradients: errors times its share, 0 where a call is missing. */
static double judge(const gp_nn_decoder *d, int64_t s, gp_real *error) {
    int64_t first = gp_nn_patch_first(&d->patch), size = gp_nn_patch_size(&d->patch);
    const gp_real *x = d->patch.x + s * size;
    double sum = 0.0;
    for (int64_t j = 0; j < size; j++) {
        int called = gp_geno_get(d->patch.batch->calls[s], first + j) != GP_GENO_MISSING;
        double e = called ? (double)error[j] - (double)x[j] : 0.0;
        sum += 0.5 * e * e * (double)d->share[s];
        error[j] = (gp_real)e * d->share[s];
    }
    return sum;
}

/* The patch's errors, [rows x P]; returns its loss. */
static double predict(gp_nn_decoder *d, int64_t *rows) {
    double sum = 0.0;
    *rows = gather(d);
    if (*rows == 0)
        return sum;
    gp_nn_dense dense = dense_of(d, *rows);
    gp_nn_dense_forward(&dense, d->gathered, d->error);
    gp_nn_patch_decode(&d->patch, 0);
    int64_t row = 0, size = gp_nn_patch_size(&d->patch);
    for (int64_t s = 0; s < d->patch.batch->samples; s++)
        if (gp_nn_patch_masked(&d->patch, s))
            sum += judge(d, s, d->error + row++ * size);
    return sum;
}

double gp_nn_decoder_forward(gp_nn_decoder *d) {
    double sum = 0.0;
    if (d->patch.batch->masked == NULL)
        return sum;
    set_shares(d);
    for (d->patch.number = 0; d->patch.number < d->patch.shape->patches; d->patch.number++) {
        int64_t rows;
        sum += predict(d, &rows);
    }
    return sum;
}

static void scatter(const gp_nn_decoder *d, gp_real *dtoken) {
    int64_t channels = d->patch.shape->channels, row = 0;
    for (int64_t s = 0; s < d->patch.batch->samples; s++)
        if (gp_nn_patch_masked(&d->patch, s))
            gp_nn_add(dtoken + place_of(d, s), d->gathered + row++ * channels, channels);
}

void gp_nn_decoder_backward(gp_nn_decoder *d, gp_real *dtoken, const gp_nn_tensors *gradient) {
    int64_t channels = d->patch.shape->channels;
    set_shares(d);
    for (d->patch.number = 0; d->patch.number < d->patch.shape->patches; d->patch.number++) {
        int64_t rows, first = gp_nn_patch_first(&d->patch);
        predict(d, &rows);
        gp_nn_dense dense = dense_of(d, rows);
        gp_nn_dense_gradient(&dense, d->error, d->gathered, gradient->decode + first * channels,
                             gradient->decode_bias + first);
        gp_nn_dense_backward(&dense, d->error, 0, d->gathered);
        scatter(d, dtoken);
    }
}
