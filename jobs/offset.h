/** What stands beside a model's own part: predictions of each trait, made without the chromosome
 *  that is tested, as `gp-dist train --offsets` and `gp-dist predict --loco` write them. */
#ifndef GP_JOBS_OFFSET_H
#define GP_JOBS_OFFSET_H

#include "jobs/cohort.h"
#include "jobs/command.h"
#include "jobs/selection.h"

/** One trait's; of traits that have none count is 0. */
typedef struct gp_offset {
    int64_t count;  /* columns */
    double **value; /* [count] each [store samples], no NaN where the trait has a value; NULL where
                       this rank tests no variants with it, or needs it no more */
    double **part;  /* [count] of log odds: those of this rank's run of samples alone, for null
                       models (jobs/null_models.h); NULL where they are not needed any more */
    int64_t *of;    /* [chromosomes] the column of each; -1 where nothing is tested */
} gp_offset;

typedef struct gp_offsets {
    gp_offset *trait; /* [traits] as the cohort numbers them; NULL: there are no offsets */
    int64_t traits, samples;
    int64_t part; /* samples of a part */
    int64_t peak; /* bytes while a table was being read: the most */
} gp_offsets;

/** The columns of a trait; NULL where it has none. Local. */
static inline gp_offset *gp_offset_of(const gp_offsets *offsets, int64_t trait) {
    gp_offset *offset = offsets->trait != NULL ? &offsets->trait[trait] : NULL;
    return offset != NULL && offset->count > 0 ? offset : NULL;
}

/** What a trait's offsets are. */
typedef enum gp_offset_kind {
    GP_OFFSET_NONE,
    GP_OFFSET_UNITS,   /* the trait's own */
    GP_OFFSET_LOG_ODDS /* null models are fitted with each column, by all ranks together */
} gp_offset_kind;

/** What offsets are read for. Borrowed. */
typedef struct gp_offsets_input {
    const char *paths;        /* of tables, with commas between */
    const char *missing_code; /* as of the other tables; NULL: none */
    const gp_store *store;
    const gp_selection *selection; /* chromosomes that are tested */
    const gp_offset_kind *kind;    /* [cohort traits] */
    const uint8_t *visited;        /* [chromosomes] 1 = this rank tests variants of it */
} gp_offsets_input;

/** Reads tables one after the other: for each trait and tested chromosome the best column of all
 *  of them, which is TRAIT@CHROMOSOME (then with another name of the chromosome that --chr would
 *  take), or else TRAIT. Samples that lack one lose the trait's value, and a note tells how many.
 *  Collective. GP_EINPUT where a table is wrong, or has no sample of the store, where a column is
 *  lacking, or where two tables have one that fits equally well. offsets comes zeroed; freed in
 *  any case. */
int gp_offsets_load(gp_job *job, const gp_offsets_input *input, gp_cohort *cohort,
                    gp_offsets *offsets, gp_err *err);

/** Frees the parts, which nobody needs once there are null models. Local. */
void gp_offsets_free_parts(gp_offsets *offsets);

/** Bytes that they hold. */
int64_t gp_offsets_bytes(const gp_offsets *offsets);

void gp_offsets_free(gp_offsets *offsets);

#endif
