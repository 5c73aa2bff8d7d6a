/** What the kinds of models that `gp-dist predict` knows share. For jobs/predict*.c only.
 *
 *  A model is a directory, and its kind is told by what it holds. Adding a kind is one file, one
 * line in jobs/predict.c's table, and one function here. All collective.
 */
#ifndef GP_JOBS_PREDICT_H
#define GP_JOBS_PREDICT_H

#include "jobs/cohort.h"
#include "jobs/command.h"

typedef struct gp_predict_options {
    const char *model, *store, *out;
    gp_cohort_options cohort; /* covar, missing_code, keep, remove */
    int loco, log_odds;
} gp_predict_options;

/** A prediction under way. */
typedef struct gp_predict_run {
    gp_job *job;
    const gp_predict_options *o;
    gp_store *store;
    gp_cohort cohort; /* samples; kept are those to predict */
    /* What is found, allocated by the model. */
    int64_t traits; /* columns of the table */
    char **trait;   /* [traits] */
    double *value;  /* on rank 0: [store samples x traits]; NaN where there is no prediction */
} gp_predict_run;

/** Effects of variants: effects.tsv.gz and model.tsv, as gp-dist blup makes them. GP_EINPUT
 *  where no variant of the model is in the store, a covariate is missing, or a file is not what
 *  it should be. */
int gp_predict_additive(gp_predict_run *run, gp_err *err);

/** A trained network: config.json and model.safetensors, as gp-dist train makes them. With --loco a
 *  column for each trait and chromosome, with that chromosome masked. GP_EINPUT as above, or where
 *  the model's files are damaged or do not fit each other. */
int gp_predict_network(gp_predict_run *run, gp_err *err);

/** The covariates of an additive model; borrowed. */
typedef struct gp_predict_terms {
    int64_t terms;
    const char **term;    /* [terms] names: "column" or "column=level" */
    const double *effect; /* [traits x (1 + terms)] the intercepts first */
} gp_predict_terms;

/** Sets run->value to the intercepts and covariates' effects, NaN where a covariate is missing.
 *  GP_EINPUT where the table lacks a covariate, or the model needs one and there is no table. */
int gp_predict_covariates(gp_predict_run *run, const gp_predict_terms *terms, gp_err *err);

#endif
