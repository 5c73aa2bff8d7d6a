#include "mpi/par.h"
#include "mpi/par_private.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 300 }; /* elements */

static gp_par *par;

static void rank_and_size_are_those_of_mpi(void **state) {
    (void)state;
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    assert_all(gp_par_rank(par) == rank && gp_par_size(par) == size);
}

static void node_size_counts_the_ranks_with_this_hosts_name(void **state) {
    (void)state;
    static char names[256][MPI_MAX_PROCESSOR_NAME];
    int rank = gp_par_rank(par), size = gp_par_size(par), length, same = 0;
    assert_all(size <= 256);
    MPI_Get_processor_name(names[rank], &length);
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_CHAR, names, MPI_MAX_PROCESSOR_NAME, MPI_CHAR,
                  MPI_COMM_WORLD);
    for (int r = 0; r < size; r++)
        same += strcmp(names[r], names[rank]) == 0;
    assert_all(gp_par_node_size(par) == same);
}

static void without_shards_every_rank_is_a_group(void **state) {
    (void)state;
    gp_err err = {0};
    assert_all(gp_par_set_shards(par, 1, &err) == GP_OK);
    assert_all(gp_par_groups(par) == gp_par_size(par) && gp_par_shards(par) == 1);
    assert_all(gp_par_group(par) == gp_par_rank(par) && gp_par_shard(par) == 0);
}

static void rank_is_group_times_shards_plus_shard_and_the_rest_has_no_group(void **state) {
    (void)state;
    int size = gp_par_size(par), rank = gp_par_rank(par);
    for (int shards = 1; shards <= size; shards++) {
        gp_err err = {0};
        assert_all(gp_par_set_shards(par, shards, &err) == GP_OK);
        assert_all(gp_par_groups(par) == size / shards && gp_par_shards(par) == shards);
        int group = gp_par_group(par), shard = gp_par_shard(par);
        if (rank < size - size % shards)
            assert_all(group * shards + shard == rank && shard >= 0 && shard < shards);
        else
            assert_all(group == -1 && shard == -1);
    }
}

static void more_shards_than_ranks_are_bad_input_and_change_nothing(void **state) {
    (void)state;
    gp_err err = {0};
    int size = gp_par_size(par);
    assert_all(gp_par_set_shards(par, size, &err) == GP_OK);
    assert_all(gp_par_set_shards(par, size + 1, &err) == GP_EINPUT);
    assert_all(strstr(err.text, "start more ranks") != NULL);
    assert_all(gp_par_shards(par) == size && gp_par_groups(par) == 1);
    err = (gp_err){0};
    assert_all(gp_par_set_shards(par, 0, &err) == GP_EINPUT);
}

static void agree_is_ok_where_nobody_failed(void **state) {
    (void)state;
    gp_err err = {0};
    assert_all(gp_par_agree(par, &err) == GP_OK);
    assert_all(err.code == GP_OK && err.text[0] == 0);
}

/* Ranks in the set fail, each with its own text and one of three codes: all get the lowest's. */
static int one_outcome(uint64_t set, int lowest) {
    static const int codes[] = {GP_EINPUT, GP_EFAIL, GP_ESTOP};
    gp_err err = {0}, expected = {0};
    int rank = gp_par_rank(par);
    gp_err_set(&expected, codes[lowest % 3], "table:%d: on rank %d", lowest, lowest);
    if (rank < 64 && (set >> rank & 1))
        gp_err_set(&err, codes[rank % 3], "table:%d: on rank %d", rank, rank);
    return gp_par_agree(par, &err) == expected.code && err.code == expected.code &&
           strcmp(err.text, expected.text) == 0;
}

static void any_one_failing_rank_fails_all_with_its_code_and_text(void **state) {
    (void)state;
    double start = MPI_Wtime();
    for (int failing = 0; failing < gp_par_size(par) && failing < 64; failing++)
        assert_all(one_outcome((uint64_t)1 << failing, failing));
    assert_all(MPI_Wtime() - start < 5); /* seconds on a busy machine; it takes milliseconds */
}

static void the_lowest_of_several_failing_ranks_wins(void **state) {
    (void)state;
    int ok = 1, ranks = gp_par_size(par) < 8 ? gp_par_size(par) : 8;
    for (unsigned set = 1; set < 1u << ranks; set++)
        ok &= one_outcome(set, __builtin_ctz(set));
    assert_all(ok);
}

/* What rank r holds at i in a round. */
static int64_t held(int round, int r, int64_t i) {
    return (int64_t)number_of(1, round, r, i);
}

static int64_t count_of(int round) {
    return (int64_t)(number_of(2, round, 0, 0) % (MOST + 1));
}

/* Most rounds split their messages, now and then just at their end. */
static void choose_limit(int round) {
    static const int64_t limits[] = {(int64_t)1 << 30, 37, 100, 150};
    par->limit = limits[round % 4];
}

enum { SUM, MAX, SUM_BEFORE, SUM_SHARDS };

