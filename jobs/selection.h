/** Which variants are tested: chromosomes, id lists, and filters on counts. */
#ifndef GP_JOBS_SELECTION_H
#define GP_JOBS_SELECTION_H

#include "io/store.h"
#include "jobs/cohort.h"
#include "jobs/command.h"
#include "src/geno/calls.h"
#include "src/geno/filter.h"

/** What the user said; NULL or NaN = not said. */
typedef struct gp_selection_options {
    const char *chr, *extract, *exclude;
    gp_filter filter;
} gp_selection_options;

/** Why a variant is not tested: the filters' reasons (src/geno/filter.h), then these. */
enum { GP_NOT_LISTED = GP_FILTER_REASONS, GP_REASONS };

typedef struct gp_selection {
    int64_t chromosomes;
    int64_t *count; /* [chromosomes] variants that are work; 0 where --chr leaves one out */
    gp_ids extract, exclude;
    int has_extract;
    gp_filter filter;
    uint8_t *all;     /* [stride of the shard] mask of the kept samples */
    uint8_t *females; /* [stride of the shard] the kept females: X is tested for Hardy-Weinberg in
                         them */
    int64_t stride;
    int64_t sum[GP_REASONS]; /* variants by outcome on this rank; [GP_KEPT] = tested */
} gp_selection;

/** Reads lists (rank 0 shares them) and applies --chr. Collective. Masks are made by
 *  gp_selection_masks. */
int gp_selection_load(gp_job *job, const gp_selection_options *options, gp_store *store,
                      gp_selection *selection, gp_err *err);

/** Makes the masks of kept samples over [first, first + samples). Local. */
int gp_selection_masks(gp_selection *selection, const gp_cohort *cohort, int64_t first,
                       int64_t samples, gp_err *err);

/** Whether a filter asks for counts. */
int gp_selection_counts(const gp_selection *selection);

/** Counts a block of variants of a chromosome for the filters. OpenMP threads share it.
 *    sums  out  [calls->m x 8] calls of all kept samples, then, where they matter, of the kept
 *               females: addable over shards */
void gp_selection_count(const gp_selection *selection, gp_kind kind, const gp_calls *calls,
                        int64_t *sums);

/** Whether --extract and --exclude let a variant pass. */
int gp_selection_lists(const gp_selection *selection, const char *id);

/** Judges a variant from its id and its sums over all shards: GP_KEPT or the reason. */
int gp_selection_judge(const gp_selection *selection, gp_kind kind, const char *id,
                       const int64_t sums[8]);

/** Words for a reason, e.g. "below --maf". */
const char *gp_selection_reason(int reason);

void gp_selection_free(gp_selection *selection);

#endif
