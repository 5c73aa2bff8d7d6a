/* Full logistic models: numbers by hand, another program's way in long double, and what may not
 * change the bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/design.h"
#include "src/assoc/logit_fit.h"
#include "src/base/split.h"
#include "src/base/tail.h"
#include "tests/src/logit_long.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <omp.h>
#include <stdlib.h>

enum { MOST_SHARDS = 3, PIECES = 2 };

/* A binary trait of all samples of a small store but those that are not used. */
typedef struct study {
    int64_t n, m, covariates, used, stride;
    uint8_t *rows;   /* [m x stride] */
    double *x;       /* [covariates x n] */
    double *offset;  /* [n] */
    int *y;          /* [n] */
    int64_t *sample; /* [used] */
} study;

static void *room(int64_t count, size_t size) {
    gp_err err = {0};
    void *to = gp_mem_alloc(count, (int64_t)size, &err);
    assert_non_null(to);
    return to;
}

static study study_new(int64_t n, int64_t m, int64_t covariates) {
    study s = {.n = n, .m = m, .covariates = covariates, .stride = gp_geno_stride(n), .used = n};
    s.rows = room(m * s.stride, 1);
    s.x = room(covariates * n, sizeof *s.x);
    s.offset = room(n, sizeof *s.offset);
    s.y = room(n, sizeof *s.y);
    s.sample = room(n, sizeof *s.sample);
    for (int64_t i = 0; i < n; i++)
        s.sample[i] = i;
    return s;
}

static void study_free(study *s) {
    free(s->rows);
    free(s->x);
    free(s->offset);
    free(s->y);
    free(s->sample);
}

static int call_of(const study *s, int64_t variant, int64_t sample) {
    return gp_geno_get(s->rows + variant * s->stride, sample);
}

static void set_call(study *s, int64_t variant, int64_t sample, int call) {
    gp_geno_set(s->rows + variant * s->stride, sample, call);
}

/* Every seventh sample is out of use. */
static void use_some(study *s) {
    s->used = 0;
    for (int64_t i = 0; i < s->n; i++)
        if (i % 7 != 3)
            s->sample[s->used++] = i;
}

/* ---- the models of all shards ---- */

typedef struct shard {
    gp_logit_rows rows;
    double *y, *offset;
    gp_logit *model;
    gp_calls calls;
    gp_piece piece[PIECES];
    int64_t *sums;
    gp_logit_batch *batch;
} shard;

typedef struct work {
    const study *s;
    int exact;
    int64_t shards;
    double *basis, *y, *offset; /* over S */
    int64_t rank;
    gp_logit_null null;
    shard shard[MOST_SHARDS];
} work;

static int open_shard(work *w, shard *h, int64_t first, int64_t samples, gp_err *err) {
    const study *s = w->s;
    gp_logit_rows_input in = {.n = s->used,
                              .sample = s->sample,
                              .covariates = w->rank,
                              .basis = w->basis,
                              .first = first,
                              .samples = samples};
    if (gp_logit_rows_init(&h->rows, &in, err) != GP_OK)
        return err->code;
    h->y = gp_mem_alloc(h->rows.groups * 64, sizeof(double), err);
    h->offset = gp_mem_alloc(h->rows.groups * 64, sizeof(double), err);
    if (err->code != GP_OK)
        return err->code;
    gp_logit_rows_spread(&h->rows, s->sample, w->y, h->y);
    gp_logit_rows_spread(&h->rows, s->sample, w->offset, h->offset);
    h->calls = (gp_calls){.m = s->m, .piece = h->piece};
    for (int64_t k = 0; k < PIECES; k++) {
        int64_t from = gp_split_begin(samples, 64, PIECES, k),
                to = gp_split_begin(samples, 64, PIECES, k + 1);
        if (to > from)
            h->piece[h->calls.pieces++] =
                (gp_piece){s->rows + (first + from) / 4, s->stride, from, to - from};
    }
    return GP_OK;
}

static int open_model(work *w, shard *h, gp_err *err) {
    gp_logit_input in = {.rows = &h->rows, .y = h->y, .exact = w->exact, .keep = 1 << 20};
    h->model = gp_logit_new(&in, err);
    if (h->model == NULL || gp_logit_set(h->model, &w->null, h->offset, err) != GP_OK)
        return err->code;
    h->sums = gp_mem_alloc(w->s->m * gp_logit_score_width(h->model), sizeof *h->sums, err);
    h->batch = gp_logit_batch_new(h->rows.c, GP_LOGIT_FIRTH, err);
    return err->code;
}

static void pick(const study *s, const double *x, double *to) {
    for (int64_t i = 0; i < s->used; i++)
        to[i] = x[s->sample[i]];
}

