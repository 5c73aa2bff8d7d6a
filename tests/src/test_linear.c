/* Linear regression: numbers by hand, a status for every reason, and what may not change the bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/ids.h"
#include "src/base/tail.h"
#include "tests/support/cohort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <omp.h>

static int near(double got, double want) {
    return fabs(got - want) <= 1e-11 * fabs(want);
}

static void set_calls(cohort *h, int64_t variant, const int *call) {
    for (int64_t i = 0; i < h->n; i++)
        gp_geno_set(h->rows + variant * h->stride, i, call[i]);
}

/* g = 0 0 1 1 2, y = 1 2 3 5 6: Sgg = 2.8, Sgy = 6.4, Syy = 17.2, so beta = 6.4 / 2.8 = 16/7; the
 * squares left are 17.2 - 6.4^2 / 2.8 = 18/7, on 3 degrees of freedom, so se = sqrt(6/7 / 2.8) =
 * sqrt(15) / 7 and t = 16 / sqrt(15). */
static void five_samples_by_hand(void **state) {
    (void)state;
    cohort h = cohort_new(5, 1, 0, 1);
    memcpy(h.y, (const double[]){1, 2, 3, 5, 6}, 5 * sizeof(double));
    set_calls(&h, 0, (const int[]){0, 0, 1, 1, 2});
    for (int exact = 0; exact <= 1; exact++) {
        gp_result r;
        free(cohort_test(&h, exact, 1, &r));
        assert_int_equal(r.status, GP_STATUS_OK);
        assert_int_equal(r.n, 5);
        assert_true(r.frequency == 0.4);
        assert_true(near(r.beta, 16.0 / 7));
        assert_true(near(r.se, sqrt(15.0) / 7));
        assert_true(near(r.statistic, 16 / sqrt(15.0)));
        assert_true(near(r.neglog10p, gp_t_neglog10p(16 / sqrt(15.0), 3.0)));
    }
    cohort_free(&h);
}

/* The same with a sixth sample, y = 10, that is not called. On complete cases nothing changes. With
 * the mean in its place Sgg and Sgy are the same, Syy = 175 - 6 * 4.5^2 = 53.5, and 4 degrees of
 * freedom are left. */
static void a_missing_call_by_hand(void **state) {
    (void)state;
    cohort h = cohort_new(6, 1, 0, 1);
    gp_result r;
    memcpy(h.y, (const double[]){1, 2, 10, 3, 5, 6}, 6 * sizeof(double));
    set_calls(&h, 0, (const int[]){0, 0, 3, 1, 1, 2});
    free(cohort_test(&h, 1, 1, &r));
    assert_int_equal(r.n, 5);
    assert_true(r.frequency == 0.4 && near(r.beta, 16.0 / 7) && near(r.se, sqrt(15.0) / 7));
    free(cohort_test(&h, 0, 1, &r));
    assert_int_equal(r.n, 6);
    assert_true(r.frequency == 0.4 && near(r.beta, 16.0 / 7));
    assert_true(near(r.se, sqrt((53.5 - 6.4 * 6.4 / 2.8) / 4 / 2.8)));
    cohort_free(&h);
}

/* A covariate that splits the samples in two halves: within each, g and y are as by hand above, but
 * for a step of 100 between the halves. All sums double; 10 - 3 = 7 degrees of freedom. */
static void a_covariate_by_hand(void **state) {
    (void)state;
    cohort h = cohort_new(10, 1, 1, 1);
    gp_result r;
    const double y[5] = {1, 2, 3, 5, 6};
    for (int64_t i = 0; i < 10; i++) {
        h.x[i] = (double)(i / 5);
        h.y[i] = y[i % 5] + 100.0 * h.x[i];
    }
    set_calls(&h, 0, (const int[]){0, 0, 1, 1, 2, 0, 0, 1, 1, 2});
    free(cohort_test(&h, 1, 1, &r));
    assert_true(near(r.beta, 16.0 / 7));
    assert_true(near(r.se, sqrt(2 * 18.0 / 7 / 7 / 5.6)));
    cohort_free(&h);
}

