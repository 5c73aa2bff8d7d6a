/** The covariates of a model that was made elsewhere: their values for the samples at hand, read by
 *  name from a table. */
#ifndef GP_JOBS_TERMS_H
#define GP_JOBS_TERMS_H

#include "io/store.h"
#include "jobs/command.h"

/** What is to be read; borrowed. */
typedef struct gp_terms {
    const char *command;       /* that reads: "predict" */
    const gp_samples *samples; /* of the store */
    const char *path;          /* --covar, a table or several with commas between; may be NULL where
                                  there are no terms */
    const char *missing_code;  /* --missing-code; may be NULL */
    int64_t count;
    const char **name; /* [count] "column" or "column=level" */
} gp_terms;

/** Is given the values of term k.
 *    x  in  [samples] NaN where there is none */
typedef void gp_terms_take(void *context, int64_t k, const double *x);

/** Reads the tables and hands over term after term. Collective; every rank gets all values. Levels
 *  that the model does not know are warned about. GP_EINPUT where the table lacks a term, has no
 *  sample in common with the store, or is not given. */
int gp_terms_read(gp_job *job, const gp_terms *terms, gp_terms_take *take, void *context,
                  gp_err *err);

#endif
