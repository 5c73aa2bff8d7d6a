/** One process's part of a BGZF table, and putting the parts together.
 *
 *  Text is cut into BGZF blocks only where a text block ends (GP_TEXT_BLOCK variants of one
 * chromosome, counted in the store, whether tested or filtered out) and every GP_PART_PIECE bytes
 * within one, so the compressed bytes do not depend on who wrote them. A part is one process's run
 * of whole text blocks, in a file of its own until the table is put together. Local.
 */
#ifndef GP_IO_PART_H
#define GP_IO_PART_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

enum {
    GP_TEXT_BLOCK = 1024, /* variants */
    GP_PART_PIECE = 65280 /* bytes of text in a BGZF block, as bgzip cuts it */
};

typedef struct gp_part {
    char *path;    /* NULL: no part */
    int file;      /* descriptor */
    int64_t size;  /* compressed bytes so far */
    int64_t lines; /* so far */
} gp_part;

/** Creates (or empties) a part's file, private to the user. GP_EINPUT where it cannot be made. */
int gp_part_open(gp_part *part, const char *path, gp_err *err);

/** Compresses a whole text block and appends it; empty text adds nothing. text is emptied.
 *    lines  in  to be counted; a header counts as none
 *  GP_EFAIL where the disk is full or fails. Allocates nothing. */
int gp_part_append(gp_part *part, gp_text *text, int64_t lines, gp_err *err);

/** Appends BGZF's end-of-file marker: only in the table's last part. */
int gp_part_end(gp_part *part, gp_err *err);

/** Copies the part into the file `table` at byte offset, then fsyncs it. The file is made if need
 * be and shared by all parts, which may be placed at the same time; one left over from earlier is
 * the caller's to remove first. */
int gp_part_place(gp_part *part, const char *table, int64_t offset, gp_err *err);

/** Closes and removes the part's file, frees. Accepts a zeroed struct. */
void gp_part_discard(gp_part *part);

#endif
