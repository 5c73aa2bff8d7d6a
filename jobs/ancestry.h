/** Principal components of the cohort as covariates: --pca. */
#ifndef GP_JOBS_ANCESTRY_H
#define GP_JOBS_ANCESTRY_H

#include "jobs/cohort.h"
#include "jobs/command.h"

/** What is asked for; borrowed. */
typedef struct gp_ancestry {
    gp_store *store;
    gp_cohort *cohort;
    int64_t components;
    uint64_t seed; /* of the matrix-free form's start */
} gp_ancestry;

/** Adds PC1 to PCk to the cohort's covariates: of the kept samples, matrix-free (so that they are
 * the same bytes on any number of ranks), from autosomal variants of frequency 0.05 or more with at
 *  most 5% missing calls. Collective. Errors as in gp_components_make; GP_EINPUT where a covariate
 * has that name already. */
int gp_ancestry_add(gp_job *job, const gp_ancestry *ancestry, gp_err *err);

#endif
