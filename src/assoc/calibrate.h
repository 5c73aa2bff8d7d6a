/** Logits from what linear regression predicts of a binary trait: logistic regression on that one
 *  number. Local. */
#ifndef GP_SRC_ASSOC_CALIBRATE_H
#define GP_SRC_ASSOC_CALIBRATE_H

#include <stdint.h>

/** logit P(y = 1) = intercept + slope * x. */
typedef struct gp_calibration {
    double intercept, slope;
} gp_calibration;

/** Fits by Newton's method. The slope has a normal prior: its mean is that of a perfect linear
 *  prediction, 1 / (q (1 - q)) for a share q of cases, its deviation half of that. So it stays
 *  finite where x parts cases from controls, and does not change its sign for noise; the intercept
 *  has none. Pairs with a NaN are left out. Where x does
 *  not vary the slope is 0; without cases, or without controls, the intercept is that of half a
 *  sample of either kind more.
 *    x  in  [n]
 *    y  in  [n] 0 or 1
 *  Allocates nothing and cannot fail. Sums in the order of the samples. Source: Platt 1999,
 *  Advances in Large Margin Classifiers, 61 (scores to probabilities by a sigmoid). */
gp_calibration gp_calibrate(const double *x, const double *y, int64_t n);

#endif
