/* Sums of gradient shards: integers by hand, any order, misfits, exponents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/rng.h"
#include "src/nn/gradient.h"
#include "tests/support/fail_alloc.h"

#include <math.h>
#include <stdlib.h>

enum { SHARDS = 6 };

static void table_of(gp_nn_table *table, int64_t first, int64_t second) {
    gp_err err = {0};
    assert_int_equal(gp_nn_table_room(table, 2, 2, &err), GP_OK);
    gp_nn_table_add(table, 0, "first", 1, first);
    gp_nn_table_add(table, 1, "second", 1, second);
}

/* One bucket of 16 numbers in the first group, one in the second. */
typedef struct fixture {
    gp_nn_table table;
    gp_nn_sum sum;
    gp_real gradient[SHARDS][32];
} fixture;

static void init(fixture *f, int64_t shards) {
    gp_err err = {0};
    memset(f, 0, sizeof *f);
    table_of(&f->table, 16, 13);
    assert_int_equal(gp_nn_sum_init(&f->sum, &f->table, shards, &err), GP_OK);
    gp_rng rng = gp_rng_stream(9, 70, 0, 0, 0);
    for (int s = 0; s < SHARDS; s++)
        for (int k = 0; k < 29; k++)
            f->gradient[s][k] = (gp_real)(gp_rng_normal(&rng) * (k < 16 ? 1e-3 : 40));
}

static void end(fixture *f) {
    gp_nn_sum_free(&f->sum);
    gp_nn_table_free(&f->table);
}

static void add_all(fixture *f, const int *order) {
    gp_nn_sum_clear(&f->sum);
    for (int s = 0; s < SHARDS; s++)
        for (int64_t b = 0; b < f->sum.buckets; b++)
            gp_nn_sum_add(&f->sum, b, f->gradient[order == NULL ? s : order[s]]);
}

static void fit(fixture *f) {
    add_all(f, NULL);
    gp_nn_sum_refit(&f->sum);
    add_all(f, NULL);
    assert_int_equal(gp_nn_sum_misfits(&f->sum), 0);
}

static void buckets_do_not_cross_groups(void **state) {
    (void)state;
    gp_nn_table table = {0};
    gp_nn_sum sum = {0};
    gp_err err = {0};
    table_of(&table, 2 * GP_NN_BUCKET + 32, 5);
    assert_int_equal(gp_nn_sum_init(&sum, &table, 1, &err), GP_OK);
    const int64_t first[] = {0, GP_NN_BUCKET, 2 * GP_NN_BUCKET, 2 * GP_NN_BUCKET + 32,
                             2 * GP_NN_BUCKET + 48};
    const int64_t group_bucket[] = {0, 3, 4};
    assert_int_equal(sum.buckets, 4);
    assert_memory_equal(sum.first, first, sizeof first);
    assert_memory_equal(sum.group_bucket, group_bucket, sizeof group_bucket);
    gp_nn_sum_free(&sum);
    gp_nn_sum_free(&sum); /* zeroed: nothing to do */
    gp_nn_table_free(&table);
}

