/** Tables of variance components, as assoc --model lmm and blup write them. Local. */
#ifndef GP_JOBS_VARIANCE_H
#define GP_JOBS_VARIANCE_H

#include "src/assoc/reml.h"
#include "src/base/text.h"

/** One model of a trait. */
typedef struct gp_variance {
    const char *trait;
    const char *part; /* what is left out, or which fold */
    int64_t n;
    gp_reml fit; /* in the trait's units */
} gp_variance;

/** Appends the header line; part: the name of its column. */
int gp_variance_header(gp_text *text, const char *part, gp_err *err);

/** Appends a line; what is not finite is #NA. status is OK, NO_RELATED_VARIANCE (heritability at
 * its lower end) or NO_RESIDUAL_VARIANCE (at its upper one). */
int gp_variance_line(gp_text *text, const gp_variance *variance, gp_err *err);

#endif
