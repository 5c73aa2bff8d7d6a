/** Writes the variants of PLINK sets into a store, in order, without holding them. Local. */
#ifndef GP_IO_BFILE_COPY_H
#define GP_IO_BFILE_COPY_H

#include "io/bfile_list.h"
#include "io/karyotype.h"
#include "io/store.h"

enum { GP_COPY_ENTRIES = 1 << 20 /* 32 MiB of index at once, 64 while it is sorted */ };

typedef struct gp_bfile_copy {
    const gp_bfile_list *list;
    const gp_karyotype *karyotype;
    gp_store_writer *writer;
    int64_t entries;   /* index size at once (a single chromosome may have more) */
    gp_io_watch watch; /* (may be NULL) told of variants written */
    void *context;
} gp_bfile_copy;

/** Writes every chromosome. One that lies in order is streamed; others are indexed, several in one
 * pass over the .bim files, sorted, and fetched row by row. GP_EFAIL where a file has changed since
 * it was mapped; GP_ESTOP where watch asks to stop. The writer stays the caller's. */
int gp_bfile_copy_run(const gp_bfile_copy *copy, gp_err *err);

#endif
