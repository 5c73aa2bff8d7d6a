/** JSON by libjansson, for files of this room. Local, thread-safe.
 *
 *  Reading is strict: the whole of the bytes, UTF-8, no name twice in an object. Writing is by hand
 *  into a text, so that order and line breaks are ours. Include <jansson.h> to look into values.
 */
#ifndef GP_IO_JSON_H
#define GP_IO_JSON_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

struct json_t;

/** What n bytes hold, or NULL: GP_EINPUT "PATH:LINE: ...", GP_EFAIL without memory. Released by
 *  json_decref. Depth is bounded (2,048), memory by a multiple of n. */
struct json_t *gp_json_parse(const char *path, const char *bytes, int64_t n, gp_err *err);

/** Appends a string with quotes and escapes. GP_EINPUT where it is not UTF-8. */
int gp_json_string(gp_text *to, const char *s, gp_err *err);

/** Appends a number, with as few digits as give the same double back. GP_EFAIL where it is not
 *  finite. */
int gp_json_real(gp_text *to, double value, gp_err *err);

#endif
