#include "src/assoc/logit_fit_inside.h"
#include "src/base/real.h"
#include "src/base/tail.h"

#include <math.h>

/* Of steps in standard errors; what is left is of third order. */
#define APPROX_ENOUGH 1e-6
#define SPA_ENOUGH 1e-5

/* t^2 K'' of a sum that is at the end of its support. */
#define AT_THE_END 1e-8

/* A deviate this small tells nothing, and the formula divides rounding by its cube: the score
 * test's p stands. */
#define NO_DEVIATE 0.1

/* Natural logarithms: a tail that is so much smaller than the other adds nothing to it. */
#define NOTHING 40.0

#define LOG10_2 0.30102999566398119521

enum { SAME, OTHER, MOST_PASSES = 100 };

/* What a pass tells of the function that is maximised. */
typedef struct slopes {
    double f, f1, f2, f3; /* it, and its derivatives; f2 < 0 */
} slopes;

/* SPA: l - aim t. APPROX: l + log(I) / 2, of which the second derivative has a part that no sum
 * gives: the slope at the pass before tells it. */
static slopes slopes_of(const gp_logit_batch *batch, const gp_logit_point *p, const double *value) {
    double information = value[2], skew = value[3];
    slopes s = {
        .f = value[0] - p->aim * p->t, .f1 = value[1] - p->aim, .f2 = -information, .f3 = -skew};
    if (batch->kind == GP_LOGIT_SPA)
        return s;
    s.f += 0.5 * gp_log(information);
    s.f1 += 0.5 * skew / information;
    if (p->passes > 1) {
        double back = p->last - p->t;
        double f2 = (p->slope - s.f1 - 0.5 * s.f3 * back * back) / back;
        if (f2 < -0.25 * information && f2 > -4.0 * information)
            s.f2 = f2;
    }
    return s;
}

/* Halley's step, not longer than five standard errors, and into the middle of what is left if it
 * leads out of it. APPROX climbs by no more than one log odds: far away, where the carriers'
 * probabilities are 0 or 1, the penalised likelihood may rise again. */
static double step_of(const gp_logit_batch *batch, const gp_logit_point *p, const slopes *s,
                      double information) {
    double newton = -s->f1 / s->f2, bend = 1.0 + 0.5 * newton * s->f3 / s->f2;
    double step = newton / fmin(fmax(bend, 0.25), 4.0), most = 5.0 / sqrt(information);
    if (batch->kind == GP_LOGIT_APPROX)
        most = fmin(most, 1.0);
    step = fmax(fmin(step, most), -most);
    double to = p->t + step;
    if (to >= p->low && to <= p->high)
        return step;
    double middle = 0.5 * (p->low + p->high);
    return fabs(middle) < INFINITY ? middle - p->t : 0.0;
}

/* log10 of the upper tail beyond a deviate of at least 0. */
static double log10_tail(double z) {
    return -gp_t_neglog10p(z, INFINITY) - LOG10_2;
}

/* Barndorff-Nielsen's formula, from the exponent K - t s and K''. No tail is larger than Chernoff's
 * bound e^(K - t s), which is an atom's probability at the end of the support: there the formula
 * says more. Source: Barndorff-Nielsen 1990, J R Stat Soc B 52:485; Chernoff 1952. */
static double saddlepoint(double exponent, double t, double information) {
    double w = sqrt(fmax(-2.0 * exponent, 0.0)), v = fabs(t) * sqrt(information);
    double bound = exponent / GP_LN10, z = w + gp_log(v / w) / w;
    return v > 0.0 && z >= 0.0 ? fmin(log10_tail(z), bound) : bound;
}

static void end_point(const gp_logit_fit *fit, gp_logit_point *p) {
    p->going = 0;
    p->tail = saddlepoint(fit->null_loglik - p->best, p->t, p->information);
}

/* Half the way to the last pass, which was better: the penalised likelihood may rise again far
 * away. */
static void step_back(gp_logit_point *p) {
    if (p->t > p->last)
        p->high = p->t;
    else
        p->low = p->t;
    p->t = 0.5 * (p->last + p->t);
}

