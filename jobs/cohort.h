/** The people and what is known of them: samples of the store, traits and covariates joined by
 *  id.
 *
 *  Rank 0 reads the tables and shares their bytes; every rank then parses them alike, so all hold
 *  the same cohort. Missing is NaN.
 */
#ifndef GP_JOBS_COHORT_H
#define GP_JOBS_COHORT_H

#include "io/store.h"
#include "jobs/command.h"
#include <stdint.h>

/** What the user said about samples and tables; NULL = not said. */
typedef struct gp_cohort_options {
    const char *pheno, *pheno_name;
    const char *covar; /* one table, or several with commas between */
    const char *covar_name, *cat_covar_name;
    const char *missing_code;
    const char *keep, *remove;
    int cc12;
} gp_cohort_options;

typedef struct gp_trait {
    char *name;
    double *value; /* [n]; NULL once a model holds it (jobs/patterns.h) */
    int binary;    /* two values, 0/1 (or 1/2 with --cc12, recoded to 0/1) */
    int one_class; /* binary but for --keep and --remove: the samples in use have one value */
    const char
        *unclear; /* what it holds that looks like cases and controls, and what to say; or NULL */
    const char *skipped; /* why it cannot be analysed, or NULL */
    char why[240];       /* room for such words */
    int64_t table;       /* number of its result table; -1 = none */
} gp_trait;

typedef struct gp_covariate {
    char *name;    /* of a category: "column=level" */
    double *value; /* [n]; NULL once the models hold it */
} gp_covariate;

typedef struct gp_cohort {
    gp_samples samples;
    uint8_t *kept;     /* [n] 1 = passes --keep, --remove (and --mind, once it was looked at) */
    uint8_t *complete; /* [n] 1 = has every covariate */
    int64_t not_listed, removed; /* samples that --keep left out, and --remove of the others */
    gp_trait *trait;             /* [traits] */
    int64_t traits;
    gp_covariate *covariate; /* [covariates] */
    int64_t covariates;
} gp_cohort;

/** Reads everything the options name and joins it to the store's samples. Collective. Without a
 *  table of traits there are none.
 *    cohort  out  zeroed before; free it in any case
 *  GP_EINPUT for bad tables, no common sample, a column name in two tables of covariates, a
 * covariate without any value or traits without any. Notes say what was kept and dropped, warnings
 * what looks wrong (a quantitative trait that holds -9).
 */
int gp_cohort_load(gp_job *job, const gp_cohort_options *options, gp_store *store,
                   gp_cohort *cohort, gp_err *err);

void gp_cohort_free(gp_cohort *cohort);

/** Number of kept samples. */
int64_t gp_cohort_kept(const gp_cohort *cohort);

#endif
