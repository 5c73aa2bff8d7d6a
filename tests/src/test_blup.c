/* Best linear unbiased prediction, against the textbook with a dense V; accuracy by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/accuracy.h"
#include "src/assoc/blup.h"
#include "src/pca/symmetric.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <stdlib.h>
#include <string.h>

enum { ALL = 60, TRAIN = 45, C = 3, P = 2, MARKERS = 80 };

/* Samples of which every fourth is left out. */
typedef struct cohort {
    double k[ALL * ALL], x[C * ALL], y[P * ALL];
    int64_t train[TRAIN];
    double xt[C * TRAIN], yt[P * TRAIN];
    double value[TRAIN], vector[TRAIN * TRAIN]; /* row k is a vector */
} cohort;

static void centre(double *k, int64_t n) {
    double *mean = calloc((size_t)n, sizeof *mean), all = 0.0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            mean[i] += k[i * n + j] / (double)n;
        all += mean[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            k[i * n + j] += all - mean[i] - mean[j];
    free(mean);
}

static void choose(cohort *c) {
    int64_t n = 0;
    for (int64_t i = 0; i < ALL; i++)
        if (i % 4 != 1)
            c->train[n++] = i;
    assert_int_equal(n, TRAIN);
    for (int64_t i = 0; i < TRAIN; i++) {
        for (int64_t j = 0; j < C; j++)
            c->xt[j * TRAIN + i] = c->x[j * ALL + c->train[i]];
        for (int64_t t = 0; t < P; t++)
            c->yt[t * TRAIN + i] = c->y[t * ALL + c->train[i]];
        for (int64_t j = 0; j < TRAIN; j++)
            c->vector[i * TRAIN + j] = c->k[c->train[i] * ALL + c->train[j]];
    }
    double work[TRAIN];
    gp_err err = {0};
    centre(c->vector, TRAIN);
    assert_int_equal(gp_symmetric_eigen(TRAIN, c->vector, c->value, work, &err), GP_OK);
    assert_int_equal(gp_spectrum_clean(c->value, TRAIN, &err), GP_OK);
}

/* tied: covariate 2 is a combination of the others. shift is added to every relationship. */
static cohort *make(int tied, double shift) {
    cohort *c = calloc(1, sizeof *c);
    uint64_t random = 5;
    double u[P][ALL] = {{0}};
    for (int64_t m = 0; m < MARKERS; m++) {
        double g[ALL], p = 0.1 + 0.8 * gp_test_uniform(&random);
        for (int64_t i = 0; i < ALL; i++)
            g[i] = (gp_test_uniform(&random) < p) + (gp_test_uniform(&random) < p);
        for (int64_t i = 0; i < ALL; i++)
            for (int64_t j = 0; j < ALL; j++)
                c->k[i * ALL + j] += (g[i] - 2 * p) * (g[j] - 2 * p) / MARKERS;
        for (int64_t t = 0; t < P; t++) {
            double effect = gp_test_normal(&random) / sqrt(MARKERS);
            for (int64_t i = 0; i < ALL; i++)
                u[t][i] += effect * (g[i] - 2 * p);
        }
    }
    for (int64_t i = 0; i < ALL * ALL; i++)
        c->k[i] += shift;
    for (int64_t i = 0; i < ALL; i++) {
        c->x[i] = 100 + gp_test_normal(&random);
        c->x[ALL + i] = gp_test_uniform(&random) < 0.5;
        c->x[2 * ALL + i] = gp_test_normal(&random);
        if (tied)
            c->x[2 * ALL + i] = 2 * c->x[i] - 3 * c->x[ALL + i] + 1;
        for (int64_t t = 0; t < P; t++)
            c->y[t * ALL + i] =
                50 + 0.5 * c->x[i] + 0.3 * c->x[ALL + i] + u[t][i] + 0.5 * gp_test_normal(&random);
    }
    choose(c);
    return c;
}

/* What a job does with the matrices: rotates, fits, turns back, multiplies. */
static int fit(const cohort *c, gp_blup *b, double *u, double *shift, gp_err *err) {
    gp_blup_input input = {.n = TRAIN, .c = C, .p = P, .x = c->xt, .y = c->yt};
    double turned[TRAIN * (1 + C + P)] = {0}, rotated[TRAIN * P], ka[ALL * P] = {0};
    if (gp_blup_init(b, &input, err) != GP_OK)
        return err->code;
    int64_t width = 1 + b->rank + P;
    for (int64_t k = 0; k < TRAIN; k++)
        for (int64_t i = 0; i < TRAIN; i++)
            for (int64_t w = 0; w < width; w++)
                turned[k * width + w] += c->vector[k * TRAIN + i] * b->thin[i * width + w];
    if (gp_blup_fit(b, c->value, turned, rotated, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < TRAIN; i++)
        for (int64_t t = 0; t < P; t++) {
            double alpha = 0.0;
            for (int64_t k = 0; k < TRAIN; k++)
                alpha += c->vector[k * TRAIN + i] * rotated[k * P + t];
            for (int64_t j = 0; j < ALL; j++)
                ka[j * P + t] += c->k[j * ALL + c->train[i]] * alpha;
        }
    gp_blup_genetic(b, ka, ALL, c->train, u, shift);
    return GP_OK;
}

/* Solves a x = r, with n rows, in place; by elimination with pivots. */
static void solve(double *a, double *r, int64_t n) {
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[best * n + k]))
                best = i;
        for (int64_t j = 0; j < n; j++) {
            double kept = a[k * n + j];
            a[k * n + j] = a[best * n + j];
            a[best * n + j] = kept;
        }
        double kept = r[k];
        r[k] = r[best];
        r[best] = kept;
        for (int64_t i = k + 1; i < n; i++) {
            double f = a[i * n + k] / a[k * n + k];
            for (int64_t j = k; j < n; j++)
                a[i * n + j] -= f * a[k * n + j];
            r[i] -= f * r[k];
        }
    }
    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t j = k + 1; j < n; j++)
            r[k] -= a[k * n + j] * r[j];
        r[k] /= a[k * n + k];
    }
}

