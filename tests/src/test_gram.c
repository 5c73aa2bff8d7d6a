/* Blocks of relationship matrices: exact integers, and their distance from plain long doubles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/code.h"
#include "src/geno/gram_panel.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { CENTRED, STANDARD };

typedef struct cohort {
    int64_t n, m, stride;
    uint8_t *rows;
    double *mean, *weight;
    int64_t *sums; /* [n x n] of the whole */
    gp_gram_plan plan;
} cohort;

static void *room(int64_t count, size_t size) {
    void *p = calloc((size_t)(count > 0 ? count : 1), size);
    assert_non_null(p);
    return p;
}

static void set_mean(cohort *c, int64_t j, int form) {
    int64_t called = 0, copies = 0;
    for (int64_t i = 0; i < c->n; i++) {
        int call = gp_geno_get(c->rows + j * c->stride, i);
        called += call != 3;
        copies += call != 3 ? call : 0;
    }
    c->mean[j] = called ? (double)copies / (double)called : NAN;
    c->weight[j] = form == STANDARD ? gp_gram_weight(c->mean[j]) : called > 0;
}

/* Variants of random frequency, flipped or not; some constant, some called in nobody. */
static void start(cohort *c, int64_t n, int64_t m, double missing, int form, uint64_t *seed) {
    gp_err err = {0};
    *c = (cohort){.n = n, .m = m, .stride = gp_geno_stride(n)};
    c->rows = room(m * c->stride, 1);
    c->mean = room(m, sizeof *c->mean);
    c->weight = room(m, sizeof *c->weight);
    c->sums = room(n * n, sizeof *c->sums);
    for (int64_t j = 0; j < m; j++) {
        double p = gp_test_uniform(seed), lost = gp_test_below(seed, 3) ? missing : 0;
        p *= gp_test_below(seed, 2) ? p * p : 1;
        p = gp_test_below(seed, 2) ? p : 1 - p;
        int kind = (int)gp_test_below(seed, 30);
        for (int64_t i = 0; i < n; i++) {
            int call = (gp_test_uniform(seed) < p) + (gp_test_uniform(seed) < p);
            call = kind == 0 ? 3 : kind == 1 ? 2 : gp_test_uniform(seed) < lost ? 3 : call;
            gp_geno_set(c->rows + j * c->stride, i, call);
        }
        set_mean(c, j, form);
    }
    double most = form == STANDARD ? gp_gram_weight(1.0 / (double)n) : 1.0;
    assert_int_equal(gp_gram_plan_init(&c->plan, m, most > 1 ? most : 2, &err), GP_OK);
}

static void stop(cohort *c) {
    free(c->rows);
    free(c->mean);
    free(c->weight);
    free(c->sums);
}

/* Adds variants [first, end) to samples [b, b_end) x [a, a_end) of an [n x n] matrix; the calls
 * come in two pieces where there is room for two. */
static void add(const cohort *c, gp_gram *gram, int64_t first, int64_t end, int64_t b,
                int64_t b_end, int64_t a, int64_t a_end, int64_t *sums) {
    gp_err err = {0};
    const uint8_t *row = c->rows + first * c->stride;
    int64_t cut = c->n > 64 ? (c->n / 2 + 63) / 64 * 64 : c->n;
    const gp_piece piece[2] = {{row, c->stride, 0, cut},
                               {row + cut / 4, c->stride, cut, c->n - cut}};
    gp_calls calls = {end - first, cut < c->n ? 2 : 1, piece};
    gp_gram_block block = {.calls = &calls,
                           .mean = c->mean + first,
                           .weight = c->weight + first,
                           .a_first = a,
                           .a_count = a_end - a,
                           .b_first = b,
                           .b_count = b_end - b,
                           .sums = sums + b * c->n + a,
                           .pitch = c->n};
    assert_int_equal(gp_gram_add(gram, &block, &err), GP_OK);
}

static gp_gram *scratch(const cohort *c, int threads) {
    gp_err err = {0};
    omp_set_num_threads(threads);
    gp_gram *gram = gp_gram_new(&c->plan, c->n, &err);
    omp_set_num_threads(1);
    assert_non_null(gram);
    return gram;
}

