#include "src/nn/dropout.h"
#include "src/base/rng.h"
#include "src/nn/loops.h"

#include <math.h>
#include <string.h>

gp_nn_dropout gp_nn_dropout_of(const gp_nn_batch *batch, int64_t size) {
    gp_nn_dropout d = {.batch = batch, .size = size, .scale = 1};
    if (batch->dropout > 0) {
        d.below = (uint32_t)fmin(nearbyint((double)batch->dropout * 65536), 65535);
        d.scale = (gp_real)(65536.0 / (double)(65536 - d.below));
    }
    return d;
}

/* What the loops want of a sample's stream. */
static gp_nn_dropping stream_of(const gp_nn_dropout *d, int64_t s, uint32_t place) {
    gp_rng stream = gp_rng_stream(d->batch->seed, GP_NN_DROPOUT_PURPOSE,
                                  (uint32_t)d->batch->sample[s], d->batch->step, place);
    gp_nn_dropping dropping = {.below = d->below, .scale = d->scale};
    memcpy(dropping.key, stream.key, sizeof dropping.key);
    memcpy(dropping.counter, stream.counter, sizeof dropping.counter);
    return dropping;
}

const gp_real *gp_nn_dropped(const gp_nn_dropout *d, uint32_t place, const gp_real *x,
                             gp_real *room) {
    const gp_nn_loops *loops = gp_nn_loops_chosen();
    if (d->below == 0)
        return x;
    for (int64_t s = 0; s < d->batch->samples; s++) {
        gp_nn_dropping dropping = stream_of(d, s, place);
        loops->drop(&dropping, d->size, x + s * d->size, room + s * d->size);
    }
    return room;
}

void gp_nn_drop_onto(const gp_nn_dropout *d, uint32_t place, const gp_real *x, gp_real *to) {
    const gp_nn_loops *loops = gp_nn_loops_chosen();
    if (d->below == 0) {
        loops->add(d->batch->samples * d->size, x, to);
        return;
    }
    for (int64_t s = 0; s < d->batch->samples; s++) {
        gp_nn_dropping dropping = stream_of(d, s, place);
        loops->drop_onto(&dropping, d->size, x + s * d->size, to + s * d->size);
    }
}
