/** One process's part of a text file that several write together.
 *
 *  How long the parts before it will be nobody knows until they are written: so each goes to a
 *  file of its own, and is copied to its place when all are whole. Memory: a MiB. Local.
 */
#ifndef GP_IO_SPOOL_H
#define GP_IO_SPOOL_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_spool {
    char *path;   /* NULL: none */
    int file;     /* descriptor */
    int64_t size; /* bytes written */
} gp_spool;

/** Creates (or empties) the part's file. GP_EINPUT where it cannot be made. Comes zeroed. */
int gp_spool_open(gp_spool *spool, const char *path, gp_err *err);

/** Appends a text and empties it. GP_EFAIL where the disk is full or fails. */
int gp_spool_add(gp_spool *spool, gp_text *text, gp_err *err);

/** Copies the part into an existing file at a byte offset, and brings it to disk. All parts may
 *  be placed at the same time. GP_EFAIL where that fails. */
int gp_spool_place(const gp_spool *spool, const char *path, int64_t offset, gp_err *err);

/** Closes and removes the part's file. Accepts a zeroed struct. */
void gp_spool_discard(gp_spool *spool);

#endif
