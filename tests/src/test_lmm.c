/* Tests in a mixed model: against dense matrices at the highest likelihood of each, in shards, and
 * a status for every reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/lmm_inside.h"
#include "src/base/tail.h"
#include "tests/src/lmm_dense.h"
#include "tests/support/fail_alloc.h"

#include <omp.h>

static int near(double got, double want, double tolerance) {
    if (fabs(got - want) <= tolerance * fabs(want))
        return 1;
    print_message("%.17g, expected %.17g\n", got, want);
    return 0;
}

/* How a test is run. */
typedef struct way {
    int exact, shards;
    int rounds;    /* out */
    double *ratio; /* out [m x p], or NULL */
} way;

/* The eigenvalues k, k + shards, ... and their columns of x. */
typedef struct shard {
    gp_lmm *model;
    gp_lmm_batch *batch;
    int64_t *mine, columns;
    double *x;
} shard;

static int shard_init(shard *s, const dense *d, const way *how, int k, const gp_lmm_site *site,
                      gp_err *err) {
    s->mine = dense_room(d->n, sizeof *s->mine);
    s->x = dense_room(d->m * d->n, sizeof *s->x);
    for (int64_t e = k; e < d->n; e += how->shards)
        s->mine[s->columns++] = e;
    for (int64_t j = 0; j < d->m; j++)
        for (int64_t i = 0; i < s->columns; i++)
            s->x[j * s->columns + i] = d->ux[j * d->n + s->mine[i]];
    gp_lmm_input in = {d->n, d->c, d->p, d->value, d->uw, d->uy, s->mine, s->columns, how->exact};
    s->model = gp_lmm_new(&in, err);
    s->batch = s->model ? gp_lmm_batch_new(s->model, d->m, err) : NULL;
    if (s->batch != NULL)
        gp_lmm_begin(s->batch, site, d->m);
    return err->code;
}

static void shard_free(shard *s) {
    gp_lmm_batch_free(s->batch);
    gp_lmm_free(s->model);
    free(s->mine);
    free(s->x);
}

/* One round over all shards; 0 when there is none. */
static int take_round(shard *s, int shards) {
    int64_t width = gp_lmm_width(s[0].batch);
    double *sums = dense_room(width, sizeof *sums), *part = dense_room(width, sizeof *part);
    for (int k = 0; k < shards; k++) {
        assert_int_equal(gp_lmm_width(s[k].batch), width);
        gp_lmm_sum(s[k].batch, s[k].x, part);
        for (int64_t i = 0; i < width; i++)
            sums[i] += part[i];
    }
    for (int k = 0; k < shards; k++)
        gp_lmm_take(s[k].batch, sums);
    free(sums);
    free(part);
    return width > 0;
}

static int test(const dense *d, way *how, const gp_lmm_site *site, gp_result *result, gp_err *err) {
    enum { MOST = 4 };
    shard s[MOST] = {{0}};
    gp_lmm_site *plain = dense_room(d->m, sizeof *plain);
    for (int64_t j = 0; j < d->m; j++)
        plain[j] = (gp_lmm_site){d->n, 0.25, 0};
    for (int k = 0; k < how->shards && err->code == GP_OK; k++)
        shard_init(&s[k], d, how, k, site ? site : plain, err);
    if (err->code == GP_OK) {
        for (how->rounds = 0; take_round(s, how->shards);)
            how->rounds++;
        gp_lmm_results(s[how->shards - 1].batch, result);
        for (int64_t i = 0; how->ratio != NULL && i < d->m * d->p; i++)
            how->ratio[i] = gp_lmm_ratio(s[0].batch, i / d->p, i % d->p);
    }
    for (int k = 0; k < how->shards; k++)
        shard_free(&s[k]);
    free(plain);
    return err->code;
}

/* Runs and asserts that it can be. */
static gp_result *run(const dense *d, way *how, const gp_lmm_site *site) {
    gp_err err = {0};
    gp_result *result = dense_room(d->m * d->p, sizeof *result);
    how->ratio = dense_room(d->m * d->p, sizeof *how->ratio);
    if (test(d, how, site, result, &err) != GP_OK)
        fail_msg("%s", err.text);
    return result;
}

