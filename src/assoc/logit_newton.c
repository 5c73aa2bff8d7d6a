#include "src/assoc/logit_fit_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/real.h"
#include "src/base/tail.h"

#include <math.h>
#include <string.h>

/* Sizes of steps are in standard errors: (step' I step)^(1/2). A step longer than this is not the
 * last one; what it leaves is estimated. */
#define LAST 1e-3
#define ENOUGH 5e-9

/* The square of a step along which slopes do not differ by more than rounding. */
#define TINY 1e-10

/* A change of the penalty that is too large to be believed. */
#define MUCH 1.0

/* Of the fit without the variant only the likelihood's maximum is wanted: what is left of it is of
 * third order, or a wrong slope's. */
#define FLAT_ENOUGH 1.5e-8

/* Sums of the likelihood are good to 1e-9. */
#define FALL 1e-8

/* Pivots of the information so much smaller than at the null model: probabilities of 0 and 1. */
#define COLLAPSED 1e-2

enum { MOST_PASSES = 100, MOST_HALVINGS = 30 };

/* ---- small vectors ---- */

/* y = A x. */
static void apply(const double *a, const double *x, int64_t d, double *y) {
    for (int64_t i = 0; i < d; i++)
        y[i] = gp_dot(a + i * d, x, d);
}

/* The trace of T A T', T lower triangular. */
static double trace_within(const double *t, const double *a, int64_t d) {
    double sum = 0.0;
    for (int64_t r = 0; r < d; r++)
        for (int64_t j = 0; j <= r; j++)
            sum += t[r * d + j] * gp_dot(a + j * d, t + r * d, r + 1);
    return sum;
}

static void swap(double **a, double **b) {
    double *keep = *a;
    *a = *b;
    *b = keep;
}

/* ---- room ---- */

int64_t gp_logit_line_room(int64_t d) {
    return 6 * d * d + 6 * d + gp_logit_all_width(d);
}

void gp_logit_line_place(gp_logit_line *line, int64_t d, double *room) {
    double **vector[] = {&line->beta,  &line->from,    &line->gradient,
                         &line->moved, &line->forward, &line->next_gradient};
    double **matrix[] = {&line->information,  &line->inverse, &line->next_information,
                         &line->next_inverse, &line->guess,   &line->lever};
    for (int k = 0; k < 6; k++, room += d)
        *vector[k] = room;
    for (int k = 0; k < 6; k++, room += d * d)
        *matrix[k] = room;
    line->value = room;
}

/* ---- a pass ---- */

/* What the step that led to a pass tells. */
typedef struct move {
    double size2;  /* step' I step */
    double change; /* how much the information changed: the squares' sum of its relative changes */
    double missed; /* the same of how far it was from the guess */
} move;

/* Half the way back. */
static void retreat(const gp_logit_batch *batch, gp_logit_fit *fit, gp_logit_line *line) {
    for (int64_t k = 0; k < batch->d; k++)
        line->beta[k] = line->from[k] + 0.5 * (line->beta[k] - line->from[k]);
    gp_logit_guess(batch, fit, line);
    if (++line->halvings > MOST_HALVINGS || line->passes >= MOST_PASSES)
        gp_logit_give_up(fit, GP_STATUS_NO_CONVERGENCE);
}

static double log_det(const double *inverse, int64_t d) {
    double sum = 0.0;
    for (int64_t i = 0; i < d; i++)
        if (inverse[i * d + i] > 0.0)
            sum -= 2.0 * gp_log(inverse[i * d + i]);
    return sum;
}

/* The log-likelihood, with Firth's penalty; -infinity where the information has no inverse. */
static double read_pass(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line,
                        const int64_t *sums) {
    int64_t d = batch->d;
    gp_logit_all_values(gp_logit_rows_of(batch->model), 1, sums, line->value);
    const double *from = line->value + 1 + d;
    memcpy(line->next_gradient, line->value + 1, (size_t)d * sizeof(double));
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = i; j < d; j++)
            line->next_information[i * d + j] = line->next_information[j * d + i] = *from++;
    if (!gp_logit_factor(line->next_information, d, fit->inverse, line->next_inverse))
        return -INFINITY;
    double loglik = line->value[0];
    return batch->kind == GP_LOGIT_FIRTH ? loglik + 0.5 * log_det(line->next_inverse, d) : loglik;
}

