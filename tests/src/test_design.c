/* Covariates made orthonormal, and traits freed from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/design.h"
#include "tests/support/random.h"

#include <stdlib.h>
#include <string.h>

/* In long double, so that what is measured is not the measuring. */
static double dot(const double *x, const double *y, int64_t n) {
    long double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (long double)x[i] * y[i];
    return (double)sum;
}

static long double sum(const double *x, int64_t n) {
    long double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += x[i];
    return s;
}

static double length(const double *x, int64_t n) {
    return sqrt(dot(x, x, n));
}

/* Largest error of Q Q' = I and of sums that should be 0, relative to sqrt(n). */
static double disorder(const double *q, int64_t rank, int64_t n) {
    double worst = 0.0;
    for (int64_t j = 0; j < rank; j++) {
        worst = fmax(worst, fabs((double)sum(q + j * n, n)) / sqrt((double)n));
        for (int64_t k = 0; k <= j; k++)
            worst = fmax(worst, fabs(dot(q + j * n, q + k * n, n) - (j == k)));
    }
    return worst;
}

/* Length of x's part outside the span of 1 and q; *centred, unless NULL, is its length outside 1.
 */
static double outside(const double *x, const double *q, int64_t rank, int64_t n, double *centred) {
    long double left = 0, mean = sum(x, n) / n, rest = 0, all = 0;
    long double *r = calloc((size_t)n, sizeof *r);
    for (int64_t i = 0; i < n; i++) {
        r[i] = x[i] - mean;
        rest += r[i] / n; /* the first mean is itself rounded */
    }
    for (int64_t i = 0; i < n; i++) {
        r[i] -= rest;
        all += r[i] * r[i];
    }
    for (int64_t j = 0; j < rank; j++) {
        long double a = 0;
        for (int64_t i = 0; i < n; i++)
            a += r[i] * q[j * n + i];
        for (int64_t i = 0; i < n; i++)
            r[i] -= a * q[j * n + i];
    }
    for (int64_t i = 0; i < n; i++)
        left += r[i] * r[i];
    free(r);
    if (centred != NULL)
        *centred = (double)sqrtl(all);
    return (double)sqrtl(left);
}

/* c columns over n samples of a kind that strains the method. */
enum { NORMAL, YEARS, LARGE_OFFSET, ALMOST_SAME, SIZES, KINDS };

static double draw(int kind, int64_t j, double shared, uint64_t *seed) {
    double z = gp_test_normal(seed);
    switch (kind) {
    case YEARS:
        return 2003.0 + (double)gp_test_below(seed, 3) - 1.0;
    case LARGE_OFFSET:
        return 1e9 + z;
    case ALMOST_SAME:
        return 50.0 + shared + 1e-5 * z;
    case SIZES:
        return z * pow(10.0, 12.0 * (double)(j % 5) - 24.0);
    default:
        return z;
    }
}

static void basis_is_orthonormal_and_spans_the_covariates(void **state) {
    (void)state;
    uint64_t seed = 15;
    const int64_t samples[] = {20, 101, 1000, 4003};
    double worst = 0.0, worst_outside = 0.0;
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++)
            for (int64_t c = 1; c <= 12; c += 3) {
                int64_t n = samples[s];
                double *x = calloc((size_t)(2 * n * c), sizeof *x), *q = x + n * c;
                uint8_t kept[12] = {0};
                for (int64_t i = 0; i < n; i++) {
                    double shared = gp_test_normal(&seed);
                    for (int64_t j = 0; j < c; j++)
                        q[j * n + i] = x[j * n + i] = draw(kind, j, shared, &seed);
                }
                assert_int_equal(gp_design_basis(q, n, c, kept), c);
                for (int64_t j = 0; j < c; j++) {
                    assert_int_equal(kept[j], 1);
                    double centred, left = outside(x + j * n, q, c, n, &centred);
                    worst_outside = fmax(worst_outside, left / centred);
                }
                worst = fmax(worst, disorder(q, c, n));
                free(x);
            }
    print_message("orthonormal to %.2g, span to %.2g\n", worst, worst_outside);
    assert_true(worst < 1e-14);
    assert_true(worst_outside < 1e-14); /* two hundred roundings that do not add up */
}

static void a_basis_by_hand(void **state) {
    (void)state;
    double x[2][4] = {{1, 2, 3, 4}, {1, 0, 0, 1}};
    uint8_t kept[2];
    assert_int_equal(gp_design_basis(x[0], 4, 2, kept), 2);
    const double s = sqrt(5.0),
                 want[2][4] = {{-1.5 / s, -0.5 / s, 0.5 / s, 1.5 / s}, {0.5, -0.5, -0.5, 0.5}};
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 4; i++)
            assert_true(fabs(x[j][i] - want[j][i]) < 1e-15);
}

static void constants_and_combinations_are_named(void **state) {
    (void)state;
    enum { N = 500, C = 9 };
    uint64_t seed = 16;
    double(*x)[N] = calloc(C, sizeof *x);
    uint8_t kept[C];
    for (int i = 0; i < N; i++) {
        x[0][i] = 0.1;
        x[1][i] = 2000.0 + (double)gp_test_below(&seed, 20);
        x[2][i] = 3.0 * x[1][i] - 7.0;               /* of 1 */
        x[3][i] = gp_test_normal(&seed);             /* new */
        x[4][i] = 0.0;                               /* constant */
        x[5][i] = x[3][i] - 1e-3 * x[1][i] + 1e5;    /* of 1 and 3, far off */
        x[6][i] = (double)(gp_test_bits(&seed) & 1); /* new */
        x[7][i] = 1.0 - x[6][i];                     /* of 6: both levels of a category */
        x[8][i] = x[1][i] * x[1][i];                 /* new: a square is no combination */
    }
    assert_int_equal(gp_design_basis(x[0], N, C, kept), 4);
    const uint8_t want[C] = {0, 1, 0, 1, 0, 0, 1, 0, 1};
    assert_memory_equal(kept, want, sizeof want);
    assert_true(disorder(x[0], 4, N) < 1e-14);
    free(x);
}