/* The largest differences from dense matrices. */
typedef struct errors {
    double beta, se, t,
        below; /* of t where the likelihood is curved; how far the likelihood is below the best */
    int64_t ends;
} errors;

static void compare(const dense *d, const gp_result *result, const double *ratio, errors *worst) {
    for (int64_t j = 0; j < d->m; j++)
        for (int64_t t = 0; t < d->p; t++) {
            const gp_result *r = &result[j * d->p + t];
            const double *x = d->x + j * d->n, *y = d->y + t * d->n;
            double mine = ratio[j * d->p + t], best = dense_best(d, y, x);
            dense_fit want = dense_at(d, mine, y, x), top = dense_at(d, exp(best), y, x);
            assert_int_equal(r->status, GP_STATUS_OK);
            assert_int_equal(r->n, d->n);
            worst->beta =
                fmax(worst->beta, fabs(r->beta - want.beta) / fmax(fabs(want.beta), want.se));
            worst->se = fmax(worst->se, fabs(r->se - want.se) / want.se);
            worst->below = fmax(worst->below, top.loglik - want.loglik);
            if (fabs(best) < 5.0)
                worst->t = fmax(worst->t, fabs(log(mine) - best));
            worst->ends += fabs(log(mine)) > log(0.999e5);
            assert_true(near(r->statistic, r->beta / r->se, 1e-14));
            assert_true(r->neglog10p == gp_t_neglog10p(r->statistic, (double)(d->n - d->c - 1)));
        }
}

static void exact_tests_agree_with_dense_matrices(void **state) {
    (void)state;
    uint64_t seed = 21;
    const double h2[5] = {0.5, 0.3, 0.52, 0.0, 0.95};
    errors worst = {0};
    int rounds = 0;
    for (int64_t c = 1; c <= 4; c++) {
        dense d = dense_draw(40, c, 5, 12, h2, &seed);
        way how = {.exact = 1, .shards = 1};
        gp_result *result = run(&d, &how, NULL);
        compare(&d, result, how.ratio, &worst);
        rounds += how.rounds;
        free(result);
        free(how.ratio);
        dense_free(&d);
    }
    print_message(
        "beta %.2g, se %.2g, log ratio %.2g, likelihood below %.2g; %lld at an end, %d rounds\n",
        worst.beta, worst.se, worst.t, worst.below, (long long)worst.ends, rounds);
    assert_true(worst.beta < 1e-9 && worst.se < 1e-9);
    assert_true(worst.below < 1e-9);
    assert_true(worst.t < 1e-4); /* the oracle's golden section stops at the root of rounding */
    assert_true(rounds > 4 && worst.ends > 0);
}

static void fixed_tests_agree_with_dense_matrices(void **state) {
    (void)state;
    uint64_t seed = 22;
    const double h2[4] = {0.5, 0.3, 0.0, 0.9};
    dense d = dense_draw(40, 3, 4, 20, h2, &seed);
    way how = {.exact = 0, .shards = 1};
    gp_result *result = run(&d, &how, NULL);
    assert_int_equal(how.rounds, 1);
    for (int64_t t = 0; t < d.p; t++) {
        gp_spectrum s = {d.n, d.c, d.value, d.uw, d.uy + t * d.n};
        gp_reml fit;
        gp_err err = {0};
        assert_int_equal(gp_reml_fit(&s, &fit, &err), GP_OK);
        for (int64_t j = 0; j < d.m; j++) {
            dense_fit want = dense_at(&d, fit.lambda, d.y + t * d.n, d.x + j * d.n);
            assert_true(near(how.ratio[j * d.p + t], fit.lambda, 1e-13));
            assert_true(near(result[j * d.p + t].se, want.se, 1e-10));
            assert_true(fabs(result[j * d.p + t].beta - want.beta) < 1e-10 * want.se);
        }
    }
    free(result);
    free(how.ratio);
    dense_free(&d);
}

