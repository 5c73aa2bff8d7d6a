/** A text file of any size read line by line, in bounded memory.
 *
 *  Local. Starts zeroed. Lines end with LF or CRLF, the last one perhaps with neither; a UTF-8
 * byte-order mark at the start of the file is skipped. (io/lines.h cuts texts that are in memory.)
 */
#ifndef GP_IO_READER_H
#define GP_IO_READER_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_reader {
    const char *path; /* borrowed, for messages */
    int64_t number;   /* of the line that gp_reader_next gave last, from 1 */
    int64_t offset;   /* where that line begins in the file */
    int fd;
    char *buffer;  /* owned */
    int64_t chunk; /* bytes read at once */
    int64_t capacity;
    int64_t base;     /* offset in the file of buffer[0] */
    int64_t at, size; /* next byte to give, and how many bytes there are, in buffer */
} gp_reader;

/** A piece of a line; not zero-terminated. */
typedef struct gp_slice {
    const char *s;
    int64_t n;
} gp_slice;

/** Opens a file to be read in pieces of chunk bytes. GP_EINPUT, naming the file, where it cannot be
 * opened or is no regular file. */
int gp_reader_open(gp_reader *reader, const char *path, int64_t chunk, gp_err *err);

/** The next line that is not blank, without its end; valid until the next call. line->s is NULL at
 * the end of the file. GP_EINPUT "FILE:LINE: …" for a line above 8 MiB or one with a zero byte;
 * GP_EFAIL where reading fails. In memory a blank, line end or zero follows the line's last byte,
 * so that number parsers stop there. */
int gp_reader_next(gp_reader *reader, gp_slice *line, gp_err *err);

/** Goes to a line's beginning; offset and number are what the reader said of it earlier. */
void gp_reader_seek(gp_reader *reader, int64_t offset, int64_t number);

/** A reader that is not open is fine. */
void gp_reader_close(gp_reader *reader);

/** Cuts a line at blanks and tabs. field out [most] the first fields; returns how many there are,
 * most at the most. */
int gp_slice_cut(gp_slice line, gp_slice *field, int most);

int gp_slice_equal(gp_slice a, gp_slice b);

#endif
