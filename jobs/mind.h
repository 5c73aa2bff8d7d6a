/** --mind: samples with too many missing calls. */
#ifndef GP_JOBS_MIND_H
#define GP_JOBS_MIND_H

#include "jobs/cohort.h"
#include "jobs/pass.h"

/** Drops samples of the cohort whose share of missing calls, over the listed variants of the chosen
 *  chromosomes, exceeds limit. As in PLINK 2, chromosome Y counts for males alone. Collective; a
 *  note says how many. GP_EINPUT where none remains. */
int gp_mind(const gp_pass *pass, gp_cohort *cohort, double limit, gp_err *err);

/** The same as a pass of its own, before there is another. limit NaN: nothing is done. The
 *  selection's masks are made anew. Collective; one shard. */
int gp_mind_alone(gp_job *job, gp_store *store, gp_selection *selection, gp_cohort *cohort,
                  double limit, gp_err *err);

#endif
