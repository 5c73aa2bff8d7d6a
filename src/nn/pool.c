#include "src/nn/pool.h"
#include "src/nn/loops.h"
#include "src/nn/vector.h"

void gp_nn_pool_forward(const gp_nn_pool *pool, const gp_real *x, gp_real *y) {
    const gp_nn_loops *loops = gp_nn_loops_chosen();
    int64_t tokens = pool->tokens, channels = pool->channels;
    for (int64_t s = 0; s < pool->samples; s++) {
        loops->column_sums(tokens, channels, x + s * tokens * channels, y + s * channels);
        gp_nn_scale(y + s * channels, 1 / (gp_real)tokens, channels);
    }
}

void gp_nn_pool_backward(const gp_nn_pool *pool, const gp_real *dy, gp_real *dx) {
    int64_t tokens = pool->tokens, channels = pool->channels;
    const gp_real share = 1 / (gp_real)tokens;
    for (int64_t s = 0; s < pool->samples; s++)
        for (int64_t t = 0; t < tokens; t++)
            for (int64_t c = 0; c < channels; c++)
                dx[(s * tokens + t) * channels + c] = dy[s * channels + c] * share;
}
