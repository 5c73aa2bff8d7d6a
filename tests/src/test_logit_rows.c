/* Passes of logistic models: against sums in long double; the same bits for any cut and kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/assoc/design.h"
#include "src/assoc/logit_loops.h"
#include "src/assoc/logit_rows.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/geno/count.h"
#include "tests/support/kernel_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STORE = 5000, USED = 4321, C = 4, D = C + 1, CUT = 1984 /* of samples, whole groups */ };

/* A cohort: some store samples are not used, some calls are missing. */
typedef struct cohort {
    int64_t sample[USED];
    double basis[(C - 1) * USED], y[USED], offset[USED];
    uint8_t row[(STORE + 63) / 64 * 16];
    double beta[D], inverse[D * D], gamma[C];
} cohort;

static int call_of(const cohort *h, int64_t i) {
    return h->row[i / 4] >> (2 * (i % 4)) & 3;
}

static cohort *make(void) {
    gp_err err = {0};
    cohort *h = gp_mem_alloc(1, sizeof *h, &err);
    gp_rng rng = gp_rng_stream(5, 1, 0, 0, 0);
    uint8_t kept[C];
    int64_t n = 0;
    assert_non_null(h);
    for (int64_t i = 0; i < STORE; i++)
        if (n < USED && STORE - i > 0 && (STORE - i == USED - n || gp_rng_uniform(&rng) < 0.87))
            h->sample[n++] = i;
    assert_int_equal(n, USED);
    for (int64_t i = 0; i < USED; i++) {
        for (int64_t k = 0; k < C - 1; k++)
            h->basis[k * USED + i] = k == 1 ? exp(gp_rng_normal(&rng)) : gp_rng_normal(&rng);
        h->y[i] = gp_rng_uniform(&rng) < 0.2;
        h->offset[i] = 0.3 * gp_rng_normal(&rng);
    }
    assert_int_equal(gp_design_basis(h->basis, USED, C - 1, kept), C - 1);
    for (int64_t i = 0; i < STORE; i++) {
        double u = gp_rng_uniform(&rng);
        int call = u < 0.02 ? 3 : u < 0.6 ? 0 : u < 0.93 ? 1 : 2;
        h->row[i / 4] |= (uint8_t)(call << (2 * (i % 4)));
    }
    const double beta[] = {-1.3, 0.4, -0.2, 0.7, 0.5}, gamma[] = {0.4, -0.02, 0.05, 0.01};
    memcpy(h->beta, beta, sizeof beta);
    memcpy(h->gamma, gamma, sizeof gamma);
    for (int64_t j = 0; j < D; j++)
        for (int64_t k = 0; k <= j; k++)
            h->inverse[j * D + k] = 0.02 * gp_rng_normal(&rng);
    return h;
}

static gp_logit_rows rows_of(const cohort *h, int64_t first, int64_t samples) {
    gp_err err = {0};
    gp_logit_rows rows = {0};
    gp_logit_rows_input in = {.n = USED,
                              .sample = h->sample,
                              .covariates = C - 1,
                              .basis = h->basis,
                              .first = first,
                              .samples = samples};
    assert_int_equal(gp_logit_rows_init(&rows, &in, &err), GP_OK);
    return rows;
}

/* How a pass is to be made. */
typedef struct ask {
    int variant, firth, one;
    double missing;
} ask;

/* Sums over a run of store samples, in parts of a few groups. */
static void sum(const cohort *h, const ask *a, int64_t first, int64_t samples, int64_t part,
                int64_t *sums, double *value) {
    gp_err err = {0};
    gp_logit_rows rows = rows_of(h, first, samples);
    double *y = gp_mem_alloc(rows.groups * 64, sizeof *y, &err);
    double *offset = gp_mem_alloc(rows.groups * 64, sizeof *offset, &err);
    double *scratch = gp_mem_alloc(gp_logit_pass_scratch(&rows), sizeof *scratch, &err);
    gp_logit_rows_spread(&rows, h->sample, h->y, y);
    gp_logit_rows_spread(&rows, h->sample, h->offset, offset);
    /* Two pieces, and a variant before this one. */
    int64_t stride = gp_geno_stride(samples), cut = samples > 640 ? 640 : samples;
    uint8_t *copy = gp_mem_alloc(2 * stride, 1, &err);
    memcpy(copy + stride, h->row + first / 4, (size_t)((samples + 3) / 4));
    gp_piece piece[2] = {{copy, stride, 0, cut}, {copy + cut / 4, stride, cut, samples - cut}};
    gp_calls calls = {2, cut < samples ? 2 : 1, piece};
    gp_logit_pass pass = {.y = y,
                          .offset = offset,
                          .calls = a->variant ? &calls : NULL,
                          .variant = 1,
                          .missing = a->missing,
                          .beta = a->one ? h->beta + C : h->beta,
                          .inverse = a->firth ? h->inverse : NULL,
                          .gamma = h->gamma,
                          .scratch = scratch};
    for (int64_t g = 0; g < rows.groups; g += part) {
        int64_t count = rows.groups - g < part ? rows.groups - g : part;
        if (a->one)
            gp_logit_pass_one(&rows, &pass, g, count, sums);
        else
            gp_logit_pass_all(&rows, &pass, g, count, sums);
    }
    if (value != NULL && a->one)
        gp_logit_one_values(&rows, &pass, sums, value);
    else if (value != NULL)
        gp_logit_all_values(&rows, a->variant, sums, value);
    free(copy);
    free(scratch);
    free(y);
    free(offset);
    gp_logit_rows_free(&rows);
}

