/* Variance components: against dense matrices, at the ends of the range, and what cannot be fitted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/src/lmm_dense.h"
#include "tests/support/fail_alloc.h"

static gp_spectrum spectrum_of(const dense *d, int64_t trait) {
    return (gp_spectrum){d->n, d->c, d->value, d->uw, d->uy + trait * d->n};
}

static int near(double got, double want, double tolerance) {
    if (fabs(got - want) <= tolerance * fabs(want))
        return 1;
    print_message("%.17g, expected %.17g\n", got, want);
    return 0;
}

/* K = diag(0, 0, 1, 1) without fixed effects, y = (1, 1, 2, 2): V = lambda K + 1, and the
 * likelihood is highest where the variances are 1 and 1 + lambda = 4. */
static void four_samples_by_hand(void **state) {
    (void)state;
    double value[4] = {0, 0, 1, 1}, y[4] = {1, 1, 2, 2};
    gp_spectrum s = {4, 0, value, NULL, y};
    gp_reml fit;
    gp_err err = {0};
    assert_int_equal(gp_reml_fit(&s, &fit, &err), GP_OK);
    assert_int_equal(fit.end, GP_REML_INSIDE);
    assert_true(near(fit.lambda, 3.0,
                     1e-10)); /* a maximum is good to the root of rounding, its zero better */
    assert_true(near(fit.ve, 1.0, 1e-10) && near(fit.vg, 3.0, 1e-10));
    assert_true(near(fit.h2, 1.5 / 2.5, 1e-10)); /* tr(K) / n = 1/2 */
    assert_true(near(fit.loglik, -2.0 * log(2.0 * acos(-1.0)) - log(4.0) - 2.0, 1e-12));
}

/* The second derivative by log(lambda): differences of two widths, whose own errors cancel to e^4.
 */
static double bend(const dense *d, const double *y, double lambda) {
    double at = dense_at(d, lambda, y, NULL).loglik, e = 0.02, part[2];
    for (int k = 0; k < 2; k++, e *= 0.5)
        part[k] = (dense_at(d, lambda * exp(e), y, NULL).loglik - 2.0 * at +
                   dense_at(d, lambda * exp(-e), y, NULL).loglik) /
                  (e * e);
    return (4.0 * part[1] - part[0]) / 3.0;
}

static void fits_agree_with_dense_matrices(void **state) {
    (void)state;
    uint64_t seed = 11;
    const double h2[6] = {0.1, 0.3, 0.5, 0.7, 0.9, 0.4};
    int inside = 0;
    for (int64_t c = 1; c <= 4; c++) {
        dense d = dense_draw(48, c, 6, 0, h2, &seed);
        for (int64_t t = 0; t < d.p; t++) {
            gp_spectrum s = spectrum_of(&d, t);
            gp_reml fit;
            gp_err err = {0};
            assert_int_equal(gp_reml_fit(&s, &fit, &err), GP_OK);
            const double *y = d.y + t * d.n;
            double best = dense_best(&d, y, NULL), trace = 0.0;
            dense_fit at = dense_at(&d, fit.lambda, y, NULL);
            assert_true(fabs(fit.loglik - at.loglik) < 1e-9);
            assert_true(fit.loglik > dense_at(&d, exp(best), y, NULL).loglik - 1e-9);
            assert_true(near(fit.ve, at.variance, 1e-9));
            assert_true(near(fit.vg, at.variance * fit.lambda, 1e-9));
            for (int64_t i = 0; i < d.n; i++)
                trace += d.k[i * d.n + i] / (double)d.n;
            double scaled = trace * fit.lambda;
            assert_true(near(fit.h2, scaled / (scaled + 1.0), 1e-9));
            if (fit.end != GP_REML_INSIDE) {
                assert_true(isnan(fit.h2_se));
                continue;
            }
            inside++;
            double se = scaled / pow(scaled + 1.0, 2) / sqrt(-bend(&d, y, fit.lambda));
            assert_true(near(fit.h2_se, se, 1e-5));
        }
        dense_free(&d);
    }
    assert_true(inside > 12);
}

static void effects_agree_with_dense_matrices(void **state) {
    (void)state;
    uint64_t seed = 12;
    const double h2 = 0.5;
    dense d = dense_draw(40, 3, 1, 0, &h2, &seed);
    gp_spectrum s = spectrum_of(&d, 0);
    double beta[3], se[3], ve = 0.0;
    gp_err err = {0};
    for (double lambda = 0.0; lambda < 100.0; lambda = 10.0 * lambda + 0.03) {
        dense_fit at = dense_at(&d, lambda, d.y, NULL);
        assert_int_equal(gp_reml_effects(&s, lambda, beta, se, &ve, &err), GP_OK);
        assert_true(near(beta[2], at.beta, 1e-10) && near(se[2], at.se, 1e-10));
        assert_true(near(ve, at.variance, 1e-10));
    }
    dense_free(&d);
}