/* What rank r should get at i from the ranks [first, first + ranks). */
static int64_t oracle(int what, int round, int64_t i, int first, int ranks) {
    int64_t most = INT64_MIN;
    uint64_t sum = 0;
    for (int r = first; r < first + ranks; r++) {
        int64_t x = held(round, r, i);
        most = x > most ? x : most;
        sum += (uint64_t)x;
    }
    return what == MAX ? most : (int64_t)sum;
}

static int exchange(int what, int64_t *x, int64_t *before, int64_t count) {
    gp_err err = {0};
    switch (what) {
    case SUM:
        return gp_par_sum(par, x, count, &err);
    case MAX:
        return gp_par_max(par, x, count, &err);
    case SUM_BEFORE:
        return gp_par_sum_before(par, x, before, count, &err);
    default:
        return gp_par_group(par) < 0 ? GP_OK : gp_par_sum_shards(par, x, count, &err);
    }
}

/* The elements beyond count must stay as they were. */
static int round_is_right(int what, int round) {
    int rank = gp_par_rank(par), size = gp_par_size(par), shards = gp_par_shards(par);
    int64_t x[MOST + 1], before[MOST + 1], count = count_of(round);
    int first = 0, ranks = size;
    if (what == SUM_BEFORE)
        ranks = rank;
    if (what == SUM_SHARDS) {
        first = gp_par_group(par) < 0 ? rank : gp_par_group(par) * shards;
        ranks = gp_par_group(par) < 0 ? 1 : shards;
    }
    for (int64_t i = 0; i <= MOST; i++)
        x[i] = before[i] = held(round, rank, i);
    choose_limit(round);
    int ok = exchange(what, x, before, count) == GP_OK;
    for (int64_t i = 0; i <= MOST; i++) {
        int64_t got = what == SUM_BEFORE ? before[i] : x[i];
        ok &= got == (i < count ? oracle(what, round, i, first, ranks) : held(round, rank, i));
    }
    return ok;
}

static void a_thousand_rounds(int what) {
    gp_err err = {0};
    int ok = 1;
    for (int round = 0; round < 1000; round++) {
        if (what == SUM_SHARDS && round % 50 == 0)
            ok &= gp_par_set_shards(par, 1 + round / 50 % gp_par_size(par), &err) == GP_OK;
        ok &= round_is_right(what, round);
    }
    assert_all(ok);
}

static void sum_is_that_of_a_serial_oracle(void **state) {
    (void)state;
    a_thousand_rounds(SUM);
}

static void max_is_that_of_a_serial_oracle(void **state) {
    (void)state;
    a_thousand_rounds(MAX);
}

static void sum_before_is_that_of_a_serial_oracle(void **state) {
    (void)state;
    a_thousand_rounds(SUM_BEFORE);
}

static void sum_over_shards_is_that_of_a_serial_oracle(void **state) {
    (void)state;
    a_thousand_rounds(SUM_SHARDS);
}

static void sum_of_rank_numbers_is_known_by_hand(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t size = gp_par_size(par), rank = gp_par_rank(par);
    int64_t x[2] = {rank + 1, -1};
    int64_t before[2] = {99, 99};
    assert_all(gp_par_sum_before(par, x, before, 2, &err) == GP_OK);
    assert_all(before[0] == rank * (rank + 1) / 2 && before[1] == -rank);
    assert_all(gp_par_sum(par, x, 2, &err) == GP_OK);
    assert_all(x[0] == size * (size + 1) / 2 && x[1] == -size);
}

static void sums_wrap_modulo_two_to_the_64(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t x = INT64_MAX;
    assert_all(gp_par_sum(par, &x, 1, &err) == GP_OK);
    assert_all((uint64_t)x == (uint64_t)gp_par_size(par) * (uint64_t)INT64_MAX);
}

static void a_negative_count_or_a_rank_without_a_group_is_refused(void **state) {
    (void)state;
    gp_err err[5] = {{0}};
    int64_t x = 7, before = 8;
    assert_all(gp_par_sum(par, &x, -1, &err[0]) == GP_EFAIL);
    assert_all(gp_par_max(par, &x, -1, &err[1]) == GP_EFAIL);
    assert_all(gp_par_sum_before(par, &x, &before, -1, &err[2]) == GP_EFAIL);
    assert_all(gp_par_sum_shards(par, &x, -1, &err[3]) == GP_EFAIL);
    assert_all(x == 7 && before == 8);
    int size = gp_par_size(par);
    if (size < 3)
        return;
    assert_all(gp_par_set_shards(par, size - 1, &err[4]) == GP_OK);
    int alone = gp_par_rank(par) == size - 1;
    assert_all(gp_par_sum_shards(par, &x, 1, &err[4]) == (alone ? GP_EFAIL : GP_OK));
}

