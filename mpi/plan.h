/** Which variants are whose: the partition of a store's variants over groups of ranks.
 *
 *  Work is the chosen chromosomes in order, cut into blocks of a fixed number of variants that
 *  never cross a chromosome. A part is a run of consecutive blocks, so results written in part
 *  order are in file order. A cut moves to the end of a chromosome where one is near enough.
 *  Pure integers: every rank computes the same plan from the store's shape. Local.
 */
#ifndef GP_MPI_PLAN_H
#define GP_MPI_PLAN_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_plan {
    int64_t chromosomes;
    int64_t *count; /* [chromosomes] variants of each that are work; 0 = left out */
    int64_t *first; /* [chromosomes + 1] first work index of each */
    int64_t block;  /* variants */
    int64_t parts;
    int64_t *begin; /* [parts + 1] first work index of each part; never decreases */
} gp_plan;

/** Makes the plan.
 *    plan   out  zeroed before; zeroed again on failure
 *    count  in   [chromosomes], >= 0; copied
 *    block  in   >= 1, variants
 *    parts  in   >= 1; some are empty where there are fewer blocks
 *  Shares differ from their mean by at most a block or a sixteenth of a share, whichever is more
 *  (and one variant, for rounding). So no share is more than 15% above another where a block is at
 *  most a sixteenth of a share.
 *  GP_EFAIL when memory is refused, or where an argument or their sum is out of range.
 *  Cost: chromosomes + parts steps. */
int gp_plan_init(gp_plan *plan, const int64_t *count, int64_t chromosomes, int64_t block,
                 int64_t parts, gp_err *err);

/** A run of consecutive variants of one chromosome. */
typedef struct gp_run {
    int64_t chromosome;
    int64_t first; /* within the chromosome's variants that are work */
    int64_t count; /* >= 1 */
} gp_run;

/** The next run of part k: never crosses a chromosome, nor a multiple of unit within it.
 *    at   inout  where to go on; start with plan->begin[k]
 *    run  out
 *  1, or 0 when the part is finished; run is then unchanged. */
int gp_plan_next(const gp_plan *plan, int64_t k, int64_t unit, int64_t *at, gp_run *run);

/** Frees; a zeroed plan is accepted. */
void gp_plan_free(gp_plan *plan);

#endif
