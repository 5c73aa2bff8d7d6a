/** How finished tables are shared out over the ranks to be read: by position, all tables alike,
 *  whatever lines each of them has.
 *
 *  The variants of a store are cut into text blocks of GP_TEXT_BLOCK variants of a chromosome, and
 *  these shared out over the ranks in order (mpi/plan.h). A block stands for the positions from its
 *  first variant's to the one before the next block's first: so lines of equal position are never
 *  parted, and where a block begins is a property of the store. A chromosome's first block begins
 *  at 0, its last one has no end.
 */
#ifndef GP_JOBS_TABLE_PART_H
#define GP_JOBS_TABLE_PART_H

#include "io/store.h"
#include "jobs/command.h"
#include <stdint.h>

/** The positions of a text block. */
typedef struct gp_table_region {
    int64_t chromosome;  /* its number in the store */
    int64_t variant;     /* number of its first variant in the chromosome */
    int64_t first, last; /* positions, both within; never empty */
} gp_table_region;

/** This rank's blocks in order: those of a chromosome follow each other without a gap. A block all
 *  of whose variants stand at the next one's first position is none. */
typedef struct gp_table_parts {
    gp_table_region *region;
    int64_t count;
    int64_t capacity;
} gp_table_parts;

/** Shares out a store that every rank has open. Collective. parts starts zeroed; free it in any
 *  case. Cost: 32 bytes for every 1024 variants of the rank, and a look into the store for each. */
int gp_table_parts_init(gp_job *job, gp_store *store, gp_table_parts *parts, gp_err *err);

void gp_table_parts_free(gp_table_parts *parts);

#endif
