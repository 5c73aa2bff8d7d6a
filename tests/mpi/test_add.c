/* Sums of doubles, and bytes joined, over shards and over all ranks. */
#include "mpi/par.h"
#include "mpi/par_private.h"
#include "tests/support/mpi_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 300 };

static gp_par *par;

/* What rank r holds at i: magnitudes so different that the order of addition shows. */
static double held(int round, int r, int64_t i) {
    uint64_t z = number_of(1, round, r, i);
    return ldexp((double)(int64_t)(z >> 11) * (z & 1 ? 1 : -1), (int)(z >> 3 & 127) - 64);
}

static double in_rank_order(int round, int64_t i, int first, int ranks) {
    double sum = held(round, first, i);
    for (int r = first + 1; r < first + ranks; r++)
        sum += held(round, r, i);
    return sum;
}

/* Most rounds split their messages, now and then just at their end; one limit is below the ranks.
 */
static void choose_limit(int round) {
    static const int64_t limits[] = {(int64_t)1 << 30, 37, 100, 2};
    par->limit = limits[round % 4];
}

/* The elements beyond count must stay as they were. */
static int round_is_right(int round, int over_shards) {
    double x[MOST + 1];
    gp_err err = {0};
    int rank = gp_par_rank(par), first = 0, ranks = gp_par_size(par);
    int64_t count = (int64_t)(number_of(2, round, 0, 0) % (MOST + 1));
    if (over_shards && gp_par_group(par) < 0)
        return 1;
    if (over_shards) {
        first = gp_par_group(par) * gp_par_shards(par);
        ranks = gp_par_shards(par);
    }
    for (int64_t i = 0; i <= MOST; i++)
        x[i] = held(round, rank, i);
    choose_limit(round);
    int ok = GP_OK == (over_shards ? gp_par_add_shards(par, x, count, &err)
                                   : gp_par_add(par, x, count, &err));
    for (int64_t i = 0; i <= MOST; i++) {
        double right = i < count ? in_rank_order(round, i, first, ranks) : held(round, rank, i);
        ok &= memcmp(&x[i], &right, sizeof right) == 0;
    }
    return ok;
}

static void sums_are_those_in_the_order_of_the_ranks_to_the_bit(void **state) {
    (void)state;
    int ok = 1;
    for (int round = 0; round < 300; round++)
        ok &= round_is_right(round, 0);
    assert_all(ok);
}

static void sums_over_shards_are_those_in_their_order_to_the_bit(void **state) {
    (void)state;
    gp_err err = {0};
    int ok = 1;
    for (int round = 0; round < 300; round++) {
        if (round % 30 == 0)
            ok &= gp_par_set_shards(par, 1 + round / 30 % gp_par_size(par), &err) == GP_OK;
        ok &= round_is_right(round, 1);
    }
    assert_all(ok);
}

static void long_arrays_are_summed_in_pieces(void **state) {
    (void)state;
    enum { LONG = 200001 };
    gp_err err = {0};
    int64_t wrong = 0, size = gp_par_size(par);
    double *x = malloc(LONG * sizeof *x);
    par->limit = (int64_t)1 << 30;
    for (int64_t i = 0; i < LONG; i++)
        x[i] = (double)(i * (gp_par_rank(par) + 1));
    assert_all(gp_par_add(par, x, LONG, &err) == GP_OK);
    for (int64_t i = 0; i < LONG; i++)
        wrong += x[i] != (double)(i * size * (size + 1) / 2);
    assert_all(wrong == 0);
    free(x);
}

static unsigned char byte_of(int shard, int64_t i) {
    return (unsigned char)number_of(4, shard, i, 0);
}

/* Parts of any length, some empty, one after the other. */
static int join_is_right(int round) {
    unsigned char mine[MOST], all[8 * MOST];
    int64_t bytes[8], total = 0;
    gp_err err = {0};
    int shards = gp_par_shards(par), ok = 1;
    if (gp_par_group(par) < 0)
        return 1;
    for (int s = 0; s < shards; total += bytes[s++])
        bytes[s] = round % 3 == s % 3 ? 0 : (int64_t)(number_of(3, round, s, 0) % MOST);
    for (int64_t i = 0; i < MOST; i++)
        mine[i] = byte_of(gp_par_shard(par), i);
    memset(all, 0x5A, sizeof all);
    choose_limit(round);
    ok &= gp_par_join_shards(par, mine, bytes, all, &err) == GP_OK;
    for (int64_t s = 0, at = 0; s < shards; at += bytes[s++])
        for (int64_t i = 0; i < bytes[s]; i++)
            ok &= all[at + i] == byte_of((int)s, i);
    for (int64_t i = total; i < (int64_t)sizeof all; i++)
        ok &= all[i] == 0x5A;
    return ok;
}

static void all_shards_get_the_parts_in_their_order(void **state) {
    (void)state;
    gp_err err = {0};
    int ok = 1, most = gp_par_size(par) < 8 ? gp_par_size(par) : 8;
    for (int shards = 1; shards <= most; shards++) {
        ok &= gp_par_set_shards(par, shards, &err) == GP_OK;
        for (int round = 0; round < 40; round++)
            ok &= join_is_right(round);
    }
    assert_all(ok);
}

static void a_negative_count_or_a_rank_without_a_group_is_refused(void **state) {
    (void)state;
    gp_err err[5] = {{0}};
    double x = 7;
    assert_all(gp_par_add(par, &x, -1, &err[0]) == GP_EFAIL && x == 7);
    int size = gp_par_size(par);
    if (size < 3)
        return;
    assert_all(gp_par_set_shards(par, size - 1, &err[1]) == GP_OK);
    int64_t bytes[64] = {0};
    int expected = gp_par_rank(par) == size - 1 ? GP_EFAIL : GP_OK;
    assert_all(gp_par_add_shards(par, &x, 1, &err[2]) == expected);
    assert_all(gp_par_join_shards(par, &x, bytes, &x, &err[3]) == expected);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_in_the_order_of_the_ranks_to_the_bit),
        cmocka_unit_test(sums_over_shards_are_those_in_their_order_to_the_bit),
        cmocka_unit_test(long_arrays_are_summed_in_pieces),
        cmocka_unit_test(all_shards_get_the_parts_in_their_order),
        cmocka_unit_test(a_negative_count_or_a_rank_without_a_group_is_refused),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("add", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