static int open_work(work *w, const study *s, int exact, int64_t shards, gp_err *err) {
    *w = (work){.s = s, .exact = exact, .shards = shards};
    w->basis = room(s->covariates * s->used, sizeof *w->basis);
    w->y = room(s->used, sizeof *w->y);
    w->offset = room(s->used, sizeof *w->offset);
    uint8_t *kept = room(s->covariates, 1);
    for (int64_t k = 0; k < s->covariates; k++)
        pick(s, s->x + k * s->n, w->basis + k * s->used);
    pick(s, s->offset, w->offset);
    for (int64_t i = 0; i < s->used; i++)
        w->y[i] = s->y[s->sample[i]];
    w->rank = gp_design_basis(w->basis, s->used, s->covariates, kept);
    free(kept);
    shard whole = {0};
    if (open_shard(w, &whole, 0, s->n, err) == GP_OK)
        gp_logit_null_fit(&w->null, &whole.rows, whole.y, whole.offset, NULL, err);
    gp_logit_rows_free(&whole.rows);
    free(whole.y);
    free(whole.offset);
    for (int64_t k = 0; k < shards && err->code == GP_OK; k++) {
        int64_t first = gp_split_begin(s->n, 64, shards, k);
        if (open_shard(w, &w->shard[k], first, gp_split_begin(s->n, 64, shards, k + 1) - first,
                       err) == GP_OK)
            open_model(w, &w->shard[k], err);
    }
    return err->code;
}

static void close_work(work *w) {
    for (int64_t k = 0; k < w->shards; k++) {
        shard *h = &w->shard[k];
        gp_logit_batch_free(h->batch);
        gp_logit_free(h->model);
        gp_logit_rows_free(&h->rows);
        free(h->y);
        free(h->offset);
        free(h->sums);
    }
    gp_logit_null_free(&w->null);
    free(w->basis);
    free(w->y);
    free(w->offset);
}

static void add_shards(const work *w, int64_t count, int64_t *const *sums) {
    for (int64_t k = 1; k < w->shards; k++)
        for (int64_t i = 0; i < count; i++)
            sums[0][i] += sums[k][i];
}

static void score(work *w, gp_result *result) {
    int64_t *sums[MOST_SHARDS], *all = room(w->s->m, sizeof *all);
    for (int64_t j = 0; j < w->s->m; j++)
        all[j] = j;
    for (int64_t k = 0; k < w->shards; k++) {
        sums[k] = w->shard[k].sums;
        gp_logit_score_sums(w->shard[k].model, &w->shard[k].calls, sums[k]);
    }
    add_shards(w, w->s->m * gp_logit_score_width(w->shard[0].model), sums);
    gp_logit_score(w->shard[0].model, sums[0], w->s->m, all, w->s->m, result, 1);
    free(all);
}

static int64_t passes; /* of samples by one variant, in all */

/* Up to GP_LOGIT_BATCH variants: every shard has its own results, which have to agree. */
static void fit_batch(work *w, gp_logit_kind kind, const int64_t *chosen, int64_t count,
                      gp_result *result) {
    gp_result *own = room(w->shards * count, sizeof *own), *to[GP_LOGIT_BATCH];
    int64_t *sums[MOST_SHARDS], c = w->shard[0].rows.c, widest = gp_logit_batch_widest(c);
    for (int64_t k = 0; k < w->shards; k++) {
        shard *h = &w->shard[k];
        sums[k] = room(widest, sizeof *sums[k]);
        for (int64_t i = 0; i < count; i++) {
            own[k * count + i] = result[chosen[i]];
            to[i] = &own[k * count + i];
        }
        gp_logit_batch_begin(h->batch, h->model, kind, &h->calls, w->shard[0].sums, w->s->m, chosen,
                             count, to);
    }
    for (int64_t width; (width = gp_logit_batch_width(w->shard[0].batch)) > 0;) {
        assert_true(width <= widest);
        for (int64_t k = 0; k < w->shards; k++) {
            assert_int_equal(gp_logit_batch_width(w->shard[k].batch), width);
            memset(sums[k], 0x55, (size_t)width * sizeof *sums[k]); /* all has to be written */
            gp_logit_batch_sum(w->shard[k].batch, sums[k]);
        }
        add_shards(w, width, sums);
        for (int64_t k = 0; k < w->shards; k++)
            gp_logit_batch_take(w->shard[k].batch, sums[0]);
        passes += kind == GP_LOGIT_WALD || kind == GP_LOGIT_FIRTH
                      ? width / gp_logit_all_width(c + 1)
                      : width / GP_LOGIT_ONE_WIDTH;
    }
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 1; k < w->shards; k++)
            assert_memory_equal(&own[k * count + i], &own[i], sizeof *own);
        result[chosen[i]] = own[i];
    }
    for (int64_t k = 0; k < w->shards; k++)
        free(sums[k]);
    free(own);
}

