#include "mpi/dense_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <limits.h>
#include <stdlib.h>

enum { BLOCK = GP_GRID_BLOCK };

/* The grid's first rank has most. */
static int64_t most_of(int64_t n, int rows, int columns) {
    return gp_layout_share(n, rows, 0) * gp_layout_share(n, columns, 0);
}

int64_t gp_dense_bytes(int64_t n, int rows, int columns) {
    return most_of(n, rows, columns) * (int64_t)sizeof(double);
}

/* ScaLAPACK counts the elements of a part in 32 bits. */
static int check_size(int64_t n, const gp_layout *layout, gp_err *err) {
    if (n <= INT_MAX / 2 && most_of(n, layout->rows, layout->columns) <= INT_MAX)
        return GP_OK;
    return gp_err_set(err, GP_EINPUT,
                      "a matrix of %lld samples on %d x %d ranks has more than 2^31 numbers on a "
                      "rank, which ScaLAPACK cannot count; start at least %lld ranks",
                      (long long)n, layout->rows, layout->columns,
                      (long long)((double)n * (double)n / INT_MAX * 1.1) + 1);
}

int gp_dense_init(gp_dense *a, gp_par *par, const gp_par_grid *grid, int64_t n, gp_err *err) {
    *a = (gp_dense){.par = par, .grid = grid};
    if (gp_layout_init(&a->layout, n, grid, err) == GP_OK &&
        check_size(n, &a->layout, err) == GP_OK) {
        a->lead = a->layout.local_rows > 0 ? a->layout.local_rows : 1;
        a->value = gp_mem_alloc(a->layout.local_columns * a->lead, sizeof *a->value, err);
    }
    if (gp_par_agree(par, err) != GP_OK)
        gp_dense_free(a);
    return err->code;
}

void gp_dense_free(gp_dense *a) {
    gp_layout_free(&a->layout);
    free(a->value);
    *a = (gp_dense){0};
}

gp_desc gp_dense_desc(const gp_dense *a) {
    return (gp_desc){.type = 1,
                     .context = a->grid->context,
                     .m = (int)a->layout.n,
                     .n = (int)a->layout.n,
                     .mb = BLOCK,
                     .nb = BLOCK,
                     .lead = (int)a->lead};
}

static int64_t local_from(int64_t place, int parts, int part, int64_t count) {
    if (part < 0)
        return 0;
    int64_t block = place / BLOCK, before = block / parts + (part < block % parts);
    int64_t within = block % parts == part ? place % BLOCK : 0;
    return gp_least(before * BLOCK + within, count);
}

int64_t gp_dense_row_from(const gp_layout *layout, int64_t place) {
    return local_from(place, layout->rows, layout->row, layout->local_rows);
}

int64_t gp_dense_column_from(const gp_layout *layout, int64_t place) {
    return local_from(place, layout->columns, layout->column, layout->local_columns);
}

/* The upper triangle of the block on the diagonal at a place, where this rank has it. */
static void mirror_block(gp_dense *a, int64_t place) {
    const gp_layout *l = &a->layout;
    int64_t end = gp_least(place + BLOCK, l->n);
    int64_t r = gp_dense_row_from(l, place), rows = gp_dense_row_from(l, end) - r;
    int64_t c = gp_dense_column_from(l, place), columns = gp_dense_column_from(l, end) - c;
    double *block = a->value + c * a->lead + r;
    for (int64_t j = 0; rows > 0 && j < columns; j++)
        for (int64_t i = 0; i < j; i++)
            block[j * a->lead + i] = block[i * a->lead + j];
}

int gp_dense_mirror(gp_dense *a, gp_err *err) {
    (void)err;
    if (a->layout.row < 0)
        return GP_OK;
    gp_desc desc = gp_dense_desc(a);
    int n = (int)a->layout.n;
    double one = 1, zero = 0;
    for (int at = 0; at < n; at += BLOCK) {
        int wide = BLOCK, rest = n - at - BLOCK, here = at + 1, next = at + 1 + BLOCK;
        mirror_block(a, at);
        if (rest > 0) /* a block column below the diagonal becomes the block row beside it */
            pdtran_(&wide, &rest, &one, a->value, &next, &here, &desc, &zero, a->value, &here,
                    &next, &desc);
    }
    return GP_OK;
}

/* The samples of this rank's rows, of its columns. */
static int64_t row_sample(const gp_layout *l, int64_t r) {
    return gp_layout_sample(l, gp_layout_row_place(l, r));
}

int gp_dense_row_sums(const gp_dense *a, double *sum, gp_err *err) {
    const gp_layout *l = &a->layout;
    int64_t *row = gp_mem_alloc(l->local_rows, sizeof *row, err);
    if (gp_par_agree(a->par, err) != GP_OK)
        goto done;
    for (int64_t r = 0; r < l->local_rows; r++)
        row[r] = row_sample(l, r);
    for (int64_t i = 0; i < l->n; i++)
        sum[i] = 0;
    for (int64_t c = 0; c < l->local_columns; c++) {
        int64_t place = gp_layout_column_place(l, c), column = gp_layout_sample(l, place);
        const double *value = a->value + c * a->lead;
        double below = 0;
        int64_t r = gp_dense_row_from(l, place);
        if (r < l->local_rows && row[r] == column)
            sum[column] += value[r++];
        for (; r < l->local_rows; r++) {
            sum[row[r]] += value[r];
            below += value[r];
        }
        sum[column] += below;
    }
    gp_par_add(a->par, sum, l->n, err);
done:
    free(row);
    return err->code;
}

int gp_dense_centre(gp_dense *a, gp_err *err) {
    const gp_layout *l = &a->layout;
    double *mean = gp_mem_alloc(l->n, sizeof *mean, err), total = 0;
    double *of_row = gp_mem_alloc(l->local_rows, sizeof *of_row, err);
    if (gp_par_agree(a->par, err) != GP_OK || gp_dense_row_sums(a, mean, err) != GP_OK)
        goto done;
    for (int64_t i = 0; i < l->n; i++) {
        mean[i] /= (double)l->n;
        total += mean[i];
    }
    total /= (double)l->n;
    for (int64_t r = 0; r < l->local_rows; r++)
        of_row[r] = mean[row_sample(l, r)];
    for (int64_t c = 0; c < l->local_columns; c++) {
        int64_t place = gp_layout_column_place(l, c);
        double *value = a->value + c * a->lead, of_column = mean[gp_layout_sample(l, place)];
        for (int64_t r = gp_dense_row_from(l, place); r < l->local_rows; r++)
            value[r] = value[r] - (of_row[r] + of_column) + total;
    }
done:
    free(mean);
    free(of_row);
    return err->code;
}

void gp_dense_scale(gp_dense *a, double s) {
    for (int64_t i = 0; i < a->layout.local_columns * a->lead; i++)
        a->value[i] *= s;
}

int gp_dense_trace(const gp_dense *a, double *trace, gp_err *err) {
    const gp_layout *l = &a->layout;
    *trace = 0;
    for (int64_t c = 0; c < l->local_columns; c++) {
        int64_t place = gp_layout_column_place(l, c), r = gp_dense_row_from(l, place);
        if (r < l->local_rows && gp_layout_row_place(l, r) == place)
            *trace += a->value[c * a->lead + r];
    }
    return gp_par_add(a->par, trace, 1, err);
}
