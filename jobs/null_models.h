/** The null models of binary traits: covariates and offsets alone, fitted by all ranks together,
 * each over its own run of samples (src/assoc/logit.h). */
#ifndef GP_JOBS_NULL_MODELS_H
#define GP_JOBS_NULL_MODELS_H

#include "jobs/command.h"
#include "jobs/offset.h"
#include "jobs/patterns.h"

/** Fits the null models of every binary trait: one, or one for each of its columns of
 *  offsets. Traits that have none are marked skipped, with a warning that says why (where
 *  covariates separate cases from controls: which one does so alone), and leave their
 *  patterns. Frees the values of the covariates, and the offsets' parts. Collective; nothing to do
 * where no trait is binary. GP_EINPUT where no trait is left, GP_ESTOP after a signal. */
int gp_null_models_fit(gp_job *job, gp_patterns *patterns, gp_cohort *cohort, gp_offsets *offsets,
                       gp_err *err);

/** Puts offsets into the places of rows; 0 where value is NULL.
 *    value  in   [rows->samples] of store sample rows->first and those behind it
 *    to     out  [rows->groups x 64] */
void gp_null_models_place(const gp_logit_rows *rows, const double *value, double *to);

#endif
