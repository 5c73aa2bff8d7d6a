/* Maximum likelihood and Firth's penalised likelihood, over all coefficients.
 *
 * Firth's takes two passes at a point: one for the likelihood and the information I, one with the
 * leverages h that I gives. The step is Newton's with h held: its curvature is that of a likelihood
 * in which every sample counts 1 + h times. (With I alone, steps for a variant of one carrier,
 * whose h is 1, would be twice as long as they should be.) Source: Heinze & Schemper 2002, Stat Med
 * 21:2409, sec. 2.2. */
#include "src/assoc/logit_fit_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/real.h"
#include "src/base/tail.h"

#include <math.h>
#include <string.h>

/* Sizes of steps are in standard errors: (step' I step)^(1/2). No step is longer than the first;
 * those below the second cannot lead down but by rounding; one as small as the third is taken
 * without a pass after it. */
#define LONGEST 5.0
#define NEAR 1e-3
#define ENOUGH 1e-8

/* Of the fit without the variant only the likelihood is wanted, which the last step leaves off by
 * terms of third order. */
#define FLAT_ENOUGH 1e-3

/* Pivots of the information so much smaller than at the null model: probabilities of 0 and 1. */
#define COLLAPSED 1e-2

enum { MOST_PASSES = 200, MOST_HALVINGS = 30 };

/* ---- room ---- */

int64_t gp_logit_line_room(int64_t d) {
    return 3 * d * d + 3 * d + gp_logit_all_width(d);
}

void gp_logit_line_place(gp_logit_line *line, int64_t d, double *room) {
    line->beta = room;
    line->from = room + d;
    line->step = room + 2 * d;
    line->inverse = room + 3 * d;
    line->factor = line->inverse + d * d;
    line->matrix = line->factor + d * d;
    line->value = line->matrix + d * d;
}

/* ---- where lines begin ---- */

static void begin_line(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line,
                       int64_t free) {
    int64_t d = batch->d;
    line->going = 1;
    line->free = free;
    line->passes = line->halvings = line->slow = 0;
    line->levers = batch->kind == GP_LOGIT_FIRTH;
    line->loglik = -INFINITY;
    line->size = INFINITY;
    memcpy(line->from, gp_logit_null_of(batch->model)->beta, (size_t)batch->c * sizeof(double));
    line->from[d - 1] = 0.0;
    memcpy(line->beta, line->from, (size_t)d * sizeof(double));
    memcpy(line->inverse, fit->inverse, (size_t)(d * d) * sizeof(double));
}

/* Firth's fits begin at the null model, whose information is known; the likelihood's where the
 * score test's step leads, the covariates moving with it. */
void gp_logit_newton_begin(const gp_logit_batch *batch, gp_logit_fit *fit) {
    int64_t d = batch->d;
    const double *last = fit->inverse + (d - 1) * d; /* (-gamma, 1) / V^(1/2) */
    double most = LONGEST * fit->se, b = fmax(fmin(fit->beta, most), -most);
    begin_line(batch, fit, &fit->line[GP_LOGIT_FULL], d);
    for (int64_t k = 0; k < d && batch->kind == GP_LOGIT_WALD; k++)
        fit->line[GP_LOGIT_FULL].beta[k] += b * last[k] / last[d - 1];
}

/* ---- a pass ---- */

/* Half the way back. */
static void retreat(const gp_logit_batch *batch, gp_logit_fit *fit, gp_logit_line *line) {
    for (int64_t k = 0; k < batch->d; k++)
        line->beta[k] = line->from[k] + 0.5 * (line->beta[k] - line->from[k]);
    line->size *= 0.5;
    if (++line->halvings > MOST_HALVINGS)
        gp_logit_give_up(fit, GP_STATUS_NO_CONVERGENCE);
}

static double log_det(const double *inverse, int64_t d) {
    double sum = 0.0;
    for (int64_t i = 0; i < d; i++)
        if (inverse[i * d + i] > 0.0)
            sum -= 2.0 * gp_log(inverse[i * d + i]);
    return sum;
}

/* The matrix that a pass gave: its factor's inverse. 0 where there is none. */
static int read_matrix(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line) {
    int64_t d = batch->d;
    const double *from = line->value + 1 + d;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = i; j < d; j++)
            line->matrix[i * d + j] = line->matrix[j * d + i] = *from++;
    return gp_logit_factor(line->matrix, d, fit->inverse, line->factor);
}

/* Whether the point at hand is as good as the one before: the likelihood, with Firth's penalty, has
 * not fallen. It then becomes the one to leave from. */
static int is_higher(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line) {
    double loglik = line->value[0], fall = gp_logit_noise(gp_logit_rows_of(batch->model));
    if (!read_matrix(batch, fit, line))
        return 0;
    if (batch->kind == GP_LOGIT_FIRTH)
        loglik += 0.5 * log_det(line->factor, batch->d);
    if (line->size > NEAR && !(loglik >= line->loglik - fall))
        return 0;
    double *left = line->inverse;
    line->inverse = line->factor;
    line->factor = left;
    line->loglik = loglik;
    line->halvings = 0;
    memcpy(line->from, line->beta, (size_t)batch->d * sizeof(double));
    return 1;
}