static void samples_out_of_use_change_nothing(void **state) {
    (void)state;
    cohort h = cohort_new(8, 1, 0, 1);
    gp_result r;
    memcpy(h.y, (const double[]){1, 99, 2, 3, NAN, 5, 6, 1e300}, 8 * sizeof(double));
    set_calls(&h, 0, (const int[]){0, 2, 0, 1, 3, 1, 2, 3});
    memcpy(h.sample, (const int64_t[]){0, 2, 3, 5, 6}, 5 * sizeof(int64_t));
    h.used = 5;
    free(cohort_test(&h, 1, 1, &r));
    assert_int_equal(r.n, 5);
    assert_true(near(r.beta, 16.0 / 7) && near(r.se, sqrt(15.0) / 7) && r.frequency == 0.4);
    cohort_free(&h);
}

static void expect(const gp_result *r, gp_status status, int64_t n) {
    assert_int_equal(r->status, status);
    assert_int_equal(r->n, n);
    assert_true(isnan(r->beta) && isnan(r->se) && isnan(r->statistic) && isnan(r->neglog10p));
}

static void every_reason_for_no_number_has_its_status(void **state) {
    (void)state;
    enum { N = 8 };
    cohort h = cohort_new(N, 7, 1, 1);
    gp_result r[7];
    const double x[N] = {0, 1, 2, 0, 1, 2, 1, 1}, y[N] = {3, 1, 4, 1, 5, 9, 2, 6};
    memcpy(h.x, x, sizeof x);
    memcpy(h.y, y, sizeof y);
    set_calls(&h, 0, (const int[]){3, 3, 3, 3, 3, 3, 3, 3});
    set_calls(&h, 1, (const int[]){1, 1, 1, 1, 3, 1, 1, 1});
    set_calls(&h, 2, (const int[]){0, 1, 2, 0, 1, 2, 1, 1}); /* the covariate itself */
    set_calls(&h, 3, (const int[]){2, 1, 0, 2, 1, 3, 1, 1}); /* its opposite, one missing */
    set_calls(&h, 4, (const int[]){0, 2, 3, 3, 3, 3, 0, 3}); /* three called: no freedom left */
    set_calls(&h, 5, (const int[]){3, 3, 3, 2, 3, 3, 3, 3}); /* one called */
    set_calls(&h, 6, (const int[]){0, 2, 0, 0, 2, 2, 0, 1});
    free(cohort_test(&h, 1, 1, r));
    expect(&r[0], GP_STATUS_ALL_MISSING, 0);
    assert_true(isnan(r[0].frequency));
    expect(&r[1], GP_STATUS_CONSTANT, 7);
    assert_true(r[1].frequency == 0.5);
    expect(&r[2], GP_STATUS_COLLINEAR, 8);
    expect(&r[3], GP_STATUS_COLLINEAR, 7);
    expect(&r[4], GP_STATUS_FEW_SAMPLES, 3);
    expect(&r[5], GP_STATUS_CONSTANT, 1);
    assert_int_equal(r[6].status, GP_STATUS_OK);
    /* With the mean in place of missing calls, all samples count. */
    free(cohort_test(&h, 0, 1, r));
    expect(&r[0], GP_STATUS_ALL_MISSING, 8);
    expect(&r[1], GP_STATUS_CONSTANT, 8);
    expect(&r[2], GP_STATUS_COLLINEAR, 8);
    assert_int_equal(r[4].status, GP_STATUS_OK);
    cohort_free(&h);
}

/* Ten variants are covariates, with other weights; rounding leaves a little of either sign. One
 * that differs in a single sample of 999 is no longer determined. */
static void a_variant_among_the_covariates_is_collinear(void **state) {
    (void)state;
    uint64_t seed = 33;
    cohort h = cohort_new(999, 11, 10, 2);
    gp_result r[22];
    for (int64_t i = 0; i < h.n; i++) {
        for (int64_t j = 0; j < 11; j++)
            gp_geno_set(h.rows + j * h.stride, i, (int)gp_test_below(&seed, j == 3 ? 4 : 3));
        gp_geno_set(h.rows + 10 * h.stride, i, cohort_call(&h, 0, i));
        for (int64_t j = 0; j < 10; j++)
            h.x[j * h.n + i] = 0.3 * cohort_call(&h, j, i) + 0.7 * cohort_call(&h, (j + 1) % 10, i);
        for (int64_t t = 0; t < 2; t++)
            h.y[t * h.n + i] = gp_test_normal(&seed);
    }
    gp_geno_set(h.rows + 10 * h.stride, 500, (cohort_call(&h, 0, 500) + 1) % 3);
    free(cohort_test(&h, 1, 1, r));
    for (int64_t j = 0; j < 11; j++)
        for (int64_t t = 0; t < 2; t++)
            assert_int_equal(r[2 * j + t].status, j < 10 ? GP_STATUS_COLLINEAR : GP_STATUS_OK);
    cohort_free(&h);
}

