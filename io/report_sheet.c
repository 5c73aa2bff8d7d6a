#include "io/report_sheet.h"
#include "io/file.h"
#include "io/lines.h"
#include "io/number.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ragged(const gp_sheet *s, const gp_lines *lines, gp_err *err) {
    return gp_err_set(err, GP_EINPUT, "%s:%lld: not as many fields as the header has (%lld)",
                      s->path, (long long)lines->number, (long long)s->columns);
}

static int read_header(gp_sheet *s, gp_lines *lines, gp_err *err) {
    int64_t room = 0;
    char *rest = gp_lines_next(lines), *field;
    if (rest == NULL)
        return gp_err_set(err, GP_EINPUT, "%s: is empty; a header line was expected", s->path);
    while ((field = gp_lines_field(lines, &rest)) != NULL) {
        if (gp_mem_grow(&s->name, &room, s->columns + 1, sizeof *s->name, err) != GP_OK)
            return err->code;
        s->name[s->columns++] = field[0] == '#' ? field + 1 : field;
    }
    return GP_OK;
}

static int read_rows(gp_sheet *s, gp_lines *lines, gp_err *err) {
    int64_t most = gp_lines_count(lines);
    s->line = gp_mem_alloc(most, sizeof *s->line, err);
    s->field = gp_mem_alloc(most, s->columns * (int64_t)sizeof *s->field, err);
    while (err->code == GP_OK) {
        char *rest = gp_lines_next(lines);
        if (rest == NULL)
            break;
        char **field = s->field + s->rows * s->columns;
        for (int64_t k = 0; k < s->columns; k++)
            if ((field[k] = gp_lines_field(lines, &rest)) == NULL)
                return ragged(s, lines, err);
        if (rest != NULL && gp_lines_field(lines, &rest) != NULL)
            return ragged(s, lines, err);
        s->line[s->rows++] = lines->number;
    }
    return err->code;
}

int gp_sheet_parse(gp_sheet *s, const char *path, gp_text *bytes, gp_err *err) {
    gp_lines lines;
    s->bytes = *bytes;
    *bytes = (gp_text){0};
    s->path = gp_mem_string(path, (int64_t)strlen(path), err);
    if (s->path != NULL && gp_lines_start(&lines, path, &s->bytes, err) == GP_OK &&
        read_header(s, &lines, err) == GP_OK)
        read_rows(s, &lines, err);
    return err->code;
}

int gp_sheet_read(gp_sheet *s, const char *path, gp_err *err) {
    gp_text bytes = {0}, tight = {0};
    if (err->code != GP_OK || access(path, F_OK) != 0)
        return err->code;
    if (gp_io_read_text(path, &bytes, err) != GP_OK)
        goto done;
    /* Reading takes megabytes at once; small tables are kept, many of them. */
    if (bytes.capacity < 2 * bytes.length)
        gp_sheet_parse(s, path, &bytes, err);
    else if (gp_text_add(&tight, bytes.bytes, bytes.length, err) == GP_OK)
        gp_sheet_parse(s, path, &tight, err);
done:
    gp_text_free(&tight);
    gp_text_free(&bytes);
    return err->code;
}

void gp_sheet_free(gp_sheet *s) {
    free(s->path);
    gp_text_free(&s->bytes);
    free(s->line);
    free(s->name);
    free(s->field);
    *s = (gp_sheet){0};
}

int gp_sheet_there(const gp_sheet *s) {
    return s->columns > 0;
}

int64_t gp_sheet_find(const gp_sheet *s, const char *name) {
    for (int64_t k = 0; k < s->columns; k++)
        if (strcmp(s->name[k], name) == 0)
            return k;
    return -1;
}

int gp_sheet_need(const gp_sheet *s, const char *const *name, int64_t *column, int64_t count,
                  gp_err *err) {
    for (int64_t k = 0; k < count; k++) {
        column[k] = gp_sheet_find(s, name[k]);
        if (column[k] < 0)
            return gp_err_set(err, GP_EINPUT, "%s:1: there is no column '%s'", s->path, name[k]);
    }
    return GP_OK;
}

const char *gp_sheet_text(const gp_sheet *s, int64_t row, int64_t column) {
    return column < 0 ? "" : s->field[row * s->columns + column];
}

double gp_sheet_number(const gp_sheet *s, int64_t row, int64_t column, gp_err *err) {
    const char *field = gp_sheet_text(s, row, column);
    double value;
    if (*field == 0 || strcmp(field, "NA") == 0 || strcmp(field, "#NA") == 0 ||
        strcmp(field, "nan") == 0)
        return NAN;
    if (gp_number_read(field, &value))
        return value;
    gp_err_set(err, GP_EINPUT, "%s:%lld: column '%s': '%.60s' is not a number", s->path,
               (long long)s->line[row], s->name[column], field);
    return NAN;
}
