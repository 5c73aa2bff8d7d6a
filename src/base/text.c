#include "src/base/text.h"
#include "src/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *gp_text_room(gp_text *text, int64_t n, gp_err *err) {
    if (gp_mem_grow(&text->bytes, &text->capacity, text->length + n + 1, 1, err) != GP_OK)
        return NULL;
    return text->bytes + text->length;
}

int gp_text_add(gp_text *text, const char *bytes, int64_t n, gp_err *err) {
    char *to = gp_text_room(text, n, err);
    if (to == NULL)
        return err->code;
    if (n > 0)
        memcpy(to, bytes, (size_t)n);
    text->length += n;
    text->bytes[text->length] = 0;
    return GP_OK;
}

int gp_text_print(gp_text *text, gp_err *err, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *to = n < 0 ? NULL : gp_text_room(text, n, err);
    if (to == NULL)
        return gp_err_set(err, GP_EFAIL, "text: a value cannot be formatted");
    va_start(args, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    text->length += n;
    return GP_OK;
}

void gp_text_free(gp_text *text) {
    free(text->bytes);
    *text = (gp_text){0};
}
