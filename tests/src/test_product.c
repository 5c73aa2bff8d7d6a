/* The exact products of packed calls against plain loops in 128 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/count.h"
#include "src/geno/product.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Calls of m variants and n samples, and a dense operand over the one or the other. */
typedef struct problem {
    int64_t n, m, columns;
    int bits;
    uint8_t *rows; /* [m x stride] */
    int64_t *v;    /* [terms x columns] */
    gp_operand y;
} problem;

static void *room(int64_t count, int64_t size) {
    gp_err err = {0};
    void *p = gp_mem_alloc(count, size, &err);
    assert_non_null(p);
    return p;
}

/* Values are whole numbers of size up to 2^bits; with `extreme` of just that size. */
static int64_t draw_value(uint64_t *seed, int bits, int extreme) {
    int64_t most = (int64_t)1 << bits;
    int64_t v = extreme ? most : gp_test_below(seed, most + 1);
    return gp_test_bits(seed) & 1 ? v : -v;
}

static problem start(int64_t n, int64_t m, int64_t columns, int64_t terms, int bits, int extreme,
                     uint64_t *seed) {
    gp_err err = {0};
    int64_t stride = gp_geno_stride(n);
    problem p = {.n = n, .m = m, .columns = columns, .bits = bits};
    p.rows = room(m * stride, 1);
    p.v = room(terms * columns, sizeof *p.v);
    assert_int_equal(gp_operand_init(&p.y, terms, columns, bits, &err), GP_OK);
    for (int64_t k = 0; k < terms * columns; k++) {
        p.v[k] = draw_value(seed, bits, extreme);
        gp_operand_set(&p.y, k / columns, k % columns, p.v[k]);
    }
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < n; i++)
            gp_geno_set(p.rows + j * stride, i, (int)gp_test_below(seed, 4));
    return p;
}

static void stop(problem *p) {
    gp_operand_free(&p->y);
    free(p->rows);
    free(p->v);
}

/* The samples' calls cut into pieces at groups of 64, each with its own pitch; the bytes between
 * rows are no calls. */
typedef struct pieces {
    gp_calls calls;
    gp_piece piece[40];
    uint8_t *bytes[40];
} pieces;

static void cut(pieces *c, const problem *p, int64_t count) {
    int64_t stride = gp_geno_stride(p->n);
    assert_true(count <= 40);
    c->calls = (gp_calls){.m = p->m, .pieces = count, .piece = c->piece};
    for (int64_t k = 0; k < count; k++) {
        int64_t first = gp_split_begin(p->n, 64, count, k),
                samples = gp_split_begin(p->n, 64, count, k + 1) - first;
        int64_t width = gp_geno_stride(samples), pitch = width + 16 * (k % 3);
        uint8_t *bytes = c->bytes[k] = room(p->m * pitch, 1);
        memset(bytes, 0xFF, (size_t)(p->m * pitch));
        for (int64_t j = 0; j < p->m; j++)
            memcpy(bytes + j * pitch, p->rows + j * stride + first / 4, (size_t)width);
        c->piece[k] = (gp_piece){bytes, pitch, first, samples};
    }
}

static void uncut(pieces *c) {
    for (int64_t k = 0; k < c->calls.pieces; k++)
        free(c->bytes[k]);
}

/* The sums [variants x columns], or [samples x columns] on top of `start`; by plain loops. */
static int64_t *want_across_samples(const problem *p) {
    int64_t *want = room(p->m * p->columns, sizeof *want);
    for (int64_t j = 0; j < p->m; j++)
        for (int64_t k = 0; k < p->columns; k++) {
            __int128 sum = 0;
            for (int64_t i = 0; i < p->n; i++) {
                int call = gp_geno_get(p->rows + j * gp_geno_stride(p->n), i);
                sum += (__int128)(call == GP_GENO_MISSING ? 0 : call) * p->v[i * p->columns + k];
            }
            want[j * p->columns + k] = (int64_t)sum;
            assert_true(want[j * p->columns + k] == sum);
        }
    return want;
}

static int64_t *want_across_variants(const problem *p, const int64_t *missing, int64_t before) {
    int64_t *want = room(p->n * p->columns, sizeof *want);
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = 0; k < p->columns; k++) {
            __int128 sum = before;
            for (int64_t j = 0; j < p->m; j++) {
                int call = gp_geno_get(p->rows + j * gp_geno_stride(p->n), i);
                int64_t at = j * p->columns + k;
                if (call != GP_GENO_MISSING)
                    sum += (__int128)call * p->v[at];
                else if (missing != NULL)
                    sum += missing[at];
            }
            want[i * p->columns + k] = (int64_t)sum;
            assert_true(want[i * p->columns + k] == sum);
        }
    return want;
}