static void same(const gp_result *a, const gp_result *b, int64_t count, double tolerance) {
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(a[i].status, b[i].status);
        if (a[i].status != GP_STATUS_OK)
            continue;
        assert_true(fabs(a[i].beta - b[i].beta) <= tolerance * fmax(fabs(a[i].beta), a[i].se));
        assert_true(near(b[i].se, a[i].se, tolerance));
        assert_true(fabs(b[i].neglog10p - a[i].neglog10p) <=
                    10.0 * tolerance * (1.0 + a[i].neglog10p));
    }
}

static void shards_of_eigenvalues_agree(void **state) {
    (void)state;
    uint64_t seed = 23;
    const double h2[3] = {0.5, 0.2, 0.8};
    dense d = dense_draw(41, 2, 3, 30, h2, &seed);
    for (int exact = 0; exact <= 1; exact++) {
        way one = {.exact = exact, .shards = 1};
        gp_result *want = run(&d, &one, NULL);
        for (int shards = 2; shards <= 4; shards++) {
            way how = {.exact = exact, .shards = shards};
            gp_result *got = run(&d, &how, NULL);
            assert_int_equal(how.rounds, one.rounds);
            same(want, got, d.m * d.p, 1e-12);
            free(got);
            free(how.ratio);
        }
        free(want);
        free(one.ratio);
    }
    dense_free(&d);
}

static void threads_change_no_bit(void **state) {
    (void)state;
    uint64_t seed = 24;
    const double h2[2] = {0.5, 0.1};
    dense d = dense_draw(60, 2, 2, 300, h2, &seed);
    for (int exact = 0; exact <= 1; exact++) {
        gp_result *first = NULL;
        for (int threads = 1; threads <= 5; threads += 2) {
            way how = {.exact = exact, .shards = 1};
            omp_set_num_threads(threads);
            gp_result *got = run(&d, &how, NULL);
            if (first == NULL)
                first = got;
            assert_memory_equal(first, got, (size_t)(d.m * d.p) * sizeof *got);
            if (first != got)
                free(got);
            free(how.ratio);
        }
        free(first);
    }
    omp_set_num_threads(1);
    dense_free(&d);
}

/* More than one panel of eigenvalues, and more than one block of variants. */
static void many_samples_agree_with_direct_sums(void **state) {
    (void)state;
    enum { N = 1200 };
    uint64_t seed = 25;
    dense d = dense_new(N, 1, 1, 70);
    for (int64_t i = 0; i < N; i++) {
        d.value[i] = i == 0 ? 0.0 : 3.0 * gp_test_uniform(&seed);
        d.uw[i] = i == 0 ? sqrt(N) : 0.0;
        d.uy[i] = sqrt(d.value[i] + 1.0) * gp_test_normal(&seed);
        for (int64_t j = 0; j < d.m; j++)
            d.ux[j * N + i] = gp_test_normal(&seed);
    }
    way how = {.exact = 1, .shards = 1};
    gp_result *result = run(&d, &how, NULL);
    for (int64_t j = 0; j < d.m; j++) {
        double xx = 0.0, xy = 0.0,
               yy = 0.0; /* W is zero but for the first eigenvalue: that one drops out */
        for (int64_t i = 1; i < N; i++) {
            double weight = 1.0 / (how.ratio[j] * d.value[i] + 1.0), x = d.ux[j * N + i];
            xx += weight * x * x;
            xy += weight * x * d.uy[i];
            yy += weight * d.uy[i] * d.uy[i];
        }
        assert_true(fabs(result[j].beta - xy / xx) < 1e-10 * result[j].se);
        assert_true(near(result[j].se, sqrt((yy - xy * xy / xx) / (N - 2) / xx), 1e-10));
    }
    free(result);
    free(how.ratio);
    dense_free(&d);
}

/* As in test_reml.c: a variant's likelihood has two maxima far from each other, and x decides which
 * is higher. */
