/* Student's t on a log scale: closed forms, a table of numbers made elsewhere, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/tail.h"

#include <math.h>
#include <stdio.h>

#define PI 3.14159265358979323846264338327950288L

static double relative(double got, long double want) {
    return (double)(fabsl((long double)got - want) / fabsl(want));
}

static void one_degree_of_freedom_is_cauchy(void **state) {
    (void)state;
    double worst = 0.0;
    for (double t = 1e-8; t < 2e6; t *= 1.7) {
        long double p = 2 / PI * atanl(1 / (long double)t),
                    want = -log1pl(-2 / PI * atanl((long double)t)) / logl(10.0L);
        if (t > 1)
            want = -log10l(p);
        worst = fmax(worst, relative(gp_t_neglog10p(t, 1.0), want));
    }
    print_message("df 1: %.2g\n", worst);
    assert_true(worst < 1e-14); /* some tens of roundings */
}

static void two_degrees_of_freedom_have_a_closed_form(void **state) {
    (void)state;
    double worst = 0.0;
    for (double t = 1e-8; t < 2e6; t *= 1.7) {
        long double x = t, s = sqrtl(2 + x * x), p = 2 / (s * (s + x));
        long double want = t > 1 ? -log10l(p) : -log1pl(-x / s) / logl(10.0L);
        worst = fmax(worst, relative(gp_t_neglog10p(t, 2.0), want));
    }
    print_message("df 2: %.2g\n", worst);
    assert_true(worst < 1e-14); /* some tens of roundings */
}

static void three_degrees_of_freedom_have_a_closed_form(void **state) {
    (void)state;
    double worst = 0.0;
    for (double t = 1e-6; t < 10.0; t *= 1.3) {
        long double angle = atanl((long double)t / sqrtl(3));
        long double centre = 2 / PI * (angle + sinl(angle) * cosl(angle));
        worst = fmax(worst, relative(gp_t_neglog10p(t, 3.0), -log1pl(-centre) / logl(10.0L)));
    }
    print_message("df 3: %.2g\n", worst);
    assert_true(worst < 1e-14); /* some tens of roundings */
}

static void numbers_made_elsewhere_agree(void **state) {
    (void)state;
    FILE *file = fopen(GP_SOURCE "/tests/oracle/t_tail.tsv", "r");
    assert_non_null(file);
    char line[256];
    int lines = 0;
    double worst_few = 0.0, worst_many = 0.0;
    while (fgets(line, sizeof line, file) != NULL) {
        double t, df, want;
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%lf %lf %lf", &t, &df, &want), 3);
        double error = relative(gp_t_neglog10p(t, df), (long double)want);
        if (df < 30.0)
            worst_few = fmax(worst_few, error);
        else
            worst_many = fmax(worst_many, error);
        lines++;
    }
    fclose(file);
    print_message("%d lines; df < 30: %.2g; from 30 on: %.2g\n", lines, worst_few, worst_many);
    assert_int_equal(lines, 690);
    assert_true(worst_few < 1e-14);  /* what the header says */
    assert_true(worst_many < 2e-15); /* what the header says */
}

static void infinitely_many_degrees_of_freedom_are_the_normal_tail(void **state) {
    (void)state;
    double worst = 0.0;
    for (double z = 1e-300; z < 36.0; z *= 1.07) {
        long double tail = erfcl((long double)z / sqrtl(2)),
                    want = z > 1 ? -log10l(tail)
                                 : -log1pl(-erfl((long double)z / sqrtl(2))) / logl(10.0L);
        worst = fmax(worst, relative(gp_t_neglog10p(z, INFINITY), want));
    }
    print_message("normal: %.2g\n", worst);
    assert_true(worst < 2e-15); /* what the header says */
}

static void extreme_t_keeps_its_digits(void **state) {
    (void)state;
    /* Two degrees of freedom: p = 1/t^2 far out, 1 - t/2^(1/2) near 0. */
    assert_true(relative(gp_t_neglog10p(1e300, 2.0), 600.0L) < 1e-14);
    assert_true(relative(gp_t_neglog10p(1e-310, 2.0), 1e-310L / sqrtl(2) / logl(10.0L)) < 1e-12);
    assert_true(relative(gp_t_neglog10p(1e-200, 2.0), 1e-200L / sqrtl(2) / logl(10.0L)) < 1e-14);
    /* Cauchy: p = 2 / (pi t). */
    assert_true(relative(gp_t_neglog10p(1e308, 1.0), 308 + log10l(PI / 2)) < 1e-14);
    /* Far out p falls as t to the power -df. */
    double slope = gp_t_neglog10p(1e300, 40.0) - gp_t_neglog10p(1e299, 40.0);
    assert_true(relative(slope, 40.0L) < 1e-12);
}

static void small_p_does_not_underflow(void **state) {
    (void)state;
    double p = gp_t_neglog10p(1e6, 1e7);
    assert_true(p > 2.5e7 && p < 2.6e7);
    assert_true(gp_t_neglog10p(40.0, 500000.0) > 330.0);
    assert_true(isfinite(gp_t_neglog10p(1e300, 1e7)));
    assert_true(isfinite(gp_t_neglog10p(1e300, 1.0)));
}

