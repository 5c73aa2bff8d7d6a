/** Covariates made orthonormal, and traits freed from them, over the samples of one pattern of
 *  missing phenotypes.
 *
 *  Arrays here hold only the samples in use (n of them), one column after the other. Everything
 *  is centred first: the intercept is always in the model and needs no column. Sums are made in a
 *  fixed order, so results do not depend on threads or CPU. Local. Source: modified Gram-Schmidt,
 *  done twice (Giraud et al. 2005, Numer Math 101:87: orthogonal to rounding).
 */
#ifndef GP_SRC_ASSOC_DESIGN_H
#define GP_SRC_ASSOC_DESIGN_H

#include <stdint.h>

/** Turns covariates into an orthonormal basis of their centred span.
 *    x  inout  [c x n] one row per covariate; on return the first *rank rows are the basis
 *    kept  out  [c] 1 where covariate j added a direction, 0 where it is constant or a combination
 *                 of earlier ones
 *  Values are finite, of size 1e-150 to 1e150. Lengths are good to n / 8 roundings. Returns the
 *  rank. Cost 4 n c^2. */
int64_t gp_design_basis(double *x, int64_t n, int64_t c, uint8_t *kept);

/** Centres y, removes the basis from it, and scales it to length 1.
 *    q  in  [rank x n]
 *    y  inout  [n]
 *  Returns the length it had (0 where y is constant or lies in the span: y is then all 0). */
double gp_design_residual(const double *q, int64_t n, int64_t rank, double *y);

#endif
