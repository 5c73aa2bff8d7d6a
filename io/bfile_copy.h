/** Writes the variants of PLINK sets into a store, in order, without holding them. Local. */
#ifndef GP_IO_BFILE_COPY_H
#define GP_IO_BFILE_COPY_H

#include "io/batch.h"
#include "io/bfile_walk.h"
#include "io/store.h"

enum { GP_COPY_ENTRIES = GP_WALK_ENTRIES };

/** Starts with what is asked for, the rest zeroed. */
typedef struct gp_bfile_copy {
    const gp_bfile_list *list;
    const gp_karyotype *karyotype;
    gp_store_writer *writer;
    int64_t entries;      /* index size at once (a single chromosome may have more) */
    const int64_t *order; /* (may be NULL) [n] which sample of the sets becomes sample i */
    gp_io_watch watch;    /* (may be NULL) told of variants written */
    void *context;
    gp_batch batch; /* inside */
    gp_bfile_walk walk;
} gp_bfile_copy;

/** Writes every chromosome. One that lies in order is streamed; others are indexed, several in one
 * pass over the .bim files, sorted, and fetched row by row. GP_EFAIL where a file has changed since
 * it was mapped; GP_ESTOP where watch asks to stop. The writer stays the caller's. */
int gp_bfile_copy_run(gp_bfile_copy *copy, gp_err *err);

/** The same in pieces: a beginning, one chromosome after the other, an end in any case.
 *    place  in  number in the karyotype
 *    name   in  what the store is to call it */
int gp_bfile_copy_begin(gp_bfile_copy *copy, gp_err *err);
int gp_bfile_copy_chromosome(gp_bfile_copy *copy, int64_t place, char *name, gp_err *err);
void gp_bfile_copy_end(gp_bfile_copy *copy);

#endif
