/** What a table of results looks like from afar, small enough for a page: counts, inflation, a
 *  Manhattan plot in cells, a QQ plot in points; as TRAIT.summary.json.
 *
 *  Two passes over the table's lines, each rank over its own: the first takes their numbers in, the
 *  second (when their greatest is known) marks the plot's cells. Only integers are added up over
 *  ranks, and the numbers themselves looked up by their places in the order of all: the same bytes
 *  for any number of ranks.
 *
 *  The JSON, each member in this order:
 *    format       "gp-dist summary 1"
 *    trait, model, samples, cases (null for a quantitative trait), lines
 *    status       lines by the word in their column
 *    lambda_gc    median of the chi-square of the p-values over 0.4549364 (its median without any
 *                 association); null where no line has a number
 *    lambda_1000  what lambda_gc would be with 1000 cases and 1000 controls: 1 + (lambda_gc - 1)
 *                 (1/cases + 1/controls) / (1/1000 + 1/1000); n/2 of each for a quantitative
 *                 trait's n samples. Source: de Bakker et al. 2008, Hum Mol Genet 17:R122
 *    smallest     of the p-values: chromosome, base_pair_location, id, neg_log_10_p_value; null
 *    chromosomes  [{name, first, last, lines}] that have lines, in the store's order; positions of
 *                 their first and last line
 *    manhattan    {columns, step, chromosome: [{name, column, columns}], cells: [[column,
 *                 [y0, y1, y0, y1, ...]], ...]}: the columns are shared out over the chromosomes by
 *                 their length from first to last line. Cell y of a column holds the lines with
 *                 y step <= neg_log_10_p_value < (y + 1) step; there are at most 300. Told are runs
 *                 of cells with lines, from y0 to y1
 *    qq           [[expected, observed]] -log10 p, smallest p first, of at most 300 places of the
 *                 order at even steps of their logarithm: expected is -log10((k - 1/2) / lines with
 *                 a number) for place k from 1
 */
#ifndef GP_JOBS_SUMMARY_H
#define GP_JOBS_SUMMARY_H

#include "io/store.h"
#include "io/sumstats.h"
#include "jobs/command.h"
#include "src/assoc/result.h"
#include <stdint.h>

/** What a chromosome's lines span. */
typedef struct gp_summary_span {
    int64_t before; /* -1 less the first position; so that the greatest is looked for */
    int64_t last;   /* position; -1 without lines */
    int64_t lines;
    int64_t column, columns; /* of the plot */
} gp_summary_span;

typedef struct gp_summary {
    gp_store *store;       /* borrowed: names of chromosomes */
    gp_summary_span *span; /* [chromosomes of the store] */
    int64_t chromosomes;
    int64_t status[GP_STATUS_COUNT];
    uint64_t *key; /* [numbers] gp_order_key of each line's -log10 p */
    int64_t numbers, capacity;
    double smallest_p; /* -log10 of it; below 0 without numbers */
    gp_text smallest;  /* its line's members of the JSON */
    int64_t *cell;     /* of the plot, packed: which have lines */
    int64_t columns;
    double step;
} gp_summary;

/** Local. summary starts zeroed; free it in any case. */
int gp_summary_init(gp_summary *summary, gp_store *store, gp_err *err);
void gp_summary_free(gp_summary *summary);

/** A line. Borrowed; strings zero-terminated as the table has them. */
typedef struct gp_summary_line {
    int64_t chromosome; /* its number in the store */
    int64_t position;
    const char *id, *status, *neglog10p;
} gp_summary_line;

/** First pass. Local.
 *    path  in  of the table, for messages
 *  GP_EINPUT where status is none of the table's words, or neglog10p neither
 *  #NA nor a number from 0 on. */
int gp_summary_add(gp_summary *summary, const char *path, const gp_summary_line *line, gp_err *err);

/** Between the passes: joins what the ranks found. Collective. */
int gp_summary_join(gp_job *job, gp_summary *summary, gp_err *err);

/** Second pass, over the same lines. Local. */
void gp_summary_mark(gp_summary *summary, const gp_summary_line *line);

/** Writes the file, by rename, on rank 0. Collective. */
int gp_summary_write(gp_job *job, gp_summary *summary, const gp_sumstats_about *about,
                     const char *path, gp_err *err);

#endif
