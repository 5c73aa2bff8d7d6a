/** A simulated cohort held in memory whole, for the tests of src/sim. */
#ifndef GP_TESTS_SRC_SIM_COHORT_H
#define GP_TESTS_SRC_SIM_COHORT_H

#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/sim/cause.h"
#include "src/sim/genome.h"
#include "src/sim/mosaic.h"

#include <stdlib.h>
#include <string.h>

typedef struct sim_want {
    int64_t samples, variants, chromosomes, populations;
    double relatives, missing_rate;
    uint64_t seed;
    int64_t words;         /* length of runs; 0 = as mosaic chooses */
    gp_causes_plan causes; /* traits 0 = none */
} sim_want;

typedef struct sim_cohort {
    gp_genome genome;
    gp_people people;
    gp_causes causes;
    int64_t variants, stride;
    int64_t *position, *chromosome; /* [variants] */
    uint8_t *rows;                  /* [variants x stride] */
} sim_cohort;

static inline void sim_free(sim_cohort *c) {
    gp_people_free(&c->people);
    gp_causes_free(&c->causes);
    free(c->position);
    free(c->chromosome);
    free(c->rows);
    *c = (sim_cohort){0};
}

static inline void sim_fill(sim_cohort *c, gp_mosaic *mosaic, const sim_want *want) {
    int64_t done = 0, longest = gp_mosaic_run(mosaic);
    for (int64_t k = 0; k < c->genome.chromosomes; k++) {
        gp_places places = gp_places_begin(&c->genome, k, want->seed);
        gp_mosaic_begin(mosaic, k);
        for (int64_t first = 0; first < c->genome.count[k]; first += longest) {
            int64_t left = c->genome.count[k] - first, count = left < longest ? left : longest;
            int64_t *position = c->position + done;
            uint8_t *rows = c->rows + done * c->stride;
            gp_places_next(&places, position, count);
            gp_mosaic_next(mosaic, position, count, rows);
            if (want->causes.traits > 0)
                gp_causes_take(&c->causes, done, count, k, position, rows);
            gp_mosaic_lose(mosaic, want->missing_rate, first, count, rows);
            for (int64_t v = 0; v < count; v++)
                c->chromosome[done++] = k;
        }
    }
}

/* Free it in any case. */
static inline int sim_make(sim_cohort *c, const sim_want *want, gp_err *err) {
    gp_mosaic mosaic = {0};
    gp_people_plan people = {want->samples, want->populations, want->relatives, want->seed};
    *c = (sim_cohort){.variants = want->variants, .stride = gp_geno_stride(want->samples)};
    if (gp_genome_init(&c->genome, want->chromosomes, want->variants, err) != GP_OK ||
        gp_people_init(&c->people, &people, err) != GP_OK ||
        gp_mosaic_init(&mosaic, &c->people, want->seed, err) != GP_OK)
        return err->code;
    if (want->words > 0)
        mosaic.words = want->words;
    c->position = gp_mem_alloc(c->variants, sizeof *c->position, err);
    c->chromosome = gp_mem_alloc(c->variants, sizeof *c->chromosome, err);
    c->rows = gp_mem_alloc(c->variants, c->stride, err);
    if (err->code == GP_OK && want->causes.traits > 0)
        gp_causes_init(&c->causes, &want->causes, err);
    if (err->code == GP_OK)
        sim_fill(c, &mosaic, want);
    gp_mosaic_free(&mosaic);
    return err->code;
}

static inline int sim_call(const sim_cohort *c, int64_t variant, int64_t sample) {
    return gp_geno_get(c->rows + variant * c->stride, sample);
}

/* A sample of one population only: its number; else -1. */
static inline int64_t sim_home(const gp_people *p, int64_t i) {
    for (int64_t k = 0; k < p->populations; k++)
        if (p->ancestry[i * p->populations + k] == 1)
            return k;
    return -1;
}

#endif