static void whole(cohort *c, int threads) {
    gp_gram *gram = scratch(c, threads);
    add(c, gram, 0, c->m, 0, c->n, 0, c->n, c->sums);
    gp_gram_free(gram);
}

static double centred(const cohort *c, int64_t j, int64_t i) {
    int call = gp_geno_get(c->rows + j * c->stride, i);
    return call == 3 || c->weight[j] == 0 ? 0.0 : call - c->mean[j];
}

static long double plain(const cohort *c, int64_t b, int64_t a) {
    long double sum = 0;
    for (int64_t j = 0; j < c->m; j++)
        if (c->weight[j] > 0)
            sum += (long double)c->weight[j] * centred(c, j, a) * centred(c, j, b);
    return sum;
}

/* The largest distance of K / m from long doubles, among samples with those at least `apart`
 * before them; nothing lies above the diagonal. */
static double distance(const cohort *c, int64_t apart) {
    double worst = 0;
    for (int64_t b = 0; b < c->n; b++) {
        for (int64_t a = 0; a <= b - apart; a++) {
            double off = (double)fabsl(plain(c, b, a) -
                                       (long double)gp_gram_value(&c->plan, c->sums[b * c->n + a]));
            worst = off > worst ? off : worst;
        }
        for (int64_t a = b + 1; a < c->n; a++)
            assert_true(c->sums[b * c->n + a] == 0);
    }
    return worst / (double)c->m;
}

/* Means and weights are few binary digits here, so that nothing is rounded. */
static void short_numbers_give_the_matrix_itself(void **state) {
    (void)state;
    uint64_t seed = 41;
    const int64_t shape[][2] = {{1, 1},   {2, 70},    {17, 1},  {63, 64},
                                {65, 65}, {130, 200}, {300, 31}};
    for (size_t s = 0; s < 2 * (sizeof shape / sizeof *shape); s++) {
        cohort c;
        start(&c, shape[s / 2][0], shape[s / 2][1], 0.2, CENTRED, &seed);
        c.plan.digits = s % 2 ? 3 : 4;
        for (int64_t j = 0; j < c.m; j++) {
            c.mean[j] = (double)gp_test_below(&seed, 17) / 8.0;
            c.weight[j] = gp_test_below(&seed, 9) ? 1.0 : s % 2 ? 2.0 : 0.5;
        }
        whole(&c, 1);
        assert_true(distance(&c, 0) == 0.0);
        stop(&c);
    }
}

/* The bounds of gram.h: 8e-9 of a relationship of about 1 (up to 15 here, for samples with rare
 * alleles), and 2^-21 of the share of missing calls. */
static void few_variants_are_within_the_bound(void **state) {
    (void)state;
    uint64_t seed = 42;
    const int64_t shape[][2] = {{5, 3}, {70, 40}, {130, 200}, {200, 500}};
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int kind = 0; kind < 4; kind++) {
            cohort c;
            start(&c, shape[s][0], shape[s][1], kind & 1 ? 0.2 : 0, kind >> 1, &seed);
            whole(&c, 1 + kind % 3);
            assert_true(distance(&c, 0) < 15 * 8e-9 + (kind & 1 ? 0.2 * 0x1p-21 : 0));
            stop(&c);
        }
}

/* gram.h: 1.1e-6 / sqrt(m) is typical, and 5e-5 sqrt(f / m) of a share f missing; 10^4 pairs lie
 * within six of it, samples with themselves (with alleles as rare as here) within twelve. */
static void many_variants_are_as_near_as_told(void **state) {
    (void)state;
    uint64_t seed = 43;
    for (int kind = 0; kind < 2; kind++) {
        cohort c;
        start(&c, 100, 5000, kind ? 0.02 : 0, STANDARD, &seed);
        assert_int_equal(c.plan.digits, 3);
        whole(&c, 1);
        double typical = 1.1e-6 / sqrt(5000) + (kind ? 5e-5 * sqrt(0.02 / 5000) : 0);
        double pairs = distance(&c, 1);
        assert_true(pairs < 6 * typical && pairs > 0);
        assert_true(distance(&c, 0) < 12 * typical);
        stop(&c);
    }
}

