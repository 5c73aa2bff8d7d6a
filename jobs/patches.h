/** Patches: runs of consecutive variants of one chromosome, the tokens of a network, and where they
 *  lie. Local.
 *
 *  A patch's position is the mean genetic position of its variants where the store has a map of
 *  every chromosome, else their mean base pair; scaled such that neighbours on a chromosome are 1
 *  apart on average, with GP_PATCH_GAP between chromosomes. Where a chromosome's patches all have
 *  one position, they are numbered instead. */
#ifndef GP_JOBS_PATCHES_H
#define GP_JOBS_PATCHES_H

#include "io/store.h"
#include "jobs/kinship_variants.h"

enum { GP_PATCH_GAP = 100 };

typedef struct gp_patches {
    int64_t variants;    /* m */
    int64_t count;       /* patches */
    int64_t *first;      /* [count + 1] first variant of each; first[count] = m */
    double *position;    /* [count] ascending */
    int32_t *chromosome; /* [count] from 0, among those that have variants */
    int32_t chromosomes;
    int64_t *place;   /* [chromosomes] their numbers in the store */
    const char *from; /* what positions are made of: "the genetic map", "base pairs", "numbers" */
} gp_patches;

/** Cuts patches of up to `size` of the variants that count. Comes zeroed; freed in any case. */
int gp_patches_init(gp_patches *patches, gp_store *store, const gp_kinship_variants *variants,
                    int64_t size, gp_err *err);
void gp_patches_free(gp_patches *patches);

/** Variants' places, for the next function. */
typedef struct gp_places {
    int64_t chromosomes;
    const int64_t *counting; /* [chromosomes] variants of each */
    const double *morgan;    /* [all] genetic positions, or NULL */
    const double *base;      /* [all] base pairs, never decreasing within a chromosome */
} gp_places;

/** The same from places in memory. */
int gp_patches_cut(gp_patches *patches, const gp_places *places, int64_t size, gp_err *err);

#endif
