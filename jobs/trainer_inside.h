/** What the files of the trainer share: a training under way, and what each of its threads needs.
 *  For jobs/trainer*.c only. All functions are collective unless said. */
#ifndef GP_JOBS_TRAINER_INSIDE_H
#define GP_JOBS_TRAINER_INSIDE_H

#include "jobs/trainer.h"
#include "mpi/buckets.h"
#include "src/nn/adamw.h"
#include "src/nn/gradient.h"
#include "src/nn/lora.h"

/** What a thread needs. */
typedef struct gp_lane {
    gp_nn_work *work;
    const uint8_t **calls; /* [shard] */
    int64_t *sample;       /* [shard] */
    gp_real *covariate;    /* [shard x c] */
    gp_real *offset;       /* [shard x p] */
    gp_real *target;       /* [shard x p] */
    gp_real *output;       /* [shard x p] */
    uint8_t *masked;       /* [shard x patches] */
    gp_real *gradient;     /* [GP_NN_BUCKET at most] of a bucket */
} gp_lane;

/** Samples that go through the network in shards of one composition on any number of ranks: slot
 *  by slot, in the store's order. */
typedef struct gp_trainer_list {
    int64_t *number;     /* [shards' samples] in use, ascending */
    int64_t shards;      /* of all ranks */
    int64_t *from;       /* [shards + 1] shard k: number[from[k]] to number[from[k + 1] - 1] */
    int64_t first, last; /* this rank's shards */
} gp_trainer_list;

/** Where a training stands: the same on all ranks, and what a checkpoint holds beside arrays. All
 *  are int64_t or double, for the checkpoint's sake. */
typedef struct gp_trainer_count {
    int64_t epoch; /* finished */
    int64_t at;    /* steps of the epoch in hand */
    int64_t steps; /* in all */
    int64_t samples;
    int64_t best_epoch, since_best; /* epochs */
    int64_t stopped_early;
    int64_t began; /* the network was validated before its first step */
} gp_trainer_count;

typedef struct gp_trainer_number {
    double loss;      /* sum over the samples of the epoch in hand */
    double best_loss; /* mean, of validation */
    double norm;      /* of the last step's gradient */
} gp_trainer_number;

enum {
    GP_TRAINER_COUNTS = (int)(sizeof(gp_trainer_count) / sizeof(int64_t)),
    GP_TRAINER_NUMBERS = (int)(sizeof(gp_trainer_number) / sizeof(double))
};

/** Adapters and their optimizer state: the same on all ranks. */
typedef struct gp_trainer_adapters {
    gp_nn_lora lora;
    gp_real *whole;    /* [parameters] gradient of the network */
    gp_real *gradient; /* [lora.table.parameters], as m and v */
    gp_real *m, *v;
} gp_trainer_adapters;

typedef struct gp_trainer {
    const gp_trainer_plan *plan;
    gp_par *par;
    uint64_t seed;  /* of this network's masks, dropout and adapters */
    int64_t shard;  /* samples of the largest shard */
    int64_t listed; /* samples of a shard of a list */
    int threads;
    int runners;   /* threads that have shards to run */
    gp_lane *lane; /* [threads] a network's memory only for those that run */
    gp_trainer_list validation;
    /* Of training alone. */
    gp_epoch epoch;
    gp_nn_sum sum;
    int64_t *place; /* [buckets + 1] where a bucket begins in sum.value */
    gp_par_buckets *buckets;
    int zero;           /* sums, m and v are their owners' */
    int64_t *own;       /* [buckets] where a bucket begins in m and v; this rank's only */
    gp_real *m, *v;     /* [own buckets' parameters] */
    uint8_t *held;      /* [tensors] 1 = not trained */
    gp_real *best;      /* [parameters], where there are validation samples */
    int *next_exponent; /* [buckets] */
    int64_t *shared;    /* [slots + 2, and 2 x buckets] what travels beside buckets */
    struct gp_trainer_locks *locks;
    int adapts;
    gp_trainer_adapters adapters;
    gp_trainer_count count;
    gp_trainer_number number;
    gp_text *log;
    int64_t log_begin; /* bytes of the log that are not this network's */
    double saved;      /* when: gp_clock */
    gp_progress progress;
} gp_trainer;

/* ---- jobs/trainer_lanes.c ---- */

/** What a shard is run for. */
typedef enum gp_shard_use { GP_SHARD_TRAIN, GP_SHARD_VALIDATE, GP_SHARD_PREDICT } gp_shard_use;

typedef struct gp_shard {
    const int64_t *number; /* [samples] in use */
    int64_t samples;
    gp_shard_use use;
    uint32_t step;             /* of training, from 1 */
    int32_t masked_chromosome; /* -1: none; of prediction */
} gp_shard;

/** Makes a lane for each thread that this rank can use; backward 1: for training too. Local. */
int gp_lanes_init(gp_trainer *t, int backward, gp_err *err);
void gp_lanes_free(gp_trainer *t);

/** Fills a lane's arrays. Local, thread-safe for different lanes. */
gp_nn_batch gp_lane_batch(const gp_trainer *t, gp_lane *lane, const gp_shard *shard);

/* ---- jobs/trainer_outputs.c ---- */

/** Lists the samples of a role; -1: all. Local. */
int gp_trainer_list_init(const gp_trainer *t, int role, gp_trainer_list *list, gp_err *err);
void gp_trainer_list_free(gp_trainer_list *list);

/** The mean loss over the validation samples. */
int gp_trainer_validate(gp_trainer *t, double *loss, gp_err *err);

/* ---- jobs/trainer_step.c ---- */

/** Makes what steps need. Local. */
int gp_trainer_step_init(gp_trainer *t, gp_err *err);
void gp_trainer_step_free(gp_trainer *t);

/** Takes the next step: parameters, moments, exponents, counts move on.
 *    stop  out  whether a signal was caught on any rank
 *  GP_EFAIL where the loss or a gradient is not a number: parameters are then as before. */
int gp_trainer_step(gp_trainer *t, int *stop, gp_err *err);

/** GP_EFAIL where a parameter is not a number. Local; the same on all ranks. */
int gp_trainer_check(const gp_trainer *t, gp_err *err);

/** GP_EFAIL: that something is not a number, and at which step. Local. */
int gp_trainer_not_a_number(const gp_trainer *t, const char *what, int64_t step, gp_err *err);

/** The rate of a step, from 1. Local. */
double gp_trainer_rate(const gp_trainer *t, int64_t step);

/* ---- jobs/trainer_update.c ---- */

/** Moves the parameters by the sums of all shards' gradients: clipped, AdamW; exponents for the
 *  next step. */
int gp_trainer_update(gp_trainer *t, gp_err *err);

/* ---- jobs/trainer_checkpoint.c ---- */

/** Takes a training up where its checkpoint left it, where there is one.
 *    found  out  whether there was */
int gp_trainer_resume(gp_trainer *t, int *found, gp_err *err);

/** Writes the checkpoint, whole or not at all. */
int gp_trainer_save(gp_trainer *t, gp_err *err);

#endif
