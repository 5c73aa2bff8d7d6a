/* Eigenvalues and vectors of a dense symmetric matrix over all ranks, beside what the ranks' linear
 * algebra library does in a product of matrices.
 *
 *   mpirun -n R spectrum N     (default 2000; one thread a rank)
 *
 * The matrix is that of second differences, whose eigenvalues are known; a wrong one ends the
 * program. Operations are counted as 4/3 n^3 for the reduction to tridiagonal form, 8/3 n^3 for
 * divide and conquer (at most: it often needs fewer), 2 n^3 for the vectors turned back. */
#include "mpi/dense.h"
#include "src/base/blas.h"
#include "src/base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc);

/* Seconds of one product of n x n matrices on this rank: the quickest of three. */
static double product_seconds(int n, gp_err *err) {
    const double one = 1.0, none = 0.0;
    double *a = gp_mem_alloc(3, (int64_t)n * n * (int64_t)sizeof *a, err), best = INFINITY;
    for (int round = 0; a != NULL && round < 3; round++) {
        for (int64_t i = 0; i < 2 * (int64_t)n * n; i++)
            a[i] = (double)(i % 7) - 3.0;
        double begin = omp_get_wtime();
        dgemm_("N", "N", &n, &n, &n, &one, a, &n, a + (int64_t)n * n, &n, &none,
               a + 2 * (int64_t)n * n, &n);
        best = fmin(best, omp_get_wtime() - begin);
    }
    free(a);
    return best;
}

/* A number in -1 to 1 for a pair of places, the same both ways. */
static double element(int64_t i, int64_t j) {
    uint64_t x = (uint64_t)(i > j ? i : j) * 0x9E3779B97F4A7C15u + (uint64_t)(i > j ? j : i);
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return (double)((x ^ x >> 31) >> 11) * 0x1p-52 - 1.0;
}

/* sum: of the diagonal, and of all squares. */
static void fill(gp_dense *a, double sum[2]) {
    for (int64_t c = 0; c < a->layout.local_columns; c++)
        for (int64_t r = 0; r < a->layout.local_rows; r++) {
            int64_t i = gp_layout_row_place(&a->layout, r),
                    j = gp_layout_column_place(&a->layout, c);
            double v = element(i, j);
            a->value[c * a->lead + r] = v;
            sum[0] += i == j ? v : 0.0;
            sum[1] += v * v;
        }
}

/* Eigenvalues and their squares have the sums that the matrix has. */
static int check(const double *value, int64_t n, const double sum[2], gp_err *err) {
    double values = 0.0, squares = 0.0;
    for (int64_t k = 0; k < n; k++) {
        values += value[k];
        squares += value[k] * value[k];
    }
    if (!(fabs(values - sum[0]) < 1e-9 * (double)n && fabs(squares / sum[1] - 1.0) < 1e-11))
        gp_err_set(err, GP_EFAIL,
                   "eigenvalues sum to %.15g, squares to %.15g; expected %.15g, %.15g", values,
                   squares, sum[0], sum[1]);
    return err->code;
}

static int measure(gp_par *par, int64_t n, gp_err *err) {
    gp_par_grid *grid = NULL;
    gp_dense a = {0}, vector = {0};
    double *value = gp_mem_alloc(n, sizeof *value, err);
    int size = n < 2000 ? (int)n : 2000;
    gp_par_agree(par, err);
    double product = product_seconds(size, err);
    if (gp_par_agree(par, err) == GP_OK && gp_par_grid_open(par, &grid, err) == GP_OK &&
        gp_dense_init(&a, par, grid, n, err) == GP_OK &&
        gp_dense_init(&vector, par, grid, n, err) == GP_OK) {
        double sum[2] = {0};
        fill(&a, sum);
        gp_par_add(par, sum, 2, err);
        double begin = omp_get_wtime();
        if (gp_dense_eigen(&a, value, &vector, err) == GP_OK &&
            check(value, n, sum, err) == GP_OK && gp_par_rank(par) == 0) {
            double seconds = omp_get_wtime() - begin, ranks = gp_par_size(par),
                   cube = pow((double)n, 3);
            double rate = 6.0 * cube / seconds, peak = ranks * 2.0 * pow(size, 3) / product;
            printf("%s  ranks %.0f (%d x %d)  n %lld  seconds %.2f  gflops %.1f  dgemm_gflops %.1f "
                   " share %.2f\n",
                   gp_dense_solver(), ranks, gp_par_grid_rows(grid), gp_par_grid_columns(grid),
                   (long long)n, seconds, rate * 1e-9, peak * 1e-9, rate / peak);
        }
        gp_par_agree(par, err);
    }
    gp_dense_free(&a);
    gp_dense_free(&vector);
    gp_par_grid_close(grid);
    free(value);
    return err->code;
}

int main(int argc, char **argv) {
    gp_err err = {0};
    gp_par *par = NULL;
    omp_set_num_threads(1);
    gp_blas_threads(1);
    if (gp_par_open(&par, &argc, &argv, &err) == GP_OK) {
        long long n = argc > 1 ? atoll(argv[1]) : 2000;
        if (n < 1 || n > 1000000)
            gp_err_set(&err, GP_EINPUT, "usage: spectrum N, samples from 1 to 1000000");
        else
            measure(par, n, &err);
        if (err.code != GP_OK && gp_par_rank(par) == 0)
            fprintf(stderr, "gp-dist: error: benchmarks/spectrum: %s\n", err.text);
    }
    gp_par_close(par);
    return err.code;
}
