#include "src/sim/tree.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUTSIDE = -2 /* as a parent: the node is not in the tree */ };

int gp_tree_init(gp_tree *tree, int64_t leaves, int64_t each, gp_err *err) {
    int64_t nodes = 2 * leaves - 1;
    /* A small, young population: neighbours 100 kb apart are well correlated, so that tens of
     * thousands of variants cover a genome as hundreds of thousands do in people at large. The
     * split makes Fst about split / pairs. */
    *tree = (gp_tree){.leaves = leaves, .each = each, .split = 15, .pairs = 300};
    tree->parent = gp_mem_alloc(nodes, sizeof *tree->parent, err);
    tree->child = gp_mem_alloc(nodes, sizeof *tree->child, err);
    tree->population = gp_mem_alloc(nodes, sizeof *tree->population, err);
    tree->time = gp_mem_alloc(nodes, sizeof *tree->time, err);
    tree->order = gp_mem_alloc(leaves, sizeof *tree->order, err);
    tree->in_tree = gp_mem_alloc(leaves / each, sizeof *tree->in_tree, err);
    if (err->code != GP_OK)
        gp_tree_free(tree);
    return err->code;
}

void gp_tree_free(gp_tree *tree) {
    free(tree->parent);
    free(tree->child);
    free(tree->population);
    free(tree->time);
    free(tree->order);
    free(tree->in_tree);
    *tree = (gp_tree){0};
}

static double branch_length(const gp_tree *tree, int32_t node) {
    return tree->parent[node] < 0 ? 0 : tree->time[tree->parent[node]] - tree->time[node];
}

static void measure(gp_tree *tree) {
    tree->length = 0;
    for (int32_t k = 0; k < 2 * tree->leaves - 1; k++)
        tree->length += branch_length(tree, k);
}

/* How many lineages a floating one may meet at a time: of its population, or of all before the
 * split. Its own leaves are counted in, so it is taken off once. */
static int64_t partners(const gp_tree *tree, double time, int32_t population) {
    int64_t n = -1;
    int all = time >= tree->split;
    for (int64_t p = 0; p < tree->leaves / tree->each; p++)
        n += all || p == population ? tree->in_tree[p] : 0;
    for (int64_t k = 0; k < tree->inner && tree->time[tree->order[k]] <= time; k++)
        n -= all || tree->population[tree->order[k]] == population;
    return n;
}

/* When a lineage that floats at `from` meets one of the tree's: each waits for it at rate 1/pairs.
 */
static double meeting_time(const gp_tree *tree, double from, int32_t population, gp_rng *rng) {
    double left = gp_rng_exponential(rng) * tree->pairs, time = from;
    int64_t waiting = partners(tree, from, population), k = 0;
    while (k < tree->inner && tree->time[tree->order[k]] <= from)
        k++;
    for (;;) {
        int apart = time < tree->split;
        double next = k < tree->inner ? tree->time[tree->order[k]] : INFINITY;
        int splits = apart && next >= tree->split;
        if (splits)
            next = tree->split;
        if (waiting > 0 && left <= (double)waiting * (next - time))
            return time + left / (double)waiting;
        left -= waiting > 0 ? (double)waiting * (next - time) : 0;
        time = next;
        if (splits)
            waiting = partners(tree, time, population);
        else
            waiting -= !apart || tree->population[tree->order[k]] == population;
        k += !splits;
    }
}

/* The lineage of that time which has number `which` among those that may be met. */
static int32_t lineage(const gp_tree *tree, double time, int32_t population, int64_t which) {
    int32_t found = tree->root;
    for (int32_t k = 0; k < 2 * tree->leaves - 1; k++) {
        int32_t up = tree->parent[k];
        int lives = up != OUTSIDE && tree->time[k] <= time && (up < 0 || tree->time[up] > time);
        if (lives && (time >= tree->split || tree->population[k] == population) && which-- == 0)
            found = k;
    }
    return found;
}

