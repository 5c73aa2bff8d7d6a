/** Trains one network over all ranks: epochs, steps, checkpoints, early stopping.
 *
 *  A step: every rank runs its slots' shards (jobs/slots.h) forward and backward, one shard a
 *  thread; the shards' gradients are added as integers (src/nn/gradient.h) in buckets that travel
 *  while the backward pass goes on (mpi/buckets.h); clipping by the norm over all that is trained;
 *  AdamW, by all ranks or (zero) by each bucket's owner. Where a gradient did not fit its exponent
 *  the step is done again. Losses and gradients are those of the step's mean over its samples. The
 *  same bytes on any number of ranks and threads, interrupted or not. Activations are those of one
 *  shard a thread: large batches are shards one after the other (gradient accumulation). All
 *  functions are collective unless said.
 */
#ifndef GP_JOBS_TRAINER_H
#define GP_JOBS_TRAINER_H

#include "jobs/command.h"
#include "jobs/resident.h"
#include "jobs/slots.h"
#include "src/nn/model.h"

/** What a sample in use is to a model. */
enum { GP_ROLE_NONE, GP_ROLE_TRAIN, GP_ROLE_VALIDATE };

/** How to train; the same for all models of a run. */
typedef struct gp_trainer_settings {
    int64_t epochs, batch;
    int64_t patience; /* epochs without a better validation loss, then the best is kept; 0: all
                         epochs, and the last is kept */
    int64_t warmup;   /* steps */
    double rate, decay, l1, clip, dropout;
    double chromosome_dropout; /* chance that a sample's chromosome is masked in a step */
    double mask;               /* share of patches masked; only where the model decodes */
    int64_t lora;              /* rank of adapters; 0: none */
    int zero; /* optimizer state is spread over ranks; not with lora, where there is little of it */
    uint64_t seed;
    double checkpoint_minutes; /* saved after the first epoch that ends so long after the last time;
                                  0: after every epoch. A signal saves at once in any case */
    int64_t checkpoint_steps;  /* and every so many steps; 0: by time alone */
} gp_trainer_settings;

/** One network to train; all borrowed. */
typedef struct gp_trainer_plan {
    gp_job *job;
    const gp_trainer_settings *settings;
    gp_nn_model *model; /* starts as it is; becomes what is kept */
    const gp_slots *slots;
    const gp_resident *calls; /* of this rank's slots */
    uint32_t number;          /* of the network in this run: names its random numbers */
    const char *name;         /* "fold 2", "all": for progress and notes */
    const char *label;        /* for the log's last column: "2", "all" */
    const uint8_t *role;      /* [slots->n] */
    const double *covariate;  /* [slots->n x c] standardised */
    const double *target;     /* [slots->n x p] in the network's units; NaN missing */
    const double *offset;   /* [slots->n x p] added to the network's outputs in training; NULL: 0 */
    const uint8_t *frozen;  /* [tensors] 1 = not trained; NULL: none */
    int linear;             /* the linear path is part of the outputs in training */
    const char *checkpoint; /* file of the training in hand: read where it is there, written now and
                               then; NULL: none */
    const char *digest;     /* what the checkpoint must have been made with, else it is refused */
} gp_trainer_plan;

typedef struct gp_trainer_result {
    int64_t steps, epochs; /* done */
    int64_t best_epoch;    /* the one that is kept; 0 = before any training */
    double best_loss;      /* its mean validation loss a sample; NaN without validation samples */
    int stopped_early;
    double seconds, waited; /* of training on this rank; of those, waiting for sums */
    int64_t samples;        /* trained with, over all epochs and ranks */
} gp_trainer_result;

/** Trains. log gets one line an epoch of training.tsv; what an interrupted run had logged comes
 *  from the checkpoint. GP_ESTOP after a signal (saved); GP_EFAIL for a loss, a gradient or a
 *  network that is not a number: names the step, and the checkpoint stays the last good one;
 *  GP_EINPUT for a checkpoint of other data, options or shapes, or no sample to train with. On an
 *  error the model's parameters are anything. Memory: gp_trainer_bytes; with zero, rank 0 needs 8
 *  bytes a parameter more while a checkpoint is written; while one is read, its size. */
int gp_trainer_run(const gp_trainer_plan *plan, gp_text *log, gp_trainer_result *result,
                   gp_err *err);

/** training.tsv's header line. */
extern const char gp_trainer_header[];

/** Outputs of the network for samples in use, whatever their role: in slots' order, shards of
 *  batch / slots samples, so they are the same on any number of ranks. Needs of the plan: job,
 *  settings, model, slots, calls, covariate, offset, linear.
 *    masked_chromosome  in   number of the shape's chromosome that is hidden; -1: none
 *    output             out  [slots->n x p] global; with plan->offset and the linear path as in
 *                            training */
int gp_trainer_outputs(const gp_trainer_plan *plan, int32_t masked_chromosome, double *output,
                       gp_err *err);

/** The same for the samples of one role (of plan->role; -1: all), which also makes their shards; 0
 *  for the others. */
int gp_trainer_outputs_of(const gp_trainer_plan *plan, int role, int32_t masked_chromosome,
                          double *output, gp_err *err);

/** Bytes that a rank with `threads` threads needs beside parameters' tables and calls. Local. */
int64_t gp_trainer_bytes(const gp_trainer_settings *settings, const gp_nn_model *model,
                         int64_t shard, int64_t threads, int64_t ranks);

#endif
