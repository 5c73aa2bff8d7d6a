/** Genotypes of chosen samples, gathered into blocks of chosen variants: what a rank of the grid
 *  multiplies. For jobs/kinship_make.c. Local. */
#ifndef GP_JOBS_KINSHIP_CALLS_H
#define GP_JOBS_KINSHIP_CALLS_H

#include "io/store.h"
#include "mpi/grid.h"
#include "src/geno/calls.h"
#include "src/geno/gram.h"

/** The samples of a class of the grid, as they lie in the store. */
typedef struct gp_kinship_class {
    int64_t begin, count;   /* chosen samples; 0 where this rank does not need the class */
    int64_t first, samples; /* of the store: a multiple of 64, and up to the last one chosen */
    int64_t offset;         /* bytes, in a row of the block */
    uint8_t *mask;          /* of the chosen ones; NULL where that is all of them */
} gp_kinship_class;

/** A block of variants, being filled. */
typedef struct gp_kinship_calls {
    gp_store *store;
    int classes;
    gp_kinship_class *class; /* [classes] */
    int64_t pitch;           /* bytes of a row: all classes needed, each in whole groups of 64 */
    int64_t unit;            /* variants read at once, GP_GRAM_STEP at most */
    struct gp_kinship_squeeze *squeeze;
    uint8_t *stage; /* [unit x largest class] as the store has them */
    uint8_t *row;   /* [GP_GRAM_STEP x pitch] the block */
    int64_t m;      /* variants in it */
    double mean[GP_GRAM_STEP], weight[GP_GRAM_STEP];
} gp_kinship_calls;

/** Makes room for the classes that this rank has as rows or columns.
 *    sample  in  [layout->n] store samples, ascending: those chosen
 *  Comes zeroed; freed in any case. */
int gp_kinship_calls_init(gp_kinship_calls *calls, gp_store *store, const gp_layout *layout,
                          const int64_t *sample, gp_err *err);
void gp_kinship_calls_free(gp_kinship_calls *calls);

/** Puts the variants of a run that count behind those in the block. calls->row alone is written:
 *  means, weights and m are the caller's.
 *    k, first, count  in  a run of chromosome k; count <= unit
 *    counts           in  [count] 0 where a variant does not count; there is room for the others
 */
int gp_kinship_calls_read(gp_kinship_calls *calls, int64_t k, int64_t first, int64_t count,
                          const int64_t *counts, gp_err *err);

/** The calls of a class in the block as a piece that begins at a sample, for a run of pieces. */
gp_piece gp_kinship_calls_piece(const gp_kinship_calls *calls, int class, int64_t first);

/** Bytes of all this on a rank with so many samples as rows and columns, at most. */
int64_t gp_kinship_calls_bytes(int64_t samples);

#endif
