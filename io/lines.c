#include "io/lines.h"

#include <string.h>

/* Where the line that begins at `at` ends: at its LF or at the text's end. */
static char *line_end(char *at, char *end) {
    char *lf = memchr(at, '\n', (size_t)(end - at));
    return lf != NULL ? lf : end;
}

/* In a table of tabs a line of tabs is a ragged or empty row, which the caller should hear of. */
static int is_blank(const char *at, const char *stop, int tabs) {
    while (at < stop && (*at == ' ' || *at == '\r' || (*at == '\t' && !tabs)))
        at++;
    return at == stop;
}

int gp_lines_start(gp_lines *lines, const char *path, gp_text *bytes, gp_err *err) {
    *lines = (gp_lines){0};
    /* The last line's zero goes behind the text; empty text may not even have room for it. */
    if (gp_text_room(bytes, 0, err) == NULL)
        return err->code;
    char *at = bytes->bytes, *end = at + bytes->length;
    const char *zero = memchr(at, 0, (size_t)bytes->length);
    if (zero != NULL) {
        int64_t line = 1;
        for (const char *c = at; c < zero; c++)
            line += *c == '\n';
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: a zero byte; this is no text file, or one in UTF-16: save it "
                          "as plain text (UTF-8)",
                          path, (long long)line);
    }
    if (bytes->length >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3;
    *lines = (gp_lines){.at = at, .end = end};
    while (at < end) {
        char *stop = line_end(at, end);
        if (!is_blank(at, stop, 0)) {
            lines->tabs = memchr(at, '\t', (size_t)(stop - at)) != NULL;
            break;
        }
        at = stop < end ? stop + 1 : end;
    }
    return GP_OK;
}

char *gp_lines_next(gp_lines *lines) {
    while (lines->at < lines->end) {
        char *line = lines->at, *stop = line_end(line, lines->end);
        lines->at = stop < lines->end ? stop + 1 : stop;
        lines->number++;
        if (is_blank(line, stop, lines->tabs))
            continue;
        if (stop > line && stop[-1] == '\r')
            stop--;
        *stop = 0;
        return line;
    }
    return NULL;
}

int64_t gp_lines_count(const gp_lines *lines) {
    int64_t count = 0;
    for (char *at = lines->at; at < lines->end;) {
        char *stop = line_end(at, lines->end);
        count += !is_blank(at, stop, lines->tabs);
        at = stop < lines->end ? stop + 1 : stop;
    }
    return count;
}

char *gp_lines_field(const gp_lines *lines, char **rest) {
    char *at = *rest;
    if (at == NULL)
        return NULL;
    if (!lines->tabs)
        while (*at == ' ' || *at == '\t')
            at++;
    if (!lines->tabs && *at == 0) {
        *rest = NULL;
        return NULL;
    }
    char *stop = at;
    while (*stop != 0 && *stop != '\t' && (*stop != ' ' || lines->tabs))
        stop++;
    *rest = *stop != 0 ? stop + 1 : NULL;
    *stop = 0;
    return at;
}
