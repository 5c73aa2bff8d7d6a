/* Sums and correlations of pairs of variants against plain loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/count.h"
#include "src/geno/ld.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* A block of variants in pieces. */
typedef struct block {
    int64_t n, m;
    uint8_t *bytes;
    gp_piece piece[3];
    gp_calls calls;
} block;

static int call_of(const block *b, int64_t j, int64_t i) {
    int64_t p = b->calls.pieces - 1;
    while (b->piece[p].first > i)
        p--;
    return gp_geno_get(b->piece[p].row + j * b->piece[p].pitch, i - b->piece[p].first);
}

static void put(block *b, int64_t j, int64_t i, int call) {
    int64_t p = b->calls.pieces - 1;
    while (b->piece[p].first > i)
        p--;
    uint8_t *row = b->bytes + (b->piece[p].row - b->bytes) + j * b->piece[p].pitch;
    gp_geno_set(row, i - b->piece[p].first, call);
}

static void start(block *b, int64_t n, int64_t m, int64_t pieces, double missing, uint64_t *seed) {
    int64_t at = 0, groups = (n + 63) / 64;
    *b = (block){.n = n, .m = m};
    pieces = pieces < groups ? pieces : groups;
    b->calls = (gp_calls){m, pieces, b->piece};
    b->bytes = calloc((size_t)(m * (gp_geno_stride(n) + 3 * 48) + 1), 1);
    assert_non_null(b->bytes);
    for (int64_t p = 0; p < pieces; p++) {
        int64_t first = 64 * (groups * p / pieces), end = 64 * (groups * (p + 1) / pieces);
        int64_t samples = (end < n ? end : n) - first, pitch = gp_geno_stride(samples) + 16 * p;
        b->piece[p] = (gp_piece){b->bytes + at, pitch, first, samples};
        at += m * pitch;
    }
    for (int64_t j = 0; j < m; j++) {
        double p = gp_test_uniform(seed);
        for (int64_t i = 0; i < n; i++)
            put(b, j, i,
                gp_test_uniform(seed) < missing
                    ? 3
                    : (gp_test_uniform(seed) < p) + (gp_test_uniform(seed) < p));
    }
}

static gp_ld_sums plain(const block *x, int64_t j, const block *y, int64_t k, const uint8_t *mask) {
    gp_ld_sums s = {0};
    for (int64_t i = 0; i < x->n; i++) {
        int a = call_of(x, j, i), b = call_of(y, k, i);
        if (a == 3 || b == 3 || (mask != NULL && !gp_mask_get(mask, i)))
            continue;
        s.n++;
        s.a += a;
        s.b += b;
        s.aa += a * a;
        s.bb += b * b;
        s.ab += a * b;
    }
    return s;
}

static void check(const block *x, const block *y, const uint8_t *mask, int threads) {
    gp_err err = {0};
    omp_set_num_threads(threads);
    gp_ld *ld = gp_ld_new(x->m + 3, y->m + 20, &err);
    assert_non_null(ld);
    double *r = malloc(sizeof *r * (size_t)(x->m * y->m));
    assert_non_null(r);
    for (int pass = 0; pass < 2; pass++) { /* the first leaves nothing behind */
        assert_int_equal(gp_ld_set(ld, &x->calls, &y->calls, mask, &err), GP_OK);
        gp_ld_correlations(ld, r);
        for (int64_t j = 0; j < x->m; j++)
            for (int64_t k = 0; k < y->m; k++) {
                gp_ld_sums want = plain(x, j, y, k, mask), got = gp_ld_get(ld, j, k);
                assert_memory_equal(&got, &want, sizeof got);
                double one = gp_ld_correlation(&want);
                assert_memory_equal(&one, &r[j * y->m + k], sizeof one);
            }
    }
    free(r);
    gp_ld_free(ld);
    omp_set_num_threads(1);
}

static void random_shapes_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 31;
    const int64_t samples[] = {1, 31, 32, 63, 64, 65, 130, 500, 2049, 4200};
    for (size_t s = 0; s < sizeof samples / sizeof *samples; s++)
        for (int kind = 0; kind < 4; kind++) {
            block x, y;
            int64_t n = samples[s];
            start(&x, n, 1 + gp_test_below(&seed, n > 64 ? 18 : 300), 1 + kind % 3,
                  kind & 1 ? 0.1 : 0, &seed);
            start(&y, n,
                  1 + gp_test_below(&seed, n > 1000 ? 18
                                           : n > 64 ? 70
                                                    : 300),
                  3 - kind % 3, kind & 2 ? 0.3 : 0, &seed);
            check(&x, &y, NULL, 1 + kind % 3);
            free(x.bytes);
            free(y.bytes);
        }
}

