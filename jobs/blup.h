/** What the parts of `gp-dist blup` share: options and the state of a run; models of traits;
 *  variant effects. For jobs/blup*.c only. All functions are collective unless said. */
#ifndef GP_JOBS_BLUP_H
#define GP_JOBS_BLUP_H

#include "io/metrics.h"
#include "jobs/folds.h"
#include "jobs/kinship.h"
#include "src/assoc/reml.h"

typedef struct gp_blup_options {
    const char *store, *out, *grm;
    gp_cohort_options cohort;
    gp_selection_options selection;
    gp_folds_options folds;
    double mind;
    int standardised, centred, dry_run;
} gp_blup_options;

extern gp_blup_options gp_blup_values;
extern const gp_option gp_blup_option_table[];
extern const char gp_blup_description[];

/** GP_EINPUT where something is needed, or does not go with something else. Local. */
int gp_blup_check(const gp_blup_options *o, gp_err *err);

/** Traits with the same samples: they share each eigendecomposition. */
typedef struct gp_blup_group {
    int64_t n;
    int64_t
        *sample; /* [n] of the store, with the traits, all covariates, and a row of the matrix */
    int64_t traits;
    int64_t *trait; /* [traits] of the cohort */
} gp_blup_group;

typedef struct gp_blup_run {
    gp_job *job;
    const gp_blup_options *o;
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    gp_folds folds;
    gp_kinship kinship;
    gp_par_grid *grid;
    uint8_t *dropped; /* [cohort covariates] 1 = adds nothing in some model */
    gp_blup_group *group;
    int64_t groups, traits; /* traits that are fitted, of all groups */
    int64_t fitted;         /* so far */
    /* What is found; the same on all ranks. */
    const char **trait; /* [traits] names, in the order in which they are fitted */
    double *alpha;      /* [store samples x traits] lambda alpha, for variant effects; or NULL */
    double *effect;     /* [traits x (1 + covariates)] fixed effects; the intercept makes up for
                         * the variants' means */
    gp_text variance, metrics;
    gp_predictions predictions; /* rank 0 */
} gp_blup_run;

enum { GP_BLUP_FOLD_NAME = 32 /* bytes */ };

/** A fold's name, "all" for -1. Local. */
void gp_blup_fold_name(const gp_blup_run *run, int64_t fold, char name[GP_BLUP_FOLD_NAME]);

/** What one model found of a trait: samples to train with, and the fit in the trait's units. */
typedef struct gp_blup_found {
    int64_t n;
    gp_reml fit;
} gp_blup_found;

/** What is found of a group; filled model by model. */
typedef struct gp_blup_predicted {
    double *covariates, *blup; /* [store samples x traits] NaN where there is no prediction */
    gp_blup_found *found;      /* [models x traits] a model for each fold, or one */
} gp_blup_predicted;

/** Fits a group's traits with one fold left out, and predicts that; or (fold -1) with none, and
 *  predicts all; then alpha and effect of the run are set too. */
int gp_blup_model(gp_blup_run *run, const gp_blup_group *group, int64_t fold, gp_blup_predicted *to,
                  gp_err *err);

/** Groups the traits that can be fitted; warns of those that cannot. GP_EINPUT where none is
 *  left. Local. */
int gp_blup_group_traits(gp_blup_run *run, gp_err *err);

/** Fits and predicts every group's traits, fold by fold. GP_EINPUT where a model cannot be
 *  fitted: the message names trait and fold. */
int gp_blup_models(gp_blup_run *run, gp_err *err);

/** Bytes that a rank needs for the largest model. Local. */
int64_t gp_blup_bytes(const gp_blup_run *run, int rows, int columns);

/** Writes effects.tsv.gz and model.tsv into --out, where the matrix is of variants that are
 *  known: else says why not. */
int gp_blup_effects(gp_blup_run *run, gp_err *err);

#endif