/* gram.h: 1e-5 of any weight. A carrier of one copy among none is related to himself by it. */
static void no_weight_of_three_digits_is_off_by_more_than_told(void **state) {
    (void)state;
    uint64_t seed = 51;
    cohort c;
    gp_err err = {0};
    start(&c, 1, 1, 0, CENTRED, &seed);
    assert_int_equal(gp_gram_plan_init(&c.plan, GP_GRAM_FEW, 1e4, &err), GP_OK);
    gp_gram *gram = scratch(&c, 1);
    gp_geno_set(c.rows, 0, 1);
    c.mean[0] = 0;
    double worst = 0;
    for (int k = 0; k < 5000; k++) {
        c.weight[0] = exp(log(5e3) * gp_test_uniform(&seed));
        c.sums[0] = 0;
        add(&c, gram, 0, 1, 0, 1, 0, 1, c.sums);
        worst = fmax(worst, fabs(gp_gram_value(&c.plan, c.sums[0]) / c.weight[0] - 1));
    }
    assert_true(worst < 1e-5 && worst > 1e-6);
    gp_gram_free(gram);
    stop(&c);
}

/* The kernels that take any byte on the left multiply other bytes than the others. */
static void every_kernel_gives_the_same_integers(void **state) {
    (void)state;
    uint64_t seed = 52;
    for (int kind = 0; kind < 4; kind++) {
        cohort c;
        start(&c, 150, 300, kind % 2 ? 0.1 : 0, STANDARD, &seed);
        c.plan.digits = 3 + kind / 2;
        whole(&c, 1);
        int64_t *sums = room(c.n * c.n, sizeof *sums);
        for (int k = 0; gp_kernel_at(k) != NULL; k++) {
            const gp_kernel *kernel = gp_kernel_at(k);
            if (!kernel->runs_here())
                continue;
            gp_gram *gram = scratch(&c, 1);
            gp_gram_use(gram, kernel);
            assert_int_equal(gp_gram_planes(gram),
                             c.plan.digits == 3 && kernel->any_left ? 2 : c.plan.digits);
            memset(sums, 0, (size_t)(c.n * c.n) * sizeof *sums);
            add(&c, gram, 0, c.m, 0, c.n, 0, c.n, sums);
            assert_memory_equal(sums, c.sums, (size_t)(c.n * c.n) * sizeof *sums);
            gp_gram_free(gram);
        }
        free(sums);
        stop(&c);
    }
}

static void any_cut_of_samples_and_variants_gives_the_same_integers(void **state) {
    (void)state;
    uint64_t seed = 44;
    for (int threads = 1; threads <= 3; threads++) {
        cohort c;
        start(&c, 333, 150, 0.1, threads == 2 ? CENTRED : STANDARD, &seed);
        whole(&c, 1);
        gp_gram *gram = scratch(&c, threads);
        int64_t *sums = room(c.n * c.n, sizeof *sums);
        const int64_t cut[] = {0, 64, 256, 333}, order[][2] = {{77, 150}, {0, 1}, {1, 77}};
        for (int part = 0; part < 3; part++)
            for (int b = 0; b < 3; b++)
                for (int a = b; a >= 0; a--)
                    add(&c, gram, order[part][0], order[part][1], cut[b], cut[b + 1], cut[a],
                        cut[a + 1], sums);
        assert_memory_equal(sums, c.sums, (size_t)(c.n * c.n) * sizeof *sums);
        gp_gram_free(gram);
        free(sums);
        stop(&c);
    }
}

/* The last rows of a matrix, from a multiple of 64 on, and by them the first columns, once more. */
static void check_corner(int64_t n, int64_t m, int64_t rows, int64_t columns, uint64_t *seed) {
    cohort c;
    start(&c, n, m, 0.001, STANDARD, seed);
    whole(&c, 2);
    gp_gram *gram = scratch(&c, 1);
    int64_t *sums = room(n * n, sizeof *sums), cut[3] = {0, m - 75, m};
    for (int part = 0; part < 2; part++) {
        add(&c, gram, cut[part], cut[part + 1], rows, n, 0, columns, sums);
        add(&c, gram, cut[part], cut[part + 1], rows, n, rows, n, sums);
    }
    for (int64_t b = rows; b < n; b++)
        for (int64_t a = 0; a <= b; a++)
            if (a < columns || a >= rows)
                assert_true(sums[b * n + a] == c.sums[b * n + a]);
    gp_gram_free(gram);
    free(sums);
    stop(&c);
}

