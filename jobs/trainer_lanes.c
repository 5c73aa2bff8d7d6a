#include "jobs/trainer_inside.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/base/split.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Chromosomes and patches have numbers of their own in the streams of one sample and step. */
enum { PURPOSE_MASKING = 74, CHROMOSOMES = 0, PATCHES = 1 << 22, ONE_PATCH = (1 << 24) - 1 };

static int lane_init(const gp_trainer *t, int backward, gp_lane *lane, gp_err *err) {
    const gp_nn_shape *shape = &t->plan->model->shape;
    int64_t shard = t->shard, real = (int64_t)sizeof(gp_real);
    lane->work = gp_nn_work_new(t->plan->model, shard, backward, err);
    lane->calls = gp_mem_alloc(shard, sizeof *lane->calls, err);
    lane->sample = gp_mem_alloc(shard, sizeof *lane->sample, err);
    lane->covariate = gp_mem_alloc(shard * shape->covariates, real, err);
    lane->offset = gp_mem_alloc(shard * shape->traits, real, err);
    lane->target = gp_mem_alloc(shard * shape->traits, real, err);
    lane->output = gp_mem_alloc(shard * shape->traits, real, err);
    lane->masked = gp_mem_alloc(shard * shape->patches, 1, err);
    return err->code;
}

int gp_lanes_init(gp_trainer *t, int backward, gp_err *err) {
    const gp_slots *slots = t->plan->slots;
    int64_t bucket = gp_least(GP_NN_BUCKET, t->plan->model->table.parameters);
    int64_t threads = gp_most(1, omp_get_max_threads());
    int64_t shards = backward ? slots->last - slots->first
                              : slots->begin[slots->last] - slots->begin[slots->first];
    t->lane = gp_mem_alloc(threads, sizeof *t->lane, err);
    if (t->lane == NULL)
        return err->code;
    t->threads = (int)threads;
    t->runners = (int)gp_most(1, gp_least(threads, shards));
    for (int k = 0; k < t->threads && err->code == GP_OK; k++) {
        if (k < t->runners)
            lane_init(t, backward, &t->lane[k], err);
        if (backward)
            t->lane[k].gradient = gp_mem_alloc(bucket, sizeof *t->lane[k].gradient, err);
    }
    return err->code;
}

void gp_lanes_free(gp_trainer *t) {
    for (int k = 0; k < t->threads; k++) {
        gp_lane *lane = &t->lane[k];
        gp_nn_work_free(lane->work);
        free(lane->calls);
        free(lane->sample);
        free(lane->covariate);
        free(lane->offset);
        free(lane->target);
        free(lane->output);
        free(lane->masked);
        free(lane->gradient);
    }
    free(t->lane);
    t->lane = NULL;
    t->threads = 0;
}

/* ---- masks ---- */

static int chance(const gp_trainer *t, int64_t sample, uint32_t step, uint32_t unit, double p) {
    gp_rng rng = gp_rng_stream(t->seed, PURPOSE_MASKING, (uint32_t)sample, step, unit);
    return gp_rng_uniform(&rng) < p;
}

/* Chromosomes of one sample. Returns whether there is a mask. */
static int mask_chromosomes(const gp_trainer *t, const gp_shard *shard, int64_t sample,
                            uint8_t *masked) {
    const gp_nn_shape *shape = &t->plan->model->shape;
    double p = shard->use == GP_SHARD_TRAIN ? t->plan->settings->chromosome_dropout : 0;
    int32_t last = -1;
    int hit = 0, any = 0;
    for (int64_t k = 0; k < shape->patches; k++) {
        int32_t chromosome = shape->chromosome[k];
        if (chromosome != last) {
            hit = chromosome == shard->masked_chromosome;
            if (p > 0)
                hit |= chance(t, sample, shard->step, CHROMOSOMES + (uint32_t)chromosome, p);
        }
        last = chromosome;
        masked[k] = (uint8_t)hit;
        any |= hit;
    }
    return any;
}

/* Patches of one sample, at least one of them. */
static void mask_patches(const gp_trainer *t, const gp_shard *shard, int64_t sample,
                         uint8_t *masked) {
    double p = t->plan->settings->mask;
    int64_t patches = t->plan->model->shape.patches, some = 0;
    for (int64_t k = 0; k < patches; k++) {
        masked[k] |= (uint8_t)chance(t, sample, shard->step, PATCHES + (uint32_t)k, p);
        some += masked[k];
    }
    if (some > 0 || patches == 0)
        return;
    gp_rng rng = gp_rng_stream(t->seed, PURPOSE_MASKING, (uint32_t)sample, shard->step, ONE_PATCH);
    masked[gp_rng_below(&rng, patches)] = 1;
}

/* Masks of all samples; NULL where nothing is masked. */
static const uint8_t *mask(const gp_trainer *t, gp_lane *lane, const gp_shard *shard) {
    const gp_nn_shape *shape = &t->plan->model->shape;
    int patches = shape->decodes && shard->use != GP_SHARD_PREDICT, any = patches;
    for (int64_t i = 0; i < shard->samples; i++) {
        uint8_t *row = lane->masked + i * shape->patches;
        any |= mask_chromosomes(t, shard, lane->sample[i], row);
        if (patches)
            mask_patches(t, shard, lane->sample[i], row);
    }
    return any ? lane->masked : NULL;
}

/* ---- batches ---- */

static void take(gp_real *to, const double *from, const gp_shard *shard, int64_t columns) {
    for (int64_t i = 0; i < shard->samples; i++)
        for (int64_t k = 0; k < columns; k++)
            to[i * columns + k] = (gp_real)from[shard->number[i] * columns + k];
}

gp_nn_batch gp_lane_batch(const gp_trainer *t, gp_lane *lane, const gp_shard *shard) {
    const gp_trainer_plan *plan = t->plan;
    const gp_nn_shape *shape = &plan->model->shape;
    int trains = shard->use == GP_SHARD_TRAIN;
    for (int64_t i = 0; i < shard->samples; i++) {
        lane->sample[i] = plan->slots->sample[shard->number[i]];
        lane->calls[i] = gp_resident_row(plan->calls, lane->sample[i]);
    }
    gp_nn_batch batch = {.samples = shard->samples,
                         .calls = lane->calls,
                         .covariate = lane->covariate,
                         .sample = lane->sample,
                         .seed = t->seed,
                         .step = shard->step,
                         .dropout = trains ? (gp_real)plan->settings->dropout : 0,
                         .linear = plan->linear};
    if (shape->covariates > 0)
        take(lane->covariate, plan->covariate, shard, shape->covariates);
    if (plan->offset != NULL && shape->traits > 0) {
        take(lane->offset, plan->offset, shard, shape->traits);
        batch.offset = lane->offset;
    }
    if (shard->use != GP_SHARD_PREDICT && plan->target != NULL && shape->traits > 0) {
        take(lane->target, plan->target, shard, shape->traits);
        batch.target = lane->target;
    }
    batch.masked = mask(t, lane, shard);
    return batch;
}
