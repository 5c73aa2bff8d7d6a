/* Logistic regression's null model and score test: numbers by hand, Newton's method in long double,
 * a status for every reason, and what may not change the bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/logit.h"
#include "src/base/ids.h"
#include "src/base/tail.h"
#include "src/geno/count.h"
#include "tests/support/cohort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <float.h>
#include <omp.h>

enum { MOST = 12 /* columns */, SHARDS = 3 };
#define DIGEST 0xa8a62b8a6b247022u

static int near(double got, double want, double tolerance) {
    return fabs(got - want) <= tolerance * fmax(1.0, fabs(want));
}

static void set_calls(cohort *h, int64_t variant, const int *call) {
    for (int64_t i = 0; i < h->n; i++)
        gp_geno_set(h->rows + variant * h->stride, i, call[i]);
}

/* ---- the oracle, in long double: columns are the covariates as they came ---- */

typedef struct oracle {
    int64_t n, d;
    const int64_t *sample; /* their numbers in the store */
    long double *x;        /* [n x d] */
    long double *y, *offset;
    long double beta[MOST], loglik;
} oracle;

/* Solves a x = b by elimination with pivots; a is spoilt, b becomes x. Returns log|det a|. */
static long double solve(int64_t d, long double *a, long double *b) {
    long double log_det = 0.0L;
    for (int64_t j = 0; j < d; j++) {
        int64_t best = j;
        for (int64_t i = j + 1; i < d; i++)
            if (fabsl(a[i * d + j]) > fabsl(a[best * d + j]))
                best = i;
        for (int64_t k = 0; k < d; k++) {
            long double swap = a[j * d + k];
            a[j * d + k] = a[best * d + k];
            a[best * d + k] = swap;
        }
        long double swap = b[j];
        b[j] = b[best];
        b[best] = swap;
        log_det += logl(fabsl(a[j * d + j]));
        for (int64_t i = 0; i < d; i++) {
            long double factor = i == j ? 0.0L : a[i * d + j] / a[j * d + j];
            for (int64_t k = j; k < d; k++)
                a[i * d + k] -= factor * a[j * d + k];
            b[i] -= factor * b[j];
        }
    }
    for (int64_t j = 0; j < d; j++)
        b[j] /= a[j * d + j];
    return log_det;
}

static long double mu_at(const oracle *o, const long double *beta, int64_t i) {
    long double odds = o->offset[i];
    for (int64_t k = 0; k < o->d; k++)
        odds += beta[k] * o->x[i * o->d + k];
    return 1.0L / (1.0L + expl(-odds));
}

static void information_at(const oracle *o, const long double *beta, long double *to) {
    memset(to, 0, (size_t)(o->d * o->d) * sizeof *to);
    for (int64_t i = 0; i < o->n; i++) {
        long double mu = mu_at(o, beta, i);
        for (int64_t j = 0; j < o->d; j++)
            for (int64_t k = 0; k < o->d; k++)
                to[j * o->d + k] += mu * (1 - mu) * o->x[i * o->d + j] * o->x[i * o->d + k];
    }
}

/* x' information^-1 x of a sample. */
static long double spread_of(const oracle *o, const long double *information, int64_t i) {
    long double a[MOST * MOST], b[MOST], sum = 0.0L;
    memcpy(a, information, sizeof a);
    memcpy(b, o->x + i * o->d, (size_t)o->d * sizeof *b);
    solve(o->d, a, b);
    for (int64_t k = 0; k < o->d; k++)
        sum += b[k] * o->x[i * o->d + k];
    return sum;
}

/* The log-likelihood, with Firth's penalty; and the step up. */
static long double climb(const oracle *o, const long double *beta, int firth, long double *step) {
    long double information[MOST * MOST], spoilt[MOST * MOST], height = 0.0L;
    information_at(o, beta, information);
    memset(step, 0, MOST * sizeof *step);
    for (int64_t i = 0; i < o->n; i++) {
        long double mu = mu_at(o, beta, i), r = o->y[i] - mu;
        height += o->y[i] > 0.5L ? logl(mu) : log1pl(-mu);
        if (firth)
            r += mu * (1 - mu) * spread_of(o, information, i) * (0.5L - mu);
        for (int64_t k = 0; k < o->d; k++)
            step[k] += r * o->x[i * o->d + k];
    }
    memcpy(spoilt, information, sizeof spoilt);
    long double log_det = solve(o->d, spoilt, step);
    return height + (firth ? log_det / 2 : 0.0L);
}

/* From where beta is. */
static void fit(oracle *o, int firth) {
    long double step[MOST], trial[MOST], next[MOST];
    long double height = climb(o, o->beta, firth, step);
    for (int round = 0; round < 200; round++) {
        long double size = 0.0L, share = 1.0L, there = 0.0L;
        for (int half = 0; half < 60; half++, share /= 2) {
            for (int64_t k = 0; k < o->d; k++)
                trial[k] = o->beta[k] + share * step[k];
            there = climb(o, trial, firth, next);
            if (there >= height - 1e-12L)
                break;
        }
        memcpy(o->beta, trial, sizeof trial);
        memcpy(step, next, sizeof next);
        height = there;
        for (int64_t k = 0; k < o->d; k++)
            size += fabsl(step[k]);
        if (size < 1e-15L)
            break;
    }
    o->loglik = height;
}

static oracle oracle_new(const cohort *h, const double *offset) {
    oracle o = {.n = h->used, .d = h->c + 1, .sample = h->sample};
    o.x = cohort_room(o.n * o.d, sizeof *o.x);
    o.y = cohort_room(o.n, sizeof *o.y);
    o.offset = cohort_room(o.n, sizeof *o.offset);
    for (int64_t i = 0; i < o.n; i++) {
        o.x[i * o.d] = 1.0L;
        for (int64_t k = 0; k < h->c; k++)
            o.x[i * o.d + k + 1] = h->x[k * h->n + h->sample[i]];
        o.y[i] = h->y[h->sample[i]];
        o.offset[i] = offset[h->sample[i]];
    }
    return o;
}

static void oracle_free(oracle *o) {
    free(o->x);
    free(o->y);
    free(o->offset);
}

/* U and V by their definition, for the null model that o has. */
static void score_of(const oracle *o, const cohort *h, int64_t variant, int exact, long double *u,
                     long double *v) {
    long double called = 0, copies = 0, matrix[MOST * MOST] = {0}, for_g[MOST] = {0};
    for (int64_t i = 0; i < o->n; i++) {
        int call = cohort_call(h, variant, o->sample[i]);
        called += call != GP_GENO_MISSING;
        copies += call == GP_GENO_MISSING ? 0 : call;
    }
    for (int pass = 0; pass < 2; pass++) {
        *u = *v = 0.0L;
        for (int64_t i = 0; i < o->n; i++) {
            const long double *x = o->x + i * o->d;
            int call = cohort_call(h, variant, o->sample[i]);
            long double g = call == GP_GENO_MISSING ? copies / called : call,
                        mu = mu_at(o, o->beta, i), w = mu * (1 - mu);
            if (exact && call == GP_GENO_MISSING)
                continue;
            for (int64_t j = 0; j < o->d && pass == 0; j++) {
                for_g[j] += w * g * x[j];
                for (int64_t k = 0; k < o->d; k++)
                    matrix[j * o->d + k] += w * x[j] * x[k];
            }
            for (int64_t j = 0; j < o->d && pass == 1; j++)
                g -= for_g[j] * x[j];
            *u += (o->y[i] - mu) * g;
            *v += w * g * g;
        }
        if (pass == 0)
            solve(o->d, matrix, for_g);
    }
}