/* Scores all variants, then fits those that have a number. */
static int run(const study *s, int exact, int64_t shards, gp_logit_kind kind, gp_result *result,
               gp_err *err) {
    work w;
    if (open_work(&w, s, exact, shards, err) == GP_OK) {
        int64_t chosen[GP_LOGIT_BATCH], count = 0;
        assert_int_equal(w.null.status, GP_STATUS_OK);
        score(&w, result);
        for (int64_t j = 0; j < s->m; j++)
            if (result[j].status == GP_STATUS_OK)
                chosen[count++] = j;
        fit_batch(&w, kind, chosen, count, result);
    }
    close_work(&w);
    return err->code;
}

static void run_all(const study *s, int exact, gp_logit_kind kind, gp_result *result) {
    gp_err err = {0};
    assert_int_equal(run(s, exact, 1, kind, result, &err), GP_OK);
}

/* ---- in long double ---- */

typedef struct oracle {
    long_model model; /* of the intercept, the covariates, the variant */
    long double *x, *offset;
    int *y;
} oracle;

/* The samples in use, or those of them that are called. variant -1: all, and no variant. */
static oracle oracle_of(const study *s, int64_t variant, int exact) {
    int64_t d = 1 + s->covariates + (variant >= 0), called = 0, sum = 0, n = 0;
    oracle o = {.x = room(s->used * d, sizeof *o.x),
                .offset = room(s->used, sizeof *o.offset),
                .y = room(s->used, sizeof *o.y)};
    for (int64_t i = 0; i < s->used && variant >= 0; i++) {
        int call = call_of(s, variant, s->sample[i]);
        called += call != 3;
        sum += call != 3 ? call : 0;
    }
    for (int64_t i = 0; i < s->used; i++) {
        int64_t at = s->sample[i];
        int call = variant >= 0 ? call_of(s, variant, at) : 0;
        if (call == 3 && exact)
            continue;
        o.x[n * d] = 1;
        for (int64_t k = 0; k < s->covariates; k++)
            o.x[n * d + 1 + k] = s->x[k * s->n + at];
        if (variant >= 0)
            o.x[n * d + d - 1] = call == 3 ? (long double)sum / (long double)called : call;
        o.offset[n] = s->offset[at];
        o.y[n++] = s->y[at];
    }
    o.model = (long_model){.n = n, .d = d, .x = o.x, .offset = o.offset, .y = o.y};
    return o;
}

static void oracle_free(oracle *o) {
    free(o->x);
    free(o->offset);
    free(o->y);
}

/* Log odds of the null model of all samples in use, at R's samples; beta of the raw columns. */
static void long_null(const study *s, int firth, long double *beta) {
    oracle o = oracle_of(s, -1, 0);
    long_point p;
    memset(beta, 0, LONG_MOST * sizeof *beta);
    assert_true(long_climb(&o.model, o.model.d, beta, &p));
    o.model.firth = firth;
    assert_true(!firth || long_climb(&o.model, o.model.d, beta, &p));
    oracle_free(&o);
}

/* The variant less its projection, by weights of the null model by maximum likelihood, over R; the
 * offset is the null model's log odds (by Firth's likelihood). */
static oracle single_of(const study *s, int64_t variant, int exact, int firth) {
    oracle o = oracle_of(s, variant, exact), v = oracle_of(s, variant, exact);
    int64_t n = o.model.n, c = o.model.d - 1;
    long double ml[LONG_MOST], other[LONG_MOST],
        h[LONG_MOST * LONG_MOST] = {0}, inverse[LONG_MOST * LONG_MOST], a[LONG_MOST] = {0},
                      gamma[LONG_MOST] = {0};
    long_null(s, 0, ml);
    long_null(s, firth, other);
    ml[c] = other[c] = 0;
    for (int64_t i = 0; i < n; i++) {
        const long double *x = o.x + i * (c + 1);
        long double odds = long_odds(&o.model, ml, i);
        long double w = 1 / ((1 + expl(-odds)) * (1 + expl(odds)));
        for (int64_t j = 0; j < c; j++) {
            a[j] += w * x[j] * x[c];
            for (int64_t k = 0; k < c; k++)
                h[j * c + k] += w * x[j] * x[k];
        }
    }
    long_invert(h, c, c, inverse);
    for (int64_t j = 0; j < c; j++)
        for (int64_t k = 0; k < c; k++)
            gamma[j] += inverse[j * c + k] * a[k];
    for (int64_t i = 0; i < n; i++) {
        v.offset[i] = long_odds(&o.model, other, i);
        v.x[i] = o.x[i * (c + 1) + c];
        for (int64_t k = 0; k < c; k++)
            v.x[i] -= gamma[k] * o.x[i * (c + 1) + k];
    }
    v.model.d = 1;
    v.model.firth = firth;
    oracle_free(&o);
    return v;
}

/* ---- cohorts ---- */

enum { COMMON, RARE, CONTROLS_ONLY, CASES_ONLY, SINGLE, RISK, PROTECTS, KINDS };

