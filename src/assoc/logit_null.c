#include "src/assoc/logit.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/count.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP = GP_GENO_GROUP,
    MOST_PASSES = 500,
    BINS = 64,       /* of sizes, each half of the one before */
    CLEARLY = 12,    /* bins: by so much smaller is nothing */
    OFFSET_BITS = 20 /* of the sum of offsets, with which the fit begins */
};

/* Squared lengths of a step, in standard errors: the last one; too small for the likelihood to say
 * whether it is a good one; where only rounding is left if they do not shrink any more; and good
 * enough where passes run out. */
#define LAST 1e-20
#define SMALL 1e-6
#define ROUNDING 1e-15
#define NEARLY 1e-12

#define SHORTEST 1e-12 /* share of a step */

/* Columns have a mean square of 1 over S. Where the information that one has beside those before it
 * is less than this share of |S|, mu is 0 or 1 all along some direction. */
#define FLAT 1e-10

/* Coefficients, and what a pass says of them. */
typedef struct point {
    double *beta, *gradient;       /* [c] */
    double *information, *inverse; /* [c x c]; inverse: of the lower Cholesky factor */
    double loglik, height;         /* height: what is to be maximal */
    int flat;
} point;

typedef struct fit {
    const gp_logit_rows *rows;
    const gp_logit_adder *adder;
    gp_logit_pass pass;
    int64_t c, width, scratch_size;
    int threads, firth;
    int64_t passes;
    int64_t *sums;   /* [threads x width] */
    double *scratch; /* [threads x scratch_size] */
    double *room;    /* of all below */
    double *value;   /* [width] */
    double *step;    /* [c] */
    point here, there;
} fit;

static point point_at(int64_t c, double *room) {
    return (point){.beta = room,
                   .gradient = room + c,
                   .information = room + 2 * c,
                   .inverse = room + 2 * c + c * c};
}

static int make_room(fit *f, gp_err *err) {
    int64_t c = f->c = f->rows->c, of_point = 2 * c + 2 * c * c;
    f->threads = omp_get_max_threads();
    f->width = gp_logit_all_width(c);
    f->scratch_size = gp_logit_pass_scratch(f->rows);
    f->sums = gp_mem_alloc(f->threads * f->width, sizeof *f->sums, err);
    f->scratch = gp_mem_alloc(f->threads * f->scratch_size, sizeof *f->scratch, err);
    f->room = gp_mem_alloc(2 * of_point + f->width + c, sizeof *f->room, err);
    if (err->code != GP_OK)
        return err->code;
    f->here = point_at(c, f->room);
    f->there = point_at(c, f->room + of_point);
    f->value = f->room + 2 * of_point;
    f->step = f->value + f->width;
    return GP_OK;
}

static void free_room(fit *f) {
    free(f->sums);
    free(f->scratch);
    free(f->room);
}

/* ---- sums over all samples ---- */

static int add_up(const fit *f, int64_t *x, int64_t count, gp_err *err) {
    if (f->adder == NULL || f->adder->add == NULL)
        return GP_OK;
    return f->adder->add(f->adder->context, x, count, err);
}

/* f->value at beta; with Firth's gradient where inverse is given. */
static int pass_over(fit *f, const double *beta, const double *inverse, gp_err *err) {
    int64_t groups = f->rows->groups;
    f->passes++;
    memset(f->sums, 0, (size_t)(f->threads * f->width) * sizeof *f->sums);
#pragma omp parallel for schedule(static) num_threads(f->threads)
    for (int t = 0; t < f->threads; t++) {
        int64_t first = gp_split_begin(groups, 1, f->threads, t),
                end = gp_split_begin(groups, 1, f->threads, t + 1);
        gp_logit_pass pass = f->pass;
        pass.beta = beta;
        pass.inverse = inverse;
        pass.scratch = f->scratch + t * f->scratch_size;
        gp_logit_pass_all(f->rows, &pass, first, end - first, f->sums + t * f->width);
    }
    for (int t = 1; t < f->threads; t++)
        for (int64_t k = 0; k < f->width; k++)
            f->sums[k] += f->sums[t * f->width + k];
    if (add_up(f, f->sums, f->width, err) == GP_OK)
        gp_logit_all_values(f->rows, 0, f->sums, f->value);
    return err->code;
}

