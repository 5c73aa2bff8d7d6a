/* Linear regression against least squares by LAPACK in double precision, one problem per variant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/tail.h"
#include "tests/support/cohort.h"
#include "tests/support/random.h"

#include <stdio.h>

/* Fortran names: every LAPACK has them. */
void dgeqp3_(const int *m, const int *n, double *a, const int *lda, int *jpvt, double *tau,
             double *work, const int *lwork, int *info);
void dgels_(const char *trans, const int *m, const int *n, const int *nrhs, double *a,
            const int *lda, double *b, const int *ldb, double *work, const int *lwork, int *info);

enum { MOST_COLUMNS = 40, WORK = 100000 };

/* Room for one variant's least squares; matrices column-major. */
typedef struct oracle {
    double *a, *b, *work, *g;
    int64_t *rows;
    double left; /* share of the trait's squares over S that the last fit leaves */
} oracle;

static oracle oracle_new(int64_t n) {
    return (oracle){cohort_room(n * MOST_COLUMNS, sizeof(double)),
                    cohort_room(n, sizeof(double)),
                    cohort_room(WORK, sizeof(double)),
                    cohort_room(n, sizeof(double)),
                    cohort_room(n, sizeof(int64_t)),
                    0.0};
}

static void oracle_free(oracle *o) {
    free(o->a);
    free(o->b);
    free(o->work);
    free(o->g);
    free(o->rows);
}

/* The samples of a variant's regression and their dosages. Returns their number. */
static int64_t choose(const cohort *h, int64_t variant, int exact, oracle *o) {
    int64_t count = 0, called = 0;
    double total = 0.0;
    for (int64_t i = 0; i < h->used; i++) {
        int call = cohort_call(h, variant, h->sample[i]);
        called += call != GP_GENO_MISSING;
        total += call != GP_GENO_MISSING ? call : 0;
    }
    for (int64_t i = 0; i < h->used; i++) {
        int call = cohort_call(h, variant, h->sample[i]);
        if (call == GP_GENO_MISSING && exact)
            continue;
        o->g[count] = call == GP_GENO_MISSING ? total / (double)called : call;
        o->rows[count++] = h->sample[i];
    }
    return count;
}

/* The intercept and covariate columns of the chosen samples, scaled to length 1, in column
 * order[k]; those of no length are zero. */
static void fill(const cohort *h, const oracle *o, int64_t n, const int *order, int columns) {
    for (int k = 0; k < columns; k++) {
        double *to = o->a + k * n, length = 0.0, mean = 0.0;
        const double *x = order[k] ? h->x + (order[k] - 1) * h->n : NULL;
        for (int64_t i = 0; i < n; i++)
            mean += (x ? x[o->rows[i]] : 0.0) / (double)n;
        for (int64_t i = 0; i < n; i++) {
            to[i] = x ? x[o->rows[i]] - mean : 1.0;
            length += to[i] * to[i];
        }
        for (int64_t i = 0; i < n; i++)
            to[i] = length > 1e-18 * (double)n ? to[i] / sqrt(length) : 0.0;
    }
}

/* Columns that span the covariates among the chosen samples, by QR with pivoting. Returns the rank.
 */
static int independent(const cohort *h, const oracle *o, int64_t n, int *order) {
    int m = (int)n, columns = (int)h->c + 1, work = WORK, info = 0, rank = 0;
    int pivot[MOST_COLUMNS] = {0};
    double tau[MOST_COLUMNS];
    for (int k = 0; k < columns; k++)
        order[k] = k;
    fill(h, o, n, order, columns);
    dgeqp3_(&m, &columns, o->a, &m, pivot, tau, o->work, &work, &info);
    assert_int_equal(info, 0);
    while (rank < columns && rank < m && fabs(o->a[rank * n + rank]) > 1e-7)
        rank++;
    for (int k = 0; k < rank; k++)
        order[k] = pivot[k] - 1;
    return rank;
}

/* The centred squares of trait t over S. */
static double squares(const cohort *h, int64_t t) {
    double mean = 0.0, sum = 0.0;
    for (int64_t i = 0; i < h->used; i++)
        mean += h->y[t * h->n + h->sample[i]] / (double)h->used;
    for (int64_t i = 0; i < h->used; i++)
        sum += pow(h->y[t * h->n + h->sample[i]] - mean, 2);
    return sum;
}

