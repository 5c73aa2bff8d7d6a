/** Where each chromosome's variants lie in a set of .bim files: what one pass over them tells.
 *
 *  Local. Memory grows with the number of chromosomes, never of variants. Starts zeroed.
 */
#ifndef GP_IO_BIM_MAP_H
#define GP_IO_BIM_MAP_H

#include "io/bfile.h"
#include "io/file.h"
#include "src/base/err.h"
#include "src/base/ids.h"
#include <stdint.h>

/** One chromosome's lines. Rows count the lines of a file from 0, as the .bed does. */
typedef struct gp_bim_span {
    int64_t lines;               /* all of them */
    int64_t skipped;             /* of these, with a negative position */
    int64_t file;                /* that holds them, or -1 where several do */
    int64_t offset, number, row; /* of the first line */
    int64_t last_row, last_position;
    int in_one_piece; /* nothing else stands between them */
    int sorted;       /* positions (not the negative ones) never decrease */
    int has_morgan;   /* some genetic position is not 0 */
} gp_bim_span;

typedef struct gp_bim_map {
    gp_ids name; /* chromosomes in the order they were met */
    gp_bim_span *span;
    int64_t capacity;
    int64_t skipped; /* variants with a negative position, in all */
    int64_t named;   /* variants whose id is not "." */
    int64_t text;    /* bytes of ids and alleles */
} gp_bim_map;

/** Reads a whole .bim, checking every line, and adds it to the map.
 *    file   in   its number
 *    *rows  out  its variants
 *    watch  in   (may be NULL) told of bytes read; GP_ESTOP where it asks to stop
 *  GP_EINPUT "FILE:LINE: …" for a bad line, "FILE: …" for none. */
int gp_bim_map_add(gp_bim_map *map, const char *path, int64_t file, int64_t *rows,
                   gp_io_watch watch, void *context, gp_err *err);

void gp_bim_map_free(gp_bim_map *map);

#endif