static int call_for(uint64_t *seed, int64_t kind, int y) {
    const double frequency[KINDS] = {0.3, 0.03, 0.03, 0.1, 0.01, 0.25, 0.35};
    double f = frequency[kind];
    if (kind == RISK && y)
        f = 0.4;
    if (kind == PROTECTS && y)
        f = 0.2;
    int call = (gp_test_uniform(seed) < f) + (gp_test_uniform(seed) < f);
    if ((kind == CONTROLS_ONLY && y) || (kind == CASES_ONLY && !y))
        call = 0;
    return call;
}

/* share: of cases, about; missing: of calls. */
static study random_study(uint64_t seed, int64_t n, int64_t m, double share, double missing) {
    study s = study_new(n, m, 2);
    for (int64_t i = 0; i < n; i++) {
        s.x[i] = gp_test_normal(&seed);
        s.x[n + i] = (double)gp_test_below(&seed, 2);
        s.offset[i] = 0.3 * gp_test_normal(&seed);
        double odds = log(share / (1.0 - share)) + 0.7 * s.x[i] - 0.4 * s.x[n + i] + s.offset[i];
        s.y[i] = gp_test_uniform(&seed) < 1.0 / (1.0 + exp(-odds));
    }
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < n; i++)
            set_call(&s, j, i,
                     gp_test_uniform(&seed) < missing ? 3 : call_for(&seed, j % KINDS, s.y[i]));
    use_some(&s);
    return s;
}

/* What is compared, the worst of it; differences of beta and se in standard errors. */
typedef struct worst {
    double beta, se, statistic, neglog10p;
    int64_t compared;
} worst;

static void compare(worst *w, const gp_result *r, const long double want[3]) {
    double se = (double)want[1];
    assert_int_equal(r->status, GP_STATUS_OK);
    w->beta = fmax(w->beta, fabs(r->beta - (double)want[0]) / se);
    w->se = fmax(w->se, fabs(r->se / se - 1.0));
    w->statistic = fmax(w->statistic, fabs(r->statistic - (double)want[2]));
    double p = gp_t_neglog10p((double)want[2], INFINITY);
    w->neglog10p = fmax(w->neglog10p, fabs(r->neglog10p - p));
    w->compared++;
}

static void say(const char *what, const worst *w) {
    print_message("%s: %d variants, %.1f passes; beta %.1e se %.1e statistic %.1e -log10 p %.1e\n",
                  what, (int)w->compared, (double)passes / (double)w->compared, w->beta, w->se,
                  w->statistic, w->neglog10p);
}

/* Runs a kind over cohorts of several sizes, and gives each variant with its result to a check. */
typedef void check(worst *w, const study *s, int64_t variant, int exact, const gp_result *r);

static worst over_cohorts(gp_logit_kind kind, check *one) {
    const double share[] = {0.5, 0.1, 0.04};
    const int64_t size[] = {250, 600, 1300};
    worst w = {0};
    passes = 0;
    for (int k = 0; k < 6; k++) {
        study s =
            random_study((uint64_t)(100 + k), size[k % 3], KINDS, share[k / 2], k % 2 ? 0.03 : 0.0);
        gp_result r[KINDS];
        for (int exact = 0; exact <= k % 2; exact++) { /* the same without missing calls */
            run_all(&s, exact, kind, r);
            for (int64_t j = 0; j < s.m; j++)
                if (r[j].status != GP_STATUS_COLLINEAR && r[j].status != GP_STATUS_CONSTANT)
                    one(&w, &s, j, exact, &r[j]);
        }
        study_free(&s);
    }
    return w;
}

/* ---- by hand ---- */

/* 2 x 2: carriers (one copy) a cases, b controls; others c cases, d controls. */
static study two_by_two(const int64_t count[4]) {
    study s = study_new(count[0] + count[1] + count[2] + count[3], 1, 0);
    int64_t at = 0;
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; i < count[k]; i++, at++) {
            s.y[at] = k % 2 == 0;
            set_call(&s, 0, at, k < 2);
        }
    return s;
}

static int near(double got, double want, double tolerance) {
    return fabs(got - want) <= tolerance * fabs(want);
}

/* The odds' logarithm, and the root of the sum of the four counts' inverses. */
static void wald_of_a_2_by_2_table_by_hand(void **state) {
    (void)state;
    study s = two_by_two((const int64_t[]){30, 20, 40, 110});
    gp_result r;
    run_all(&s, 1, GP_LOGIT_WALD, &r);
    assert_int_equal(r.status, GP_STATUS_OK);
    assert_int_equal(r.test, GP_TEST_WALD);
    assert_true(r.n == 200 && r.cases == 70);
    double se = sqrt(1.0 / 30 + 1.0 / 20 + 1.0 / 40 + 1.0 / 110);
    double beta = log(30.0 * 110 / (20.0 * 40));
    assert_true(near(r.beta, beta, 1e-11)); /* sums are good to 2^-40 */
    assert_true(near(r.se, se, 1e-9));      /* extrapolated over a step of 1e-5 */
    assert_true(near(r.statistic, beta / se, 1e-9));
    assert_true(near(r.neglog10p, gp_t_neglog10p(beta / se, INFINITY), 1e-8));
    study_free(&s);
}

