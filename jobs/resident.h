/** The packed genotypes of a rank's own samples, loaded once, sample by sample: what training and
 *  prediction read. 2 bits a call; memory: samples x variants / 4 bytes of the rank's own samples.
 */
#ifndef GP_JOBS_RESIDENT_H
#define GP_JOBS_RESIDENT_H

#include "io/store.h"
#include "jobs/command.h"

typedef struct gp_resident {
    int64_t variants;       /* m: those listed */
    int64_t stride;         /* bytes of a row, a multiple of 64 */
    int64_t first, samples; /* of the store: consecutive */
    uint8_t *calls;         /* [samples x stride] call j of a sample: byte j / 4, bits 2 (j % 4) */
} gp_resident;

/** What to load; borrowed. */
typedef struct gp_resident_plan {
    gp_store *store;
    const int64_t *count; /* [chromosomes] variants to look at; 0 leaves a chromosome out */
    const int64_t *first; /* [chromosomes + 1] where a chromosome's variants begin in column */
    const int64_t
        *column; /* [first[chromosomes]] the model's number of a store's variant; -1 = not in it */
    const uint8_t *swap; /* [first[chromosomes]] 1 = its alleles are the other way round: 2 - call;
                            NULL: none */
    int64_t variants;   /* of the model; those that no variant of the store has are missing calls */
    int64_t begin, end; /* samples of the store; may be none */
} gp_resident_plan;

/** Loads, with progress on rank 0. Collective: errors and signals (GP_ESTOP) end all ranks. */
int gp_resident_load(gp_job *job, const gp_resident_plan *plan, gp_resident *resident, gp_err *err);
void gp_resident_free(gp_resident *resident);

static inline const uint8_t *gp_resident_row(const gp_resident *r, int64_t sample) {
    return r->calls + (sample - r->first) * r->stride;
}

#endif