/* Ordinary least squares of trait t on the chosen samples. */
static gp_result least_squares(const cohort *h, oracle *o, int64_t n, int64_t t) {
    gp_result r = gp_result_none(GP_STATUS_OK, n);
    int order[MOST_COLUMNS], m = (int)n, one = 1, work = WORK, info = 0;
    int rank = n ? independent(h, o, n, order) : 0, columns = rank + 1;
    double gg = 0.0, mean = 0.0, rest = 0.0;
    for (int64_t i = 0; i < n; i++)
        mean += o->g[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        gg += (o->g[i] - mean) * (o->g[i] - mean);
    if (n == 0)
        r.status = GP_STATUS_ALL_MISSING;
    else if (gg < 1e-12)
        r.status = GP_STATUS_CONSTANT;
    else if (n - columns < 1)
        r.status = GP_STATUS_FEW_SAMPLES;
    if (r.status != GP_STATUS_OK)
        return r;
    fill(h, o, n, order, rank);
    memcpy(o->a + rank * n, o->g, (size_t)n * sizeof *o->g);
    for (int64_t i = 0; i < n; i++)
        o->b[i] = h->y[t * h->n + o->rows[i]];
    dgels_("N", &m, &columns, &one, o->a, &m, o->b, &m, o->work, &work, &info);
    double corner = o->a[rank * n + rank]; /* g's length outside the covariates */
    if (info != 0 || !(corner * corner > 1e-8 * gg)) {
        r.status = GP_STATUS_COLLINEAR;
        return r;
    }
    for (int64_t i = columns; i < n; i++)
        rest += o->b[i] * o->b[i];
    o->left = rest / squares(h, t);
    r.beta = o->b[rank];
    r.se = sqrt(rest / (double)(n - columns)) / fabs(corner);
    r.statistic = r.beta / r.se;
    r.neglog10p = gp_t_neglog10p(r.statistic, (double)(n - columns));
    return r;
}

/* The largest differences: of beta relative to the larger of |beta| and se (a beta near 0 has no
 * relative accuracy in any method), of se and -log10 p relative to themselves; and of se times the
 * share of the trait's squares that the fit leaves. */
typedef struct errors {
    double beta, se, p, se_left;
    int64_t numbers, reasons;
} errors;

static void compare(const cohort *h, int exact, errors *worst) {
    gp_result *got = cohort_room(h->m * h->p, sizeof *got);
    oracle o = oracle_new(h->n);
    free(cohort_test(h, exact, 1, got));
    for (int64_t j = 0; j < h->m; j++) {
        int64_t n = choose(h, j, exact, &o);
        for (int64_t t = 0; t < h->p; t++) {
            const gp_result *r = &got[j * h->p + t];
            gp_result want = least_squares(h, &o, n, t);
            assert_int_equal(r->status, want.status);
            assert_int_equal(r->n, n);
            worst->reasons += want.status != GP_STATUS_OK;
            if (want.status != GP_STATUS_OK)
                continue;
            worst->numbers++;
            worst->beta =
                fmax(worst->beta, fabs(r->beta - want.beta) / fmax(fabs(want.beta), want.se));
            worst->se = fmax(worst->se, fabs(r->se - want.se) / want.se);
            worst->se_left = fmax(worst->se_left, fabs(r->se - want.se) / want.se * o.left);
            worst->p = fmax(worst->p, fabs(r->neglog10p - want.neglog10p) /
                                          fmax(want.neglog10p, 0.1)); /* p near 1: as beta near 0 */
        }
    }
    oracle_free(&o);
    free(got);
}

static void say(const char *what, const errors *e) {
    print_message(
        "%s: %lld numbers, %lld without; beta %.2g, se %.2g (x left %.2g), -log10 p %.2g\n", what,
        (long long)e->numbers, (long long)e->reasons, e->beta, e->se, e->se_left, e->p);
    assert_true(e->numbers > 0);
}

static void check(const char *what, const errors *e) {
    say(what, e);
    assert_true(e->beta < 1e-9 && e->se < 1e-9); /* what linear.h promises */
    assert_true(e->p < 1e-8);                    /* log p moves by t dt */
}

/* Where a variant's missing samples may take nearly all of a direction away. */
static void check_strained(const char *what, const errors *e) {
    say(what, e);
    assert_true(e->beta < 1e-9);
    assert_true(e->se < 1e-8);       /* 2^-49 over what is left of covariates, about 1e-6 */
    assert_true(e->se_left < 1e-12); /* 2^-49 over both shares that are left */
}

/* Covariates as people have them: an age, a year, a sex, a score, and a category whose rarest
 * levels have few carriers; traits of several sizes that covariates and the first variants move. */
static double covariate(int64_t j, uint64_t *seed) {
    switch (j % 5) {
    case 0:
        return 50.0 + floor(10.0 * gp_test_normal(seed));
    case 1:
        return (double)gp_test_below(seed, 2);
    case 2:
        return 2003.0 + (double)gp_test_below(seed, 3) - 1.0;
    case 3:
        return 1e-3 * gp_test_normal(seed);
    default:
        return 0.0; /* a level: carriers come later */
    }
}

static cohort draw(int64_t n, int64_t m, int64_t c, int64_t p, double missing, uint64_t *seed) {
    cohort h = cohort_new(n, m, c, p);
    h.used = 0;
    for (int64_t i = 0; i < n; i++)
        if (n < 30 || gp_test_below(seed, 12) > 0)
            h.sample[h.used++] = i;
    for (int64_t j = 0; j < m; j++) {
        double f = 0.001 + 0.998 * (double)j / (double)(m - 1);
        for (int64_t i = 0; i < n; i++) {
            int call = (gp_test_uniform(seed) < f) + (gp_test_uniform(seed) < f);
            gp_geno_set(h.rows + j * h.stride, i,
                        gp_test_uniform(seed) < missing ? GP_GENO_MISSING : call);
        }
    }
    for (int64_t k = 0; k < c * n; k++)
        h.x[k] = covariate(k / n, seed);
    for (int64_t j = 4; j < c; j += 5)
        for (int k = 0; k < 3;
             k++) /* three carriers, all of them missing for every third variant */
            h.x[j * n + h.sample[gp_test_below(seed, h.used)]] = 1.0;
    for (int64_t v = 0; v < m && missing > 0.0; v += 3)
        for (int64_t i = 0; i < n; i++)
            if (c > 4 && h.x[4 * n + i] != 0.0)
                gp_geno_set(h.rows + v * h.stride, i, GP_GENO_MISSING);
    for (int64_t t = 0; t < p; t++)
        for (int64_t i = 0; i < n; i++) {
            double y = gp_test_normal(seed) + 0.4 * cohort_call(&h, m / 2, i);
            for (int64_t j = 0; j < c; j++)
                y += 0.02 * h.x[j * n + i];
            h.y[t * n + i] = (y + 10.0) * pow(10.0, 3.0 * (double)(t % 3) - 3.0);
        }
    return h;
}

static void draw_and_compare(double missing, int exact, const char *what) {
    uint64_t seed = 29;
    errors worst = {0};
    const int64_t shape[][4] = {/* samples, variants, covariates, traits */
                                {20, 300, 0, 1},  {20, 300, 3, 2},   {24, 300, 10, 1},
                                {64, 200, 5, 3},  {101, 200, 17, 1}, {500, 100, 10, 4},
                                {3000, 40, 5, 2}, {3000, 40, 20, 1}};
    for (size_t s = 0; s < sizeof shape / sizeof shape[0]; s++) {
        cohort h = draw(shape[s][0], shape[s][1], shape[s][2], shape[s][3], missing, &seed);
        compare(&h, exact, &worst);
        cohort_free(&h);
    }
    check(what, &worst);
}

static void complete_calls_agree(void **state) {
    (void)state;
    draw_and_compare(0.0, 1, "no missing call");
}

static void complete_cases_agree_with_1_percent_missing(void **state) {
    (void)state;
    draw_and_compare(0.01, 1, "1% missing, complete cases");
}

static void complete_cases_agree_with_30_percent_missing(void **state) {
    (void)state;
    draw_and_compare(0.3, 1, "30% missing, complete cases");
}

static void the_mean_in_place_of_missing_calls_agrees(void **state) {
    (void)state;
    draw_and_compare(0.01, 0, "1% missing, mean");
    draw_and_compare(0.3, 0, "30% missing, mean");
}

/* Some 17 samples called for 11 columns: little is left of some directions. */
static void few_samples_for_many_covariates_agree(void **state) {
    (void)state;
    uint64_t seed = 32;
    errors worst = {0};
    cohort h = draw(24, 1000, 10, 1, 0.3, &seed);
    compare(&h, 1, &worst);
    check_strained("few samples for many covariates", &worst);
    cohort_free(&h);
}

/* Traits and covariates with tails, and a sample far out, that some variants do not have. */
static void heavy_tails_agree(void **state) {
    (void)state;
    uint64_t seed = 30;
    errors worst = {0};
    cohort h = draw(1500, 60, 8, 3, 0.05, &seed);
    for (int64_t i = 0; i < h.n; i++) {
        h.x[i] = exp(1.5 * gp_test_normal(&seed));
        h.y[i] = exp(1.5 * gp_test_normal(&seed));
    }
    h.x[700] = 500.0;
    h.y[h.n + 700] *= 30.0;
    compare(&h, 1, &worst);
    check_strained("heavy tails", &worst);
    cohort_free(&h);
}

static void strong_effects_agree(void **state) {
    (void)state;
    uint64_t seed = 31;
    errors worst = {0};
    cohort h = draw(2000, 20, 4, 1, 0.02, &seed);
    for (int64_t i = 0; i < h.n; i++) /* r^2 about 0.99 */
        h.y[i] = 0.07 * gp_test_normal(&seed) + cohort_call(&h, 10, i);
    compare(&h, 1, &worst);
    check("strong effects", &worst);
    cohort_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_calls_agree),
        cmocka_unit_test(complete_cases_agree_with_1_percent_missing),
        cmocka_unit_test(complete_cases_agree_with_30_percent_missing),
        cmocka_unit_test(the_mean_in_place_of_missing_calls_agrees),
        cmocka_unit_test(few_samples_for_many_covariates_agree),
        cmocka_unit_test(heavy_tails_agree),
        cmocka_unit_test(strong_effects_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