/* Twice: a product leaves nothing behind for the next. */
static void check_across_samples(const problem *p, int64_t count, int threads) {
    gp_err err = {0};
    pieces c;
    int64_t cells = p->m * p->columns, *sums = room(cells, sizeof *sums);
    int64_t *want = want_across_samples(p);
    omp_set_num_threads(threads);
    gp_product *product = gp_product_new(&p->y, &err);
    assert_non_null(product);
    cut(&c, p, count);
    for (int pass = 0; pass < 2; pass++) {
        memset(sums, 0x55, (size_t)cells * sizeof *sums);
        gp_product_across_samples(product, &c.calls, sums);
        assert_memory_equal(sums, want, (size_t)cells * sizeof *sums);
    }
    omp_set_num_threads(1);
    uncut(&c);
    gp_product_free(product);
    free(sums);
    free(want);
}

static void check_across_variants(const problem *p, int64_t count, int threads,
                                  const int64_t *missing) {
    gp_err err = {0};
    pieces c;
    int64_t cells = p->n * p->columns, *sums = room(cells, sizeof *sums);
    int64_t *want = want_across_variants(p, missing, -12345);
    omp_set_num_threads(threads);
    gp_product *product = gp_product_new(&p->y, &err);
    assert_non_null(product);
    cut(&c, p, count);
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t k = 0; k < cells; k++)
            sums[k] = -12345;
        gp_product_across_variants(product, &c.calls, missing, sums);
        assert_memory_equal(sums, want, (size_t)cells * sizeof *sums);
    }
    omp_set_num_threads(1);
    uncut(&c);
    gp_product_free(product);
    free(sums);
    free(want);
}

static void products_by_hand(void **state) {
    (void)state;
    uint64_t seed = 1;
    const int call[2][5] = {{0, 1, 2, 3, 2}, {2, 3, 0, 1, 1}};
    const int64_t value[5][2] = {{1, -10}, {2, 20}, {3, -30}, {4, 40}, {5, -50}};
    gp_err err = {0};
    pieces c;
    for (int across = 0; across < 2; across++) {
        problem p = start(5, 2, 2, across ? 2 : 5, 41, 0, &seed);
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 2; j++) {
                gp_geno_set(p.rows + 16 * j, i, call[j][i]);
                if (i < p.y.terms)
                    gp_operand_set(&p.y, i, j, value[i][j]);
            }
        cut(&c, &p, 1);
        gp_product *product = gp_product_new(&p.y, &err);
        assert_non_null(product);
        int64_t sums[10] = {0};
        if (across) {
            const int64_t missing[4] = {100, 200, 300, 400};
            const int64_t want[10] = {4, 40, 301, 390, 2, -20, 102, 220, 4, 0};
            gp_product_across_variants(product, &c.calls, missing, sums);
            assert_memory_equal(sums, want, sizeof want);
        } else {
            const int64_t want[4] = {18, -140, 11, -30};
            gp_product_across_samples(product, &c.calls, sums);
            assert_memory_equal(sums, want, sizeof want);
        }
        gp_product_free(product);
        uncut(&c);
        stop(&p);
    }
}

static void products_of_random_shapes_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 12;
    const int64_t lines[] = {1, 2, 3, 5, 15, 16, 17, 31, 33, 63, 64, 65, 129, 321, 700};
    const int bits[] = {1, 6, 7, 14, 41, 48};
    for (size_t s = 0; s < 15; s++)
        for (int64_t columns = 1; columns <= 11; columns += 1 + gp_test_below(&seed, 5)) {
            int64_t n = lines[s], m = lines[gp_test_below(&seed, 11)];
            int b = bits[gp_test_below(&seed, 6)];
            int64_t groups = (n + 63) / 64, count = 1 + gp_test_below(&seed, groups);
            problem p = start(n, m, columns, n, b, 0, &seed);
            check_across_samples(&p, count, 1);
            check_across_samples(&p, count, 1 + (int)gp_test_below(&seed, 4));
            stop(&p);
            p = start(m, n, columns, n, b, 0, &seed);
            int64_t *missing = room(n * columns, sizeof *missing);
            for (int64_t k = 0; k < n * columns; k++)
                missing[k] = draw_value(&seed, 41, 0);
            count = 1 + gp_test_below(&seed, (m + 63) / 64);
            check_across_variants(&p, count, 1, NULL);
            check_across_variants(&p, count, 1 + (int)gp_test_below(&seed, 4), missing);
            free(missing);
            stop(&p);
        }
}

