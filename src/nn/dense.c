#include "src/nn/dense.h"
#include "src/nn/loops.h"

#include <string.h>

void gp_nn_dense_forward(const gp_nn_dense *dense, const gp_real *x, gp_real *y) {
    int64_t rows = dense->rows, in = dense->in, out = dense->out;
    if (dense->bias != NULL)
        for (int64_t i = 0; i < rows; i++)
            memcpy(y + i * out, dense->bias, (size_t)out * sizeof *y);
    gp_nn_multiply(dense->engine, gp_nn_matrix(x, rows, in), gp_nn_turned(dense->weight, out, in),
                   1, dense->bias != NULL, gp_nn_matrix(y, rows, out));
}

void gp_nn_dense_backward(const gp_nn_dense *dense, const gp_real *dy, int keep, gp_real *dx) {
    int64_t rows = dense->rows, in = dense->in, out = dense->out;
    gp_nn_multiply(dense->engine, gp_nn_matrix(dy, rows, out), gp_nn_matrix(dense->weight, out, in),
                   1, (gp_real)keep, gp_nn_matrix(dx, rows, in));
}

void gp_nn_dense_gradient(const gp_nn_dense *dense, const gp_real *dy, const gp_real *x,
                          gp_real *dweight, gp_real *dbias) {
    int64_t rows = dense->rows, in = dense->in, out = dense->out;
    gp_nn_multiply(dense->engine, gp_nn_turned(dy, rows, out), gp_nn_matrix(x, rows, in), 1, 0,
                   gp_nn_matrix(dweight, out, in));
    if (dense->bias != NULL)
        gp_nn_loops_chosen()->column_sums(rows, out, dy, dbias);
}