static void the_higher_of_two_maxima_is_found(void **state) {
    (void)state;
    enum { N = 60, M = 24 };
    uint64_t seed = 26;
    int low = 0, high = 0;
    errors worst = {0};
    for (int second = 1; second <= 3; second++) {
        dense d = dense_new(N, 1, 1, M);
        for (int i = 0; i < N; i++) {
            int kind = i < 30 ? 0 : i < 60 - second ? 1 : 2;
            double k = kind == 0 ? 0.0 : kind == 1 ? 1e-4 : 3e3;
            double variance = kind == 0 ? 1.0 : kind == 1 ? 8.0 : 4.0;
            d.k[i * N + i] = d.value[i] = k;
            d.y[i] = d.uy[i] = sqrt(variance) * (i % 2 ? 0.9 : -1.1);
            d.uw[i] = 1.0;
            for (int j = 0; j < M; j++)
                d.x[j * N + i] = d.ux[j * N + i] =
                    gp_test_normal(&seed) + 0.5 * (j % 3) * (kind == 2) * d.y[i];
        }
        way how = {.exact = 1, .shards = 2};
        gp_result *result = run(&d, &how, NULL);
        compare(&d, result, how.ratio, &worst);
        assert_true(how.rounds > 1);
        for (int j = 0; j < M; j++) {
            low += how.ratio[j] < 1.0;
            high += how.ratio[j] > 1.0;
        }
        free(result);
        free(how.ratio);
        dense_free(&d);
    }
    print_message("%d low, %d high; beta %.2g, se %.2g, likelihood below %.2g\n", low, high,
                  worst.beta, worst.se, worst.below);
    assert_true(low > 0 && high > 0);
    assert_true(worst.below < 1e-9 && worst.t < 1e-4);
    /* with weights from 1 to 1e-8 the oracle itself is good to less */
    assert_true(worst.beta < 1e-7 && worst.se < 1e-7);
}

/* The likelihood but for a constant, by elimination in the sums of w1, w2, x, y. */
static double direct(const dense *d, double t, const double *x, const double *y) {
    double s[4][4] = {{0}}, logdet = 0.0;
    for (int64_t i = 0; i < d->n; i++) {
        double e = exp(t) * d->value[i];
        const double v[4] = {d->uw[i], d->uw[d->n + i], x[i], y[i]};
        logdet += log1p(e);
        for (int a = 0; a < 4; a++)
            for (int b = 0; b <= a; b++)
                s[a][b] += v[a] * v[b] / (e + 1.0);
    }
    for (int k = 0; k < 3; k++) {
        logdet += log(s[k][k]);
        for (int a = k + 1; a < 4; a++)
            for (int b = k + 1; b <= a; b++)
                s[a][b] -= s[a][k] * s[b][k] / s[k][k];
    }
    return -0.5 * (logdet + (double)(d->n - 3) * log(s[3][3]));
}

/* Eigenvalues over many orders of magnitude, and traits and variants that follow them by two
 * different ratios: several maxima are common. One that none of the points searched tells of may
 * stay hidden: some 1 in 2000 here. */
static void rough_likelihoods_are_searched_well(void **state) {
    (void)state;
    uint64_t seed = 31;
    int missed = 0, total = 0, rounds = 0;
    for (int k = 0; k < 120; k++) {
        dense d = dense_new(15 + gp_test_below(&seed, 45), 2, 1 + gp_test_below(&seed, 4), 6);
        double scale = 6.0 * gp_test_uniform(&seed);
        for (int64_t i = 0; i < d.n; i++)
            d.value[i] = i == 0 ? 0.0 : exp(scale * gp_test_normal(&seed));
        for (int64_t i = 0; i < 2 * d.n; i++)
            d.uw[i] = 1.0 + gp_test_normal(&seed);
        for (int64_t t = 0; t < d.p; t++) {
            double one = exp(6.0 * gp_test_normal(&seed)), other = exp(6.0 * gp_test_normal(&seed));
            for (int64_t i = 0; i < d.n; i++)
                d.uy[t * d.n + i] =
                    sqrt(1.0 + (gp_test_uniform(&seed) < 0.5 ? one : other) * d.value[i]) *
                    gp_test_normal(&seed);
        }
        for (int64_t i = 0; i < d.m * d.n; i++)
            d.ux[i] =
                gp_test_normal(&seed) * sqrt(gp_test_uniform(&seed) < 0.5 ? 1.0 : d.value[i % d.n]);
        way how = {.exact = 1, .shards = 1};
        gp_result *result = run(&d, &how, NULL);
        for (int64_t i = 0; i < d.m * d.p; i++) {
            const double *x = d.ux + i / d.p * d.n, *y = d.uy + i % d.p * d.n;
            double end = log(GP_REML_MOST), most = -INFINITY;
            for (int g = 0; g <= 120; g++)
                most = fmax(most, direct(&d, -end + g * end / 60.0, x, y));
            assert_int_equal(result[i].status, GP_STATUS_OK);
            missed += direct(&d, log(how.ratio[i]), x, y) < most - 1e-7;
            total++;
        }
        rounds += how.rounds;
        free(result);
        free(how.ratio);
        dense_free(&d);
    }
    print_message("%d of %d missed; %d rounds for 120 blocks\n", missed, total, rounds);
    assert_true(missed <= 1);
    assert_true(rounds > 160 && rounds < 400); /* no more than are needed */
}

