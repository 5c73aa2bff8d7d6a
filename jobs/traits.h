/** Traits and the samples that can be used for them: what patterns (jobs/patterns.h) and groups
 *  (jobs/blup.h) of traits are made of. Local. */
#ifndef GP_JOBS_TRAITS_H
#define GP_JOBS_TRAITS_H

#include "jobs/cohort.h"

/** Whether a sample is kept, and has the trait's value and every covariate. */
int gp_trait_uses(const gp_cohort *cohort, const gp_trait *trait, int64_t i);

/** Lists the kept samples with the trait's value and every covariate, ascending.
 *    sample  out  [their number], or NULL: they are only counted
 *  Returns their number. */
int64_t gp_trait_samples(const gp_cohort *cohort, const gp_trait *trait, int64_t *sample);

/** Whether these n samples, ascending, are just those that gp_trait_samples lists. */
int gp_trait_has_samples(const gp_cohort *cohort, const gp_trait *trait, const int64_t *sample,
                         int64_t n);

/** Names the trait in an error of a model, which numbers its traits from 1: "trait K: ..." becomes
 *  "trait 'NAME'PART: ...". Other errors stay as they are.
 *    trait  in  [traits] the model's traits, numbers in the cohort
 *    part   in  what follows the name, or "" */
void gp_trait_name_error(const gp_cohort *cohort, const int64_t *trait, int64_t traits,
                         const char *part, gp_err *err);

/** Warns that covariate k adds nothing among the samples of a trait. */
void gp_trait_tell_dropped(const gp_sink *sink, const gp_cohort *cohort, int64_t k, int64_t trait);

#endif
