/** A growing string of bytes. Local; starts zeroed; always zero-terminated once something was
 *  added. */
#ifndef GP_SRC_BASE_TEXT_H
#define GP_SRC_BASE_TEXT_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_text {
    char *bytes;    /* owned */
    int64_t length; /* without the terminating zero */
    int64_t capacity;
} gp_text;

/** Adds n bytes. GP_EFAIL when memory is refused; the text is then unchanged. */
int gp_text_add(gp_text *text, const char *bytes, int64_t n, gp_err *err);

/** Adds a formatted string. */
int gp_text_print(gp_text *text, gp_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** Makes room for n more bytes and returns where they go; the caller advances length. NULL on
 *  failure. */
char *gp_text_room(gp_text *text, int64_t n, gp_err *err);

void gp_text_free(gp_text *text);

#endif