static void expect(const gp_result *r, gp_status status) {
    assert_int_equal(r->status, status);
    assert_true(isnan(r->beta) && isnan(r->se) && isnan(r->statistic) && isnan(r->neglog10p));
}

static void every_reason_for_no_number_has_its_status(void **state) {
    (void)state;
    uint64_t seed = 27;
    const double h2[2] = {0.5, 0.5};
    enum { M = 6 };
    dense d = dense_draw(40, 3, 2, M, h2, &seed);
    for (int64_t i = 0; i < d.n; i++) {
        d.x[i] = NAN; /* not called at all: no mean */
        d.x[d.n + i] = 2.0;
        d.x[2 * d.n + i] = 1.0 + 2.0 * d.w[d.n + i] - 0.3 * d.w[2 * d.n + i];
        d.x[3 * d.n + i] = d.w[d.n + i] + (i == 7 ? 1e-2 : 0.0); /* nearly */
    }
    dense_rotate(&d);
    gp_lmm_site site[M] = {{0, NAN, 0},  {40, 1.0, 1}, {40, 0.5, 0},
                           {39, 0.4, 0}, {40, 0.3, 0}, {40, 0.2, 0}};
    for (int exact = 0; exact <= 1; exact++) {
        way how = {.exact = exact, .shards = 2};
        gp_result *r = run(&d, &how, site);
        for (int t = 0; t < 2; t++) {
            expect(&r[t], GP_STATUS_ALL_MISSING);
            assert_true(isnan(r[t].frequency));
            expect(&r[2 + t], GP_STATUS_CONSTANT);
            assert_true(r[2 + t].frequency == 1.0);
            expect(&r[4 + t], GP_STATUS_COLLINEAR);
            assert_true(isnan(how.ratio[4 + t]));
            for (int j = 3; j < M; j++) {
                assert_int_equal(r[2 * j + t].status, GP_STATUS_OK);
                assert_int_equal(r[2 * j + t].n, 40);
                assert_true(r[2 * j + t].frequency == site[j].frequency);
            }
        }
        free(r);
        free(how.ratio);
    }
    dense_free(&d);
    const double half = 0.5;
    d = dense_draw(4, 3, 1, 2, &half, &seed);
    for (int exact = 0; exact <= 1; exact++) {
        way how = {.exact = exact, .shards = 1};
        gp_result *r = run(&d, &how, NULL);
        assert_int_equal(how.rounds, 0);
        expect(&r[0], GP_STATUS_FEW_SAMPLES);
        free(r);
        free(how.ratio);
    }
    dense_free(&d);
}

static void a_perfect_fit_gives_finite_numbers(void **state) {
    (void)state;
    uint64_t seed = 28;
    const double h2 = 0.5;
    dense d = dense_draw(40, 2, 1, 3, &h2, &seed);
    for (int64_t i = 0; i < d.n; i++)
        d.y[i] = 3.0 - 0.5 * d.x[i] + d.w[d.n + i];
    dense_rotate(&d);
    for (int exact = 0; exact <= 1; exact++) {
        way how = {.exact = exact, .shards = 1};
        gp_result *r = run(&d, &how, NULL);
        for (int j = 0; j < 3; j++) {
            assert_int_equal(r[j].status, GP_STATUS_OK);
            assert_true(isfinite(r[j].neglog10p) && r[j].se > 0.0);
        }
        assert_true(near(r[0].beta, -0.5, 1e-9) && r[0].neglog10p > 100.0);
        free(r);
        free(how.ratio);
    }
    dense_free(&d);
}

