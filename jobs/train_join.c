/* How ridge regression, covariates and networks become one prediction of a trait, in the networks'
 * units (a quantitative trait in its standard deviations, a binary one as a logit):
 *
 *   y = (1 - gamma) R + gamma (C + scale S)
 *
 * R is what ridge predicts, C what covariates alone do, S the mean of the networks' stacks; R and C
 * enter a logit through a logistic regression on them. The stacks are trained on the trait itself,
 * beside C, and to the end, when they have learnt some noise: scale is what makes C + scale S fit
 * best, and then gamma what the whole does, where both sides are blind: a sample's S is then that
 * of the network that was not trained on it, its R that of an inner fold without it. Without the
 * ridge (--linear free or none) both are 1.
 * Source: Breiman 1996, Machine Learning 24:49 (stacked regressions). */
#include "jobs/train.h"
#include "src/assoc/calibrate.h"
#include "src/base/mem.h"
#include "src/base/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double HALF = 0.5;       /* of the stack, where nothing says how much */
static const double MOST_SCALE = 2.0; /* a stack that has learnt too little may grow so far */

static int is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

int gp_train_model_init(gp_train_model *m, const gp_train_run *run, int64_t number, gp_err *err) {
    int64_t p = run->traits, c = run->cohort.covariates, real = (int64_t)sizeof(double);
    m->run = run;
    m->number = number;
    m->linear = is(run->o->linear, "free") && !run->masked;
    gp_train_fold_name(run, gp_train_fold(run, number), m->name);
    m->role = gp_mem_alloc(run->n, 1, err);
    m->target = gp_mem_alloc(run->n * p, real, err);
    m->offset = gp_mem_alloc(run->n * p, real, err);
    m->output = gp_mem_alloc(run->n * p, real, err);
    m->mean = gp_mem_alloc(run->n * p, real, err);
    m->blind = gp_mem_alloc(run->n * p, real, err);
    if (number == run->models - 1) /* only the network that is kept needs them */
        m->effect = gp_mem_alloc(run->variants->total * p, real, err);
    m->unit = gp_mem_alloc(p, sizeof *m->unit, err);
    m->trait = gp_mem_alloc(p, sizeof *m->trait, err);
    m->fixed = gp_mem_alloc(p * c, real, err);
    for (int64_t t = 0; t < p && err->code == GP_OK; t++)
        m->trait[t] = (gp_io_trait){.name = run->cohort.trait[run->trait[t]].name,
                                    .deviation = 1.0,
                                    .effect = m->fixed + t * c};
    return err->code == GP_OK ? gp_train_roles(run, number, 0, m->role, err) : err->code;
}

void gp_train_model_free(gp_train_model *m) {
    free(m->role);
    free(m->target);
    free(m->offset);
    free(m->output);
    free(m->mean);
    free(m->blind);
    free(m->effect);
    free(m->unit);
    free(m->trait);
    free(m->fixed);
    free(m->parameter);
}

/* ---- what ridge knows of a sample ---- */

static int64_t cell(const gp_train_model *m, int64_t t, int64_t i) {
    const gp_ridge *r = &m->run->ridge;
    return (m->number * r->traits + t) * r->n + m->run->row[i];
}

static double observed(const gp_train_model *m, int64_t t, int64_t i) {
    return m->run->cohort.trait[m->run->trait[t]].value[m->run->sample[i]];
}

/* By models that have not seen the sample, where there is one. */
static double ridge_cross(const gp_train_model *m, int64_t t, int64_t i) {
    double cross = m->run->ridge.cross[cell(m, t, i)];
    return isnan(cross) ? m->run->ridge.value[cell(m, t, i)] : cross;
}

static double ridge_value(const gp_train_model *m, int64_t t, int64_t i) {
    return m->run->ridge.value[cell(m, t, i)];
}

static double alone_value(const gp_train_model *m, int64_t t, int64_t i) {
    return m->run->ridge.covariates[cell(m, t, i)];
}

/* ---- units ---- */

static int set_quantitative(gp_train_model *m, int64_t t, gp_err *err) {
    gp_train_unit *u = &m->unit[t];
    double sum = 0.0, squares = 0.0, count = 0.0;
    for (int64_t i = 0; i < m->run->n; i++)
        if (m->role[i] != GP_ROLE_NONE && !isnan(observed(m, t, i))) {
            sum += observed(m, t, i);
            count += 1.0;
        }
    double mean = sum / count;
    for (int64_t i = 0; i < m->run->n; i++)
        if (m->role[i] != GP_ROLE_NONE && !isnan(observed(m, t, i)))
            squares += (observed(m, t, i) - mean) * (observed(m, t, i) - mean);
    double deviation = sqrt(squares / count);
    m->trait[t].base = mean;
    m->trait[t].deviation = deviation;
    u->ridge_by = u->alone_by = 1.0 / deviation;
    u->ridge_from = u->alone_from = -mean / deviation;
    if (!isfinite(deviation) || !isfinite(1.0 / deviation))
        gp_err_set(err, GP_EINPUT,
                   "trait '%s': its values are too large, or vary too little, to be squared; give "
                   "it in another unit",
                   m->trait[t].name);
    return err->code;
}

