/** Correlations of an island's variants: a bounded store of their genotypes. Private to
 *  jobs/hits*.c. Local. */
#ifndef GP_JOBS_HITS_ROWS_H
#define GP_JOBS_HITS_ROWS_H

#include "io/store.h"
#include "src/geno/ld.h"

enum { GP_HIT_BLOCK = 256 /* variants correlated with a leader at a time */ };

/** Candidates of an island and the rows of some of them, which make place for others in the order
 *  in which they came. Starts zeroed. */
typedef struct gp_hit_rows {
    gp_store *store;
    int64_t samples, stride;
    int64_t chunk; /* variants that the store holds together */
    gp_ld *ld;
    uint8_t *read;   /* [chunk x stride] */
    uint8_t *panel;  /* [GP_HIT_BLOCK x stride] */
    uint8_t *leader; /* [stride] */
    uint8_t *row;    /* [slots x stride] */
    int64_t *held;   /* [slots] the candidate whose row it is, or -1 */
    int64_t *slot;   /* [most] where a candidate's row is, or -1 */
    int64_t slots, next;
    int64_t most; /* candidates of an island */
    /* The island. */
    int64_t chromosome, count;
    const int64_t *variant; /* [count] ascending, borrowed */
} gp_hit_rows;

/** Makes room.
 *    most   in  candidates of the largest island
 *    bytes  in  genotypes held at a time, at least (a chunk of the store is, whatever is asked) */
int gp_hit_rows_init(gp_hit_rows *rows, gp_store *store, int64_t most, int64_t bytes, gp_err *err);

/** Goes to an island. */
void gp_hit_rows_set(gp_hit_rows *rows, int64_t chromosome, const int64_t *variant, int64_t count);

/** A gp_clump_correlate (src/assoc/clump.h); context is a gp_hit_rows. Rows that are not held are
 *  read with the others of their chunk. OpenMP threads share the sums. GP_ESTOP after a signal. */
int gp_hit_rows_correlate(void *context, int64_t leader, const int64_t *with, int64_t count,
                          double *r2, gp_err *err);

void gp_hit_rows_free(gp_hit_rows *rows);

#endif
