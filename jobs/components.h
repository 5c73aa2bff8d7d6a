/** Principal components of a cohort's samples: what `pca` writes, and `assoc --pca` takes as
 *  covariates.
 *
 *  The eigenvectors of the standardised relationship matrix Z' Z / m (GCTA's and PLINK 2's;
 *  missing calls are imputed by the mean), autosomes only, from the matrix by a distributed
 *  eigensolver, or matrix-free. The matrix-free form gives the same bytes on any number of ranks
 *  and threads, the other one the same to about 1e-10. All functions are collective.
 */
#ifndef GP_JOBS_COMPONENTS_H
#define GP_JOBS_COMPONENTS_H

#include "jobs/cohort.h"
#include "jobs/command.h"
#include "jobs/selection.h"

/** What is asked for; all borrowed. */
typedef struct gp_components_plan {
    gp_store *store;
    gp_cohort *cohort;       /* the kept samples; those that a --grm lacks are un-kept */
    gp_selection *selection; /* of variants */
    int64_t components;
    int approx;            /* matrix-free */
    const char *grm;       /* a matrix to take, or NULL: one is made */
    const char *directory; /* where there is room for one; it is removed again */
    uint64_t seed;         /* of the matrix-free form's start */
} gp_components_plan;

typedef struct gp_components {
    int64_t n;       /* samples */
    int64_t *sample; /* [n] of the store, ascending */
    int64_t count;
    double *value;  /* [count] eigenvalues of the relationship matrix, descending */
    double *vector; /* [count x n] of length 1; the entry of largest size is positive */
} gp_components;

/** Computes them; the same on all ranks. components comes zeroed; freed in any case.
 *  GP_EINPUT where there are fewer samples, variants, or directions with any variance, than
 *  components asked for; GP_ESTOP after a signal. Shows progress; warns where the matrix-free
 *  form has not settled. */
int gp_components_make(gp_job *job, const gp_components_plan *plan, gp_components *components,
                       gp_err *err);
void gp_components_free(gp_components *components);

/** Bytes that gp_components_make needs on the largest rank, for the plan's kept samples and m
 *  variants. Collective. */
int gp_components_bytes(gp_job *job, const gp_components_plan *plan, int64_t m, int64_t *bytes,
                        gp_err *err);

#endif
