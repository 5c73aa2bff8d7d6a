/** What stands behind a process grid, and the C names of BLACS, for the files of mpi/ and their
 *  tests only. */
#ifndef GP_MPI_GRID_PRIVATE_H
#define GP_MPI_GRID_PRIVATE_H

#include "mpi/grid.h"
#include "mpi/par_private.h"

struct gp_par_grid {
    int context; /* of BLACS; -1 off the grid */
    int rows, columns, row, column;
};

/** Of n places dealt out in blocks to so many parts, those of one part; 0 of part -1. Local. */
int64_t gp_layout_share(int64_t n, int parts, int part);

/* BLACS declares its C names in no header. */
void Cblacs_get(int context, int what, int *value);
void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
void Cblacs_gridinfo(int context, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit(int context);

/** A grid of the first rows x columns ranks, row by row: its context, -1 on the others.
 *  Collective. */
int gp_par_blacs_open(int rows, int columns);

/** Collective over the grid; -1 is accepted. */
void gp_par_blacs_close(int context);

#endif