static void numbers_of_one_rank_each_reach_all_with_their_bits(void **state) {
    (void)state;
    enum { COUNT = 3 * MOST };
    gp_err err = {0};
    double x[COUNT] = {0};
    int64_t bits[COUNT], lost = 0;
    for (int64_t i = 0; i < COUNT; i++) {
        uint64_t any = number_of(9, i, 0, 0); /* NaN, infinities and -0 among them */
        bits[i] = i % 7 == 0 ? INT64_MIN : i % 7 == 1 ? 0x7FF0000000000000 : (int64_t)any;
        if (number_of(10, i, 0, 0) % (uint64_t)gp_par_size(par) == (uint64_t)gp_par_rank(par))
            memcpy(&x[i], &bits[i], sizeof x[i]);
    }
    assert_all(gp_par_complete(par, x, COUNT, &err) == GP_OK);
    lost = memcmp(x, bits, sizeof x);
    assert_all(lost == 0);
    assert_all(gp_par_complete(par, x, 0, &err) == GP_OK);
    assert_all(gp_par_complete(par, x, -1, &err) == GP_EFAIL);
}

static void fill_text(gp_text *text, int round, int r, int64_t length, gp_err *err) {
    for (int64_t i = 0; i < length; i++) {
        char byte = (char)number_of(3, round, r, i); /* zeros too */
        gp_text_add(text, &byte, 1, err);
    }
}

static void share_text_gives_every_rank_the_bytes_of_rank_0(void **state) {
    (void)state;
    gp_text text = {0}, expected = {0};
    gp_err err = {0};
    int ok = 1;
    for (int round = 0; round < 1000; round++) {
        int64_t length = count_of(round);
        text.length = expected.length = 0;
        fill_text(&expected, round, 0, length, &err);
        int mine = gp_par_rank(par);
        fill_text(&text, round, mine, mine == 0 ? length : count_of(round + 1000 * mine), &err);
        choose_limit(round);
        ok &= gp_par_share_text(par, &text, &err) == GP_OK && text.length == length;
        ok &= length == 0 ||
              (memcmp(text.bytes, expected.bytes, (size_t)length) == 0 && text.bytes[length] == 0);
    }
    assert_all(ok);
    gp_text_free(&text);
    gp_text_free(&expected);
}

static void share_text_fails_on_all_ranks_where_one_has_no_memory(void **state) {
    (void)state;
    for (int failing = 1; failing < gp_par_size(par); failing++) {
        gp_text text = {0};
        gp_err err = {0};
        if (gp_par_rank(par) == 0)
            gp_text_add(&text, "shape", 5, &err);
        gp_mem_fail_at(gp_par_rank(par) == failing);
        int rc = gp_par_share_text(par, &text, &err);
        gp_mem_fail_at(0);
        assert_all(rc == GP_EFAIL && strstr(err.text, "refused") != NULL);
        assert_all(text.length == (gp_par_rank(par) == 0 ? 5 : 0));
        gp_text_free(&text);
    }
}

/* Each test starts without shards and with whole messages. */
static int plain(void **state) {
    (void)state;
    gp_err err = {0};
    par->limit = (int64_t)1 << 30;
    return gp_par_set_shards(par, 1, &err);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    if (argc > 1) { /* "abort": the last rank ends all, the others wait for it */
        if (gp_par_rank(par) == gp_par_size(par) - 1)
            gp_par_abort(par, GP_EINPUT, "rows 3 and 4 do not meet");
        return gp_par_agree(par, &err);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rank_and_size_are_those_of_mpi),
        cmocka_unit_test(numbers_of_one_rank_each_reach_all_with_their_bits),
        cmocka_unit_test(node_size_counts_the_ranks_with_this_hosts_name),
        cmocka_unit_test_setup(without_shards_every_rank_is_a_group, plain),
        cmocka_unit_test(rank_is_group_times_shards_plus_shard_and_the_rest_has_no_group),
        cmocka_unit_test(more_shards_than_ranks_are_bad_input_and_change_nothing),
        cmocka_unit_test(agree_is_ok_where_nobody_failed),
        cmocka_unit_test(any_one_failing_rank_fails_all_with_its_code_and_text),
        cmocka_unit_test(the_lowest_of_several_failing_ranks_wins),
        cmocka_unit_test_setup(sum_of_rank_numbers_is_known_by_hand, plain),
        cmocka_unit_test_setup(sum_is_that_of_a_serial_oracle, plain),
        cmocka_unit_test_setup(max_is_that_of_a_serial_oracle, plain),
        cmocka_unit_test_setup(sum_before_is_that_of_a_serial_oracle, plain),
        cmocka_unit_test_setup(sum_over_shards_is_that_of_a_serial_oracle, plain),
        cmocka_unit_test_setup(sums_wrap_modulo_two_to_the_64, plain),
        cmocka_unit_test_setup(a_negative_count_or_a_rank_without_a_group_is_refused, plain),
        cmocka_unit_test_setup(share_text_gives_every_rank_the_bytes_of_rank_0, plain),
        cmocka_unit_test_setup(share_text_fails_on_all_ranks_where_one_has_no_memory, plain),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("par", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
