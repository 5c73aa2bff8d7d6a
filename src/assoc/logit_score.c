#include "src/assoc/logit_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/tail.h"
#include "src/geno/count.h"

#include <math.h>
#include <string.h>

/* What is left of a covariate's information, as a share, that missing samples took away. */
#define NOTHING 1e-9

/* Log odds that the null model may differ by among the called samples. */
#define DRIFT 0.02

/* A variant's sums. */
typedef struct variant {
    const int64_t *call, *cases, *missing;
    int64_t called;
    double mean;         /* of called genotypes */
    int without;         /* 1: samples of S are left out */
    double gradient, gg; /* sums of r g and w g^2 */
} variant;

/* H over R = L L'; a, s: sums of w g x and r x, later L^-1 a and L^-1 s. */
typedef struct normal {
    double *h, *own, *a, *s; /* [c x c], [c] 1 / diagonal of L, [c], [c] */
} normal;

int64_t gp_logit_test_scratch(int64_t c) {
    return (c * c + 3 * c + 7) / 8 * 8;
}

static normal normal_at(int64_t c, double *scratch) {
    return (normal){scratch, scratch + c * c, scratch + c * c + c, scratch + c * c + 2 * c};
}

/* Reads variant j of a block.
 *    a  out  [c] sums of w g x */
static variant read_variant(const gp_logit *model, const int64_t *sums, int64_t m, int64_t j,
                            double *a) {
    const gp_logit_block at = gp_logit_block_of(model, m);
    int64_t c = model->c;
    const int64_t *weighted = sums + at.weighted + j * (c + 1), *call = sums + at.calls + 4 * j;
    const double *unit = model->unit;
    variant v = {.call = call,
                 .cases = sums + at.cases + 4 * j,
                 .missing = sums + at.missing + j * at.missing_width,
                 .called = call[0] + call[1] + call[2],
                 .without = model->exact && call[GP_GENO_MISSING] > 0};
    v.mean = (double)(call[1] + 2 * call[2]) / (double)v.called;
    for (int64_t k = 0; k < c; k++)
        a[k] = (double)weighted[k] * unit[k];
    v.gradient = (double)weighted[c] * unit[c];
    v.gg = ((double)weighted[0] + 2.0 * (double)sums[at.two + j]) * unit[0]; /* g + 2 [g = 2] */
    if (model->exact || call[GP_GENO_MISSING] == 0)
        return v;
    for (int64_t k = 0; k < c; k++)
        a[k] += v.mean * ((double)v.missing[k] * unit[k]);
    v.gradient += v.mean * ((double)v.missing[c] * unit[c]);
    v.gg += v.mean * v.mean * ((double)v.missing[0] * unit[0]);
    return v;
}

/* H over R: less what moments of the missing samples say.
 *    h  out  rows of `pitch` numbers; both triangles
 *    s  out  [c] sums of r x; or NULL */
static void information_of(const gp_logit *model, const variant *v, int64_t pitch, double *h,
                           double *s) {
    int64_t c = model->c;
    const double *all = model->null->information, *unit = NULL;
    const int64_t *moment = NULL;
    if (v->without) {
        unit = model->moment_unit + c + 2;
        moment = v->missing + c + 2;
    }
    for (int64_t j = 0; j < c; j++) {
        for (int64_t k = j; k < c; k++) {
            double left = all[j * c + k];
            if (v->without)
                left -= (double)*moment++ * *unit++;
            h[j * pitch + k] = h[k * pitch + j] = left;
        }
        double gone = 0.0;
        if (v->without) { /* near and far */
            gone = (double)moment[0] * unit[0] + (double)moment[1] * unit[1];
            moment += 2;
            unit += 2;
        }
        if (s != NULL)
            s[j] = -gone;
    }
}

/* Factors H, and takes a and s to L^-1 a and L^-1 s. A covariate that the missing samples took away
 * is skipped, as if it had not been given. */
static void eliminate(const gp_logit *model, const normal *eq) {
    int64_t c = model->c;
    for (int64_t j = 0; j < c; j++) {
        double *row = eq->h + j * c;
        for (int64_t k = 0; k < j; k++)
            row[k] = (row[k] - gp_dot(row, eq->h + k * c, k)) * eq->own[k];
        double left = row[j] - gp_dot(row, row, j);
        eq->own[j] = left > NOTHING * model->null->information[j * c + j] ? 1.0 / sqrt(left) : 0.0;
        eq->a[j] = (eq->a[j] - gp_dot(row, eq->a, j)) * eq->own[j];
        eq->s[j] = (eq->s[j] - gp_dot(row, eq->s, j)) * eq->own[j];
    }
}

