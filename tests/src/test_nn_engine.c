/* src/nn/engine: products of matrices in memory; and src/nn/vector: loops over numbers. Built in
 * float and in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/nn/engine.h"
#include "src/nn/loops.h"
#include "src/nn/vector.h"
#include "tests/support/random.h"

#include <math.h>
#include <string.h>

#ifdef GP_NN_DOUBLE
#define TOLERANCE 1e-13 /* rounding of some ten operations in double */
#else
#define TOLERANCE 1e-5 /* the same in float */
#endif

enum { SIDE = 24 };
static gp_real a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE], old[SIDE * SIDE];

static void fill(void) {
    uint64_t seed = 7;
    for (int i = 0; i < SIDE * SIDE; i++) {
        a[i] = (gp_real)gp_test_normal(&seed);
        b[i] = (gp_real)gp_test_normal(&seed);
        c[i] = old[i] = (gp_real)gp_test_normal(&seed);
    }
}

static gp_nn_view view_of(const gp_real *x, int64_t rows, int64_t columns, int turned) {
    gp_nn_view v = turned ? gp_nn_part(x, columns, rows, SIDE) : gp_nn_part(x, rows, columns, SIDE);
    return turned ? gp_nn_turn(v) : v;
}

static double at(gp_nn_view v, int64_t i, int64_t j) {
    return (double)(v.turned ? v.x[j * v.pitch + i] : v.x[i * v.pitch + j]);
}

/* Results that are not kept may hold anything before. */
static void spoil(gp_nn_view v) {
    for (int64_t i = 0; i < v.rows; i++)
        for (int64_t j = 0; j < v.columns; j++)
            v.x[i * v.pitch + j] = NAN;
}

static void check_product(const gp_nn_engine *e, const int64_t size[3], int turned, int keep) {
    fill();
    gp_nn_view left = view_of(a, size[0], size[2], turned & 1);
    gp_nn_view right = view_of(b, size[2], size[1], turned >> 1);
    gp_nn_view result = view_of(c, size[0], size[1], 0);
    if (!keep)
        spoil(result);
    gp_nn_multiply(e, left, right, (gp_real)0.5, (gp_real)keep, result);
    for (int64_t i = 0; i < SIDE; i++)
        for (int64_t j = 0; j < SIDE; j++) {
            double sum = 0, before = (double)old[i * SIDE + j];
            for (int64_t k = 0; k < size[2] && i < size[0] && j < size[1]; k++)
                sum += at(left, i, k) * at(right, k, j);
            double wanted = i < size[0] && j < size[1] ? (keep ? before : 0) + 0.5 * sum : before;
            assert_true(fabs((double)c[i * SIDE + j] - wanted) <= TOLERANCE);
        }
}

static void products_match_plain_sums_in_every_shape(void **state) {
    (void)state;
    gp_nn_engine *e = NULL;
    gp_err err = {0};
    assert_int_equal(gp_nn_engine_open(&e, GP_NN_FLOAT32, &err), GP_OK);
    const int64_t size[] = {0, 1, 2, 7, 20};
    for (int k = 0; k < 5 * 5 * 5; k++)
        for (int turned = 0; turned < 4; turned++)
            for (int keep = 0; keep < 2; keep++)
                check_product(e, (int64_t[]){size[k % 5], size[k / 5 % 5], size[k / 25]}, turned,
                              keep);
    gp_nn_engine_close(e);
}

static void bfloat16_that_is_not_there_is_bad_input(void **state) {
    (void)state;
    gp_nn_engine *e = NULL;
    gp_err err = {0};
    assert_true(gp_nn_engine_has(GP_NN_FLOAT32));
    int code = gp_nn_engine_open(&e, GP_NN_BFLOAT16, &err);
    assert_int_equal(code, gp_nn_engine_has(GP_NN_BFLOAT16) ? GP_OK : GP_EINPUT);
    assert_true((err.text[0] != 0) == (code != GP_OK));
    gp_nn_engine_close(e);
    gp_nn_engine_close(NULL);
}

static void exponentials_are_within_a_few_roundings(void **state) {
    (void)state;
    const double unit = sizeof(gp_real) == 4 ? 0x1p-23 : 0x1p-52;
    double worst = 0;
    for (int i = -870000; i <= 880000; i += 7) {
        gp_real x = (gp_real)(i * 1e-4);
        worst = fmax(worst, fabs((double)gp_nn_exp(x) / exp((double)x) - 1) / unit);
    }
    assert_true(worst < 1.5); /* what vector.h says */
    assert_true(gp_nn_exp(0) == 1 && gp_nn_exp(-1e30f) >= 0 && gp_nn_exp(-1e30f) < 1e-37);
    assert_true(isnan(gp_nn_exp(NAN)));
}

static void sums_of_every_length_match_plain_ones(void **state) {
    (void)state;
    fill();
    for (int64_t n = 0; n <= 70; n++) {
        double sum = 0, product = 0, largest = n > 0 ? (double)a[0] : 0;
        for (int64_t i = 0; i < n; i++) {
            sum += (double)a[i];
            product += (double)a[i] * (double)b[i];
            largest = fmax(largest, (double)a[i]);
        }
        assert_true(fabs((double)gp_nn_sum_of(a, n) - sum) < TOLERANCE);
        assert_true(fabs((double)gp_nn_dot(a, b, n) - product) < TOLERANCE);
        assert_true(n == 0 || (double)gp_nn_largest(a, n) == largest);
    }
}

static void gelu_is_that_of_its_formula(void **state) {
    (void)state;
    for (int i = -1200; i <= 1200; i++) {
        double x = (double)(gp_real)(i * 0.01);
        double u = sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x);
        double gate = (double)gp_nn_gelu_gate((gp_real)x);
        assert_true(fabs(x * gate - 0.5 * x * (1 + tanh(u))) < TOLERANCE * fmax(1, fabs(x)));
    }
    assert_true(gp_nn_gelu_gate(-1e9f) < 1e-30 && gp_nn_gelu_gate(1e9f) == 1);
}

static void softmax_of_large_numbers_by_hand(void **state) {
    (void)state;
    gp_real x[4 * 4] = {1000, 1000, -1000, 1000 + (gp_real)log(2)};
    gp_nn_loops_chosen()->soften(4, 0, x);
    assert_true(fabs((double)x[0] - 0.25) < 1e-4 && fabs((double)x[3] - 0.5) < 1e-4);
    assert_true(x[0] == x[1] && x[2] < 1e-30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match_plain_sums_in_every_shape),
        cmocka_unit_test(bfloat16_that_is_not_there_is_bad_input),
        cmocka_unit_test(exponentials_are_within_a_few_roundings),
        cmocka_unit_test(sums_of_every_length_match_plain_ones),
        cmocka_unit_test(gelu_is_that_of_its_formula),
        cmocka_unit_test(softmax_of_large_numbers_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
