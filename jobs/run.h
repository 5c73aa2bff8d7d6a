/** What the parts of `gp-dist run` share: its options, its steps, and the state of a run. For
 *  jobs/run*.c only.
 *
 *  The pipeline is a list of steps; a step is a command that a user could type. What a step's
 *  results depend on has a digest, the manifest (io/manifest.h) remembers with which digest each
 *  step was finished, and what has another one now, or lost a file, is done again. Rank 0 decides,
 *  all ranks do it.
 */
#ifndef GP_JOBS_RUN_H
#define GP_JOBS_RUN_H

#include "io/manifest.h"
#include "jobs/cohort.h"
#include "jobs/command.h"
#include "jobs/selection.h"

/* ---- jobs/run_options.c ---- */

/** The values of options, by name: what the command line and the config file say. Local.
 *  NULL, NaN or 0: not said. */
const char *gp_run_text(const char *name);
int gp_run_flag(const char *name);
int64_t gp_run_whole(const char *name, int64_t otherwise);

/** Looks whether all that is needed was said. GP_EINPUT. Local. */
int gp_run_check(gp_err *err);

/** Appends the options that were said and that a command knows, as "--name=value", each ended by a
 *  zero byte. Local.
 *    but  in  names that are left out, ended by NULL; may be NULL */
int gp_run_forward(const gp_command *command, const char *const *but, gp_text *arguments,
                   gp_err *err);

/** Calls visit for every option that was said. Local.
 *    file  in  the option names an input file: its content matters, not its name */
typedef int gp_run_option_visit(void *context, const gp_option *option, const char *value, int file,
                                gp_err *err);
int gp_run_options_each(gp_run_option_visit *visit, void *context, gp_err *err);

/** 1: the regression is a mixed model. Local. */
int gp_run_mixed(void);

/** Whether results depend on an option, beyond the files that it names. Local. */
int gp_run_matters(const char *name);

/** Whether an option names input files: their content matters, not their names. Local. */
int gp_run_names_file(const char *name);

/** Whether a command has an option. Local. */
int gp_run_knows(const gp_command *command, const char *name);

/** The value of a number; otherwise, where it was not said. Local. */
double gp_run_real(const char *name, double otherwise);

/* ---- jobs/run_call.c ---- */

/** Runs a command with arguments as gp_run_forward makes them. Collective. What the command does
 *  is the same as if it was started by itself. */
int gp_run_call(gp_job *job, const gp_command *command, const gp_text *arguments, gp_err *err);

/** The same of a command that prints an answer: rank 0's standard output goes into a text instead,
 *  and no notes are given. Collective. */
int gp_run_ask(gp_job *job, const gp_command *command, const gp_text *arguments, gp_text *answer,
               gp_err *err);

/** Frees what the calls have kept. Local. */
void gp_run_call_free(void);

/** The command as a user would type it. Local. */
int gp_run_words(const gp_command *command, const gp_text *arguments, gp_text *words, gp_err *err);

/* ---- the state ---- */

typedef enum gp_run_offset {
    GP_OFFSET_NONE,
    GP_OFFSET_RIDGE,
    GP_OFFSET_TRANSFORMER,
} gp_run_offset;

/** A trait on its way. */
typedef struct gp_run_trait {
    const char *name;
    char *file;     /* its name as a file's: jobs/tables.h */
    int64_t number; /* in the cohort */
    char data[33];  /* rank 0: digest of its values */
    gp_run_offset offset;
    int network; /* one can be trained on it */
    int skipped; /* it has no table */
} gp_run_trait;

typedef struct gp_run {
    gp_job *job;
    const char *out;
    int64_t there; /* rank 0: bytes of its path that name what was there before */
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    gp_run_trait *trait; /* [traits] */
    int64_t traits;
    int64_t components;   /* --pca */
    int64_t autosomes;    /* that variants are chosen of */
    gp_text covariates;   /* tables, comma-separated: the user's, and the components */
    gp_manifest manifest; /* rank 0 */
    char people[33];      /* rank 0: digests: of the samples and variants that are chosen, */
    char terms[33];       /* and of the covariates */
    gp_text notes;        /* lines on traits, for the log that is not open yet */
    int64_t done, fresh;  /* steps that were done, and those that were not needed */
    int planned;          /* the plan is in the log */
    int ours;             /* rank 0: a run of this program was there */
} gp_run;

/** Says each line of a text, which is cut up. Local. */
void gp_run_say(const gp_run *run, int level, gp_text *lines);

/** DIR/NAME. Local. */
int gp_run_path(const gp_run *run, const char *name, gp_text *path, gp_err *err);

/* ---- jobs/run_input.c ---- */

/** Reads store, tables and lists, names the traits, and takes their digests. Collective. */
int gp_run_load(gp_run *run, gp_err *err);
void gp_run_unload(gp_run *run);

/* ---- jobs/run_directory.c: the run's directory ---- */

/** Takes the directory for this run: makes it, locks it, reads its manifest and compares it with
 *  what is asked for. Collective. GP_EINPUT where another run holds the directory (the message says
 *  which), where it was made with other options or by another version, or holds other results.
 */
int gp_run_open(gp_run *run, gp_err *err);

/** Lets go of it; one in which nothing was begun is gone again. Collective. */
void gp_run_close(gp_run *run);

/** Removes what is there of steps that this run does not have; with --restart, all that an earlier
 *  run left. Local, on rank 0.
 *    steps  in  names of this run's, each ended by a zero byte
 *    look   in  1: only says whether there is something
 *  1 where there is. */
int gp_run_clear(gp_run *run, const gp_text *steps, int look, gp_err *err);

/** On rank 0: adds what a step left to its entry, with digests that all ranks have made; the
 *  manifest is not written yet. Collective.
 *    path   in  names from the directory on, each ended by a zero byte; what is not there is
 *               left out */
int gp_run_keep(gp_run *run, const char *step, const gp_text *paths, double seconds, gp_err *err);

/* ---- jobs/run_steps.c ---- */

/** Does all steps that are not done. Collective. */
int gp_run_steps(gp_run *run, gp_err *err);

/** Says what would be done. Collective. */
int gp_run_plan(gp_run *run, gp_err *err);

/* ---- jobs/run_offset.c ---- */

/** Which predictions a trait's regression takes as offset: what --offset says, or else those that
 *  cross-validation finds a signal in (DIR/model/TRAIT/metrics.tsv); a note tells. Collective. */
int gp_run_choose_offset(gp_run *run, gp_run_trait *trait, gp_err *err);

#endif
