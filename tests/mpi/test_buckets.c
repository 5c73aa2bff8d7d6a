/* Gradient buckets: sums that go on while ranks compute, against sums taken one by one. */
#include "mpi/buckets.h"
#include "mpi/par_private.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <string.h>

enum { MOST_BUCKETS = 23, MOST_SIZE = 400, MOST = MOST_BUCKETS * MOST_SIZE };

static gp_par *par;
static int64_t value[MOST], first[MOST_BUCKETS + 1];

static int64_t held(int round, int rank, int64_t i) {
    return (int64_t)number_of(1, round, rank, i);
}

/* Modulo 2^64. */
static int64_t summed(int round, int64_t i) {
    uint64_t sum = 0;
    for (int r = 0; r < gp_par_size(par); r++)
        sum += (uint64_t)held(round, r, i);
    return (int64_t)sum;
}

/* Some buckets are empty, and most rounds split their messages. */
static int64_t cut(int round) {
    static const int64_t limits[] = {(int64_t)1 << 30, 37, 100, 3};
    int64_t buckets = (int64_t)(number_of(2, round, 0, 0) % (MOST_BUCKETS + 1));
    par->limit = limits[round % 4];
    for (int64_t b = 0; b < buckets; b++) {
        int64_t size = (int64_t)(number_of(3, round, b, 0) % MOST_SIZE);
        first[b + 1] = first[b] + (size % 7 == 0 ? 0 : size);
    }
    return buckets;
}

/* Each rank computes a little, differently long, between its buckets. */
static void dawdle(int round, int64_t bucket, gp_par_buckets *b) {
    volatile int64_t busy = (int64_t)(number_of(4, round, bucket, gp_par_rank(par)) % 2000);
    while (busy > 0)
        busy = busy - 1;
    if (bucket % 2 == 0)
        gp_par_buckets_poke(b);
}

static int sums_are_right(int round, int64_t buckets, const gp_par_buckets *b, int owned) {
    int ok = 1;
    for (int64_t k = 0; k < buckets; k++) {
        int mine = gp_par_bucket_mine(b, k);
        ok &= mine == (!owned || k % gp_par_size(par) == gp_par_rank(par));
        for (int64_t i = first[k]; mine && i < first[k + 1]; i++)
            ok &= value[i] == summed(round, i);
    }
    return ok;
}

static int rounds_are_right(int owned) {
    int ok = 1;
    for (int round = 0; round < 60; round++) {
        gp_err err = {0};
        gp_par_buckets *b = NULL;
        int64_t buckets = cut(round);
        ok &= gp_par_buckets_open(par, value, first, buckets, owned, &b, &err) == GP_OK;
        for (int again = 0; again < 2; again++) {
            for (int64_t i = 0; i < first[buckets]; i++)
                value[i] = held(2 * round + again, gp_par_rank(par), i);
            for (int64_t k = 0; k < buckets; k++) {
                gp_par_bucket_start(b, k);
                dawdle(round, k, b);
            }
            gp_par_buckets_wait(b);
            ok &= sums_are_right(2 * round + again, buckets, b, owned);
        }
        ok &= gp_par_buckets_waited(b) >= 0;
        gp_par_buckets_close(b);
    }
    return ok;
}

static void all_ranks_get_the_sums_of_all_buckets(void **state) {
    (void)state;
    assert_all(rounds_are_right(0));
}

static void owners_get_the_sums_of_their_buckets(void **state) {
    (void)state;
    assert_all(rounds_are_right(1));
}

static float made(int round, int64_t bucket, int64_t i) {
    return (float)(number_of(5, round, bucket, i) >> 40);
}

static void what_owners_make_reaches_all_ranks(void **state) {
    (void)state;
    static float x[MOST + 1];
    int ok = 1;
    for (int round = 0; round < 60; round++) {
        gp_err err = {0};
        gp_par_buckets *b = NULL;
        int64_t buckets = cut(round);
        ok &= gp_par_buckets_open(par, value, first, buckets, 1, &b, &err) == GP_OK;
        for (int64_t i = 0; i <= MOST; i++)
            x[i] = -1;
        for (int64_t k = 0; k < buckets; k++)
            for (int64_t i = first[k]; gp_par_bucket_mine(b, k) && i < first[k + 1]; i++)
                x[i] = made(round, k, i);
        gp_par_buckets_share(b, x, first);
        for (int64_t k = 0; k < buckets; k++)
            for (int64_t i = first[k]; i < first[k + 1]; i++)
                ok &= x[i] == made(round, k, i);
        for (int64_t i = first[buckets]; i <= MOST; i++)
            ok &= x[i] == -1;
        gp_par_buckets_close(b);
    }
    assert_all(ok);
}

static void memory_that_is_refused_is_an_error(void **state) {
    (void)state;
    int64_t k = 1, code = GP_EFAIL, ok = 1;
    for (int64_t buckets = cut(5); code != GP_OK && k < 10; k++) {
        gp_err err = {0};
        gp_par_buckets *b = NULL;
        gp_mem_fail_at(k);
        code = gp_par_buckets_open(par, value, first, buckets, 1, &b, &err);
        gp_mem_fail_at(0);
        ok &= code == GP_OK || (b == NULL && strstr(err.text, "memory") != NULL);
        gp_par_buckets_close(b);
    }
    assert_all(ok && k == 4);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ranks_get_the_sums_of_all_buckets),
        cmocka_unit_test(owners_get_the_sums_of_their_buckets),
        cmocka_unit_test(what_owners_make_reaches_all_ranks),
        cmocka_unit_test(memory_that_is_refused_is_an_error),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("buckets", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