/* ---- a cohort's models ---- */

/* What a shard has. */
typedef struct shard {
    gp_logit_rows rows;
    double *y, *offset;
    cohort_calls calls;
} shard;

static double *spread(const gp_logit_rows *rows, const cohort *h, const double *x) {
    double *picked = cohort_room(h->used, sizeof *picked),
           *to = cohort_room(rows->groups * GP_GENO_GROUP, sizeof *to);
    cohort_pick(h, x, picked);
    gp_logit_rows_spread(rows, h->sample, picked, to);
    free(picked);
    return to;
}

static void shard_make(shard *s, const cohort *h, const cohort_design *d, const double *offset,
                       int64_t shards, int64_t number) {
    gp_err err = {0};
    gp_linear_input linear = cohort_input(h, d, 1, shards, number);
    gp_logit_rows_input in = {.n = h->used,
                              .sample = h->sample,
                              .covariates = d->rank,
                              .basis = d->basis,
                              .first = linear.first,
                              .samples = linear.samples};
    *s = (shard){0};
    assert_int_equal(gp_logit_rows_init(&s->rows, &in, &err), GP_OK);
    s->y = spread(&s->rows, h, h->y);
    s->offset = spread(&s->rows, h, offset);
    cohort_view(h, in.first, in.samples, &s->calls);
}

static void shard_free(shard *s) {
    gp_logit_rows_free(&s->rows);
    free(s->y);
    free(s->offset);
}

/* A whole analysis of a cohort, which keeps all that tests look at. */
typedef struct run {
    gp_logit_null null;
    gp_result *result; /* [m] */
    int64_t *sums;     /* [m x width], over all shards */
    int64_t cells;
    double *odds, *firth; /* [n] of all store samples */
    double *start;        /* [m x d x d] */
    int *separated;       /* [m] */
} run;

static void run_free(run *r) {
    gp_logit_null_free(&r->null);
    free(r->result);
    free(r->sums);
    free(r->odds);
    free(r->firth);
    free(r->start);
    free(r->separated);
}

/* Shards that are threads of one process meet here. */
typedef struct meeting {
    int64_t *part; /* [SHARDS x 1000] */
    int64_t shards;
} meeting;

typedef struct seat {
    meeting *at;
    int64_t number;
} seat;

static int meet(void *context, int64_t *x, int64_t count, gp_err *err) {
    const seat *s = context;
    (void)err;
    memcpy(s->at->part + s->number * 1000, x, (size_t)count * sizeof *x);
#pragma omp barrier
    memset(x, 0, (size_t)count * sizeof *x);
    for (int64_t k = 0; k < s->at->shards; k++)
        for (int64_t i = 0; i < count; i++)
            x[i] += s->at->part[k * 1000 + i];
#pragma omp barrier
    return GP_OK;
}

/* Fits the null model over shards, and asserts that all of them find the same. */
static void fit_null(shard *s, int64_t shards, gp_logit_null *null) {
    gp_logit_null found[SHARDS] = {{0}};
    gp_err err[SHARDS] = {{0}};
    meeting at = {cohort_room(SHARDS * 1000, sizeof(int64_t)), shards};
    if (shards == 1)
        gp_logit_null_fit(found, &s->rows, s->y, s->offset, NULL, err);
    else {
#pragma omp parallel num_threads((int)shards)
        {
            int64_t k = omp_get_thread_num();
            seat mine = {&at, k};
            gp_logit_adder adder = {meet, &mine};
            gp_logit_null_fit(found + k, &s[k].rows, s[k].y, s[k].offset, &adder, err + k);
        }
    }
    size_t c = (size_t)s->rows.c;
    for (int64_t k = 0; k < shards; k++) {
        assert_int_equal(err[k].code, GP_OK);
        assert_int_equal(found[k].status, found[0].status);
        assert_memory_equal(found[k].beta, found[0].beta, c * sizeof(double));
        assert_memory_equal(found[k].information, found[0].information, c * c * sizeof(double));
        assert_memory_equal(found[k].firth, found[0].firth, c * sizeof(double));
        assert_true(found[k].loglik == found[0].loglik && found[k].cases == found[0].cases);
        if (k > 0)
            gp_logit_null_free(found + k);
    }
    *null = found[0];
    free(at.part);
}

static gp_logit *model_of(const shard *s, const gp_logit_null *null, int exact, int64_t keep) {
    gp_err err = {0};
    gp_logit_input in = {.rows = &s->rows, .y = s->y, .exact = exact, .keep = keep};
    gp_logit *model = gp_logit_new(&in, &err);
    assert_non_null(model);
    assert_int_equal(gp_logit_set(model, null, s->offset, &err), GP_OK);
    return model;
}

/* Adds a model's sums of all variants to a run's. */
static void add_sums(const cohort *h, gp_logit *model, const gp_calls *calls, run *r) {
    r->cells = h->m * gp_logit_score_width(model);
    if (r->sums == NULL)
        r->sums = cohort_room(r->cells, sizeof *r->sums);
    int64_t *sums = cohort_room(r->cells, sizeof *sums);
    memset(sums, 0x55, (size_t)r->cells * sizeof *sums); /* all of it has to be written */
    gp_logit_score_sums(model, calls, sums);
    for (int64_t k = 0; k < r->cells; k++)
        r->sums[k] += sums[k];
    free(sums);
}

static void test_all(const cohort *h, gp_logit *model, run *r) {
    int64_t d = gp_logit_rows_of(model)->c + 1, *all = cohort_room(h->m, sizeof *all);
    r->result = cohort_room(h->m, sizeof *r->result);
    r->start = cohort_room(h->m * d * d, sizeof *r->start);
    r->separated = cohort_room(h->m, sizeof *r->separated);
    for (int64_t j = 0; j < h->m; j++) {
        gp_logit_start start = {.information = r->start + j * d * d};
        all[j] = j;
        gp_logit_start_at(model, r->sums, h->m, j, &start);
        assert_int_equal(start.variant, j);
        r->separated[j] = start.separated;
    }
    gp_logit_score(model, r->sums, h->m, all, h->m, r->result, 1);
    free(all);
}

