/* Fixed point: the error bound, exponents at their edges, room for the sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/fixed.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <float.h>
#include <math.h>

static void exponents_at_powers_of_two_are_exact(void **state) {
    (void)state;
    for (int k = -800; k <= 1023; k++) {
        double power = ldexp(1.0, k);
        assert_int_equal(gp_fixed_exponent(power, 41), 41 - k);
        assert_int_equal(gp_fixed_exponent(nextafter(power, 0.0), 41), 41 - k);
        if (k < 1023)
            assert_int_equal(gp_fixed_exponent(nextafter(power, INFINITY), 41), 40 - k);
    }
    assert_int_equal(gp_fixed_exponent(1.0, 40), 40);
    assert_int_equal(gp_fixed_exponent(0.75, 40), 40);
    assert_int_equal(gp_fixed_exponent(3.0, 40), 38);
}

static void extremes_stay_within_the_bits(void **state) {
    (void)state;
    const double max[] = {0.0, DBL_TRUE_MIN, 1e-308, 1e-300, 1e-260, 1.0, 1e260, 1e300, 1.7e308};
    const int64_t most = (int64_t)1 << 41;
    for (size_t i = 0; i < sizeof max / sizeof max[0]; i++) {
        int e = gp_fixed_exponent(max[i], 41);
        int64_t v = gp_fixed_from(max[i], e), w = gp_fixed_from(-max[i], e);
        assert_true(v >= 0 && v <= most && w == -v);
        assert_true(e <= 900 && e >= 41 - 1024);
        assert_true(isfinite(gp_fixed_to(v, e)));
        if (max[i] >= 1e-250)
            assert_true(v > most / 2 - 1);
    }
    assert_int_equal(gp_fixed_exponent(0.0, 41), 0);
    assert_int_equal(gp_fixed_exponent(1e-300, 41), 900);
    assert_int_equal(gp_fixed_exponent(DBL_MAX, 41), 41 - 1024);
}

static void the_error_is_within_its_bound(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int k = 0; k < 100000; k++) {
        double max = ldexp(1.0 + gp_test_uniform(&seed), (int)gp_test_below(&seed, 1600) - 800);
        double x = max * (2.0 * gp_test_uniform(&seed) - 1.0);
        int e = gp_fixed_exponent(max, 41);
        int64_t v = gp_fixed_from(x, e);
        double error = fabs(x - gp_fixed_to(v, e)); /* exact: both are multiples of a small unit */
        assert_true(error <= ldexp(0.5, -e));
        assert_true(ldexp(0.5, -e) <= ldexp(max, -41));
        assert_true(v <= (int64_t)1 << 41 && v >= -((int64_t)1 << 41));
    }
}

static void whole_numbers_come_back_as_they_were(void **state) {
    (void)state;
    for (int64_t v = -2000; v <= 2000; v++) {
        int e = gp_fixed_exponent(2000.0, 41);
        assert_true(gp_fixed_to(gp_fixed_from((double)v, e), e) == (double)v);
    }
    assert_int_equal(gp_fixed_from(0.5, 0), 0); /* ties to even */
    assert_int_equal(gp_fixed_from(1.5, 0), 2);
    assert_int_equal(gp_fixed_from(-2.5, 0), -2);
}

/* n samples of the largest value and weight 2 (and the products of two columns, which have as many
 * bits) stay inside an int64, for every n; one bit more would do at 2^13 and 2^20, two would not.
 */
static void sums_at_the_bound_do_not_overflow(void **state) {
    (void)state;
    assert_int_equal(gp_fixed_bits(1), GP_FIXED_BITS_SMALL);
    assert_int_equal(gp_fixed_bits(8192), GP_FIXED_BITS_SMALL);
    assert_int_equal(gp_fixed_bits(8193), GP_FIXED_BITS);
    assert_int_equal(gp_fixed_bits((int64_t)1 << 20), GP_FIXED_BITS);
    assert_int_equal(gp_fixed_bits(((int64_t)1 << 20) + 1), GP_FIXED_BITS - 1);
    assert_int_equal(gp_fixed_bits((int64_t)1 << 21), GP_FIXED_BITS - 1);
    for (int k = 0; k < 34; k++)
        for (int64_t more = -1; more <= 1; more++) {
            int64_t n = ((int64_t)1 << k) + more;
            __int128 sum = (__int128)2 * n << gp_fixed_bits(n);
            assert_true(sum <= INT64_MAX);
        }
}

/* The digits of 2^bits and -2^bits, and of what lies between: as many as the header's bound says,
 * and one fewer would not do for 2^bits (127 of each digit are the most). */
static void digits_hold_every_integer_of_the_bits(void **state) {
    (void)state;
    for (int bits = 1; bits <= 62; bits++) {
        int digits = gp_fixed_digits(bits);
        __int128 most = 0, fewer = 0;
        for (int d = 0; d < digits; d++) {
            fewer = most;
            most = most * 256 + 127;
        }
        assert_true(most >= (__int128)1 << bits && fewer < (__int128)1 << bits);
    }
    assert_int_equal(gp_fixed_digits(GP_FIXED_BITS), 6);
    assert_int_equal(gp_fixed_digits(GP_FIXED_BITS_SMALL), 7);
}

