/** Weighted sums over a spectrum, in blocks of eigenvalues. Private to src/assoc/reml.c and
 *  lmm*.c. Local, thread-safe, no allocation. Matrices [c x c] are row-major. */
#ifndef GP_SRC_ASSOC_SPECTRUM_H
#define GP_SRC_ASSOC_SPECTRUM_H

#include <stdint.h>

enum { GP_SPECTRUM_BLOCK = 256 };

/** D = 1 / (lambda d + 1) and its derivatives by t = log(lambda): D^2 - D, (2 D - 1) (D^2 - D). */
typedef struct gp_weights {
    double d[GP_SPECTRUM_BLOCK], d1[GP_SPECTRUM_BLOCK], d2[GP_SPECTRUM_BLOCK];
} gp_weights;

/** Of n <= GP_SPECTRUM_BLOCK eigenvalues. */
void gp_weights_at(double lambda, const double *value, int64_t n, gp_weights *w);

/** Sum of log(lambda d + 1) over n eigenvalues. */
double gp_spectrum_logdet(double lambda, const double *value, int64_t n);

/** x'y, in one order for every compiler and vector width. */
double gp_dot(const double *x, const double *y, int64_t n);

/** to = x d, element by element. */
void gp_scale(const double *x, const double *d, int64_t n, double *to);

/** Turns the lower triangle of a symmetric positive definite matrix, L L', into L^-1 (lower,
 *  zeros above). 0 where it is not definite to rounding; s is then spoilt. */
int gp_inverse_factor(double *s, int64_t c);

/** x = inverse x for a lower triangular matrix. */
void gp_lower_times(const double *inverse, int64_t c, double *x);

/** x = inverse' x. */
void gp_lower_turned_times(const double *inverse, int64_t c, double *x);

/** s = inverse s inverse' for a symmetric s given by its lower triangle; both triangles are set. */
void gp_sandwich(const double *inverse, int64_t c, double *s);

#endif