/* More than one slice of the operand in each direction (see src/geno/product_parts.h), with
 * columns whose digits lie in two of them; and one line by many. */
static void products_of_large_shapes_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 13;
    const int64_t shape[][4] = {
        {5000, 3, 90, 20}, {70000, 1, 3, 33}, {9000, 70, 1, 7}, {2500, 40, 12, 40}};
    for (size_t k = 0; k < sizeof shape / sizeof shape[0]; k++)
        for (int threads = 1; threads <= 4; threads += 3) {
            const int64_t *s = shape[k];
            problem p = start(s[0], s[1], s[2], s[0], 41, 0, &seed);
            check_across_samples(&p, s[3], threads);
            stop(&p);
            p = start(s[1], s[0], s[2], s[0], 41, 0, &seed);
            check_across_variants(&p, 1, threads, p.v);
            stop(&p);
        }
}

static void columns_set_at_once_are_those_set_one_by_one(void **state) {
    (void)state;
    uint64_t seed = 22;
    for (int64_t n = 1; n < 200; n = n * 3 + 1)
        for (int bits = 6; bits <= 62; bits += 7) {
            gp_err err = {0};
            gp_operand y = {0};
            problem p = start(n, 1, 7, n, bits, bits % 2, &seed);
            int64_t *v = room(n, sizeof *v);
            assert_int_equal(gp_operand_init(&y, n, 7, bits, &err), GP_OK);
            for (int64_t k = 0; k < 7; k++) {
                for (int64_t i = 0; i < n; i++)
                    v[i] = p.v[i * 7 + k];
                gp_operand_set_column(&y, k, v);
            }
            assert_int_equal(y.tile_terms, p.y.tile_terms);
            assert_memory_equal(y.tile, p.y.tile, (size_t)(y.tile_columns * y.tile_terms * 1024));
            gp_operand_free(&y);
            free(v);
            stop(&p);
        }
}

/* So many columns that the operand is cut into panels (src/geno/product_wide.c), in one or more
 * slices along the samples; integers of each number of digits. */
static void wide_operands_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 18;
    const int64_t shape[][5] = {
        {300, 70, 110, 38, 3},  {4000, 33, 130, 38, 1}, {4200, 35, 150, 38, 7},
        {9000, 17, 103, 41, 5}, {70, 500, 81, 48, 2},   {1100, 40, 300, 14, 4},
        {2000, 20, 600, 6, 2},  {130, 31, 180, 22, 1},  {130, 32, 140, 30, 1},
        {130, 1, 70, 55, 3},    {1, 1, 1000, 38, 1},    {64, 16, 112, 38, 1}};
    for (size_t k = 0; k < sizeof shape / sizeof shape[0]; k++)
        for (int threads = 1; threads <= 4; threads += 3) {
            const int64_t *s = shape[k];
            problem p = start(s[0], s[1], s[2], s[0], (int)s[3], threads > 1, &seed);
            check_across_samples(&p, s[4], threads);
            stop(&p);
        }
}

static void counts_come_with_products_of_any_width(void **state) {
    (void)state;
    uint64_t seed = 19;
    for (int64_t columns = 1; columns < 400; columns *= 8) {
        gp_err err = {0};
        pieces c;
        problem p = start(777, 45, columns, 777, 38, 0, &seed);
        uint8_t *mask = room(gp_geno_stride(p.n), 1);
        int64_t want[45][4] = {{0}}, count[45][4];
        int64_t *sums = room(p.m * columns, sizeof *sums), *products = want_across_samples(&p);
        for (int64_t i = 0; i < p.n; i += 1 + gp_test_below(&seed, 3)) {
            gp_mask_set(mask, i);
            for (int64_t j = 0; j < p.m; j++)
                want[j][gp_geno_get(p.rows + j * gp_geno_stride(p.n), i)]++;
        }
        cut(&c, &p, 4);
        omp_set_num_threads(3);
        gp_product *product = gp_product_new(&p.y, &err);
        gp_product_and_counts(product, &c.calls, mask, sums, count[0]);
        omp_set_num_threads(1);
        assert_memory_equal(count, want, sizeof want);
        assert_memory_equal(sums, products, (size_t)(p.m * columns) * sizeof *sums);
        gp_product_free(product);
        uncut(&c);
        free(products);
        free(sums);
        free(mask);
        stop(&p);
    }
}

