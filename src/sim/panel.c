#include "src/sim/panel.h"
#include "src/base/mem.h"
#include "src/sim/genome.h"
#include "src/sim/purpose.h"

#include <stdlib.h>
#include <string.h>

/* Crossovers per base pair and generation. */
#define CROSSOVERS (0.01 / GP_GENOME_BASES_PER_CM)

int gp_panel_init(gp_panel *panel, int64_t populations, uint64_t seed, gp_err *err) {
    *panel = (gp_panel){.seed = seed};
    int64_t founders = populations * GP_PANEL_EACH;
    panel->leaf = gp_mem_alloc(founders, sizeof *panel->leaf, err);
    if (panel->leaf == NULL || gp_tree_init(&panel->tree, founders, GP_PANEL_EACH, err) != GP_OK)
        gp_panel_free(panel);
    return err->code;
}

void gp_panel_free(gp_panel *panel) {
    gp_tree_free(&panel->tree);
    free(panel->leaf);
    *panel = (gp_panel){0};
}

static double to_next_change(gp_panel *panel) {
    return gp_rng_exponential(&panel->rng) / (panel->tree.length * CROSSOVERS);
}

void gp_panel_begin(gp_panel *panel, int64_t chromosome) {
    panel->chromosome = chromosome;
    panel->variant = 0;
    panel->rng = gp_rng_stream(panel->seed, GP_SIM_TREE, (uint32_t)chromosome, 0, 0);
    gp_tree_grow(&panel->tree, &panel->rng);
    panel->recombines = to_next_change(panel);
}

/* Lists a mutation's carriers in panel->leaf; returns how many they are. Those of one founder, or
 * of all but one, are mostly drawn again: association studies leave out such rare alleles. */
static int64_t mutate(gp_panel *panel, gp_rng *rng) {
    const gp_tree *tree = &panel->tree;
    int64_t carriers = 0;
    for (int tries = 0; tries < 4 && (carriers < 2 || carriers > tree->leaves - 2); tries++)
        carriers = gp_tree_below(tree, gp_tree_branch(tree, gp_rng_uniform(rng) * tree->length),
                                 panel->leaf);
    return carriers;
}

void gp_panel_next(gp_panel *panel, const int64_t *position, int64_t count, uint64_t *bits,
                   int64_t words) {
    gp_tree *tree = &panel->tree;
    memset(bits, 0, (size_t)(tree->leaves * words) * sizeof *bits);
    for (int64_t v = 0; v < count; v++) {
        while (panel->recombines < (double)position[v]) {
            gp_tree_recombine(tree, &panel->rng);
            panel->recombines += to_next_change(panel);
        }
        gp_rng rng = gp_rng_stream(panel->seed, GP_SIM_MUTATION, (uint32_t)panel->chromosome,
                                   (uint32_t)panel->variant++, 0);
        int64_t carriers = mutate(panel, &rng);
        for (int64_t k = 0; k < carriers; k++)
            bits[panel->leaf[k] * words + v / 64] |= (uint64_t)1 << (v % 64);
    }
}
