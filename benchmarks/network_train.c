#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "benchmarks/network.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/nn/adamw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double network_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- making ---- */

static void describe(network *n) {
    const bench_options *o = n->options;
    gp_nn_shape *s = &n->model.shape;
    *s = (gp_nn_shape){.variants = o->variants,
                       .patches = gp_units(o->variants, o->patch),
                       .first = n->first,
                       .position = n->position,
                       .chromosome = n->chromosome,
                       .chromosomes = 1,
                       .traits = 1,
                       .loss = &n->loss,
                       .channels = o->channels,
                       .layers = o->layers,
                       .heads = o->heads,
                       .rotary = o->channels / o->heads / 4 * 2};
    for (int64_t k = 0; k <= s->patches; k++)
        n->first[k] = gp_least(k * o->patch, o->variants);
    for (int64_t k = 0; k < s->patches; k++)
        n->position[k] = (double)k;
    for (int64_t j = 0; j < o->variants; j++) {
        n->mean[j] = 0.75;
        n->scale[j] = 1.2;
    }
    n->model.mean = n->mean;
    n->model.scale = n->scale;
}

static void draw(network *n) {
    uint64_t seed = 1;
    /* The high bit of a call is set a quarter as often as the low one is: few are missing. */
    for (int64_t k = 0; k < n->options->samples * n->row; k++) {
        uint64_t bits = bench_bits(&seed) >> 16;
        n->calls[k] = (uint8_t)((bits & bits >> 8 & bits >> 16 & 0xAA) | (bits >> 24 & 0x55));
    }
    for (int64_t i = 0; i < n->options->samples; i++)
        n->target[i] = (gp_real)(0x1p-52 * (double)(bench_bits(&seed) >> 11) - 1);
}

static int lane_init(network *n, network_lane *lane, gp_err *err) {
    int64_t longest = 0, real = (int64_t)sizeof(gp_real), shard = n->options->shard;
    for (int64_t b = 0; b < n->sum.buckets; b++)
        longest = gp_most(longest, n->sum.first[b + 1] - n->sum.first[b]);
    lane->work = gp_nn_work_new(&n->model, shard, 1, err);
    lane->gradient = gp_mem_alloc(longest, real, err);
    lane->target = gp_mem_alloc(shard, real, err);
    lane->calls = gp_mem_alloc(shard, sizeof *lane->calls, err);
    lane->sample = gp_mem_alloc(shard, sizeof *lane->sample, err);
    return err->code;
}

static int room(network *n, gp_err *err) {
    const bench_options *o = n->options;
    int64_t real = (int64_t)sizeof(gp_real), patches = gp_units(o->variants, o->patch);
    n->row = gp_units(o->variants, 4);
    n->first = gp_mem_alloc(patches + 1, sizeof *n->first, err);
    n->position = gp_mem_alloc(patches, sizeof *n->position, err);
    n->chromosome = gp_mem_alloc(patches, sizeof *n->chromosome, err);
    n->mean = gp_mem_alloc(o->variants, sizeof *n->mean, err);
    n->scale = gp_mem_alloc(o->variants, sizeof *n->scale, err);
    n->calls = gp_mem_alloc(o->samples, n->row, err);
    n->target = gp_mem_alloc(o->samples, real, err);
    n->lane = gp_mem_alloc(o->threads, sizeof *n->lane, err);
    return err->code;
}

static int trainer_room(network *n, gp_err *err) {
    const bench_options *o = n->options;
    int64_t real = (int64_t)sizeof(gp_real);
    if (gp_nn_sum_init(&n->sum, &n->model.table, gp_units(o->batch, o->shard), err) != GP_OK)
        return err->code;
    n->m = gp_mem_alloc(n->model.table.parameters, real, err);
    n->v = gp_mem_alloc(n->model.table.parameters, real, err);
    n->lock = gp_mem_alloc(n->sum.buckets, sizeof *n->lock, err);
    if (n->lock == NULL)
        return err->code;
    for (; n->locks < n->sum.buckets; n->locks++)
        omp_init_lock(&n->lock[n->locks]);
    for (; n->lanes < o->threads && err->code == GP_OK; n->lanes++)
        lane_init(n, &n->lane[n->lanes], err);
    return err->code;
}