static void sign_does_not_matter_and_zero_is_zero(void **state) {
    (void)state;
    for (double df = 1.0; df < 2e7; df *= 10.0) {
        assert_true(gp_t_neglog10p(0.0, df) == 0.0);
        for (double t = 0.01; t < 1e4; t *= 3.0)
            assert_true(gp_t_neglog10p(t, df) == gp_t_neglog10p(-t, df));
    }
    assert_true(isnan(gp_t_neglog10p(NAN, 5.0)) && isnan(gp_t_neglog10p(1.0, NAN)));
}

/* The method changes with t: the value may not fall there. */
static void it_rises_with_t_everywhere(void **state) {
    (void)state;
    const double all[] = {1, 2.5, 8, 29.9, 30, 128, 800, 801, 1e3, 1e5, 1e6, 1e7};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        double before = 0.0;
        for (double t = 0.001; t < 50.0; t *= 1.003) {
            double now = gp_t_neglog10p(t, all[i]);
            assert_true(now > before);
            before = now;
        }
    }
}

/* Just below and above each change of method: at its x = log(1 + t^2/df), or z^2 = (df - 1/2) x. */
static void methods_agree_where_they_meet(void **state) {
    (void)state;
    for (double df = 30.0; df < 1e8; df *= 1.7) {
        const double all[] = {log1p(1.0 / 64), 1.0 / 16, 1.0, 64.0 / (df - 0.5)};
        for (int k = 0; k < 4; k++) {
            double t = sqrt(df * expm1(all[k])), low = gp_t_neglog10p(t * (1 - 1e-13), df),
                   high = gp_t_neglog10p(t * (1 + 1e-13), df);
            assert_true(low < high && relative(low, (long double)high) < 1e-12);
        }
    }
    for (double t = 1e-3; t < 1e5; t *= 1.5)
        for (int k = 0; k < 2; k++) {
            double df = k == 0 ? 30.0 : 800.5, few = gp_t_neglog10p(t, df * (1 - 1e-13)),
                   many = gp_t_neglog10p(t, df * (1 + 1e-13));
            assert_true(relative(few, (long double)many) < 1e-12);
        }
}

static void deviate_undoes_the_normal_tail(void **state) {
    (void)state;
    double worst = 0.0, before = 0.0;
    for (double z = 1e-300; z < 1e6; z *= 1.07) {
        double got = gp_normal_deviate(gp_t_neglog10p(z, INFINITY));
        worst = fmax(worst, relative(got, (long double)z));
    }
    print_message("deviate: %.2g\n", worst);
    assert_true(worst < 1e-13);                  /* what the header says */
    for (double l = 1e-3; l < 1e13; l *= 1.01) { /* methods meet without a step down */
        double now = gp_normal_deviate(l);
        assert_true(now > before);
        before = now;
    }
    /* p = 0.05 */
    assert_true(relative(gp_normal_deviate(-log10(0.05)), 1.959963984540054L) < 1e-14);
    /* Far out z^2 / 2 = l log(10) - log(pi z^2 / 2) / 2. */
    long double l = 1e250L, z = sqrtl(2 * l * logl(10.0L));
    assert_true(relative(gp_normal_deviate((double)l), z) < 1e-14);
    assert_true(isfinite(gp_normal_deviate(1.7e308)) && gp_normal_deviate(5e-324) >= 0.0);
    assert_true(gp_normal_deviate(0.0) == 0.0 && gp_normal_deviate(-1.0) == 0.0);
    assert_true(isnan(gp_normal_deviate(NAN)) && gp_normal_deviate(INFINITY) == INFINITY);
}

static void log10_add_adds_probabilities(void **state) {
    (void)state;
    for (double a = -12.0; a <= 0.0; a += 0.7)
        for (double b = -12.0; b <= 0.0; b += 0.9) {
            long double want = log10l(powl(10.0L, a) + powl(10.0L, b));
            assert_true(fabs(gp_log10_add(a, b) - (double)want) < 1e-14); /* some roundings */
            assert_true(gp_log10_add(a, b) == gp_log10_add(b, a));
        }
    assert_true(fabs(gp_log10_add(-5000.0, -5000.0) - (log10(2.0) - 5000.0)) < 1e-12);
    assert_true(gp_log10_add(-5000.0, -1.0) == -1.0);
    assert_true(gp_log10_add(-INFINITY, -3.0) == -3.0 && gp_log10_add(-3.0, -INFINITY) == -3.0);
    assert_true(gp_log10_add(-INFINITY, -INFINITY) == -INFINITY);
    assert_true(isnan(gp_log10_add(NAN, -1.0)) && isnan(gp_log10_add(-1.0, NAN)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_degree_of_freedom_is_cauchy),
        cmocka_unit_test(two_degrees_of_freedom_have_a_closed_form),
        cmocka_unit_test(three_degrees_of_freedom_have_a_closed_form),
        cmocka_unit_test(numbers_made_elsewhere_agree),
        cmocka_unit_test(infinitely_many_degrees_of_freedom_are_the_normal_tail),
        cmocka_unit_test(extreme_t_keeps_its_digits),
        cmocka_unit_test(small_p_does_not_underflow),
        cmocka_unit_test(sign_does_not_matter_and_zero_is_zero),
        cmocka_unit_test(it_rises_with_t_everywhere),
        cmocka_unit_test(methods_agree_where_they_meet),
        cmocka_unit_test(deviate_undoes_the_normal_tail),
        cmocka_unit_test(log10_add_adds_probabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
