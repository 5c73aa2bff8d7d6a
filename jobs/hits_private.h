/** What the files jobs/hits*.c share. */
#ifndef GP_JOBS_HITS_PRIVATE_H
#define GP_JOBS_HITS_PRIVATE_H

#include "jobs/hits.h"
#include "src/base/text.h"

/** The table's columns that a hit repeats; the first of them are known of every line. */
enum {
    GP_HIT_ID = 2,
    GP_HIT_EFFECT,
    GP_HIT_OTHER,
    GP_HIT_NAMES, /* columns that name a variant */
    GP_HIT_P = 8,
    GP_HIT_STRENGTH,
    GP_HIT_COLUMNS = 12
};

extern const char *const gp_hit_column[GP_HIT_COLUMNS];

/** A line of the table that may be in a clump. */
typedef struct gp_hit_line {
    int64_t chromosome, position;
    int64_t variant; /* its number in the chromosome */
    int64_t island;
    int64_t leads;      /* whether it may lead */
    double strength;    /* -log10 p */
    int64_t at, length; /* its columns in the text, tab separated: GP_HIT_COLUMNS where it may lead,
                           else GP_HIT_NAMES */
} gp_hit_line;

/** Lines in the order of the table. Starts zeroed. */
typedef struct gp_hit_lines {
    gp_hit_line *line; /* [count] */
    int64_t count, capacity;
    gp_text text;
} gp_hit_lines;

void gp_hit_lines_free(gp_hit_lines *lines);

/** Appends a line with its columns. */
int gp_hit_lines_add(gp_hit_lines *lines, const gp_hit_line *line, const char *columns,
                     gp_err *err);

/** How far a clump reaches, in base pairs. */
int64_t gp_hits_reach(const gp_hits_options *options);

/** This rank's lines that may be in a clump, but for those that no leader can reach. Local. */
int gp_hits_collect(const gp_hits_plan *plan, gp_hit_lines *lines, gp_err *err);

/** A stretch of a chromosome that knows nothing of the others: two lines of different ones cannot
 *  be in one clump. */
typedef struct gp_hit_island {
    int64_t chromosome, first, last; /* positions, both within */
} gp_hit_island;

typedef struct gp_hit_islands {
    gp_hit_island *island; /* [count], in the order of the table */
    int64_t count, capacity;
} gp_hit_islands;

/** Finds the islands of all ranks' lines, the same on all. Collective. */
int gp_hits_find_islands(gp_job *job, const gp_hit_lines *lines, int64_t reach,
                         gp_hit_islands *islands, gp_err *err);

/** Leaves the lines that are on an island, and says on which. Local. */
void gp_hits_leave_islanders(const gp_hit_islands *islands, gp_hit_lines *lines);

/** Finds each line's variant in the store. Local. GP_EINPUT where one is not there. */
int gp_hits_match(const gp_hits_plan *plan, gp_hit_lines *lines, gp_err *err);

/** A leader and what is in its clump. */
typedef struct gp_hit {
    int64_t chromosome, position, variant;
    double strength;
    int64_t clumped, first, last;
    int64_t at, length; /* its columns, in a text */
} gp_hit;

/** Clumps whole islands and appends each leader to a text: a gp_hit with `at` 0, then its columns.
 *  Local. */
int gp_hits_clump(const gp_hits_plan *plan, const gp_hit_lines *lines, gp_text *hits, gp_err *err);

#endif
