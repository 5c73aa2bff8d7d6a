#include "src/nn/gelu.h"
#include "src/nn/vector.h"

void gp_nn_gelu_forward(int64_t n, const gp_real *restrict x, gp_real *restrict y) {
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * gp_nn_gelu_gate(x[i]);
}

void gp_nn_gelu_backward(int64_t n, const gp_real *restrict x, gp_real *restrict d,
                         gp_real *restrict y) {
    for (int64_t i = 0; i < n; i++) {
        gp_real gate = gp_nn_gelu_gate(x[i]);
        y[i] = x[i] * gate;
        d[i] *= gp_nn_gelu_slope(x[i], gate);
    }
}