static void only_samples_of_the_mask_count(void **state) {
    (void)state;
    uint64_t seed = 32;
    for (int kind = 0; kind < 4; kind++) {
        block x, y;
        start(&x, 300, 33, 2, kind & 1 ? 0.1 : 0, &seed);
        start(&y, 300, 20, 3, 0, &seed);
        uint8_t *mask = calloc((size_t)gp_geno_stride(300), 1);
        assert_non_null(mask);
        for (int64_t i = 0; i < 300; i++)
            if (gp_test_below(&seed, 3) > 0)
                gp_mask_set(mask, i);
            else if (kind & 2)
                put(&y, 3, i, 3); /* missing where it does not matter */
        check(&x, &y, mask, 2);
        memset(mask, 0, (size_t)gp_geno_stride(300));
        check(&x, &y, mask, 1);
        free(mask);
        free(x.bytes);
        free(y.bytes);
    }
}

/* Variants: 0 1 2 0 1; its mirror; a constant; one that is nowhere called with the first. */
static void correlations_by_hand(void **state) {
    (void)state;
    uint64_t seed = 33;
    const int call[4][5] = {{0, 1, 2, 0, 1}, {2, 1, 0, 2, 1}, {1, 1, 1, 1, 1}, {3, 3, 3, 3, 3}};
    block x;
    start(&x, 5, 4, 1, 0, &seed);
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 5; i++)
            put(&x, j, i, call[j][i]);
    gp_err err = {0};
    gp_ld *ld = gp_ld_new(4, 4, &err);
    assert_non_null(ld);
    assert_int_equal(gp_ld_set(ld, &x.calls, &x.calls, NULL, &err), GP_OK);
    double r[16];
    gp_ld_correlations(ld, r);
    assert_true(r[0] == 1.0 && r[1] == -1.0 && r[4] == -1.0 && r[5] == 1.0);
    assert_true(isnan(r[2]) && isnan(r[3]) && isnan(r[10]) && isnan(r[15]));
    gp_ld_sums s = gp_ld_get(ld, 0, 1);
    assert_true(s.n == 5 && s.a == 4 && s.b == 6 && s.aa == 6 && s.bb == 10 && s.ab == 2);
    s = gp_ld_get(ld, 0, 3);
    assert_true(s.n == 0 && s.a == 0 && s.aa == 0 && s.ab == 0);
    gp_ld_free(ld);
    free(x.bytes);
}

static void blocks_that_do_not_fit_are_refused(void **state) {
    (void)state;
    uint64_t seed = 34;
    block x, y;
    start(&x, 70, 5, 1, 0, &seed);
    start(&y, 71, 5, 1, 0, &seed);
    gp_err err = {0};
    gp_ld *ld = gp_ld_new(5, 4, &err);
    assert_non_null(ld);
    assert_int_equal(gp_ld_set(ld, &x.calls, &x.calls, NULL, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "room for 5 by 4"));
    gp_ld_free(ld);
    err = (gp_err){0};
    ld = gp_ld_new(5, 5, &err);
    assert_non_null(ld);
    assert_int_equal(gp_ld_set(ld, &x.calls, &y.calls, NULL, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "70 and of 71 samples"));
    gp_ld_free(ld);
    free(x.bytes);
    free(y.bytes);
}

static int make(void *context, gp_err *err) {
    (void)context;
    gp_ld_free(gp_ld_new(20, 30, err));
    return err->code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    omp_set_num_threads(2);
    assert_int_equal(gp_test_fail_each(make, NULL), 1 + 2 * 6 + 6 + 1 + 2);
    omp_set_num_threads(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_shapes_agree_with_plain_loops),
        cmocka_unit_test(only_samples_of_the_mask_count),
        cmocka_unit_test(correlations_by_hand),
        cmocka_unit_test(blocks_that_do_not_fit_are_refused),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    omp_set_num_threads(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
