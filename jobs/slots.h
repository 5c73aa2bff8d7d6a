/** Which samples a rank trains with, and in which order they come: the same for any number of
 *  ranks.
 *
 *  The cohort's samples in use, in the store's order, are cut into slots: consecutive parts of
 *  near-equal size, as many as a batch has gradient shards. A batch takes one shard from each slot.
 *  Ranks take whole consecutive slots, so a rank's samples lie side by side in the store. Within a
 *  slot, training samples are shuffled anew for every epoch (Philox; seed, model, epoch, slot), and
 *  each step of an epoch takes a part of its own: every sample comes once. Local, plain functions;
 *  nothing depends on ranks but first and last.
 */
#ifndef GP_JOBS_SLOTS_H
#define GP_JOBS_SLOTS_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_slots {
    int64_t n;       /* samples in use */
    int64_t *sample; /* [n] of the store, ascending */
    int64_t slots;
    int64_t *begin;      /* [slots + 1] slot s holds sample[begin[s]] to sample[begin[s + 1] - 1] */
    int64_t first, last; /* this rank's slots: first to last - 1; may be none */
} gp_slots;

/** slots is lowered to n where it is more. Comes zeroed; freed in any case.
 *    sample  in  [n] of the store, ascending; n >= 1, count >= 1 */
int gp_slots_init(gp_slots *slots, const int64_t *sample, int64_t n, int64_t count, int64_t ranks,
                  int64_t rank, gp_err *err);
void gp_slots_free(gp_slots *slots);

/** The training samples of a model, slot by slot, in an epoch's order. Samples are given by their
 *  number in use: slots->sample[number] is the store's. */
typedef struct gp_epoch {
    const gp_slots *slots;
    int64_t steps;   /* of an epoch; at least 1 */
    int64_t *begin;  /* [slots + 1] */
    int64_t *listed; /* [training samples] ascending */
    int64_t *order;  /* [training samples] slot s: order[begin[s]] to order[begin[s + 1] - 1] */
    int64_t largest; /* samples of the largest shard of any step and slot */
} gp_epoch;

/** Lists training samples, and decides on steps: of about `batch` samples each.
 *    role  in  [slots->n] by number in use: 1 = a training sample */
int gp_epoch_init(gp_epoch *epoch, const gp_slots *slots, const uint8_t *role, int64_t batch,
                  gp_err *err);
void gp_epoch_free(gp_epoch *epoch);

/** Shuffles for epoch number `number` (0 ...), from the store's order: no memory of earlier epochs.
 */
void gp_epoch_shuffle(gp_epoch *epoch, uint64_t seed, uint32_t model, uint32_t number);

/** The shard of a slot in a step: order[*from] to order[*to - 1]; may be empty. Shards of a slot
 *  differ by one sample at most. */
void gp_epoch_shard(const gp_epoch *epoch, int64_t step, int64_t slot, int64_t *from, int64_t *to);

/** Training samples of a step, over all slots. */
int64_t gp_epoch_samples(const gp_epoch *epoch, int64_t step);

#endif
