/** What jobs/summary.c and jobs/summary_write.c share. */
#ifndef GP_JOBS_SUMMARY_INSIDE_H
#define GP_JOBS_SUMMARY_INSIDE_H

#include "jobs/summary.h"
#include "src/base/split.h"

enum {

    GP_SUMMARY_COLUMNS = 1200, /* of the Manhattan plot; more where there are more chromosomes */
    GP_SUMMARY_HEIGHT = 300,   /* cells */
    GP_SUMMARY_POINTS = 300,   /* of the QQ plot, at most */
    /* Cells are kept three to an integer, so that ranks exchange less: each has its bit set by the
     * ranks that have lines there, and room for the sum over two million of them. */
    GP_SUMMARY_PACKED = 3,
    GP_SUMMARY_ROOM = 21
};

/** Position of a chromosome's first line. */
static inline int64_t gp_summary_first(const gp_summary_span *span) {
    return -1 - span->before;
}

/** Integers that hold the plot's cells. */
static inline int64_t gp_summary_words(const gp_summary *s) {
    return gp_units(s->columns * GP_SUMMARY_HEIGHT, GP_SUMMARY_PACKED);
}

/** Appends a string as JSON. What is not UTF-8 is told as '?': a variant's name is no reason to
 *  fail. */
int gp_summary_string(gp_text *json, const char *s, gp_err *err);

/** Appends a number with nine digits, as tables have it; null where it is none. */
int gp_summary_real(gp_text *json, double value, gp_err *err);

#endif
