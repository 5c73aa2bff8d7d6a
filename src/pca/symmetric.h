/** Eigenvalues and vectors of a small symmetric matrix, the same bytes on every machine.
 *
 *  For the matrices of some hundred rows that stand between the large products: every rank
 *  solves the same one for itself. A LAPACK would be faster, but its last bits depend on the
 *  CPU, and with them everything that follows. Local, thread-safe.
 */
#ifndef GP_SRC_PCA_SYMMETRIC_H
#define GP_SRC_PCA_SYMMETRIC_H

#include "src/base/err.h"
#include <stdint.h>

/** Solves a v = value v, the largest value first.
 *    a      inout  [n x n] symmetric (both triangles); then row k is vector k, of length 1
 *    value  out    [n] descending
 *    work   out    [n] scratch
 *  GP_EFAIL where a number is not finite. Only additions, products, quotients and square roots
 *  in a fixed order. Cost about 9 n^3. Source: Householder reduction and implicit QL, Bowdler et
 *  al. 1968, Numer Math 11:293 (tred2, tql2). */
int gp_symmetric_eigen(int64_t n, double *a, double *value, double *work, gp_err *err);

#endif