/* Leaves but this share of the missing calls; every third variant has none. */
static void thin_missing(problem *p, double share, uint64_t *seed) {
    for (int64_t j = 0; j < p->m; j++)
        for (int64_t i = 0; i < p->n; i++) {
            uint8_t *row = p->rows + j * gp_geno_stride(p->n);
            if (gp_geno_get(row, i) == GP_GENO_MISSING &&
                (j % 3 == 2 || gp_test_uniform(seed) >= share))
                gp_geno_set(row, i, 1);
        }
}

static int64_t plain_missing(const problem *p, int64_t variant, int64_t column) {
    int64_t sum = 0;
    for (int64_t i = 0; i < p->n; i++)
        if (gp_geno_get(p->rows + variant * gp_geno_stride(p->n), i) == GP_GENO_MISSING)
            sum += p->v[i * p->columns + column];
    return sum;
}

static void check_missing(const problem *p, int64_t cuts, int threads, uint64_t *seed) {
    gp_err err = {0};
    pieces c;
    int64_t count = gp_test_below(seed, 2 * p->m + 1), *variant = room(count, sizeof *variant);
    int64_t *sums = room(count * p->columns, sizeof *sums);
    for (int64_t k = 0; k < count; k++)
        variant[k] = gp_test_below(seed, p->m);
    memset(sums, 0x55, (size_t)(count * p->columns) * sizeof *sums);
    omp_set_num_threads(threads);
    gp_product *product = gp_product_new(&p->y, &err);
    assert_non_null(product);
    cut(&c, p, cuts);
    gp_product_of_missing(product, &c.calls, variant, count, sums);
    omp_set_num_threads(1);
    for (int64_t k = 0; k < count; k++)
        for (int64_t column = 0; column < p->columns; column++)
            assert_true(sums[k * p->columns + column] == plain_missing(p, variant[k], column));
    uncut(&c);
    gp_product_free(product);
    free(sums);
    free(variant);
}

static void sums_of_missing_calls_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 20;
    const int64_t shape[][5] = {{5, 3, 2, 38, 1},       {64, 16, 16, 38, 1},  {1000, 50, 7, 41, 6},
                                {4000, 40, 70, 38, 2},  {4500, 33, 9, 30, 9}, {333, 65, 120, 55, 3},
                                {2000, 15, 200, 14, 4}, {1, 1, 1, 6, 1}};
    const double share[] = {1.0, 0.2, 0.04, 0.002, 0.0};
    for (size_t k = 0; k < sizeof shape / sizeof shape[0]; k++)
        for (size_t f = 0; f < sizeof share / sizeof share[0]; f++) {
            const int64_t *s = shape[k];
            problem p = start(s[0], s[1], s[2], s[0], (int)s[3], 0, &seed);
            thin_missing(&p, share[f], &seed);
            check_missing(&p, s[4], 1 + (int)(f % 3), &seed);
            stop(&p);
        }
}

/* What a taker gathers: the parts at their places, and how often each cell came. */
typedef struct gathered {
    int64_t columns, *sums, *missing;
    int *times;
} gathered;

static void gather(void *context, const gp_product_part *part) {
    gathered *g = context;
    for (int64_t j = 0; j < part->variants; j++)
        for (int64_t k = 0; k < part->columns; k++) {
            int64_t at = (part->variant + j) * g->columns + part->column + k;
            g->sums[at] = part->sums[j * part->pitch + k];
            g->missing[at] = part->missing != NULL ? part->missing[j * part->pitch + k] : 0;
            g->times[at]++;
        }
}

static void check_parts(const problem *p, int64_t cuts, int threads) {
    gp_err err = {0};
    pieces c;
    int64_t cells = p->m * p->columns, *want = want_across_samples(p);
    int64_t *count = room(4 * p->m, sizeof *count);
    gathered g = {p->columns, room(cells, 8), room(cells, 8), room(cells, sizeof(int))};
    for (int64_t j = 0; j < p->m; j++)
        for (int64_t i = 0; i < p->n; i++)
            count[4 * j + gp_geno_get(p->rows + j * gp_geno_stride(p->n), i)]++;
    omp_set_num_threads(threads);
    gp_product *product = gp_product_new(&p->y, &err);
    int64_t scratch = gp_product_part_scratch(p->n, p->columns, p->bits, p->m);
    gp_product_taker taker = {gather, &g, p->m, room(scratch, 8)};
    cut(&c, p, cuts);
    gp_product_in_parts(product, &c.calls, count, &taker);
    omp_set_num_threads(1);
    for (int64_t k = 0; k < cells; k++) {
        assert_int_equal(g.times[k], 1);
        assert_true(g.sums[k] == want[k]);
        assert_true(g.missing[k] == plain_missing(p, k / p->columns, k % p->columns));
    }
    uncut(&c);
    gp_product_free(product);
    free(taker.scratch);
    free(g.sums);
    free(g.missing);
    free(g.times);
    free(count);
    free(want);
}

