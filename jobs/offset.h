/** Log odds that stand beside a logistic model's own: predictions of each binary trait, made
 * without the chromosome that is tested, as `gp-dist predict --loco --log-odds` writes them. */
#ifndef GP_JOBS_OFFSET_H
#define GP_JOBS_OFFSET_H

#include "jobs/cohort.h"
#include "jobs/command.h"
#include "jobs/selection.h"

/** One trait's; of traits that need none count is 0. */
typedef struct gp_offset {
    int64_t count;  /* columns */
    double **value; /* [count] each [store samples]; NaN = none */
    int64_t *of;    /* [chromosomes] the column of each; -1 where nothing is tested */
} gp_offset;

typedef struct gp_offsets {
    gp_offset *trait; /* [traits] as the cohort numbers them; NULL: there are no offsets */
    int64_t traits, samples;
} gp_offsets;

/** The columns of a trait; NULL where it has none. Local. */
static inline const gp_offset *gp_offset_of(const gp_offsets *offsets, int64_t trait) {
    const gp_offset *offset = offsets->trait != NULL ? &offsets->trait[trait] : NULL;
    return offset != NULL && offset->count > 0 ? offset : NULL;
}

/** What offsets are read for. Borrowed. */
typedef struct gp_offsets_input {
    const char *path, *missing_code; /* as of the other tables; NULL: none */
    const gp_store *store;
    const gp_selection *selection; /* chromosomes that are tested */
    const uint8_t *wanted;         /* [cohort traits] 1 = needs offsets */
} gp_offsets_input;

/** Reads a table: for each wanted trait and tested chromosome the column TRAIT@CHROMOSOME
 *  (CHROMOSOME as --chr takes it), or else TRAIT. Samples that lack one lose the
 *  trait's value, and a note tells how many. Collective. GP_EINPUT where the table is
 *  wrong, or lacks a column, or has no sample of the store. offsets comes zeroed; freed in
 *  any case. */
int gp_offsets_load(gp_job *job, const gp_offsets_input *input, gp_cohort *cohort,
                    gp_offsets *offsets, gp_err *err);

/** Bytes that they hold. */
int64_t gp_offsets_bytes(const gp_offsets *offsets);

void gp_offsets_free(gp_offsets *offsets);

#endif