static run run_all(const cohort *h, const double *offset, int exact, int64_t shards) {
    shard s[SHARDS];
    run r = {0};
    cohort_design d = cohort_prepare(h);
    for (int64_t k = 0; k < shards; k++)
        shard_make(s + k, h, &d, offset, shards, k);
    fit_null(s, shards, &r.null);
    r.odds = cohort_room(h->n + GP_GENO_GROUP, sizeof *r.odds);
    r.firth = cohort_room(h->n + GP_GENO_GROUP, sizeof *r.firth);
    for (int64_t k = 0; k < shards && r.null.status == GP_STATUS_OK; k++) {
        gp_logit *model = model_of(s + k, &r.null, exact, 0);
        size_t samples = (size_t)s[k].rows.samples;
        memcpy(r.odds + s[k].rows.first, gp_logit_odds_of(model), samples * sizeof *r.odds);
        memcpy(r.firth + s[k].rows.first, gp_logit_firth_odds_of(model), samples * sizeof(double));
        add_sums(h, model, &s[k].calls.calls, &r);
        if (k == shards - 1)
            test_all(h, model, &r);
        gp_logit_free(model);
    }
    for (int64_t k = 0; k < shards; k++)
        shard_free(s + k);
    cohort_design_free(&d);
    return r;
}

static double *no_offset(const cohort *h) {
    return cohort_room(h->n, sizeof(double));
}

static int same_bits(const gp_result *a, const gp_result *b) {
    return cohort_same(a, b) && a->test == b->test && a->cases == b->cases &&
           memcmp(&a->frequency_cases, &b->frequency_cases, sizeof(double)) == 0 &&
           memcmp(&a->frequency_controls, &b->frequency_controls, sizeof(double)) == 0;
}

/* Some samples are out of use, some calls missing; covariates of several kinds. */
static cohort draw(int64_t n, int64_t m, int64_t c, double cases, uint64_t *seed) {
    cohort h = cohort_new(n, m, c, 1);
    h.used = 0;
    for (int64_t i = 0; i < n; i++)
        if (gp_test_below(seed, 10) > 0)
            h.sample[h.used++] = i;
    for (int64_t j = 0; j < m; j++) {
        double f = gp_test_uniform(seed), missing = j % 3 ? 0.2 * gp_test_uniform(seed) : 0.0;
        for (int64_t i = 0; i < n; i++) {
            int call = (gp_test_uniform(seed) < f) + (gp_test_uniform(seed) < f);
            gp_geno_set(h.rows + j * h.stride, i,
                        gp_test_uniform(seed) < missing ? GP_GENO_MISSING : call);
        }
    }
    for (int64_t k = 0; k < c * n; k++)
        h.x[k] = (k / n) % 2 ? 50.0 + 10.0 * gp_test_normal(seed) : (double)gp_test_below(seed, 2);
    for (int64_t i = 0; i < n; i++) {
        double odds = log(cases / (1.0 - cases)) + (c > 1 ? 0.05 * (h.x[n + i] - 50.0) : 0.0) +
                      0.4 * (cohort_call(&h, 0, i) % 3);
        h.y[i] = gp_test_uniform(seed) * (1.0 + exp(-odds)) < 1.0;
    }
    return h;
}

static double *draw_offset(const cohort *h, double scale, uint64_t *seed) {
    double *offset = no_offset(h);
    for (int64_t i = 0; i < h->n; i++)
        offset[i] = scale * gp_test_normal(seed);
    return offset;
}

/* ---- numbers by hand ---- */

/* Three cases of ten: the intercept is log(3 / 7), and log(3.5 / 7.5) by Firth's likelihood, which
 * for one column adds half a case and half a control. */
static void an_intercept_by_hand(void **state) {
    (void)state;
    cohort h = cohort_new(10, 1, 0, 1);
    double *offset = no_offset(&h);
    h.y[1] = h.y[4] = h.y[9] = 1.0;
    run r = run_all(&h, offset, 1, 1);
    assert_int_equal(r.null.status, GP_STATUS_OK);
    assert_int_equal(r.null.cases, 3);
    assert_int_equal(r.null.controls, 7);
    assert_true(near(r.null.beta[0], log(3.0 / 7), 1e-11)); /* sums are good to 2^-43 */
    assert_true(near(r.null.firth[0], log(3.5 / 7.5), 1e-9));
    assert_true(near(r.null.information[0], 2.1, 1e-11));
    assert_true(near(r.null.loglik, 3 * log(0.3) + 7 * log(0.7), 1e-11));
    run_free(&r);
    /* An offset is taken from the intercept. */
    for (int64_t i = 0; i < h.n; i++)
        offset[i] = 4.5;
    r = run_all(&h, offset, 1, 1);
    assert_true(near(r.null.beta[0], log(3.0 / 7) - 4.5, 1e-11));
    assert_true(near(r.null.firth[0], log(3.5 / 7.5) - 4.5, 1e-9));
    assert_true(near(r.odds[5], log(3.0 / 7), 1e-11) && near(r.firth[5], log(3.5 / 7.5), 1e-9));
    run_free(&r);
    free(offset);
    cohort_free(&h);
}

/* A covariate of two groups, 2 cases of 6 and 5 of 8: log odds are those of the groups; Firth's add
 * a half to each of the four counts. */
static void two_groups_by_hand(void **state) {
    (void)state;
    cohort h = cohort_new(14, 1, 1, 1);
    double *offset = no_offset(&h);
    for (int64_t i = 0; i < 14; i++) {
        h.x[i] = i < 6 ? 3.0 : 7.0;
        h.y[i] = i < 2 || (i >= 6 && i < 11);
    }
    run r = run_all(&h, offset, 1, 1);
    assert_true(near(r.odds[0], log(2.0 / 4), 1e-11) && near(r.odds[13], log(5.0 / 3), 1e-11));
    assert_true(near(r.firth[0], log(2.5 / 4.5), 1e-9)); /* the last step */
    assert_true(near(r.firth[13], log(5.5 / 3.5), 1e-9));
    run_free(&r);
    free(offset);
    cohort_free(&h);
}

/* Without covariates: U = sum of (y - 3/8) g, V = 3/8 5/8 sum of (g - 1)^2. g of cases 2 2 1, of
 * controls 0 0 1 0 2: U = 5 - 3 = 2, sum of squares about 1 is 6, V = 90/64. */
