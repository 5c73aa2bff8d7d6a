/** Variants of unsorted or scattered chromosomes, in the order in which they are to be written.
 *
 *  Local. 32 bytes a variant, twice that while it is sorted. Starts zeroed.
 */
#ifndef GP_IO_BIM_INDEX_H
#define GP_IO_BIM_INDEX_H

#include "io/bim_map.h"
#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_bim_entry {
    int64_t position;
    int64_t offset; /* of its line */
    int64_t row;    /* of the .bed */
    int32_t file;
    int32_t rank; /* of its chromosome */
} gp_bim_entry;

typedef struct gp_bim_index {
    gp_bim_entry *entry; /* owned */
    int64_t count;
    int64_t room;
} gp_bim_index;

/** Makes room for all entries there will be. */
int gp_bim_index_init(gp_bim_index *index, int64_t room, gp_err *err);

/** Adds the variants of a .bim that are wanted.
 *    map   in  made from the same files
 *    rank  in  [map->name.count] place of each chromosome in the output; -1 = not wanted
 *  Variants with a negative position are left out. GP_EFAIL where the file is not what the map saw,
 * GP_ESTOP where watch (told of bytes) asks to stop. */
int gp_bim_index_add(gp_bim_index *index, const gp_bim_map *map, const int32_t *rank,
                     const char *path, int64_t file, gp_io_watch watch, void *context, gp_err *err);

/** Sorts by rank and position; equal ones stay in the order of files and reader. */
void gp_bim_index_sort(gp_bim_index *index);

void gp_bim_index_free(gp_bim_index *index);

/** The error for a .bim that no longer reads as it did in the first pass. */
int gp_bim_changed(const char *path, gp_err *err);

#endif