/* Takes a pass at p->t. */
static void advance(const gp_logit_batch *batch, gp_logit_fit *fit, gp_logit_point *p,
                    const double *value) {
    double information = value[2];
    int spa = batch->kind == GP_LOGIT_SPA;
    p->passes++;
    slopes s = slopes_of(batch, p, value);
    if (!(information > 0.0 && fabs(s.f) < INFINITY && p->passes < MOST_PASSES)) {
        gp_logit_give_up(fit, GP_STATUS_NO_CONVERGENCE);
        return;
    }
    if (!spa && p->passes > 1 && s.f < p->best - gp_logit_noise(gp_logit_rows_of(batch->model))) {
        step_back(p);
        return;
    }
    if (s.f1 > 0.0)
        p->low = p->t;
    else
        p->high = p->t;
    double step = step_of(batch, p, &s, information), size = fabs(step) * sqrt(information);
    int enough = spa ? size < SPA_ENOUGH : size < APPROX_ENOUGH && p->passes > 1;
    int ended = spa && p->passes > 1 && p->t * p->t * information < AT_THE_END &&
                s.f1 * s.f1 < 1e-12 * information;
    p->last = p->t;
    p->slope = s.f1;
    p->t += step;
    p->best = s.f + (enough ? 0.5 * s.f1 * step : 0.0);
    p->information = enough ? information + value[3] * step : information;
    if (spa && (enough || ended))
        end_point(fit, p);
    else
        p->going = !enough;
}

static void begin_point(gp_logit_point *p, double aim) {
    *p = (gp_logit_point){.going = 1, .aim = aim, .low = -INFINITY, .high = INFINITY, .tail = NAN};
}

void gp_logit_single_begin(const gp_logit_batch *batch, gp_logit_fit *fit) {
    const double *last = fit->inverse + (batch->d - 1) * batch->d;
    for (int64_t k = 0; k < batch->c; k++)
        fit->gamma[k] = -last[k] / last[batch->d - 1];
    begin_point(&fit->point[SAME], 0.0);
}

/* The pass at 0 serves both tails, and APPROX as its null model. */
static void take_null(const gp_logit_batch *batch, gp_logit_fit *fit, const double *value) {
    fit->begun = 1;
    fit->null_loglik = value[0];
    fit->score = value[1];
    if (batch->kind == GP_LOGIT_APPROX)
        fit->null_loglik += 0.5 * gp_log(value[2]);
    advance(batch, fit, &fit->point[SAME], value);
    if (batch->kind == GP_LOGIT_SPA && fit->result->status == GP_STATUS_OK) {
        begin_point(&fit->point[OTHER], 2.0 * fit->score);
        advance(batch, fit, &fit->point[OTHER], value);
    }
}

void gp_logit_single_take(const gp_logit_batch *batch, gp_logit_fit *fit, int number,
                          const int64_t *sums) {
    gp_logit_point *p = &fit->point[number];
    double value[GP_LOGIT_ONE_WIDTH];
    const gp_logit_pass pass = {.gamma = fit->gamma};
    if (!p->going)
        return; /* the other one gave up */
    gp_logit_one_values(gp_logit_rows_of(batch->model), &pass, sums, value);
    if (!fit->begun)
        take_null(batch, fit, value);
    else
        advance(batch, fit, p, value);
}

/* A tail still being sought that is nothing beside the other: e^(K - t s) bounds it for any t. */
static void drop_tails(gp_logit_fit *fit) {
    for (int k = SAME; k <= OTHER; k++) {
        gp_logit_point *p = &fit->point[k];
        const gp_logit_point *other = &fit->point[SAME + OTHER - k];
        if (p->going && !other->going &&
            fit->null_loglik - p->best < other->tail * GP_LN10 - NOTHING) {
            p->going = 0;
            p->tail = -INFINITY;
        }
    }
}

static void finish_spa(gp_logit_fit *fit) {
    gp_result *r = fit->result;
    const gp_logit_point *same = &fit->point[SAME], *other = &fit->point[OTHER];
    double nearest = fmin(same->best, other->best) - fit->null_loglik;
    double neglog10p = -gp_log10_add(same->tail, other->tail);
    double z = gp_normal_deviate(neglog10p);
    if (!(2.0 * nearest > NO_DEVIATE * NO_DEVIATE) || !(z > 0.0)) {
        r->test = GP_TEST_SCORE;
        return;
    }
    r->se = fabs(r->beta) / z;
    r->statistic = copysign(z, r->beta);
    r->neglog10p = neglog10p;
}

void gp_logit_single_finish(const gp_logit_batch *batch, gp_logit_fit *fit) {
    gp_result *r = fit->result;
    const gp_logit_point *p = &fit->point[SAME];
    if (batch->kind == GP_LOGIT_SPA && r->status == GP_STATUS_OK)
        drop_tails(fit);
    if (r->status != GP_STATUS_OK || p->going || fit->point[OTHER].going)
        return;
    if (batch->kind == GP_LOGIT_SPA) {
        finish_spa(fit);
        return;
    }
    r->beta = p->t;
    r->se = 1.0 / sqrt(p->information);
    r->statistic = copysign(sqrt(fmax(2.0 * (p->best - fit->null_loglik), 0.0)), r->beta);
    r->neglog10p = gp_t_neglog10p(r->statistic, INFINITY);
}
