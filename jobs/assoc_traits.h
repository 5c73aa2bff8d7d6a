/** Which model of `gp-dist assoc` each trait gets. Local. */
#ifndef GP_JOBS_ASSOC_TRAITS_H
#define GP_JOBS_ASSOC_TRAITS_H

#include "jobs/assoc_options.h"
#include "jobs/patterns.h"

/** What patterns are told of the models that were asked for; the shard is the caller's to
 *  add. */
gp_patterns_input gp_assoc_models(const gp_assoc_options *o);

/** Whether a trait's model is logistic. */
int gp_assoc_is_logistic(const gp_assoc_options *o, const gp_trait *trait);

/** With --model logistic, marks the other traits skipped, with a warning. GP_EINPUT where
 *  no trait is left, where it is not clear whether one is binary, or where an option has no
 *  trait that it is for. */
int gp_assoc_choose(const gp_assoc_options *o, gp_cohort *cohort, const gp_sink *sink, gp_err *err);

#endif