static int precision_of(const bench_options *o, gp_nn_precision *precision, gp_err *err) {
    *precision = strcmp(o->precision, "bfloat16") == 0 ? GP_NN_BFLOAT16 : GP_NN_FLOAT32;
    if (*precision == GP_NN_FLOAT32 && strcmp(o->precision, "float32") != 0)
        return gp_err_set(err, GP_EINPUT, "--precision %s: float32 or bfloat16 is expected",
                          o->precision);
    if (o->samples < o->batch)
        return gp_err_set(err, GP_EINPUT, "--batch %lld: there are only %lld samples",
                          (long long)o->batch, (long long)o->samples);
    return GP_OK;
}

int network_init(network *n, const bench_options *options, gp_err *err) {
    gp_nn_precision precision;
    n->options = options;
    if (precision_of(options, &precision, err) != GP_OK ||
        gp_nn_engine_open(&n->engine, precision, err) != GP_OK || room(n, err) != GP_OK)
        return err->code;
    describe(n);
    n->model.engine = n->engine;
    if (gp_nn_model_init(&n->model, err) != GP_OK || trainer_room(n, err) != GP_OK)
        return err->code;
    draw(n);
    network_restart(n);
    return GP_OK;
}

static void lane_free(network_lane *lane) {
    gp_nn_work_free(lane->work);
    free(lane->gradient);
    free(lane->target);
    free(lane->calls);
    free(lane->sample);
}

void network_free(network *n) {
    for (int64_t k = 0; k < n->lanes; k++)
        lane_free(&n->lane[k]);
    for (int64_t k = 0; k < n->locks; k++)
        omp_destroy_lock(&n->lock[k]);
    gp_nn_sum_free(&n->sum);
    gp_nn_model_free(&n->model);
    gp_nn_engine_close(n->engine);
    free(n->lane);
    free(n->lock);
    free(n->m);
    free(n->v);
    free(n->first);
    free(n->position);
    free(n->chromosome);
    free(n->mean);
    free(n->scale);
    free(n->calls);
    free(n->target);
}

void network_restart(network *n) {
    size_t size = (size_t)n->model.table.parameters * sizeof *n->m;
    gp_nn_start(&n->model.table, 1, n->model.parameter);
    memset(n->m, 0, size);
    memset(n->v, 0, size);
    n->step = 0;
}

/* ---- training ---- */

typedef struct pass {
    network *n;
    network_lane *lane;
} pass;

static void add_group(void *context, int64_t group, const gp_real *gradient) {
    const pass *p = context;
    network *n = p->n;
    double begin = network_seconds();
    for (int64_t b = n->sum.group_bucket[group]; b < n->sum.group_bucket[group + 1]; b++) {
        omp_set_lock(&n->lock[b]);
        gp_nn_sum_add(&n->sum, b, gradient);
        omp_unset_lock(&n->lock[b]);
    }
    p->lane->sums += network_seconds() - begin;
}

static void run_shard(const pass *p, int64_t shard) {
    network *n = p->n;
    network_lane *lane = p->lane;
    const bench_options *o = n->options;
    int64_t from = shard * o->shard, count = gp_least(o->shard, o->batch - from);
    double begin = network_seconds();
    for (int64_t k = 0; k < count; k++) {
        /* 7919: samples lie about in memory, as a shuffled epoch's do */
        int64_t i = (n->step * o->batch + from + k) * 7919 % o->samples;
        lane->calls[k] = n->calls + i * n->row;
        lane->target[k] = n->target[i];
        lane->sample[k] = i;
    }
    const gp_nn_batch batch = {.samples = count,
                               .calls = lane->calls,
                               .target = lane->target,
                               .sample = lane->sample,
                               .seed = 1,
                               .step = (uint32_t)n->step,
                               .dropout = (gp_real)o->dropout,
                               .linear = 1};
    gp_nn_forward(&n->model, lane->work, &batch, NULL);
    gp_nn_backward(&n->model, lane->work, &batch, add_group, (void *)(uintptr_t)p);
    lane->pass += network_seconds() - begin;
}

