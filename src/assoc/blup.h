/** Best linear unbiased prediction: y = b0 + X b + u + e, u ~ vg K, e ~ ve I, from training
 *  samples to any others.
 *
 *  With V = lambda K + I, lambda = vg / ve by restricted maximum likelihood (src/assoc/reml.h),
 *  and b by generalised least squares, alpha = V^-1 (y - b0 - X b); then u of any sample is
 *  lambda times its relationships with the training samples, times alpha. K is centred on the
 *  training samples. The intercept makes alpha sum to 0, so that centring a relationship of two
 * others is a subtraction: u_i = lambda ((K alpha)_i - mean of (K alpha) over the training
 * samples). Source: Henderson 1975, Biometrics 31:423; in this form Robinson 1991, Stat Sci 6:15
 *  (section 2).
 *
 *  The order: gp_blup_init; the caller rotates `thin` by the eigenvectors of the centred K;
 *  gp_blup_fit gives alpha in the same rotation; the caller turns it back, and multiplies it by
 *  K; gp_blup_genetic. Local.
 */
#ifndef GP_SRC_ASSOC_BLUP_H
#define GP_SRC_ASSOC_BLUP_H

#include "src/assoc/reml.h"
#include "src/base/err.h"
#include <stdint.h>

/** The training samples. Values are finite; borrowed. */
typedef struct gp_blup_input {
    int64_t n, c, p; /* samples; covariates; traits */
    const double *x; /* [c x n] covariates, a row each */
    const double *y; /* [p x n] traits, a row each */
} gp_blup_input;

typedef struct gp_blup {
    int64_t n, c, p;
    int64_t rank;     /* of the centred covariates */
    uint8_t *kept;    /* [c] 1 where a covariate adds to those before it; else its effect is 0 */
    double *mean;     /* [c] */
    double *triangle; /* [rank x rank] row-major, upper: centred covariates = basis x this */
    double *thin;     /* [n x (1 + rank + p)] row-major: intercept and basis, orthonormal; then
                       * the traits, freed from them, of length 1 */
    double *length;   /* [p] of the freed trait; 0: constant, or the covariates determine it */
    double *alone;    /* [p x (1 + c)] the intercept and effects of the covariates without u:
                       * least squares */
    double *fixed;    /* [p x (1 + c)] and with it; set by gp_blup_fit */
    gp_reml *fit;     /* [p] in the trait's units; set by gp_blup_fit */
} gp_blup;

/** Comes zeroed; freed in any case. GP_EFAIL where memory is refused. Cost n (c + p) c. */
int gp_blup_init(gp_blup *b, const gp_blup_input *input, gp_err *err);
void gp_blup_free(gp_blup *b);

/** Fits all traits, whose lengths must not be 0.
 *    value    in   [n] eigenvalues of the centred K, cleaned (gp_spectrum_clean)
 *    rotated  in   [n x (1 + rank + p)] U' thin
 *    alpha    out  [n x p] U' alpha, in the trait's units
 *  Errors as in gp_reml_fit, with the trait's number from 1 as "trait k". */
int gp_blup_fit(gp_blup *b, const double *value, const double *rotated, double *alpha, gp_err *err);

/** From K alpha to the genetic values.
 *    ka     in   [m x p] (K alpha) of any m samples, the training samples among them
 *    train  in   [n] which of them these are
 *    u      out  [m x p]; may be ka
 *    shift  out  [p] what was subtracted: lambda times the mean of (K alpha) in training */
void gp_blup_genetic(const gp_blup *b, const double *ka, int64_t m, const int64_t *train, double *u,
                     double *shift);

/** The intercept and the covariates' part of a sample's prediction: NaN where a covariate that
 *  counts is.
 *    effect  in  [1 + c] a trait's `alone` or `fixed`
 *    x       in  [c] */
double gp_blup_covariates(const gp_blup *b, const double *effect, const double *x);

#endif
