/** What stands behind gp_cohort_load, for jobs/cohort*.c only. */
#ifndef GP_JOBS_COHORT_PRIVATE_H
#define GP_JOBS_COHORT_PRIVATE_H

#include "io/table.h"
#include "jobs/cohort.h"

/** What kept samples have, -9 apart: it may mean missing. */
typedef struct gp_cohort_span {
    double low, high;
    int64_t present, minus_nine, between, ones; /* between low and high; equal to 1 */
} gp_cohort_span;

/** Of a column [samples]. Local. */
gp_cohort_span gp_cohort_span_of(const gp_cohort *cohort, const double *value);

/** Warns of a "trait" or "covariate" of a table that holds -9. Local. */
void gp_cohort_warn_of_minus_nine(const gp_job *job, const char *path, const char *what,
                                  const char *name, const gp_cohort_span *span);

/** Reads the tables of covariates. Collective. */
int gp_cohort_load_covariates(gp_job *job, const gp_cohort_options *options,
                              const gp_missing_codes *codes, gp_cohort *cohort, gp_err *err);

#endif
