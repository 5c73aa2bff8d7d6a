#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/digits.h"

#include <float.h>
#include <math.h>

static uint64_t random_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

static void expect_real(double value) {
    char got[GP_DIGITS_ROOM + 1], expected[64];
    *gp_digits_real(got, value) = 0;
    snprintf(expected, sizeof expected, "%.9g", value);
    assert_string_equal(got, expected);
}

static void reals_are_printed_as_printf_does(void **state) {
    (void)state;
    static const double given[] = {0,
                                   1,
                                   0.5,
                                   100,
                                   123456789,
                                   1e9,
                                   999999999.5,
                                   999999999.4999999,
                                   0.0001,
                                   0.00009999999995,
                                   1e-5,
                                   1e22,
                                   9.9999999999e21,
                                   1e-13,
                                   9.99999999e-14,
                                   1e-300,
                                   DBL_MIN,
                                   DBL_MAX,
                                   4.9e-324,
                                   0.1,
                                   1.0 / 3,
                                   2.0 / 3e5,
                                   1.00000000500000,
                                   1234567890.5,
                                   99999999.95,
                                   9.999999995,
                                   1.5,
                                   12.25,
                                   1000000000.5,
                                   1048576.0009765625};
    for (size_t k = 0; k < sizeof given / sizeof given[0]; k++) {
        expect_real(given[k]);
        expect_real(-given[k]);
    }
}

static void random_reals_are_printed_as_printf_does(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (int k = 0; k < 60000; k++) {
        uint64_t bits = random_bits(&seed);
        double any = 0, near = 0;
        memcpy(&any, &bits, sizeof any);
        if (isfinite(any))
            expect_real(any);
        /* Values such as results hold, and ones within a few ulps of a tie. */
        expect_real(((double)(bits >> 11) * 0x1p-53 - 0.5) * pow(10, (int)(bits % 30) - 10));
        near = ((double)(bits % 1000000000) + 0.5) * pow(10, (int)(bits >> 59) - 16);
        expect_real(near);
        expect_real(nextafter(near, 0));
        expect_real(nextafter(near, INFINITY));
    }
}

static void expect_near(double value) {
    double below = value, above = value;
    for (int k = 0; k < 4; k++) {
        expect_real(below);
        expect_real(above);
        below = nextafter(below, 0);
        above = nextafter(above, INFINITY);
    }
}

/* Borders of the decades, of the powers of two, and of what is looked up; numbers of few digits;
 * ties that are exact. */
static void borders_and_ties_are_printed_as_printf_does(void **state) {
    (void)state;
    for (int e = -1074; e < 1024; e++)
        expect_near(ldexp(1, e));
    for (int e = -45; e < 45; e++)
        for (int k = 1; k < 100; k++) {
            expect_near(k * pow(10, e));
            expect_near((1 - k * 5e-10) * pow(10, e));
        }
    for (int64_t k = 1; k < 20000; k++) {
        expect_real((double)k / 2048);
        expect_real((double)k / 1048576);
        expect_real((double)k / 40000);
        expect_real((double)(5000000000 + 10 * k + 5));
        expect_real((double)(100000000000000000 + 100000000 * k + 50000000));
    }
}

static void expect_integer(int64_t value) {
    char got[GP_DIGITS_ROOM + 1], expected[64];
    *gp_digits_integer(got, value) = 0;
    snprintf(expected, sizeof expected, "%lld", (long long)value);
    assert_string_equal(got, expected);
}

static void integers_are_printed_whole(void **state) {
    (void)state;
    static const int64_t given[] = {0, 7, 10, -1, 123456789012, INT64_MAX, INT64_MIN};
    for (size_t k = 0; k < sizeof given / sizeof given[0]; k++)
        expect_integer(given[k]);
    for (int64_t power = 10; power < 1000000000000000000; power *= 10)
        for (int64_t k = -2; k < 3; k++) {
            expect_integer(power + k);
            expect_integer(-power + k);
            expect_integer(7 * power + k);
        }
    for (int64_t k = 0; k < 100000; k++)
        expect_integer(k * 99991 % 100000000);
}

static void expect_power(double x, const char *expected) {
    char got[GP_DIGITS_ROOM + 1];
    *gp_digits_power(got, x) = 0;
    assert_string_equal(got, expected);
}

static void p_is_made_from_its_logarithm_at_any_exponent(void **state) {
    (void)state;
    expect_power(0, "1");
    expect_power(-1e-17, "1");
    expect_power(-log10(0.5), "0.5");
    expect_power(-log10(0.05), "0.05");
    expect_power(-log10(0.123456789), "0.123456789");
    expect_power(4, "0.0001");
    expect_power(4.0000000001, "0.0001");
    expect_power(5, "1e-05");
    expect_power(-log10(5e-8), "5e-08");
    expect_power(300, "1e-300");
    expect_power(307.5, "3.16227766e-308");
    expect_power(323.5, "3.16227766e-324");
    expect_power(1234 - log10(3.21987654), "3.21987654e-1234");
    expect_power(1e15, "1e-1000000000000000");
    expect_power(NAN, "#NA");
    expect_power(INFINITY, "#NA");
}

static void p_agrees_with_the_power_of_ten_and_never_rises(void **state) {
    (void)state;
    double last = 1;
    for (double x = 0; x < 307; x += 0.00731) {
        char got[GP_DIGITS_ROOM + 1];
        *gp_digits_power(got, x) = 0;
        double p = strtod(got, NULL), expected = pow(10, -x);
        /* Half a unit of the ninth digit; pow is far more exact. */
        assert_true(fabs(p / expected - 1) < 5.1e-9);
        assert_true(p <= last);
        last = p;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reals_are_printed_as_printf_does),
        cmocka_unit_test(random_reals_are_printed_as_printf_does),
        cmocka_unit_test(borders_and_ties_are_printed_as_printf_does),
        cmocka_unit_test(integers_are_printed_whole),
        cmocka_unit_test(p_is_made_from_its_logarithm_at_any_exponent),
        cmocka_unit_test(p_agrees_with_the_power_of_ten_and_never_rises),
    };
    return cmocka_run_group_tests_name("io.digits", tests, NULL, NULL);
}
