/* Products of a large matrix with a thin one that every rank has: this rank's part, then one sum
 * over all ranks. A thin matrix that is row-major is, to BLAS, its transpose in column-major form.
 */
#include "mpi/dense_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = GP_GRID_BLOCK };

/* What one product works on: this rank's rows of x and y in the order of its part. */
typedef struct thin {
    const gp_dense *a;
    int64_t k;
    int64_t *row, *column;        /* [local] the row of the thin matrix of each local row, column */
    double *of_rows, *of_columns; /* [local x k] */
    double *to_rows, *to_columns;
} thin;

static void thin_free(thin *t) {
    free(t->row);
    free(t->column);
    free(t->of_rows);
    free(t->of_columns);
    free(t->to_rows);
    free(t->to_columns);
}

/* Collective. Columns are places (eigenvectors' numbers) where by_number. */
static int thin_init(thin *t, const gp_dense *a, int64_t k, int by_number, gp_err *err) {
    const gp_layout *l = &a->layout;
    int64_t rows = l->local_rows, columns = l->local_columns;
    *t = (thin){.a = a, .k = k};
    if (k < 1 || k > INT_MAX)
        gp_err_set(err, GP_EFAIL, "a thin matrix of %lld columns; report this", (long long)k);
    else if ((t->row = gp_mem_alloc(rows, sizeof *t->row, err)) != NULL &&
             (t->column = gp_mem_alloc(columns, sizeof *t->column, err)) != NULL &&
             (t->of_rows = gp_mem_alloc(rows * k, sizeof(double), err)) != NULL &&
             (t->of_columns = gp_mem_alloc(columns * k, sizeof(double), err)) != NULL &&
             (t->to_rows = gp_mem_alloc(rows * k, sizeof(double), err)) != NULL)
        t->to_columns = gp_mem_alloc(columns * k, sizeof(double), err);
    if (gp_par_agree(a->par, err) != GP_OK) {
        thin_free(t);
        return err->code;
    }
    for (int64_t r = 0; r < rows; r++)
        t->row[r] = gp_layout_sample(l, gp_layout_row_place(l, r));
    for (int64_t c = 0; c < columns; c++) {
        int64_t place = gp_layout_column_place(l, c);
        t->column[c] = by_number ? place : gp_layout_sample(l, place);
    }
    return GP_OK;
}

static void pick(const double *x, int64_t k, const int64_t *row, int64_t count, double *picked) {
    for (int64_t i = 0; i < count; i++)
        memcpy(picked + i * k, x + row[i] * k, (size_t)k * sizeof *x);
}

static void add_back(const double *part, int64_t k, const int64_t *row, int64_t count, double *y) {
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < k; j++)
            y[row[i] * k + j] += part[i * k + j];
}

/* y += x a (not transposed) or x a' for the part of `rows` and `columns` from value on. */
static void multiply(const thin *t, const char *turned, const double *value, const int64_t *size,
                     const double *x, double *y) {
    int k = (int)t->k, rows = (int)size[0], columns = (int)size[1], lead = (int)t->a->lead;
    double one = 1;
    if (rows < 1 || columns < 1)
        return;
    int out = *turned == 'N' ? columns : rows, inner = *turned == 'N' ? rows : columns;
    dgemm_("N", turned, &k, &out, &inner, &one, x, &k, value, &lead, &one, y, &k);
}

static void clear(double *y, int64_t count) {
    memset(y, 0, (size_t)count * sizeof *y);
}

int gp_dense_times_turned(const gp_dense *a, const double *x, int64_t k, double *y, gp_err *err) {
    const gp_layout *l = &a->layout;
    thin t;
    if (thin_init(&t, a, k, 1, err) != GP_OK)
        return err->code;
    pick(x, k, t.row, l->local_rows, t.of_rows);
    multiply(&t, "N", a->value, (int64_t[]){l->local_rows, l->local_columns}, t.of_rows,
             t.to_columns);
    clear(y, l->n * k);
    add_back(t.to_columns, k, t.column, l->local_columns, y);
    thin_free(&t);
    return gp_par_add(a->par, y, l->n * k, err);
}

int gp_dense_times(const gp_dense *a, const double *x, int64_t k, double *y, gp_err *err) {
    const gp_layout *l = &a->layout;
    thin t;
    if (thin_init(&t, a, k, 1, err) != GP_OK)
        return err->code;
    pick(x, k, t.column, l->local_columns, t.of_columns);
    multiply(&t, "T", a->value, (int64_t[]){l->local_rows, l->local_columns}, t.of_columns,
             t.to_rows);
    clear(y, l->n * k);
    add_back(t.to_rows, k, t.row, l->local_rows, y);
    thin_free(&t);
    return gp_par_add(a->par, y, l->n * k, err);
}

/* One block column of the lower triangle: its block on the diagonal, where this rank has it, and
 * what lies below, which counts for the upper triangle too. */
static void multiply_block_column(thin *t, int64_t c) {
    const gp_layout *l = &t->a->layout;
    int64_t wide = gp_least(BLOCK, l->local_columns - c), k = t->k;
    int64_t place = gp_layout_column_place(l, c);
    int64_t r = gp_dense_row_from(l, place), below = gp_dense_row_from(l, place + BLOCK);
    const double *value = t->a->value + c * t->a->lead;
    if (below > r) {
        int m = (int)k, n = (int)wide, lead = (int)t->a->lead;
        double one = 1;
        dsymm_("R", "L", &m, &n, &one, value + r, &lead, t->of_columns + c * k, &m, &one,
               t->to_rows + r * k, &m);
    }
    int64_t size[2] = {l->local_rows - below, wide};
    multiply(t, "N", value + below, size, t->of_rows + below * k, t->to_columns + c * k);
    multiply(t, "T", value + below, size, t->of_columns + c * k, t->to_rows + below * k);
}

int gp_dense_symmetric_times(const gp_dense *a, const double *x, int64_t k, double *y,
                             gp_err *err) {
    const gp_layout *l = &a->layout;
    thin t;
    if (thin_init(&t, a, k, 0, err) != GP_OK)
        return err->code;
    pick(x, k, t.row, l->local_rows, t.of_rows);
    pick(x, k, t.column, l->local_columns, t.of_columns);
    for (int64_t c = 0; c < l->local_columns; c += BLOCK)
        multiply_block_column(&t, c);
    clear(y, l->n * k);
    add_back(t.to_rows, k, t.row, l->local_rows, y);
    add_back(t.to_columns, k, t.column, l->local_columns, y);
    thin_free(&t);
    return gp_par_add(a->par, y, l->n * k, err);
}
