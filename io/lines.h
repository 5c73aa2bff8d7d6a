/** Text in memory, line by line and field by field, cut in place. Local.
 *
 *  Fields end at every tab if the first line holds one (then fields may be empty), else at runs of
 * blanks and tabs. Lines end with LF or CRLF, the last one with or without; blank lines are
 * skipped. A UTF-8 byte-order mark is skipped.
 */
#ifndef GP_IO_LINES_H
#define GP_IO_LINES_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_lines {
    char *at, *end; /* what has not been given yet; at *end a zero has room */
    int64_t number; /* of the line given last, counted from 1 */
    int tabs;       /* whether each tab ends a field */
} gp_lines;

/** Starts at the text's first line. GP_EINPUT "PATH:LINE: …" where the text holds a zero byte; the
 * text is then unchanged. */
int gp_lines_start(gp_lines *lines, const char *path, gp_text *bytes, gp_err *err);

/** The next line that is not blank, zero-terminated, without its end; NULL when there is none. */
char *gp_lines_next(gp_lines *lines);

/** How many lines gp_lines_next has still to give. */
int64_t gp_lines_count(const gp_lines *lines);

/** Cuts the next field off a line; NULL when there is none.
 *    rest  inout  starts as the line, then what follows the field (NULL after the last) */
char *gp_lines_field(const gp_lines *lines, char **rest);

#endif