/* Henderson's mixed model equations for all samples, the left-out ones without a record:
 *   [X'X X'Z; Z'X Z'Z + K^-1 / lambda] [b; u] = [X'y; Z'y], with K (I, say) made invertible by a
 * little more. */
static void henderson(const cohort *c, const double *y, double lambda, double *b, double *u) {
    enum { F = 1 + C, N = F + ALL };
    static double a[N * N], inverse[ALL * ALL];
    double right[N] = {0};
    memset(a, 0, sizeof a);
    for (int64_t j = 0; j < ALL; j++) {
        static double k[ALL * ALL];
        double unit[ALL] = {0};
        memcpy(k, c->k, sizeof k);
        for (int64_t i = 0; i < ALL; i++)
            k[i * ALL + i] += 1e-9;
        unit[j] = 1.0;
        solve(k, unit, ALL);
        for (int64_t i = 0; i < ALL; i++)
            inverse[i * ALL + j] = unit[i];
    }
    for (int64_t i = 0; i < TRAIN; i++) {
        int64_t s = c->train[i];
        double x[F] = {1.0, c->x[s] - 100.0, c->x[ALL + s], c->x[2 * ALL + s]};
        for (int64_t j = 0; j < F; j++) {
            for (int64_t k = 0; k < F; k++)
                a[j * N + k] += x[j] * x[k];
            a[j * N + F + s] += x[j];
            a[(F + s) * N + j] += x[j];
            right[j] += x[j] * y[s];
        }
        a[(F + s) * N + F + s] += 1.0;
        right[F + s] += y[s];
    }
    for (int64_t i = 0; i < ALL; i++)
        for (int64_t j = 0; j < ALL; j++)
            a[(F + i) * N + F + j] += inverse[i * ALL + j] / lambda;
    solve(a, right, N);
    memcpy(b, right, F * sizeof *b);
    b[0] -= 100.0 * b[1];
    memcpy(u, right + F, ALL * sizeof *u);
}

static double predict(const cohort *c, const gp_blup *b, const double *u, int64_t i, int64_t t) {
    double x[C];
    for (int64_t j = 0; j < C; j++)
        x[j] = c->x[j * ALL + i];
    return gp_blup_covariates(b, b->fixed + t * (1 + C), x) + u[i * P + t];
}

