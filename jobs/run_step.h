/** One step of the pipeline. For jobs/run*.c only. */
#ifndef GP_JOBS_RUN_STEP_H
#define GP_JOBS_RUN_STEP_H

#include "jobs/run.h"

/** A step, of all traits or of one. */
typedef struct gp_run_step {
    const gp_command *command;
    const gp_run_trait *trait; /* NULL: of all */
    gp_text name;              /* "train height" */
    gp_text basis;             /* what its results depend on, beside the options */
    gp_text outputs;           /* names from the directory on, each ended by a zero byte */
    char digest[33];           /* rank 0 */
    const char *directory;     /* holds its outputs alone; or NULL */
    int stale, fresh; /* fresh: it begins here, and does not continue what an earlier run began */
    int altered;      /* it is stale only because files were changed behind its back */
} gp_run_step;

/* ---- jobs/run_step.c ---- */

/** Appends a step's name: "train height". Local. */
int gp_run_step_name(gp_text *name, gp_err *err, const char *command, const gp_run_trait *trait);

void gp_run_step_begin(gp_run_step *s, const gp_command *command, const gp_run_trait *trait,
                       gp_err *err);
void gp_run_step_free(gp_run_step *s);

/** Adds what another step was last done with to what this one depends on. Local. */
void gp_run_depends(const gp_run *run, gp_run_step *s, const char *command,
                    const gp_run_trait *trait, gp_err *err);

/** Adds names of files: directory/stem and each of names. Local. */
int gp_run_outputs(gp_run_step *s, gp_err *err, const char *directory, const char *const *names,
                   const char *stem);

/** Before anything is done: looks at what the regression, the last of the long steps, would refuse,
 *  and writes its plan to the log. Once in a run. Collective. */
int gp_run_look_ahead(gp_run *run, gp_err *err);

/** Sees whether a step is to be done: sets stale, fresh and altered, and counts
 *  it where it is not. A warning tells of files that
 * were changed behind its back. Collective. */
int gp_run_judge(gp_run *run, gp_run_step *s, gp_err *err);

/** Calls one command for the stale ones of these steps, and keeps what came of it. What is there of
 *  those that begin anew is removed first. Collective.
 *  GP_ESTOP after a signal: what was finished is kept. */
int gp_run_do(gp_run *run, gp_run_step *steps, int64_t count, const gp_text *arguments,
              gp_err *err);

/** Arguments: "--name=value", or a flag where value is NULL; a path in the run's directory; the
 *  tables of covariates, with their names where the command takes names; those of the regression's
 *  dry run. Local. */
int gp_run_argument(gp_text *arguments, gp_err *err, const char *name, const char *value);
int gp_run_argument_path(const gp_run *run, gp_text *arguments, const char *name, const char *path,
                         gp_err *err);
int gp_run_argument_covariates(const gp_run *run, gp_text *arguments, int names, gp_err *err);
int gp_run_plan_arguments(gp_text *arguments, gp_err *err);

/* ---- jobs/run_network.c ---- */

/** "model/TRAITNAME" in place of what path held. Local. */
void gp_run_model_path(const gp_run_trait *trait, const char *name, gp_text *path, gp_err *err);

/** Chance that a training hides a chromosome, so that predictions can leave one out. */
extern const char gp_run_hide[];

/** Options that a step is given by the pipeline, not by the user; ended by NULL. */
extern const char *const gp_run_own[];

/** Trains, or explains, a trait's network where that is to be done. Collective. */
int gp_run_network(gp_run *run, gp_run_trait *trait, gp_err *err);
int gp_run_attribution(gp_run *run, gp_run_trait *trait, gp_err *err);

/* ---- jobs/run_tables.c ---- */

/** Tests the traits whose tests are to be done, and merges tables. Collective. */
int gp_run_regression(gp_run *run, gp_err *err);
int gp_run_merge(gp_run *run, gp_err *err);

#endif