/* y among the vectors of small eigenvalues only, and of large ones only. */
static void ends_of_the_range_are_said(void **state) {
    (void)state;
    enum { N = 30 };
    double value[N], y[N], w[N] = {1};
    gp_reml fit;
    gp_err err = {0};
    gp_spectrum s = {N, 1, value, w, y};
    for (int i = 0; i < N; i++)
        value[i] = i;
    for (int i = 0; i < N; i++)
        y[i] = i < 15 ? 1.0 + 0.1 * (i % 3) : 1e-3;
    assert_int_equal(gp_reml_fit(&s, &fit, &err), GP_OK);
    assert_int_equal(fit.end, GP_REML_NONE);
    assert_true(near(fit.lambda, GP_REML_LEAST, 1e-12) && isnan(fit.h2_se) && fit.h2 < 2e-4);
    for (int i = 0; i < N; i++)
        y[i] = i == 0 ? 1.0 : sqrt(i) * (i % 2 ? 1.0 : -1.0);
    assert_int_equal(gp_reml_fit(&s, &fit, &err), GP_OK);
    assert_int_equal(fit.end, GP_REML_ALL);
    assert_true(near(fit.lambda, GP_REML_MOST, 1e-12) && isnan(fit.h2_se) && fit.h2 > 0.99999);
}

/* Two kinds of eigenvalues that ask for different ratios: the likelihood has two maxima; with more
 * samples of the second kind, the second is the higher one. */
static void the_higher_of_two_maxima_is_found(void **state) {
    (void)state;
    enum { N = 60 };
    int low = 0, high = 0;
    for (int second = 1; second <= 4; second++) {
        dense d = dense_new(N, 0, 1, 0);
        for (int i = 0; i < N; i++) {
            int kind = i < 30 ? 0 : i < 60 - second ? 1 : 2;
            double k = kind == 0   ? 0.0
                       : kind == 1 ? 1e-4
                                   : 3e3,
                   variance = kind == 0   ? 1.0
                              : kind == 1 ? 8.0
                                          : 4.0;
            d.k[i * N + i] = d.value[i] = k;
            d.y[i] = d.uy[i] = sqrt(variance) * (i % 2 ? 0.9 : -1.1);
        }
        gp_spectrum s = spectrum_of(&d, 0);
        gp_reml fit;
        gp_err err = {0};
        assert_int_equal(gp_reml_fit(&s, &fit, &err), GP_OK);
        double t = dense_best(&d, d.y, NULL);
        assert_true(fabs(log(fit.lambda) - t) < 1e-5); /* where the golden section stops */
        low += t < 0.0;
        high += t > 0.0;
        dense_free(&d);
    }
    assert_true(low > 0 && high > 0);
}

static void refuse(const gp_spectrum *s, const char *why) {
    gp_reml fit;
    gp_err err = {0};
    assert_int_equal(gp_reml_fit(s, &fit, &err), GP_EINPUT);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void what_cannot_be_fitted_is_refused(void **state) {
    (void)state;
    uint64_t seed = 13;
    const double h2 = 0.5;
    dense d = dense_draw(30, 3, 1, 0, &h2, &seed);
    gp_spectrum s = spectrum_of(&d, 0);
    s.n = 3;
    refuse(&s, "3 samples for 3 fixed effects");
    s.n = d.n;
    for (int64_t i = 0; i < d.n; i++)
        d.uy[i] = 1e6 * d.uw[i];
    refuse(&s, "the trait is constant");
    for (int64_t i = 0; i < d.n; i++)
        d.uy[i] += 2.0 * d.uw[d.n + i] - d.uw[2 * d.n + i];
    refuse(&s, "the trait is constant, or the covariates determine it");
    for (int64_t i = 0; i < d.n; i++)
        d.uw[2 * d.n + i] = d.uw[d.n + i] - 3.0 * d.uw[i];
    refuse(&s, "not independent");
    dense_free(&d);
}

static void small_eigenvalues_become_0_and_negative_ones_are_refused(void **state) {
    (void)state;
    gp_err err = {0};
    double rounding[4] = {-1e-9, 3e-10, 1e-3, 20.0}, negative[3] = {-0.01, 1.0, 2.0};
    double tiny[2] = {0.5e-10, 1e-3}, broken[2] = {1.0, NAN};
    assert_int_equal(gp_spectrum_clean(rounding, 4, &err), GP_OK);
    assert_true(rounding[0] == 0.0 && rounding[1] == 0.0 && rounding[2] == 1e-3);
    assert_int_equal(gp_spectrum_clean(tiny, 2, &err), GP_OK);
    assert_true(tiny[0] == 0.0 && tiny[1] == 1e-3);
    assert_int_equal(gp_spectrum_clean(negative, 3, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "not positive semi-definite"));
    assert_non_null(strstr(err.text, "-0.01"));
    err = (gp_err){0};
    assert_int_equal(gp_spectrum_clean(broken, 2, &err), GP_EINPUT);
}

static int fit_and_effects(void *context, gp_err *err) {
    const dense *d = context;
    gp_spectrum s = spectrum_of(d, 0);
    gp_reml fit;
    double beta[2], se[2], ve = 0.0;
    if (gp_reml_fit(&s, &fit, err) == GP_OK)
        gp_reml_effects(&s, fit.lambda, beta, se, &ve, err);
    return err->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    uint64_t seed = 14;
    const double h2 = 0.5;
    dense d = dense_draw(30, 2, 1, 0, &h2, &seed);
    assert_int_equal(gp_test_fail_each(fit_and_effects, &d), 2);
    dense_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_samples_by_hand),
        cmocka_unit_test(fits_agree_with_dense_matrices),
        cmocka_unit_test(effects_agree_with_dense_matrices),
        cmocka_unit_test(ends_of_the_range_are_said),
        cmocka_unit_test(the_higher_of_two_maxima_is_found),
        cmocka_unit_test(what_cannot_be_fitted_is_refused),
        cmocka_unit_test(small_eigenvalues_become_0_and_negative_ones_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
