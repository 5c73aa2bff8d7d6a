#include "mpi/grid_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>

enum { BLOCK = GP_GRID_BLOCK };

void gp_par_grid_choose(int ranks, int *rows, int *columns) {
    int64_t most = 0;
    for (int64_t p = 1; p * p <= ranks; p++) {
        int64_t q = ranks / p;
        if (q > 2 * p && !(p == 1 && q <= 3))
            q = 2 * p;
        if (p * q >= most) { /* of two equal ones the squarer */
            most = p * q;
            *rows = (int)p;
            *columns = (int)q;
        }
    }
}

int gp_par_blacs_open(int rows, int columns) {
    int context = -1;
    Cblacs_get(-1, 0, &context);
    Cblacs_gridinit(&context, "Row", rows, columns);
    return context;
}

void gp_par_blacs_close(int context) {
    if (context >= 0)
        Cblacs_gridexit(context);
}

int gp_par_grid_open(gp_par *par, gp_par_grid **out, gp_err *err) {
    gp_par_grid *grid = gp_mem_alloc(1, sizeof *grid, err);
    *out = NULL;
    if (gp_par_agree(par, err) != GP_OK) {
        free(grid);
        return err->code;
    }
    gp_par_grid_choose(par->size, &grid->rows, &grid->columns);
    grid->context = gp_par_blacs_open(grid->rows, grid->columns);
    int on = par->rank < grid->rows * grid->columns;
    grid->row = on ? par->rank / grid->columns : -1;
    grid->column = on ? par->rank % grid->columns : -1;
    *out = grid;
    return GP_OK;
}

void gp_par_grid_close(gp_par_grid *grid) {
    if (grid == NULL)
        return;
    gp_par_blacs_close(grid->context);
    free(grid);
}

int gp_par_grid_rows(const gp_par_grid *grid) {
    return grid->rows;
}

int gp_par_grid_columns(const gp_par_grid *grid) {
    return grid->columns;
}

int gp_par_grid_row(const gp_par_grid *grid) {
    return grid->row;
}

int gp_par_grid_column(const gp_par_grid *grid) {
    return grid->column;
}

static int least_common_multiple(int a, int b) {
    int x = a, y = b;
    while (y != 0) {
        int rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

int64_t gp_layout_share(int64_t n, int parts, int part) {
    if (part < 0)
        return 0;
    int64_t full = n / BLOCK, whole = full / parts * BLOCK, last = full % parts;
    if (part < last)
        return whole + BLOCK;
    return part == last ? whole + n % BLOCK : whole;
}

/* The first class in the cohort's order. The one before it holds the last block, which may be
 * short, and so comes last: the classes from here on have one block less than those before. */
static int64_t first_class(const gp_layout *layout) {
    return gp_units(layout->n, BLOCK) % layout->classes;
}

int gp_layout_init(gp_layout *layout, int64_t n, const gp_par_grid *grid, gp_err *err) {
    return gp_layout_init_as(layout, n, grid->rows, grid->columns, grid->row, grid->column, err);
}

int gp_layout_init_as(gp_layout *layout, int64_t n, int rows, int columns, int row, int column,
                      gp_err *err) {
    *layout = (gp_layout){0};
    if (n < 0 || rows < 1 || columns < 1 || row >= rows || column >= columns)
        return gp_err_set(err, GP_EFAIL, "layout: no %d x %d grid holds %lld samples; report this",
                          rows, columns, (long long)n);
    *layout = (gp_layout){.n = n, .rows = rows, .columns = columns, .row = row, .column = column};
    layout->classes = least_common_multiple(rows, columns);
    layout->local_rows = gp_layout_share(n, rows, row);
    layout->local_columns = gp_layout_share(n, columns, column);
    layout->begin = gp_mem_alloc(layout->classes, sizeof *layout->begin, err);
    layout->count = gp_mem_alloc(layout->classes, sizeof *layout->count, err);
    if (layout->begin == NULL || layout->count == NULL) {
        gp_layout_free(layout);
        return err->code;
    }
    int64_t at = 0;
    for (int64_t k = 0; k < layout->classes; k++) {
        int class = (int)((first_class(layout) + k) % layout->classes);
        layout->begin[class] = at;
        layout->count[class] = gp_layout_share(n, layout->classes, class);
        at += layout->count[class];
    }
    return GP_OK;
}

void gp_layout_free(gp_layout *layout) {
    free(layout->begin);
    free(layout->count);
    *layout = (gp_layout){0};
}

int64_t gp_layout_sample(const gp_layout *layout, int64_t place) {
    int64_t block = place / BLOCK;
    return layout->begin[block % layout->classes] + block / layout->classes * BLOCK + place % BLOCK;
}

int64_t gp_layout_place(const gp_layout *layout, int64_t sample) {
    int64_t rest = first_class(layout); /* so many classes have one block more, and lie behind */
    int64_t few = gp_units(layout->n, BLOCK) / layout->classes;
    int64_t block = sample / BLOCK, begin = (layout->classes - rest) * few;
    int64_t class, within;
    if (block < begin) {
        class = rest + block / few;
        within = block % few;
    } else {
        class = (block - begin) / (few + 1);
        within = (block - begin) % (few + 1);
    }
    return (within * layout->classes + class) * BLOCK + sample % BLOCK;
}

static int64_t place_of(int64_t local, int parts, int part) {
    return (local / BLOCK * parts + part) * BLOCK + local % BLOCK;
}

int64_t gp_layout_row_place(const gp_layout *layout, int64_t r) {
    return place_of(r, layout->rows, layout->row);
}

int64_t gp_layout_column_place(const gp_layout *layout, int64_t c) {
    return place_of(c, layout->columns, layout->column);
}

/* A part's classes are those that leave its number when divided by the parts; the empty ones are
 * the highest. */
static int run_of(const gp_layout *layout, int k, int parts, int part, gp_layout_run *run) {
    int64_t class = part + (int64_t)k * parts;
    if (part < 0 || class >= layout->classes || layout->count[class] == 0)
        return 0;
    *run = (gp_layout_run){(int)class, layout->begin[class], layout->count[class]};
    return 1;
}

int gp_layout_row_run(const gp_layout *layout, int k, gp_layout_run *run) {
    return run_of(layout, k, layout->rows, layout->row, run);
}

int gp_layout_column_run(const gp_layout *layout, int k, gp_layout_run *run) {
    return run_of(layout, k, layout->columns, layout->column, run);
}

static int64_t local_of(const gp_layout *layout, int64_t sample, int parts, int part) {
    int64_t place = gp_layout_place(layout, sample), block = place / BLOCK;
    return block % parts == part ? block / parts * BLOCK + place % BLOCK : -1;
}

int64_t gp_layout_local_row(const gp_layout *layout, int64_t sample) {
    return local_of(layout, sample, layout->rows, layout->row);
}

int64_t gp_layout_local_column(const gp_layout *layout, int64_t sample) {
    return local_of(layout, sample, layout->columns, layout->column);
}
