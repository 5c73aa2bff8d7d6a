/** The result tables of a run, one per trait, written by all ranks and finished together.
 *
 *  Each group's first shard writes its own part of every table; text blocks that straddle two
 *  groups are handed to the earlier one; parts are then placed side by side, indexed, described
 *  and renamed. No table passes through one rank's memory. Where the groups share out the variants
 *  more than once (chromosome by chromosome), each sharing out is a section of the tables.
 */
#ifndef GP_JOBS_TABLES_H
#define GP_JOBS_TABLES_H

#include "io/part.h"
#include "io/sumstats.h"
#include "jobs/command.h"
#include "src/assoc/result.h"
#include <stdint.h>

/** What a table is about. Borrowed. */
typedef struct gp_tables_trait {
    const char *name;
    gp_sumstat_form form;
    const char *model, *test; /* as in gp_sumstats_meta */
    int64_t samples, cases;
    /* For lines that come from another table, with more columns; form, model, test, samples and
     * cases are then not used. */
    const char *header; /* the header line, with its newline; NULL: the form's */
    const char *meta;   /* the other table's metadata, zero-terminated; NULL: made from the above */
    const char *note;   /* what is new, for the metadata */
} gp_tables_trait;

typedef struct gp_out_table {
    const gp_tables_trait *trait; /* borrowed */
    char *name;                   /* file name without directory: TRAIT.tsv.gz, made safe */
    gp_part part;
    int64_t base;  /* bytes of the sections before this one */
    int64_t wrote; /* bytes of them that this rank wrote */
    int64_t owed;  /* lines that this rank owes to this table, beside those that it owes to all */
    gp_text runs;  /* of them, where this rank will describe the table */
    gp_text head;  /* lines that an earlier group's text block ends with */
    gp_text tail;  /* the text block being filled */
    /* Lines by outcome, and those with a number by test; whoever adds lines counts them. */
    int64_t status[GP_STATUS_COUNT], test[GP_TEST_COUNT];
} gp_out_table;

typedef struct gp_tables {
    const char *directory; /* borrowed */
    gp_out_table *table;
    int64_t count;
    gp_pack *pack; /* [threads] */
    int threads;
    int writes;    /* this rank has parts */
    int open;      /* a text block began here */
    int csi;       /* a position is beyond what .tbi holds */
    int64_t there; /* rank 0: bytes of the directory's path that name what was there before */
    int finished;  /* all tables have their names */
} gp_tables;

/** Makes the directory, checks that it can be written, removes what a killed run left of the same
 *  tables, opens the parts. Collective. tables comes zeroed; close it in any case.
 *    trait  in  [count] borrowed */
int gp_tables_open(gp_job *job, gp_tables *tables, const char *directory,
                   const gp_tables_trait *trait, int64_t count, gp_err *err);

/** Says that variant number first of a chromosome comes next: a text block begins at multiples of
 *  GP_TEXT_BLOCK. Local. */
void gp_tables_begin(gp_tables *tables, int64_t first);

/** The text that the next lines of a table go to: whole lines that begin with chromosome, tab,
 *  position, tab, sorted as the store is. Valid until the next begin or end_block. Local; different
 *  tables from different threads. */
gp_text *gp_tables_text(gp_tables *tables, int64_t table);

/** Ends a text block: compresses what is in it, with as many threads as gp_tables_open found.
 * Local. GP_EFAIL where the disk is full, or the lines are not sorted. */
int gp_tables_end_block(gp_tables *tables, gp_err *err);

/** Ends a section: what the groups wrote is placed, in their order, behind the sections before. The
 *  next one begins with another chromosome, or has lines for other tables alone. Collective. Errors
 *  as in gp_tables_finish. */
int gp_tables_end_section(gp_job *job, gp_tables *tables, gp_err *err);

/** What stands in every table's metadata. Not used where the traits have theirs. */
typedef struct gp_tables_meta {
    const char *missing, *covariates, *store_digest;
} gp_tables_meta;

/** Ends the last section, and gives the tables their names. Collective.
 *    lines  in  local: how many lines this rank owes to each table
 *  GP_EFAIL where a finished table holds another number; GP_ESTOP after a signal. On failure
 * nothing has its final name (unless renaming itself failed). */
int gp_tables_finish(gp_job *job, gp_tables *tables, int64_t lines, const gp_tables_meta *meta,
                     gp_err *err);

/** Removes what is temporary (and directories made for tables that did not come), and frees.
 *  Collective. Accepts a zeroed struct. */
void gp_tables_close(gp_job *job, gp_tables *tables);

#endif
