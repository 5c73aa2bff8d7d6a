/** Folds of a cross-validation: which samples are left out together. */
#ifndef GP_JOBS_FOLDS_H
#define GP_JOBS_FOLDS_H

#include "jobs/cohort.h"
#include "jobs/command.h"

/** What the user said; 0 and NULL = not said. */
typedef struct gp_folds_options {
    int64_t folds;    /* sample i of the store's order is in fold i mod K */
    const char *file; /* FID IID fold: whole numbers, any */
} gp_folds_options;

typedef struct gp_folds {
    int64_t count;  /* 0: no cross-validation */
    int64_t *label; /* [count] what the user calls them, ascending */
    int64_t *of;    /* [store samples] 0 to count - 1; -1 = in none */
} gp_folds;

/** Assigns the cohort's samples. Collective. Comes zeroed; freed in any case.
 *  GP_EINPUT for fewer than two folds, more folds than samples with a trait, and a file that is
 *  no such table or lacks a sample with a trait (they are counted, and some named). */
int gp_folds_init(gp_job *job, const gp_folds_options *options, const gp_cohort *cohort,
                  gp_folds *folds, gp_err *err);
void gp_folds_free(gp_folds *folds);

#endif