/* A - B into B. */
static void take_from(const double *a, int64_t d, double *b) {
    for (int64_t i = 0; i < d * d; i++)
        b[i] = a[i] - b[i];
}

/* moved becomes the step that led here, forward the information here times it; the old information
 * and the guess become what is between them and the one here.
 *
 * The pass had leverages by a guess G of the information I1. Along the step s the penalty's slope
 * was therefore tr(G^-1 I') / 2 instead of tr(I1^-1 I') / 2; s I' is near I1 - I0. The gradient is
 * mended by as much along s. */
static move look_back(const gp_logit_batch *batch, gp_logit_line *line) {
    int64_t d = batch->d;
    const double *here = line->next_inverse;
    double *s = line->moved, *is = line->forward, *more = line->information, *error = line->guess;
    for (int64_t k = 0; k < d; k++)
        s[k] = line->beta[k] - line->from[k];
    apply(line->information, s, d, is);
    double before = gp_dot(s, is, d);
    apply(line->next_information, s, d, is);
    move m = {.size2 = gp_dot(s, is, d)};
    take_from(line->next_information, d, more);
    double trace = trace_within(here, more, d);
    m.change = fmax(trace_within(line->inverse, more, d) - trace, 0.0);
    if (batch->kind != GP_LOGIT_FIRTH || !(m.size2 > 0.0))
        return m;
    take_from(line->next_information, d, error);
    m.missed = fmax(trace_within(line->lever, error, d) - trace_within(here, error, d), 0.0);
    double less = 0.5 * (trace - trace_within(line->lever, more, d));
    if (fabs(less) < MUCH)
        for (int64_t k = 0; k < d; k++)
            line->next_gradient[k] += less / m.size2 * is[k];
    if (line->known && m.change < 0.5 && m.size2 > TINY &&
        line->doubt * line->doubt < 0.01 * m.size2) {
        double rise = gp_dot(line->next_gradient, s, d) - gp_dot(line->gradient, s, d);
        line->excess = (rise + 0.5 * (before + m.size2)) / m.size2;
        line->excess = fmax(fmin(line->excess, 0.5), -0.5);
    }
    line->doubt = 0.5 * sqrt(m.missed * m.change / m.size2);
    return m;
}

/* Newton's step from beta into moved; along the last step s with the penalty's share of the
 * curvature. Returns its size. */
static double look_forward(const gp_logit_batch *batch, gp_logit_line *line, const move *m) {
    int64_t d = batch->d, free = line->free;
    const double *u = line->next_gradient, *inverse = line->next_inverse;
    double *s = line->moved, *is = line->forward, *step = line->value, size2 = 0.0;
    memset(step, 0, (size_t)d * sizeof *step);
    for (int64_t i = 0; i < free; i++) {
        double z = gp_dot(inverse + i * d, u, i + 1);
        size2 += z * z;
        for (int64_t j = 0; j <= i; j++)
            step[j] += z * inverse[i * d + j];
    }
    double along = m->size2 > 0.0 ? gp_dot(step, is, d) / m->size2 : 0.0;
    double more = along * line->excess / (1.0 - line->excess);
    for (int64_t k = 0; k < d; k++)
        s[k] = step[k] + more * s[k];
    return sqrt(size2);
}

/* The step of the variant's coefficient over the one before. What changed along that one changes
 * along this one about in proportion; NaN where that says nothing. */
static double proportion(const gp_logit_batch *batch, const gp_logit_line *line) {
    int64_t g = batch->d - 1;
    double ratio = line->moved[g] / (line->beta[g] - line->from[g]);
    return fabs(ratio) < 0.5 ? ratio : NAN;
}

/* Whether what the step leaves can be left. C, the change of the information per standard error,
 * rules all of it: Newton's step leaves C size^2 / 2, and of the standard error C size, or where it
 * is carried on C^2 times both steps; the penalty's curvature off the line leaves a share of C^2
 * size, leverages by a guess a share of C times what it missed. */