static void a_trait_that_cannot_be_fitted_is_named(void **state) {
    (void)state;
    uint64_t seed = 29;
    const double h2[3] = {0.5, 0.5, 0.5};
    dense d = dense_draw(30, 2, 3, 1, h2, &seed);
    for (int64_t i = 0; i < d.n; i++)
        d.uy[d.n + i] = d.uy[2 * d.n + i] = d.uw[i];
    gp_lmm_input in = {d.n, d.c, d.p, d.value, d.uw, d.uy, d.mine, d.n, 1};
    gp_err err = {0};
    assert_null(gp_lmm_new(&in, &err));
    assert_int_equal(err.code, GP_EINPUT);
    assert_non_null(strstr(err.text, "trait 2: "));
    dense_free(&d);
}

static int make_and_test(void *context, gp_err *err) {
    const dense *d = context;
    way how = {.exact = d->c == 2, .shards = 1};
    gp_result result[40];
    return test(d, &how, NULL, result, err);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    uint64_t seed = 30;
    const double h2[2] = {0.5, 0.1};
    for (int64_t c = 1; c <= 2; c++) {
        dense d = dense_draw(30, c, 2, 3, h2, &seed);
        assert_true(gp_test_fail_each(make_and_test, &d) > 20);
        dense_free(&d);
    }
}

/* Polynomials of degree 15 and less are their own interpolants. */
static void polynomials_are_interpolated_and_their_maxima_found(void **state) {
    (void)state;
    gp_chebyshev c;
    gp_chebyshev_init(&c);
    double f[GP_CHEBYSHEV], weight[GP_CHEBYSHEV], x[GP_CHEBYSHEV + 2], sum = 0.0;
    for (int k = 0; k < GP_CHEBYSHEV; k++)
        f[k] = pow(c.point[k] - 0.2, 15) + c.point[k];
    gp_chebyshev_weights(&c, 0.7, weight);
    for (int k = 0; k < GP_CHEBYSHEV; k++)
        sum += weight[k] * f[k];
    assert_true(near(sum, pow(0.5, 15) + 0.7, 1e-13));
    assert_int_equal(gp_chebyshev_maxima(&c, f, x), 1); /* rises throughout */
    assert_true(x[0] == 1.0);
    for (int k = 0; k < GP_CHEBYSHEV; k++)
        f[k] = -pow(c.point[k], 5) / 5 + pow(c.point[k], 4) / 2 + 0.3 * pow(c.point[k], 3);
    /* f' = -x^4 + 2 x^3 + 0.9 x^2 = -x^2 (x^2 - 2 x - 0.9): falls to x = 1 - sqrt(1.9), then rises
     */
    assert_int_equal(gp_chebyshev_maxima(&c, f, x), 2);
    assert_true(x[0] == -1.0 && x[1] == 1.0);
    for (int k = 0; k < GP_CHEBYSHEV; k++)
        f[k] = -pow(c.point[k] * c.point[k] - 0.25, 2);
    assert_int_equal(gp_chebyshev_maxima(&c, f, x), 2);
    assert_true(near(x[0], -0.5, 1e-12) && near(x[1], 0.5, 1e-12));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_tests_agree_with_dense_matrices),
        cmocka_unit_test(fixed_tests_agree_with_dense_matrices),
        cmocka_unit_test(shards_of_eigenvalues_agree),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(many_samples_agree_with_direct_sums),
        cmocka_unit_test(the_higher_of_two_maxima_is_found),
        cmocka_unit_test(rough_likelihoods_are_searched_well),
        cmocka_unit_test(every_reason_for_no_number_has_its_status),
        cmocka_unit_test(a_perfect_fit_gives_finite_numbers),
        cmocka_unit_test(a_trait_that_cannot_be_fitted_is_named),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(polynomials_are_interpolated_and_their_maxima_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
