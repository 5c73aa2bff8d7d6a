/* The ScaLAPACK that CMake found links and works: the Cholesky factor of a small matrix, spread
 * over any number of ranks, multiplies back to the matrix. */
#include "mpi/par.h"
#include "tests/support/mpi_test.h"

#include <stdlib.h>

void Cblacs_get(int context, int what, int *value);
void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
void Cblacs_gridinfo(int context, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit(int context);

int numroc_(const int *n, const int *block, const int *mine, const int *source, const int *parts);
void descinit_(int *desc, const int *m, const int *n, const int *mb, const int *nb, const int *rsrc,
               const int *csrc, const int *context, const int *lld, int *info);
void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
              const int *desc, int *info);
void pdgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
             const double *alpha, const double *a, const int *ia, const int *ja, const int *desca,
             const double *b, const int *ib, const int *jb, const int *descb, const double *beta,
             double *c, const int *ic, const int *jc, const int *descc);
double pdlange_(const char *norm, const int *m, const int *n, const double *a, const int *ia,
                const int *ja, const int *desc, double *work);

enum { N = 50, BLOCK = 4 };

static gp_par *par;

typedef struct grid {
    int context, rows, columns, row, column;
    int local_rows, local_columns;
    int desc[9];
} grid;

/* All ranks, as square as their number allows: a prime number gives one row. */
static void grid_open(grid *g, int size) {
    int n = N, block = BLOCK, zero = 0, info, rows = 1;
    for (int r = 1; r * r <= size; r++)
        rows = size % r == 0 ? r : rows;
    Cblacs_get(-1, 0, &g->context);
    Cblacs_gridinit(&g->context, "Row", rows, size / rows);
    Cblacs_gridinfo(g->context, &g->rows, &g->columns, &g->row, &g->column);
    g->local_rows = numroc_(&n, &block, &g->row, &zero, &g->rows);
    g->local_columns = numroc_(&n, &block, &g->column, &zero, &g->columns);
    int lld = g->local_rows > 0 ? g->local_rows : 1;
    descinit_(g->desc, &n, &n, &block, &block, &zero, &zero, &g->context, &lld, &info);
    assert_all(info == 0 && g->rows * g->columns == size);
}

static int global_of(int local, int mine, int parts) {
    return (local / BLOCK * parts + mine) * BLOCK + local % BLOCK;
}

/* Diagonally dominant, so positive definite. */
static double element(int i, int j) {
    return 1.0 / (1 + abs(i - j)) + (i == j ? 8.0 : 0.0);
}

static void the_cholesky_factor_multiplies_back_to_the_matrix(void **state) {
    (void)state;
    grid g;
    double a[N * N], factor[N * N]; /* a rank's part is at most the whole */
    int n = N, one = 1, info = -1;
    double minus = -1, plus = 1;
    grid_open(&g, gp_par_size(par));
    for (int j = 0; j < g.local_columns; j++)
        for (int i = 0; i < g.local_rows; i++)
            a[j * g.local_rows + i] = factor[j * g.local_rows + i] =
                element(global_of(i, g.row, g.rows), global_of(j, g.column, g.columns));
    pdpotrf_("L", &n, factor, &one, &one, g.desc, &info);
    assert_all(info == 0);
    for (int j = 0; j < g.local_columns; j++)
        for (int i = 0; i < g.local_rows; i++)
            if (global_of(i, g.row, g.rows) < global_of(j, g.column, g.columns))
                factor[j * g.local_rows + i] = 0;
    double norm = pdlange_("M", &n, &n, a, &one, &one, g.desc, NULL);
    assert_all(norm == 9.0);
    pdgemm_("N", "T", &n, &n, &n, &minus, factor, &one, &one, g.desc, factor, &one, &one, g.desc,
            &plus, a, &one, &one, g.desc);
    double residual = pdlange_("M", &n, &n, a, &one, &one, g.desc, NULL);
    assert_all(residual < 1e-13); /* a few roundings of elements up to 9 */
    Cblacs_gridexit(g.context);
}

static void a_matrix_that_is_not_positive_definite_is_refused(void **state) {
    (void)state;
    grid g;
    double a[N * N] = {0};
    int n = N, one = 1, info = 0;
    grid_open(&g, gp_par_size(par));
    pdpotrf_("L", &n, a, &one, &one, g.desc, &info);
    assert_all(info == 1);
    Cblacs_gridexit(g.context);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cholesky_factor_multiplies_back_to_the_matrix),
        cmocka_unit_test(a_matrix_that_is_not_positive_definite_is_refused),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("scalapack", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
