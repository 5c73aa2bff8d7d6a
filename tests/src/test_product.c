/* The exact product across samples against three plain loops in 128 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/product.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

typedef struct problem {
    int64_t n, m, columns;
    gp_operand y;
    uint8_t *rows; /* [m x stride] */
    int64_t *sums, *want;
} problem;

/* Values are whole numbers of size up to most; kind 1: always +-most. */
static int64_t draw_value(uint64_t *seed, int64_t most, int kind) {
    int64_t v = kind == 1 ? most : gp_test_below(seed, most + 1);
    return gp_test_bits(seed) & 1 ? v : -v;
}

static void start(problem *p, int64_t n, int64_t m, int64_t columns, int kind, uint64_t *seed) {
    gp_err err = {0};
    int64_t stride = gp_geno_stride(n);
    *p = (problem){.n = n, .m = m, .columns = columns};
    assert_int_equal(gp_operand_init(&p->y, n, columns, &err), GP_OK);
    p->rows = gp_mem_alloc(m * stride, 1, &err);
    p->sums = gp_mem_alloc(m * p->y.width, sizeof *p->sums, &err);
    p->want = gp_mem_alloc(m * p->y.width, sizeof *p->want, &err);
    assert_int_equal(err.code, GP_OK);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < columns; k++)
            p->y.value[i * p->y.width + k] = draw_value(seed, (int64_t)1 << 41, kind);
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < n; i++)
            gp_geno_set(p->rows + j * stride, i, (int)gp_test_below(seed, 4));
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < columns; k++) {
            __int128 sum = 0;
            for (int64_t i = 0; i < n; i++) {
                int call = gp_geno_get(p->rows + j * stride, i);
                if (call != GP_GENO_MISSING)
                    sum += (__int128)call * p->y.value[i * p->y.width + k];
            }
            p->want[j * p->y.width + k] = (int64_t)sum;
            assert_true(p->want[j * p->y.width + k] == sum);
        }
}

static void stop(problem *p) {
    gp_operand_free(&p->y);
    free(p->rows);
    free(p->sums);
    free(p->want);
}

/* Twice: a product leaves nothing behind for the next. */
static void multiply(problem *p, int threads) {
    gp_err err = {0};
    gp_product product = {0};
    omp_set_num_threads(threads);
    assert_int_equal(gp_product_init(&product, &p->y, p->m + 2, &err), GP_OK);
    for (int pass = 0; pass < 2; pass++) {
        memset(p->sums, 0x55, (size_t)(p->m * p->y.width) * sizeof *p->sums);
        gp_product_across_samples(&product, p->rows, p->m, p->sums);
    }
    gp_product_free(&product);
    omp_set_num_threads(1);
}

static void check(problem *p) {
    assert_memory_equal(p->sums, p->want, (size_t)(p->m * p->y.width) * sizeof *p->sums);
}

static void a_product_by_hand(void **state) {
    (void)state;
    uint64_t seed = 1;
    problem p;
    start(&p, 5, 2, 2, 0, &seed);
    const int call[2][5] = {{0, 1, 2, 3, 2}, {2, 3, 0, 1, 1}};
    const int64_t value[5][2] = {{1, -10}, {2, 20}, {3, -30}, {4, 40}, {5, -50}};
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 2; j++)
            gp_geno_set(p.rows + 16 * j, i, call[j][i]);
        memcpy(p.y.value + 4 * i, value[i], sizeof value[i]);
    }
    multiply(&p, 1);
    const int64_t want[8] = {18, -140, 0, 0, 11, -30, 0, 0};
    assert_memory_equal(p.sums, want, sizeof want);
    stop(&p);
}

static void random_shapes_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 12;
    const int64_t samples[] = {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 127, 129, 200, 321, 1000};
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++)
        for (int64_t columns = 1; columns <= 40; columns += columns < 5 ? 1 : 7) {
            problem p;
            start(&p, samples[s], 1 + gp_test_below(&seed, 9), columns, 0, &seed);
            multiply(&p, 1);
            check(&p);
            multiply(&p, 3);
            check(&p);
            stop(&p);
        }
}

static void values_at_the_bound_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 13;
    problem p;
    start(&p, 3000, 20, 17, 1, &seed);
    multiply(&p, 1);
    check(&p);
    multiply(&p, 3);
    check(&p);
    stop(&p);
}

/* 2^20 samples of value 2^41 and two copies give 2^62, the largest sum there is. */
static void the_largest_cohort_at_full_bits_does_not_overflow(void **state) {
    (void)state;
    gp_err err = {0};
    const int64_t n = (int64_t)1 << 20;
    gp_operand y = {0};
    gp_product product = {0};
    assert_int_equal(gp_operand_init(&y, n, 1, &err), GP_OK);
    uint8_t *row = gp_mem_alloc(gp_geno_stride(n), 1, &err);
    assert_non_null(row);
    memset(row, 0xAA, (size_t)gp_geno_stride(n)); /* two copies everywhere */
    for (int64_t i = 0; i < n; i++)
        y.value[i * y.width] = (int64_t)1 << gp_fixed_bits(n);
    omp_set_num_threads(3);
    assert_int_equal(gp_product_init(&product, &y, 1, &err), GP_OK);
    int64_t sums[4];
    gp_product_across_samples(&product, row, 1, sums);
    assert_true(sums[0] == (int64_t)1 << 62);
    omp_set_num_threads(1);
    gp_product_free(&product);
    gp_operand_free(&y);
    free(row);
}

static void sample_shards_add_up_to_the_whole(void **state) {
    (void)state;
    uint64_t seed = 14;
    problem whole;
    start(&whole, 777, 6, 9, 0, &seed);
    int64_t stride = gp_geno_stride(whole.n), cells = whole.m * whole.y.width;
    for (int64_t shards = 1; shards <= 14; shards++) { /* 13 groups: one shard may be empty */
        int64_t *total = calloc((size_t)cells, sizeof *total);
        assert_non_null(total);
        for (int64_t s = 0; s < shards; s++) {
            int64_t from = gp_split_begin(whole.n, 64, shards, s),
                    to = gp_split_begin(whole.n, 64, shards, s + 1);
            problem part;
            start(&part, to - from, whole.m, whole.columns, 0, &seed);
            int64_t width = whole.y.width, bytes = gp_geno_stride(to - from);
            memcpy(part.y.value, whole.y.value + from * width,
                   (size_t)((to - from) * width) * sizeof *part.y.value);
            for (int64_t j = 0; j < whole.m; j++)
                memcpy(part.rows + j * bytes, whole.rows + j * stride + from / 4, (size_t)bytes);
            multiply(&part, 2);
            for (int64_t k = 0; k < cells; k++)
                total[k] += part.sums[k];
            stop(&part);
        }
        assert_memory_equal(total, whole.want, (size_t)cells * sizeof *total);
        free(total);
    }
    stop(&whole);
}

static int make_product(void *context, gp_err *err) {
    (void)context;
    gp_operand y = {0};
    gp_product product = {0};
    int code = gp_operand_init(&y, 100, 7, err);
    if (code == GP_OK)
        code = gp_product_init(&product, &y, 10, err);
    gp_product_free(&product);
    gp_operand_free(&y);
    return code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    assert_int_equal(gp_test_fail_each(make_product, NULL), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_by_hand),
        cmocka_unit_test(random_shapes_agree_with_plain_loops),
        cmocka_unit_test(values_at_the_bound_agree_with_plain_loops),
        cmocka_unit_test(the_largest_cohort_at_full_bits_does_not_overflow),
        cmocka_unit_test(sample_shards_add_up_to_the_whole),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