/* Firth's likelihood of a saturated table is that of a table with 1/2 more in each cell; but its
 * se has the information without the halves. Carriers among cases alone: a cell of 0. */
static void firth_of_a_2_by_2_table_adds_a_half_to_each_cell(void **state) {
    (void)state;
    /* lone carriers at the end, and a variant without any effect */
    const int64_t table[][4] = {{30, 20, 40, 110}, {6, 0, 94, 300}, {0, 9, 30, 161},
                                {1, 0, 9, 190},    {0, 1, 10, 189}, {1, 0, 150, 149},
                                {20, 20, 80, 80}};
    for (int k = 0; k < 7; k++) {
        study s = two_by_two(table[k]);
        gp_result r;
        double a = (double)table[k][0], b = (double)table[k][1], c = (double)table[k][2],
               d = (double)table[k][3], p = (a + 0.5) / (a + b + 1), q = (c + 0.5) / (c + d + 1);
        double v = (a + b) * p * (1 - p), w = (c + d) * q * (1 - q);
        run_all(&s, 1, GP_LOGIT_FIRTH, &r);
        assert_int_equal(r.status, GP_STATUS_OK);
        assert_int_equal(r.test, GP_TEST_FIRTH);
        double beta = log(p / (1 - p)) - log(q / (1 - q)), se = sqrt(1 / v + 1 / w);
        assert_true(fabs(r.beta - beta) < 1e-8 * se); /* what the iteration leaves */
        assert_true(near(r.se, se, 1e-8));            /* the same */
        /* the fit without the variant: one probability, and halves in all cells */
        double one = (a + c + 1) / (a + b + c + d + 2);
        double top = (a + 0.5) * log(p) + (b + 0.5) * log(1 - p) + (c + 0.5) * log(q) +
                     (d + 0.5) * log(1 - q);
        double flat = (a + c + 1) * log(one) + (b + d + 1) * log(1 - one);
        assert_true(
            near(fabs(r.statistic), sqrt(2 * (top - flat)), 3e-8)); /* likelihoods: 1.5e-8 */
        assert_true((r.statistic > 0.0) == (r.beta > 0.0));
        study_free(&s);
    }
}

/* ---- the oracle ---- */

static void check_wald(worst *w, const study *s, int64_t variant, int exact, const gp_result *r) {
    oracle o = oracle_of(s, variant, exact);
    long double beta[LONG_MOST] = {0};
    long_point p;
    int64_t d = o.model.d, g = variant % KINDS, missing = 0;
    for (int64_t i = 0; i < s->used; i++)
        missing += call_of(s, variant, s->sample[i]) == 3;
    if ((g == CONTROLS_ONLY || g == CASES_ONLY) && (exact || missing == 0)) {
        assert_int_equal(r->status, GP_STATUS_SEPARATION);
        assert_true(isnan(r->beta) && isnan(r->se) && isnan(r->statistic) && isnan(r->neglog10p));
    } else if (r->status != GP_STATUS_SEPARATION) { /* of rare ones */
        assert_true(long_climb(&o.model, d, beta, &p));
        long double se = sqrtl(p.inverse[d * d - 1]);
        compare(w, r, (const long double[]){beta[d - 1], se, beta[d - 1] / se});
    }
    oracle_free(&o);
}

static void wald_agrees_with_newton_in_long_double(void **state) {
    (void)state;
    worst w = over_cohorts(GP_LOGIT_WALD, check_wald);
    say("Wald", &w);
    assert_true(w.compared > 35);
    assert_true(w.beta < 1e-8 && w.se < 1e-8 && w.neglog10p < 1e-7); /* asked for; p has 10 se */
}

static void check_firth(worst *w, const study *s, int64_t variant, int exact, const gp_result *r) {
    oracle o = oracle_of(s, variant, exact);
    long double beta[LONG_MOST] = {0}, none[LONG_MOST] = {0};
    long_point p, flat;
    int64_t d = o.model.d;
    o.model.firth = 1;
    assert_true(long_climb(&o.model, d - 1, none, &flat));
    assert_true(long_climb(&o.model, d, beta, &p));
    long double z = copysignl(sqrtl(2 * (p.f - flat.f)), beta[d - 1]);
    compare(w, r, (const long double[]){beta[d - 1], sqrtl(p.inverse[d * d - 1]), z});
    oracle_free(&o);
}

static void firth_agrees_with_long_double(void **state) {
    (void)state;
    worst w = over_cohorts(GP_LOGIT_FIRTH, check_firth);
    say("Firth", &w);
    assert_true(w.compared > 50);
    assert_true(w.beta < 1e-8 && w.se < 2e-8); /* what the last steps leave */
    assert_true(w.neglog10p < 5e-8);           /* the likelihoods, which are good to 1.5e-8 */
}

