#include "src/nn/attribution.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/fixed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- points of a path ---- */

/* The Legendre polynomial of this degree at t, and its derivative. */
static double legendre(int64_t degree, double t, double *slope) {
    double before = 1.0, here = t;
    for (int64_t k = 2; k <= degree; k++) {
        double next = ((double)(2 * k - 1) * t * here - (double)(k - 1) * before) / (double)k;
        before = here;
        here = next;
    }
    *slope = (double)degree * (t * here - before) / (t * t - 1.0);
    return here;
}

/* Points between 0 and 1, ascending: roots of a Legendre polynomial, by Newton's method from where
 * they nearly are. They lie close together at both ends: near 0 a LayerNorm can turn fast. */
static void set_path(gp_nn_explainer *e) {
    const double pi = 3.14159265358979324;
    for (int64_t k = 0; k < e->steps; k++) {
        double t = cos(pi * ((double)k + 0.75) / ((double)e->steps + 0.5)), slope = 1.0;
        for (int turn = 0; turn < 8; turn++)
            t -= legendre(e->steps, t, &slope) / slope;
        legendre(e->steps, t, &slope);
        e->point[k] = (1.0 - t) / 2.0;
        e->weight[k] = 1.0 / ((1.0 - t * t) * slope * slope);
    }
}

/* ---- a thread's room ---- */

static void set_lengths(gp_nn_explainer *e) {
    const gp_nn_shape *shape = &e->model->shape;
    for (int64_t k = 0; k < e->models; k++) {
        const gp_nn_tensor *weight = gp_nn_table_find(&e->model[k].table, "patch.weight");
        const gp_real *w = e->model[k].parameter + weight->first;
        for (int64_t j = 0; j < shape->variants; j++, w += shape->channels) {
            double sum = 0.0;
            for (int64_t c = 0; c < shape->channels; c++)
                sum += (double)w[c] * (double)w[c];
            e->length[k * shape->variants + j] = sqrt(sum);
        }
    }
}

int gp_nn_explainer_init(gp_nn_explainer *e, int64_t samples, int64_t steps, gp_err *err) {
    int64_t m = e->model->shape.variants, tokens = gp_nn_tokens(&e->model->shape);
    int64_t row = m * (int64_t)sizeof(gp_real), real = (int64_t)sizeof(double);
    e->samples = samples;
    e->steps = steps;
    if ((e->work = gp_nn_work_new(e->model, samples, 1, err)) == NULL)
        return err->code;
    if (steps > 0) {
        e->level = gp_mem_alloc(4, row, err);
        e->point = gp_mem_alloc(steps, real, err);
        e->weight = gp_mem_alloc(steps, real, err);
    }
    e->slope = gp_mem_alloc(samples, row, err);
    e->dx = gp_mem_alloc(samples, row, err);
    e->share = gp_mem_alloc(tokens, real, err);
    e->mix = gp_mem_alloc(tokens, real, err);
    e->length = gp_mem_alloc(e->models, m * real, err);
    e->effect = gp_mem_alloc(m, real, err);
    e->importance = gp_mem_alloc(m, real, err);
    if (err->code == GP_OK) {
        set_lengths(e);
        set_path(e);
    }
    return err->code;
}

void gp_nn_explainer_free(gp_nn_explainer *e) {
    gp_nn_work_free(e->work);
    free(e->level);
    free(e->dx);
    free(e->slope);
    free(e->point);
    free(e->weight);
    free(e->share);
    free(e->mix);
    free(e->length);
    free(e->effect);
    free(e->importance);
    *e = (gp_nn_explainer){0};
}

/* ---- slopes ---- */

/* One network's forward pass at x serves all traits. */
static int runs_once(const gp_nn_explainer *e) {
    return e->steps == 0 && e->models == 1;
}

void gp_nn_explainer_begin(gp_nn_explainer *e, const gp_nn_batch *batch) {
    if (runs_once(e))
        gp_nn_forward(e->model, e->work, batch, NULL);
}

