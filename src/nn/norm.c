#include "src/nn/norm.h"
#include "src/nn/vector.h"

#include <math.h>
#include <string.h>

static void weigh(const gp_nn_norm *norm, const gp_real *unit, gp_real *y) {
    const gp_real *weight = norm->weight, *bias = norm->bias;
    for (int64_t c = 0; c < norm->channels; c++)
        y[c] = unit[c] * weight[c] + bias[c];
}

void gp_nn_norm_forward(const gp_nn_norm *norm, const gp_real *x, const gp_nn_norm_kept *kept,
                        gp_real *y) {
    int64_t channels = norm->channels;
    const gp_real share = 1 / (gp_real)channels;
    for (int64_t i = 0; i < norm->rows; i++) {
        const gp_real *row = x + i * channels;
        gp_real *unit = kept->unit + i * channels;
        gp_real mean = gp_nn_sum_of(row, channels) * share;
        for (int64_t c = 0; c < channels; c++)
            unit[c] = row[c] - mean;
        gp_real variance = gp_nn_dot(unit, unit, channels) * share;
        kept->inverse[i] = 1 / (gp_real)sqrt(variance + (gp_real)1e-5);
        gp_nn_scale(unit, kept->inverse[i], channels);
        weigh(norm, unit, y + i * channels);
    }
}

void gp_nn_norm_again(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *y) {
    for (int64_t i = 0; i < norm->rows; i++)
        weigh(norm, kept->unit + i * norm->channels, y + i * norm->channels);
}

void gp_nn_norm_gradient(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, const gp_real *dy,
                         gp_real *dweight, gp_real *dbias) {
    int64_t channels = norm->channels;
    memset(dweight, 0, (size_t)channels * sizeof *dweight);
    for (int64_t i = 0; i < norm->rows; i++)
        for (int64_t c = 0; c < channels; c++)
            dweight[c] += dy[i * channels + c] * kept->unit[i * channels + c];
    gp_nn_column_sums(dy, norm->rows, channels, dbias);
}

void gp_nn_norm_backward(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *dy,
                         gp_real *dx) {
    int64_t channels = norm->channels;
    const gp_real share = 1 / (gp_real)channels;
    for (int64_t i = 0; i < norm->rows; i++) {
        const gp_real *unit = kept->unit + i * channels;
        gp_real *d = dy + i * channels, *to = dx + i * channels, inverse = kept->inverse[i];
        for (int64_t c = 0; c < channels; c++)
            d[c] *= norm->weight[c];
        gp_real mean = gp_nn_sum_of(d, channels) * share;
        gp_real slope = gp_nn_dot(d, unit, channels) * share;
        for (int64_t c = 0; c < channels; c++)
            to[c] += inverse * (d[c] - mean - unit[c] * slope);
    }
}
