/* Elementary functions against the long double ones of libm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/real.h"
#include "tests/support/random.h"

#include <float.h>
#include <string.h>

/* Distance from what it should be, in units of its last place. */
static double ulps(double got, long double want) {
    double near = (double)want;
    if (isinf(near) || near == 0.0)
        return got == near ? 0.0 : INFINITY;
    double size = fabs(near), unit = nextafter(size, INFINITY) - size;
    return (double)(fabsl((long double)got - want) / (long double)unit);
}

static double random_of_any_size(uint64_t *seed) {
    int e = (int)gp_test_below(seed, 2098) - 1074;
    return ldexp(1.0 + gp_test_uniform(seed), e);
}

static void skip_without_long_double(void) {
    if (LDBL_MANT_DIG < 64)
        skip();
}

static void log_is_within_an_ulp(void **state) {
    (void)state;
    skip_without_long_double();
    uint64_t seed = 1;
    double worst = 0.0;
    for (int i = 0; i < 300000; i++) {
        double any = random_of_any_size(&seed),
               near = 1.0 + (gp_test_uniform(&seed) - 0.5) * ldexp(1.0, -(i % 50));
        worst = fmax(worst, fmax(ulps(gp_log(any), logl(any)), ulps(gp_log(near), logl(near))));
    }
    print_message("log: %.3f ulp\n", worst);
    assert_true(worst < 1.0);
}

static void exp_is_within_an_ulp(void **state) {
    (void)state;
    skip_without_long_double();
    uint64_t seed = 2;
    double worst = 0.0;
    for (int i = 0; i < 300000; i++) {
        double all = -746.0 + 1457.0 * gp_test_uniform(&seed),
               small = (gp_test_uniform(&seed) - 0.5) * ldexp(1.0, -(i % 60));
        worst = fmax(worst, fmax(ulps(gp_exp(all), expl(all)), ulps(gp_exp(small), expl(small))));
    }
    print_message("exp: %.3f ulp\n", worst);
    assert_true(worst < 1.0);
}

/* Where the tables change their entry: the doubles next to the borders of the logarithm's runs, and
 * the arguments next to odd multiples of log(2)/256. */
static void borders_of_the_tables_are_as_good(void **state) {
    (void)state;
    skip_without_long_double();
    double worst = 0.0;
    uint64_t bits = 0x3fe60aaaaaaaaaaa;
    for (int i = -128; i < 256; i++)
        for (int k = -2; k <= 2; k++) {
            uint64_t here = bits + ((uint64_t)i << 45) + (uint64_t)k;
            double x;
            memcpy(&x, &here, sizeof x);
            worst = fmax(worst, fmax(ulps(gp_log(x), logl(x)), ulps(gp_log1p(x), log1pl(x))));
            if (x - 1.0 != 0.0)
                worst = fmax(worst, ulps(gp_log1p(x - 1.0), log1pl(x - 1.0)));
        }
    for (int i = -90001; i < 90001; i += 2)
        for (int k = -1; k <= 1; k++) {
            double x = i * (0.69314718055994530942 / 256) * (1.0 + k * 0x1p-52);
            worst = fmax(worst, ulps(gp_exp(x), expl(x)));
        }
    print_message("borders: %.3f ulp\n", worst);
    assert_true(worst < 1.0);
}

static void log1p_is_within_an_ulp(void **state) {
    (void)state;
    skip_without_long_double();
    uint64_t seed = 3;
    double worst = 0.0;
    for (int i = 0; i < 300000; i++) {
        double any = random_of_any_size(&seed),
               small = (2.0 * gp_test_uniform(&seed) - 1.0) * ldexp(1.0, -(i % 60));
        worst = fmax(worst,
                     fmax(ulps(gp_log1p(any), log1pl(any)), ulps(gp_log1p(small), log1pl(small))));
    }
    print_message("log1p: %.3f ulp\n", worst);
    assert_true(worst < 1.0);
}

static void exact_values_are_exact(void **state) {
    (void)state;
    assert_true(gp_log(1.0) == 0.0 && gp_exp(0.0) == 1.0 && gp_log1p(0.0) == 0.0);
    assert_true(gp_log(2.0) == 0.69314718055994530942 && gp_log(10.0) == GP_LN10);
    for (int e = -1022; e <= 1023; e++)
        assert_true(gp_power_of_two(e) == ldexp(1.0, e));
}

static void ends_of_the_range_are_limits_not_surprises(void **state) {
    (void)state;
    assert_true(gp_log(0.0) == -INFINITY && gp_log(-0.0) == -INFINITY);
    assert_true(gp_log(INFINITY) == INFINITY && isnan(gp_log(-1.0)) && isnan(gp_log(NAN)));
    assert_true(gp_log1p(-1.0) == -INFINITY && gp_log1p(INFINITY) == INFINITY);
    assert_true(isnan(gp_log1p(-1.5)) && isnan(gp_log1p(NAN)));
    assert_true(gp_exp(INFINITY) == INFINITY && gp_exp(1e308) == INFINITY);
    assert_true(gp_exp(-INFINITY) == 0.0 && gp_exp(-1e308) == 0.0 && isnan(gp_exp(NAN)));
    assert_true(gp_exp(709.782) < INFINITY && gp_exp(709.7828) == INFINITY);
    assert_true(gp_exp(-745.1) > 0.0 && gp_exp(-745.14) == 0.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_is_within_an_ulp),
        cmocka_unit_test(exp_is_within_an_ulp),
        cmocka_unit_test(log1p_is_within_an_ulp),
        cmocka_unit_test(borders_of_the_tables_are_as_good),
        cmocka_unit_test(exact_values_are_exact),
        cmocka_unit_test(ends_of_the_range_are_limits_not_surprises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
