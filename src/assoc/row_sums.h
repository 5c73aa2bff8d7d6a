/** Sums over rows that are shared out over ranks: the same bytes for any number of ranks.
 *
 *  Rows lie in blocks of GP_SUBSPACE_ROWS, each block on one rank. Every block's own sums stand in
 *  a place of their own; ranks add the integers that are the doubles' bits (all but one have zero
 *  bits at a place), and every rank then adds the blocks in their order, as in src/pca/subspace.h.
 */
#ifndef GP_SRC_ASSOC_ROW_SUMS_H
#define GP_SRC_ASSOC_ROW_SUMS_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_row_sums {
    int64_t n, first, rows; /* in all; this rank's: whole blocks */
    int64_t blocks;         /* over all ranks */
    int64_t from, to;       /* this rank's blocks */
    int64_t cells;          /* of a block */
    int64_t *part;          /* [blocks x cells] */
    void *context;
    int (*add)(void *context, int64_t *x, int64_t count, gp_err *err); /* as in gp_subspace */
} gp_row_sums;

/** Makes room for up to `cells` sums; n, first, rows, context and add are set already. Freed in any
 *  case. Local. */
int gp_row_sums_init(gp_row_sums *s, int64_t cells, gp_err *err);
void gp_row_sums_free(gp_row_sums *s);

/** Bytes of one. */
int64_t gp_row_sums_bytes(int64_t n, int64_t cells);

/** Begins sums of so many cells: all are 0. Local. */
void gp_row_sums_begin(gp_row_sums *s, int64_t cells);

/** Sets one sum of a block of this rank. Local; one thread a place. */
void gp_row_sums_set(gp_row_sums *s, int64_t block, int64_t cell, double sum);

/** Where a block's rows begin among this rank's, and how many they are. Local. */
int64_t gp_row_sums_at(const gp_row_sums *s, int64_t block, int64_t *count);

/** Adds up. Collective.
 *    total  out  [cells] the same on all ranks */
int gp_row_sums_add(gp_row_sums *s, double *total, gp_err *err);

#endif
