/* Rotated genotypes against plain loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/rotation.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/count.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Calls of m variants and n samples, some of them in use, and columns over the samples. */
typedef struct problem {
    int64_t n, m, columns;
    uint8_t *rows, *mask; /* [m x stride], [stride] */
    double *u;            /* [columns x n] */
    int64_t *count;       /* [m x 4] */
    double *mean;         /* [m] */
    gp_piece piece;
    gp_calls calls;
} problem;

static void *room(int64_t count, int64_t size) {
    gp_err err = {0};
    void *p = gp_mem_alloc(count, size, &err);
    assert_non_null(p);
    return p;
}

static void count_calls(problem *p) {
    for (int64_t j = 0; j < p->m; j++) {
        gp_counts c = gp_calls_count(&p->calls, j, 0, gp_units(p->n, 64), p->mask);
        memcpy(p->count + 4 * j, c.call, sizeof c.call);
        int64_t called = c.call[0] + c.call[1] + c.call[2];
        p->mean[j] = c.call[3] == 0
                         ? NAN
                         : (double)(c.call[1] + 2 * c.call[2]) / (double)(called > 0 ? called : 1);
    }
}

/* Every third variant has no missing call, and so a mean that nobody may read. */
static problem start(int64_t n, int64_t m, int64_t columns, double missing, uint64_t *seed) {
    int64_t stride = gp_geno_stride(n);
    problem p = {.n = n, .m = m, .columns = columns};
    p.rows = room(m * stride, 1);
    p.mask = room(stride, 1);
    p.u = room(columns * n, sizeof *p.u);
    p.count = room(4 * m, sizeof *p.count);
    p.mean = room(m, sizeof *p.mean);
    for (int64_t i = 0; i < n; i++)
        if (gp_test_below(seed, 10) > 0)
            gp_mask_set(p.mask, i);
    for (int64_t k = 0; k < columns; k++) {
        double scale = ldexp(1.0, (int)gp_test_below(seed, 60) - 30);
        for (int64_t i = 0; i < n; i++)
            p.u[k * n + i] = scale * gp_test_normal(seed);
    }
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < n; i++)
            gp_geno_set(p.rows + j * stride, i,
                        j % 3 != 2 && gp_test_uniform(seed) < missing
                            ? GP_GENO_MISSING
                            : (int)gp_test_below(seed, 3));
    p.piece = (gp_piece){p.rows, stride, 0, n};
    return p;
}

/* Once p is where it stays. */
static void look(problem *p) {
    p->calls = (gp_calls){p->m, 1, &p->piece};
    count_calls(p);
}

static void stop(problem *p) {
    free(p->rows);
    free(p->mask);
    free(p->u);
    free(p->count);
    free(p->mean);
}

/* The door's formula, with each column's integers made one by one. */
static double want_of(const problem *p, int64_t variant, int64_t column) {
    const double *u = p->u + column * p->n;
    const uint8_t *row = p->rows + variant * gp_geno_stride(p->n);
    double max = 0.0;
    int64_t sum = 0, missing = 0;
    for (int64_t i = 0; i < p->n; i++)
        if (gp_mask_get(p->mask, i))
            max = fmax(max, fabs(u[i]));
    double unit = gp_rotation_unit(max);
    for (int64_t i = 0; i < p->n; i++) {
        if (!gp_mask_get(p->mask, i))
            continue;
        int64_t v = llrint(u[i] / unit);
        int call = gp_geno_get(row, i);
        if (call == GP_GENO_MISSING)
            missing += v;
        else
            sum += call * v;
    }
    double x = (double)sum;
    if (p->count[4 * variant + 3] > 0)
        x += p->mean[variant] * (double)missing;
    return x * unit;
}

