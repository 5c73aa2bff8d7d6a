/** One process's part of a BGZF table, and putting the parts together.
 *
 *  Text is cut into BGZF blocks only where a text block ends (GP_TEXT_BLOCK variants of one
 * chromosome, counted in the store, whether tested or filtered out) and every GP_PART_PIECE bytes
 * within one, so the compressed bytes do not depend on who wrote them. A part is one process's run
 * of whole text blocks. The table's first part is written into the table's own file; the others
 * have files of their own until they are copied behind it. Local.
 *  Source: BGZF in "Sequence Alignment/Map Format Specification", 4.1.
 */
#ifndef GP_IO_PART_H
#define GP_IO_PART_H

#include "io/crc32.h"
#include "io/deflate.h"
#include "io/runs.h"
#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

enum {
    GP_TEXT_BLOCK = 1024,             /* variants */
    GP_PART_PIECE = GP_DEFLATE_PIECE, /* bytes of text in a BGZF block, as bgzip cuts it */
    GP_PART_END = 28                  /* bytes of the end-of-file marker */
};

typedef struct gp_part {
    char *path;   /* NULL: no part */
    int file;     /* descriptor */
    int64_t size; /* compressed bytes so far */
    gp_runs runs; /* for the index; also counts the lines */
} gp_part;

/** What one thread compresses with; 0.2 MiB. */
typedef struct gp_pack {
    gp_crc32 crc;
    gp_deflate deflate;
    int64_t size; /* of the block */
    unsigned char block[GP_PART_PIECE + 64];
    gp_text blocks; /* finished ones, on the way to the file: the first pack's only */
} gp_pack;

/** Memory for `count` threads; NULL with GP_EFAIL where it is refused. */
gp_pack *gp_packs_new(int64_t count, gp_err *err);

/** Accepts NULL. */
void gp_packs_free(gp_pack *pack, int64_t count);

/** Creates (or empties) a part's file.
 *    whole  in  1 for a file with the usual permissions, which others may copy to; 0 for one
 * private to the user GP_EINPUT where it cannot be made. */
int gp_part_open(gp_part *part, const char *path, int whole, gp_err *err);

/** Compresses a header and appends it. text is emptied. Errors as below. */
int gp_part_add_header(gp_part *part, gp_text *text, gp_pack *pack, gp_err *err);

/** Compresses a whole text block, takes note of its lines for the index, and appends it; empty text
 *  adds nothing. text is emptied.
 *    text   inout  whole lines that begin with chromosome, tab, position, tab
 *    packs  in     [threads]; so many threads work (1: the caller's alone)
 *  GP_EFAIL where the disk is full or fails, the lines are not sorted, or memory is refused. */
int gp_part_append(gp_part *part, gp_text *text, gp_pack *packs, int threads, gp_err *err);

/** Appends bytes to a text as a whole BGZF file, with its end-of-file marker. GP_EFAIL where memory
 * is refused. Local. */
int gp_pack_file(gp_pack *pack, const gp_text *bytes, gp_text *file, gp_err *err);

/** Appends BGZF's end-of-file marker: only in the table's last part. */
int gp_part_end(gp_part *part, gp_err *err);

/** Copies the part into the file `table`, which the table's first part has made, at byte offset.
 *  All parts may be placed at the same time. */
int gp_part_place(gp_part *part, const char *table, int64_t offset, gp_err *err);

/** Closes and removes the part's file where it still has its first name, frees. Accepts a zeroed
 * struct. */
void gp_part_discard(gp_part *part);

#endif
