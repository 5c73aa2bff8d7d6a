/* What is counted of exchanges: known by hand for each of them. */
#include "mpi/buckets.h"
#include "mpi/gather.h"
#include "mpi/par_private.h"
#include "mpi/traffic.h"
#include "tests/support/mpi_test.h"

#include <unistd.h>

static gp_par *par;
static gp_par_traffic before;

static int begin(void **state) {
    (void)state;
    gp_err err = {0};
    par->limit = (int64_t)1 << 30;
    int rc = gp_par_set_shards(par, 1, &err);
    before = gp_par_traffic_now();
    return rc;
}

/* Since the test began, on this rank. Alone nothing is counted. */
static int counted(int64_t messages, int64_t bytes) {
    gp_par_traffic now = gp_par_traffic_now();
    int alone = par->size == 1;
    return now.messages - before.messages == (alone ? 0 : messages) &&
           now.bytes - before.bytes == (alone ? 0 : bytes) && now.waiting >= before.waiting;
}

static void a_sum_is_one_message_of_this_rank_s_numbers(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t x[10] = {0}, lower[10];
    gp_par_sum(par, x, 10, &err);
    assert_all(counted(1, 80));
    gp_par_max(par, x, 3, &err);
    gp_par_sum_before(par, x, lower, 10, &err);
    assert_all(counted(3, 80 + 24 + 80));
    gp_par_agree(par, &err);
    assert_all(counted(4, 184 + 4));
}

static void a_message_that_is_split_counts_as_its_pieces(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t x[10] = {0};
    par->limit = 4;
    gp_par_sum(par, x, 10, &err);
    assert_all(counted(3, 80));
}

static void what_rank_0_shares_is_its_own(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    if (par->rank == 0)
        gp_text_add(&text, "ACGTA", 5, &err);
    gp_par_share_text(par, &text, &err); /* its length, an agreement, its bytes */
    gp_text_free(&text);
    assert_all(counted(3, par->rank == 0 ? 8 + 4 + 5 : 4));
}

static void doubles_are_handed_in_and_a_slice_of_the_sum_handed_out(void **state) {
    (void)state;
    gp_err err = {0};
    double x[24] = {0};
    int64_t count = 2 * par->size; /* two for each rank */
    assert_all(count <= 24);
    gp_par_add(par, x, count, &err);
    assert_all(counted(2, 8 * count + 8 * 2));
}

static void texts_count_where_they_are_sent_and_where_they_are_taken_in(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text mine = {0}, whole = {0};
    gp_text_add(&mine, "chr1 chr2", 9, &err);
    gp_par_gather(par, &mine, &whole, 1, &err);
    gp_text_free(&mine);
    gp_text_free(&whole);
    assert_all(par->rank == 0 ? counted(par->size - 1, 0) : counted(1, 9));
}

static void buckets_count_as_they_start_and_owners_as_they_share(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t value[12] = {0}, first[3] = {0, 5, 12}, at[3] = {0, 3, 10};
    float x[10] = {0};
    gp_par_buckets *b = NULL;
    gp_par_buckets_open(par, value, first, 2, 1, &b, &err);
    gp_par_bucket_start(b, 0);
    gp_par_bucket_start(b, 1);
    int started = counted(2, 12 * 8);
    gp_par_buckets_wait(b);
    gp_par_buckets_share(b, x, at);
    gp_par_buckets_close(b);
    int64_t mine = (par->rank == 0 ? 3 : 0) + (par->rank == 1 % par->size ? 7 : 0);
    assert_all(started && counted(4, 96 + 4 * mine));
}

/* The last rank comes a twentieth of a second late. */
static void waiting_is_the_time_until_the_last_one_comes(void **state) {
    (void)state;
    gp_err err = {0};
    enum { LATE = 50000 /* microseconds */ };
    int late = par->rank == par->size - 1;
    gp_par_agree(par, &err);
    before = gp_par_traffic_now();
    if (late)
        usleep(LATE);
    gp_par_agree(par, &err);
    double waited = gp_par_traffic_now().waiting - before.waiting;
    /* they left the first meeting at about the same time: half of it is sure when busy */
    assert_all(par->size == 1 ? waited == 0 : late || waited > LATE * 0.5e-6);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sum_is_one_message_of_this_rank_s_numbers, begin),
        cmocka_unit_test_setup(a_message_that_is_split_counts_as_its_pieces, begin),
        cmocka_unit_test_setup(what_rank_0_shares_is_its_own, begin),
        cmocka_unit_test_setup(doubles_are_handed_in_and_a_slice_of_the_sum_handed_out, begin),
        cmocka_unit_test_setup(texts_count_where_they_are_sent_and_where_they_are_taken_in, begin),
        cmocka_unit_test_setup(buckets_count_as_they_start_and_owners_as_they_share, begin),
        cmocka_unit_test_setup(waiting_is_the_time_until_the_last_one_comes, begin),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("traffic", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