static void numbers_count_as_the_nearest_integer_and_even_in_the_middle(void **state) {
    (void)state;
    fixture f;
    init(&f, 4);
    f.sum.exponent[0] = 2, f.sum.exponent[1] = -3;
    const gp_real x[] = {(gp_real)0.25,
                         (gp_real)-0.25,
                         (gp_real)0.125,
                         (gp_real)0.375,
                         (gp_real)-0.375,
                         (gp_real)-0.124,
                         1e6,
                         -1e6};
    const int64_t want[] = {1, -1, 0, 2, -2, 0, 4000000, -4000000};
    memset(f.gradient[0], 0, sizeof f.gradient[0]);
    memcpy(f.gradient[0], x, sizeof x);
    f.gradient[0][16] = 44; /* 5.5 */
    gp_nn_sum_add(&f.sum, 0, f.gradient[0]);
    gp_nn_sum_add(&f.sum, 0, f.gradient[0]);
    gp_nn_sum_add(&f.sum, 1, f.gradient[0]);
    for (int k = 0; k < 8; k++)
        assert_int_equal(f.sum.value[k], 2 * want[k]);
    assert_int_equal(f.sum.value[17], 6); /* behind 16 sums and a count */
    assert_true(f.sum.largest[0] == 1e6 && f.sum.largest[1] == 44);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 0);
    gp_real got[16];
    gp_nn_sum_get(&f.sum, 0, 0.5, got);
    assert_true(got[0] == (gp_real)0.25 && got[3] == (gp_real)0.5 && got[7] == -1e6);
    assert_true(gp_nn_sum_squares(&f.sum, 0) == 4 * (1 + 1 + 4 + 4 + 32e12) / 16);
    assert_true(gp_nn_sum_squares(&f.sum, 1) == 36 * 64);
    end(&f);
}

static void the_first_step_has_misfits_and_then_fits(void **state) {
    (void)state;
    fixture f;
    init(&f, SHARDS);
    memset(f.gradient[2], 0, sizeof f.gradient[2]); /* fits */
    add_all(&f, NULL);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 2 * (SHARDS - 1));
    gp_nn_sum_refit(&f.sum);
    add_all(&f, NULL);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 0);
    end(&f);
}

static void shards_in_any_order_give_the_same_bits(void **state) {
    (void)state;
    fixture f, g;
    init(&f, SHARDS);
    init(&g, SHARDS);
    fit(&f);
    const int order[2][SHARDS] = {{5, 4, 3, 2, 1, 0}, {3, 0, 5, 1, 4, 2}};
    for (int k = 0; k < 2; k++) {
        memcpy(g.sum.exponent, f.sum.exponent, 2 * sizeof *g.sum.exponent);
        add_all(&g, order[k]);
        assert_memory_equal(f.sum.value, g.sum.value, 34 * sizeof *f.sum.value);
        assert_memory_equal(f.sum.largest, g.sum.largest, 2 * sizeof *f.sum.largest);
    }
    end(&f);
    end(&g);
}

/* Mean over shards in long double, and how far it may be off. */
static void the_mean_has_thirty_bits_and_more(void **state) {
    (void)state;
    fixture f;
    init(&f, GP_NN_SHARDS);
    fit(&f);
    gp_nn_sum_settle(&f.sum, 0);
    gp_nn_sum_settle(&f.sum, 1);
    add_all(&f, NULL);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 0);
    for (int64_t b = 0; b < 2; b++) {
        long double most = 0, off = 0;
        for (int64_t k = 0; k < 16; k++) {
            long double mean = 0;
            for (int s = 0; s < SHARDS; s++)
                mean += (long double)f.gradient[s][16 * b + k] / SHARDS;
            long double got = ldexpl((long double)f.sum.value[17 * b + k], -f.sum.exponent[b]);
            most = fmaxl(most, fabsl(mean));
            off = fmaxl(off, fabsl(got / SHARDS - mean));
        }
        assert_true(off <= most * 0x1p-30L); /* the header's promise for 65536 shards */
    }
    end(&f);
}

static void as_many_of_the_largest_as_there_may_be_do_not_overflow(void **state) {
    (void)state;
    fixture f;
    init(&f, GP_NN_SHARDS);
    f.sum.exponent[0] = 46; /* 62 - log2 65536 */
    for (int k = 0; k < 16; k++)
        f.gradient[0][k] = (gp_real)(k % 2 ? -0.99999994 : 0.99999994);
    for (int s = 0; s < GP_NN_SHARDS; s++)
        gp_nn_sum_add(&f.sum, 0, f.gradient[0]);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 0);
    assert_true(f.sum.value[0] > (int64_t)1 << 61 && f.sum.value[1] == -f.sum.value[0]);
    f.gradient[0][5] = 1; /* one too large */
    gp_nn_sum_add(&f.sum, 0, f.gradient[0]);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 1);
    assert_true(f.sum.largest[0] == 1);
    end(&f);
}