/* Scratch: x, y [n]. */
static void set_binary(gp_train_model *m, int64_t t, double *x, double *y) {
    gp_train_unit *u = &m->unit[t];
    int64_t n = m->run->n;
    for (int64_t i = 0; i < n; i++) {
        x[i] = ridge_cross(m, t, i);
        y[i] = m->role[i] != GP_ROLE_NONE ? observed(m, t, i) : NAN;
    }
    gp_calibration by_ridge = gp_calibrate(x, y, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = alone_value(m, t, i);
    gp_calibration by_alone = gp_calibrate(x, y, n);
    u->ridge_from = by_ridge.intercept;
    u->ridge_by = by_ridge.slope;
    u->alone_from = by_alone.intercept;
    u->alone_by = by_alone.slope;
}

int gp_train_join(gp_train_model *m, gp_err *err) {
    const gp_train_run *run = m->run;
    int64_t n = run->n, p = run->traits;
    double *x = gp_mem_alloc(2 * n, sizeof *x, err);
    for (int64_t t = 0; t < p && x != NULL; t++) {
        gp_train_unit *u = &m->unit[t];
        int quantitative = run->loss[t] == GP_NN_SQUARED;
        if (quantitative)
            set_quantitative(m, t, err);
        else
            set_binary(m, t, x, x + n);
        for (int64_t i = 0; i < n; i++) {
            double y = m->role[i] != GP_ROLE_NONE ? observed(m, t, i) : NAN;
            m->target[i * p + t] =
                quantitative ? (y - m->trait[t].base) / m->trait[t].deviation : y;
            m->offset[i * p + t] = u->alone_from + u->alone_by * alone_value(m, t, i);
        }
    }
    free(x);
    return err->code;
}

/* ---- how much of the networks ---- */

/* Two blind predictions of a trait, of which one shall be mixed into the other. */
typedef struct sides {
    const gp_train_model *m;
    int64_t t;
    int joins;   /* 0: the stack into what covariates predict; 1: both into what ridge predicts */
    int without; /* the group of samples that do not count; -1: all do */
} sides;

/* Groups of samples, each measured by shares that the others gave. */
enum { GROUPS = 5 };

static double target_of(const sides *s, int64_t i) {
    return s->m->target[i * s->m->run->traits + s->t];
}

static double alone_of(const sides *s, int64_t i) {
    const gp_train_unit *u = &s->m->unit[s->t];
    return u->alone_from + u->alone_by * alone_value(s->m, s->t, i);
}

static double from_of(const sides *s, int64_t i) {
    const gp_train_unit *u = &s->m->unit[s->t];
    return s->joins ? u->ridge_from + u->ridge_by * ridge_cross(s->m, s->t, i) : alone_of(s, i);
}

static double to_of(const sides *s, int64_t i) {
    double alone = alone_of(s, i), blind = s->m->blind[i * s->m->run->traits + s->t];
    return alone + (s->joins ? s->m->unit[s->t].scale : 1.0) * (blind - alone);
}

static int counts(const sides *s, int64_t i) {
    return i % GROUPS != s->without && !isnan(target_of(s, i)) &&
           !isnan(s->m->blind[i * s->m->run->traits + s->t]);
}

/* NaN where both sides are the same. */
static double least_squares(const sides *s) {
    double product = 0.0, squares = 0.0;
    for (int64_t i = 0; i < s->m->run->n; i++)
        if (counts(s, i)) {
            double from = from_of(s, i), apart = to_of(s, i) - from;
            product += apart * (target_of(s, i) - from);
            squares += apart * apart;
        }
    return squares > 0.0 ? product / squares : NAN;
}

/* Convex in the share. */
static double cross_entropy(const sides *s, double share) {
    double sum = 0.0;
    for (int64_t i = 0; i < s->m->run->n; i++)
        if (counts(s, i)) {
            double from = from_of(s, i), y = from + share * (to_of(s, i) - from);
            sum += gp_softplus(y) - target_of(s, i) * y;
        }
    return sum;
}

static double golden_section(const sides *s, double high) {
    enum { STEPS = 40 };
    const double golden = 0.61803398874989485;
    double low = 0.0, a = high - golden * high, b = golden * high;
    double at_a = cross_entropy(s, a), at_b = cross_entropy(s, b);
    if (at_a == at_b && cross_entropy(s, low) == cross_entropy(s, high))
        return NAN;
    for (int k = 0; k < STEPS; k++)
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = cross_entropy(s, a);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = cross_entropy(s, b);
        }
    return (low + high) / 2.0;
}

