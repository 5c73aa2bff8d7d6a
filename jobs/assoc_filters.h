/** What a run of `gp-dist assoc` left out, as DIR/filters.tsv: a line for each reason, 0 or not. */
#ifndef GP_JOBS_ASSOC_FILTERS_H
#define GP_JOBS_ASSOC_FILTERS_H

#include "jobs/cohort.h"
#include "jobs/command.h"
#include "jobs/selection.h"

/** All borrowed. */
typedef struct gp_assoc_filters {
    const char *out; /* the directory */
    const gp_store *store;
    const gp_cohort *cohort;
    const gp_selection *selection; /* of this rank's part */
    int64_t mind;                  /* samples that --mind left out */
} gp_assoc_filters;

/** Writes it under a name that is not final. Collective. GP_EFAIL where the disk is full. */
int gp_assoc_filters_write(gp_job *job, const gp_assoc_filters *filters, gp_err *err);

/** Gives it its name, once the tables have theirs; or removes it where they have not. Collective.
 */
int gp_assoc_filters_finish(gp_job *job, const gp_assoc_filters *filters, int keep, gp_err *err);

#endif