static void numbers_that_are_not_finite_are_misfits(void **state) {
    (void)state;
    const gp_real bad[] = {NAN, INFINITY, -INFINITY, -NAN};
    for (int k = 0; k < 4; k++) {
        fixture f;
        init(&f, SHARDS);
        fit(&f);
        int exponent = f.sum.exponent[1];
        f.gradient[3][17 + k] = bad[k];
        add_all(&f, NULL);
        assert_int_equal(gp_nn_sum_misfits(&f.sum), 1);
        assert_true(isinf(f.sum.largest[1]) && f.sum.largest[1] > 0);
        assert_true(isfinite(f.sum.largest[0]));
        gp_nn_sum_refit(&f.sum);
        assert_int_equal(f.sum.exponent[1], exponent);
        add_all(&f, NULL);
        assert_int_equal(gp_nn_sum_misfits(&f.sum), 1); /* again: how a caller knows */
        end(&f);
    }
}

static void exponents_follow_what_was_met(void **state) {
    (void)state;
    fixture f;
    init(&f, 16);
    memset(f.gradient, 0, sizeof f.gradient);
    f.gradient[0][3] = -6; /* below 2^3: 50 bits of it */
    f.gradient[0][20] = (gp_real)0x1p-100;
    add_all(&f, NULL);
    gp_nn_sum_refit(&f.sum);
    assert_int_equal(f.sum.exponent[0], 47);
    assert_int_equal(f.sum.exponent[1], 149);
    add_all(&f, NULL);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 0);
    gp_nn_sum_settle(&f.sum, 0);
    /* The sum is 6, at most 2^3; a shard may have 2^8 of 2^3 / sqrt(16). */
    assert_int_equal(f.sum.exponent[0], 50 - 8 - 3 + 2);
    f.gradient[0][3] = 511; /* 2^9: just so */
    add_all(&f, NULL);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 0);
    f.gradient[0][3] = 512;
    add_all(&f, NULL);
    assert_int_equal(gp_nn_sum_misfits(&f.sum), 1);
    end(&f);
}

static void sums_become_the_nearest_doubles(void **state) {
    (void)state;
    const int64_t sum[] = {
        0, 1, -1, ((int64_t)1 << 53) + 1, -((int64_t)1 << 62), 3458764513820540929};
    for (int k = 0; k < 6; k++) {
        fixture f;
        init(&f, SHARDS);
        f.sum.exponent[0] = 0;
        f.sum.value[11] = sum[k];
        double want = (double)sum[k];
        gp_real got[16];
        assert_true(gp_nn_sum_squares(&f.sum, 0) == want * want);
        gp_nn_sum_get(&f.sum, 0, -2, got);
        assert_true(got[11] == (gp_real)(-2 * want) && got[12] == 0);
        gp_nn_sum_settle(&f.sum, 0);
        assert_int_equal(f.sum.exponent[0] != 0, k != 0); /* also of a sum of -1 */
        end(&f);
    }
}

static void a_bucket_of_zeros_keeps_its_exponent(void **state) {
    (void)state;
    fixture f;
    init(&f, SHARDS);
    fit(&f);
    int exponent = f.sum.exponent[0];
    memset(f.gradient, 0, sizeof f.gradient);
    add_all(&f, NULL);
    gp_nn_sum_settle(&f.sum, 0);
    gp_nn_sum_refit(&f.sum);
    assert_int_equal(f.sum.exponent[0], exponent);
    assert_true(gp_nn_sum_squares(&f.sum, 0) == 0);
    end(&f);
}

