/** Founder haplotypes, run by run along a chromosome: the pool that all samples copy from.
 *
 *  Every variant is one mutation on the family tree of the founders at its place (src/sim/tree.h),
 * on a branch chosen in proportion to its length; who descends from it carries ALT. So frequencies
 * are those of the coalescent, nothing is monomorphic among the founders, and variants of one tree
 * are in perfect phylogeny. Local. Results depend on the seed, the chromosome and the positions
 * only, not on the cut into runs.
 */
#ifndef GP_SRC_SIM_PANEL_H
#define GP_SRC_SIM_PANEL_H

#include "src/sim/tree.h"

enum { GP_PANEL_EACH = 64 /* founder haplotypes per population */, GP_PANEL_POPULATIONS = 16 };

typedef struct gp_panel {
    gp_tree tree;
    gp_rng rng; /* of the tree's changes */
    uint64_t seed;
    int64_t chromosome;
    int64_t variant;   /* next one on the chromosome */
    double recombines; /* base pair of the tree's next change */
    int32_t *leaf;     /* [founders] scratch */
} gp_panel;

/** GP_PANEL_EACH founders for each of 1 … GP_PANEL_POPULATIONS populations. */
int gp_panel_init(gp_panel *panel, int64_t populations, uint64_t seed, gp_err *err);

/** Goes to the start of a chromosome. */
void gp_panel_begin(gp_panel *panel, int64_t chromosome);

/** Makes the next count variants.
 *    position  in   [count] base pairs, ascending
 *    bits      out  [founders x words] row-major; bit v of a row: the founder carries ALT of the
 *                   run's variant v; 64 words >= count
 *  Cost O(founders) a variant and O(founders) a recombination among the founders (about 270,000 in
 * a human-sized genome with three populations). */
void gp_panel_next(gp_panel *panel, const int64_t *position, int64_t count, uint64_t *bits,
                   int64_t words);

void gp_panel_free(gp_panel *panel);

#endif
