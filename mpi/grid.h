/** A process grid for dense matrices, and the one way in which n x n matrices lie on it.
 *
 *  ScaLAPACK's two-dimensional block-cyclic distribution, with blocks of GP_GRID_BLOCK, of a matrix
 *  whose rows and columns are samples in an order of their own. Block b of that order belongs to
 *  class b mod L, L the least common multiple of the grid's sides; and each class is a run of
 *  consecutive samples of the cohort. So the rows (and the columns) of every rank are few runs of
 *  consecutive samples, which are what a store and a file of a matrix read fast; eigenvalues do not
 *  care about the order. All but opening and closing is local.
 */
#ifndef GP_MPI_GRID_H
#define GP_MPI_GRID_H

#include "mpi/par.h"

enum { GP_GRID_BLOCK = 64 /* samples; a multiple of the 64 that a store packs together */ };

typedef struct gp_par_grid gp_par_grid;

/** Makes a grid of P x Q ranks, P <= Q: as many as can be had with Q at most 2 P (1 x 2 and 1 x 3
 *  too); ranks beyond P Q are off the grid. Collective. A prime number of ranks loses a few:
 *  7 ranks make 2 x 3, 13 make 3 x 4, 256 make 16 x 16.
 *  *grid is NULL on failure. */
int gp_par_grid_open(gp_par *par, gp_par_grid **grid, gp_err *err);

/** Collective; NULL is accepted. */
void gp_par_grid_close(gp_par_grid *grid);

/** The sides that the grid of so many ranks has. Local. */
void gp_par_grid_choose(int ranks, int *rows, int *columns);

/** P, Q, and this rank's row and column; -1 off the grid. */
int gp_par_grid_rows(const gp_par_grid *grid);
int gp_par_grid_columns(const gp_par_grid *grid);
int gp_par_grid_row(const gp_par_grid *grid);
int gp_par_grid_column(const gp_par_grid *grid);

/** Samples in the grid's order. */
typedef struct gp_layout {
    int64_t n;
    int rows, columns;  /* P, Q */
    int row, column;    /* -1 off the grid */
    int classes;        /* L */
    int64_t *begin;     /* [classes] first sample of each class */
    int64_t *count;     /* [classes] samples of each class; begins are multiples of 64 */
    int64_t local_rows; /* of this rank; 0 off the grid */
    int64_t local_columns;
} gp_layout;

/** Lays out n samples, or, for a rank of any grid, tests and predictions, as that rank would. */
int gp_layout_init(gp_layout *layout, int64_t n, const gp_par_grid *grid, gp_err *err);
int gp_layout_init_as(gp_layout *layout, int64_t n, int rows, int columns, int row, int column,
                      gp_err *err);
void gp_layout_free(gp_layout *layout);

/** The sample at place i of the grid's order, and the reverse; 0 <= i < n. */
int64_t gp_layout_sample(const gp_layout *layout, int64_t place);
int64_t gp_layout_place(const gp_layout *layout, int64_t sample);

/** The place of local row r, of local column c. */
int64_t gp_layout_row_place(const gp_layout *layout, int64_t r);
int64_t gp_layout_column_place(const gp_layout *layout, int64_t c);

/** A run of samples that this rank holds as local rows (or columns): a class. */
typedef struct gp_layout_run {
    int class;
    int64_t begin, count; /* samples */
} gp_layout_run;

/** The k-th run of this rank's rows; of its columns. 1, or 0 when there are no more. */
int gp_layout_row_run(const gp_layout *layout, int k, gp_layout_run *run);
int gp_layout_column_run(const gp_layout *layout, int k, gp_layout_run *run);

/** The local row of a sample that this rank holds as a row; -1 where it does not. */
int64_t gp_layout_local_row(const gp_layout *layout, int64_t sample);
int64_t gp_layout_local_column(const gp_layout *layout, int64_t sample);

#endif