static void more_samples_than_a_panel_holds(void **state) {
    (void)state;
    uint64_t seed = 45;
    check_corner(2100, 80, 1920, 192, &seed);
}

static void more_variants_than_a_step_takes(void **state) {
    (void)state;
    uint64_t seed = 50;
    check_corner(130, GP_GRAM_STEP + 70, 64, 64, &seed);
}

/* One copy among 5,000 samples: a weight of 5,000 and a relationship of its carrier of as much. */
static void the_rarest_variants_are_held(void **state) {
    (void)state;
    uint64_t seed = 46;
    cohort c;
    start(&c, 5000, 8, 0, STANDARD, &seed);
    for (int64_t j = 0; j < c.m; j++) {
        memset(c.rows + j * c.stride, 0, (size_t)c.stride);
        gp_geno_set(c.rows + j * c.stride, 37 * j, 1);
        set_mean(&c, j, STANDARD);
    }
    gp_gram *gram = scratch(&c, 1);
    add(&c, gram, 0, c.m, 0, 320, 0, 320, c.sums);
    for (int64_t b = 0; b < 320; b++)
        for (int64_t a = 0; a <= b; a++) {
            long double want = plain(&c, b, a);
            double got = gp_gram_value(&c.plan, c.sums[b * c.n + a]);
            /* Cauchy and Schwarz with 8e-9, and the roundings of each variant's mean part */
            double bound = 8e-9 * (double)sqrtl(plain(&c, a, a) * plain(&c, b, b)) +
                           2.5 * (double)c.m * ldexp(1.0, -c.plan.exponent);
            assert_true(fabsl(want - (long double)got) <= bound);
        }
    gp_gram_free(gram);
    stop(&c);
}

static void constant_variants_weigh_nothing(void **state) {
    (void)state;
    uint64_t seed = 47;
    cohort c;
    start(&c, 100, 3, 0, STANDARD, &seed);
    const int calls[3] = {0, 2, 3};
    for (int64_t j = 0; j < 3; j++) {
        for (int64_t i = 0; i < c.n; i++)
            gp_geno_set(c.rows + j * c.stride, i, calls[j]);
        set_mean(&c, j, STANDARD);
        assert_true(c.weight[j] == 0.0);
    }
    whole(&c, 1);
    for (int64_t k = 0; k < c.n * c.n; k++)
        assert_true(c.sums[k] == 0);
    assert_true(gp_gram_weight(1.0) == 2.0);
    assert_true(gp_gram_weight(0.5) == gp_gram_weight(1.5));
    stop(&c);
}

static int refused(const cohort *c, double weight, double mean, int64_t b, int64_t a,
                   int64_t count) {
    gp_err err = {0};
    int64_t *sums = room(c->n * c->n, sizeof *sums);
    gp_piece piece = {c->rows, c->stride, 0, c->n};
    gp_calls calls = {2, 1, &piece};
    double weights[2] = {c->plan.most_weight, weight}, means[2] = {1.0, mean};
    gp_gram_block block = {&calls, means, weights, a, count, b, count, sums, c->n};
    gp_gram *gram = scratch(c, 1);
    int code = gp_gram_add(gram, &block, &err);
    if (code != GP_OK)
        for (int64_t k = 0; k < c->n * c->n; k++)
            assert_true(sums[k] == 0);
    gp_gram_free(gram);
    free(sums);
    return code == GP_EINPUT;
}

static void what_does_not_fit_is_refused_before_anything_is_added(void **state) {
    (void)state;
    uint64_t seed = 48;
    cohort c;
    gp_err err = {0};
    gp_gram_plan plan;
    start(&c, 200, 2, 0, STANDARD, &seed);
    double most = c.plan.most_weight;
    assert_false(refused(&c, most, 1, 64, 0, 64));
    assert_false(refused(&c, 0, NAN, 64, 64, 64));
    assert_true(refused(&c, most * 1.00001, 1, 64, 0, 64));
    assert_true(refused(&c, -1, 1, 64, 0, 64));
    assert_true(refused(&c, NAN, 1, 64, 0, 64));
    assert_true(refused(&c, INFINITY, 1, 64, 0, 64));
    assert_true(refused(&c, 1, NAN, 64, 0, 64));
    assert_true(refused(&c, 1, 2.1, 64, 0, 64));
    assert_true(refused(&c, 1, 1, 0, 64, 64)); /* above the diagonal */
    assert_true(refused(&c, 1, 1, 64, 0, 65)); /* across it */
    assert_true(refused(&c, 1, 1, 33, 0, 10)); /* not at a multiple of 64 */
    c.plan.variants = 1;                       /* of a block of two */
    assert_true(refused(&c, 0, 1, 64, 0, 64));
    assert_int_equal(gp_gram_plan_init(&plan, (int64_t)1 << 24, 0x1p20, &err), GP_OK);
    assert_int_equal(gp_gram_plan_init(&plan, (int64_t)1 << 25, 0x1p20, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "do not fit"));
    stop(&c);
}

