/** The network once more, as plainly as its formulas are written: loops in double, one sample at a
 *  time, no library, no dropout. What src/nn is compared with. */
#ifndef GP_TESTS_SRC_NN_PLAIN_H
#define GP_TESTS_SRC_NN_PLAIN_H

#include "tests/src/nn_net.h"

#include <stdio.h>

enum { PLAIN_TOKENS = 8, PLAIN_CHANNELS = 16 };

typedef struct plain {
    const net *n;
    int64_t sample;
    double e[PLAIN_TOKENS][PLAIN_CHANNELS], h[PLAIN_TOKENS][PLAIN_CHANNELS];
} plain;

static inline const gp_real *plain_tensor(const plain *p, const char *name) {
    const gp_nn_tensor *t = gp_nn_table_find(&p->n->model.table, name);
    assert_non_null(t);
    return p->n->model.parameter + t->first;
}

static inline const gp_real *plain_block(const plain *p, int64_t block, const char *part) {
    char name[64];
    snprintf(name, sizeof name, "block.%lld.%s", (long long)block, part);
    return plain_tensor(p, name);
}

static inline int plain_call(const plain *p, int64_t j) {
    return gp_geno_get(p->n->call[p->sample], j);
}

static inline double plain_x(const plain *p, int64_t j) {
    int call = plain_call(p, j);
    return call == 3 || p->n->scale[j] == 0 ? 0 : (call - p->n->mean[j]) * p->n->scale[j];
}

static inline int plain_masked(const plain *p, int64_t patch) {
    const gp_nn_batch *b = &p->n->batch;
    return b->masked != NULL && b->masked[p->sample * p->n->model.shape.patches + patch];
}

static inline void plain_embed(plain *p) {
    const gp_nn_shape *s = &p->n->model.shape;
    int64_t cs = s->channels;
    for (int64_t k = 0; k < s->covariates; k++)
        for (int64_t c = 0; c < cs; c++)
            p->e[k][c] = (double)p->n->covariate[p->sample * s->covariates + k] *
                             (double)plain_tensor(p, "covariate.weight")[k * cs + c] +
                         (double)plain_tensor(p, "covariate.bias")[k * cs + c];
    for (int64_t k = 0; k < s->patches; k++)
        for (int64_t c = 0; c < cs; c++) {
            double e = (double)plain_tensor(p, "patch.bias")[k * cs + c];
            for (int64_t j = s->first[k]; j < s->first[k + 1]; j++)
                e += plain_x(p, j) * (double)plain_tensor(p, "patch.weight")[j * cs + c];
            p->e[s->covariates + k][c] =
                plain_masked(p, k) ? (double)plain_tensor(p, "mask.token")[c] : e;
        }
}

static inline void plain_norm(plain *p, const gp_real *weight, const gp_real *bias) {
    const gp_nn_shape *s = &p->n->model.shape;
    for (int64_t t = 0; t < gp_nn_tokens(s); t++) {
        double mean = 0, variance = 0;
        for (int64_t c = 0; c < s->channels; c++)
            mean += p->e[t][c] / (double)s->channels;
        for (int64_t c = 0; c < s->channels; c++)
            variance += (p->e[t][c] - mean) * (p->e[t][c] - mean) / (double)s->channels;
        for (int64_t c = 0; c < s->channels; c++)
            p->h[t][c] =
                (p->e[t][c] - mean) / sqrt(variance + 1e-5) * (double)weight[c] + (double)bias[c];
    }
}

/* Query (0), key (1) or value (2) of a token's channel, not yet turned. */
static inline double plain_part(const plain *p, int64_t block, int part, int64_t t, int64_t c) {
    int64_t cs = p->n->model.shape.channels;
    const gp_real *row = plain_block(p, block, "qkv.weight") + (part * cs + c) * cs;
    double sum = 0;
    for (int64_t i = 0; i < cs; i++)
        sum += (double)row[i] * p->h[t][i];
    return sum;
}

/* The same for channel i of a head, turned by the token's position. */
static inline double plain_turned(const plain *p, int64_t block, int part, int64_t t, int64_t head,
                                  int64_t i) {
    const gp_nn_shape *s = &p->n->model.shape;
    int64_t base = head * (s->channels / s->heads), half = s->rotary / 2;
    if (i >= s->rotary)
        return plain_part(p, block, part, t, base + i);
    double position = t < s->covariates ? 0 : s->position[t - s->covariates];
    double angle = position * pow(10000, -2.0 * (double)(i % half) / (double)s->rotary);
    double a = plain_part(p, block, part, t, base + i % half);
    double b = plain_part(p, block, part, t, base + i % half + half);
    return i < half ? a * cos(angle) - b * sin(angle) : a * sin(angle) + b * cos(angle);
}

