/** The networks of tests/oracle/torch_network.py and their inputs, drawn as the script draws
 *  them. Include cmocka.h first; GP_SOURCE is the project's root. */
#ifndef GP_TESTS_SRC_TORCH_NETWORK_H
#define GP_TESTS_SRC_TORCH_NETWORK_H

#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/nn/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PATCHES = 6, MOST_TRAITS = 2 };

typedef struct network {
    const char *name;
    uint32_t seed;
    int64_t samples;
    int64_t patch[MOST_PATCHES];
    double position[MOST_PATCHES];
    gp_nn_loss loss[MOST_TRAITS];
    gp_nn_shape shape; /* sizes that do not follow from those above */
    int linear, masks;
    double l1;
} network;

/* The order and the sizes are those at the end of the script. */
static const network NETWORKS[] = {
    {.name = "quantitative",
     .seed = 1,
     .samples = 7,
     .patch = {5, 5, 4, 5, 2},
     .position = {0, 1.5, 2, 40, 41.25},
     .loss = {GP_NN_SQUARED, GP_NN_SQUARED},
     .shape = {.patches = 5, .traits = 2, .channels = 8, .layers = 2, .heads = 2, .rotary = 2},
     .linear = 1},
    {.name = "causal",
     .seed = 2,
     .samples = 6,
     .patch = {3, 3, 1, 3, 3, 2},
     .position = {0.5, 1, 3.25, 9, 9.5, 20},
     .loss = {GP_NN_LOGISTIC, GP_NN_SQUARED},
     .shape = {.patches = 6,
               .covariates = 2,
               .traits = 2,
               .channels = 12,
               .layers = 2,
               .heads = 3,
               .rotary = 4,
               .causal = 1},
     .masks = 1,
     .l1 = 0.05},
    {.name = "masked",
     .seed = 3,
     .samples = 5,
     .patch = {4, 4, 3, 4},
     .position = {0, 1, 2, 3},
     .shape = {.patches = 4,
               .covariates = 1,
               .channels = 8,
               .layers = 1,
               .heads = 2,
               .rotary = 4,
               .decodes = 1},
     .masks = 1}};

/* The script's generator. */
static uint32_t whole(uint32_t *state, int bits) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> (32 - bits);
}

static double real(uint32_t *state, double low, double width) {
    return low + width * whole(state, 24) / 0x1p24;
}

static gp_real *reals(uint32_t *state, int64_t count, double low, double width) {
    gp_err err = {0};
    gp_real *x = gp_mem_alloc(count, sizeof *x, &err);
    for (int64_t k = 0; k < count; k++)
        x[k] = (gp_real)real(state, low, width);
    return x;
}

typedef struct fixture {
    const network *network;
    FILE *file;
    int64_t first[MOST_PATCHES + 1];
    int32_t chromosome[MOST_PATCHES];
    double *mean, *scale;
    uint8_t *calls;
    const uint8_t **rows;
    gp_real *covariate, *offset, *target;
    uint8_t *masked;
    int64_t *sample;
    gp_nn_engine *engine;
    gp_nn_model model;
    gp_nn_batch batch;
    gp_nn_work *work;
} fixture;

static void draw_parameters(fixture *f, uint32_t *state) {
    const gp_nn_table *table = &f->model.table;
    for (int64_t k = 0; k < table->count; k++) {
        const gp_nn_tensor *t = &table->tensor[k];
        const char *norm = strstr(t->name, "norm.weight");
        for (int64_t i = 0; i < t->rows * t->columns; i++)
            f->model.parameter[t->first + i] = (gp_real)real(state, norm ? 0.75 : -0.25, 0.5);
    }
}

