/** The largest eigenvalues and vectors of a matrix that is known by its products alone.
 *
 *  Block Lanczos with full reorthogonalisation and thick restarts: every product with a block of
 *  columns widens a basis, whose small projected matrix is solved; when the basis is full its
 *  best vectors are kept. The n rows are shared out over ranks in whole blocks of
 *  GP_SUBSPACE_ROWS. What ranks add up are the blocks' own sums, each in its own place, and
 *  every rank adds those in their order: results are the same bytes for any number of ranks and
 *  threads. The caller lends the products and the exact sums, so there is no MPI here. Source:
 *  Golub and Underwood 1977, in Mathematical Software III:361 (block Lanczos); Wu and Simon
 *  2000, SIAM J Matrix Anal Appl 22:602 (thick restart); Stathopoulos and Wu 2002, SIAM J Sci
 *  Comput 23:2165 (blocks made orthonormal).
 */
#ifndef GP_SRC_PCA_SUBSPACE_H
#define GP_SRC_PCA_SUBSPACE_H

#include "src/base/err.h"
#include <stdint.h>

enum { GP_SUBSPACE_ROWS = 4096, GP_SUBSPACE_PURPOSE = 64 /* of the start's random numbers */ };

/** Columns at once for so many wanted vectors, and columns of the basis at most, n rows. */
int64_t gp_subspace_block(int64_t n, int64_t wanted);
int64_t gp_subspace_most(int64_t n, int64_t wanted);

/** Columns of own rows lie one behind the other: [columns x rows]. Every function is called by
 *  all ranks alike, and its outcome is the same on all. */
typedef struct gp_subspace {
    int64_t n;           /* rows in all */
    int64_t first, rows; /* this rank's: whole blocks (the last one may be short); may be none */
    int64_t wanted;      /* <= n */
    double tolerance;    /* of |A v - value v|, relative to the value */
    int64_t most_products;
    uint64_t seed;
    void *context;
    /** y = A x for a symmetric positive semi-definite A: 1 to gp_subspace_block columns of
     *  length 1. Collective. */
    int (*multiply)(void *context, const double *x, int64_t columns, double *y, gp_err *err);
    /** Adds integers over all ranks, modulo 2^64. Collective. NULL: one rank. */
    int (*add)(void *context, int64_t *x, int64_t count, gp_err *err);
    /** One outcome for all ranks, after local work that can fail. NULL: one rank. */
    int (*agree)(void *context, gp_err *err);
    /* out */
    double *value;    /* [wanted] descending */
    double *residual; /* [wanted] |A v - value v| */
    double *vector;   /* [wanted x rows] of length 1, orthogonal to rounding */
    int64_t products; /* how many were needed */
    int converged;    /* 0 where most_products were not enough */
} gp_subspace;

/** Solves. value, residual and vector are allocated here; free with gp_subspace_free, in any
 *  case. GP_EFAIL where memory is refused or a number is not finite, and what the callbacks
 *  return. Memory: gp_subspace_bytes. Cost between products: about 12 rows x basis x block. */
int gp_subspace_solve(gp_subspace *s, gp_err *err);
void gp_subspace_free(gp_subspace *s);

/** Bytes that a rank with so many of the n rows needs. */
int64_t gp_subspace_bytes(int64_t n, int64_t rows, int64_t wanted);

#endif