/* Rotates by columns [from, to) into their places in x [m x columns], `most` variants at a time. */
static void rotate(const problem *p, int64_t from, int64_t to, int64_t most, double *x) {
    gp_err err = {0};
    gp_rotation r = {0};
    int64_t columns = to - from;
    double *part = room(most * columns, sizeof *part);
    assert_int_equal(gp_rotation_init(&r, p->n, columns, most, p->mask, &err), GP_OK);
    for (int64_t k = 0; k < columns; k++)
        gp_rotation_set(&r, k, p->u + (from + k) * p->n);
    for (int64_t j = 0; j < p->m; j += most) {
        int64_t m = gp_least(p->m - j, most);
        gp_piece piece = p->piece;
        piece.row += j * piece.pitch;
        gp_calls calls = {m, 1, &piece};
        memset(part, 0x55, (size_t)(most * columns) * sizeof *part);
        gp_rotate(&r, &calls, p->count + 4 * j, p->mean + j, part);
        for (int64_t i = 0; i < m; i++)
            memcpy(x + (j + i) * p->columns + from, part + i * columns,
                   (size_t)columns * sizeof *x);
    }
    gp_rotation_free(&r);
    free(part);
}

static void rotation_by_hand(void **state) {
    (void)state;
    const int call[3][4] = {{0, 1, 2, 3}, {3, 3, 1, 0}, {2, 2, 2, 2}};
    double u[2][4] = {{0.5, -0.25, 1.0, 4.0}, {3.0, 0.0, -2.0, 1024.0}};
    double mean[3] = {1.0, 0.5, NAN}, x[6];
    const double want[6] = {-0.25 + 2.0 + 4.0, -4.0 + 1024.0,      1.0 + 0.5 * 0.25,
                            -2.0 + 0.5 * 3.0,  2.0 * (1.25 + 4.0), 2.0 * (1.0 + 1024.0)};
    int64_t count[12] = {1, 1, 1, 1, 1, 1, 0, 2, 0, 0, 4, 0};
    uint8_t rows[3][16] = {{0}}, mask[16] = {0};
    gp_err err = {0};
    gp_rotation r = {0};
    for (int i = 0; i < 4; i++) {
        gp_mask_set(mask, i);
        for (int j = 0; j < 3; j++)
            gp_geno_set(rows[j], i, call[j][i]);
    }
    gp_piece piece = {rows[0], 16, 0, 4};
    gp_calls calls = {3, 1, &piece};
    assert_int_equal(gp_rotation_init(&r, 4, 2, 3, mask, &err), GP_OK);
    gp_rotation_set(&r, 0, u[0]);
    gp_rotation_set(&r, 1, u[1]);
    gp_rotate(&r, &calls, count, mean, x);
    for (int k = 0; k < 6; k++) /* at most 8 copies of the largest value's rounding */
        assert_true(fabs(x[k] - want[k]) <= 8.0 * gp_rotation_unit(k % 2 ? 1024.0 : 4.0) / 2.0);
    gp_rotation_free(&r);
}

static void rotations_of_random_shapes_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 31;
    const int64_t shape[][4] = {{1, 1, 1, 1},       {63, 17, 3, 5},     {65, 33, 64, 33},
                                {1000, 97, 65, 40}, {500, 40, 300, 40}, {4160, 35, 20, 32},
                                {4097, 70, 9, 33},  {9000, 33, 3, 33}};
    const double missing[] = {0.0, 0.001, 0.01, 0.3, 1.0};
    for (size_t k = 0; k < sizeof shape / sizeof shape[0]; k++)
        for (size_t f = 0; f < sizeof missing / sizeof missing[0]; f++) {
            const int64_t *s = shape[k];
            problem p = start(s[0], s[1], s[2], missing[f], &seed);
            look(&p);
            double *x = room(p.m * p.columns, sizeof *x);
            omp_set_num_threads(1 + (int)(f % 3));
            rotate(&p, 0, p.columns, s[3], x);
            omp_set_num_threads(1);
            for (int64_t i = 0; i < p.m * p.columns; i++)
                assert_true(x[i] == want_of(&p, i / p.columns, i % p.columns));
            free(x);
            stop(&p);
        }
}