/* Newton's step of the free coefficients, which are the first ones. Returns its size.
 *    inverse  in  of the factor of the curvature */
static double find_step(const gp_logit_batch *batch, gp_logit_line *line, const double *inverse) {
    int64_t d = batch->d;
    double square = 0.0;
    memset(line->step, 0, (size_t)d * sizeof *line->step);
    for (int64_t i = 0; i < line->free; i++) {
        const double *row = inverse + i * d;
        double z = gp_dot(row, line->value + 1, i + 1);
        square += z * z;
        for (int64_t k = 0; k <= i; k++)
            line->step[k] += z * row[k];
    }
    return sqrt(square);
}

/* Whether all coefficients run away: the information vanishes, steps shrink by a constant share. */
static int is_running(const gp_logit_batch *batch, const gp_logit_fit *fit, gp_logit_line *line,
                      double size) {
    int64_t d = batch->d;
    double least = 1.0;
    for (int64_t i = 0; i < d; i++) {
        double own = line->inverse[i * d + i], ratio = fit->inverse[i * d + i] / own;
        if (own > 0.0)
            least = fmin(least, ratio * ratio);
    }
    line->slow = size < 1e-2 && size > 0.3 * line->size ? line->slow + 1 : 0;
    return least < COLLAPSED && (line->slow >= 2 || line->passes >= MOST_PASSES);
}

/* Takes the step; what the last one gains, no pass tells. */
static void step_on(const gp_logit_batch *batch, gp_logit_line *line, double size) {
    double scale = size > LONGEST ? LONGEST / size : 1.0;
    double enough = line->free < batch->d ? FLAT_ENOUGH : ENOUGH;
    line->going = size > enough || !(line->loglik > -INFINITY);
    if (!line->going)
        line->loglik += 0.5 * size * size;
    for (int64_t k = 0; k < batch->d; k++)
        line->beta[k] += scale * line->step[k];
    line->size = size;
    line->levers = 0;
}

/* Takes a pass, of a kind that line->levers tells. */
static void take(const gp_logit_batch *batch, gp_logit_fit *fit, gp_logit_line *line,
                 const int64_t *sums) {
    int firth = batch->kind == GP_LOGIT_FIRTH, levers = line->levers;
    gp_logit_all_values(gp_logit_rows_of(batch->model), 1, sums, line->value);
    if (++line->passes > MOST_PASSES) {
        gp_logit_give_up(fit, GP_STATUS_NO_CONVERGENCE);
        return;
    }
    if (!levers && !is_higher(batch, fit, line)) {
        retreat(batch, fit, line);
        return;
    }
    if (firth && !levers) {
        line->levers = 1;
        return;
    }
    if (levers && !read_matrix(batch, fit, line)) {
        gp_logit_give_up(fit, GP_STATUS_NO_CONVERGENCE);
        return;
    }
    double size = find_step(batch, line, levers ? line->factor : line->inverse);
    if (!firth && is_running(batch, fit, line, size))
        gp_logit_give_up(fit, GP_STATUS_SEPARATION);
    else if (!(size < INFINITY))
        gp_logit_give_up(fit, GP_STATUS_NO_CONVERGENCE);
    else
        step_on(batch, line, size);
}

void gp_logit_newton_take(const gp_logit_batch *batch, gp_logit_fit *fit, int number,
                          const int64_t *sums) {
    gp_logit_line *line = &fit->line[number];
    if (!line->going)
        return; /* the other line gave up */
    /* The pass at the null model is that of both lines. */
    if (batch->kind == GP_LOGIT_FIRTH && !fit->begun) {
        fit->begun = 1;
        begin_line(batch, fit, &fit->line[GP_LOGIT_FLAT], batch->c);
        take(batch, fit, &fit->line[GP_LOGIT_FLAT], sums);
        if (fit->result->status != GP_STATUS_OK)
            return;
    }
    take(batch, fit, line, sums);
}

void gp_logit_newton_finish(const gp_logit_batch *batch, gp_logit_fit *fit) {
    const gp_logit_line *full = &fit->line[GP_LOGIT_FULL], *flat = &fit->line[GP_LOGIT_FLAT];
    int64_t d = batch->d;
    gp_result *r = fit->result;
    if (r->status != GP_STATUS_OK || full->going || flat->going)
        return;
    r->beta = full->beta[d - 1];
    r->se = full->inverse[d * d - 1];
    r->statistic = r->beta / r->se;
    if (batch->kind == GP_LOGIT_FIRTH)
        r->statistic = copysign(sqrt(fmax(2.0 * (full->loglik - flat->loglik), 0.0)), r->beta);
    r->neglog10p = gp_t_neglog10p(r->statistic, INFINITY);
}
