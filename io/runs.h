/** Where in a part of a table the lines of each stretch of the genome begin: all that an index
 *  needs, noted while the lines pass by.
 *
 *  A run is consecutive lines of one chromosome in one window of GP_RUN_WINDOW bases: so there are
 * as many runs as windows, however many lines. They are kept as bytes, to be sent as they are, each
 * number as a varint (7 bits a byte, lowest first, the highest bit set on all but the last):
 *     lines, first position, offset less the one before   a run
 *     0, length, and so many bytes                        a chromosome's name; offsets go on
 *     0, 0, bytes                                         a part begins at that byte of the table
 *  An offset is BGZF's virtual one (a block's first byte in the part << 16 | a byte of its text);
 * the first is less 0. Local.
 */
#ifndef GP_IO_RUNS_H
#define GP_IO_RUNS_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

enum { GP_RUN_WINDOW = 1 << 14 /* bases: the smallest that tabix's index tells apart */ };

/** The window of a position (1-based; 0 stands beside 1, as in the index). */
static inline int64_t gp_run_window(int64_t position) {
    return (position > 0 ? position - 1 : 0) / GP_RUN_WINDOW;
}

/** One run, or what is known of the one being filled. */
typedef struct gp_run_of_lines {
    int64_t lines, first; /* position */
    uint64_t offset;      /* of its first line's beginning */
} gp_run_of_lines;

/** The runs of a part; starts zeroed. */
typedef struct gp_runs {
    gp_text bytes;        /* the runs that are over */
    gp_run_of_lines open; /* the run being filled; lines = 0: none */
    int64_t last;         /* position of the last line */
    int64_t name, length; /* in bytes: where the chromosome's name stands; length 0: none yet */
    uint64_t before;      /* offset of the last run in bytes */
    int64_t lines;        /* in all */
} gp_runs;

/** Takes note of the lines that begin in one BGZF block.
 *    text    in     [n] whole lines: chromosome, tab, position, tab, anything, newline
 *    from    inout  where the next line begins in text; the first that the next block holds after
 *    begin, end  in  the block's part of the text
 *    block   in     its first byte in the part
 *  GP_EFAIL where a line has no position or comes before the one above it, or memory is refused. */
typedef struct gp_runs_block {
    int64_t begin, end, block;
} gp_runs_block;
int gp_runs_add(gp_runs *runs, const char *text, int64_t n, const gp_runs_block *block,
                int64_t *from, gp_err *err);

/** Appends the part's runs to a message: where the part begins in the table, then all runs. The
 * run being filled ends. */
int gp_runs_print(gp_runs *runs, int64_t part, gp_text *message, gp_err *err);

void gp_runs_free(gp_runs *runs);

/** Reading messages of one part or, one after the other, of several. Starts with the message. */
typedef struct gp_runs_reader {
    const char *bytes;
    int64_t length, at;
    int64_t name, name_length; /* in bytes: the chromosome's name */
    uint64_t part, before;     /* virtual offsets: where the part begins; the last run in it */
} gp_runs_reader;

/** The next run; its offset is one of the table. Returns 1; 0 at the end; -1 where the bytes are no
 * such message. */
int gp_runs_next(gp_runs_reader *reader, gp_run_of_lines *run);

#endif
