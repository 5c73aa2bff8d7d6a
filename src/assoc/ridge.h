/** Ridge regression of many columns at once, matrix-free: conjugate gradients for all penalties of
 *  a grid together.
 *
 *  Column j has its own samples (a mask) and its own covariates' projection, and solves, for each
 * of its penalties, (P K P + lambda I) alpha = y,     P = M (I - Q Q') M,  y = P y where K is known
 * by its products alone (the caller lends them), M keeps the column's samples and Q is an
 * orthonormal basis of the intercept and covariates among them. Effects of variants are then Z
 * alpha / m for K = Z' Z / m. Predictions of any row i, in the mask or not, are E_i Q' y + value_i,
 * value = (I - E Q' M) K alpha where E is Q, written on to the rows outside the mask. One product a
 * step serves all penalties: residuals of all of them are multiples of each other.
 *
 *  Rows are shared out over ranks in whole blocks of GP_SUBSPACE_ROWS, and sums are made as in
 *  src/pca/subspace.h: the same bytes for any number of ranks and threads. Every function is called
 *  by all ranks alike. Source: Frommer and Maass 1999, SIAM J Sci Comput 20:1831; Jegerlehner 1996,
 *  arXiv:hep-lat/9612014 (multi-shift CG).
 */
#ifndef GP_SRC_ASSOC_RIDGE_H
#define GP_SRC_ASSOC_RIDGE_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_ridge_solve {
    int64_t n;           /* rows in all */
    int64_t first, rows; /* this rank's: whole blocks */
    int64_t columns;
    int64_t penalties;    /* of a column */
    const double *lambda; /* [columns x penalties] > 0, ascending in a column */
    int64_t designs;
    const int64_t *design; /* [columns] which mask, basis and asked are the column's */
    const uint8_t *mask;   /* [designs x rows] 1 = a sample of the columns */
    int64_t basis;         /* columns of E of every design, at least 1 */
    const double *e; /* [designs x basis x rows] orthonormal over the mask; whole columns of 0 where
                        a design has fewer. Other rows matter for `value` alone */
    const uint8_t *asked; /* [designs x rows] 1 = a row whose value is wanted */
    const double *y;      /* [columns x rows] 0 outside the mask, and free of the basis */
    double tolerance;     /* of the residual's length, relative to y's */
    int64_t most_products;
    void *context;
    /** y = K x; 1 to columns columns, of length up to 1. Collective. */
    int (*multiply)(void *context, const double *x, int64_t columns, double *y, gp_err *err);
    int (*add)(void *context, int64_t *x, int64_t count, gp_err *err); /* as in gp_subspace */
    int (*agree)(void *context, gp_err *err);
    /* out, allocated here */
    double *alpha;      /* [columns x rows] of the first penalty; 0 outside the mask */
    double *along;      /* [columns x basis] Q' K alpha of the first penalty */
    double *value;      /* [columns x penalties x asked_most] of the asked rows, in order */
    int64_t asked_most; /* rows of this rank asked by any design, at most */
    int64_t products;
    int converged;
} gp_ridge_solve;

/** Solves; columns whose y is 0 get 0. GP_EFAIL where memory is refused or a number is not
 *  finite, and what the callbacks return. Columns that have settled drop out of the products.
 *  Freed by gp_ridge_solve_free in any case. */
int gp_ridge_solve_run(gp_ridge_solve *s, gp_err *err);
void gp_ridge_solve_free(gp_ridge_solve *s);

/** Bytes that a rank needs, without the caller's arrays: s has the sizes (n, rows, columns,
 *  penalties, designs, basis), and asked is how many rows a design asks for, at most. */
int64_t gp_ridge_solve_bytes(const gp_ridge_solve *s, int64_t asked);

#endif