static void a_score_by_hand(void **state) {
    (void)state;
    cohort h = cohort_new(8, 1, 0, 1);
    double *offset = no_offset(&h);
    memcpy(h.y, (const double[]){1, 1, 1, 0, 0, 0, 0, 0}, 8 * sizeof(double));
    set_calls(&h, 0, (const int[]){2, 2, 1, 0, 0, 1, 0, 2});
    for (int exact = 0; exact <= 1; exact++) {
        run r = run_all(&h, offset, exact, 1);
        const gp_result *g = r.result;
        assert_int_equal(g->status, GP_STATUS_OK);
        assert_int_equal(g->test, GP_TEST_SCORE);
        assert_int_equal(g->n, 8);
        assert_int_equal(g->cases, 3);
        assert_true(g->frequency == 0.5 && g->frequency_cases == 5.0 / 6);
        assert_true(g->frequency_controls == 0.3);
        assert_true(near(g->beta, 2 / (90.0 / 64), 1e-11));
        assert_true(near(g->se, sqrt(64.0 / 90), 1e-11));
        assert_true(near(g->statistic, 2 / sqrt(90.0 / 64), 1e-11));
        assert_true(near(g->neglog10p, gp_t_neglog10p(2 / sqrt(90.0 / 64), INFINITY), 1e-11));
        assert_false(r.separated[0]);
        run_free(&r);
    }
    free(offset);
    cohort_free(&h);
}

/* The same, the last control not called. On complete cases r stays as the null model of all eight
 * has it: over the seven, mean 6/7, U = 3.125 - 5/8 - (6/7)(3 5/8 - 4 3/8), V = 15/64 (10 - 36/7).
 * With the mean in its place U = 5 - 3/8 (6 + 6/7), V = 15/64 (10 + 36/49 - (48/7)^2 / 8). */
static void a_missing_call_by_hand(void **state) {
    (void)state;
    cohort h = cohort_new(8, 1, 0, 1);
    double *offset = no_offset(&h);
    memcpy(h.y, (const double[]){1, 1, 1, 0, 0, 0, 0, 0}, 8 * sizeof(double));
    set_calls(&h, 0, (const int[]){2, 2, 1, 0, 0, 1, 0, 3});
    run r = run_all(&h, offset, 1, 1);
    double u = 5 - 3.0 / 8 * 6 - 6.0 / 7 * (3 * 5.0 / 8 - 4 * 3.0 / 8),
           v = 15.0 / 64 * (10 - 36.0 / 7);
    assert_int_equal(r.result->n, 7);
    assert_true(near(r.result->beta, u / v, 1e-11) && near(r.result->se, 1 / sqrt(v), 1e-11));
    assert_true(r.result->frequency_controls == 0.125);
    run_free(&r);
    r = run_all(&h, offset, 0, 1);
    u = 5 - 3.0 / 8 * (6 + 6.0 / 7);
    v = 15.0 / 64 * (10 + 36.0 / 49 - 48.0 / 7 * (48.0 / 7) / 8);
    assert_int_equal(r.result->n, 8);
    assert_int_equal(r.result->cases, 3);
    assert_true(near(r.result->beta, u / v, 1e-11) && near(r.result->se, 1 / sqrt(v), 1e-11));
    assert_true(r.result->frequency_controls == 0.125);
    run_free(&r);
    free(offset);
    cohort_free(&h);
}

/* ---- against the oracle ---- */

static void expect_information(const oracle *o, const cohort *h, const run *r, int64_t j,
                               int exact) {
    int64_t d = h->c + 2;
    const double *information = r->start + j * d * d;
    long double inner[MOST * MOST], a[MOST], u, v, gg = information[d * d - 1];
    for (int64_t i = 0; i < d - 1; i++) {
        a[i] = information[i * d + d - 1];
        assert_true(information[i * d + d - 1] == information[(d - 1) * d + i]);
        for (int64_t k = 0; k < d - 1; k++)
            inner[i * (d - 1) + k] = information[i * d + k];
    }
    solve(d - 1, inner, a);
    for (int64_t i = 0; i < d - 1; i++)
        gg -= a[i] * information[i * d + d - 1];
    score_of(o, h, j, exact, &u, &v);
    assert_true(near((double)gg, (double)v, 1e-9)); /* columns are good to 2^-41 */
}

/* Returns the largest difference of z. */
static double compare(const cohort *h, const double *offset, int exact, double tolerance) {
    run r = run_all(h, offset, exact, 1);
    oracle o = oracle_new(h, offset);
    double worst = 0.0;
    assert_int_equal(r.null.status, GP_STATUS_OK);
    o.beta[0] = logl((long double)r.null.cases / r.null.controls);
    fit(&o, 0);
    assert_true(near(r.null.loglik, (double)o.loglik, 1e-10)); /* terms are good to 2^-36 */
    for (int64_t i = 0; i < o.n; i++) {
        long double mu = mu_at(&o, o.beta, i);
        assert_true(near(r.odds[h->sample[i]], (double)(logl(mu) - log1pl(-mu)), 1e-9)); /* steps */
    }
    for (int64_t j = 0; j < h->m; j++) {
        long double u, v;
        if (r.result[j].status != GP_STATUS_OK)
            continue;
        score_of(&o, h, j, exact, &u, &v);
        double off = fabs(r.result[j].statistic - (double)(u / sqrtl(v)));
        worst = fmax(worst, off / fmax(1.0, fabs(r.result[j].statistic)));
        assert_true(off <= tolerance * fmax(1.0, fabs(r.result[j].statistic)));
        assert_true(near(r.result[j].se, (double)(1 / sqrtl(v)), tolerance));
        assert_true(near(r.result[j].beta * sqrt((double)v), (double)(u / sqrtl(v)), tolerance));
        expect_information(&o, h, &r, j, exact);
    }
    fit(&o, 1);
    for (int64_t i = 0; i < o.n; i++) {
        long double mu = mu_at(&o, o.beta, i);
        assert_true(
            near(r.firth[h->sample[i]], (double)(logl(mu) - log1pl(-mu)), 1e-8)); /* asked */
    }
    oracle_free(&o);
    run_free(&r);
    return worst;
}

static void numbers_are_those_of_newton_in_long_double(void **state) {
    (void)state;
    uint64_t seed = 51;
    const double cases[] = {0.5, 0.1, 0.03};
    const int64_t samples[] = {200, 700, 1500}, covariates[] = {0, 3, 8};
    double worst = 0.0;
    for (int k = 0; k < 6; k++) {
        cohort h = draw(samples[k % 3], 25, covariates[(k + 1) % 3], cases[k / 2], &seed);
        double *offset = draw_offset(&h, k % 2 ? 0.7 : 0.0, &seed);
        for (int exact = 0; exact <= 1; exact++)
            worst = fmax(worst, compare(&h, offset, exact, 1e-9)); /* columns: 2^-48; the step */
        free(offset);
        cohort_free(&h);
    }
    print_message("z is off by %.1e at most\n", worst);
}

/* Fixed point with fewer bits above 8192 samples. */
static void numbers_of_a_large_cohort_are_right(void **state) {
    (void)state;
    uint64_t seed = 52;
    cohort h = draw(9500, 12, 3, 0.01, &seed);
    double *offset = draw_offset(&h, 0.5, &seed);
    double worst = 0.0;
    for (int exact = 0; exact <= 1; exact++)
        worst = fmax(worst, compare(&h, offset, exact, 1e-8)); /* columns: 2^-41 */
    print_message("z is off by %.1e at most\n", worst);
    free(offset);
    cohort_free(&h);
}