/* All samples homozygous for an allele of the given mean 0: the largest sum there is. */
static void the_largest_sum_does_not_overflow(void **state) {
    (void)state;
    uint64_t seed = 49;
    cohort c;
    gp_err err = {0};
    start(&c, 64, 64, 0, CENTRED, &seed);
    const double most = 0x1.fffffep37;
    assert_int_equal(gp_gram_plan_init(&c.plan, c.m, most, &err), GP_OK);
    for (int64_t j = 0; j < c.m; j++) {
        for (int64_t i = 0; i < c.n; i++)
            gp_geno_set(c.rows + j * c.stride, i, 2);
        c.mean[j] = 0;
        c.weight[j] = most;
    }
    whole(&c, 1);
    double want = 4 * most * (double)c.m;
    for (int64_t b = 0; b < c.n; b++)
        for (int64_t a = 0; a <= b; a++)
            assert_true(fabs(gp_gram_value(&c.plan, c.sums[b * c.n + a]) - want) <= 0x1p-26 * want);
    stop(&c);
}

/* The largest bytes of three digits, GP_GRAM_STEP times over: 2^35 in one sum. */
static void the_largest_sum_of_a_step_does_not_overflow(void **state) {
    (void)state;
    uint64_t seed = 53;
    cohort c;
    start(&c, 17, GP_GRAM_STEP, 0, CENTRED, &seed);
    for (int64_t j = 0; j < c.m; j++) {
        for (int64_t i = 0; i < c.n; i++)
            gp_geno_set(c.rows + j * c.stride, i, 2);
        c.mean[j] = 0;
        c.weight[j] = 55.7;
    }
    gp_err err = {0};
    assert_int_equal(gp_gram_plan_init(&c.plan, c.m, 55.7, &err), GP_OK);
    assert_int_equal(c.plan.digits, 3);
    whole(&c, 1);
    double want = 4 * 55.7 * (double)c.m;
    for (int64_t b = 0; b < c.n; b++)
        for (int64_t a = 0; a <= b; a++)
            assert_true(fabs(gp_gram_value(&c.plan, c.sums[b * c.n + a]) - want) <= 1e-5 * want);
    stop(&c);
}

static int make(void *context, gp_err *err) {
    gp_gram_free(gp_gram_new(context, 100, err));
    return err->code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    gp_err err = {0};
    gp_gram_plan plan;
    assert_int_equal(gp_gram_plan_init(&plan, 10, 1, &err), GP_OK);
    omp_set_num_threads(3);
    assert_int_equal(gp_test_fail_each(make, &plan), 8 + 3);
    omp_set_num_threads(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_numbers_give_the_matrix_itself),
        cmocka_unit_test(few_variants_are_within_the_bound),
        cmocka_unit_test(many_variants_are_as_near_as_told),
        cmocka_unit_test(no_weight_of_three_digits_is_off_by_more_than_told),
        cmocka_unit_test(every_kernel_gives_the_same_integers),
        cmocka_unit_test(any_cut_of_samples_and_variants_gives_the_same_integers),
        cmocka_unit_test(more_samples_than_a_panel_holds),
        cmocka_unit_test(more_variants_than_a_step_takes),
        cmocka_unit_test(the_rarest_variants_are_held),
        cmocka_unit_test(constant_variants_weigh_nothing),
        cmocka_unit_test(what_does_not_fit_is_refused_before_anything_is_added),
        cmocka_unit_test(the_largest_sum_does_not_overflow),
        cmocka_unit_test(the_largest_sum_of_a_step_does_not_overflow),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    omp_set_num_threads(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
