/** A network that trains on random calls, for benchmarks. Local. */
#ifndef GP_BENCHMARKS_NETWORK_H
#define GP_BENCHMARKS_NETWORK_H

#include "benchmarks/options.h"
#include "src/nn/gradient.h"
#include "src/nn/model.h"
#include <omp.h>

/** What a thread works with. */
typedef struct network_lane {
    gp_nn_work *work;
    gp_real *gradient, *target; /* [longest bucket], [shard] */
    const uint8_t **calls;      /* [shard] */
    int64_t *sample;            /* [shard] */
    double pass, sums;          /* processor seconds of this step */
} network_lane;

typedef struct network {
    const bench_options *options;
    gp_nn_engine *engine;
    gp_nn_model model;
    int64_t *first;
    double *position, *mean, *scale;
    int32_t *chromosome;
    gp_nn_loss loss;
    uint8_t *calls; /* [samples x row] */
    int64_t row;
    gp_real *target; /* [samples] */
    gp_nn_sum sum;
    omp_lock_t *lock; /* [sum.buckets] */
    gp_real *m, *v;
    network_lane *lane; /* [threads] */
    int64_t locks, lanes, step;
    struct {
        double pass, sums, update; /* processor seconds, of all threads together */
    } spent;
} network;

/** Seconds that the processor gave this thread. */
double network_seconds(void);

/** Comes zeroed; freed in any case. */
int network_init(network *n, const bench_options *options, gp_err *err);
void network_free(network *n);

/** Back to the start. */
void network_restart(network *n);

/** Trains with the next batch. */
int network_step(network *n, int64_t threads, gp_err *err);

/** Multiplications and additions of a sample's products, forward and backward. */
double network_operations(const network *n);

/** Processor seconds that a step's dense products take one thread, measured alone. */
double network_products(network *n, gp_err *err);

#endif
