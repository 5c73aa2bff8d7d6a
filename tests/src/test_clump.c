/* Clumps by hand, and against a plain greedy loop over all pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/clump.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 400 };

/* Candidates and their correlations as a table. */
typedef struct table {
    gp_clump_plan plan;
    int64_t position[MOST];
    double strength[MOST];
    uint8_t leads[MOST];
    float r2[MOST][MOST];
    int64_t asked, longest, last;
    int fails;
} table;

static int correlate(void *context, int64_t leader, const int64_t *with, int64_t count, double *r2,
                     gp_err *err) {
    table *t = context;
    for (int64_t k = 0; k < count; k++) {
        assert_true(with[k] != leader && (k == 0 || with[k] > with[k - 1]));
        r2[k] = (double)t->r2[leader][with[k]];
    }
    t->asked += count;
    t->longest = count > t->longest ? count : t->longest;
    return t->fails ? gp_err_set(err, GP_EINPUT, "no genotypes") : GP_OK;
}

static table *new_table(int64_t count, int64_t reach, double r2) {
    table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->plan = (gp_clump_plan){.count = count,
                              .position = t->position,
                              .strength = t->strength,
                              .leads = t->leads,
                              .reach = reach,
                              .r2 = r2,
                              .block = 64,
                              .correlate = correlate,
                              .context = t};
    return t;
}

static void link(table *t, int64_t a, int64_t b, double r2) {
    t->r2[a][b] = t->r2[b][a] = (float)r2;
}

static void clump(table *t, int64_t *leader) {
    gp_err err = {0};
    assert_int_equal(gp_clump(&t->plan, leader, &err), GP_OK);
}

static void expect(table *t, const int64_t *wanted) {
    int64_t leader[MOST];
    clump(t, leader);
    for (int64_t i = 0; i < t->plan.count; i++)
        assert_int_equal(leader[i], wanted[i]);
}

static void set(table *t, int64_t i, int64_t position, double strength, int leads) {
    t->position[i] = position;
    t->strength[i] = strength;
    t->leads[i] = (uint8_t)leads;
}

static void the_strongest_takes_its_neighbours_and_the_next_what_is_left(void **state) {
    (void)state;
    table *t = new_table(5, 100, 0.5);
    set(t, 0, 10, 8, 1);
    set(t, 1, 20, 9, 1);
    set(t, 2, 30, 3, 0);
    set(t, 3, 40, 7, 1);
    set(t, 4, 50, 2, 0);
    link(t, 0, 1, 0.6); /* 1 takes 0 */
    link(t, 0, 4, 0.9); /* 0 leads nobody */
    link(t, 1, 2, 0.4);
    link(t, 2, 3, 0.7);
    expect(t, (int64_t[]){1, 1, 3, 3, -1});
    free(t);
}

static void reach_and_threshold_are_still_within(void **state) {
    (void)state;
    table *t = new_table(4, 100, 0.25);
    set(t, 0, 0, 3, 1);
    set(t, 1, 100, 9, 1);
    set(t, 2, 200, 3, 1);
    set(t, 3, 201, 3, 0);
    link(t, 0, 1, 0.25);
    link(t, 1, 2, 0.2499);
    link(t, 1, 3, 0.99);
    expect(t, (int64_t[]){1, 1, 2, -1});
    free(t);
}

static void ties_go_to_the_first_place(void **state) {
    (void)state;
    table *t = new_table(3, 5, 0.5);
    for (int64_t i = 0; i < 3; i++)
        set(t, i, 7, 4.5, 1);
    link(t, 0, 1, 1);
    link(t, 1, 2, 1);
    expect(t, (int64_t[]){0, 0, 2});
    free(t);
}

static void what_does_not_vary_is_not_taken(void **state) {
    (void)state;
    table *t = new_table(2, 5, 0.0);
    set(t, 0, 1, 4, 1);
    set(t, 1, 2, 3, 1);
    link(t, 0, 1, NAN);
    expect(t, (int64_t[]){0, 1});
    link(t, 0, 1, 0);
    expect(t, (int64_t[]){0, 0});
    free(t);
}

static void who_may_not_lead_is_only_taken(void **state) {
    (void)state;
    table *t = new_table(3, 5, 0.5);
    set(t, 0, 1, 9, 0);
    set(t, 1, 2, 1, 1);
    set(t, 2, 3, 5, 0);
    link(t, 0, 1, 1);
    link(t, 0, 2, 1);
    expect(t, (int64_t[]){1, 1, -1});
    free(t);
}

/* A member between two leaders goes to the stronger one, though that is found later. */
static void a_weaker_leader_found_first_gives_back(void **state) {
    (void)state;
    table *t = new_table(5, 10, 0.5);
    set(t, 0, 0, 5, 1);  /* leads at once: nobody stronger within reach is open */
    set(t, 1, 8, 1, 0);  /* correlated with 0 and with 2 */
    set(t, 2, 18, 8, 1); /* within reach of a stronger one: settled after it */
    set(t, 3, 28, 9, 1);
    set(t, 4, 29, 1, 0);
    link(t, 0, 1, 0.9);
    link(t, 1, 2, 0.6);
    link(t, 3, 4, 0.6);
    expect(t, (int64_t[]){0, 2, 2, 3, 3});
    free(t);
}

