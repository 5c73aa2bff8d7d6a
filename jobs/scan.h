/** The pass over the genotypes: read, filter, sum, test, write, block by block, on every rank its
 *  part. */
#ifndef GP_JOBS_SCAN_H
#define GP_JOBS_SCAN_H

#include "jobs/patterns.h"
#include "jobs/selection.h"
#include "jobs/tables.h"
#include "mpi/plan.h"

/** Everything a pass needs; all borrowed. */
typedef struct gp_scan {
    gp_job *job;
    gp_store *store;
    const gp_plan *plan;
    int64_t first, samples; /* this shard: store samples [first, first + samples) */
    int64_t batch;          /* variants read at once; divides GP_TEXT_BLOCK */
    gp_cohort *cohort;
    gp_selection *selection;
    gp_patterns *patterns;
    gp_tables *tables;
} gp_scan;

/** Variants that are read at once: a power of two from 16 to GP_TEXT_BLOCK that keeps a batch's
 * rows of stride bytes within 16 MiB, and its sums and results for so many covariates and traits
 * within 64 MiB. */
int64_t gp_scan_batch(int64_t stride, int64_t covariates, int64_t traits);

/** Bytes of the buffers of a pass, without the models. */
int64_t gp_scan_bytes(const gp_scan *scan);

/** Tests every selected variant of this rank's part and adds the lines to the tables. Collective.
 *  Results do not depend on batch, plan or threads. After an error or a signal (GP_ESTOP) on one
 *  rank all end within a 50th of the work. */
int gp_scan_tests(gp_scan *scan, gp_err *err);

/** Drops samples of the cohort whose share of missing calls, over the listed variants of the chosen
 *  chromosomes, exceeds limit. As in PLINK 2, chromosome Y counts for males alone. Collective; a
 * note says how many. Uses all but patterns and tables. GP_EINPUT where none remains. */
int gp_scan_mind(gp_scan *scan, double limit, gp_err *err);

#endif