/* All of a point but Firth's gradient. */
static int look(fit *f, point *p, gp_err *err) {
    int64_t c = f->c;
    if (pass_over(f, p->beta, NULL, err) != GP_OK)
        return err->code;
    const double *value = f->value;
    p->height = p->loglik = *value++;
    memcpy(p->gradient, value, (size_t)c * sizeof *value);
    value += c;
    for (int64_t j = 0; j < c; j++)
        for (int64_t k = j; k < c; k++)
            p->information[j * c + k] = p->information[k * c + j] = *value++;
    memcpy(p->inverse, p->information, (size_t)(c * c) * sizeof *p->inverse);
    p->flat = !gp_inverse_factor(p->inverse, c);
    for (int64_t j = 0; j < c && !p->flat; j++) {
        double own = p->inverse[j * c + j];
        p->flat = !(own * own * FLAT * (double)f->rows->n < 1.0);
        if (f->firth)
            p->height -= gp_log(own);
    }
    return GP_OK;
}

static int look_for_firth(fit *f, point *p, gp_err *err) {
    if (f->firth && pass_over(f, p->beta, p->inverse, err) == GP_OK)
        memcpy(p->gradient, f->value + 1, (size_t)f->c * sizeof *p->gradient);
    return err->code;
}

/* ---- separation ---- */

/* A sample's x'step. */
static double along(const fit *f, int64_t at) {
    const double *x = f->rows->x + at / GROUP * f->c * GROUP + at % GROUP;
    double sum = 0.0;
    for (int64_t k = 0; k < f->c; k++)
        sum += f->step[k] * x[k * GROUP];
    return sum;
}

/* Whether to go along the step, however far, makes no sample less likely: the odds of cases rise,
 * those of controls fall, and the others stay where they are. Sizes are counted in bins, for the
 * step is only found to rounding. */
static int find_separation(fit *f, int *found, gp_err *err) {
    int64_t count[2 * BINS] = {0}; /* against and for it */
    int first[2] = {BINS, BINS};
    double most = 0.0;
    for (int64_t k = 0; k < f->c; k++)
        most += fabs(f->step[k]) * gp_power_of_two(f->rows->exponent[k]);
    for (int64_t i = 0; i < f->rows->samples; i++) {
        int e = 0;
        double v = gp_mask_get(f->rows->mask, i) ? along(f, i) : 0.0;
        frexp(v / most, &e);
        if (v != 0.0 && e > -BINS + 1)
            count[((v > 0.0) == (f->pass.y[i] > 0.5)) * BINS + (e > 0 ? 0 : -e)]++;
    }
    if (add_up(f, count, (int64_t)2 * BINS, err) != GP_OK)
        return err->code;
    for (int way = 0; way < 2; way++)
        for (int k = BINS; k-- > 0;)
            if (count[way * BINS + k] > 0)
                first[way] = k;
    *found = first[1] < BINS && first[0] > first[1] + CLEARLY;
    return GP_OK;
}

/* ---- the way up ---- */

/* The step of Newton's method from here; returns its squared length in standard errors. */
static double find_step(fit *f) {
    double length = 0.0;
    memcpy(f->step, f->here.gradient, (size_t)f->c * sizeof *f->step);
    gp_lower_times(f->here.inverse, f->c, f->step);
    for (int64_t k = 0; k < f->c; k++)
        length += f->step[k] * f->step[k];
    gp_lower_turned_times(f->here.inverse, f->c, f->step);
    return length;
}

/* Why there is no way up along the step. */
static int find_reason(fit *f, gp_status *status, gp_err *err) {
    int separated = 0;
    if (!f->firth && find_separation(f, &separated, err) != GP_OK) /* Firth's has a maximum */
        return err->code;
    *status = separated ? GP_STATUS_SEPARATION : GP_STATUS_NO_CONVERGENCE;
    return GP_OK;
}

/* Takes the step, or a half of it, or a quarter ... *status stays OK if that leads up. Where the
 * step leads to mu of 0 or 1 it is too long, or the samples are separated along it. */
static int take_step(fit *f, double length, gp_status *status, gp_err *err) {
    double slack = 1e-9 * (1.0 + fabs(f->here.height));
    int asked = 0;
    for (double share = 1.0; share > SHORTEST; share *= 0.5) {
        for (int64_t k = 0; k < f->c; k++)
            f->there.beta[k] = f->here.beta[k] + share * f->step[k];
        if (look(f, &f->there, err) != GP_OK)
            return err->code;
        if (!f->there.flat &&
            (length < SMALL || f->there.height >= f->here.height - (share < 1.0 ? slack : 0.0)))
            return GP_OK;
        gp_status reason = GP_STATUS_OK;
        if (f->there.flat && !asked++ && find_reason(f, &reason, err) != GP_OK)
            return err->code;
        if (reason == GP_STATUS_SEPARATION) {
            *status = reason;
            return GP_OK;
        }
    }
    return find_reason(f, status, err);
}

