/* Where the fits of all coefficients begin, and the guess at the information that goes before each
 * of their passes: both from what is known of the variant's three genotypes. */
#include "src/assoc/logit_fit_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/real.h"

#include <math.h>
#include <string.h>

/* The variant alone with an intercept, if all samples had the same probability mu: samples of each
 * genotype are then known from the weights' sums. One that a missing call stands for counts as a
 * bit of both its neighbours. */
typedef struct table {
    double n[3];      /* samples */
    double cases, gy; /* sums of y, and of g y, that the score test's beta goes with */
    double mu;
} table;

static table table_of(const gp_logit_fit *fit, int64_t d) {
    const double *h = fit->start.information;
    double mu = (double)fit->result->cases / (double)fit->result->n, weight = mu * (1.0 - mu);
    double w = h[0], wg = h[d - 1], wgg = h[d * d - 1];
    double two = fmax(0.5 * (wgg - wg), 0.0), one = fmax(wg - 2.0 * two, 0.0);
    table t = {.n = {fmax(w - one - two, 0.0) / weight, one / weight, two / weight}, .mu = mu};
    t.cases = mu * (t.n[0] + t.n[1] + t.n[2]);
    t.gy = mu * (t.n[1] + 2.0 * t.n[2]) + fit->beta * (wgg - wg * wg / w);
    t.gy = fmin(fmax(t.gy, 0.0), t.n[1] + 2.0 * t.n[2]);
    return t;
}

/* A step of Firth's method for intercept a and effect b. */
static void table_step(const table *t, double a, double b, double step[2]) {
    double p[3], v[3], u0 = t->cases, u1 = t->gy;
    double log_odds = gp_log(t->mu / (1.0 - t->mu));
    for (int g = 0; g < 3; g++) {
        p[g] = 1.0 / (1.0 + gp_exp(-(log_odds + a + g * b)));
        v[g] = t->n[g] * p[g] * (1.0 - p[g]);
    }
    double i00 = v[0] + v[1] + v[2], i01 = v[1] + 2.0 * v[2], i11 = v[1] + 4.0 * v[2];
    double det = i00 * i11 - i01 * i01;
    for (int g = 0; g < 3; g++) {
        double lever = v[g] * (i11 - 2.0 * g * i01 + g * g * i00) / det;
        double r = lever * (0.5 - p[g]) - t->n[g] * p[g];
        u0 += r;
        u1 += g * r;
    }
    step[0] = (i11 * u0 - i01 * u1) / det;
    step[1] = (i00 * u1 - i01 * u0) / det;
}

/* 0 where that does not settle. */
static int solve_table(const table *t, double *a, double *b) {
    double step[2];
    *a = *b = 0.0;
    for (int k = 0; k < 30; k++) {
        table_step(t, *a, *b, step);
        if (!(fabs(step[0]) < 1e3 && fabs(step[1]) < 1e3))
            return 0;
        double scale = 2.0 / fmax(2.0, fmax(fabs(step[0]), fabs(step[1])));
        *a += scale * step[0];
        *b += scale * step[1];
        if (fabs(step[1]) < 1e-4)
            return 1;
    }
    return 0;
}

static double weight_at(double odds) {
    double small = gp_exp(-fabs(odds));
    return small / ((1.0 + small) * (1.0 + small));
}

/* What is known of the samples of each genotype at line->from: the sums of their weights, and by
 * how much the step to line->beta shifts their log odds. With C = I[:, {1, g}] and M the part of C
 * that is of 1 and g alone, the mean of a column among samples of genotype k is (1, k) M^-1 C', if
 * it is linear in k.
 *    along  out  [2 x d] M^-1 C'
 *    shift  out  [3] */
static void look_at_genotypes(const gp_logit_line *line, int64_t d, double *along,
                              double shift[3]) {
    const double *h = line->information, *b = h + (d - 1) * d;
    double det = h[0] * b[d - 1] - b[0] * b[0];
    for (int64_t k = 0; k < d; k++) {
        along[k] = (b[d - 1] * h[k] - b[0] * b[k]) / det;
        along[d + k] = (h[0] * b[k] - b[0] * h[k]) / det;
    }
    double mean = gp_dot(along, line->moved, d), slope = gp_dot(along + d, line->moved, d);
    for (int k = 0; k < 3; k++)
        shift[k] = fmin(fmax(mean + k * slope, -30.0), 30.0);
}

