#include "src/nn/patch.h"
#include "src/geno/code.h"
#include "src/nn/vector.h"

#include <string.h>

void gp_nn_patch_decode(const gp_nn_patch *patch, int hide) {
    int64_t first = gp_nn_patch_first(patch), size = gp_nn_patch_size(patch);
    for (int64_t s = 0; s < patch->batch->samples; s++) {
        const uint8_t *calls = patch->batch->calls[s];
        gp_real *x = patch->x + s * size;
        if (hide && gp_nn_patch_masked(patch, s)) {
            memset(x, 0, (size_t)size * sizeof *x);
            continue;
        }
        for (int64_t j = 0; j < size; j++)
            x[j] = patch->level[(first + j) * 4 + gp_geno_get(calls, first + j)];
    }
}

/* The patch's token of sample s. */
static int64_t place_of(const gp_nn_patch *patch, int64_t s) {
    int64_t tokens = gp_nn_tokens(patch->shape);
    return (s * tokens + patch->shape->covariates + patch->number) * patch->shape->channels;
}

/* The patch's tokens of all samples: [S x C]. */
static gp_nn_view tokens_of(const gp_nn_patch *patch, const gp_real *token) {
    int64_t channels = patch->shape->channels;
    return gp_nn_part(token + place_of(patch, 0), patch->batch->samples, channels,
                      gp_nn_tokens(patch->shape) * channels);
}

static gp_nn_view dosages_of(const gp_nn_patch *patch) {
    return gp_nn_matrix(patch->x, patch->batch->samples, gp_nn_patch_size(patch));
}

/* Its rows of a matrix [m x columns]. */
static gp_nn_view rows_of(const gp_nn_patch *patch, const gp_real *matrix, int64_t columns) {
    return gp_nn_matrix(matrix + gp_nn_patch_first(patch) * columns, gp_nn_patch_size(patch),
                        columns);
}

void gp_nn_patch_forward(const gp_nn_patch *patch, gp_real *token) {
    int64_t channels = patch->shape->channels, samples = patch->batch->samples;
    const gp_real *bias = patch->weight->patch_bias + patch->number * channels;
    for (int64_t s = 0; s < samples; s++)
        memcpy(token + place_of(patch, s), bias, (size_t)channels * sizeof *token);
    gp_nn_multiply(patch->engine, dosages_of(patch), rows_of(patch, patch->weight->patch, channels),
                   1, 1, tokens_of(patch, token));
    for (int64_t s = 0; s < samples; s++)
        if (gp_nn_patch_masked(patch, s))
            memcpy(token + place_of(patch, s), patch->weight->mask,
                   (size_t)channels * sizeof *token);
}

void gp_nn_patch_gradient(const gp_nn_patch *patch, const gp_real *dtoken,
                          const gp_nn_tensors *gradient) {
    int64_t channels = patch->shape->channels;
    gp_real *dbias = gradient->patch_bias + patch->number * channels;
    memset(dbias, 0, (size_t)channels * sizeof *dbias);
    for (int64_t s = 0; s < patch->batch->samples; s++)
        gp_nn_add(gp_nn_patch_masked(patch, s) ? gradient->mask : dbias,
                  dtoken + place_of(patch, s), channels);
    gp_nn_multiply(patch->engine, gp_nn_turn(dosages_of(patch)), tokens_of(patch, dtoken), 1, 0,
                   rows_of(patch, gradient->patch, channels));
}

void gp_nn_patch_backward(const gp_nn_patch *patch, const gp_real *dtoken, gp_real *dx) {
    int64_t m = patch->shape->variants, first = gp_nn_patch_first(patch);
    int64_t size = gp_nn_patch_size(patch), samples = patch->batch->samples;
    gp_nn_multiply(patch->engine, tokens_of(patch, dtoken),
                   gp_nn_turn(rows_of(patch, patch->weight->patch, patch->shape->channels)), 1, 0,
                   gp_nn_part(dx + first, samples, size, m));
    for (int64_t s = 0; s < samples; s++)
        if (gp_nn_patch_masked(patch, s))
            memset(dx + s * m + first, 0, (size_t)size * sizeof *dx);
}

void gp_nn_additive_forward(const gp_nn_patch *patch, gp_real *output) {
    int64_t traits = patch->shape->traits;
    gp_nn_multiply(patch->engine, dosages_of(patch), rows_of(patch, patch->weight->linear, traits),
                   1, 1, gp_nn_matrix(output, patch->batch->samples, traits));
}

void gp_nn_additive_gradient(const gp_nn_patch *patch, const gp_real *doutput, gp_real *dlinear) {
    int64_t traits = patch->shape->traits;
    gp_nn_multiply(patch->engine, gp_nn_turn(dosages_of(patch)),
                   gp_nn_matrix(doutput, patch->batch->samples, traits), 1, 0,
                   rows_of(patch, dlinear, traits));
}

void gp_nn_additive_backward(const gp_nn_patch *patch, int64_t trait, gp_real *dx) {
    int64_t m = patch->shape->variants, traits = patch->shape->traits;
    int64_t first = gp_nn_patch_first(patch), size = gp_nn_patch_size(patch);
    const gp_real *linear = patch->weight->linear + first * traits + trait;
    for (int64_t s = 0; s < patch->batch->samples; s++)
        if (!gp_nn_patch_masked(patch, s))
            for (int64_t j = 0; j < size; j++)
                dx[s * m + first + j] += linear[j * traits];
}