static void parts_come_once_and_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 21;
    const int64_t shape[][4] = {
        {70, 5, 3, 1}, {900, 300, 70, 5}, {4200, 45, 70, 3}, {4100, 1100, 3, 1}};
    for (size_t k = 0; k < sizeof shape / sizeof shape[0]; k++)
        for (int threads = 1; threads <= 3; threads += 2) {
            const int64_t *s = shape[k];
            problem p = start(s[0], s[1], s[2], s[0], 38, 0, &seed);
            thin_missing(&p, threads > 1 ? 0.5 : 0.01, &seed);
            check_parts(&p, s[3], threads);
            stop(&p);
        }
}

static void values_at_the_bound_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 14;
    for (int bits = 38; bits <= 48; bits++) {
        problem p = start(1000, 20, 5, 1000, bits, 1, &seed);
        check_across_samples(&p, 2, 3);
        stop(&p);
        p = start(90, 1000, 5, 1000, bits, 1, &seed);
        check_across_variants(&p, 1, 3, NULL);
        stop(&p);
    }
}

/* 2^20 terms of value 2^41 and two copies give 2^62, the largest sum there is; digits of -128
 * give the int32 sums of a kernel their largest size. */
static void the_largest_sums_do_not_overflow(void **state) {
    (void)state;
    gp_err err = {0};
    const int64_t n = (int64_t)1 << 20, digits = (int64_t)-128 * 0x101010101;
    gp_operand y = {0};
    assert_int_equal(gp_operand_init(&y, n, 2, gp_fixed_bits(n), &err), GP_OK);
    uint8_t *row = room(gp_geno_stride(n), 1);
    memset(row, 0xAA, (size_t)gp_geno_stride(n)); /* two copies everywhere */
    for (int64_t i = 0; i < n; i++) {
        gp_operand_set(&y, i, 0, (int64_t)1 << 41);
        gp_operand_set(&y, i, 1, digits);
    }
    gp_piece piece = {row, gp_geno_stride(n), 0, n};
    gp_calls calls = {1, 1, &piece};
    for (int threads = 1; threads <= 3; threads += 2) {
        int64_t sums[2];
        omp_set_num_threads(threads);
        gp_product *product = gp_product_new(&y, &err);
        assert_non_null(product);
        gp_product_across_samples(product, &calls, sums);
        assert_true(sums[0] == (int64_t)1 << 62);
        assert_true(sums[1] == 2 * n * digits);
        omp_set_num_threads(1);
        gp_product_free(product);
    }
    gp_operand_free(&y);
    free(row);
}

static void fewer_variants_than_terms_leave_the_other_terms_out(void **state) {
    (void)state;
    uint64_t seed = 15;
    for (int64_t m = 1; m <= 1400; m = 3 * m + 1) {
        problem p = start(100, m, 3, 2500, 41, 0, &seed);
        check_across_variants(&p, 2, 2, NULL);
        stop(&p);
    }
}

static void sample_shards_add_up_to_the_whole(void **state) {
    (void)state;
    uint64_t seed = 16;
    problem whole = start(777, 6, 9, 777, 41, 0, &seed);
    int64_t stride = gp_geno_stride(whole.n), cells = whole.m * whole.columns;
    int64_t *want = want_across_samples(&whole);
    for (int64_t shards = 1; shards <= 14; shards++) { /* 13 groups: one shard may be empty */
        int64_t *total = room(cells, sizeof *total), *sums = room(cells, sizeof *sums);
        for (int64_t s = 0; s < shards; s++) {
            gp_err err = {0};
            gp_operand y = {0};
            int64_t from = gp_split_begin(whole.n, 64, shards, s),
                    to = gp_split_begin(whole.n, 64, shards, s + 1);
            assert_int_equal(gp_operand_init(&y, to - from, whole.columns, 41, &err), GP_OK);
            for (int64_t k = from * whole.columns; k < to * whole.columns; k++)
                gp_operand_set(&y, k / whole.columns - from, k % whole.columns, whole.v[k]);
            gp_piece piece = {whole.rows + from / 4, stride, 0, to - from};
            gp_calls calls = {whole.m, 1, &piece};
            gp_product *product = gp_product_new(&y, &err);
            gp_product_across_samples(product, &calls, sums);
            for (int64_t k = 0; k < cells; k++)
                total[k] += sums[k];
            gp_product_free(product);
            gp_operand_free(&y);
        }
        assert_memory_equal(total, want, (size_t)cells * sizeof *total);
        free(total);
        free(sums);
    }
    free(want);
    stop(&whole);
}

