/** Traits grouped by who has a value: one regression model per pattern of missing phenotypes. */
#ifndef GP_JOBS_PATTERNS_H
#define GP_JOBS_PATTERNS_H

#include "jobs/cohort.h"
#include "src/assoc/linear.h"

typedef struct gp_pattern {
    int64_t n;
    int64_t *sample; /* [n] store samples with every covariate and these traits */
    int64_t traits;
    int64_t *trait; /* [traits] numbers in the cohort */
    int64_t rank;   /* of the covariates kept for it */
    /* As in gp_linear_input. They and the samples are NULL once a linear model is made of them. */
    double *basis, *residual, *length;
    gp_linear model;
} gp_pattern;

typedef struct gp_patterns {
    gp_pattern *pattern;
    int64_t count;
    int64_t traits;   /* of all patterns */
    uint8_t *dropped; /* [cohort covariates] 1 = adds nothing in some pattern */
} gp_patterns;

/** What the models need beyond the cohort. */
typedef struct gp_patterns_input {
    int64_t first, samples; /* this shard: store samples [first, first + samples) */
    int exact;              /* complete cases, or mean for missing calls */
    int mixed;              /* a mixed model will need the columns: no linear one is made */
} gp_patterns_input;

/** Groups the usable traits, finds each group's covariate basis, frees the traits from it and
 *  makes the linear models. Local: the same on every rank but for the shard. Traits that turn out
 * constant or to have too few samples are marked skipped in the cohort, with a warning. The models
 * (or columns) hold what is needed: the values of traits and covariates are freed on the way.
 * GP_EINPUT where no trait is left, GP_ESTOP after a signal. */
int gp_patterns_init(gp_patterns *patterns, gp_cohort *cohort, const gp_patterns_input *input,
                     const gp_sink *sink, gp_err *err);

void gp_patterns_free(gp_patterns *patterns);

#endif
