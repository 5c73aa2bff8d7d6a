/** What a user says to `gp-dist assoc`: its options, their defaults, and what is checked of them
 *  before any file is read. Local. */
#ifndef GP_JOBS_ASSOC_OPTIONS_H
#define GP_JOBS_ASSOC_OPTIONS_H

#include "jobs/cohort.h"
#include "jobs/scan_logistic.h"
#include "jobs/selection.h"

typedef struct gp_assoc_options {
    const char *store, *out, *model, *missing;
    const char *lmm, *grm; /* of mixed models */
    int loco, no_loco;
    const char *offset, *offset_name;
    const char *test, *firth;   /* of binary traits */
    double firth_threshold, ci; /* NaN = not said */
    gp_cohort_options cohort;
    gp_selection_options selection;
    double mind;
    int64_t pca;           /* components as covariates; 0 = none */
    int64_t sample_shards; /* 0 = choose */
    int64_t seed;
    int dry_run;
} gp_assoc_options;

extern gp_assoc_options gp_assoc_values;
extern const gp_option gp_assoc_option_table[];
extern const char gp_assoc_description[];

/** Whether mixed models are asked for. */
int gp_assoc_is_mixed(const gp_assoc_options *o);

/** Whether binary traits are numbers like any other. */
int gp_assoc_is_linear(const gp_assoc_options *o);

/** The first option that was given and that only binary traits have a use for; NULL: none
 *  was. */
const char *gp_assoc_binary_option(const gp_assoc_options *o);

/** The tests of binary traits, as asked for. */
gp_scan_logistic_options gp_assoc_tests(const gp_assoc_options *o);

/** Appends the same in words. */
int gp_assoc_test_words(const gp_assoc_options *o, gp_text *words, gp_err *err);

/** "exact" or "mean": as said, or the model's own way. */
const char *gp_assoc_missing(const gp_assoc_options *o);

/** GP_EINPUT where something is needed, or does not go with something else. */
int gp_assoc_check(const gp_assoc_options *o, gp_err *err);

#endif