static inline void plain_attend(const plain *p, int64_t block, int64_t t, int64_t head,
                                double *mixed) {
    const gp_nn_shape *s = &p->n->model.shape;
    int64_t size = s->channels / s->heads, seen = s->causal ? t + 1 : gp_nn_tokens(s);
    double weight[PLAIN_TOKENS], sum = 0;
    for (int64_t u = 0; u < seen; u++) {
        double product = 0;
        for (int64_t i = 0; i < size; i++)
            product +=
                plain_turned(p, block, 0, t, head, i) * plain_turned(p, block, 1, u, head, i);
        sum += weight[u] = exp(product / sqrt((double)size));
    }
    for (int64_t i = 0; i < size; i++) {
        mixed[head * size + i] = 0;
        for (int64_t u = 0; u < seen; u++)
            mixed[head * size + i] += weight[u] / sum * plain_part(p, block, 2, u, head * size + i);
    }
}

static inline double plain_gelu(double x) {
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

static inline void plain_block_token(const plain *p, int64_t block, int64_t t, double *to) {
    const gp_nn_shape *s = &p->n->model.shape;
    int64_t cs = s->channels;
    double mixed[PLAIN_CHANNELS], wide[4 * PLAIN_CHANNELS];
    for (int64_t head = 0; head < s->heads; head++)
        plain_attend(p, block, t, head, mixed);
    for (int64_t k = 0; k < 4 * cs; k++) {
        double sum = (double)plain_block(p, block, "up.bias")[k];
        for (int64_t i = 0; i < cs; i++)
            sum += (double)plain_block(p, block, "up.weight")[k * cs + i] * p->h[t][i];
        wide[k] = plain_gelu(sum);
    }
    for (int64_t c = 0; c < cs; c++) {
        to[c] = p->e[t][c] + (double)plain_block(p, block, "down.bias")[c];
        for (int64_t i = 0; i < cs; i++)
            to[c] += (double)plain_block(p, block, "out.weight")[c * cs + i] * mixed[i];
        for (int64_t i = 0; i < 4 * cs; i++)
            to[c] += (double)plain_block(p, block, "down.weight")[c * 4 * cs + i] * wide[i];
    }
}

static inline double plain_output(const plain *p, int64_t trait) {
    const gp_nn_shape *s = &p->n->model.shape;
    const gp_nn_batch *b = &p->n->batch;
    double y = (double)plain_tensor(p, "head.bias")[trait];
    if (b->offset != NULL)
        y += (double)b->offset[p->sample * s->traits + trait];
    for (int64_t t = 0; t < gp_nn_tokens(s); t++)
        for (int64_t c = 0; c < s->channels; c++)
            y += p->h[t][c] * (double)plain_tensor(p, "head.weight")[trait * s->channels + c] /
                 (double)gp_nn_tokens(s);
    for (int64_t k = 0; b->linear && k < s->patches; k++)
        for (int64_t j = s->first[k]; j < s->first[k + 1] && !plain_masked(p, k); j++)
            y += plain_x(p, j) * (double)plain_tensor(p, "linear.weight")[j * s->traits + trait];
    return y;
}

static inline double plain_decoded(const plain *p) {
    const gp_nn_shape *s = &p->n->model.shape;
    double sum = 0, variants = 0;
    for (int64_t k = 0; k < s->patches; k++)
        for (int64_t j = s->first[k]; j < s->first[k + 1] && plain_masked(p, k); j++) {
            variants++;
            double e = (double)plain_tensor(p, "decode.bias")[j] - plain_x(p, j);
            for (int64_t c = 0; c < s->channels; c++)
                e += (double)plain_tensor(p, "decode.weight")[j * s->channels + c] *
                     p->h[s->covariates + k][c];
            sum += plain_call(p, j) == 3 ? 0 : 0.5 * e * e;
        }
    return variants > 0 ? sum / variants : 0;
}

/** Outputs [S x p]; returns the loss. */
static inline double plain_forward(const net *n, double *output) {
    const gp_nn_shape *s = &n->model.shape;
    double loss = 0, next[PLAIN_TOKENS][PLAIN_CHANNELS];
    plain p = {.n = n};
    for (; p.sample < n->batch.samples; p.sample++) {
        plain_embed(&p);
        for (int64_t k = 0; k < s->layers; k++) {
            plain_norm(&p, plain_block(&p, k, "norm.weight"), plain_block(&p, k, "norm.bias"));
            for (int64_t t = 0; t < gp_nn_tokens(s); t++)
                plain_block_token(&p, k, t, next[t]);
            memcpy(p.e, next, sizeof next);
        }
        plain_norm(&p, plain_tensor(&p, "norm.weight"), plain_tensor(&p, "norm.bias"));
        for (int64_t k = 0; k < s->traits; k++) {
            double y = output[p.sample * s->traits + k] = plain_output(&p, k);
            double t =
                n->batch.target != NULL ? (double)n->batch.target[p.sample * s->traits + k] : NAN;
            if (!isnan(t))
                loss += s->loss[k] == GP_NN_LOGISTIC ? log(1 + exp(y)) - t * y
                                                     : 0.5 * (y - t) * (y - t);
        }
        if (s->decodes)
            loss += plain_decoded(&p);
    }
    return loss;
}

#endif
