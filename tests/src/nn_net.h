/** A small network and a shard of samples for tests: random parameters, uneven patches, calls of
 *  every kind. Include cmocka.h first. */
#ifndef GP_TESTS_SRC_NN_NET_H
#define GP_TESTS_SRC_NN_NET_H

#include "src/geno/code.h"
#include "src/nn/model.h"
#include "tests/support/random.h"

#include <math.h>
#include <string.h>

enum {
    NET_SAMPLES = 4,
    NET_PATCHES = 5,
    NET_VARIANTS = 15,
    NET_COVARIATES = 2,
    NET_TRAITS = 3,
    NET_BYTES = 16
};

/** What a network has; patches are of 1, 2, 3 ... variants. */
typedef struct net_plan {
    int64_t samples, patches, covariates, traits, channels, layers, heads, rotary;
    int causal, decodes, masks, linear, offsets, missing_targets;
    double dropout;
} net_plan;

typedef struct net {
    int64_t first[NET_PATCHES + 1];
    double position[NET_PATCHES], mean[NET_VARIANTS], scale[NET_VARIANTS];
    int32_t chromosome[NET_PATCHES];
    gp_nn_loss loss[NET_TRAITS];
    uint8_t call[NET_SAMPLES][NET_BYTES], masked[NET_SAMPLES * NET_PATCHES];
    const uint8_t *calls[NET_SAMPLES];
    gp_real covariate[NET_SAMPLES * NET_COVARIATES], offset[NET_SAMPLES * NET_TRAITS],
        target[NET_SAMPLES * NET_TRAITS];
    int64_t sample[NET_SAMPLES];
    gp_nn_engine *engine;
    gp_nn_model model;
    gp_nn_batch batch;
} net;

static inline void net_shape(net *n, const net_plan *plan) {
    uint64_t seed = 17;
    for (int64_t k = 0; k < plan->patches; k++) {
        n->first[k + 1] = n->first[k] + k + 1;
        n->position[k] = 0.7 * (double)k + 0.1 * (double)(k * k);
        n->chromosome[k] = k > 1;
    }
    for (int64_t j = 0; j < NET_VARIANTS; j++) {
        n->mean[j] = 0.2 + 1.5 * gp_test_uniform(&seed);
        n->scale[j] = 0.8 + gp_test_uniform(&seed);
    }
    n->mean[4] = NAN; /* a variant that says nothing */
    n->scale[4] = 0;
    for (int64_t k = 0; k < plan->traits; k++)
        n->loss[k] = k == 1 ? GP_NN_LOGISTIC : GP_NN_SQUARED;
    n->model.shape = (gp_nn_shape){.variants = n->first[plan->patches],
                                   .patches = plan->patches,
                                   .first = n->first,
                                   .position = n->position,
                                   .chromosome = n->chromosome,
                                   .chromosomes = plan->patches > 2 ? 2 : 1,
                                   .covariates = plan->covariates,
                                   .traits = plan->traits,
                                   .loss = n->loss,
                                   .channels = plan->channels,
                                   .layers = plan->layers,
                                   .heads = plan->heads,
                                   .rotary = plan->rotary,
                                   .causal = plan->causal,
                                   .decodes = plan->decodes};
    n->model.mean = n->mean;
    n->model.scale = n->scale;
}

