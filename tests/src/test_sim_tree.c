/* The founders' family tree: its shape through recombinations, and the times theory gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/sim/tree.h"

#include <math.h>

static void check_tree(const gp_tree *tree) {
    int32_t leaf[256];
    int64_t nodes = 2 * tree->leaves - 1;
    double length = 0;
    assert_int_equal(tree->inner, tree->leaves - 1);
    assert_int_equal(gp_tree_below(tree, tree->root, leaf), tree->leaves);
    for (int32_t k = 0; k < nodes; k++) {
        int32_t up = tree->parent[k];
        if (k == tree->root) {
            assert_int_equal(up, -1);
            continue;
        }
        assert_true(up >= tree->leaves && up < nodes && tree->time[up] >= tree->time[k]);
        assert_true(tree->child[up][0] == k || tree->child[up][1] == k);
        assert_true(tree->time[up] >= tree->split || tree->population[up] == tree->population[k]);
        length += tree->time[up] - tree->time[k];
    }
    for (int64_t k = 1; k < tree->inner; k++)
        assert_true(tree->time[tree->order[k]] >= tree->time[tree->order[k - 1]]);
    assert_true(fabs(length - tree->length) < 1e-9 * length);
}

static void a_tree_stays_one_through_recombinations(void **state) {
    (void)state;
    gp_err err = {0};
    gp_tree tree;
    gp_rng rng = gp_rng_stream(3, 1, 0, 0, 0);
    assert_int_equal(gp_tree_init(&tree, 90, 30, &err), GP_OK);
    gp_tree_grow(&tree, &rng);
    for (int k = 0; k < 500; k++) {
        check_tree(&tree);
        gp_tree_recombine(&tree, &rng);
    }
    gp_tree_free(&tree);
}

/* Coalescent theory: two lineages of a population meet after 1/rate = pairs generations; of two
 * populations after the split plus as long; the tree of n has length pairs x 2 x (1 + ... +
 * 1/(n-1)). */
static void lineages_meet_after_the_time_theory_gives(void **state) {
    (void)state;
    enum { TREES = 4000 };
    for (int apart = 0; apart < 2; apart++) {
        gp_err err = {0};
        gp_tree tree;
        double sum = 0, length = 0;
        assert_int_equal(gp_tree_init(&tree, 2, apart ? 1 : 2, &err), GP_OK);
        for (uint32_t k = 0; k < TREES; k++) {
            gp_rng rng = gp_rng_stream(4, 1, k, 0, 0);
            gp_tree_grow(&tree, &rng);
            sum += tree.time[tree.root];
            length += tree.length;
        }
        double expected = tree.pairs + (apart ? tree.split : 0);
        /* 4 standard errors; an exponential's deviation is its mean */
        assert_true(fabs(sum / TREES - expected) < 4 * tree.pairs / sqrt(TREES));
        assert_true(fabs(length - 2 * sum) < 1e-9 * length);
        gp_tree_free(&tree);
    }
    gp_err err = {0};
    gp_tree tree;
    double length = 0, expected = 0;
    assert_int_equal(gp_tree_init(&tree, 10, 10, &err), GP_OK);
    for (uint32_t k = 0; k < TREES; k++) {
        gp_rng rng = gp_rng_stream(5, 1, k, 0, 0);
        gp_tree_grow(&tree, &rng);
        length += tree.length;
    }
    for (int k = 1; k < 10; k++)
        expected += 2 * tree.pairs / k;
    /* var = 4 pairs^2 (1 + 1/4 + ... + 1/81) < 6.2 pairs^2 */
    assert_true(fabs(length / TREES - expected) < 4 * tree.pairs * sqrt(6.2 / TREES));
    gp_tree_free(&tree);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_stays_one_through_recombinations),
        cmocka_unit_test(lineages_meet_after_the_time_theory_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
