/* Which samples come in which step, on which rank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jobs/slots.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

enum { N = 500 };

static int64_t sample[N];
static uint8_t role[N];

static void make_cohort(void) {
    for (int64_t i = 0; i < N; i++) {
        sample[i] = 3 * i + i % 2;
        role[i] = (uint8_t)(i % 5 == 0 ? 2 : i % 7 == 0 ? 0 : 1);
    }
}

static void slots_are_near_equal_and_ranks_share_them_out(void **state) {
    (void)state;
    for (int64_t n = 1; n < 40; n++)
        for (int64_t ranks = 1; ranks < 7; ranks++) {
            int64_t next = 0, reached = 0;
            for (int64_t rank = 0; rank < ranks; rank++) {
                gp_err err = {0};
                gp_slots s = {0};
                assert_int_equal(gp_slots_init(&s, sample, n, 8, ranks, rank, &err), GP_OK);
                assert_int_equal(s.slots, n < 8 ? n : 8);
                assert_int_equal(s.first, next);
                next = s.last;
                for (int64_t k = s.first; k < s.last; k++) {
                    int64_t size = s.begin[k + 1] - s.begin[k];
                    assert_int_equal(s.begin[k], reached);
                    assert_true(size == n / s.slots || size == n / s.slots + 1);
                    reached = s.begin[k + 1];
                }
                if (rank == ranks - 1)
                    assert_int_equal(next, s.slots);
                gp_slots_free(&s);
            }
            assert_int_equal(reached, n);
        }
}

static void every_training_sample_comes_once_in_an_epoch_from_its_own_slot(void **state) {
    (void)state;
    gp_err err = {0};
    gp_slots s = {0};
    gp_epoch e = {0};
    assert_int_equal(gp_slots_init(&s, sample, N, 8, 1, 0, &err), GP_OK);
    assert_int_equal(gp_epoch_init(&e, &s, role, 64, &err), GP_OK);
    /* 400 of 500 are not validated with; of those i % 7 == 0 and i % 5 != 0 are 57 more. */
    assert_int_equal(e.begin[8], 343);
    assert_int_equal(e.steps, 6);
    for (uint32_t number = 0; number < 3; number++) {
        int seen[N] = {0};
        int64_t largest = 0, total = 0;
        gp_epoch_shuffle(&e, 9, 0, number);
        for (int64_t step = 0; step < e.steps; step++) {
            int64_t of_step = 0;
            for (int64_t k = 0; k < s.slots; k++) {
                int64_t from, to;
                gp_epoch_shard(&e, step, k, &from, &to);
                largest = to - from > largest ? to - from : largest;
                of_step += to - from;
                for (int64_t i = from; i < to; i++) {
                    seen[e.order[i]]++;
                    assert_true(e.order[i] >= s.begin[k] && e.order[i] < s.begin[k + 1]);
                }
            }
            assert_int_equal(of_step, gp_epoch_samples(&e, step));
            /* 343 / 6, and 8 slots that may have one more or less. */
            assert_true(of_step > 57 - 4 && of_step < 57 + 4);
            total += of_step;
        }
        assert_int_equal(largest, e.largest);
        assert_int_equal(total, 343);
        for (int64_t i = 0; i < N; i++)
            assert_int_equal(seen[i], role[i] == 1);
    }
    gp_epoch_free(&e);
    gp_slots_free(&s);
}