/* Log odds from -15 to 15 make r / w^(1/2) of up to e^7.5, far and near. */
static void unlikely_samples_are_not_lost(void **state) {
    (void)state;
    uint64_t seed = 53;
    cohort h = draw(900, 20, 2, 0.4, &seed);
    double *offset = no_offset(&h);
    for (int64_t i = 0; i < h.n; i++)
        if (i % 50 == 0)
            offset[i] = h.y[i] > 0.5 ? -15.0 : 15.0;
    for (int exact = 0; exact <= 1; exact++)
        print_message("z is off by %.1e at most\n", compare(&h, offset, exact, 1e-8)); /* asked */
    free(offset);
    cohort_free(&h);
}

/* A category of which a variant's missing calls leave nobody: as if it had not been given. */
static void a_covariate_without_called_samples_is_left_out(void **state) {
    (void)state;
    uint64_t seed = 54;
    cohort h = draw(600, 6, 2, 0.3, &seed);
    double *offset = no_offset(&h);
    for (int64_t i = 0; i < h.n; i++) {
        h.x[i] = i % 60 == 7;
        h.y[i] = i % 60 == 7 ? i % 120 == 7 : h.y[i];
        for (int64_t j = 0; j < h.m; j++)
            if (i % 60 == 7)
                gp_geno_set(h.rows + j * h.stride, i, GP_GENO_MISSING);
    }
    run r = run_all(&h, offset, 1, 1);
    oracle o = oracle_new(&h, offset);
    fit(&o, 0);
    oracle rest = o; /* the null model of all, projections without the category */
    rest.x = cohort_room(o.n * 2, sizeof *rest.x);
    rest.offset = cohort_room(o.n, sizeof *rest.offset);
    rest.d = 2;
    memset(rest.beta, 0, sizeof rest.beta);
    for (int64_t i = 0; i < o.n; i++) {
        long double mu = mu_at(&o, o.beta, i);
        rest.offset[i] = logl(mu) - log1pl(-mu);
        rest.x[2 * i] = 1.0L;
        rest.x[2 * i + 1] = o.x[3 * i + 2];
    }
    for (int64_t j = 0; j < h.m; j++) {
        long double u, v;
        score_of(&rest, &h, j, 1, &u, &v);
        assert_int_equal(r.result[j].status, GP_STATUS_OK);
        assert_true(near(r.result[j].statistic, (double)(u / sqrtl(v)), 1e-8)); /* asked */
        assert_true(near(r.result[j].se, (double)(1 / sqrtl(v)), 1e-8));
    }
    free(rest.x);
    free(rest.offset);
    oracle_free(&o);
    run_free(&r);
    free(offset);
    cohort_free(&h);
}

/* ---- statuses ---- */

static void every_reason_for_no_number_has_its_status(void **state) {
    (void)state;
    enum { N = 10, M = 9 };
    cohort h = cohort_new(N, M, 1, 1);
    double *offset = no_offset(&h);
    memcpy(h.x, (const double[]){0, 1, 2, 0, 1, 2, 1, 1, 0, 2}, sizeof(double) * N);
    memcpy(h.y, (const double[]){1, 0, 1, 0, 1, 0, 1, 0, 0, 0}, sizeof(double) * N);
    set_calls(&h, 0, (const int[]){3, 3, 3, 3, 3, 3, 3, 3, 3, 3});
    set_calls(&h, 1, (const int[]){1, 1, 1, 1, 3, 1, 1, 1, 1, 1});
    set_calls(&h, 2, (const int[]){0, 1, 2, 0, 1, 2, 1, 1, 0, 2}); /* the covariate */
    set_calls(&h, 3, (const int[]){2, 1, 0, 2, 1, 3, 1, 1, 2, 0}); /* its opposite */
    set_calls(&h, 4, (const int[]){3, 0, 3, 1, 3, 2, 3, 0, 1, 0}); /* no case */
    set_calls(&h, 5, (const int[]){0, 3, 1, 3, 2, 3, 0, 3, 3, 3}); /* no control */
    set_calls(&h, 6, (const int[]){2, 0, 3, 3, 1, 3, 3, 3, 3, 3}); /* three: as many as columns */
    set_calls(&h, 7, (const int[]){2, 0, 2, 0, 2, 0, 1, 1, 0, 0}); /* separates, but for one 1 */
    set_calls(&h, 8, (const int[]){1, 1, 2, 0, 0, 0, 1, 0, 2, 3});
    const gp_status want[2][M] = {
        {GP_STATUS_ALL_MISSING, GP_STATUS_CONSTANT, GP_STATUS_COLLINEAR, GP_STATUS_OK, GP_STATUS_OK,
         GP_STATUS_OK, GP_STATUS_OK, GP_STATUS_OK, GP_STATUS_OK},
        {GP_STATUS_ALL_MISSING, GP_STATUS_CONSTANT, GP_STATUS_COLLINEAR, GP_STATUS_COLLINEAR,
         GP_STATUS_FEW_SAMPLES, GP_STATUS_FEW_SAMPLES, GP_STATUS_FEW_SAMPLES, GP_STATUS_OK,
         GP_STATUS_OK}};
    const int64_t n[M] = {0, 9, 10, 9, 6, 4, 3, 10, 9}, cases[M] = {0, 3, 4, 4, 0, 4, 2, 4, 4};
    for (int exact = 0; exact <= 1; exact++) {
        run r = run_all(&h, offset, exact, 1);
        for (int j = 0; j < M; j++) {
            const gp_result *g = r.result + j;
            assert_int_equal(g->status, want[exact][j]);
            assert_int_equal(g->n, exact ? n[j] : N);
            assert_int_equal(g->cases, exact ? cases[j] : 4);
            assert_int_equal(isnan(g->beta) != 0, g->status != GP_STATUS_OK);
            assert_int_equal(isnan(g->neglog10p) != 0, g->status != GP_STATUS_OK);
        }
        assert_true(isnan(r.result[0].frequency) && isnan(r.result[4].frequency_cases));
        assert_true(isnan(r.result[5].frequency_controls));
        assert_true(r.separated[7] && !r.separated[8] && !r.separated[2]);
        run_free(&r);
    }
    free(offset);
    cohort_free(&h);
}

/* Cases 1 1 2 and controls 0 0, one missing: with the mean 4/5 a missing control still lies below
 * every case, a missing case between. */
static void a_missing_call_may_end_separation(void **state) {
    (void)state;
    cohort h = cohort_new(8, 2, 0, 1);
    double *offset = no_offset(&h);
    memcpy(h.y, (const double[]){1, 1, 1, 0, 0, 0, 0, 1}, 8 * sizeof(double));
    set_calls(&h, 0, (const int[]){1, 1, 2, 0, 0, 1, 3, 2});
    set_calls(&h, 1, (const int[]){1, 1, 2, 0, 0, 1, 0, 3});
    run r = run_all(&h, offset, 1, 1);
    assert_true(r.separated[0] && r.separated[1]);
    run_free(&r);
    r = run_all(&h, offset, 0, 1);
    assert_true(r.separated[0] && !r.separated[1]);
    run_free(&r);
    free(offset);
    cohort_free(&h);
}