/* Adds weight times the gradients of a network. */
static void add_slopes(gp_nn_explainer *e, const gp_nn_model *model, const gp_nn_batch *batch,
                       int64_t trait, double weight) {
    int64_t count = batch->samples * model->shape.variants;
    if (!runs_once(e))
        gp_nn_forward(model, e->work, batch, NULL);
    gp_nn_input_gradient(model, e->work, batch, trait, e->dx);
    for (int64_t i = 0; i < count; i++)
        e->slope[i] += (gp_real)weight * e->dx[i];
}

const gp_real *gp_nn_explainer_slopes(gp_nn_explainer *e, const gp_nn_batch *batch, int64_t trait) {
    int64_t m = e->model->shape.variants;
    double part = 1.0 / (double)e->models;
    memset(e->slope, 0, (size_t)(batch->samples * m) * sizeof *e->slope);
    for (int64_t k = 0; k < e->models && e->steps == 0; k++)
        add_slopes(e, &e->model[k], batch, trait, part);
    for (int64_t s = 0; s < e->steps; s++) {
        for (int64_t i = 0; i < 4 * m; i++) /* the point a x: levels are all networks' */
            e->level[i] = (gp_real)(e->point[s] * (double)e->model->level[i]);
        for (int64_t k = 0; k < e->models; k++) {
            gp_nn_model there = e->model[k];
            there.level = e->level;
            add_slopes(e, &there, batch, trait, part * e->weight[s]);
        }
    }
    return e->slope;
}

/* ---- rollout ---- */

/* share times (A + I) / 2, A the mean over heads of [H x T x T]: one row at a time, so that no
 * product of matrices is needed. */
static void pass_down(gp_nn_explainer *e, const gp_real *attention) {
    int64_t tokens = gp_nn_tokens(&e->model->shape), heads = e->model->shape.heads;
    for (int64_t k = 0; k < tokens; k++)
        e->mix[k] = 0.5 * e->share[k];
    for (int64_t h = 0; h < heads; h++)
        for (int64_t q = 0; q < tokens; q++) {
            const gp_real *row = attention + (h * tokens + q) * tokens;
            double weight = 0.5 * e->share[q] / (double)heads;
            for (int64_t k = 0; k < tokens; k++)
                e->mix[k] += weight * (double)row[k];
        }
    double *swap = e->share;
    e->share = e->mix;
    e->mix = swap;
}

const double *gp_nn_explainer_rollout(gp_nn_explainer *e, int64_t sample) {
    const gp_nn_shape *shape = &e->model->shape;
    int64_t tokens = gp_nn_tokens(shape);
    for (int64_t k = 0; k < tokens; k++)
        e->share[k] = 1.0 / (double)tokens;
    for (int64_t l = shape->layers - 1; l >= 0; l--)
        pass_down(e, gp_nn_attention_of(e->work, l) + sample * shape->heads * tokens * tokens);
    return e->share;
}

/* ---- sums ---- */

int gp_nn_attributions_init(gp_nn_attributions *a, int64_t variants, int64_t traits,
                            int64_t samples, gp_err *err) {
    /* All of GP_NN_LARGEST_SLOPE's size, they add up to 2^62 at most. */
    int bits = 52;
    for (int64_t room = 1; room < samples; room *= 2)
        bits--;
    a->variants = variants;
    a->traits = traits;
    a->exponent = bits;
    a->effect = gp_mem_alloc(traits, variants * (int64_t)sizeof *a->effect, err);
    a->importance = gp_mem_alloc(traits, variants * (int64_t)sizeof *a->importance, err);
    for (int k = 0; k < GP_NN_SEGMENTS; k++)
        omp_init_lock(&a->lock[k]);
    a->locks = 1;
    return err->code;
}

void gp_nn_attributions_free(gp_nn_attributions *a) {
    free(a->effect);
    free(a->importance);
    for (int k = 0; a->locks && k < GP_NN_SEGMENTS; k++)
        omp_destroy_lock(&a->lock[k]);
    *a = (gp_nn_attributions){0};
}