static void an_epochs_order_depends_on_seed_model_and_number_alone(void **state) {
    (void)state;
    gp_err err = {0};
    gp_slots s = {0}, other = {0};
    gp_epoch e = {0}, f = {0};
    assert_int_equal(gp_slots_init(&s, sample, N, 8, 1, 0, &err), GP_OK);
    assert_int_equal(gp_slots_init(&other, sample, N, 8, 3, 1, &err), GP_OK);
    assert_int_equal(gp_epoch_init(&e, &s, role, 64, &err), GP_OK);
    assert_int_equal(gp_epoch_init(&f, &other, role, 64, &err), GP_OK);
    size_t bytes = 343 * sizeof *e.order;
    gp_epoch_shuffle(&e, 9, 1, 5);
    gp_epoch_shuffle(&f, 9, 1, 2);
    assert_memory_not_equal(e.order, f.order, bytes);
    gp_epoch_shuffle(&f, 9, 1, 5);
    assert_memory_equal(e.order, f.order, bytes);
    gp_epoch_shuffle(&f, 9, 0, 5);
    assert_memory_not_equal(e.order, f.order, bytes);
    gp_epoch_shuffle(&f, 8, 1, 5);
    assert_memory_not_equal(e.order, f.order, bytes);
    gp_epoch_free(&e);
    gp_epoch_free(&f);
    gp_slots_free(&s);
    gp_slots_free(&other);
}

static void a_sample_may_come_at_any_step(void **state) {
    (void)state;
    enum { EPOCHS = 3000, STEPS = 4 };
    gp_err err = {0};
    gp_slots s = {0};
    gp_epoch e = {0};
    int64_t at[STEPS] = {0};
    memset(role, 1, sizeof role);
    assert_int_equal(gp_slots_init(&s, sample, 64, 4, 1, 0, &err), GP_OK);
    assert_int_equal(gp_epoch_init(&e, &s, role, 16, &err), GP_OK);
    assert_int_equal(e.steps, STEPS);
    for (uint32_t number = 0; number < EPOCHS; number++) {
        gp_epoch_shuffle(&e, 1, 0, number);
        for (int64_t step = 0; step < STEPS; step++) {
            int64_t from, to;
            gp_epoch_shard(&e, step, 2, &from, &to);
            for (int64_t i = from; i < to; i++)
                at[step] += e.order[i] == 37;
        }
    }
    /* 750 expected, standard deviation 24: four of them. */
    for (int64_t step = 0; step < STEPS; step++)
        assert_true(at[step] > 750 - 96 && at[step] < 750 + 96);
    make_cohort();
    gp_epoch_free(&e);
    gp_slots_free(&s);
}

static void slots_without_training_samples_have_empty_shards(void **state) {
    (void)state;
    gp_err err = {0};
    gp_slots s = {0};
    gp_epoch e = {0};
    uint8_t few[N] = {0};
    few[3] = few[4] = few[499] = 1;
    assert_int_equal(gp_slots_init(&s, sample, N, 8, 1, 0, &err), GP_OK);
    assert_int_equal(gp_epoch_init(&e, &s, few, 64, &err), GP_OK);
    assert_int_equal(e.steps, 1);
    assert_int_equal(e.largest, 2);
    for (int64_t k = 0; k < 8; k++) {
        int64_t from, to;
        gp_epoch_shard(&e, 0, k, &from, &to);
        assert_int_equal(to - from, k == 0 ? 2 : k == 7 ? 1 : 0);
    }
    gp_epoch_free(&e);
    gp_slots_free(&s);
}

static int work(void *context, gp_err *err) {
    gp_slots s = {0};
    gp_epoch e = {0};
    (void)context;
    if (gp_slots_init(&s, sample, N, 8, 1, 0, err) == GP_OK)
        gp_epoch_init(&e, &s, role, 64, err);
    gp_epoch_free(&e);
    gp_slots_free(&s);
    return err->code;
}

static void memory_that_is_refused_is_an_error(void **state) {
    (void)state;
    assert_int_equal(gp_test_fail_each(work, NULL), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_near_equal_and_ranks_share_them_out),
        cmocka_unit_test(every_training_sample_comes_once_in_an_epoch_from_its_own_slot),
        cmocka_unit_test(an_epochs_order_depends_on_seed_model_and_number_alone),
        cmocka_unit_test(a_sample_may_come_at_any_step),
        cmocka_unit_test(slots_without_training_samples_have_empty_shards),
        cmocka_unit_test(memory_that_is_refused_is_an_error),
    };
    make_cohort();
    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
