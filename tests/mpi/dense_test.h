/** Distributed matrices of known elements, small enough to be whole on every rank. */
#ifndef GP_TESTS_MPI_DENSE_TEST_H
#define GP_TESTS_MPI_DENSE_TEST_H

#include "mpi/dense.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <math.h>
#include <stdlib.h>

static gp_par *par;
static gp_par_grid *grid;

/** An element by the samples of its row and column. */
typedef double element_of(int64_t row, int64_t column, int64_t n);

/** Uniform in [-0.5, 0.5). */
static inline double noise(uint64_t seed, int64_t i, int64_t j) {
    return (double)(number_of(seed, i, j, 0) >> 11) * 0x1p-53 - 0.5;
}

static inline double random_symmetric(int64_t i, int64_t j, int64_t n) {
    return i < j ? noise(5, i, j) : noise(5, j, i) + (i == j ? (double)n / 100 : 0);
}

/** Sets the lower triangle by place; what lies above becomes `above`. */
static inline void fill(gp_dense *a, element_of *element, double above) {
    const gp_layout *l = &a->layout;
    for (int64_t c = 0; c < l->local_columns; c++)
        for (int64_t r = 0; r < l->local_rows; r++) {
            int64_t i = gp_layout_row_place(l, r), j = gp_layout_column_place(l, c);
            a->value[c * a->lead + r] =
                i < j ? above : element(gp_layout_sample(l, i), gp_layout_sample(l, j), l->n);
        }
}

/** A new matrix, filled; every rank must have the memory. */
static inline void make(gp_dense *a, int64_t n, element_of *element, double above) {
    gp_err err = {0};
    assert_all(gp_dense_init(a, par, grid, n, &err) == GP_OK);
    fill(a, element, above);
}

/** The whole matrix [n x n], row-major by sample; columns by number where by_number. Freed by the
 *  caller. */
static inline double *whole(const gp_dense *a, int by_number) {
    const gp_layout *l = &a->layout;
    gp_err err = {0};
    double *all = calloc((size_t)(l->n * l->n + 1), sizeof *all);
    for (int64_t c = 0; c < l->local_columns; c++)
        for (int64_t r = 0; r < l->local_rows; r++) {
            int64_t j = gp_layout_column_place(l, c);
            int64_t i = gp_layout_sample(l, gp_layout_row_place(l, r));
            all[i * l->n + (by_number ? j : gp_layout_sample(l, j))] = a->value[c * a->lead + r];
        }
    MPI_Allreduce(MPI_IN_PLACE, all, (int)(l->n * l->n), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    assert_all(err.code == GP_OK);
    return all;
}

/** The same bytes on all ranks. */
static inline int same_everywhere(const double *x, int64_t count) {
    uint64_t sum[2] = {0, 0}, first[2];
    for (int64_t i = 0; i < count; i++) {
        union {
            double x;
            uint64_t bits;
        } u = {.x = x[i]};
        sum[0] = (sum[0] ^ u.bits) * 0x9E3779B97F4A7C15u;
        sum[1] += u.bits;
    }
    first[0] = sum[0], first[1] = sum[1];
    MPI_Bcast(first, 2, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    return first[0] == sum[0] && first[1] == sum[1];
}

#endif
