/** How well predictions meet what was observed. Local. */
#ifndef GP_SRC_ASSOC_ACCURACY_H
#define GP_SRC_ASSOC_ACCURACY_H

#include "src/base/err.h"
#include <stdint.h>

/** NaN where there is no such number: too few samples, or no variance. */
typedef struct gp_accuracy {
    int64_t n;  /* samples with both numbers */
    double r2;  /* 1 - squared errors / squared deviations of what was observed from its mean:
                 * below 0 where the mean would have been better */
    double r;   /* Pearson's correlation */
    double mse; /* mean squared error */
    double auc; /* area under the receiver operating characteristic (binary traits): how often a
                 * case is predicted above a control, ties counting half */
} gp_accuracy;

/** Measures. Samples with NaN in either are left out.
 *    observed, predicted  in  [n]
 *    binary               in  observed is 0 or 1, and auc is wanted
 *  GP_EFAIL where memory is refused. Cost n log n for auc. Source of auc: Hanley and McNeil
 *  1982, Radiology 143:29 (the Wilcoxon statistic). */
int gp_accuracy_of(const double *observed, const double *predicted, int64_t n, int binary,
                   gp_accuracy *accuracy, gp_err *err);

#endif