/* 3e9 + 3 z is rounded to 4e-7: the difference from three times the other column is no direction.
 */
static void rounding_of_the_input_adds_no_direction(void **state) {
    (void)state;
    enum { N = 1000 };
    uint64_t seed = 17;
    double(*x)[N] = calloc(3, sizeof *x);
    uint8_t kept[3];
    for (int i = 0; i < N; i++) {
        x[0][i] = 1e9 + gp_test_normal(&seed);
        x[1][i] = 3.0 * x[0][i];
        x[2][i] = x[0][i] / 7.0 + 0.3;
    }
    assert_int_equal(gp_design_basis(x[0], N, 3, kept), 1);
    assert_int_equal(kept[0], 1);
    free(x);
}

static void a_constant_of_any_size_is_nothing(void **state) {
    (void)state;
    enum { N = 10007 };
    double *x = calloc(N, sizeof *x);
    for (double size = 1e-100; size < 1e100; size *= 1234.567) {
        uint8_t kept;
        for (int i = 0; i < N; i++)
            x[i] = size / 3.0;
        assert_int_equal(gp_design_basis(x, N, 1, &kept), 0);
        assert_int_equal(kept, 0);
        for (int i = 0; i < N; i++)
            assert_true(x[i] == 0.0);
    }
    free(x);
}

static void one_carrier_among_many_is_a_direction(void **state) {
    (void)state;
    enum { N = 100000 };
    double *x = calloc(N, sizeof *x);
    uint8_t kept = 0;
    x[77777] = 1.0;
    assert_int_equal(gp_design_basis(x, N, 1, &kept), 1);
    assert_int_equal(kept, 1);
    /* A length is good to n / 8 roundings, all of them to one side here. */
    assert_true(fabs(x[77777] - sqrt(1.0 - 1.0 / N)) < N / 8 * 0x1p-53);
    free(x);
}

static void more_covariates_than_samples_end_at_rank_n_less_1(void **state) {
    (void)state;
    uint64_t seed = 18;
    double x[30 * 10];
    uint8_t kept[30];
    for (int i = 0; i < 300; i++)
        x[i] = gp_test_normal(&seed);
    assert_int_equal(gp_design_basis(x, 10, 30, kept), 9);
    for (int j = 0; j < 30; j++)
        assert_int_equal(kept[j], j < 9);
}

static void a_residual_is_a_unit_outside_the_span(void **state) {
    (void)state;
    enum { N = 2000, C = 6 };
    uint64_t seed = 19;
    double(*q)[N] = calloc(C + 2, sizeof *q), *y = q[C], *before = q[C + 1];
    uint8_t kept[C];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < C; j++)
            q[j][i] = 50.0 + gp_test_normal(&seed);
    assert_int_equal(gp_design_basis(q[0], N, C, kept), C);
    for (int i = 0; i < N; i++)
        before[i] = y[i] = 1e4 + 30.0 * q[2][i] + gp_test_normal(&seed);
    double was = gp_design_residual(q[0], N, C, y), left = outside(before, q[0], C, N, NULL);
    assert_true(fabs(was - left) < 1e-12 * left);
    assert_true(fabs(length(y, N) - 1.0) < 1e-14);
    assert_true(fabs((double)sum(y, N)) < 1e-13);
    for (int j = 0; j < C; j++)
        assert_true(fabs(dot(y, q[j], N)) < 1e-15);
    free(q);
}

static void a_trait_in_the_span_has_length_0(void **state) {
    (void)state;
    enum { N = 300 };
    uint64_t seed = 20;
    double q[2][N], y[N];
    uint8_t kept[2];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 2; j++)
            q[j][i] = gp_test_normal(&seed);
    assert_int_equal(gp_design_basis(q[0], N, 2, kept), 2);
    for (int i = 0; i < N; i++)
        y[i] = 170.0 + 3.0 * q[0][i] - 2.0 * q[1][i];
    assert_true(gp_design_residual(q[0], N, 2, y) == 0.0);
    for (int i = 0; i < N; i++) {
        assert_true(y[i] == 0.0);
        y[i] = 42.1;
    }
    assert_true(gp_design_residual(q[0], N, 2, y) == 0.0);
    assert_true(gp_design_residual(q[0], N, 0, memset(y, 0, sizeof y)) == 0.0);
}

static void a_trait_without_covariates_is_centred(void **state) {
    (void)state;
    double y[5] = {1, 2, 3, 4, 5};
    assert_true(fabs(gp_design_residual(NULL, 5, 0, y) - sqrt(10.0)) < 1e-15);
    for (int i = 0; i < 5; i++)
        assert_true(fabs(y[i] - (i - 2) / sqrt(10.0)) < 1e-16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_basis_by_hand),
        cmocka_unit_test(basis_is_orthonormal_and_spans_the_covariates),
        cmocka_unit_test(constants_and_combinations_are_named),
        cmocka_unit_test(rounding_of_the_input_adds_no_direction),
        cmocka_unit_test(a_constant_of_any_size_is_nothing),
        cmocka_unit_test(one_carrier_among_many_is_a_direction),
        cmocka_unit_test(more_covariates_than_samples_end_at_rank_n_less_1),
        cmocka_unit_test(a_residual_is_a_unit_outside_the_span),
        cmocka_unit_test(a_trait_in_the_span_has_length_0),
        cmocka_unit_test(a_trait_without_covariates_is_centred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