static void the_smallest_and_the_largest_floats_fit(void **state) {
    (void)state;
    const float extreme[] = {0x1p-149f, 3.402823466e38f};
    for (int k = 0; k < 2; k++) {
        fixture f;
        init(&f, SHARDS);
        memset(f.gradient, 0, sizeof f.gradient);
        f.gradient[0][0] = (gp_real)extreme[k];
        fit(&f);
        gp_real got[16];
        gp_nn_sum_get(&f.sum, 0, 1, got);
        assert_true(got[0] == (gp_real)extreme[k]);
        gp_nn_sum_settle(&f.sum, 0);
        add_all(&f, NULL);
        assert_int_equal(gp_nn_sum_misfits(&f.sum), 0);
        gp_nn_sum_get(&f.sum, 0, 1, got);
        assert_true(got[0] == (gp_real)extreme[k]);
        end(&f);
    }
}

static void a_bucket_of_many_chunks_is_summed_whole(void **state) {
    (void)state;
    enum { N = 70000 };
    gp_nn_table table = {0};
    gp_nn_sum sum = {0};
    gp_err err = {0};
    table_of(&table, N, 1);
    assert_int_equal(gp_nn_sum_init(&sum, &table, 2, &err), GP_OK);
    gp_real *x = gp_mem_alloc(table.parameters, sizeof *x, &err);
    for (int64_t k = 0; k < N; k++)
        x[k] = (gp_real)(k % 1000 - 500);
    sum.exponent[0] = 1;
    gp_nn_sum_add(&sum, 0, x);
    gp_nn_sum_add(&sum, 0, x);
    for (int64_t k = 0; k < N; k++)
        assert_int_equal(sum.value[k], 4 * (k % 1000 - 500));
    assert_true(gp_nn_sum_squares(&sum, 0) == 70 * 333334000.0); /* whole numbers: exact */
    x[N - 1] = NAN;                                              /* one misfit, in the last chunk */
    gp_nn_sum_add(&sum, 0, x);
    assert_int_equal(gp_nn_sum_misfits(&sum), 1);
    free(x);
    gp_nn_sum_free(&sum);
    gp_nn_table_free(&table);
}

static void a_step_of_too_many_shards_is_refused(void **state) {
    (void)state;
    gp_nn_table table = {0};
    gp_nn_sum sum = {0};
    gp_err err = {0};
    table_of(&table, 16, 16);
    assert_int_equal(gp_nn_sum_init(&sum, &table, GP_NN_SHARDS + 1, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "65537 gradient shards"));
    gp_nn_sum_free(&sum);
    gp_nn_table_free(&table);
}

static int make(void *context, gp_err *err) {
    gp_nn_sum sum = {0};
    gp_nn_sum_init(&sum, context, 4, err);
    gp_nn_sum_free(&sum);
    return err->code;
}

static void a_failed_allocation_comes_back(void **state) {
    (void)state;
    gp_nn_table table = {0};
    table_of(&table, 16, 16);
    assert_int_equal(gp_test_fail_each(make, &table), 5);
    gp_nn_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_do_not_cross_groups),
        cmocka_unit_test(numbers_count_as_the_nearest_integer_and_even_in_the_middle),
        cmocka_unit_test(the_first_step_has_misfits_and_then_fits),
        cmocka_unit_test(shards_in_any_order_give_the_same_bits),
        cmocka_unit_test(the_mean_has_thirty_bits_and_more),
        cmocka_unit_test(as_many_of_the_largest_as_there_may_be_do_not_overflow),
        cmocka_unit_test(numbers_that_are_not_finite_are_misfits),
        cmocka_unit_test(exponents_follow_what_was_met),
        cmocka_unit_test(sums_become_the_nearest_doubles),
        cmocka_unit_test(a_bucket_of_zeros_keeps_its_exponent),
        cmocka_unit_test(the_smallest_and_the_largest_floats_fit),
        cmocka_unit_test(a_bucket_of_many_chunks_is_summed_whole),
        cmocka_unit_test(a_step_of_too_many_shards_is_refused),
        cmocka_unit_test(a_failed_allocation_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
