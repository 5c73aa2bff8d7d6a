#include "src/nn/norm.h"
#include "src/nn/loops.h"

void gp_nn_norm_forward(const gp_nn_norm *norm, const gp_real *x, const gp_nn_norm_kept *kept,
                        gp_real *y) {
    gp_nn_loops_chosen()->norm_forward(norm, x, kept, y);
}

void gp_nn_norm_again(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *y) {
    gp_nn_loops_chosen()->norm_again(norm, kept, y);
}

void gp_nn_norm_gradient(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, const gp_real *dy,
                         gp_real *dweight, gp_real *dbias) {
    gp_nn_loops_chosen()->norm_gradient(norm, kept, dy, dweight, dbias);
}

void gp_nn_norm_backward(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *dy,
                         gp_real *dx) {
    gp_nn_loops_chosen()->norm_backward(norm, kept, dy, dx);
}