static gp_status null_status(const cohort *h, const double *offset) {
    shard s;
    gp_logit_null null = {0};
    gp_err err = {0};
    cohort_design d = cohort_prepare(h);
    shard_make(&s, h, &d, offset, 1, 0);
    assert_int_equal(gp_logit_null_fit(&null, &s.rows, s.y, s.offset, NULL, &err), GP_OK);
    gp_status status = null.status;
    gp_logit_null_free(&null);
    shard_free(&s);
    cohort_design_free(&d);
    return status;
}

/* Ways in which covariates may separate cases from controls, or nearly. */
enum { PERFECT, NARROW, TOUCHING, NO_CASE, ALL_CASE, ONE_SAMPLE, TOGETHER, WAYS };

static void make_way(cohort *h, int way, int but_one, uint64_t *seed) {
    for (int64_t i = 0; i < h->n; i++) {
        double *x = h->x + i, u = gp_test_normal(seed);
        h->y[i] = gp_test_below(seed, 12) == 0;
        x[0] = gp_test_normal(seed);
        x[h->n] = gp_test_normal(seed);
        x[2 * h->n] = (double)gp_test_below(seed, 2);
        if (way == PERFECT)
            x[0] = h->y[i] > 0.5 ? 1.0 + fabs(u) : -fabs(u);
        else if (way == NARROW)
            x[0] = h->y[i] > 0.5 ? 0.001 + u * u : -0.001 - u * u;
        else if (way == TOUCHING)
            x[0] = h->y[i] > 0.5 ? floor(fabs(u)) : -floor(fabs(u));
        else if (way == NO_CASE || way == ALL_CASE) {
            x[0] = i % 20 == 3;
            h->y[i] = x[0] > 0.0 ? way == ALL_CASE : h->y[i];
        } else if (way == ONE_SAMPLE)
            x[0] = i == 77;
        else if (way == TOGETHER) /* on one side of a slanted line */
            h->y[i] = x[0] + 0.3 * x[h->n] > 1.2;
    }
    if (but_one && way < NO_CASE) { /* a case among the controls' values */
        h->y[11] = 1.0;
        h->x[11] = -2.0;
    } else if (but_one) {
        h->x[3] = h->x[103] = way == TOGETHER ? 3.0 : 1.0; /* one of each kind in the category, */
        h->x[h->n + 3] = h->x[h->n + 103] = 3.0;           /* or beyond the line */
        h->x[2 * h->n + 3] = h->x[2 * h->n + 103] = 1.0;
        h->y[3] = 1.0;
        h->y[103] = 0.0;
    }
}

static void separation_by_covariates_is_found(void **state) {
    (void)state;
    uint64_t seed = 55;
    const int64_t samples[] = {150, 3000};
    for (int way = 0; way < WAYS; way++)
        for (int k = 0; k < 6; k++)
            for (int but_one = 0; but_one <= 1; but_one++) {
                cohort h = cohort_new(samples[k % 2], 1, 3, 1);
                double *offset = draw_offset(&h, k < 4 ? 0.0 : 1.0, &seed);
                make_way(&h, way, but_one, &seed);
                if (way == ONE_SAMPLE && but_one)
                    h.x[77] = 0.0;
                gp_status status = null_status(&h, offset);
                if (status != (but_one ? GP_STATUS_OK : GP_STATUS_SEPARATION))
                    print_message("way %d, %d samples, but one: %d\n", way, (int)h.n, but_one);
                assert_int_equal(status, but_one ? GP_STATUS_OK : GP_STATUS_SEPARATION);
                free(offset);
                cohort_free(&h);
            }
}

/* A small group where nine of ten are cases, among very few: Newton's first step is far too long,
 * and is not separation. */
static void steps_that_are_too_long_are_halved(void **state) {
    (void)state;
    cohort h = cohort_new(8000, 1, 1, 1);
    double *offset = no_offset(&h);
    for (int64_t i = 0; i < h.n; i++) {
        h.x[i] = i < 10;
        h.y[i] = (i < 10 && i != 4) || i == 5000 || i == 6000;
    }
    run r = run_all(&h, offset, 1, 1);
    assert_int_equal(r.null.status, GP_STATUS_OK);
    assert_true(near(r.odds[0], log(9.0), 1e-9)); /* the last step */
    assert_true(near(r.odds[100], log(2.0 / 7988), 1e-9));
    assert_true(near(r.firth[0], log(9.5 / 1.5), 1e-9));
    assert_true(near(r.firth[100], log(2.5 / 7988.5), 1e-9));
    run_free(&r);
    free(offset);
    cohort_free(&h);
}

static void a_class_without_samples_has_no_maximum(void **state) {
    (void)state;
    cohort h = cohort_new(100, 1, 0, 1);
    double *offset = no_offset(&h);
    assert_int_equal(null_status(&h, offset), GP_STATUS_SEPARATION);
    for (int64_t i = 0; i < h.n; i++)
        h.y[i] = 1.0;
    assert_int_equal(null_status(&h, offset), GP_STATUS_SEPARATION);
    free(offset);
    cohort_free(&h);
}

/* ---- what changes no bit ---- */

static void shards_and_threads_change_no_bit(void **state) {
    (void)state;
    uint64_t seed = 56;
    const int64_t samples[] = {257, 1000};
    for (int k = 0; k < 4; k++) {
        int exact = k % 2;
        cohort h = draw(samples[k / 2], 150, 4, 0.2, &seed);
        double *offset = draw_offset(&h, 0.4, &seed);
        omp_set_num_threads(1);
        run first = run_all(&h, offset, exact, 1);
        assert_int_equal(first.null.status, GP_STATUS_OK);
        for (int64_t shards = 1; shards <= 3; shards++)
            for (int threads = 1; threads <= 3; threads += 2) {
                omp_set_num_threads(threads);
                run again = run_all(&h, offset, exact, shards);
                assert_int_equal(again.cells, first.cells);
                assert_memory_equal(again.sums, first.sums, (size_t)first.cells * sizeof(int64_t));
                assert_memory_equal(again.null.beta, first.null.beta, 5 * sizeof(double));
                assert_memory_equal(again.null.firth, first.null.firth, 5 * sizeof(double));
                assert_memory_equal(again.start, first.start, (size_t)h.m * 36 * sizeof(double));
                assert_true(again.null.loglik == first.null.loglik);
                for (int64_t j = 0; j < h.m; j++)
                    assert_true(same_bits(again.result + j, first.result + j));
                run_free(&again);
            }
        omp_set_num_threads(1);
        run_free(&first);
        free(offset);
        cohort_free(&h);
    }
}