static inline void net_batch(net *n, const net_plan *plan) {
    uint64_t seed = 23;
    for (int64_t s = 0; s < plan->samples; s++) {
        n->calls[s] = n->call[s];
        n->sample[s] = 40 + 3 * s;
        for (int64_t j = 0; j < NET_VARIANTS; j++)
            gp_geno_set(n->call[s], j, (int)gp_test_below(&seed, 4));
    }
    for (int64_t k = 0; k < plan->samples * plan->patches; k++)
        n->masked[k] = gp_test_below(&seed, 3) == 0;
    for (int64_t k = 0; k < plan->samples * plan->covariates; k++)
        n->covariate[k] = (gp_real)gp_test_normal(&seed);
    for (int64_t k = 0; k < plan->samples * plan->traits; k++) {
        n->offset[k] = (gp_real)gp_test_normal(&seed);
        n->target[k] = (gp_real)(k % plan->traits == 1 ? (double)gp_test_below(&seed, 2)
                                                       : gp_test_normal(&seed));
        if (plan->missing_targets && gp_test_below(&seed, 3) == 0)
            n->target[k] = NAN;
    }
    n->batch = (gp_nn_batch){.samples = plan->samples,
                             .calls = n->calls,
                             .covariate = n->covariate,
                             .offset = plan->offsets ? n->offset : NULL,
                             .target = n->target,
                             .masked = plan->masks ? n->masked : NULL,
                             .sample = n->sample,
                             .seed = 5,
                             .step = 9,
                             .dropout = (gp_real)plan->dropout,
                             .linear = plan->linear};
}

/** Random numbers in every tensor, so that nothing stays hidden behind a 0. */
static inline void net_parameters(net *n) {
    uint64_t seed = 31;
    for (int64_t k = 0; k < n->model.table.count; k++) {
        const gp_nn_tensor *t = &n->model.table.tensor[k];
        double spread = t->rows > 1 ? 0.7 / sqrt((double)t->columns) : 0.3;
        for (int64_t i = 0; i < t->rows * t->columns; i++)
            n->model.parameter[t->first + i] =
                (gp_real)((t->deviation < 0) + spread * gp_test_normal(&seed));
    }
}

static inline void net_init(net *n, const net_plan *plan) {
    gp_err err = {0};
    memset(n, 0, sizeof *n);
    assert_true(plan->samples <= NET_SAMPLES && plan->patches <= NET_PATCHES &&
                plan->covariates <= NET_COVARIATES && plan->traits <= NET_TRAITS);
    net_shape(n, plan);
    net_batch(n, plan);
    assert_int_equal(gp_nn_engine_open(&n->engine, GP_NN_FLOAT32, &err), GP_OK);
    n->model.engine = n->engine;
    assert_int_equal(gp_nn_model_init(&n->model, &err), GP_OK);
    net_parameters(n);
}

static inline void net_free(net *n) {
    gp_nn_model_free(&n->model);
    gp_nn_engine_close(n->engine);
}

static inline gp_nn_work *net_work(const net *n, int backward) {
    gp_err err = {0};
    gp_nn_work *w = gp_nn_work_new(&n->model, n->batch.samples, backward, &err);
    assert_non_null(w);
    return w;
}

/** A loss that depends on numbers which the test moves. */
typedef double net_function(void *context);

/** Derivative of f with respect to *x: five points, so that the step's error is of fourth order. */
static inline double net_slope(net_function *f, void *context, gp_real *x) {
    const double h = 3e-4;
    const gp_real old = *x;
    double value[4];
    const int at[4] = {-2, -1, 1, 2};
    for (int k = 0; k < 4; k++) {
        *x = (gp_real)(old + at[k] * h);
        value[k] = f(context);
    }
    *x = old;
    return (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * h);
}

/** Checks n gradients; relative to the gradient, or to their root mean square where that is
 *  larger. */
static inline void net_check(net_function *f, void *context, gp_real *x, const gp_real *dx,
                             int64_t n, const char *name) {
    double squares = 0;
    for (int64_t i = 0; i < n; i++)
        squares += (double)dx[i] * (double)dx[i];
    double typical = n > 0 ? sqrt(squares / (double)n) : 0;
    for (int64_t i = 0; i < n; i++) {
        double slope = net_slope(f, context, x + i), g = (double)dx[i];
        /* 1e-6: what is asked of gradients; 1e-11: rounding of a loss of about 10, over the step */
        if (!(fabs(slope - g) <= 1e-6 * fmax(fabs(g), typical) + 1e-11))
            fail_msg("%s[%lld]: gradient %.12g, central difference %.12g", name, (long long)i, g,
                     slope);
    }
}

#endif
