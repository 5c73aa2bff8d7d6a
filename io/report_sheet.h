/** A small table of a run, read as a whole: named columns of text. Local. */
#ifndef GP_IO_REPORT_SHEET_H
#define GP_IO_REPORT_SHEET_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_sheet {
    char *path;    /* for messages */
    gp_text bytes; /* cut in place */
    int64_t columns, rows;
    int64_t *line; /* [rows] in the file, from 1 */
    char **name;   /* [columns] */
    char **field;  /* [rows x columns] row-major */
} gp_sheet;

/** Reads a table: a header line, then lines of as many fields. Where there is no such file the
 *  sheet stays zeroed, and that is no error. GP_EINPUT "PATH:LINE: ..." for a ragged line or a file
 *  that cannot be read. The sheet comes zeroed; freed in any case. */
int gp_sheet_read(gp_sheet *sheet, const char *path, gp_err *err);

/** The same from text in memory, which the sheet takes over (bytes is zeroed). */
int gp_sheet_parse(gp_sheet *sheet, const char *path, gp_text *bytes, gp_err *err);
void gp_sheet_free(gp_sheet *sheet);

/** 1: there is such a table (maybe without rows). */
int gp_sheet_there(const gp_sheet *sheet);

/** The column of this name, or -1. */
int64_t gp_sheet_find(const gp_sheet *sheet, const char *name);

/** Columns by name, all of which must be there: GP_EINPUT else.
 *    column  out  [count] */
int gp_sheet_need(const gp_sheet *sheet, const char *const *name, int64_t *column, int64_t count,
                  gp_err *err);

/** A field; "" where column is -1. */
const char *gp_sheet_text(const gp_sheet *sheet, int64_t row, int64_t column);

/** A field as a number: NaN for NA, #NA, nan, an empty field, and column -1. GP_EINPUT where it is
 *  none; the value is then NaN. */
double gp_sheet_number(const gp_sheet *sheet, int64_t row, int64_t column, gp_err *err);

#endif