static void an_operand_gives_back_what_was_set(void **state) {
    (void)state;
    uint64_t seed = 41;
    const int bits[] = {1, 6, 7, 14, 15, 38, 39, 41, 47, 48, 54, 55, 62};
    const int64_t terms = 130, columns = 7;
    for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++) {
        gp_err err = {0};
        gp_operand y = {0};
        int64_t want[130][7], row[7];
        assert_int_equal(gp_operand_init(&y, terms, columns, bits[b], &err), GP_OK);
        for (int pass = 0; pass < 2; pass++) { /* the second over the first */
            for (int64_t k = 0; k < terms * columns; k++) {
                int64_t most = (int64_t)1 << bits[b],
                        v = gp_test_below(&seed, 2) ? most : gp_test_below(&seed, most);
                want[k / 7][k % 7] = gp_test_below(&seed, 2) ? v : -v;
                gp_operand_set(&y, k / 7, k % 7, want[k / 7][k % 7]);
            }
            for (int64_t i = 0; i < terms; i++) {
                gp_operand_row(&y, i, row);
                assert_memory_equal(row, want[i], sizeof row);
                for (int64_t k = 0; k < columns; k++)
                    assert_true(gp_operand_get(&y, i, k) == want[i][k]);
            }
        }
        gp_operand_free(&y);
    }
}

/* Digit d of column k is tile column k * digits + d; four terms of it make a cell. */
static void digits_lie_where_the_header_says(void **state) {
    (void)state;
    gp_err err = {0};
    gp_operand y = {0};
    assert_int_equal(gp_operand_init(&y, 200, 3, 41, &err), GP_OK);
    gp_operand_set(&y, 137, 2, 5 + 256 * (-3 + (int64_t)256 * 256 * 256 * 256 * -1));
    /* Column 2 is tile columns 12 to 17; term 137 is term 9 of the third tile of each row. */
    const uint8_t *first = y.tile + 2 * 1024 + 64 * 2 + 1, *second = first + 4 * 1024;
    assert_int_equal(y.tile_columns, 2);
    assert_int_equal(y.tile_terms, 4);
    assert_int_equal(first[4 * 12], 5);
    assert_int_equal((int8_t)first[4 * 13], -3);
    assert_int_equal(first[4 * 14] | first[4 * 15] | second[0], 0);
    assert_int_equal((int8_t)second[4], -1);
    int64_t others = 0;
    for (int64_t k = 0; k < 8 * 1024; k++)
        others += y.tile[k] != 0;
    assert_int_equal(others, 3);
    gp_operand_free(&y);
}

static void an_operand_is_zero_at_first(void **state) {
    (void)state;
    const int64_t shape[][2] = {{0, 0}, {0, 3}, {1, 1}, {64, 4}, {65, 5}, {130, 40}};
    for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
        gp_err err = {0};
        gp_operand y = {0};
        assert_int_equal(gp_operand_init(&y, shape[i][0], shape[i][1], 41, &err), GP_OK);
        int64_t tiles = y.tile_columns * y.tile_terms;
        assert_int_equal(gp_operand_bytes(shape[i][0], shape[i][1], 41),
                         1024 * tiles + (int64_t)sizeof(int) * shape[i][1]);
        for (int64_t k = 0; k < 1024 * tiles; k++)
            assert_int_equal(y.tile[k], 0);
        gp_operand_free(&y);
        assert_null(y.tile);
        gp_operand_free(&y);
    }
}

/* The header's bound for a sum over n terms with weights 0, 1 and 2. */
static void the_error_of_a_sum_is_within_its_bound(void **state) {
    (void)state;
    uint64_t seed = 42;
    for (int64_t n = 1; n <= 3000; n = 3 * n + 1)
        for (int bits = 10; bits <= 48; bits += 19) {
            double max = 0.0, x[3000];
            for (int64_t i = 0; i < n; i++) {
                x[i] = 2.0 * gp_test_uniform(&seed) - 1.0;
                max = fmax(max, fabs(x[i]));
            }
            int e = gp_fixed_exponent(max, bits);
            int64_t sum = 0;
            long double exact = 0.0L;
            for (int64_t i = 0; i < n; i++) {
                int64_t g = gp_test_below(&seed, 3);
                sum += g * gp_fixed_from(x[i], e);
                exact += (long double)g * x[i];
            }
            assert_true(fabsl((long double)gp_fixed_to(sum, e) - exact) <=
                        2.0L * (long double)n * ldexpl(max, -bits) * 1.001L); /* of the sums here */
        }
}

static int make_operand(void *context, gp_err *err) {
    (void)context;
    gp_operand y = {0};
    int code = gp_operand_init(&y, 100, 7, 41, err);
    gp_operand_free(&y);
    return code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    assert_int_equal(gp_test_fail_each(make_operand, NULL), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponents_at_powers_of_two_are_exact),
        cmocka_unit_test(extremes_stay_within_the_bits),
        cmocka_unit_test(the_error_is_within_its_bound),
        cmocka_unit_test(whole_numbers_come_back_as_they_were),
        cmocka_unit_test(sums_at_the_bound_do_not_overflow),
        cmocka_unit_test(digits_hold_every_integer_of_the_bits),
        cmocka_unit_test(an_operand_gives_back_what_was_set),
        cmocka_unit_test(digits_lie_where_the_header_says),
        cmocka_unit_test(an_operand_is_zero_at_first),
        cmocka_unit_test(the_error_of_a_sum_is_within_its_bound),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
