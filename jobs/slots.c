#include "jobs/slots.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

enum { PURPOSE_SHUFFLING = 72 };

int gp_slots_init(gp_slots *slots, const int64_t *sample, int64_t n, int64_t count, int64_t ranks,
                  int64_t rank, gp_err *err) {
    *slots = (gp_slots){.n = n, .slots = gp_least(count, n)};
    slots->sample = gp_mem_alloc(n, sizeof *slots->sample, err);
    slots->begin = gp_mem_alloc(slots->slots + 1, sizeof *slots->begin, err);
    if (err->code != GP_OK)
        return err->code;
    memcpy(slots->sample, sample, (size_t)n * sizeof *sample);
    for (int64_t s = 0; s <= slots->slots; s++)
        slots->begin[s] = gp_split_begin(n, 1, slots->slots, s);
    slots->first = gp_split_begin(slots->slots, 1, ranks, rank);
    slots->last = gp_split_begin(slots->slots, 1, ranks, rank + 1);
    return GP_OK;
}

void gp_slots_free(gp_slots *slots) {
    free(slots->sample);
    free(slots->begin);
    *slots = (gp_slots){0};
}

static int list(gp_epoch *epoch, const uint8_t *role, gp_err *err) {
    const gp_slots *slots = epoch->slots;
    int64_t training = 0;
    for (int64_t i = 0; i < slots->n; i++)
        training += role[i] == 1;
    epoch->begin = gp_mem_alloc(slots->slots + 1, sizeof *epoch->begin, err);
    epoch->listed = gp_mem_alloc(training, sizeof *epoch->listed, err);
    epoch->order = gp_mem_alloc(training, sizeof *epoch->order, err);
    if (err->code != GP_OK)
        return err->code;
    training = 0;
    for (int64_t s = 0; s < slots->slots; s++) {
        for (int64_t i = slots->begin[s]; i < slots->begin[s + 1]; i++)
            if (role[i] == 1)
                epoch->listed[training++] = i;
        epoch->begin[s + 1] = training;
    }
    memcpy(epoch->order, epoch->listed, (size_t)training * sizeof *epoch->order);
    return GP_OK;
}

int gp_epoch_init(gp_epoch *epoch, const gp_slots *slots, const uint8_t *role, int64_t batch,
                  gp_err *err) {
    *epoch = (gp_epoch){.slots = slots};
    if (list(epoch, role, err) != GP_OK)
        return err->code;
    epoch->steps = gp_most(1, gp_units(epoch->begin[slots->slots], batch));
    for (int64_t s = 0; s < slots->slots; s++)
        epoch->largest =
            gp_most(epoch->largest, gp_units(epoch->begin[s + 1] - epoch->begin[s], epoch->steps));
    return GP_OK;
}

void gp_epoch_free(gp_epoch *epoch) {
    free(epoch->begin);
    free(epoch->listed);
    free(epoch->order);
    *epoch = (gp_epoch){0};
}

/* Source: Durstenfeld 1964, Communications of the ACM 7:420 (algorithm 235). */
static void shuffle(int64_t *x, int64_t count, gp_rng rng) {
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = gp_rng_below(&rng, i + 1), held = x[i];
        x[i] = x[j];
        x[j] = held;
    }
}

void gp_epoch_shuffle(gp_epoch *epoch, uint64_t seed, uint32_t model, uint32_t number) {
    const int64_t *begin = epoch->begin;
    int64_t slots = epoch->slots->slots;
    memcpy(epoch->order, epoch->listed, (size_t)begin[slots] * sizeof *epoch->order);
    for (int64_t s = 0; s < slots; s++)
        shuffle(epoch->order + begin[s], begin[s + 1] - begin[s],
                gp_rng_stream(seed, PURPOSE_SHUFFLING, model, number, (uint32_t)s));
}

void gp_epoch_shard(const gp_epoch *epoch, int64_t step, int64_t slot, int64_t *from, int64_t *to) {
    int64_t begin = epoch->begin[slot], count = epoch->begin[slot + 1] - begin;
    /* Slots begin at parts of their own, else the parts that are one sample larger would meet. */
    int64_t part = (step + slot) % epoch->steps;
    *from = begin + gp_split_begin(count, 1, epoch->steps, part);
    *to = begin + gp_split_begin(count, 1, epoch->steps, part + 1);
}

int64_t gp_epoch_samples(const gp_epoch *epoch, int64_t step) {
    int64_t sum = 0, from, to;
    for (int64_t s = 0; s < epoch->slots->slots; s++) {
        gp_epoch_shard(epoch, step, s, &from, &to);
        sum += to - from;
    }
    return sum;
}