static void check_approx(worst *w, const study *s, int64_t variant, int exact, const gp_result *r) {
    oracle o = single_of(s, variant, exact, 1);
    long double beta[LONG_MOST] = {0};
    long_point p, flat;
    long_look(&o.model, beta, &flat);
    assert_true(long_climb(&o.model, 1, beta, &p));
    long double z = copysignl(sqrtl(2 * (p.f - flat.f)), beta[0]);
    compare(w, r, (const long double[]){beta[0], 1 / sqrtl(p.information[0]), z});
    assert_int_equal(r->test, GP_TEST_FIRTH);
    oracle_free(&o);
}

static void approximate_firth_agrees_with_long_double(void **state) {
    (void)state;
    worst w = over_cohorts(GP_LOGIT_APPROX, check_approx);
    say("approximate Firth", &w);
    assert_true(w.compared > 50);
    assert_true(w.beta < 1e-8 && w.se < 1e-8 && w.neglog10p < 1e-8); /* asked for */
}

/* log10 of a tail by the formula, as the slope's aim says which one; Chernoff's bound at most. */
static long double long_tail(oracle *o, long double aim) {
    long double t[LONG_MOST] = {0}, zero[LONG_MOST] = {0};
    long_point at, p;
    o->model.aim = aim;
    long_look(&o->model, zero, &at);
    assert_true(long_climb(&o->model, 1, t, &p));
    long double exponent = at.f - p.f, w = sqrtl(-2 * exponent),
                v = fabsl(t[0]) * sqrtl(p.information[0]), z = w + logl(v / w) / w;
    long double bound = exponent / logl(10), tail = log10l(erfcl(z / sqrtl(2)) / 2);
    return tail < bound ? tail : bound;
}

static void check_spa(worst *w, const study *s, int64_t variant, int exact, const gp_result *r) {
    oracle o = single_of(s, variant, exact, 0);
    long double zero[LONG_MOST] = {0};
    long_point at;
    long_look(&o.model, zero, &at);
    assert_int_equal(r->status, GP_STATUS_OK);
    if (r->test == GP_TEST_SPA) {
        long double score = at.gradient[0], a = long_tail(&o, 0);
        long double b = long_tail(&o, 2 * score);
        long double p = -log10l(powl(10, a) + powl(10, b));
        w->neglog10p = fmax(w->neglog10p, fabs(r->neglog10p - (double)p));
        long double beta = score / at.information[0];
        w->beta = fmax(w->beta, fabs(r->beta / (double)beta - 1.0));
        assert_true(near(r->se, fabs(r->beta / r->statistic), 1e-12)); /* roundings */
        assert_true(near(gp_t_neglog10p(r->statistic, INFINITY), r->neglog10p, 1e-11)); /* too */
        w->compared++;
    } else { /* nothing speaks for the variant */
        assert_int_equal(r->test, GP_TEST_SCORE);
        assert_true(r->neglog10p < 0.5);
    }
    oracle_free(&o);
}

static void spa_agrees_with_a_saddlepoint_in_long_double(void **state) {
    (void)state;
    worst w = over_cohorts(GP_LOGIT_SPA, check_spa);
    say("SPA", &w);
    assert_true(w.compared > 50);
    assert_true(w.neglog10p < 1e-6 && w.beta < 1e-8); /* asked for */
}

/* All 2^16 outcomes of 16 samples, of which each is a case with its own probability: the tails are
 * those of the sum of (y - mu) v. The approximation is for sums without gaps; here a value's own
 * probability is a good part of the tail. */
static void spa_is_near_the_exact_distribution(void **state) {
    (void)state;
    enum { N = 16 };
    study s = study_new(N, 1, 1);
    const int call[N] = {0, 1, 0, 2, 0, 1, 0, 0, 1, 0, 2, 0, 1, 0, 0, 1};
    const int y[N] = {0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0};
    gp_result r;
    for (int i = 0; i < N; i++) {
        s.x[i] = (double)((i * 7) % 5) + 0.1 * i;
        s.y[i] = y[i];
        set_call(&s, 0, i, call[i]);
    }
    run_all(&s, 1, GP_LOGIT_SPA, &r);
    assert_int_equal(r.test, GP_TEST_SPA);
    oracle o = single_of(&s, 0, 1, 0);
    long double mu[N], score = 0, tail = 0, inner = 0;
    for (int i = 0; i < N; i++) {
        mu[i] = 1 / (1 + expl(-o.offset[i]));
        score += (y[i] - mu[i]) * o.x[i];
    }
    for (int k = 0; k < 1 << N; k++) {
        long double sum = 0, p = 1;
        for (int i = 0; i < N; i++) {
            sum += ((k >> i & 1) - mu[i]) * o.x[i];
            p *= k >> i & 1 ? mu[i] : 1 - mu[i];
        }
        tail += fabsl(sum) >= fabsl(score) * (1 - 1e-9L) ? p : 0;
        inner += fabsl(sum) > fabsl(score) * (1 + 1e-9L) ? p : 0;
    }
    double p = pow(10.0, -r.neglog10p);
    print_message("p %.5f; exact %.5f, without the value itself %.5f\n", p, (double)tail,
                  (double)inner);
    assert_true(fabs(p / (double)((tail + inner) / 2) - 1.0) < 0.25); /* of so few samples */
    oracle_free(&o);
    study_free(&s);
}