static void run_shards(network *n, int64_t threads) {
    int64_t shards = gp_units(n->options->batch, n->options->shard);
    gp_nn_sum_clear(&n->sum);
#pragma omp parallel num_threads((int)threads)
    {
        network_lane *lane = &n->lane[omp_get_thread_num()];
        const pass p = {n, lane};
        lane->pass = lane->sums = 0;
#pragma omp for schedule(dynamic)
        for (int64_t shard = 0; shard < shards; shard++)
            run_shard(&p, shard);
    }
    for (int64_t t = 0; t < threads; t++) {
        n->spent.pass += n->lane[t].pass;
        n->spent.sums += n->lane[t].sums;
    }
}

static void update(network *n, int64_t threads) {
    const gp_nn_adamw adamw = {.rate = 1e-4,
                               .beta1 = 0.9,
                               .beta2 = 0.999,
                               .epsilon = 1e-8,
                               .decay = 0.01,
                               .step = n->step + 1};
    double squares = 0, factor = 1 / (double)n->options->batch;
    for (int64_t b = 0; b < n->sum.buckets; b++)
        squares += gp_nn_sum_squares(&n->sum, b);
    double norm = sqrt(squares) * factor, scale = norm > 1 ? factor / norm : factor;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (int64_t b = 0; b < n->sum.buckets; b++) {
        double begin = network_seconds();
        int64_t first = n->sum.first[b], count = n->sum.first[b + 1] - first;
        gp_real *gradient = n->lane[omp_get_thread_num()].gradient;
        gp_nn_sum_get(&n->sum, b, scale, gradient);
        gp_nn_adamw_step(&adamw, &n->model.table, first, count, gradient, n->m + first,
                         n->v + first, n->model.parameter + first);
        gp_nn_sum_settle(&n->sum, b);
#pragma omp atomic
        n->spent.update += network_seconds() - begin;
    }
}

int network_step(network *n, int64_t threads, gp_err *err) {
    run_shards(n, threads);
    if (gp_nn_sum_misfits(&n->sum) > 0) {
        gp_nn_sum_refit(&n->sum);
        run_shards(n, threads);
    }
    if (gp_nn_sum_misfits(&n->sum) > 0)
        return gp_err_set(err, GP_EFAIL, "network: a gradient is not a number");
    update(n, threads);
    n->step++;
    return GP_OK;
}

/* ---- products ---- */

/* Multiplications of a sample's forward pass; the backward pass has twice as many, but for the
 * genotypes, which need no gradient. */
double network_operations(const network *n) {
    const gp_nn_shape *s = &n->model.shape;
    double t = (double)s->patches, c = (double)s->channels;
    double block = 12 * c * c * t + 2 * t * t * c;
    return 2 * (3 * (double)s->layers * block + 2 * (double)s->variants * c);
}

/* A product of [rows x inner] and [inner x columns], forward and in both backward ways. */
static void multiply(const network *n, gp_real *x, const int64_t size[3]) {
    int64_t rows = size[0], in = size[1], out = size[2];
    gp_real *w = x + rows * in, *y = w + in * out;
    gp_nn_multiply(n->engine, gp_nn_matrix(x, rows, in), gp_nn_turned(w, out, in), 1, 0,
                   gp_nn_matrix(y, rows, out));
    gp_nn_multiply(n->engine, gp_nn_matrix(y, rows, out), gp_nn_matrix(w, out, in), 1, 0,
                   gp_nn_matrix(x, rows, in));
    gp_nn_multiply(n->engine, gp_nn_turned(y, rows, out), gp_nn_matrix(x, rows, in), 1, 0,
                   gp_nn_matrix(w, out, in));
}

double network_products(network *n, gp_err *err) {
    const gp_nn_shape *s = &n->model.shape;
    int64_t c = s->channels, rows = n->options->shard * s->patches;
    const int64_t size[4][3] = {{rows, c, 3 * c}, {rows, c, c}, {rows, c, 4 * c}, {rows, 4 * c, c}};
    int64_t shards = gp_units(n->options->batch, n->options->shard);
    gp_real *x = gp_mem_alloc(rows * 5 * c + 4 * c * c, sizeof *x, err);
    if (x == NULL)
        return NAN;
    double begin = network_seconds();
    for (int64_t k = 0; k < shards * s->layers; k++)
        for (int p = 0; p < 4; p++)
            multiply(n, x, size[p]);
    double seconds = network_seconds() - begin;
    free(x);
    return seconds;
}
