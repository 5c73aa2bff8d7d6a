/** Tables of samples: phenotypes and covariates. Parsed from text in memory, so that one rank can
 * read the file and share its bytes. Local.
 *
 *  Form: tab or space separated (a header with a tab means tabs: then an empty field is a missing
 * value); the first line is a header that starts FID IID, #FID IID, IID or #IID; CRLF allowed;
 * blank lines are skipped. A UTF-8 byte-order mark is skipped.
 */
#ifndef GP_IO_TABLE_H
#define GP_IO_TABLE_H

#include "io/store.h"
#include "src/base/err.h"
#include "src/base/ids.h"
#include "src/base/say.h"
#include "src/base/text.h"
#include <stdint.h>

/** One text file cut into fields. All strings point into bytes, which the caller keeps alive and
 * which is cut in place. */
typedef struct gp_table {
    const char *path; /* for messages; borrowed */
    int has_fid;
    int64_t columns; /* value columns, without FID and IID */
    char **name;     /* [columns] */
    int64_t rows;
    int64_t *line; /* [rows] 1-based line in the file */
    char **fid;    /* [rows], or NULL */
    char **iid;    /* [rows] */
    char **field;  /* [rows x columns] row-major; "" = empty */
} gp_table;

/** Cuts a table.
 *    table  out  overwritten; zeroed again on failure
 *  GP_EINPUT "PATH:LINE: …" on: no header, no value column, a duplicate or empty column name, a
 * ragged line, an empty id, a duplicate id, no rows, a zero byte. Memory: 8 bytes a field and about
 * 100 a row. */
int gp_table_parse(gp_table *table, const char *path, gp_text *bytes, gp_err *err);
void gp_table_free(gp_table *table);

/** Chooses columns by a comma-separated list of names (NULL = all, in file order).
 *    option  in   the option's name for messages, e.g. "--pheno-name"
 *    chosen  out  [count] column numbers in list order; allocated, the caller's to free
 *  GP_EINPUT names an unknown (and lists what there is), empty or repeated one. */
int gp_table_choose(const gp_table *table, const char *names, const char *option, int64_t **chosen,
                    int64_t *count, gp_err *err);

/** Store sample of each row, or -1 (extra samples are the caller's to count). Joined by FID and
 * IID, or by IID alone where the table has no FID: then an IID that several store samples bear is
 * GP_EINPUT.
 *    sample  out  [rows] */
int gp_table_join(const gp_table *table, const gp_samples *samples, int64_t *sample, gp_err *err);

/** What a field holds that is not a number: NA and nan (any case), an empty field, and the given
 * codes (numbers compare as numbers, so -9 covers -9.0). */
typedef struct gp_missing_codes {
    char **code;    /* [count] */
    double *number; /* [count] the same as numbers; NaN where a code is none */
    int64_t count;
} gp_missing_codes;

/** Cuts a comma-separated list (NULL or "" = none). GP_EINPUT for an empty item. */
int gp_missing_codes_parse(gp_missing_codes *codes, const char *list, gp_err *err);
void gp_missing_codes_free(gp_missing_codes *codes);

/** One column as numbers: decimal, finite, correctly rounded.
 *    value  out  [rows]; NaN = missing
 *  GP_EINPUT "PATH:LINE: column 'x': 'abc' is not a number …", also for inf, hexadecimal and what
 * is too large for a double. */
int gp_table_numbers(const gp_table *table, int64_t column, const gp_missing_codes *codes,
                     double *value, gp_err *err);

/** One column as categories.
 *    level  out  [rows] number in levels; -1 = missing
 *    levels out  distinct values in byte order (strcmp), zeroed by the caller, freed with
 * gp_ids_free */
int gp_table_levels(const gp_table *table, int64_t column, const gp_missing_codes *codes,
                    int64_t *level, gp_ids *levels, gp_err *err);

#endif
