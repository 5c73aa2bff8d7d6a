/** Products of tall, thin matrices whose rows are shared out over ranks. Private to src/pca.
 *
 *  A matrix is [columns x rows] here: own rows, one column behind the other. Threads of OpenMP
 *  share the work; the same bytes for any number of them.
 */
#ifndef GP_SRC_PCA_THIN_H
#define GP_SRC_PCA_THIN_H

#include "src/pca/subspace.h"

typedef struct gp_thin {
    const gp_subspace *s; /* borrowed: rows, and how ranks add */
    int64_t blocks;       /* of rows, over all ranks */
    int64_t *sums;        /* [blocks x a x b] bits of doubles */
    double *scratch;      /* [threads x most x panel] */
    int64_t share;        /* doubles of one thread's scratch */
} gp_thin;

/** For products of up to a columns with up to b. Comes zeroed; freed in any case. Local. */
int gp_thin_init(gp_thin *thin, const gp_subspace *s, int64_t a, int64_t b, gp_err *err);
void gp_thin_free(gp_thin *thin);

/** c = a' b over the rows of all ranks. Collective.
 *    c  out  [columns_a x columns_b] row-major, the same on all ranks */
int gp_thin_cross(gp_thin *thin, const double *a, int64_t columns_a, const double *b,
                  int64_t columns_b, double *c, gp_err *err);

/** b -= a c. Local.
 *    c  in  [columns_a x columns_b] row-major */
void gp_thin_subtract(const gp_thin *thin, const double *a, int64_t columns_a, const double *c,
                      int64_t columns_b, double *b);

/** a = a r', in place. Local.
 *    a  inout  [columns x rows] becomes [turned x rows]
 *    r  in     [turned x columns] row-major; turned <= columns */
void gp_thin_turn(gp_thin *thin, double *a, int64_t columns, const double *r, int64_t turned);

#endif