static void draw_samples(fixture *f, uint32_t *state) {
    gp_err err = {0};
    const gp_nn_shape *s = &f->model.shape;
    int64_t n = f->network->samples, m = s->variants, p = s->traits;
    int64_t stride = (m + 3) / 4;
    f->calls = gp_mem_alloc(n, stride, &err);
    f->rows = gp_mem_alloc(n, sizeof *f->rows, &err);
    f->sample = gp_mem_alloc(n, sizeof *f->sample, &err);
    for (int64_t i = 0; i < n; i++) {
        f->rows[i] = f->calls + i * stride;
        f->sample[i] = i;
        for (int64_t j = 0; j < m; j++)
            gp_geno_set(f->calls + i * stride, j, (int)whole(state, 2));
    }
    f->covariate = reals(state, n * s->covariates, -2, 4);
    f->offset = reals(state, n * p, -0.5, 1);
    f->target = reals(state, n * p, -1, 4);
    for (int64_t k = 0; k < n * p; k++)
        if (s->loss[k % p] == GP_NN_LOGISTIC)
            f->target[k] = f->target[k] > 1;
    for (int64_t k = 0; k < n * p; k++)
        if (whole(state, 3) == 0)
            f->target[k] = NAN;
    f->masked = gp_mem_alloc(n, s->patches, &err);
    for (int64_t k = 0; k < n * s->patches; k++)
        f->masked[k] = whole(state, 2) == 0;
    assert_int_equal(err.code, GP_OK);
}

static void batch_of(fixture *f) {
    const network *w = f->network;
    f->batch = (gp_nn_batch){.samples = w->samples,
                             .calls = f->rows,
                             .covariate = f->covariate,
                             .offset = f->offset,
                             .target = f->target,
                             .masked = w->masks ? f->masked : NULL,
                             .sample = f->sample,
                             .linear = w->linear};
}

/* The shape, the table's numbers passed over, and what the model wants before it is made. */
static void draw_variants(fixture *f, uint32_t *state) {
    gp_err err = {0};
    gp_nn_table table = {0};
    int64_t m = f->model.shape.variants;
    assert_int_equal(gp_nn_table_init(&table, &f->model.shape, &err), GP_OK);
    for (int64_t k = 0; k < table.count; k++)
        for (int64_t i = 0; i < table.tensor[k].rows * table.tensor[k].columns; i++)
            whole(state, 24);
    gp_nn_table_free(&table);
    f->mean = gp_mem_alloc(m, sizeof *f->mean, &err);
    f->scale = gp_mem_alloc(m, sizeof *f->scale, &err);
    for (int64_t j = 0; j < m; j++)
        f->mean[j] = real(state, 0.5, 1);
    for (int64_t j = 0; j < m; j++)
        f->scale[j] = real(state, 0.75, 0.5);
    f->scale[2] = 0;
}

static void shape_of(fixture *f) {
    const network *w = f->network;
    gp_nn_shape *shape = &f->model.shape;
    *shape = w->shape;
    for (int64_t k = 0; k < shape->patches; k++)
        f->first[k + 1] = f->first[k] + w->patch[k];
    shape->variants = f->first[shape->patches];
    shape->first = f->first;
    shape->position = w->position;
    shape->chromosome = f->chromosome;
    shape->chromosomes = 1;
    shape->loss = w->loss;
}

static void init(fixture *f, const network *w) {
    gp_err err = {0};
    memset(f, 0, sizeof *f);
    f->network = w;
    f->file = fopen(GP_SOURCE "/tests/oracle/torch_network.txt", "r");
    assert_non_null(f->file);
    shape_of(f);
    uint32_t state = w->seed, again = w->seed;
    draw_variants(f, &state);
    assert_int_equal(gp_nn_engine_open(&f->engine, GP_NN_FLOAT32, &err), GP_OK);
    f->model.mean = f->mean;
    f->model.scale = f->scale;
    f->model.engine = f->engine;
    assert_int_equal(gp_nn_model_init(&f->model, &err), GP_OK);
    draw_parameters(f, &again);
    draw_samples(f, &state);
    batch_of(f);
    f->work = gp_nn_work_new(&f->model, w->samples, 1, &err);
    assert_non_null(f->work);
}

static void end(fixture *f) {
    gp_nn_work_free(f->work);
    gp_nn_model_free(&f->model);
    gp_nn_engine_close(f->engine);
    fclose(f->file);
    free(f->mean);
    free(f->scale);
    free(f->calls);
    free(f->rows);
    free(f->covariate);
    free(f->offset);
    free(f->target);
    free(f->masked);
    free(f->sample);
}

#endif