static void missing_calls_that_go_with_the_trait_are_told(void **state) {
    (void)state;
    cohort h = cohort_new(1200, 2, 1, 1);
    double *offset = no_offset(&h);
    for (int64_t i = 0; i < h.n; i++) {
        h.x[i] = (double)(i % 7);
        h.y[i] = i % 4 == 0;
        gp_geno_set(h.rows, i, i % 16 == 0 ? 3 : (int)(i % 3));               /* of cases alone */
        gp_geno_set(h.rows + h.stride, i, i / 4 % 4 == 0 ? 3 : (int)(i % 3)); /* of all alike */
    }
    run r = run_all(&h, offset, 1, 1);
    assert_int_equal(r.result[0].status, GP_STATUS_OK);
    assert_int_equal(r.result[0].apart, 1);
    assert_int_equal(r.result[1].status, GP_STATUS_OK);
    assert_int_equal(r.result[1].apart, 0);
    run_free(&r);
    free(offset);
    cohort_free(&h);
}

/* The input is made without libm. Another digest is another result: change it only where results
 * are meant to change. */
static void results_have_the_same_bits_with_every_compiler_and_kernel(void **state) {
    (void)state;
    uint64_t seed = 57, digest = 0;
    cohort h = cohort_new(700, 60, 4, 1);
    double *offset = no_offset(&h);
    for (int64_t k = 0; k < h.c * h.n; k++)
        h.x[k] = (double)gp_test_below(&seed, 1000) / 7.0;
    for (int64_t i = 0; i < h.n; i++) {
        h.y[i] = gp_test_below(&seed, 5) == 0;
        offset[i] = (double)gp_test_below(&seed, 1000) / 777.0;
    }
    for (int64_t k = 0; k < h.m * h.n; k++)
        gp_geno_set(h.rows + k / h.n * h.stride, k % h.n, (int)gp_test_below(&seed, 4));
    for (int exact = 0; exact <= 1; exact++) {
        run r = run_all(&h, offset, exact, 2);
        for (int64_t j = 0; j < h.m; j++) {
            double four[4] = {r.result[j].beta, r.result[j].se, r.result[j].neglog10p, r.firth[j]};
            char bits[sizeof four];
            memcpy(bits, four, sizeof four);
            digest += gp_ids_hash(bits, sizeof four) * (uint64_t)(2 * j + 1);
        }
        run_free(&r);
    }
    print_message("digest %016llx\n", (unsigned long long)digest);
    assert_true(digest == DIGEST);
    free(offset);
    cohort_free(&h);
}

/* As for each chromosome; with a table of moments that is kept, and without. */
static void a_model_may_be_set_again(void **state) {
    (void)state;
    uint64_t seed = 58;
    cohort h = draw(500, 30, 3, 0.3, &seed);
    cohort_design d = cohort_prepare(&h);
    double *offset[2] = {draw_offset(&h, 0.5, &seed), draw_offset(&h, 0.5, &seed)};
    for (int way = 0; way < 4; way++) {
        shard s[2];
        gp_logit_null null[2] = {{0}};
        gp_err err = {0};
        run want = {0}, got = {0}, before = {0};
        for (int k = 0; k < 2; k++) {
            shard_make(s + k, &h, &d, offset[k], 1, 0);
            fit_null(s + k, 1, null + k);
        }
        gp_logit *fresh = model_of(s + 1, null + 1, way & 1, 0),
                 *used = model_of(s, null, way & 1, way & 2 ? 1 << 24 : 0);
        add_sums(&h, used, &s[0].calls.calls, &before);
        assert_int_equal(gp_logit_set(used, null + 1, s[1].offset, &err), GP_OK);
        assert_ptr_equal(gp_logit_null_of(used), null + 1);
        assert_ptr_equal(gp_logit_offset(used), s[1].offset);
        add_sums(&h, used, &s[0].calls.calls, &got);
        add_sums(&h, fresh, &s[1].calls.calls, &want);
        assert_memory_equal(got.sums, want.sums, (size_t)want.cells * sizeof *want.sums);
        assert_true(memcmp(got.sums, before.sums, (size_t)want.cells * sizeof *want.sums) != 0);
        gp_logit_free(fresh);
        gp_logit_free(used);
        run_free(&want);
        run_free(&got);
        run_free(&before);
        for (int k = 0; k < 2; k++) {
            gp_logit_null_free(null + k);
            shard_free(s + k);
        }
    }
    free(offset[0]);
    free(offset[1]);
    cohort_design_free(&d);
    cohort_free(&h);
}

/* Results of other traits lie between them. */
static void chosen_variants_are_as_among_all(void **state) {
    (void)state;
    uint64_t seed = 59;
    cohort h = draw(300, 40, 2, 0.3, &seed);
    double *offset = no_offset(&h);
    cohort_design d = cohort_prepare(&h);
    shard s;
    gp_result some[3 * 40];
    int64_t chosen[40], count = 0;
    run r = run_all(&h, offset, 1, 1);
    shard_make(&s, &h, &d, offset, 1, 0);
    gp_logit *model = model_of(&s, &r.null, 1, 0);
    memset(some, 0x33, sizeof some);
    for (int64_t j = 0; j < h.m; j++)
        if (gp_test_below(&seed, 3) == 0)
            chosen[count++] = j;
    gp_logit_score(model, r.sums, h.m, chosen, count, some, 3);
    for (int64_t k = 0; k < count; k++) {
        assert_true(same_bits(some + 3 * k, r.result + chosen[k]));
        assert_int_equal(some[3 * k + 1].n, 0x3333333333333333);
    }
    gp_logit_free(model);
    shard_free(&s);
    run_free(&r);
    cohort_design_free(&d);
    free(offset);
    cohort_free(&h);
}

/* So many samples that a block goes through in chunks of 64 variants; a quarter of the calls are
 * missing, and none of a few variants'. */
static void one_variant_alone_is_as_in_a_block(void **state) {
    (void)state;
    enum { N = 66048, M = 135 };
    uint64_t seed = 64;
    cohort h = cohort_new(N, M, 0, 1);
    double *offset = no_offset(&h);
    for (int64_t i = 0; i < N; i++)
        h.y[i] = gp_test_below(&seed, 4) == 0;
    for (int64_t at = 0; at < M * h.stride; at += (int64_t)sizeof seed) {
        uint64_t calls = gp_test_bits(&seed);
        if (at / h.stride % 5 == 2) /* 0 or 1 */
            calls &= 0x5555555555555555u;
        memcpy(h.rows + at, &calls, sizeof calls);
    }
    for (int exact = 0; exact <= 1; exact++) {
        run all = run_all(&h, offset, exact, 1);
        const int64_t some[] = {0, 2, 63, 64, 67, 127, 128, 134};
        for (size_t k = 0; k < sizeof some / sizeof some[0]; k++) {
            cohort one = h;
            one.m = 1;
            one.rows = h.rows + some[k] * h.stride;
            run alone = run_all(&one, offset, exact, 2);
            assert_int_equal(alone.result->status, GP_STATUS_OK);
            assert_true(same_bits(alone.result, all.result + some[k]));
            run_free(&alone);
        }
        run_free(&all);
    }
    free(offset);
    cohort_free(&h);
}