static void nobody_is_no_clump(void **state) {
    (void)state;
    table *t = new_table(0, 10, 0.5);
    int64_t leader[1] = {-7};
    clump(t, leader);
    assert_int_equal(leader[0], -7);
    free(t);
}

/* ---- the plain loop ---- */

static void plain(const table *t, int64_t *leader) {
    const gp_clump_plan *p = &t->plan;
    for (int64_t i = 0; i < p->count; i++)
        leader[i] = -1;
    for (;;) {
        int64_t best = -1;
        for (int64_t i = 0; i < p->count; i++)
            if (p->leads[i] && leader[i] < 0 && (best < 0 || p->strength[i] > p->strength[best]))
                best = i;
        if (best < 0)
            return;
        leader[best] = best;
        for (int64_t j = 0; j < p->count; j++)
            if (leader[j] < 0 && llabs(p->position[j] - p->position[best]) <= p->reach &&
                (double)t->r2[best][j] >= p->r2)
                leader[j] = best;
    }
}

static table *random_table(uint64_t *seed) {
    int64_t count = 1 + gp_test_below(seed, MOST), spread = 1 + gp_test_below(seed, 4000);
    table *t = new_table(count, gp_test_below(seed, 300), 0.3);
    int64_t levels = 1 + gp_test_below(seed, 60); /* few: many ties */
    double share = gp_test_uniform(seed), density = 0.3 + 0.3 * gp_test_uniform(seed);
    for (int64_t i = 0, at = 0; i < count; i++) {
        at += gp_test_below(seed, 1 + spread / count);
        set(t, i, at, (double)gp_test_below(seed, levels), gp_test_uniform(seed) < share);
        for (int64_t j = 0; j < i; j++)
            link(t, i, j, density * gp_test_uniform(seed));
    }
    return t;
}

static void random_tables_agree_with_a_plain_loop_for_any_block(void **state) {
    (void)state;
    uint64_t seed = 12;
    int64_t leader[MOST], wanted[MOST];
    for (int round = 0; round < 400; round++) {
        table *t = random_table(&seed);
        plain(t, wanted);
        for (int64_t block = 1; block < 1000; block = block * 7 + 2) {
            t->plan.block = block;
            t->longest = 0;
            clump(t, leader);
            assert_memory_equal(leader, wanted, sizeof *leader * (size_t)t->plan.count);
            assert_true(t->longest <= block);
        }
        free(t);
    }
}

/* A chain in which each is weaker than the next: every one waits for the last. */
static void a_long_chain_is_no_long_work(void **state) {
    (void)state;
    table *t = new_table(MOST, 10, 0.5);
    int64_t leader[MOST];
    for (int64_t i = 0; i < MOST; i++)
        set(t, i, i * 10, (double)i, 1);
    for (int64_t i = 1; i < MOST; i++)
        link(t, i, i - 1, 1);
    clump(t, leader);
    for (int64_t i = 0; i < MOST; i++)
        assert_int_equal(leader[i], i % 2 == 1 ? i : i + 1);
    assert_true(t->asked <= MOST);
    free(t);
}

static void an_error_of_the_correlations_comes_back(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t leader[2];
    table *t = new_table(2, 5, 0.5);
    set(t, 0, 1, 4, 1);
    set(t, 1, 2, 3, 1);
    t->fails = 1;
    assert_int_equal(gp_clump(&t->plan, leader, &err), GP_EINPUT);
    assert_string_equal(err.text, "no genotypes");
    free(t);
}

static int clump_once(void *context, gp_err *err) {
    table *t = context;
    int64_t leader[MOST];
    return gp_clump(&t->plan, leader, err);
}

static void memory_that_is_refused_is_an_error(void **state) {
    (void)state;
    uint64_t seed = 3;
    table *t = random_table(&seed);
    assert_true(gp_test_fail_each(clump_once, t) == 3);
    free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strongest_takes_its_neighbours_and_the_next_what_is_left),
        cmocka_unit_test(reach_and_threshold_are_still_within),
        cmocka_unit_test(ties_go_to_the_first_place),
        cmocka_unit_test(what_does_not_vary_is_not_taken),
        cmocka_unit_test(who_may_not_lead_is_only_taken),
        cmocka_unit_test(a_weaker_leader_found_first_gives_back),
        cmocka_unit_test(nobody_is_no_clump),
        cmocka_unit_test(random_tables_agree_with_a_plain_loop_for_any_block),
        cmocka_unit_test(a_long_chain_is_no_long_work),
        cmocka_unit_test(an_error_of_the_correlations_comes_back),
        cmocka_unit_test(memory_that_is_refused_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
