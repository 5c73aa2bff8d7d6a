/** What the files of gp-dist merge share; for jobs/merge*.c only. */
#ifndef GP_JOBS_MERGE_INSIDE_H
#define GP_JOBS_MERGE_INSIDE_H

#include "io/sumstats_read.h"
#include "jobs/merge_attribution.h"
#include "jobs/summary.h"
#include "jobs/table_part.h"
#include "jobs/tables.h"

/** A table of assoc: what is known of it. */
typedef struct gp_merge_table {
    char *path; /* of the table */
    gp_text yaml;
    gp_sumstats_about about;
    int64_t file; /* of attribution, with its trait: -1 = none */
    int64_t trait;
} gp_merge_table;

typedef struct gp_merge {
    gp_job *job;
    const char *directory, *out; /* of the tables: there, and to be made. Borrowed */
    gp_store *store;
    gp_table_parts parts;
    gp_merge_table *table;
    int64_t count;
    gp_attribution *file; /* [files] */
    int64_t files;
    gp_text names; /* of files and tables, cut */
} gp_merge;

/** A comma-separated list, cut in place into its items, which are not empty. To be freed (the
 *  array). Local. */
char **gp_merge_list(char *list, int64_t *count, gp_err *err);

/** Finds the tables of the traits asked for (NULL: all), reads what is told of them, and sees that
 *  they are of the store. Collective. */
int gp_merge_find(gp_merge *merge, const char *traits, gp_err *err);

/** Opens tables of attribution and finds each trait's. Collective. */
int gp_merge_open_files(gp_merge *merge, const char *paths, gp_err *err);

/** Merges tables [first, first + count): a table, its index, metadata and summary each.
 *  Collective. */
int gp_merge_some(gp_merge *merge, int64_t first, int64_t count, gp_err *err);

/** DIRECTORY/TRAIT.SUFFIX, the trait's name made safe for files; to be freed. NULL on failure. */
char *gp_merge_path(const char *directory, const char *trait, const char *suffix, gp_err *err);

#endif