/* One sample's columns and genotype; 0 where it does not count. */
static int sample_of(const cohort *h, const ask *a, int64_t i, long double x[D]) {
    int call = call_of(h, h->sample[i]);
    x[0] = 1;
    for (int64_t k = 1; k < C; k++)
        x[k] = h->basis[(k - 1) * USED + i] * sqrt((double)USED);
    x[C] = call == 3 ? a->missing : call;
    return !a->variant || call != 3 || !isnan(a->missing);
}

static void expect_all(const cohort *h, const ask *a, long double *value) {
    int64_t d = a->variant ? D : C;
    for (int64_t i = 0; i < USED; i++) {
        long double x[D], odds = h->offset[i], h2 = 0, y = h->y[i];
        if (!sample_of(h, a, i, x))
            continue;
        for (int64_t k = 0; k < d; k++)
            odds += h->beta[k] * x[k];
        long double mu = 1 / (1 + expl(-odds)), w = mu * (1 - mu), r = y - mu;
        for (int64_t j = 0; a->firth && j < d; j++) {
            long double s = 0;
            for (int64_t k = 0; k <= j; k++)
                s += h->inverse[j * d + k] * x[k];
            h2 += s * s;
        }
        h2 = fminl(w * h2, 1);
        r += h2 * (0.5L - mu);
        w *= 1 + h2;
        value[0] += y * odds - log1pl(expl(odds));
        int64_t at = 1;
        for (int64_t k = 0; k < d; k++)
            value[at++] += r * x[k];
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = j; k < d; k++)
                value[at++] += w * x[j] * x[k];
    }
}

static void expect_one(const cohort *h, const ask *a, long double *value) {
    for (int64_t i = 0; i < USED; i++) {
        long double x[D], v, y = h->y[i];
        if (!sample_of(h, a, i, x))
            continue;
        v = x[C];
        for (int64_t k = 0; k < C; k++)
            v -= h->gamma[k] * x[k];
        long double odds = h->offset[i] + h->beta[C] * v, mu = 1 / (1 + expl(-odds));
        long double w = mu * (1 - mu);
        value[0] += y * odds - log1pl(expl(odds));
        value[1] += (y - mu) * v;
        value[2] += w * v * v;
        value[3] += w * (1 - 2 * mu) * v * v * v;
    }
}

static const ask asked[] = {{0, 0, 0, NAN}, {0, 1, 0, NAN}, {1, 0, 0, NAN}, {1, 1, 0, NAN},
                            {1, 1, 0, 0.6}, {1, 0, 1, NAN}, {1, 0, 1, 0.6}};
enum { ASKED = sizeof asked / sizeof *asked, MOST = 1 + D + D * (D + 1) / 2 };

static int64_t width_of(const ask *a) {
    return a->one ? GP_LOGIT_ONE_WIDTH : gp_logit_all_width(a->variant ? D : C);
}

static void sums_agree_with_long_double(void **state) {
    (void)state;
    cohort *h = make();
    for (int k = 0; k < ASKED; k++) {
        int64_t sums[MOST] = {0};
        double value[MOST];
        long double expected[MOST] = {0};
        sum(h, &asked[k], 0, STORE, 1000, sums, value);
        if (asked[k].one)
            expect_one(h, &asked[k], expected);
        else
            expect_all(h, &asked[k], expected);
        for (int64_t i = 0; i < width_of(&asked[k]); i++) {
            /* Terms are rounded to 2^-43 of the largest there could be (2^14 here, for a skewed
             * covariate's square): 2^-29 each at worst, and they partly cancel. */
            double scale = fabs((double)expected[i]) * 1e-12 + 2e-8;
            assert_true(fabs((double)(value[i] - expected[i])) < scale);
        }
    }
    free(h);
}