/* Adds [from, to) of x to sums; returns how many do not fit. */
static int64_t add_run(const gp_nn_attributions *a, const double *x, int64_t *sum, double most,
                       int64_t from, int64_t to) {
    int64_t misfits = 0;
    for (int64_t j = from; j < to; j++)
        if (fabs(x[j]) <= most)
            sum[j] += gp_fixed_from(x[j], a->exponent);
        else
            misfits++;
    return misfits;
}

/* Adds the explainer's sums over a shard of so many samples. */
static void add_columns(gp_nn_attributions *a, const gp_nn_explainer *e, int64_t samples,
                        int64_t trait) {
    double most = (double)samples * GP_NN_LARGEST_SLOPE;
    int64_t misfits = 0;
    for (int64_t k = 0; k < GP_NN_SEGMENTS; k++) {
        int64_t s = (k + omp_get_thread_num()) % GP_NN_SEGMENTS;
        int64_t from = gp_split_begin(a->variants, 1, GP_NN_SEGMENTS, s);
        int64_t to = gp_split_begin(a->variants, 1, GP_NN_SEGMENTS, s + 1);
        omp_set_lock(&a->lock[s]);
        misfits += add_run(a, e->effect, a->effect + trait * a->variants, most, from, to);
        misfits += add_run(a, e->importance, a->importance + trait * a->variants, most, from, to);
        omp_unset_lock(&a->lock[s]);
    }
    if (misfits > 0) {
#pragma omp atomic
        a->misfits += misfits;
    }
}

static void clear_columns(gp_nn_explainer *e) {
    size_t bytes = (size_t)e->model->shape.variants * sizeof(double);
    memset(e->effect, 0, bytes);
    memset(e->importance, 0, bytes);
}

void gp_nn_attributions_add(gp_nn_attributions *a, gp_nn_explainer *e, const gp_nn_batch *batch,
                            int64_t trait) {
    const gp_real *level = e->model->level, *slope = gp_nn_explainer_slopes(e, batch, trait);
    clear_columns(e);
    for (int64_t i = 0; i < batch->samples; i++, slope += a->variants)
        for (int64_t j = 0; j < a->variants; j++) {
            gp_real x = level[4 * j + gp_geno_get(batch->calls[i], j)];
            e->effect[j] += (double)slope[j];
            e->importance[j] += fabs((double)slope[j] * (double)x);
        }
    add_columns(a, e, batch->samples, trait);
}

/* Spreads a patch's share over its variants [from, to), by the lengths of their weights. */
static void spread(gp_nn_explainer *e, const double *length, const uint8_t *calls,
                   const int64_t range[2], double share) {
    const gp_real *level = e->model->level;
    int64_t from = range[0], to = range[1];
    double all = 0.0;
    for (int64_t j = from; j < to; j++)
        all += length[j] * fabs((double)level[4 * j + gp_geno_get(calls, j)]);
    for (int64_t j = from; j < to; j++) {
        double part = length[j] * fabs((double)level[4 * j + gp_geno_get(calls, j)]);
        e->importance[j] += share * (all > 0.0 ? part / all : 1.0 / (double)(to - from));
    }
}

void gp_nn_attributions_add_rollout(gp_nn_attributions *a, gp_nn_explainer *e,
                                    const gp_nn_batch *batch) {
    const gp_nn_shape *shape = &e->model->shape;
    clear_columns(e);
    for (int64_t n = 0; n < e->models; n++) {
        gp_nn_forward(&e->model[n], e->work, batch, NULL);
        for (int64_t i = 0; i < batch->samples; i++) {
            const double *share = gp_nn_explainer_rollout(e, i) + shape->covariates;
            for (int64_t k = 0; k < shape->patches; k++)
                spread(e, e->length + n * shape->variants, batch->calls[i], shape->first + k,
                       share[k] / (double)e->models);
        }
    }
    add_columns(a, e, batch->samples, 0);
}
