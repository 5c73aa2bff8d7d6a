#include "src/nn/gelu.h"
#include "src/nn/loops.h"

void gp_nn_gelu_forward(int64_t n, const gp_real *x, gp_real *y) {
    gp_nn_loops_chosen()->gelu_forward(n, x, y);
}

void gp_nn_gelu_backward(int64_t n, const gp_real *x, gp_real *d, gp_real *y) {
    gp_nn_loops_chosen()->gelu_backward(n, x, d, y);
}