static void put_in_order(gp_tree *tree, int32_t node) {
    int64_t k = tree->inner++;
    for (; k > 0 && tree->time[tree->order[k - 1]] > tree->time[node]; k--)
        tree->order[k] = tree->order[k - 1];
    tree->order[k] = node;
}

static void replace_child(gp_tree *tree, int32_t up, int32_t old, int32_t fresh) {
    tree->parent[fresh] = up;
    if (up < 0)
        tree->root = fresh;
    else
        tree->child[up][tree->child[up][1] == old] = fresh;
}

/* Lets the lineage of `node`, floating at `from`, climb to the tree; they meet in `joint`. */
static void attach(gp_tree *tree, int32_t node, int32_t joint, double from, gp_rng *rng) {
    int32_t population = tree->population[node];
    double time = meeting_time(tree, from, population, rng);
    int64_t which = gp_rng_below(rng, partners(tree, time, population));
    int32_t other = lineage(tree, time, population, which);
    tree->time[joint] = time;
    tree->population[joint] = population;
    replace_child(tree, tree->parent[other], other, joint);
    tree->child[joint][0] = other;
    tree->child[joint][1] = node;
    tree->parent[other] = tree->parent[node] = joint;
    put_in_order(tree, joint);
}

void gp_tree_grow(gp_tree *tree, gp_rng *rng) {
    memset(tree->in_tree, 0, (size_t)(tree->leaves / tree->each) * sizeof *tree->in_tree);
    for (int32_t k = 0; k < 2 * tree->leaves - 1; k++) {
        tree->parent[k] = OUTSIDE;
        tree->population[k] = k < tree->leaves ? (int32_t)(k / tree->each) : 0;
        tree->time[k] = 0;
    }
    tree->parent[0] = -1;
    tree->root = 0;
    tree->inner = 0;
    tree->in_tree[0] = 1;
    /* A further lineage meets each lineage of the tree of those before it at the same rate, so
     * adding them one by one gives the coalescent of all. */
    for (int32_t k = 1; k < tree->leaves; k++) {
        tree->in_tree[k / tree->each]++;
        attach(tree, k, (int32_t)tree->leaves + k - 1, 0, rng);
    }
    measure(tree);
}

int32_t gp_tree_branch(const gp_tree *tree, double at) {
    int32_t last = 0;
    for (int32_t k = 0; k < 2 * tree->leaves - 1; k++) {
        double length = branch_length(tree, k);
        if (length > 0)
            last = k;
        if (at < length)
            return k;
        at -= length;
    }
    return last; /* rounding can leave a point just beyond the end */
}

int64_t gp_tree_below(const gp_tree *tree, int32_t node, int32_t *leaf) {
    /* Found leaves grow from the front, nodes still to visit from the back: together they are never
     * more than the leaves below, since each node to visit has one of its own. */
    int64_t found = 0, top = tree->leaves;
    leaf[--top] = node;
    while (top < tree->leaves) {
        int32_t at = leaf[top++];
        if (at < tree->leaves) {
            leaf[found++] = at;
        } else {
            leaf[--top] = tree->child[at][0];
            leaf[--top] = tree->child[at][1];
        }
    }
    return found;
}

void gp_tree_recombine(gp_tree *tree, gp_rng *rng) {
    int32_t node = gp_tree_branch(tree, gp_rng_uniform(rng) * tree->length);
    int32_t joint = tree->parent[node];
    double cut = tree->time[node] + gp_rng_uniform(rng) * branch_length(tree, node);
    int32_t sister = tree->child[joint][tree->child[joint][0] == node];
    replace_child(tree, tree->parent[joint], joint, sister);
    tree->parent[joint] = tree->parent[node] = OUTSIDE;
    int64_t k = 0;
    while (tree->order[k] != joint)
        k++;
    tree->inner--;
    memmove(tree->order + k, tree->order + k + 1, (size_t)(tree->inner - k) * sizeof *tree->order);
    attach(tree, node, joint, cut, rng);
    measure(tree);
}
