/** The family tree of the founders' haplotypes at one place of a chromosome.
 *
 *  A structured coalescent: backwards in time a lineage meets each other lineage of its own
 * population at rate 1 / pairs per generation; before `split` generations ago there was one
 * population, and all lineages may meet. Along the chromosome the tree changes by the sequentially
 * Markov coalescent: recombination cuts a branch, and the piece below climbs until it meets the
 * rest again. Neighbouring places so share most of their tree, which is what linkage disequilibrium
 * is. Local. Sources: Kingman 1982, Stoch Proc Appl 13:235; McVean & Cardin 2005, Phil Trans R Soc
 * B 360:1387.
 *
 *  Nodes 0 … leaves-1 are the haplotypes, population by population; the others are where two
 * lineages meet.
 */
#ifndef GP_SRC_SIM_TREE_H
#define GP_SRC_SIM_TREE_H

#include "src/base/err.h"
#include "src/base/rng.h"
#include <stdint.h>

typedef struct gp_tree {
    int64_t leaves;      /* >= 2 */
    int64_t each;        /* leaves per population */
    double split;        /* generations ago */
    double pairs;        /* 2N: generations two lineages need to meet, on average */
    int32_t *parent;     /* [2 leaves - 1]; -1 for the root */
    int32_t (*child)[2]; /* [2 leaves - 1]; unused for leaves */
    int32_t *population; /* [2 leaves - 1]; of nodes below the split */
    double *time;        /* [2 leaves - 1]; generations ago; 0 for leaves */
    int32_t *order;      /* [leaves - 1] inner nodes that are in the tree, youngest first */
    int64_t inner;       /* how many those are */
    int64_t *in_tree;    /* [populations] leaves that are in the tree */
    int32_t root;
    double length; /* sum of all branches, generations */
} gp_tree;

/** Allocates for leaves haplotypes, each of them per population. The tree is not yet grown. */
int gp_tree_init(gp_tree *tree, int64_t leaves, int64_t each, gp_err *err);

/** Grows a new random tree. Cost O(leaves^2). */
void gp_tree_grow(gp_tree *tree, gp_rng *rng);

/** One recombination: cuts a branch at a random place and attaches it anew. Cost O(leaves). */
void gp_tree_recombine(gp_tree *tree, gp_rng *rng);

/** The node under the branch that holds a point of the tree: branches laid end to end, 0 <= at <
 * length. */
int32_t gp_tree_branch(const gp_tree *tree, double at);

/** Lists the leaves below a node.
 *    leaf  out  [leaves] room; also used as the stack
 *  Returns how many there are. */
int64_t gp_tree_below(const gp_tree *tree, int32_t node, int32_t *leaf);

void gp_tree_free(gp_tree *tree);

#endif