static void shards_of_columns_and_blocks_of_variants_give_the_same_doubles(void **state) {
    (void)state;
    uint64_t seed = 32;
    problem p = start(700, 150, 211, 0.02, &seed);
    look(&p);
    size_t bytes = (size_t)(p.m * p.columns) * sizeof(double);
    double *whole = room(p.m * p.columns, sizeof *whole), *x = room(p.m * p.columns, sizeof *x);
    rotate(&p, 0, p.columns, p.m, whole);
    for (int64_t shards = 2; shards <= 256; shards *= 3) {
        memset(x, 0x55, bytes);
        omp_set_num_threads(1 + (int)(shards % 4));
        for (int64_t s = 0; s < shards; s++)
            rotate(&p, gp_split_begin(p.columns, 1, shards, s),
                   gp_split_begin(p.columns, 1, shards, s + 1), 1 + 150 / shards, x);
        omp_set_num_threads(1);
        assert_memory_equal(x, whole, bytes);
    }
    free(x);
    free(whole);
    stop(&p);
}

/* The bound of the door: each value of a column is off by half a unit at most. */
static void rotated_genotypes_are_within_the_bound(void **state) {
    (void)state;
    uint64_t seed = 33;
    problem p = start(2000, 40, 10, 0.05, &seed);
    look(&p);
    double *x = room(p.m * p.columns, sizeof *x);
    rotate(&p, 0, p.columns, p.m, x);
    for (int64_t j = 0; j < p.m; j++)
        for (int64_t k = 0; k < p.columns; k++) {
            long double sum = 0.0, copies = 0.0;
            double max = 0.0;
            for (int64_t i = 0; i < p.n; i++)
                if (gp_mask_get(p.mask, i)) {
                    int call = gp_geno_get(p.rows + j * gp_geno_stride(p.n), i);
                    double g = call == GP_GENO_MISSING ? p.mean[j] : call;
                    sum += (long double)g * p.u[k * p.n + i];
                    copies += g;
                    max = fmax(max, fabs(p.u[k * p.n + i]));
                }
            assert_true(fabsl(sum - x[j * p.columns + k]) <=
                        (max * copies / (2.0 * GP_ROTATION_MOST)) * 1.001);
        }
    free(x);
    stop(&p);
}

static void no_samples_and_unset_columns_give_zeros(void **state) {
    (void)state;
    gp_err err = {0};
    uint8_t row[16] = {0xFF}, mask[16] = {0};
    double x[3] = {7.0, 7.0, 7.0}, mean = 1.0;
    int64_t count[4] = {0};
    for (int64_t n = 0; n <= 4; n += 4) {
        gp_rotation r = {0};
        gp_piece piece = {row, 16, 0, n};
        gp_calls calls = {1, 1, &piece};
        count[3] = n;
        assert_int_equal(gp_rotation_init(&r, n, 3, 1, mask, &err), GP_OK);
        gp_rotate(&r, &calls, count, &mean, x);
        assert_true(x[0] == 0.0 && x[1] == 0.0 && x[2] == 0.0);
        gp_rotation_free(&r);
    }
    gp_rotation none = {0};
    gp_rotation_free(&none);
}

static int make_rotation(void *context, gp_err *err) {
    const problem *p = context;
    gp_rotation r = {0};
    int code = gp_rotation_init(&r, p->n, p->columns, p->m, p->mask, err);
    gp_rotation_free(&r);
    return code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    uint64_t seed = 34;
    problem p = start(100, 3, 7, 0.1, &seed);
    assert_int_equal(gp_test_fail_each(make_rotation, &p), 8);
    stop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotation_by_hand),
        cmocka_unit_test(rotations_of_random_shapes_agree_with_plain_loops),
        cmocka_unit_test(shards_of_columns_and_blocks_of_variants_give_the_same_doubles),
        cmocka_unit_test(rotated_genotypes_are_within_the_bound),
        cmocka_unit_test(no_samples_and_unset_columns_give_zeros),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
