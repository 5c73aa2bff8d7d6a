/** Tables of samples, joined to the store's: one, or several that stand side by side. */
#ifndef GP_JOBS_JOINED_H
#define GP_JOBS_JOINED_H

#include "io/table.h"
#include "jobs/command.h"
#include "jobs/words.h"

/** A table, its bytes, and the store's sample of each row. */
typedef struct gp_joined {
    gp_text text;
    gp_table table;
    int64_t *sample; /* [table.rows] -1 = not in the store */
} gp_joined;

/** Reads a table. Collective; every rank gets all of it.
 *    kept    in   [samples->n] 1 = in use: a note counts them; NULL: no note
 *    joined  out  zeroed before; freed in any case
 *  GP_EINPUT where it is none (io/table.h), or has no sample in common with the store. */
int gp_joined_load(gp_job *job, const char *path, const gp_samples *samples, const uint8_t *kept,
                   gp_joined *joined, gp_err *err);
void gp_joined_free(gp_joined *joined);

/** A column by row as a column by sample of the store. Local.
 *    rows   in   [table.rows]
 *    value  out  [n] NaN where the table has no row */
void gp_joined_spread(const gp_joined *joined, const double *rows, double *value, int64_t n);

/** Several tables. */
typedef struct gp_joined_list {
    gp_words path;
    gp_joined *joined; /* [path.count] */
    int64_t most_rows; /* of a table */
    gp_table header;   /* path and names of all columns, one table after the other; no rows */
} gp_joined_list;

/** Reads the tables whose paths a text holds with commas between; it is borrowed. Collective.
 *    option  in  that it was given to, for messages
 *  As gp_joined_load; GP_EINPUT too where two of them have a column of the same name. */
int gp_joined_list_load(gp_job *job, const char *paths, const char *option,
                        const gp_samples *samples, const uint8_t *kept, gp_joined_list *list,
                        gp_err *err);
void gp_joined_list_free(gp_joined_list *list);

/** The table that holds a column of the header. Local.
 *    column  inout  number in the header; then in the table */
const gp_joined *gp_joined_list_at(const gp_joined_list *list, int64_t *column);

#endif