/* The identity sum_j v_j (sum_i g_ji u_i) = sum_i u_i (sum_j g_ji v_j). */
static void both_products_give_the_same_bilinear_form(void **state) {
    (void)state;
    uint64_t seed = 17;
    gp_err err = {0};
    problem a = start(1300, 210, 1, 1300, 20, 0, &seed), b = start(1300, 210, 1, 210, 20, 0, &seed);
    int64_t over_variants = 0, over_samples = 0;
    int64_t *gu = room(a.m, sizeof *gu), *gv = room(a.n, sizeof *gv);
    gp_piece piece = {a.rows, gp_geno_stride(a.n), 0, a.n};
    gp_calls calls = {a.m, 1, &piece};
    gp_product *u = gp_product_new(&a.y, &err), *v = gp_product_new(&b.y, &err);
    gp_product_across_samples(u, &calls, gu);
    gp_product_across_variants(v, &calls, NULL, gv);
    for (int64_t j = 0; j < a.m; j++)
        over_variants += b.v[j] * gu[j];
    for (int64_t i = 0; i < a.n; i++)
        over_samples += a.v[i] * gv[i];
    assert_true(over_variants == over_samples);
    gp_product_free(u);
    gp_product_free(v);
    free(gu);
    free(gv);
    stop(&a);
    stop(&b);
}

static void nothing_to_multiply_gives_zeros(void **state) {
    (void)state;
    gp_err err = {0};
    gp_operand y = {0};
    int64_t sums[2] = {7, 7};
    uint8_t row[16] = {0};
    gp_piece piece = {row, 16, 0, 0};
    gp_calls calls = {1, 1, &piece};
    assert_int_equal(gp_operand_init(&y, 0, 2, 41, &err), GP_OK);
    gp_product *product = gp_product_new(&y, &err);
    gp_product_across_samples(product, &calls, sums);
    assert_true(sums[0] == 0 && sums[1] == 0);
    gp_product_across_variants(product, &calls, NULL, sums);
    calls.pieces = 0;
    gp_product_across_samples(product, &calls, sums);
    gp_product_across_variants(product, &calls, NULL, sums);
    int64_t none[2] = {7, 7}, variant = 0;
    gp_product_of_missing(product, &calls, &variant, 1, none);
    assert_true(none[0] == 0 && none[1] == 0);
    gp_product_free(product);
    gp_product_free(NULL);
    gp_operand_free(&y);
}

static int make_product(void *context, gp_err *err) {
    (void)context;
    gp_operand y = {0};
    if (gp_operand_init(&y, 100, 7, 41, err) == GP_OK)
        gp_product_free(gp_product_new(&y, err));
    gp_operand_free(&y);
    return err->code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    assert_int_equal(gp_test_fail_each(make_product, NULL), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_by_hand),
        cmocka_unit_test(products_of_random_shapes_agree_with_plain_loops),
        cmocka_unit_test(products_of_large_shapes_agree_with_plain_loops),
        cmocka_unit_test(columns_set_at_once_are_those_set_one_by_one),
        cmocka_unit_test(wide_operands_agree_with_plain_loops),
        cmocka_unit_test(counts_come_with_products_of_any_width),
        cmocka_unit_test(sums_of_missing_calls_agree_with_plain_loops),
        cmocka_unit_test(parts_come_once_and_agree_with_plain_loops),
        cmocka_unit_test(values_at_the_bound_agree_with_plain_loops),
        cmocka_unit_test(the_largest_sums_do_not_overflow),
        cmocka_unit_test(fewer_variants_than_terms_leave_the_other_terms_out),
        cmocka_unit_test(sample_shards_add_up_to_the_whole),
        cmocka_unit_test(both_products_give_the_same_bilinear_form),
        cmocka_unit_test(nothing_to_multiply_gives_zeros),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
