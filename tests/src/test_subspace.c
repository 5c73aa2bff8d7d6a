/* src/pca: eigenvalues of small matrices, and of a large one that is known by its products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/mem.h"
#include "src/pca/subspace.h"
#include "src/pca/symmetric.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern void dsyev_(const char *, const char *, const int *, double *, const int *, double *,
                   double *, const int *, int *);

static double *room(int64_t count) {
    gp_err err = {0};
    double *x = gp_mem_alloc(count, sizeof *x, &err);
    assert_non_null(x);
    return x;
}

static double *copy_of(const double *x, int64_t count) {
    double *y = room(count);
    memcpy(y, x, (size_t)count * sizeof *y);
    return y;
}

/* Z' Z / m of independent normal numbers, with two strong directions. */
static double *gram(int64_t n, int64_t m, uint64_t seed) {
    double *z = room(n * m), *a = room(n * n);
    for (int64_t j = 0; j < m; j++) {
        double east = gp_test_normal(&seed), north = gp_test_normal(&seed);
        for (int64_t i = 0; i < n; i++)
            z[i * m + j] =
                gp_test_normal(&seed) + (i % 2 ? 0.5 : -0.5) * east + (i % 3 ? 0.2 : -0.4) * north;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k <= i; k++) {
            double sum = 0.0;
            for (int64_t j = 0; j < m; j++)
                sum += z[i * m + j] * z[k * m + j];
            a[i * n + k] = a[k * n + i] = sum / (double)m;
        }
    free(z);
    return a;
}

static void eigen_of_two_by_two_by_hand(void **state) {
    (void)state;
    double a[] = {2, 1, 1, 2}, value[2], work[2], half = sqrt(0.5);
    gp_err err = {0};
    assert_int_equal(gp_symmetric_eigen(2, a, value, work, &err), GP_OK);
    assert_true(fabs(value[0] - 3) < 1e-15 && fabs(value[1] - 1) < 1e-15); /* a rounding or two */
    for (int k = 0; k < 4; k++)
        assert_true(fabs(fabs(a[k]) - half) < 1e-15);
    assert_true(a[0] * a[1] > 0 && a[2] * a[3] < 0);
}

static void eigen_of_equal_values_and_of_nothing(void **state) {
    (void)state;
    double a[25] = {0}, value[5], work[5];
    gp_err err = {0};
    assert_int_equal(gp_symmetric_eigen(5, a, value, work, &err), GP_OK);
    for (int k = 0; k < 25; k++)
        assert_true(k % 6 == 0 ? fabs(a[k]) == 1.0 : a[k] == 0.0);
    for (int k = 0; k < 25; k++)
        a[k] = k % 6 == 0 ? 7.0 : 0.0;
    assert_int_equal(gp_symmetric_eigen(5, a, value, work, &err), GP_OK);
    for (int k = 0; k < 5; k++)
        assert_true(value[k] == 7.0);
    assert_int_equal(gp_symmetric_eigen(0, a, value, work, &err), GP_OK);
    a[0] = 4.0;
    assert_int_equal(gp_symmetric_eigen(1, a, value, work, &err), GP_OK);
    assert_true(value[0] == 4.0 && a[0] == 1.0);
}

static void eigen_refuses_what_is_not_finite(void **state) {
    (void)state;
    double a[] = {1, NAN, NAN, 1}, value[2], work[2];
    gp_err err = {0};
    assert_int_equal(gp_symmetric_eigen(2, a, value, work, &err), GP_EFAIL);
}

static void eigen_is_as_lapack_has_it(void **state) {
    (void)state;
    for (int n = 1; n < 90; n += 22) {
        double *a = gram(n, 70, 5), *b = copy_of(a, n * n);
        double *value = room(n), *theirs = room(n), *work = room(70 * n);
        int room_there = 70 * n, info = 0;
        gp_err err = {0};
        assert_int_equal(gp_symmetric_eigen(n, a, value, work, &err), GP_OK);
        dsyev_("V", "U", &n, b, &n, theirs, work, &room_there, &info);
        assert_int_equal(info, 0);
        for (int k = 0; k < n; k++) {
            const double *mine = a + k * n, *other = b + (n - 1 - k) * n;
            double dot = 0.0;
            for (int i = 0; i < n; i++)
                dot += mine[i] * other[i];
            /* both are good to some roundings of the largest value */
            assert_true(fabs(value[k] - theirs[n - 1 - k]) < 1e-13 * value[0]);
            if (value[k] > 1e-6 && k < 2)
                assert_true(fabs(fabs(dot) - 1.0) < 1e-10);
        }
        free(a);
        free(b);
        free(value);
        free(theirs);
        free(work);
    }
}

/* ---- from products ---- */

typedef struct matrix {
    int64_t n;
    const double *a;
    int fails; /* the product of this number */
} matrix;