static void a_trait_left_constant_has_no_number(void **state) {
    (void)state;
    enum { N = 12 };
    cohort h = cohort_new(N, 2, 1, 3);
    gp_result r[6];
    uint64_t seed = 21;
    for (int64_t i = 0; i < N; i++) {
        h.x[i] = gp_test_normal(&seed);
        h.y[i] = 7.0;                         /* constant */
        h.y[N + i] = 3.0 - 2.0 * h.x[i];      /* the covariate determines it */
        h.y[2 * N + i] = i == 4 ? 10.0 : 1.0; /* constant among those called */
    }
    set_calls(&h, 0, (const int[]){0, 1, 2, 0, 3, 2, 0, 1, 2, 0, 1, 2});
    set_calls(&h, 1, (const int[]){0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
    free(cohort_test(&h, 1, 1, r));
    for (int j = 0; j < 2; j++)
        for (int t = 0; t < 2; t++)
            expect(&r[3 * j + t], GP_STATUS_CONSTANT, j ? N : N - 1);
    expect(&r[2], GP_STATUS_CONSTANT, N - 1);
    assert_int_equal(r[5].status, GP_STATUS_OK);
    cohort_free(&h);
}

static void statuses_have_the_words_of_the_table(void **state) {
    (void)state;
    const char *const want[] = {"OK",          "CONSTANT",       "ALL_MISSING", "COLLINEAR",
                                "FEW_SAMPLES", "NO_CONVERGENCE", "SEPARATION"};
    for (int k = GP_STATUS_OK; k <= GP_STATUS_SEPARATION; k++)
        assert_string_equal(gp_status_name((gp_status)k), want[k]);
}

/* g determines y: the statistic is huge, but a number. */
static void a_perfect_fit_is_finite(void **state) {
    (void)state;
    cohort h = cohort_new(200, 1, 0, 1);
    gp_result r;
    uint64_t seed = 22;
    for (int64_t i = 0; i < h.n; i++) {
        int call = (int)gp_test_below(&seed, 3);
        gp_geno_set(h.rows, i, call);
        h.y[i] = 5.0 - 0.25 * call;
    }
    free(cohort_test(&h, 1, 1, &r));
    assert_int_equal(r.status, GP_STATUS_OK);
    assert_true(near(r.beta, -0.25));
    assert_true(r.se > 0.0 && r.se < 1e-6 && isfinite(r.neglog10p) && r.neglog10p > 300);
    cohort_free(&h);
}

/* n samples, some of them out of use, missing calls everywhere, covariates of several kinds. */
static cohort draw(int64_t n, int64_t m, int64_t c, int64_t p, uint64_t *seed) {
    cohort h = cohort_new(n, m, c, p);
    h.used = 0;
    for (int64_t i = 0; i < n; i++)
        if (gp_test_below(seed, 10) > 0)
            h.sample[h.used++] = i;
    for (int64_t j = 0; j < m; j++) {
        double f = gp_test_uniform(seed), missing = 0.2 * gp_test_uniform(seed);
        for (int64_t i = 0; i < n; i++) {
            int call = (gp_test_uniform(seed) < f) + (gp_test_uniform(seed) < f);
            gp_geno_set(h.rows + j * h.stride, i,
                        gp_test_uniform(seed) < missing ? GP_GENO_MISSING : call);
        }
    }
    for (int64_t k = 0; k < c * n; k++)
        h.x[k] = (k / n) % 2 ? gp_test_normal(seed) : (double)gp_test_below(seed, 2);
    for (int64_t k = 0; k < p * n; k++)
        h.y[k] = 100.0 + 15.0 * gp_test_normal(seed) + 3.0 * cohort_call(&h, 0, k % n);
    return h;
}

static void shards_and_threads_change_no_bit(void **state) {
    (void)state;
    uint64_t seed = 23;
    const int64_t samples[] = {40, 64, 257, 1000};
    for (size_t k = 0; k < sizeof samples / sizeof samples[0]; k++)
        for (int exact = 0; exact <= 1; exact++) {
            cohort h = draw(samples[k], 50, 5, 3, &seed);
            gp_result *first = cohort_room(h.m * h.p, sizeof *first),
                      *again = cohort_room(h.m * h.p, sizeof *again);
            omp_set_num_threads(1);
            int64_t *sums = cohort_test(&h, exact, 1, first);
            /* 5 covariates, 3 traits: 4 counts, 8 products, 8 moments; 33 more, and 7 to make whole
             * eights of them, for complete cases. */
            size_t cells = (size_t)h.m * (exact ? 4 + 8 + 48 : 4 + 8 + 8);
            for (int shards = 1; shards <= 3; shards++)
                for (int threads = 1; threads <= 3; threads += 2) {
                    omp_set_num_threads(threads);
                    int64_t *more = cohort_test(&h, exact, shards, again);
                    assert_memory_equal(more, sums, cells * sizeof *sums);
                    for (int64_t r = 0; r < h.m * h.p; r++)
                        assert_true(cohort_same(&first[r], &again[r]));
                    free(more);
                }
            omp_set_num_threads(1);
            free(sums);
            free(first);
            free(again);
            cohort_free(&h);
        }
}

/* A digest of all numbers' bits, as gcc 12 and clang 14 gave it with and without optimisation,
 * AVX-512 and fused multiply-add. The input is made without libm. Another digest is another result:
 * change it only where results are meant to change. */
static void results_have_the_same_bits_with_every_compiler(void **state) {
    (void)state;
    uint64_t seed = 5, numbers = 0, tails = 0;
    cohort h = cohort_new(700, 100, 6, 3);
    for (int64_t k = 0; k < h.c * h.n; k++)
        h.x[k] = (double)gp_test_below(&seed, 1000) / 7.0;
    for (int64_t k = 0; k < h.p * h.n; k++)
        h.y[k] = (double)gp_test_below(&seed, 100000) / 77.0;
    for (int64_t k = 0; k < h.m * h.n; k++)
        gp_geno_set(h.rows + k / h.n * h.stride, k % h.n, (int)gp_test_below(&seed, 4));
    gp_result r[300];
    for (int exact = 0; exact <= 1; exact++) {
        free(cohort_test(&h, exact, 2, r));
        for (uint64_t k = 0; k < 300; k++) {
            double four[4] = {r[k].frequency, r[k].beta, r[k].se, r[k].statistic};
            char bits[sizeof four];
            memcpy(bits, four, sizeof four);
            numbers += gp_ids_hash(bits, sizeof four) * (2 * k + 1);
            memcpy(bits, &r[k].neglog10p, sizeof four[0]);
            tails += gp_ids_hash(bits, sizeof four[0]) * (2 * k + 1);
        }
    }
    print_message("digests %016llx %016llx\n", (unsigned long long)numbers,
                  (unsigned long long)tails);
    assert_true(numbers == 0x16fccfc147b59c69u);
    assert_true(tails == 0xdf40b4928b838230u); /* of src/base/tail.c */
    cohort_free(&h);
}

/* More threads than the model was made for may not overrun its scratch. */
static void threads_may_change_after_init(void **state) {
    (void)state;
    uint64_t seed = 24;
    cohort h = draw(300, 200, 3, 2, &seed);
    cohort_design d = cohort_prepare(&h);
    gp_linear_input in = cohort_input(&h, &d, 1, 1, 0);
    gp_linear model = {0};
    gp_err err = {0};
    omp_set_num_threads(1);
    assert_int_equal(gp_linear_init(&model, &in, &err), GP_OK);
    int64_t *sums = cohort_room(h.m * gp_linear_sums_width(&model), sizeof *sums);
    gp_result *result = cohort_room(h.m * h.p, sizeof *result);
    const int64_t chosen[] = {0, 5, 199};
    cohort_calls c;
    cohort_view(&h, 0, h.n, &c);
    omp_set_num_threads(8);
    gp_linear_sums(&model, &c.calls, sums);
    gp_linear_test(&model, sums, h.m, chosen, 3, result);
    omp_set_num_threads(1);
    free(sums);
    free(result);
    gp_linear_free(&model);
    cohort_design_free(&d);
    cohort_free(&h);
}

static void chosen_variants_are_as_among_all(void **state) {
    (void)state;
    uint64_t seed = 34;
    cohort h = draw(300, 40, 3, 2, &seed);
    cohort_design d = cohort_prepare(&h);
    gp_linear_input in = cohort_input(&h, &d, 1, 1, 0);
    gp_linear model = {0};
    gp_err err = {0};
    gp_result all[80], some[80];
    int64_t chosen[40], count = 0;
    int64_t *sums = cohort_test(&h, 1, 1, all);
    assert_int_equal(gp_linear_init(&model, &in, &err), GP_OK);
    for (int64_t j = 0; j < h.m; j++)
        if (gp_test_below(&seed, 3) == 0)
            chosen[count++] = j;
    gp_linear_test(&model, sums, h.m, chosen, count, some);
    for (int64_t k = 0; k < count * h.p; k++)
        assert_true(cohort_same(&some[k], &all[chosen[k / h.p] * h.p + k % h.p]));
    gp_linear_test(&model, sums, h.m, chosen, 0, NULL);
    free(sums);
    gp_linear_free(&model);
    cohort_design_free(&d);
    cohort_free(&h);
}

/* The sums of a block against their definition, one sample at a time: many runs of samples, every
 * tenth call missing, and one variant with none; with a table that is kept and without. */
static void sums_over_missing_samples_follow_their_definition(void **state) {
    (void)state;
    uint64_t seed = 35;
    cohort h = draw(9000, 7, 9, 2, &seed);
    for (int64_t i = 0; i < h.n; i++) {
        gp_geno_set(h.rows + 2 * h.stride, i, (int)gp_test_below(&seed, 3));
        gp_geno_set(h.rows + 3 * h.stride, i, GP_GENO_MISSING);
    }
    cohort_design d = cohort_prepare(&h);
    for (int way = 0; way < 4; way++) {
        int exact = way & 1;
        gp_linear_input in = cohort_input(&h, &d, exact, 1, 0);
        gp_linear model = {0};
        gp_err err = {0};
        cohort_calls c;
        in.keep = way & 2 ? 1 << 26 : 0;
        assert_int_equal(gp_linear_init(&model, &in, &err), GP_OK);
        int64_t width = model.moments.width, *v = cohort_room(h.c + h.p, sizeof *v),
                *sums = cohort_room(h.m * gp_linear_sums_width(&model), sizeof *sums),
                *want = cohort_room(h.m * width, sizeof *want);
        double unit = ldexp(1.0, -model.bits);
        for (int64_t s = 0; s < h.used; s++) {
            gp_operand_row(&model.y, h.sample[s], v);
            for (int64_t j = 0; j < h.m; j++) {
                int64_t *to = want + j * width;
                if (cohort_call(&h, j, h.sample[s]) != GP_GENO_MISSING)
                    continue;
                for (int64_t k = 0; k < h.c + h.p; k++)
                    *to++ += v[k];
                for (int64_t a = 0; exact && a < h.c; a++)
                    for (int64_t b = a; b < h.c + h.p; b++)
                        *to++ += llrint((double)v[a] * unit * (double)v[b]);
                for (int64_t t = h.c; exact && t < h.c + h.p; t++)
                    *to++ += llrint((double)v[t] * unit * (double)v[t]);
            }
        }
        cohort_view(&h, 0, h.n, &c);
        for (int block = 0; block < 2; block++) {
            gp_linear_sums(&model, &c.calls, sums);
            /* They come first. */
            assert_memory_equal(sums, want, (size_t)(h.m * width) * sizeof *want);
        }
        assert_int_equal(model.moments.kept != NULL, in.keep > 0);
        free(v);
        free(sums);
        free(want);
        gp_linear_free(&model);
    }
    cohort_design_free(&d);
    cohort_free(&h);
}

static void one_variant_alone_is_as_in_a_block(void **state) {
    (void)state;
    uint64_t seed = 25;
    cohort h = draw(500, 30, 4, 2, &seed);
    gp_result all[60], alone[2];
    free(cohort_test(&h, 1, 1, all));
    cohort one = h;
    one.m = 1;
    for (int64_t j = 0; j < h.m; j++) {
        one.rows = h.rows + j * h.stride;
        free(cohort_test(&one, 1, 2, alone));
        for (int64_t t = 0; t < h.p; t++)
            assert_true(cohort_same(&alone[t], &all[j * h.p + t]));
    }
    cohort_free(&h);
}

static void counting_the_other_allele_turns_the_sign(void **state) {
    (void)state;
    uint64_t seed = 26;
    cohort h = draw(600, 40, 3, 1, &seed);
    gp_result before[40], after[40];
    free(cohort_test(&h, 1, 1, before));
    for (int64_t j = 0; j < h.m; j++)
        for (int64_t i = 0; i < h.n; i++) {
            int call = cohort_call(&h, j, i);
            gp_geno_set(h.rows + j * h.stride, i, call == GP_GENO_MISSING ? call : 2 - call);
        }
    free(cohort_test(&h, 1, 1, after));
    for (int64_t j = 0; j < h.m; j++) {
        assert_int_equal(before[j].status, after[j].status);
        if (before[j].status != GP_STATUS_OK)
            continue;
        assert_true(fabs(before[j].frequency + after[j].frequency - 1.0) < 1e-15);
        assert_true(fabs(before[j].beta + after[j].beta) < 1e-11 * before[j].se);
        assert_true(near(after[j].se, before[j].se));
    }
    cohort_free(&h);
}

/* A power of two changes no digit of the trait: beta and se follow it, t and p stay. */
static void the_unit_of_the_trait_is_the_unit_of_beta(void **state) {
    (void)state;
    uint64_t seed = 27;
    cohort h = draw(400, 30, 3, 1, &seed);
    gp_result before[30], after[30];
    free(cohort_test(&h, 1, 1, before));
    for (int64_t i = 0; i < h.n; i++)
        h.y[i] *= 1024.0;
    free(cohort_test(&h, 1, 1, after));
    for (int64_t j = 0; j < h.m; j++) {
        assert_int_equal(before[j].status, after[j].status);
        before[j].beta *= 1024.0;
        before[j].se *= 1024.0;
        assert_true(cohort_same(&before[j], &after[j]));
    }
    cohort_free(&h);
}

static int make_model(void *context, gp_err *err) {
    const gp_linear_input *in = context;
    gp_linear model = {0};
    int code = gp_linear_init(&model, in, err);
    gp_linear_free(&model);
    gp_linear_free(&model);
    return code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    uint64_t seed = 28;
    cohort h = draw(100, 5, 2, 2, &seed);
    cohort_design d = cohort_prepare(&h);
    gp_linear_input in = cohort_input(&h, &d, 1, 1, 0);
    assert_int_equal(gp_test_fail_each(make_model, &in), 12);
    cohort_design_free(&d);
    cohort_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_samples_by_hand),
        cmocka_unit_test(a_missing_call_by_hand),
        cmocka_unit_test(a_covariate_by_hand),
        cmocka_unit_test(samples_out_of_use_change_nothing),
        cmocka_unit_test(every_reason_for_no_number_has_its_status),
        cmocka_unit_test(a_variant_among_the_covariates_is_collinear),
        cmocka_unit_test(a_trait_left_constant_has_no_number),
        cmocka_unit_test(statuses_have_the_words_of_the_table),
        cmocka_unit_test(a_perfect_fit_is_finite),
        cmocka_unit_test(shards_and_threads_change_no_bit),
        cmocka_unit_test(results_have_the_same_bits_with_every_compiler),
        cmocka_unit_test(threads_may_change_after_init),
        cmocka_unit_test(chosen_variants_are_as_among_all),
        cmocka_unit_test(sums_over_missing_samples_follow_their_definition),
        cmocka_unit_test(one_variant_alone_is_as_in_a_block),
        cmocka_unit_test(counting_the_other_allele_turns_the_sign),
        cmocka_unit_test(the_unit_of_the_trait_is_the_unit_of_beta),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
