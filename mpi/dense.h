/** Dense n x n matrices over all ranks: ScaLAPACK, on samples laid out as in mpi/grid.h.
 *
 *  Collective functions are called by all ranks of the world, those off the grid too. From the
 *  eigensolver on, floating point depends on the grid: results of different grids agree to
 *  rounding, not to the bit. The small matrices beside the large one ("thin", n x k) are global:
 *  every rank holds the same bytes, row-major by sample.
 */
#ifndef GP_MPI_DENSE_H
#define GP_MPI_DENSE_H

#include "mpi/grid.h"

/** This rank's part of an n x n matrix, column-major. */
typedef struct gp_dense {
    gp_par *par;
    const gp_par_grid *grid; /* borrowed */
    gp_layout layout;
    int64_t lead;  /* doubles from one local column to the next: local_rows, at least 1 */
    double *value; /* [local_columns x lead], 0 at first */
} gp_dense;

/** Collective. Comes zeroed; freed in any case. */
int gp_dense_init(gp_dense *a, gp_par *par, const gp_par_grid *grid, int64_t n, gp_err *err);
void gp_dense_free(gp_dense *a);

/** Bytes that each rank needs, at most, for a matrix of n samples on a grid of rows x columns, and
 *  for gp_dense_eigen on top of the two matrices (work space: about two more). Local. */
int64_t gp_dense_bytes(int64_t n, int rows, int columns);
int64_t gp_dense_eigen_bytes(int64_t n, int rows, int columns);

/** Symmetric matrices hold the elements whose row's place is not before the column's; the others
 *  are ignored, but by gp_dense_mirror, which sets them. Collective. */
int gp_dense_mirror(gp_dense *a, gp_err *err);

/** Row sums of a symmetric matrix (both triangles counted). Collective.
 *    sum  out  [n] global, by sample */
int gp_dense_row_sums(const gp_dense *a, double *sum, gp_err *err);

/** a = (I - J) a (I - J), J = 1 1' / n; so that it has no mean. Collective; the lower triangle. */
int gp_dense_centre(gp_dense *a, gp_err *err);

/** a = s a. Local. */
void gp_dense_scale(gp_dense *a, double s);

/** The sum of the diagonal. Collective. */
int gp_dense_trace(const gp_dense *a, double *trace, gp_err *err);

/** Which eigensolver this program was built with: "ELPA 2022.11" or "ScaLAPACK". */
const char *gp_dense_solver(void);

/** Eigenvalues, ascending, and vectors of a symmetric matrix, which is destroyed. Collective.
 *    value   out    [n] global, the same bytes on all ranks
 *    vector  inout  an initialised matrix of the same layout: column k (in plain block-cyclic
 *                   order) is the vector of value[k], rows are places. NULL: values only
 *  GP_EFAIL on all ranks where the solver does not converge, the matrix is not finite, or memory
 *  is refused; GP_EINPUT where the work space is more than ScaLAPACK can count.
 *  Cost: 4/3 n^3 operations for the reduction, half of them as slow as memory is; up to 16/3 n^3
 *  for the vectors. */
int gp_dense_eigen(gp_dense *a, double *value, gp_dense *vector, gp_err *err);

/** y = a' x (turned), or y = a x, for a matrix with both triangles (vectors; or mirrored). The side
 *  that is a sample index is by sample, the side that is an eigenvector by number. Collective.
 *    x  in   [n x k] row-major, global
 *    y  out  [n x k] row-major, global */
int gp_dense_times_turned(const gp_dense *vector, const double *x, int64_t k, double *y,
                          gp_err *err);
int gp_dense_times(const gp_dense *vector, const double *x, int64_t k, double *y, gp_err *err);

/** y = a x for a symmetric matrix of which the lower triangle is there: both sides by sample. */
int gp_dense_symmetric_times(const gp_dense *a, const double *x, int64_t k, double *y, gp_err *err);

/** Hands the columns of `vector` out to the shards of every group (mpi/par.h): panel by panel,
 *  each column to one shard of each group. Collective; a rank without a group only helps. Shard s
 *  of S gets the blocks s, s + S, s + 2 S, ... of 64 columns, in this order.
 *    take  in  called with `count` columns and their numbers; panel [count x n] is one column
 *              after the other, by sample. Below 0 on failure: err says why; that rank then takes
 *              no more, and all ranks fail at the end
 *  Memory: a panel of 64 columns, and as much again in messages, beside the matrix. */
typedef int gp_dense_take(void *context, const int64_t *number, int64_t count, const double *panel,
                          gp_err *err);
int gp_dense_columns(const gp_dense *vector, gp_dense_take *take, void *context, gp_err *err);

/** How many columns the shard of this rank gets from gp_dense_columns. Local. */
int64_t gp_dense_columns_count(int64_t n, int shards, int shard);

#endif