static void predictions_solve_hendersons_equations(void **state) {
    (void)state;
    cohort *c = make(0, 0.0);
    gp_blup b = {0};
    gp_err err = {0};
    double u[ALL * P], shift[P], their_b[1 + C], their_u[ALL];
    assert_int_equal(fit(c, &b, u, shift, &err), GP_OK);
    assert_int_equal(b.rank, C);
    for (int64_t t = 0; t < P; t++) {
        assert_true(b.fit[t].end == GP_REML_INSIDE);
        henderson(c, c->y + t * ALL, b.fit[t].lambda, their_b, their_u);
        for (int64_t j = 1; j <= C; j++)
            assert_true(fabs(b.fixed[t * (1 + C) + j] - their_b[j]) <
                        1e-6); /* their K has 1e-9 more */
        for (int64_t i = 0; i < ALL; i++) {
            double theirs = their_b[0] + their_u[i];
            for (int64_t j = 0; j < C; j++)
                theirs += their_b[1 + j] * c->x[j * ALL + i];
            assert_true(fabs(predict(c, &b, u, i, t) - theirs) < 1e-6); /* likewise */
        }
        double mean = 0.0;
        for (int64_t i = 0; i < TRAIN; i++)
            mean += u[c->train[i] * P + t];
        assert_true(fabs(mean) < 1e-10 * TRAIN); /* rounding */
    }
    gp_blup_free(&b);
    free(c);
}

static void a_constant_in_all_relationships_changes_nothing(void **state) {
    (void)state;
    cohort *c = make(0, 0.0), *d = make(0, 3.0);
    gp_blup b = {0}, e = {0};
    gp_err err = {0};
    double u[ALL * P], v[ALL * P], shift[P], other[P];
    assert_int_equal(fit(c, &b, u, shift, &err), GP_OK);
    assert_int_equal(fit(d, &e, v, other, &err), GP_OK);
    for (int64_t i = 0; i < ALL * P; i++)
        assert_true(fabs(u[i] - v[i]) < 1e-8); /* rounding of sums 3 times as large */
    gp_blup_free(&b);
    gp_blup_free(&e);
    free(c);
    free(d);
}

static void a_covariate_that_adds_nothing_has_no_effect(void **state) {
    (void)state;
    cohort *c = make(1, 0.0);
    gp_blup b = {0};
    gp_err err = {0};
    double u[ALL * P], shift[P], x[C] = {101.0, 1.0, NAN};
    assert_int_equal(fit(c, &b, u, shift, &err), GP_OK);
    assert_int_equal(b.rank, 2);
    for (int64_t t = 0; t < P; t++) {
        const double *effect = b.alone + t * (1 + C);
        double left = 0.0, right = 0.0, wrong[C] = {NAN, 1.0, 0.0};
        assert_true(effect[3] == 0.0);
        assert_true(isfinite(gp_blup_covariates(&b, effect, x)));
        assert_true(isnan(gp_blup_covariates(&b, effect, wrong)));
        /* Least squares: residuals are orthogonal to each covariate and sum to 0. */
        for (int64_t i = 0; i < TRAIN; i++) {
            double at[C] = {c->xt[i], c->xt[TRAIN + i], c->xt[2 * TRAIN + i]};
            double rest = c->yt[t * TRAIN + i] - gp_blup_covariates(&b, effect, at);
            left += rest;
            right += rest * (at[0] - 100.0);
        }
        assert_true(fabs(left) < 1e-9 && fabs(right) < 1e-9); /* rounding of values near 100 */
    }
    gp_blup_free(&b);
    free(c);
}

static void units_of_the_trait_scale_what_they_should(void **state) {
    (void)state;
    cohort *c = make(0, 0.0), *d = make(0, 0.0);
    gp_blup b = {0}, e = {0};
    gp_err err = {0};
    double u[ALL * P], v[ALL * P], shift[P], other[P];
    for (int64_t i = 0; i < P * TRAIN; i++)
        d->yt[i] *= 1024.0;
    assert_int_equal(fit(c, &b, u, shift, &err), GP_OK);
    assert_int_equal(fit(d, &e, v, other, &err), GP_OK);
    for (int64_t t = 0; t < P; t++) {
        double df = (double)(TRAIN - 1 - C);
        assert_true(fabs(e.fit[t].vg / b.fit[t].vg / 1048576.0 - 1.0) < 1e-9);
        assert_true(fabs(e.fit[t].ve / b.fit[t].ve / 1048576.0 - 1.0) < 1e-9);
        assert_true(fabs(e.fit[t].h2 - b.fit[t].h2) < 1e-9);
        assert_true(fabs(e.fit[t].loglik + df * log(1024.0) - b.fit[t].loglik) < 1e-8);
    }
    for (int64_t i = 0; i < ALL * P; i++)
        assert_true(fabs(v[i] / 1024.0 - u[i]) < 1e-9);
    gp_blup_free(&b);
    gp_blup_free(&e);
    free(c);
    free(d);
}

