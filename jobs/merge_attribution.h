/** Tables of attribution as gp-dist explain writes them, in memory for one stretch of the genome
 *  at a time.
 */
#ifndef GP_JOBS_MERGE_ATTRIBUTION_H
#define GP_JOBS_MERGE_ATTRIBUTION_H

#include "io/sumstats_read.h"
#include "src/base/ids.h"
#include "src/base/text.h"
#include <stdint.h>

/** A variant's names: places in text of zero-terminated strings. */
typedef struct gp_attribution_site {
    int64_t position, id, effect, other;
} gp_attribution_site;

/** What the table tells of a variant and a trait. */
typedef struct gp_attribution_value {
    int64_t text;  /* the attribution as printed: place in text; -1: not told */
    uint64_t rank; /* 1 = greatest importance of the table's variants for the trait */
} gp_attribution_value;

typedef struct gp_attribution {
    const char *path; /* borrowed */
    gp_sumstats_reader *reader;
    gp_ids traits;                                        /* that the table is about */
    int64_t id, effect, other, trait, value_column, rank; /* columns */
    /* The stretch in memory. */
    gp_text text;
    gp_attribution_site *site; /* [count] by position */
    int64_t count, site_capacity;
    gp_attribution_value *value; /* [count x traits.count] */
    int64_t value_capacity;
} gp_attribution;

/** Opens a table and sees which traits it is about. Local. a starts zeroed; close it in any case.
 *  GP_EINPUT where it is no such table, has no index, or tells nothing of traits (attention
 *  rollout). */
int gp_attribution_open(gp_attribution *a, const char *path, gp_err *err);
void gp_attribution_close(gp_attribution *a);

/** Takes in the variants of a stretch. GP_EINPUT where a line is not as expected. */
int gp_attribution_load(gp_attribution *a, const char *chromosome, int64_t first, int64_t last,
                        gp_err *err);

/** Where a search stands, over variants of the stretch by position. Starts zeroed. */
typedef struct gp_attribution_place {
    int64_t first; /* site of the position asked for last */
    int64_t next;  /* where to look first: variants mostly come in the same order */
} gp_attribution_place;

/** A variant as another table names it: unknown alleles are "#NA" or ".". */
typedef struct gp_attribution_name {
    int64_t position; /* never below that of the search before */
    const char *id, *effect, *other;
} gp_attribution_name;

/** The number of a variant in the stretch, or -1. Of several with the same names each is found
 *  once, in order, if searched for as often. Local. */
int64_t gp_attribution_find(const gp_attribution *a, gp_attribution_place *place,
                            const gp_attribution_name *name);

#endif
