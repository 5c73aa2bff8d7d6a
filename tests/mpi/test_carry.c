#include "mpi/carry.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 }; /* as in mpi/pieces.c */

static gp_par *par;

/* What group g holds in a round: a head, then (if open) a last unit. */
typedef struct part {
    int open;
    int64_t head, tail; /* bytes */
} part;

static int64_t length_of(int round, int g, int which) {
    uint64_t x = number_of(1, round, g, which);
    if (round % 40 == 0) /* now and then more than a piece, or just one */
        return x % 3 == 0 ? PIECE : (int64_t)(x % (3 * PIECE));
    return x % 4 == 0 ? 0 : (int64_t)(x % 50);
}

/* Text before the first beginning belongs to nobody, so there is none. */
static part part_of(int round, int g) {
    int begun = 0;
    part p = {0};
    for (int i = 0; i <= g; i++) {
        p.open = number_of(2, round, i, 0) % 3 > 0;
        p.head = begun ? length_of(round, i, 0) : 0;
        p.tail = p.open ? length_of(round, i, 1) : 0;
        begun |= p.open;
    }
    return p;
}

static void add(gp_text *text, int round, int g, int which, int64_t length) {
    gp_err err = {0};
    char *to = gp_text_room(text, length, &err);
    for (int64_t i = 0; i < length; i++)
        to[i] = (char)number_of(3, round, 2 * g + which, i);
    text->length += length;
}

/* A group's last unit goes on through later heads, until a group where the next unit begins. */
static void serial_oracle(gp_text *tail, int round, int g, int groups) {
    int met = !part_of(round, g).open;
    add(tail, round, g, 1, part_of(round, g).tail);
    for (int later = g + 1; later < groups && !met; later++) {
        add(tail, round, later, 0, part_of(round, later).head);
        met = part_of(round, later).open;
    }
}

static int same(const gp_text *a, const gp_text *b) {
    return a->length == b->length &&
           (a->length == 0 || memcmp(a->bytes, b->bytes, (size_t)a->length) == 0);
}

static int round_is_right(int round) {
    gp_text head = {0}, tail = {0}, expected = {0};
    gp_err err = {0};
    int g = gp_par_group(par), works = gp_par_shard(par) == 0;
    part p = {0};
    if (works) {
        p = part_of(round, g);
        add(&head, round, g, 0, p.head);
        add(&tail, round, g, 1, p.tail);
        serial_oracle(&expected, round, g, gp_par_groups(par));
    }
    int ok = gp_par_carry(par, &head, p.open, &tail, &err) == GP_OK;
    ok &= same(&tail, &expected) && head.length == p.head;
    gp_text_free(&head);
    gp_text_free(&tail);
    gp_text_free(&expected);
    return ok;
}

static void rounds_with_shards(int shards) {
    gp_err err = {0};
    int ok = 1;
    if (shards > gp_par_size(par))
        return;
    assert_all(gp_par_set_shards(par, shards, &err) == GP_OK);
    for (int round = 0; round < 1000; round++)
        ok &= round_is_right(round);
    assert_all(ok);
}

static void heads_come_to_the_tails_of_a_serial_oracle(void **state) {
    (void)state;
    rounds_with_shards(1);
}

static void with_2_shards_the_first_of_each_group_carries(void **state) {
    (void)state;
    rounds_with_shards(2); /* on 3 ranks, one has no group */
}

static void with_3_shards_the_first_of_each_group_carries(void **state) {
    (void)state;
    rounds_with_shards(3);
}

static void a_unit_over_all_ranks_ends_on_the_first(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text head = {0}, tail = {0};
    int rank = gp_par_rank(par), size = gp_par_size(par);
    const char *letters = "abcdefgh";
    assert_all(gp_par_set_shards(par, 1, &err) == GP_OK);
    if (rank < 8)
        gp_text_add(rank == 0 ? &tail : &head, letters + rank, 1, &err);
    assert_all(gp_par_carry(par, &head, rank == 0, &tail, &err) == GP_OK);
    if (rank == 0)
        assert_all(tail.length == (size < 8 ? size : 8) &&
                   memcmp(tail.bytes, letters, (size_t)tail.length) == 0);
    else
        assert_all(tail.length == 0);
    gp_text_free(&head);
    gp_text_free(&tail);
}

static void text_that_begins_on_no_rank_is_an_error_of_the_first(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text head = {0}, tail = {0};
    assert_all(gp_par_set_shards(par, 1, &err) == GP_OK);
    if (gp_par_rank(par) == gp_par_size(par) - 1)
        gp_text_add(&head, "lost", 4, &err);
    gp_par_carry(par, &head, 0, &tail, &err);
    assert_all((err.code == GP_EFAIL) == (gp_par_rank(par) == 0));
    assert_all(gp_par_agree(par, &err) == GP_EFAIL);
    assert_all(strstr(err.text, "4 bytes belong to a unit that begins on no rank") != NULL);
    gp_text_free(&head);
    gp_text_free(&tail);
}

/* Messages of several pieces, so that a sender would wait were its message not taken in. */
static void memory_refused_on_any_one_rank_ends_the_round_on_all(void **state) {
    (void)state;
    gp_err none = {0};
    assert_all(gp_par_set_shards(par, 1, &none) == GP_OK);
    int rank = gp_par_rank(par), last = gp_par_size(par) - 1;
    for (int failing = 0; failing < last; failing++)
        for (int open = 0; open < 2; open++) {
            gp_err err = {0};
            gp_text head = {0}, tail = {0};
            if (rank > 0)
                add(&head, 0, rank, 0, 2 * PIECE + 5);
            gp_mem_fail_at(rank == failing);
            int rc = gp_par_carry(par, &head, rank == 0 || open, &tail, &err);
            gp_mem_fail_at(0);
            assert_all((rc == GP_EFAIL) == (rank == failing));
            assert_all(gp_par_agree(par, &err) == GP_EFAIL);
            assert_all(strstr(err.text, "refused") != NULL);
            gp_text_free(&head);
            gp_text_free(&tail);
        }
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_come_to_the_tails_of_a_serial_oracle),
        cmocka_unit_test(with_2_shards_the_first_of_each_group_carries),
        cmocka_unit_test(with_3_shards_the_first_of_each_group_carries),
        cmocka_unit_test(a_unit_over_all_ranks_ends_on_the_first),
        cmocka_unit_test(text_that_begins_on_no_rank_is_an_error_of_the_first),
        cmocka_unit_test(memory_refused_on_any_one_rank_ends_the_round_on_all),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("carry", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