static void a_trait_without_variance_has_length_0(void **state) {
    (void)state;
    cohort *c = make(0, 0.0);
    gp_blup b = {0};
    gp_err err = {0};
    for (int64_t i = 0; i < TRAIN; i++) {
        c->yt[i] = 7.0;
        c->yt[TRAIN + i] = 3.0 * c->xt[i] - 2.0;
    }
    gp_blup_input input = {.n = TRAIN, .c = C, .p = P, .x = c->xt, .y = c->yt};
    assert_int_equal(gp_blup_init(&b, &input, &err), GP_OK);
    assert_true(b.length[0] == 0.0 && b.length[1] == 0.0);
    gp_blup_free(&b);
    free(c);
}

static int work(void *context, gp_err *err) {
    gp_blup b = {0};
    double u[ALL * P], shift[P];
    fit(context, &b, u, shift, err);
    gp_blup_free(&b);
    return err->code;
}

static void every_refused_allocation_comes_back(void **state) {
    (void)state;
    cohort *c = make(0, 0.0);
    assert_true(gp_test_fail_each(work, c) > 10);
    free(c);
}

/* ---- accuracy ---- */

static void accuracy_by_hand(void **state) {
    (void)state;
    const double y[] = {1, 2, 3, NAN, 4, 5}, f[] = {2, 2, 3, 9, 3, NAN};
    gp_accuracy a;
    gp_err err = {0};
    assert_int_equal(gp_accuracy_of(y, f, 6, 0, &a, &err), GP_OK);
    assert_int_equal(a.n, 4);
    assert_true(fabs(a.mse - 0.5) < 1e-15);                 /* (1 + 0 + 0 + 1) / 4 */
    assert_true(fabs(a.r2 - (1.0 - 2.0 / 5.0)) < 1e-15);    /* squares about 2.5: 5 */
    assert_true(fabs(a.r - 2.0 / sqrt(5.0 * 1.0)) < 1e-15); /* products 2, squares 5 and 1 */
    assert_true(isnan(a.auc));
}

static void area_counts_ties_half(void **state) {
    (void)state;
    const double y[] = {0, 1, 0, 1, 1}, f[] = {0.1, 0.4, 0.4, 0.8, 0.1};
    gp_accuracy a;
    gp_err err = {0};
    assert_int_equal(gp_accuracy_of(y, f, 5, 1, &a, &err), GP_OK);
    /* Cases 0.4, 0.8, 0.1 against controls 0.1, 0.4: 1 + 1/2, 1 + 1, 1/2 + 0 of 6. */
    assert_true(fabs(a.auc - 4.0 / 6.0) < 1e-15);
}

static void without_variance_there_is_no_correlation(void **state) {
    (void)state;
    const double y[] = {1, 2, 4}, same[] = {0.1 + 0.2, 0.3, 0.3};
    gp_accuracy a;
    gp_err err = {0};
    assert_int_equal(gp_accuracy_of(y, same, 3, 0, &a, &err), GP_OK);
    assert_true(isnan(a.r) && isfinite(a.r2) && isfinite(a.mse));
    assert_int_equal(gp_accuracy_of(same, y, 1, 1, &a, &err), GP_OK);
    assert_true(a.n == 1 && isnan(a.r2) && isnan(a.auc) && isfinite(a.mse));
    assert_int_equal(gp_accuracy_of(y, y, 0, 1, &a, &err), GP_OK);
    assert_true(a.n == 0 && isnan(a.mse));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_solve_hendersons_equations),
        cmocka_unit_test(a_constant_in_all_relationships_changes_nothing),
        cmocka_unit_test(a_covariate_that_adds_nothing_has_no_effect),
        cmocka_unit_test(units_of_the_trait_scale_what_they_should),
        cmocka_unit_test(a_trait_without_variance_has_length_0),
        cmocka_unit_test(every_refused_allocation_comes_back),
        cmocka_unit_test(accuracy_by_hand),
        cmocka_unit_test(area_counts_ties_half),
        cmocka_unit_test(without_variance_there_is_no_correlation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
