#include "mpi/plan.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <string.h>

enum { MOST_CHROMOSOMES = 40 };

/* Base pairs of the human autosomes in Mb: chromosomes of a usual cohort are about so long. */
static const int64_t human[22] = {249, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135,
                                  133, 114, 107, 102, 90,  83,  80,  59,  64,  47,  51};

typedef struct shape {
    int64_t count[MOST_CHROMOSOMES];
    int64_t chromosomes, block, parts, total;
} shape;

static int64_t share(const gp_plan *plan, int64_t k) {
    return plan->begin[k + 1] - plan->begin[k];
}

static int is_cut(const gp_plan *plan, int64_t at) {
    if (at == plan->first[plan->chromosomes])
        return 1;
    for (int64_t c = 0; c < plan->chromosomes; c++)
        if (at >= plan->first[c] && at < plan->first[c + 1])
            return (at - plan->first[c]) % plan->block == 0;
    return 0;
}

static void random_shape(shape *s, int round) {
    *s = (shape){0};
    s->chromosomes = 1 + (int64_t)(number_of(1, round, 0, 0) % MOST_CHROMOSOMES);
    s->block = 8 + (int64_t)(number_of(1, round, 1, 0) % 249);
    s->parts = 1 + (int64_t)(number_of(1, round, 2, 0) % 300);
    for (int64_t c = 0; c < s->chromosomes; c++) {
        int left_out = number_of(1, round, 3, c) % 8 == 0;
        s->count[c] = left_out ? 0 : (int64_t)(number_of(1, round, 4, c) % 5001);
        s->total += s->count[c];
    }
}

static void make(gp_plan *plan, const shape *s) {
    gp_err err = {0};
    assert_int_equal(gp_plan_init(plan, s->count, s->chromosomes, s->block, s->parts, &err), GP_OK);
}

static void parts_tile_the_variants_and_cut_at_blocks_of_near_equal_shares(void **state) {
    (void)state;
    for (int round = 0; round < 2000; round++) {
        shape s;
        gp_plan plan;
        random_shape(&s, round);
        make(&plan, &s);
        assert_int_equal(plan.begin[0], 0);
        assert_int_equal(plan.begin[s.parts], s.total);
        double mean = (double)s.total / (double)s.parts;
        double room = mean / 16 > (double)s.block ? mean / 16 : (double)s.block;
        for (int64_t k = 0; k < s.parts; k++) {
            assert_true(plan.begin[k] <= plan.begin[k + 1]);
            assert_true(is_cut(&plan, plan.begin[k]));
            double off = (double)share(&plan, k) - mean;
            assert_true(off <= room + 1 && -off <= room + 1); /* 1: cuts are whole variants */
        }
        gp_plan_free(&plan);
    }
}

static void runs_visit_every_variant_once_and_in_order(void **state) {
    (void)state;
    for (int round = 0; round < 500; round++) {
        shape s;
        gp_plan plan;
        gp_run run = {0};
        random_shape(&s, round);
        make(&plan, &s);
        int64_t unit = 1 + (int64_t)(number_of(2, round, 0, 0) % 400);
        int64_t c = 0, next = 0, seen = 0;
        for (int64_t k = 0; k < s.parts; k++) {
            int64_t at = plan.begin[k];
            while (gp_plan_next(&plan, k, unit, &at, &run)) {
                for (; run.chromosome > c; c++, next = 0)
                    assert_int_equal(next, s.count[c]);
                assert_int_equal(run.chromosome, c);
                assert_int_equal(run.first, next);
                assert_true(run.count >= 1 && run.first % unit + run.count <= unit);
                next += run.count;
                seen += run.count;
                assert_int_equal(at, plan.first[c] + next);
            }
            assert_int_equal(at, plan.begin[k + 1]);
        }
        assert_int_equal(seen, s.total);
        gp_plan_free(&plan);
    }
}

static void expect_within_15_percent(const shape *s) {
    gp_plan plan;
    make(&plan, s);
    int64_t least = INT64_MAX, most = 0;
    for (int64_t k = 0; k < s->parts; k++) {
        least = share(&plan, k) < least ? share(&plan, k) : least;
        most = share(&plan, k) > most ? share(&plan, k) : most;
    }
    assert_true(100 * most <= 115 * least);
    gp_plan_free(&plan);
}

static void shares_of_the_human_genome_on_3_ranks_are_within_15_percent(void **state) {
    (void)state;
    shape s = {.chromosomes = 22, .block = 64, .parts = 3};
    for (int c = 0; c < 22; c++)
        s.count[c] = human[c] * 100;
    expect_within_15_percent(&s);
}

static void shares_of_3_chromosomes_on_8_ranks_are_within_15_percent(void **state) {
    (void)state;
    shape s = {.count = {900, 500, 248}, .chromosomes = 3, .block = 12, .parts = 8};
    expect_within_15_percent(&s);
}

static void shares_of_one_chromosome_on_4_ranks_are_within_15_percent(void **state) {
    (void)state;
    shape s = {.count = {1000}, .chromosomes = 1, .block = 15, .parts = 4};
    expect_within_15_percent(&s);
}

static void shares_are_within_15_percent_where_a_block_is_a_sixteenth_of_a_share(void **state) {
    (void)state;
    for (int round = 0; round < 5000; round++) {
        shape s;
        random_shape(&s, round);
        s.parts = 1 + round % 40;
        s.block = s.total / s.parts / 20; /* not 16: small shares also need room for rounding */
        if (s.block >= 8)
            expect_within_15_percent(&s);
    }
}

