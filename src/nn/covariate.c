#include "src/nn/covariate.h"

#include <string.h>

void gp_nn_covariate_forward(const gp_nn_covariate *v, gp_real *token) {
    int64_t channels = v->channels;
    for (int64_t s = 0; s < v->samples; s++)
        for (int64_t k = 0; k < v->covariates; k++) {
            const gp_real *weight = v->weight + k * channels, *bias = v->bias + k * channels;
            gp_real z = v->z[s * v->covariates + k];
            gp_real *to = token + (s * v->tokens + k) * channels;
            for (int64_t c = 0; c < channels; c++)
                to[c] = z * weight[c] + bias[c];
        }
}

void gp_nn_covariate_gradient(const gp_nn_covariate *v, const gp_real *dtoken, gp_real *dweight,
                              gp_real *dbias) {
    int64_t channels = v->channels;
    memset(dweight, 0, (size_t)(v->covariates * channels) * sizeof *dweight);
    memset(dbias, 0, (size_t)(v->covariates * channels) * sizeof *dbias);
    for (int64_t s = 0; s < v->samples; s++)
        for (int64_t k = 0; k < v->covariates; k++) {
            const gp_real *d = dtoken + (s * v->tokens + k) * channels;
            gp_real z = v->z[s * v->covariates + k];
            for (int64_t c = 0; c < channels; c++) {
                dweight[k * channels + c] += z * d[c];
                dbias[k * channels + c] += d[c];
            }
        }
}