static void counting_the_other_allele_turns_the_sign(void **state) {
    (void)state;
    uint64_t seed = 60;
    cohort h = draw(600, 40, 3, 0.1, &seed);
    double *offset = draw_offset(&h, 0.3, &seed);
    for (int exact = 0; exact <= 1; exact++) {
        run before = run_all(&h, offset, exact, 1);
        for (int64_t k = 0; k < h.m * h.n; k++) {
            int call = cohort_call(&h, k / h.n, k % h.n);
            gp_geno_set(h.rows + k / h.n * h.stride, k % h.n,
                        call == GP_GENO_MISSING ? call : 2 - call);
        }
        run after = run_all(&h, offset, exact, 1);
        for (int64_t j = 0; j < h.m; j++) {
            const gp_result *a = before.result + j, *b = after.result + j;
            assert_int_equal(a->status, b->status);
            if (a->status != GP_STATUS_OK)
                continue;
            assert_true(fabs(a->statistic + b->statistic) < 1e-9); /* columns: 2^-48 */
            assert_true(near(b->se, a->se, 1e-9));
            assert_true(fabs(a->frequency_cases + b->frequency_cases - 1.0) < 1e-15);
        }
        run_free(&before);
        run_free(&after);
    }
    free(offset);
    cohort_free(&h);
}

static void widths_and_bytes_are_told_in_advance(void **state) {
    (void)state;
    uint64_t seed = 61;
    for (int64_t c = 0; c <= 8; c += 4)
        for (int exact = 0; exact <= 1; exact++) {
            cohort h = draw(900, 3, c, 0.4, &seed);
            double *offset = no_offset(&h);
            cohort_design d = cohort_prepare(&h);
            shard s;
            gp_logit_null null = {0};
            shard_make(&s, &h, &d, offset, 1, 0);
            fit_null(&s, 1, &null);
            gp_logit *model = model_of(&s, &null, exact, 0);
            int64_t most = gp_logit_score_widest(c + 1), width = gp_logit_score_width(model);
            assert_true(exact ? width == most : width <= most);
            assert_true(gp_logit_bytes(h.used, h.n, c + 1, exact) > 8 * h.n);
            gp_logit_free(model);
            gp_logit_null_free(&null);
            shard_free(&s);
            cohort_design_free(&d);
            free(offset);
            cohort_free(&h);
        }
}

/* ---- faults ---- */

static int make_model(void *context, gp_err *err) {
    gp_logit *model = gp_logit_new(context, err);
    gp_logit_free(model);
    return err->code;
}

static int make_null(void *context, gp_err *err) {
    const shard *s = context;
    gp_logit_null null = {0};
    int code = gp_logit_null_fit(&null, &s->rows, s->y, s->offset, NULL, err);
    gp_logit_null_free(&null);
    gp_logit_null_free(&null);
    return code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    uint64_t seed = 62;
    cohort h = draw(200, 3, 2, 0.4, &seed);
    double *offset = no_offset(&h);
    cohort_design d = cohort_prepare(&h);
    shard s;
    shard_make(&s, &h, &d, offset, 1, 0);
    for (int exact = 0; exact <= 1; exact++) {
        gp_logit_input in = {.rows = &s.rows, .y = s.y, .exact = exact};
        /* the model, 8 arrays, 2 operands and 2 products of 2 each; operand, moments, their units
         */
        assert_int_equal(gp_test_fail_each(make_model, &in), exact ? 17 + 5 : 17);
    }
    assert_int_equal(gp_test_fail_each(make_null, &s), 6);
    gp_logit_free(NULL);
    shard_free(&s);
    cohort_design_free(&d);
    free(offset);
    cohort_free(&h);
}

/* What another rank says: it has failed, or the sum itself fails. */
static int sum_says(void *context, int64_t *x, int64_t count, gp_err *err) {
    int *fails = context;
    if (*fails)
        return gp_err_set(err, GP_EFAIL, "network: gone");
    assert_int_equal(count, 3); /* no more is asked */
    x[0] += 1;
    return GP_OK;
}

static void all_shards_learn_what_failed_on_one(void **state) {
    (void)state;
    uint64_t seed = 63;
    cohort h = draw(200, 3, 2, 0.4, &seed);
    double *offset = no_offset(&h);
    cohort_design d = cohort_prepare(&h);
    shard s;
    shard_make(&s, &h, &d, offset, 1, 0);
    for (int fails = 0; fails <= 1; fails++)
        for (int here = 0; here <= 1; here++) {
            gp_logit_null null = {0};
            gp_err err = {0};
            gp_logit_adder adder = {sum_says, &fails};
            gp_mem_fail_at(here); /* 1: the first allocation */
            assert_int_equal(gp_logit_null_fit(&null, &s.rows, s.y, s.offset, &adder, &err),
                             GP_EFAIL);
            gp_mem_fail_at(0);
            assert_non_null(strstr(err.text, here ? "bytes" : fails ? "gone" : "another rank"));
            gp_logit_null_free(&null);
        }
    shard_free(&s);
    cohort_design_free(&d);
    free(offset);
    cohort_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intercept_by_hand),
        cmocka_unit_test(two_groups_by_hand),
        cmocka_unit_test(a_score_by_hand),
        cmocka_unit_test(a_missing_call_by_hand),
        cmocka_unit_test(numbers_are_those_of_newton_in_long_double),
        cmocka_unit_test(numbers_of_a_large_cohort_are_right),
        cmocka_unit_test(unlikely_samples_are_not_lost),
        cmocka_unit_test(a_covariate_without_called_samples_is_left_out),
        cmocka_unit_test(every_reason_for_no_number_has_its_status),
        cmocka_unit_test(a_missing_call_may_end_separation),
        cmocka_unit_test(separation_by_covariates_is_found),
        cmocka_unit_test(steps_that_are_too_long_are_halved),
        cmocka_unit_test(a_class_without_samples_has_no_maximum),
        cmocka_unit_test(shards_and_threads_change_no_bit),
        cmocka_unit_test(missing_calls_that_go_with_the_trait_are_told),
        cmocka_unit_test(results_have_the_same_bits_with_every_compiler_and_kernel),
        cmocka_unit_test(a_model_may_be_set_again),
        cmocka_unit_test(chosen_variants_are_as_among_all),
        cmocka_unit_test(one_variant_alone_is_as_in_a_block),
        cmocka_unit_test(counting_the_other_allele_turns_the_sign),
        cmocka_unit_test(widths_and_bytes_are_told_in_advance),
        cmocka_unit_test(every_failing_allocation_comes_back),
        cmocka_unit_test(all_shards_learn_what_failed_on_one),
    };
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    omp_set_num_threads(1); /* but where threads are what is tested */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