static void a_cut_moves_to_the_end_of_a_chromosome_that_is_near(void **state) {
    (void)state;
    shape near = {.count = {1030, 970}, .chromosomes = 2, .block = 10, .parts = 2};
    shape far = {.count = {1040, 960}, .chromosomes = 2, .block = 10, .parts = 2};
    gp_plan plan;
    make(&plan, &near); /* ideal 1000, 30 off, and a 32nd of a share is 31 */
    assert_int_equal(plan.begin[1], 1030);
    gp_plan_free(&plan);
    make(&plan, &far);
    assert_int_equal(plan.begin[1], 1000);
    gp_plan_free(&plan);
    shape before = {.count = {970, 1030}, .chromosomes = 2, .block = 10, .parts = 2};
    make(&plan, &before);
    assert_int_equal(plan.begin[1], 970);
    gp_plan_free(&plan);
}

static void a_cut_inside_a_chromosome_moves_to_the_nearest_block(void **state) {
    (void)state;
    /* Ideal cuts 333 and 666; chromosome 2 starts at 300, its blocks at 400, 500, 600, 700. */
    shape s = {.count = {300, 700}, .chromosomes = 2, .block = 100, .parts = 3};
    gp_plan plan;
    make(&plan, &s);
    assert_int_equal(plan.begin[1], 300);
    assert_int_equal(plan.begin[2], 700);
    gp_plan_free(&plan);
}

static void fewer_blocks_than_parts_leave_parts_empty(void **state) {
    (void)state;
    shape s = {.count = {5, 0, 3}, .chromosomes = 3, .block = 16, .parts = 8};
    gp_plan plan;
    gp_run run;
    make(&plan, &s);
    int filled = 0;
    for (int64_t k = 0; k < 8; k++) {
        int64_t at = plan.begin[k];
        filled += share(&plan, k) > 0;
        assert_int_equal(gp_plan_next(&plan, k, 16, &at, &run), share(&plan, k) > 0);
    }
    assert_int_equal(filled, 2);
    gp_plan_free(&plan);
}

static void no_variants_make_empty_parts(void **state) {
    (void)state;
    shape none = {.chromosomes = 0, .block = 16, .parts = 3};
    shape zeros = {.count = {0, 0}, .chromosomes = 2, .block = 16, .parts = 3};
    const shape *shapes[] = {&none, &zeros};
    for (int i = 0; i < 2; i++) {
        gp_plan plan;
        gp_run run;
        make(&plan, shapes[i]);
        for (int64_t k = 0; k < 3; k++) {
            int64_t at = plan.begin[k];
            assert_int_equal(gp_plan_next(&plan, k, 16, &at, &run), 0);
        }
        gp_plan_free(&plan);
    }
}

static void ten_thousand_million_variants_on_a_million_parts_do_not_overflow(void **state) {
    (void)state;
    shape s = {.count = {INT64_C(10000000000)}, .chromosomes = 1, .block = 256, .parts = 1000000};
    gp_plan plan;
    make(&plan, &s);
    assert_int_equal(plan.begin[1000000], INT64_C(10000000000));
    for (int64_t k = 0; k < s.parts; k++)
        assert_true(share(&plan, k) >= 10000 - 256 && share(&plan, k) <= 10000 + 256);
    gp_plan_free(&plan);
}

static void impossible_shapes_are_refused(void **state) {
    (void)state;
    int64_t negative[] = {3, -1}, huge[] = {INT64_MAX - 1, 2}, brim[] = {INT64_MAX - 5};
    int64_t fine[] = {1};
    const struct {
        int64_t *count, chromosomes, block, parts;
    } cases[] = {{negative, 2, 8, 1}, {huge, 2, 8, 1}, {brim, 1, 8, 1},
                 {fine, 1, 0, 1},     {fine, 1, 8, 0}, {fine, 1, 8, INT64_MAX / 2},
                 {fine, -1, 8, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gp_plan plan = {0};
        gp_err err = {0};
        assert_int_equal(gp_plan_init(&plan, cases[i].count, cases[i].chromosomes, cases[i].block,
                                      cases[i].parts, &err),
                         GP_EFAIL);
        assert_true(err.text[0] != 0);
        assert_null(plan.begin);
    }
}

static void a_refused_allocation_fails_and_leaves_nothing(void **state) {
    (void)state;
    int64_t count[] = {100, 50};
    int k = 1;
    for (int failed = 1; failed; k++) {
        gp_plan plan = {0};
        gp_err err = {0};
        gp_mem_fail_at(k);
        failed = gp_plan_init(&plan, count, 2, 8, 4, &err) != GP_OK;
        gp_mem_fail_at(0);
        assert_true(!failed || (plan.count == NULL && plan.first == NULL && plan.begin == NULL));
        gp_plan_free(&plan);
    }
    assert_int_equal(k, 5); /* three allocations, then success */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_tile_the_variants_and_cut_at_blocks_of_near_equal_shares),
        cmocka_unit_test(runs_visit_every_variant_once_and_in_order),
        cmocka_unit_test(shares_of_the_human_genome_on_3_ranks_are_within_15_percent),
        cmocka_unit_test(shares_of_3_chromosomes_on_8_ranks_are_within_15_percent),
        cmocka_unit_test(shares_of_one_chromosome_on_4_ranks_are_within_15_percent),
        cmocka_unit_test(shares_are_within_15_percent_where_a_block_is_a_sixteenth_of_a_share),
        cmocka_unit_test(a_cut_moves_to_the_end_of_a_chromosome_that_is_near),
        cmocka_unit_test(a_cut_inside_a_chromosome_moves_to_the_nearest_block),
        cmocka_unit_test(fewer_blocks_than_parts_leave_parts_empty),
        cmocka_unit_test(no_variants_make_empty_parts),
        cmocka_unit_test(ten_thousand_million_variants_on_a_million_parts_do_not_overflow),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(a_refused_allocation_fails_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
