/** What became of the variants of a run of `gp-dist assoc`. */
#ifndef GP_JOBS_ASSOC_OUTCOME_H
#define GP_JOBS_ASSOC_OUTCOME_H

#include "jobs/cohort.h"
#include "jobs/selection.h"
#include "jobs/tables.h"

/** All borrowed. */
typedef struct gp_outcome {
    gp_job *job;
    const char *out; /* the tables' directory */
    const gp_cohort *cohort;
    gp_selection *selection; /* its sums become those over all ranks */
    gp_tables *tables;       /* so do the outcomes of each */
    double seconds;          /* that the tests took */
} gp_outcome;

/** Says how many variants were left out and why, what each table holds, and how fast it went.
 *  Collective. */
int gp_outcome_tell(const gp_outcome *outcome, gp_err *err);

#endif
