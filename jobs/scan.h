/** The tests of all variants: sum, judge, test and write, batch by batch, on every rank its part.
 */
#ifndef GP_JOBS_SCAN_H
#define GP_JOBS_SCAN_H

#include "jobs/pass.h"
#include "jobs/patterns.h"
#include "jobs/tables.h"

/** Chosen variants of a batch, to be tested against the traits of one pattern. */
typedef struct gp_scan_block {
    const gp_ahead_batch *batch;
    const int64_t *chosen; /* [count] numbers of variants in the batch, ascending */
    int64_t count;
    gp_pattern *pattern;
} gp_scan_block;

/** How a model tests a block. Every shard of a group is called, and may meet the others.
 *    result  out  [block->count x traits of the pattern] row-major, room on every shard; counts on
 *                 the one that writes
 *  -1 where the shards have parted (gp_pass_sum); any other error waits for their next meeting. */
typedef int gp_scan_test(void *context, const gp_scan_block *block, gp_result *result, gp_err *err);

/** A test, and what it is called with. */
typedef struct gp_scan_model {
    gp_scan_test *test;
    void *context;
} gp_scan_model;

/** Everything that testing needs; all borrowed. */
typedef struct gp_scan {
    gp_pass pass;
    gp_cohort *cohort;
    gp_selection *selection;
    gp_patterns *patterns;
    gp_tables *tables;
    gp_scan_model model[GP_PATTERN_KINDS]; /* of the patterns of each kind */
} gp_scan;

/** Variants that are read at once: a power of two from `least` (the store's chunks, see
 *  gp_store_chunk_variants) to GP_TEXT_BLOCK that keeps a batch's rows of stride bytes within 16
 *  MiB, and its sums and results for so many covariates and traits (some of them binary, or none)
 *  within 64 MiB. */
int64_t gp_scan_batch(int64_t least, int64_t stride, int64_t covariates, int64_t traits,
                      int binary);

/** Bytes of the buffers of a pass, without the model and its buffers. */
int64_t gp_scan_bytes(const gp_scan *scan);

/** Tests every selected variant of this rank's part and adds the lines to the tables. Collective.
 *  Results do not depend on batch, plan or threads. Errors as in gp_pass_walk. */
int gp_scan_tests(gp_scan *scan, gp_err *err);

#endif