/* Two carriers, both of them cases, where a tenth are cases: by chance 0.1^2. At the end of the
 * support Barndorff-Nielsen's formula alone says twice as much. */
static void spa_at_the_end_of_the_support_is_the_atom(void **state) {
    (void)state;
    study s = study_new(2000, 1, 0);
    gp_result r;
    for (int64_t i = 0; i < 200; i++)
        s.y[i] = 1;
    set_call(&s, 0, 0, 1);
    set_call(&s, 0, 1, 1);
    run_all(&s, 1, GP_LOGIT_SPA, &r);
    assert_int_equal(r.status, GP_STATUS_OK);
    assert_int_equal(r.test, GP_TEST_SPA);
    assert_true(r.beta > 0.0 && fabs(r.neglog10p - 2.0) < 0.02); /* the others move a little */
    study_free(&s);
}

/* A lone carrier among ten cases: far away, where its probability is 1, the penalised likelihood of
 * the variant alone rises again; the maximum near 0 is Firth's, as the exact form has it. */
static void approximate_firth_stays_where_it_climbs_to(void **state) {
    (void)state;
    uint64_t seed = 11;
    study s = study_new(1000, 1, 2);
    gp_result exact, approx;
    for (int64_t i = 0; i < s.n; i++) {
        for (int64_t k = 0; k < 2; k++)
            s.x[k * s.n + i] = (double)gp_test_below(&seed, 1000) / 500.0;
        s.y[i] = i % 100 == 7;
        set_call(&s, 0, i, i == 107);
    }
    run_all(&s, 1, GP_LOGIT_FIRTH, &exact);
    run_all(&s, 1, GP_LOGIT_APPROX, &approx);
    assert_true(exact.status == GP_STATUS_OK && approx.status == GP_STATUS_OK);
    assert_true(fabs(approx.beta - exact.beta) < 0.2 * exact.se); /* another model */
    assert_true(fabs(approx.neglog10p - exact.neglog10p) < 0.3);
    study_free(&s);
}

/* ---- what has no maximum ---- */

/* Within a group of the covariate the variant tells cases from controls, but not in all: cases have
 * g > x. */
static void covariates_and_variant_can_separate_together(void **state) {
    (void)state;
    study s = study_new(90, 1, 1);
    gp_result r;
    for (int64_t i = 0; i < s.n; i++) {
        int call = (int)(i % 3);
        s.x[i] = (double)((i / 3) % 2);
        s.y[i] = call > (int)s.x[i];
        set_call(&s, 0, i, call);
    }
    run_all(&s, 1, GP_LOGIT_WALD, &r);
    assert_int_equal(r.status, GP_STATUS_SEPARATION);
    assert_int_equal(r.test, GP_TEST_WALD);
    assert_true(isnan(r.beta) && isnan(r.se) && isnan(r.statistic) && isnan(r.neglog10p));
    assert_true(r.n == 90 && r.frequency == 0.5 && r.cases == 45);
    run_all(&s, 1, GP_LOGIT_FIRTH, &r);
    assert_int_equal(r.status, GP_STATUS_OK); /* Firth's likelihood has one */
    assert_true(r.beta > 0.0 && r.neglog10p > 5.0);
    study_free(&s);
}

/* A covariate that only samples without a call have: complete cases do not know it. */
static void a_covariate_that_missing_calls_take_away_is_skipped(void **state) {
    (void)state;
    study s = random_study(9, 300, KINDS, 0.4, 0.0), t;
    gp_result with[KINDS], without[KINDS];
    for (int64_t i = 0; i < s.n; i++) {
        s.x[i] = i < 10;
        for (int64_t j = 0; j < s.m && i < 10; j++)
            set_call(&s, j, i, 3);
    }
    t = s;
    t.covariates = 1;
    t.x = s.x + s.n;
    for (int kind = GP_LOGIT_WALD; kind <= GP_LOGIT_FIRTH; kind++) {
        run_all(&s, 1, (gp_logit_kind)kind, with);
        run_all(&t, 1, (gp_logit_kind)kind, without);
        for (int64_t j = 0; j < s.m; j++) {
            assert_int_equal(with[j].status, without[j].status);
            if (with[j].status == GP_STATUS_OK) {
                assert_true(fabs(with[j].beta - without[j].beta) <
                            2e-8 * without[j].se);                                /* steps */
                assert_true(near(with[j].se, without[j].se, 4e-8));               /* left, twice */
                assert_true(near(with[j].statistic, without[j].statistic, 1e-6)); /* the same */
            }
        }
    }
    study_free(&s);
}