/* The share that fits best, from 0 to high; usual: where nothing says how much. */
static double best_share(const sides *s, double high, double usual) {
    double share =
        s->m->run->loss[s->t] == GP_NN_SQUARED ? least_squares(s) : golden_section(s, high);
    return isnan(share) ? usual : fmin(fmax(share, 0.0), high);
}

static void set_share(gp_train_model *m, int64_t t, int without) {
    const sides stack = {m, t, 0, without}, both = {m, t, 1, without};
    gp_train_unit *u = &m->unit[t];
    u->scale = u->gamma = 1.0;
    if (is(m->run->o->linear, "ridge")) {
        u->scale = best_share(&stack, MOST_SCALE, 1.0);
        u->gamma = best_share(&both, 1.0, HALF);
    }
    m->trait[t].stack = u->gamma;
}

/* ---- after the training ---- */

double gp_train_predict(const gp_train_model *m, int64_t t, int64_t i, double output,
                        double ridge) {
    const gp_train_unit *u = &m->unit[t];
    double alone = u->alone_from + u->alone_by * alone_value(m, t, i);
    double f = alone + u->scale * (output - alone);
    double r = u->ridge_from + u->ridge_by * ridge, y = r + u->gamma * (f - r);
    return m->run->loss[t] == GP_NN_SQUARED ? m->trait[t].base + m->trait[t].deviation * y : y;
}

/* With --folds 0 samples are measured where both sides are blind.
 *   group  in  of the samples; -1: all */
static void predict(gp_train_model *m, int64_t t, int group) {
    const gp_train_run *run = m->run;
    int64_t p = run->traits;
    for (int64_t i = 0; i < run->n; i++) {
        if (group >= 0 && i % GROUPS != group)
            continue;
        int64_t at = i * p + t;
        int blind = run->split && !isnan(m->blind[at]);
        double y = gp_train_predict(m, t, i, blind ? m->blind[at] : m->mean[at],
                                    blind ? ridge_cross(m, t, i) : ridge_value(m, t, i));
        m->output[at] = y;
        m->mean[at] = run->loss[t] == GP_NN_SQUARED ? y : 1.0 / (1.0 + gp_exp(-y));
    }
}

static void set_covariates(gp_train_model *m, int64_t t) {
    const gp_train_run *run = m->run;
    const gp_train_unit *u = &m->unit[t];
    int64_t p = run->traits, c = run->cohort.covariates;
    const double *ridge = run->ridge.fixed + (m->number * p + t) * (1 + c);
    const double *alone = run->ridge.alone + (m->number * p + t) * (1 + c);
    double by_ridge = (1.0 - u->gamma) * u->ridge_by, by_alone = u->gamma * u->alone_by;
    m->trait[t].intercept = (1.0 - u->gamma) * u->ridge_from + u->gamma * u->alone_from +
                            by_ridge * ridge[0] + by_alone * alone[0];
    for (int64_t k = 0; k < c; k++)
        m->trait[t].effect[k] = by_ridge * ridge[1 + k] + by_alone * alone[1 + k];
}

/* The additive path and the heads of one network. */
static void set_network(const gp_train_model *m, int64_t t, float *parameter) {
    const gp_nn_table *table = &m->run->model.table;
    const gp_train_unit *u = &m->unit[t];
    const gp_nn_tensor *weight = gp_nn_table_find(table, "head.weight");
    int64_t p = m->run->traits, columns = weight->columns;
    double stack = u->gamma * u->scale;
    float *linear = parameter + gp_nn_table_find(table, "linear.weight")->first;
    float *head = parameter + weight->first + t * columns;
    for (int64_t j = 0; j < m->run->variants->total; j++)
        linear[j * p + t] = (float)((m->linear ? stack * (double)linear[j * p + t] : 0.0) +
                                    (1.0 - u->gamma) * u->ridge_by * m->effect[j * p + t]);
    for (int64_t k = 0; k < columns; k++)
        head[k] = (float)(stack * (double)head[k]);
    parameter[gp_nn_table_find(table, "head.bias")->first + t] *= (float)stack;
}

void gp_train_joined(gp_train_model *m) {
    for (int64_t t = 0; t < m->run->traits; t++) {
        /* Samples that the shares are fitted on would flatter the networks. */
        for (int group = 0; m->run->split && group < GROUPS; group++) {
            set_share(m, t, group);
            predict(m, t, group);
        }
        set_share(m, t, -1);
        if (!m->run->split)
            predict(m, t, -1);
        set_covariates(m, t);
        for (int64_t k = 0; m->effect != NULL && k < m->run->o->networks; k++)
            set_network(m, t, m->parameter + k * m->run->model.table.parameters);
    }
}
