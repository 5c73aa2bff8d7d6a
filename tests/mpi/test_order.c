/* The order of keys on all ranks, against a sort of all of them on every rank. */
#include "mpi/order.h"
#include "mpi/par_private.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 400, RANKS = 8 };

static gp_par *par;

/* Where a rank holds few keys or none, all the same ones, many equal ones, or any at all. */
static int64_t count_of(int round, int rank) {
    uint64_t z = number_of(1, round, rank, 0);
    return z % 4 == 0 ? 0 : z % 4 == 1 ? (int64_t)(z >> 8) % 3 : (int64_t)(z >> 8) % MOST;
}

static uint64_t key_of(int round, int rank, int64_t i) {
    uint64_t z = number_of(2, round, rank, i);
    switch (round % 5) {
    case 0:
        return z;
    case 1:
        return z % 7;
    case 2:
        return UINT64_MAX - z % 3;
    case 3:
        return 5;
    default: /* in sorted order over the ranks */
        return (uint64_t)rank << 32 | (uint64_t)i;
    }
}

typedef struct held {
    uint64_t key;
    int64_t place; /* in the list of all */
} held;

static int by_key(const void *a, const void *b) {
    const held *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* All ranks' keys, sorted; where this rank's begin in the list of all. */
static int64_t sort_all(int round, held *all, int64_t *begin) {
    int64_t total = 0;
    for (int r = 0; r < gp_par_size(par); r++) {
        if (r == gp_par_rank(par))
            *begin = total;
        for (int64_t i = 0; i < count_of(round, r); i++, total++)
            all[total] = (held){key_of(round, r, i), total};
    }
    qsort(all, (size_t)total, sizeof *all, by_key);
    return total;
}

static void choose_limit(int round) {
    static const int64_t limits[] = {(int64_t)1 << 30, 37, 3};
    par->limit = limits[round % 3];
}

static int ranks_are_right(int round) {
    held all[RANKS * MOST];
    uint64_t key[MOST];
    int64_t order[MOST] = {0}, begin = 0, count = count_of(round, gp_par_rank(par));
    gp_err err = {0};
    int64_t total = sort_all(round, all, &begin);
    for (int64_t i = 0; i < count; i++)
        key[i] = key_of(round, gp_par_rank(par), i);
    choose_limit(round);
    int ok = gp_par_order(par, key, order, count, &err) == GP_OK;
    for (int64_t k = 0; k < total; k++)
        if (all[k].place >= begin && all[k].place < begin + count)
            ok &= order[all[k].place - begin] == k + 1;
    return ok;
}

static void each_key_has_the_rank_that_a_sort_of_all_gives(void **state) {
    (void)state;
    int ok = 1;
    for (int round = 0; round < 200; round++)
        ok &= ranks_are_right(round);
    assert_all(ok);
}

static int found_are_right(int round) {
    held all[RANKS * MOST];
    uint64_t key[MOST], found[9];
    int64_t place[9], places = 0, begin = 0, count = count_of(round, gp_par_rank(par));
    gp_err err = {0};
    int64_t total = sort_all(round, all, &begin);
    for (int64_t i = 0; i < count; i++)
        key[i] = key_of(round, gp_par_rank(par), i);
    for (; total > 0 && places < 9; places++)
        place[places] = places == 0   ? 0
                        : places == 1 ? total - 1
                                      : (int64_t)(number_of(3, round, places, 0) >> 1) % total;
    choose_limit(round);
    int ok = gp_order_sort(key, count, &err) == GP_OK;
    ok &= gp_par_order_find(par, key, count, place, found, places, &err) == GP_OK;
    for (int64_t k = 0; k < places; k++)
        ok &= found[k] == all[place[k]].key;
    return ok;
}

static void the_key_at_a_place_is_that_of_the_sorted_list(void **state) {
    (void)state;
    int ok = 1;
    for (int round = 0; round < 200; round++)
        ok &= found_are_right(round);
    assert_all(ok);
}

static void greater_numbers_have_smaller_keys(void **state) {
    (void)state;
    const double falling[] = {INFINITY, 1e300, 2.5, 2.0, 1.0, 1e-310, 0.0, -1e-9, -3e10, -INFINITY};
    int ok = gp_order_key(-0.0) == gp_order_key(0.0) && gp_order_key(NAN) == UINT64_MAX;
    for (size_t k = 0; k < sizeof falling / sizeof *falling; k++) {
        ok &= gp_order_real(gp_order_key(falling[k])) == falling[k];
        if (k > 0)
            ok &= gp_order_key(falling[k - 1]) < gp_order_key(falling[k]);
        ok &= gp_order_key(falling[k]) < gp_order_key(NAN);
    }
    assert_all(ok);
}

/* Where memory is refused to one rank, whichever and whenever, all return. */
static void memory_refused_on_any_one_rank_ends_it_on_all(void **state) {
    (void)state;
    uint64_t key[50];
    int64_t order[50];
    int ok = 1, failures = 0;
    for (int64_t i = 0; i < 50; i++)
        key[i] = key_of(0, gp_par_rank(par), i);
    for (int failing = 0; failing < gp_par_size(par); failing++)
        for (int64_t k = 1; k <= 12; k++) {
            gp_err err = {0};
            gp_mem_fail_at(gp_par_rank(par) == failing ? k : 0);
            int rc = gp_par_order(par, key, order, 50, &err);
            gp_mem_fail_at(0);
            failures += rc == GP_EFAIL;
            ok &= rc == GP_OK || strstr(err.text, "memory") != NULL;
        }
    assert_all(ok && failures == 9 * gp_par_size(par));
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_the_rank_that_a_sort_of_all_gives),
        cmocka_unit_test(the_key_at_a_place_is_that_of_the_sorted_list),
        cmocka_unit_test(greater_numbers_have_smaller_keys),
        cmocka_unit_test(memory_refused_on_any_one_rank_ends_it_on_all),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("order", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
