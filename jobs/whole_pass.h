/** A pass over the genotypes (jobs/pass.h) with a plan of its own: the groups of ranks share out
 *  the variants, the shards of a group the samples. */
#ifndef GP_JOBS_WHOLE_PASS_H
#define GP_JOBS_WHOLE_PASS_H

#include "jobs/pass.h"

enum { GP_WHOLE_PASS_BATCH = 1024 /* variants at once, at most; divides every block of a store */ };

typedef struct gp_whole_pass {
    gp_pass pass;
    gp_plan plan;
} gp_whole_pass;

/** Plans it. Local. The pass borrows the struct itself, which must stay where it is. Comes
 *  zeroed; freed in any case.
 *    count  in  [chromosomes of the store] variants of each that are work */
int gp_whole_pass_init(gp_whole_pass *whole, gp_job *job, gp_store *store,
                       const gp_selection *selection, const int64_t *count, gp_err *err);
void gp_whole_pass_free(gp_whole_pass *whole);

#endif
