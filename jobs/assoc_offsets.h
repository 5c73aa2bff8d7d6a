/** --offset and --offset-name of `gp-dist assoc`: which traits have offsets, and of what kind. */
#ifndef GP_JOBS_ASSOC_OFFSETS_H
#define GP_JOBS_ASSOC_OFFSETS_H

#include "jobs/assoc_options.h"
#include "jobs/pass.h"

/** Local.
 *    kind  out  [cohort traits] GP_OFFSET_NONE for all without --offset
 *  GP_EINPUT where --offset-name holds what is none of the cohort's traits. */
int gp_assoc_offset_kinds(const gp_assoc_options *o, const gp_cohort *cohort, gp_offset_kind *kind,
                          gp_err *err);

/** Reads the offsets of those traits, for the variants that this rank's part of the pass visits;
 *  nothing without --offset. Collective. As gp_offsets_load. */
int gp_assoc_offsets_load(const gp_assoc_options *o, const gp_pass *pass, gp_cohort *cohort,
                          gp_offsets *offsets, gp_err *err);

#endif
