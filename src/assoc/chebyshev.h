/** Interpolation of smooth functions at GP_CHEBYSHEV points of [-1, 1], and their maxima.
 *  Private to src/assoc/lmm*.c. Local, thread-safe, no allocation.
 *
 *  The points are the zeros of Chebyshev's polynomial, ascending. The error falls like rho^-K
 *  for a function that is analytic in the ellipse of foci -1 and 1 whose half-axes add up to
 *  rho. Source: Trefethen 2013, Approximation Theory and Approximation Practice, chapters 5 and
 *  8.
 */
#ifndef GP_SRC_ASSOC_CHEBYSHEV_H
#define GP_SRC_ASSOC_CHEBYSHEV_H

enum { GP_CHEBYSHEV = 16 };

typedef struct gp_chebyshev {
    double point[GP_CHEBYSHEV];
    double bary[GP_CHEBYSHEV];                    /* barycentric weights */
    double turned[GP_CHEBYSHEV][GP_CHEBYSHEV];    /* [point][order]: coefficients from values */
    double knot[GP_CHEBYSHEV + 2];                /* -1, the points, 1 */
    double slope[GP_CHEBYSHEV][GP_CHEBYSHEV + 2]; /* [point][knot]: derivatives there from values */
} gp_chebyshev;

void gp_chebyshev_init(gp_chebyshev *c);

/** Weights of the values at the points in the value at x of [-1, 1]. */
void gp_chebyshev_weights(const gp_chebyshev *c, double x, double weight[GP_CHEBYSHEV]);

/** Local maxima of the interpolant: where its slope goes from + to -; and an end where the
 *  function falls away from it. Returns how many.
 *    f  in   values at the points
 *    x  out  ascending; good to the slope's rounding over the curvature */
int gp_chebyshev_maxima(const gp_chebyshev *c, const double f[GP_CHEBYSHEV],
                        double x[GP_CHEBYSHEV + 2]);

#endif