/* Whether a step of that squared length is the last; the one before was `last`. */
static int has_arrived(const fit *f, double length, double last) {
    return length < LAST || (length < ROUNDING && length > 0.9 * last) ||
           (length < NEARLY && f->passes > MOST_PASSES);
}

/* Climbs from f->here, which is known but for Firth's gradient. */
static int climb(fit *f, gp_status *status, gp_err *err) {
    double last = INFINITY;
    f->passes = 0;
    *status = f->here.flat ? GP_STATUS_NO_CONVERGENCE : GP_STATUS_OK;
    while (*status == GP_STATUS_OK) {
        if (look_for_firth(f, &f->here, err) != GP_OK)
            return err->code;
        double length = find_step(f);
        if (has_arrived(f, length, last))
            return GP_OK;
        if (f->passes > MOST_PASSES)
            return find_reason(f, status, err);
        last = length;
        if (take_step(f, length, status, err) != GP_OK)
            return err->code;
        point left = f->here;
        f->here = f->there;
        f->there = left;
    }
    return GP_OK;
}

/* ---- the fit ---- */

/* Cases, and where to begin: the intercept that fits the number of cases, were all offsets their
 * mean. All shards learn here if memory failed one of them. */
static int begin(fit *f, gp_logit_null *null, gp_err *err) {
    const gp_logit_rows *rows = f->rows;
    int64_t sums[3] = {err->code != GP_OK, 0, 0}; /* failures, cases, offsets */
    gp_err of_sum = {0};
    for (int64_t i = 0; i < rows->samples; i++)
        if (gp_mask_get(rows->mask, i)) {
            sums[1] += f->pass.y[i] > 0.5;
            sums[2] += llrint(ldexp(fmin(fmax(f->pass.offset[i], -99.0), 99.0), OFFSET_BITS));
        }
    if (add_up(f, sums, 3, &of_sum) != GP_OK)
        return gp_err_set(err, of_sum.code, "%s", of_sum.text);
    if (sums[0] > 0)
        return gp_err_set(err, GP_EFAIL, "null model of a binary trait: no memory on another rank");
    null->cases = sums[1];
    null->controls = rows->n - sums[1];
    if (null->cases == 0 || null->controls == 0)
        return GP_OK;
    f->here.beta[0] = gp_log((double)null->cases / (double)null->controls) -
                      ldexp((double)sums[2], -OFFSET_BITS) / (double)rows->n;
    return look(f, &f->here, err);
}

static int fit_both(fit *f, gp_logit_null *null, gp_err *err) {
    size_t column = (size_t)f->c * sizeof(double);
    if (climb(f, &null->status, err) != GP_OK || null->status != GP_STATUS_OK)
        return err->code;
    null->loglik = f->here.loglik;
    memcpy(null->beta, f->here.beta, column);
    memcpy(null->information, f->here.information, (size_t)f->c * column);
    memcpy(null->firth, f->here.beta, column);
    if (null->likelihood_alone)
        return GP_OK;
    f->firth = 1;
    if (look(f, &f->here, err) != GP_OK || climb(f, &null->status, err) != GP_OK)
        return err->code;
    memcpy(null->firth, f->here.beta, column);
    return GP_OK;
}

int gp_logit_null_fit(gp_logit_null *null, const gp_logit_rows *rows, const double *y,
                      const double *offset, const gp_logit_adder *adder, gp_err *err) {
    fit f = {.rows = rows, .adder = adder, .pass = {.y = y, .offset = offset, .missing = NAN}};
    null->beta = gp_mem_alloc(rows->c, sizeof *null->beta, err);
    null->information = gp_mem_alloc(rows->c * rows->c, sizeof *null->information, err);
    null->firth = gp_mem_alloc(rows->c, sizeof *null->firth, err);
    make_room(&f, err);
    if (begin(&f, null, err) == GP_OK) {
        if (null->cases == 0 || null->controls == 0)
            null->status = GP_STATUS_SEPARATION;
        else
            fit_both(&f, null, err);
    }
    free_room(&f);
    return err->code;
}

void gp_logit_null_free(gp_logit_null *null) {
    free(null->beta);
    free(null->information);
    free(null->firth);
    *null = (gp_logit_null){0};
}
