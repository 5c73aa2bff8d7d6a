#include "mpi/gather.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <string.h>

enum { PIECE = 1 << 16 /* as in mpi/pieces.c */, MOST = 9 };

static gp_par *par;

/* Bytes of text k on a rank: none, few, about a piece, several pieces. */
static int64_t length_of(int round, int64_t k, int rank) {
    uint64_t x = number_of(1, round, k, rank);
    return x % 4 == 0 ? 0 : x % 4 == 1 ? PIECE - 1 + (int64_t)(x >> 8) % 3 : (int64_t)(x >> 8) % 40;
}

static void add(gp_text *text, int round, int64_t k, int rank) {
    gp_err err = {0};
    int64_t n = length_of(round, k, rank);
    char *to = gp_text_room(text, n, &err);
    for (int64_t i = 0; i < n; i++)
        to[i] = (char)number_of(2, round, 100 * k + rank, i);
    text->length += n;
}

static void free_all(gp_text *text) {
    for (int k = 0; k < MOST; k++)
        gp_text_free(&text[k]);
}

static int same(const gp_text *a, const gp_text *b) {
    return a->length == b->length &&
           (a->length == 0 || memcmp(a->bytes, b->bytes, (size_t)a->length) == 0);
}

static void texts_come_together_in_the_order_of_the_ranks(void **state) {
    (void)state;
    int rank = gp_par_rank(par), size = gp_par_size(par);
    for (int round = 0; round < 40; round++) {
        gp_err err = {0};
        gp_text mine[MOST] = {{0}}, whole[MOST] = {{0}}, expected[MOST] = {{0}};
        int64_t count = round % (MOST + 1);
        for (int64_t k = 0; k < count; k++) {
            add(&mine[k], round, k, rank);
            for (int from = 0; from < size && k % size == rank; from++)
                add(&expected[k], round, k, from);
        }
        assert_all(gp_par_gather(par, mine, whole, count, &err) == GP_OK);
        int ok = 1;
        for (int64_t k = 0; k < MOST; k++)
            ok &= same(&whole[k], &expected[k]);
        assert_all(ok);
        free_all(mine);
        free_all(whole);
        free_all(expected);
    }
}

static void what_was_there_before_stays_in_front(void **state) {
    (void)state;
    gp_err err = {0};
    int rank = gp_par_rank(par), size = gp_par_size(par);
    gp_text mine = {0}, whole = {0};
    gp_text_add(&mine, "x", 1, &err);
    gp_text_add(&whole, "old", 3, &err);
    assert_all(gp_par_gather(par, &mine, &whole, 1, &err) == GP_OK);
    assert_all(whole.length == (rank == 0 ? 3 + size : 3) && memcmp(whole.bytes, "old", 3) == 0);
    gp_text_free(&mine);
    gp_text_free(&whole);
}

/* Messages of several pieces, so that a sender would wait were its message not taken in. */
static void memory_refused_on_any_one_rank_ends_it_on_all(void **state) {
    (void)state;
    int rank = gp_par_rank(par), size = gp_par_size(par);
    for (int failing = 0; failing < size; failing++) {
        gp_err err = {0};
        gp_text mine[MOST] = {{0}}, whole[MOST] = {{0}};
        for (int k = 0; k < MOST; k++) {
            memset(gp_text_room(&mine[k], 3 * PIECE, &err), 'a', 3 * PIECE);
            mine[k].length = 3 * PIECE;
        }
        gp_mem_fail_at(rank == failing);
        int rc = gp_par_gather(par, mine, whole, MOST, &err);
        gp_mem_fail_at(0);
        assert_all((rc == GP_EFAIL) == (rank == failing));
        assert_all(gp_par_agree(par, &err) == GP_EFAIL);
        assert_all(strstr(err.text, "refused") != NULL);
        free_all(mine);
        free_all(whole);
    }
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_together_in_the_order_of_the_ranks),
        cmocka_unit_test(what_was_there_before_stays_in_front),
        cmocka_unit_test(memory_refused_on_any_one_rank_ends_it_on_all),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("gather", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