/* ---- what may not change the bits ---- */

/* To the bit, NaN included; structs have holes. */
static int same(const gp_result *a, const gp_result *b, int64_t m) {
    for (; m-- > 0; a++, b++) {
        const double x[] = {a->beta,      a->se,        a->statistic,
                            a->neglog10p, a->frequency, a->frequency_cases},
                     y[] = {b->beta,      b->se,        b->statistic,
                            b->neglog10p, b->frequency, b->frequency_cases};
        if (memcmp(x, y, sizeof x) != 0 || a->status != b->status || a->test != b->test ||
            a->n != b->n || a->cases != b->cases)
            return 0;
    }
    return 1;
}

static void results_are_the_same_for_any_shards_and_threads(void **state) {
    (void)state;
    study s = random_study(77, 1000, 2 * KINDS, 0.2, 0.02);
    gp_err err = {0};
    int threads = omp_get_max_threads();
    for (int kind = GP_LOGIT_WALD; kind <= GP_LOGIT_SPA; kind++)
        for (int exact = 0; exact <= 1; exact++) {
            gp_result one[2 * KINDS], other[2 * KINDS];
            omp_set_num_threads(1);
            run_all(&s, exact, (gp_logit_kind)kind, one);
            assert_int_equal(run(&s, exact, 3, (gp_logit_kind)kind, other, &err), GP_OK);
            assert_true(same(one, other, s.m));
            omp_set_num_threads(3);
            run_all(&s, exact, (gp_logit_kind)kind, other);
            assert_true(same(one, other, s.m));
            assert_int_equal(run(&s, exact, 2, (gp_logit_kind)kind, other, &err), GP_OK);
            assert_true(same(one, other, s.m));
        }
    omp_set_num_threads(threads);
    study_free(&s);
}

/* A batch is used again; which variants share it changes nothing. */
static void a_variant_does_not_depend_on_its_batch(void **state) {
    (void)state;
    study s = random_study(78, 400, 3 * KINDS, 0.3, 0.02);
    gp_result all[3 * KINDS], one[3 * KINDS];
    gp_err err = {0};
    work w;
    assert_int_equal(open_work(&w, &s, 1, 1, &err), GP_OK);
    for (int kind = GP_LOGIT_SPA; kind >= GP_LOGIT_WALD; kind--) {
        run_all(&s, 1, (gp_logit_kind)kind, all);
        score(&w, one);
        for (int64_t j = s.m - 1; j >= 0; j--)
            if (one[j].status == GP_STATUS_OK)
                fit_batch(&w, (gp_logit_kind)kind, &j, 1, one);
        assert_true(same(all, one, s.m));
    }
    close_work(&w);
    study_free(&s);
}

static int make_batch(void *context, gp_err *err) {
    gp_logit_batch *batch = gp_logit_batch_new(*(const int64_t *)context, GP_LOGIT_FIRTH, err);
    gp_logit_batch_free(batch);
    assert_int_equal(batch == NULL, err->code != GP_OK);
    return err->code;
}

static void a_refused_allocation_is_an_error(void **state) {
    (void)state;
    int64_t c = 4;
    assert_int_equal(gp_test_fail_each(make_batch, &c), 6);
    assert_true(gp_logit_batch_bytes(c, GP_LOGIT_WALD) >
                gp_logit_batch_bytes(c - 1, GP_LOGIT_WALD));
    assert_true(gp_logit_batch_bytes(c, GP_LOGIT_WALD) > gp_logit_batch_bytes(c, GP_LOGIT_SPA));
    gp_logit_batch_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wald_of_a_2_by_2_table_by_hand),
        cmocka_unit_test(firth_of_a_2_by_2_table_adds_a_half_to_each_cell),
        cmocka_unit_test(wald_agrees_with_newton_in_long_double),
        cmocka_unit_test(firth_agrees_with_long_double),
        cmocka_unit_test(approximate_firth_agrees_with_long_double),
        cmocka_unit_test(spa_agrees_with_a_saddlepoint_in_long_double),
        cmocka_unit_test(spa_is_near_the_exact_distribution),
        cmocka_unit_test(spa_at_the_end_of_the_support_is_the_atom),
        cmocka_unit_test(approximate_firth_stays_where_it_climbs_to),
        cmocka_unit_test(covariates_and_variant_can_separate_together),
        cmocka_unit_test(a_covariate_that_missing_calls_take_away_is_skipped),
        cmocka_unit_test(results_are_the_same_for_any_shards_and_threads),
        cmocka_unit_test(a_variant_does_not_depend_on_its_batch),
        cmocka_unit_test(a_refused_allocation_is_an_error),
    };
    return gp_test_no_kernel() ? GP_TEST_SKIPPED : cmocka_run_group_tests(tests, NULL, NULL);
}
