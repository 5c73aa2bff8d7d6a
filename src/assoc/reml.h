/** Variance components of y = W a + u + e, u ~ vg K, e ~ ve I, by restricted maximum likelihood,
 *  on K's spectrum.
 *
 *  With K = U diag(d) U', all quantities are sums over eigenvalues of products of the rotated
 *  columns U'W and U'y, weighted by 1 / (lambda d + 1), lambda = vg / ve. The profile likelihood
 *  in lambda is searched as GEMMA does: over ten equal steps of log(lambda) from 1e-5 to 1e5;
 *  where its slope changes from + to -, the maximum is found by bracketed Newton steps; the best
 *  of these and of the two ends is taken. Sources: Kang et al. 2008, Genetics 178:1709; Zhou and
 *  Stephens 2012, Nat Genet 44:821 (equations 5 to 9 of its supplement). Local.
 */
#ifndef GP_SRC_ASSOC_REML_H
#define GP_SRC_ASSOC_REML_H

#include "src/base/err.h"
#include <stdint.h>

#define GP_REML_LEAST 1e-5
#define GP_REML_MOST 1e5
enum { GP_REML_REGIONS = 10 };

/** What is fitted; borrowed. */
typedef struct gp_spectrum {
    int64_t n, c;        /* samples; fixed effects, the intercept among them, c < n */
    const double *value; /* [n] eigenvalues of the centred K, >= 0 (gp_spectrum_clean) */
    const double *w;     /* [c x n] rotated fixed effects, independent */
    const double *y;     /* [n] rotated trait */
} gp_spectrum;

/** Sets eigenvalues below 1e-10 of the largest, or below 1e-10, to 0. GP_EINPUT where one is not
 *  finite, or more negative than 1e-6 of the largest: not a relationship matrix ("not positive
 *  semi-definite", with the value). */
int gp_spectrum_clean(double *value, int64_t n, gp_err *err);

typedef enum gp_reml_end {
    GP_REML_INSIDE,
    GP_REML_NONE /* lambda = 1e-5 */,
    GP_REML_ALL /* lambda = 1e5 */
} gp_reml_end;

typedef struct gp_reml {
    double lambda;
    gp_reml_end end;
    double loglik; /* restricted, natural logarithm, as GEMMA's REMLE log-likelihood */
    double vg, ve;
    double h2, h2_se; /* vg tr(K) / n / (vg tr(K) / n + ve), GEMMA's pve; se NaN where lambda is at
                         an end */
} gp_reml;

/** Fits. O(n c^2) per step, some twenty steps; allocates O(c^2). GP_EINPUT where n <= c, W is
 *  not independent, or y is constant given W. Thread-safe. */
int gp_reml_fit(const gp_spectrum *s, gp_reml *fit, gp_err *err);

/** Generalised least squares at a given lambda: effects of W, their standard errors, and ve =
 *  residual sum of squares / (n - c). Errors as in gp_reml_fit.
 *    beta, se  out  [c] */
int gp_reml_effects(const gp_spectrum *s, double lambda, double *beta, double *se, double *ve,
                    gp_err *err);

#endif