static void sums_are_the_same_for_any_cut(void **state) {
    (void)state;
    cohort *h = make();
    for (int k = 0; k < ASKED; k++) {
        int64_t whole[MOST] = {0}, parts[MOST] = {0};
        sum(h, &asked[k], 0, STORE, 1000, whole, NULL);
        sum(h, &asked[k], 0, CUT, 3, parts, NULL);
        sum(h, &asked[k], CUT, STORE - CUT, 7, parts, NULL);
        assert_memory_equal(whole, parts, sizeof whole);
    }
    free(h);
}

/* A model of an intercept and a variant, by hand: two samples at log odds 0 and log 3. */
static void sums_are_right_by_hand(void **state) {
    (void)state;
    gp_err err = {0};
    const int64_t sample[] = {1, 2};
    gp_logit_rows_input in = {.n = 2, .sample = sample, .samples = 3};
    gp_logit_rows rows = {0};
    assert_int_equal(gp_logit_rows_init(&rows, &in, &err), GP_OK);
    double y[64] = {0, 1, 0}, offset[64] = {0}, beta[] = {0, log(3.0)}, value[6];
    uint8_t row[16] = {1 | 0 << 2 | 1 << 4}; /* calls 1, 0, 1: the first is not in use */
    gp_piece piece = {row, 16, 0, 3};
    gp_calls calls = {1, 1, &piece};
    double *scratch = gp_mem_alloc(gp_logit_pass_scratch(&rows), sizeof *scratch, &err);
    gp_logit_pass pass = {.y = y,
                          .offset = offset,
                          .calls = &calls,
                          .missing = NAN,
                          .beta = beta,
                          .scratch = scratch};
    int64_t sums[6] = {0};
    gp_logit_pass_all(&rows, &pass, 0, 1, sums);
    gp_logit_all_values(&rows, 1, sums, value);
    /* mu = 1/2 and 3/4, y = 1 and 0; units of 2^-36 */
    const double expected[] = {-log(2.0) - log(4.0), 0.5 - 0.75, -0.75,
                               0.25 + 3.0 / 16,      3.0 / 16,   3.0 / 16};
    for (int k = 0; k < 6; k++)
        assert_true(fabs(value[k] - expected[k]) < 1e-10);
    free(scratch);
    gp_logit_rows_free(&rows);
}

static void extreme_odds_stay_finite(void **state) {
    (void)state;
    gp_err err = {0};
    const int64_t sample[] = {0, 1, 2, 3};
    gp_logit_rows_input in = {.n = 4, .sample = sample, .samples = 4};
    gp_logit_rows rows = {0};
    assert_int_equal(gp_logit_rows_init(&rows, &in, &err), GP_OK);
    double y[64] = {0, 1, 0, 1}, offset[64] = {-900, 900, 60, -60}, beta[] = {0}, value[3];
    double *scratch = gp_mem_alloc(gp_logit_pass_scratch(&rows), sizeof *scratch, &err);
    gp_logit_pass pass = {.y = y, .offset = offset, .beta = beta, .scratch = scratch};
    int64_t sums[3] = {0};
    gp_logit_pass_all(&rows, &pass, 0, 1, sums);
    gp_logit_all_values(&rows, 0, sums, value);
    assert_true(fabs(value[0] + 120.0) < 1e-9);
    assert_true(fabs(value[1]) < 1e-9 && fabs(value[2]) < 1e-9);
    free(scratch);
    gp_logit_rows_free(&rows);
}

static void a_refused_allocation_is_an_error(void **state) {
    (void)state;
    cohort *h = make();
    for (int64_t k = 1; k <= 3; k++) {
        gp_err err = {0};
        gp_logit_rows rows = {0};
        gp_logit_rows_input in = {.n = USED,
                                  .sample = h->sample,
                                  .covariates = C - 1,
                                  .basis = h->basis,
                                  .samples = STORE};
        gp_mem_fail_at(k);
        assert_int_equal(gp_logit_rows_init(&rows, &in, &err), GP_EFAIL);
        gp_mem_fail_at(0);
        gp_logit_rows_free(&rows);
    }
    free(h);
}

int main(void) {
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_agree_with_long_double),
        cmocka_unit_test(sums_are_the_same_for_any_cut),
        cmocka_unit_test(sums_are_right_by_hand),
        cmocka_unit_test(extreme_odds_stay_finite),
        cmocka_unit_test(a_refused_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
