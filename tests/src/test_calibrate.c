/* Logits from scores: shares of two groups, the posterior's gradients, separation, missing pairs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/calibrate.h"
#include "src/base/rng.h"

#include <math.h>

static double logit(double q) {
    return log(q / (1.0 - q));
}

static void two_groups_get_the_logits_of_their_shares(void **state) {
    /* x = 0: 1000 of 4000 are cases; x = 1: 4500 of 6000. Without a prior the fit is saturated. */
    enum { N = 10000 };
    static double x[N], y[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        x[i] = i >= 4000;
        y[i] = i < 1000 || i >= 5500;
    }
    gp_calibration c = gp_calibrate(x, y, N);
    /* the prior's pull: its precision is 1 / 4, the likelihood's about 500 */
    double at_one = c.intercept + c.slope;
    assert_float_equal(c.intercept, logit(0.25), 5e-3);
    assert_float_equal(at_one, logit(0.75), 5e-3);
}

static void gradients_of_the_posterior_are_zero_at_the_fit(void **state) {
    enum { N = 500 };
    double x[N], y[N], mean = 0.0, q = 0.0, ga = 0.0, gb = 0.0;
    gp_rng rng = gp_rng_stream(3, 200, 0, 0, 0);
    (void)state;
    for (int i = 0; i < N; i++) {
        x[i] = 5.0 + 2.0 * gp_rng_normal(&rng);
        y[i] = gp_rng_uniform(&rng) < 1.0 / (1.0 + exp(-(0.7 * x[i] - 4.0)));
        mean += x[i] / N;
        q += y[i] / N;
    }
    gp_calibration c = gp_calibrate(x, y, N);
    for (int i = 0; i < N; i++) {
        double off = 1.0 / (1.0 + exp(-(c.intercept + c.slope * x[i]))) - y[i];
        ga += off;
        gb += off * (x[i] - mean);
    }
    double centre = 1.0 / (q * (1.0 - q));
    gb += (c.slope - centre) / (0.25 * centre * centre);
    assert_float_equal(ga, 0.0, 1e-6); /* Newton's last step: squared from 1e-4 */
    assert_float_equal(gb, 0.0, 1e-6);
    assert_float_equal(c.slope, 0.7, 0.25); /* 4 standard errors of 0.06 */
}

static void the_fit_follows_a_shift(void **state) {
    double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, z[8], y[] = {0, 0, 1, 0, 1, 0, 1, 1};
    (void)state;
    for (int i = 0; i < 8; i++)
        z[i] = 1000.0 + x[i];
    gp_calibration a = gp_calibrate(x, y, 8), b = gp_calibrate(z, y, 8);
    for (int i = 0; i < 8; i++) {
        double one = a.intercept + a.slope * x[i], other = b.intercept + b.slope * z[i];
        assert_true(fabs(one - other) < 1e-9); /* rounding of what is shifted by 1000 */
    }
}

static void noise_does_not_turn_the_slope_around(void **state) {
    /* A handful that goes the other way against a prior slope of 4. */
    double x[] = {0.4, 0.5, 0.6, 0.45, 0.55, 0.5}, y[] = {1, 0, 0, 1, 0, 1};
    (void)state;
    assert_true(gp_calibrate(x, y, 6).slope > 0.0);
}

static void separated_cases_get_a_finite_slope(void **state) {
    double x[] = {-2, -1, 1, 2}, y[] = {0, 0, 1, 1};
    (void)state;
    gp_calibration c = gp_calibrate(x, y, 4);
    assert_true(isfinite(c.slope) && c.slope > 1.0 && c.slope < 40.0);
    assert_float_equal(c.intercept, 0.0, 1e-9); /* by symmetry */
}

static void what_says_nothing_gets_no_slope(void **state) {
    double same[] = {2, 2, 2, 2}, y[] = {0, 1, 1, 1}, none[] = {0, 0, 0, 0}, x[] = {1, 2, 3, 4};
    (void)state;
    gp_calibration c = gp_calibrate(same, y, 4);
    assert_float_equal(c.slope, 0.0, 0.0);
    assert_float_equal(c.intercept, logit(0.75), 1e-12);
    c = gp_calibrate(x, none, 4);
    assert_float_equal(c.slope, 0.0, 0.0);
    assert_float_equal(c.intercept, log(0.5 / 4.5), 1e-12);
    c = gp_calibrate(x, y, 0);
    assert_float_equal(c.intercept, 0.0, 0.0);
}

static void pairs_with_a_missing_number_are_left_out(void **state) {
    double x[] = {1, NAN, 2, 3, 4, 9}, y[] = {0, 1, 1, 0, 1, NAN};
    double few[] = {1, 2, 3, 4}, seen[] = {0, 1, 0, 1};
    (void)state;
    gp_calibration a = gp_calibrate(x, y, 6), b = gp_calibrate(few, seen, 4);
    assert_float_equal(a.slope, b.slope, 0.0);
    assert_float_equal(a.intercept, b.intercept, 0.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_groups_get_the_logits_of_their_shares),
        cmocka_unit_test(gradients_of_the_posterior_are_zero_at_the_fit),
        cmocka_unit_test(the_fit_follows_a_shift),
        cmocka_unit_test(noise_does_not_turn_the_slope_around),
        cmocka_unit_test(separated_cases_get_a_finite_slope),
        cmocka_unit_test(what_says_nothing_gets_no_slope),
        cmocka_unit_test(pairs_with_a_missing_number_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
