/** What a command that scans genotypes begins with: the store, the samples and the variants that
 *  the user means. */
#ifndef GP_JOBS_INPUT_H
#define GP_JOBS_INPUT_H

#include "jobs/cohort.h"
#include "jobs/command.h"
#include "jobs/selection.h"

/** What the user said, and where it goes (zeroed; the caller closes and frees it in any case). All
 *  borrowed. */
typedef struct gp_input {
    const char *path; /* of the store */
    const char *out;  /* directory for results that are to come; NULL: none (a dry run) */
    const gp_cohort_options *cohort_options;
    const gp_selection_options *selection_options;
    gp_store **store;
    gp_cohort *cohort;
    gp_selection *selection;
} gp_input;

/** Opens the store, reads the tables and lists, and sees that an output directory that is there can
 *  be written to. Collective. A note tells the store's size. */
int gp_input_load(gp_job *job, const gp_input *input, gp_err *err);

#endif
