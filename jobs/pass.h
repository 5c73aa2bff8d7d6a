/** A pass over the genotypes: every rank visits its part of the variants, batch by batch, while the
 *  next batch is being read. */
#ifndef GP_JOBS_PASS_H
#define GP_JOBS_PASS_H

#include "io/store_ahead.h"
#include "jobs/command.h"
#include "jobs/selection.h"
#include "mpi/plan.h"

/** Adds integers over the shards of a group, to be used by a visitor as its meeting place.
 *    sums  inout  [count + 1]; the last one is the function's own
 *  -1 where a shard has failed or was told to stop: all shards get that at the same meeting. */
int gp_pass_sum(gp_job *job, int64_t *sums, int64_t count, gp_err *err);

/** What is done with a run of variants. Every shard of a group is called for every run, and must
 *  come to the same meetings.
 *    batch  in  NULL where this shard could not read it: err says why
 *  Below 0 ends the pass for all shards of the group. */
typedef int gp_visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch,
                     gp_err *err);

/** All borrowed. */
typedef struct gp_pass {
    gp_job *job;
    gp_store *store;
    const gp_plan *plan;
    const gp_selection *selection;
    int64_t first, samples; /* this shard: store samples [first, first + samples) */
    int64_t batch;          /* variants read at once; divides GP_TEXT_BLOCK */
} gp_pass;

/** Visits this rank's part in order. Collective: the ranks meet now and then, so that an error or a
 *  signal (GP_ESTOP) on one of them ends all within a 50th of the work. Genotypes of batches that
 *  hold no listed variant are not read. */
int gp_pass_walk(const gp_pass *pass, gp_visit *visit, void *context, gp_err *err);

#endif