/* Whether the missing calls leave samples of another null model. s'H^-1 s is what its likelihood
 * gains, twice; over the weights' sum, the mean square that log odds move by. If calls are missing
 * at random it is that share of a chi-squared number of c degrees of freedom: one in some thousands
 * is above the bound. */
static int is_apart(const gp_logit *model, const variant *v, const normal *eq) {
    double c = (double)model->c, gain = gp_dot(eq->s, eq->s, model->c);
    double missing = (double)v->call[GP_GENO_MISSING] / (double)model->rows->n;
    return gain * eq->own[0] * eq->own[0] > DRIFT * DRIFT &&
           gain > missing * (c + 4.0 * sqrt(2.0 * c) + 6.0);
}

static gp_status test(const gp_logit *model, const variant *v, const normal *eq,
                      gp_result *result) {
    int64_t c = model->c;
    double u = v->gradient;
    if (v->without) {
        information_of(model, v, c, eq->h, eq->s);
        eliminate(model, eq);
        u -= gp_dot(eq->a, eq->s, c);
        result->apart = is_apart(model, v, eq);
    } else { /* s = 0 */
        gp_lower_times(model->inverse, c, eq->a);
    }
    double around_mean = v->gg - eq->a[0] * eq->a[0], left = v->gg - gp_dot(eq->a, eq->a, c);
    if (!(left > 1e-8 * around_mean))
        return GP_STATUS_COLLINEAR;
    double root = sqrt(left);
    result->beta = u / left;
    result->se = 1.0 / root;
    result->statistic = u / root;
    result->neglog10p = gp_t_neglog10p(result->statistic, INFINITY);
    return GP_STATUS_OK;
}

static double frequency_of(const int64_t *call) {
    gp_counts counts;
    memcpy(counts.call, call, sizeof counts.call);
    return gp_counts_alt_frequency(&counts);
}

/* Counts, frequencies, and whether they allow a test. */
static gp_result count(const gp_logit *model, const variant *v) {
    const int64_t *call = v->call;
    int64_t called = v->called, controls[4];
    for (int k = 0; k < 4; k++)
        controls[k] = call[k] - v->cases[k];
    gp_result r = gp_result_none(GP_STATUS_OK, model->exact ? called : model->rows->n);
    r.test = GP_TEST_SCORE;
    r.cases = v->cases[0] + v->cases[1] + v->cases[2] + (model->exact ? 0 : v->cases[3]);
    r.frequency = frequency_of(call);
    r.frequency_cases = frequency_of(v->cases);
    r.frequency_controls = frequency_of(controls);
    if (called == 0)
        r.status = GP_STATUS_ALL_MISSING;
    else if (call[0] == called || call[1] == called || call[2] == called)
        r.status = GP_STATUS_CONSTANT;
    else if (r.cases == 0 || r.cases == r.n || r.n <= model->c + 1)
        r.status = GP_STATUS_FEW_SAMPLES;
    return r;
}

void gp_logit_score(gp_logit *model, const int64_t *sums, int64_t m, const int64_t *chosen,
                    int64_t count_of, gp_result *result, int64_t step) {
#pragma omp parallel for schedule(dynamic, 16) num_threads(model->threads)
    for (int64_t i = 0; i < count_of; i++) {
        normal eq =
            normal_at(model->c, model->scratch + omp_get_thread_num() * model->scratch_size);
        variant v = read_variant(model, sums, m, chosen[i], eq.a);
        gp_result r = count(model, &v);
        if (r.status == GP_STATUS_OK)
            r.status = test(model, &v, &eq, &r);
        result[i * step] = r;
    }
}

/* ---- for the full models ---- */

/* Whether no case has fewer copies than any control, or none has more. */
static int is_separated(const gp_logit *model, const variant *v) {
    const double copies[4] = {0.0, 1.0, 2.0, v->mean};
    double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};
    for (int k = 0; k < (model->exact ? 3 : 4); k++) {
        int64_t number[2] = {v->call[k] - v->cases[k], v->cases[k]};
        for (int y = 0; y < 2; y++)
            if (number[y] > 0) {
                least[y] = fmin(least[y], copies[k]);
                most[y] = fmax(most[y], copies[k]);
            }
    }
    return least[1] >= most[0] || most[1] <= least[0];
}

void gp_logit_start_at(gp_logit *model, const int64_t *sums, int64_t m, int64_t number,
                       gp_logit_start *start) {
    int64_t c = model->c, d = c + 1;
    double *h = start->information, *a = h + c * d; /* a is the last row */
    variant v = read_variant(model, sums, m, number, a);
    information_of(model, &v, d, h, NULL);
    for (int64_t k = 0; k < c; k++)
        h[k * d + c] = a[k];
    a[c] = v.gg;
    start->variant = number;
    start->missing = model->exact ? NAN : v.mean;
    start->separated = is_separated(model, &v);
}
