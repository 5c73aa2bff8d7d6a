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

static void an_operand_has_padded_width_and_is_zero(void **state) {
    (void)state;
    const int64_t shape[][3] = {{0, 0, 0}, {1, 1, 4}, {64, 4, 4}, {65, 5, 8}, {130, 40, 40}};
    for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
        gp_err err = {0};
        gp_operand y = {0};
        assert_int_equal(gp_operand_init(&y, shape[i][0], shape[i][1], &err), GP_OK);
        assert_int_equal(y.width, shape[i][2]);
        int64_t rows = (shape[i][0] + 63) / 64 * 64;
        for (int64_t k = 0; k < rows * y.width; k++)
            assert_int_equal(y.value[k], 0);
        gp_operand_free(&y);
        assert_null(y.value);
        gp_operand_free(&y);
    }
}

static int make_operand(void *context, gp_err *err) {
    (void)context;
    gp_operand y = {0};
    int code = gp_operand_init(&y, 100, 7, err);
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
        cmocka_unit_test(an_operand_has_padded_width_and_is_zero),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
