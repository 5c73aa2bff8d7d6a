#include "src/nn/dropout.h"
#include "src/base/rng.h"

#include <math.h>

gp_nn_dropout gp_nn_dropout_of(const gp_nn_batch *batch, int64_t size) {
    gp_nn_dropout d = {.batch = batch, .size = size, .scale = 1};
    if (batch->dropout > 0) {
        d.below = (uint32_t)fmin(nearbyint((double)batch->dropout * 65536), 65535);
        d.scale = (gp_real)(65536.0 / (double)(65536 - d.below));
    }
    return d;
}

/* A block of random words decides for 8 numbers. */
static void factors(const gp_nn_dropout *d, gp_rng *stream, gp_real factor[8]) {
    uint32_t word[4];
    gp_philox(stream->counter, stream->key, word);
    stream->counter[0]++;
    for (int k = 0; k < 8; k++) {
        uint32_t bits = word[k / 2] >> (16 * (k % 2)) & 0xFFFF;
        factor[k] = bits < d->below ? 0 : d->scale;
    }
}

static void drop(const gp_nn_dropout *d, gp_rng stream, const gp_real *x, gp_real *to) {
    gp_real factor[8];
    int64_t i = 0;
    for (; i + 8 <= d->size; i += 8) {
        factors(d, &stream, factor);
        for (int k = 0; k < 8; k++)
            to[i + k] = x[i + k] * factor[k];
    }
    if (i < d->size)
        factors(d, &stream, factor);
    for (int k = 0; i + k < d->size; k++)
        to[i + k] = x[i + k] * factor[k];
}

const gp_real *gp_nn_dropped(const gp_nn_dropout *d, uint32_t place, const gp_real *x,
                             gp_real *room) {
    if (d->below == 0)
        return x;
    for (int64_t s = 0; s < d->batch->samples; s++) {
        gp_rng stream = gp_rng_stream(d->batch->seed, GP_NN_DROPOUT_PURPOSE,
                                      (uint32_t)d->batch->sample[s], d->batch->step, place);
        drop(d, stream, x + s * d->size, room + s * d->size);
    }
    return room;
}