static int multiply(void *context, const double *x, int64_t columns, double *y, gp_err *err) {
    matrix *m = context;
    if (m->fails > 0 && --m->fails == 0)
        return gp_err_set(err, GP_ESTOP, "stopped");
    for (int64_t k = 0; k < columns; k++)
        for (int64_t i = 0; i < m->n; i++) {
            double sum = 0.0;
            for (int64_t j = 0; j < m->n; j++)
                sum += m->a[i * m->n + j] * x[k * m->n + j];
            y[k * m->n + i] = sum;
        }
    return GP_OK;
}

static gp_subspace plan_of(matrix *m, int64_t wanted) {
    return (gp_subspace){.n = m->n,
                         .rows = m->n,
                         .wanted = wanted,
                         .tolerance = 1e-8,
                         .most_products = 200,
                         .seed = 3,
                         .context = m,
                         .multiply = multiply};
}

/* Compares with the whole matrix solved. */
static void check(int64_t n, int64_t m, int64_t wanted) {
    double *a = gram(n, m, 11), *b = copy_of(a, n * n), *value = room(n), *work = room(n);
    matrix x = {.n = n, .a = a};
    gp_subspace s = plan_of(&x, wanted);
    gp_err err = {0};
    assert_int_equal(gp_symmetric_eigen(n, b, value, work, &err), GP_OK);
    assert_int_equal(gp_subspace_solve(&s, &err), GP_OK);
    assert_true(s.converged);
    for (int64_t k = 0; k < wanted; k++) {
        const double *v = s.vector + k * n;
        double dot = 0.0, length = 0.0;
        for (int64_t i = 0; i < n; i++) {
            dot += v[i] * b[k * n + i];
            length += v[i] * v[i];
        }
        assert_true(fabs(s.value[k] - value[k]) < 1e-12 * value[0]);
        assert_true(fabs(length - 1.0) < 1e-12);
        int alone = k + 1 == n || value[k] - value[k + 1] > 1e-3 * value[0];
        if (alone && (k == 0 || value[k - 1] - value[k] > 1e-3 * value[0]))
            assert_true(fabs(fabs(dot) - 1.0) < 1e-9); /* residual 1e-8, squared by the cosine */
    }
    gp_subspace_free(&s);
    free(a);
    free(b);
    free(value);
    free(work);
}

static void subspace_finds_the_largest_values(void **state) {
    (void)state;
    check(300, 400, 5);
    check(350, 300, 20); /* more than a block */
}

static void subspace_takes_small_and_deficient_matrices(void **state) {
    (void)state;
    check(1, 3, 1);
    check(12, 40, 12); /* all there are */
    check(60, 8, 8);   /* as many as have any variance */
}

static void subspace_gives_more_vectors_than_the_matrix_has_directions(void **state) {
    (void)state;
    double *a = gram(40, 3, 2);
    matrix x = {.n = 40, .a = a};
    gp_subspace s = plan_of(&x, 9);
    gp_err err = {0};
    assert_int_equal(gp_subspace_solve(&s, &err), GP_OK);
    for (int k = 3; k < 9; k++)
        assert_true(fabs(s.value[k]) < 1e-12 * s.value[0]);
    gp_subspace_free(&s);
    free(a);
}

static void subspace_says_when_it_has_not_settled(void **state) {
    (void)state;
    double *a = gram(200, 4000, 7);
    matrix x = {.n = 200, .a = a};
    gp_subspace s = plan_of(&x, 6);
    gp_err err = {0};
    s.most_products = 2;
    assert_int_equal(gp_subspace_solve(&s, &err), GP_OK);
    assert_false(s.converged);
    assert_int_equal(s.products, 2);
    gp_subspace_free(&s);
    free(a);
}

static void subspace_stops_with_a_product(void **state) {
    (void)state;
    double *a = gram(60, 40, 7);
    for (int fails = 1; fails < 4; fails++) {
        matrix x = {.n = 60, .a = a, .fails = fails};
        gp_subspace s = plan_of(&x, 6);
        gp_err err = {0};
        assert_int_equal(gp_subspace_solve(&s, &err), GP_ESTOP);
        gp_subspace_free(&s);
    }
    free(a);
}

static int solve_once(void *context, gp_err *err) {
    gp_subspace s = plan_of(context, 3);
    gp_subspace_solve(&s, err);
    gp_subspace_free(&s);
    return err->code;
}

static void subspace_reports_any_memory_refused(void **state) {
    (void)state;
    double *a = gram(30, 20, 7);
    matrix x = {.n = 30, .a = a};
    assert_true(gp_test_fail_each(solve_once, &x) > 5);
    free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigen_of_two_by_two_by_hand),
        cmocka_unit_test(eigen_of_equal_values_and_of_nothing),
        cmocka_unit_test(eigen_refuses_what_is_not_finite),
        cmocka_unit_test(eigen_is_as_lapack_has_it),
        cmocka_unit_test(subspace_finds_the_largest_values),
        cmocka_unit_test(subspace_takes_small_and_deficient_matrices),
        cmocka_unit_test(subspace_gives_more_vectors_than_the_matrix_has_directions),
        cmocka_unit_test(subspace_says_when_it_has_not_settled),
        cmocka_unit_test(subspace_stops_with_a_product),
        cmocka_unit_test(subspace_reports_any_memory_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