/* Guesses the information at line->beta, of which the penalty's gradient needs the inverse. The
 * weights of the samples of each genotype change together, as their mean log odds do; what is left
 * of the columns beside 1 and g changes as all weights do. */
void gp_logit_guess(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line) {
    int64_t d = batch->d;
    const double *h = line->information, *b = h + (d - 1) * d;
    double *along = line->value, *one = along, *g = along + d, shift[3];
    for (int64_t k = 0; k < d; k++)
        line->moved[k] = line->beta[k] - line->from[k];
    look_at_genotypes(line, d, along, shift);
    double two = 0.5 * (b[d - 1] - b[0]), single = b[0] - 2.0 * two, more[3];
    const double weight[3] = {h[0] - single - two, single, two};
    for (int k = 0; k < 3; k++) {
        line->next_odds[k] = line->odds[k] + shift[k];
        more[k] = weight[k] * (weight_at(line->next_odds[k]) / weight_at(line->odds[k]) - 1.0);
    }
    double all = (more[0] + more[1] + more[2]) / h[0];
    double m00 = more[0] + more[1] + more[2] - all * h[0];
    double m01 = more[1] + 2.0 * more[2] - all * b[0];
    double m11 = more[1] + 4.0 * more[2] - all * b[d - 1];
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            line->guess[i * d + j] = (1.0 + all) * h[i * d + j] +
                                     one[i] * (m00 * one[j] + m01 * g[j]) +
                                     g[i] * (m01 * one[j] + m11 * g[j]);
    if (!gp_logit_factor(line->guess, d, fit->inverse, line->lever)) {
        memcpy(line->guess, h, (size_t)(d * d) * sizeof *h);
        memcpy(line->lever, line->inverse, (size_t)(d * d) * sizeof *h);
    }
}

static void begin_line(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line,
                       int64_t free, double log_odds) {
    int64_t d = batch->d, squares = d * d * (int64_t)sizeof(double);
    const gp_logit_null *null = gp_logit_null_of(batch->model);
    const double *beta = batch->kind == GP_LOGIT_FIRTH ? null->firth : null->beta;
    line->going = 1;
    line->free = free;
    line->passes = line->halvings = line->slow = line->known = 0;
    line->loglik = -INFINITY;
    line->size = INFINITY;
    line->excess = line->doubt = 0.0;
    memcpy(line->from, null->beta, (size_t)batch->c * sizeof(double));
    memcpy(line->beta, beta, (size_t)batch->c * sizeof(double));
    line->from[d - 1] = line->beta[d - 1] = 0.0;
    line->odds[0] = line->odds[1] = line->odds[2] = log_odds;
    memcpy(line->information, fit->start.information, (size_t)squares);
    memcpy(line->inverse, fit->inverse, (size_t)squares);
}

/* The fit with the variant begins where the table has its effect, the covariates moving as they do
 * under one step of Newton's method; both intercepts at what the penalty makes of them. */
void gp_logit_newton_begin(const gp_logit_batch *batch, gp_logit_fit *fit) {
    int64_t d = batch->d;
    const double *last = fit->inverse + (d - 1) * d; /* (-gamma, 1) / V^(1/2) */
    gp_logit_line *full = &fit->line[GP_LOGIT_FULL];
    double a, b, w = fit->start.information[0], wg = fit->start.information[d - 1];
    table t = table_of(fit, d);
    double pull = (0.5 - t.mu) / w;
    if (!solve_table(&t, &a, &b)) {
        b = fmax(fmin(fit->beta, GP_LOGIT_LONGEST * fit->se), -GP_LOGIT_LONGEST * fit->se);
        a = -b * wg / w;
    }
    begin_line(batch, fit, full, d, gp_log(t.mu / (1.0 - t.mu)));
    for (int64_t k = 0; k < d; k++)
        full->beta[k] += b * last[k] / last[d - 1];
    full->beta[0] += a + b * wg / w;
    if (batch->kind == GP_LOGIT_FIRTH) {
        full->beta[0] -= pull;
        begin_line(batch, fit, &fit->line[GP_LOGIT_FLAT], batch->c, full->odds[0]);
        fit->line[GP_LOGIT_FLAT].beta[0] += pull;
        gp_logit_guess(batch, fit, &fit->line[GP_LOGIT_FLAT]);
    }
    gp_logit_guess(batch, fit, full);
}