static int is_enough(const gp_logit_batch *batch, const gp_logit_fit *fit,
                     const gp_logit_line *line, const move *m, double size) {
    double last = sqrt(m->size2), square = m->size2 > 0.0 ? m->change / m->size2 : 0.0;
    double c = sqrt(square), left = 0.5 * c * size * size;
    if (line->free < batch->d)
        return c * size * size * size + 0.3 * line->doubt * size <
               FLAT_ENOUGH * fmin(1.0, fabs(fit->beta / fit->se));
    if (batch->kind == GP_LOGIT_WALD)
        return size < LAST && left + c * size < ENOUGH;
    left += proportion(batch, line) < 1.0 ? square * size * last : c * size;
    square = fmax(square, 2.0 * fabs(line->excess));
    left += 0.15 * sqrt(square * m->missed) + 0.3 * square * size;
    return size < LAST && left < ENOUGH;
}

/* Whether all coefficients run away: the information vanishes, steps shrink by a constant share. */
static int is_running(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line,
                      double size) {
    int64_t d = batch->d;
    double least = 1.0;
    for (int64_t i = 0; i < d; i++) {
        double own = line->next_inverse[i * d + i], ratio = fit->inverse[i * d + i] / own;
        if (own > 0.0)
            least = fmin(least, ratio * ratio);
    }
    line->slow = size < 1e-2 && size > 0.3 * line->size ? line->slow + 1 : 0;
    return least < COLLAPSED && (line->slow >= 2 || line->passes >= MOST_PASSES);
}

/* Ends a line with beta at the maximum; size becomes the standard error there. */
static void end_line(const gp_logit_batch *batch, gp_logit_line *line) {
    int64_t at = batch->d * batch->d - 1;
    double ratio = proportion(batch, line), se = line->next_inverse[at];
    if (batch->kind == GP_LOGIT_FIRTH && ratio < 1.0)
        se += (se - line->inverse[at]) * ratio;
    line->loglik += 0.5 * gp_dot(line->next_gradient, line->moved, batch->d);
    for (int64_t k = 0; k < batch->d; k++)
        line->beta[k] += line->moved[k];
    line->size = se;
    line->going = 0;
}

static void step_on(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line,
                    double size) {
    double scale = size > GP_LOGIT_LONGEST ? GP_LOGIT_LONGEST / size : 1.0;
    memcpy(line->from, line->beta, (size_t)batch->d * sizeof(double));
    for (int64_t k = 0; k < batch->d; k++)
        line->beta[k] += scale * line->moved[k];
    swap(&line->gradient, &line->next_gradient);
    swap(&line->information, &line->next_information);
    swap(&line->inverse, &line->next_inverse);
    memcpy(line->odds, line->next_odds, sizeof line->odds);
    line->size = size;
    line->known = 1;
    line->halvings = 0;
    gp_logit_guess(batch, fit, line);
}

void gp_logit_newton_take(const gp_logit_batch *batch, gp_logit_fit *fit, int number,
                          const int64_t *sums) {
    gp_logit_line *line = &fit->line[number];
    if (!line->going)
        return; /* the other line gave up */
    line->passes++;
    double loglik = read_pass(batch, fit, line, sums);
    if (!(loglik > -INFINITY) || (line->known && loglik < line->loglik - FALL)) {
        retreat(batch, fit, line);
        return;
    }
    line->loglik = loglik;
    move m = look_back(batch, line);
    double size = look_forward(batch, line, &m);
    if (batch->kind == GP_LOGIT_WALD && is_running(batch, fit, line, size))
        gp_logit_give_up(fit, GP_STATUS_SEPARATION);
    else if (line->passes >= MOST_PASSES || !(size < INFINITY))
        gp_logit_give_up(fit, GP_STATUS_NO_CONVERGENCE);
    else if (is_enough(batch, fit, line, &m, size))
        end_line(batch, line);
    else
        step_on(batch, fit, line, size);
}

void gp_logit_newton_finish(const gp_logit_batch *batch, gp_logit_fit *fit) {
    const gp_logit_line *full = &fit->line[GP_LOGIT_FULL], *flat = &fit->line[GP_LOGIT_FLAT];
    gp_result *r = fit->result;
    if (r->status != GP_STATUS_OK || full->going || flat->going)
        return;
    r->beta = full->beta[batch->d - 1];
    r->se = full->size;
    r->statistic = r->beta / r->se;
    if (batch->kind == GP_LOGIT_FIRTH)
        r->statistic = copysign(sqrt(fmax(2.0 * (full->loglik - flat->loglik), 0.0)), r->beta);
    r->neglog10p = gp_t_neglog10p(r->statistic, INFINITY);
}
