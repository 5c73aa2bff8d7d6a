/** Which variants of PLINK sets are a store's. Private to io/append*.c.
 *
 *  Two are the same variant where chromosome, position and alleles agree, in either order; of
 *  several, those of one id go together. An unknown allele ("." in the store, 0 in a .bim:
 *  nobody has it there) agrees with any, and is known then. Without a position (0), and where no
 *  known allele is in common, the id must be the same. Each variant has one partner at most.
 */
#ifndef GP_IO_APPEND_MATCH_H
#define GP_IO_APPEND_MATCH_H

#include "io/append_inside.h"

enum { GP_EXAMPLE = 200 };

/** An allele that the store does not know and the new sets do. */
typedef struct gp_append_fill {
    int64_t variant; /* number in the store */
    int64_t ref;     /* where it begins in names, or -1 */
    int64_t alt;
} gp_append_fill;

/** What was found. Starts zeroed. */
typedef struct gp_append_match {
    int64_t *from;        /* [m] (row * sets + set) * 2 + 1 where alleles are swapped; -1 = none */
    gp_append_fill *fill; /* [fills] by variant */
    int64_t fills, capacity;
    gp_text names;
    int64_t matched, swapped, ambiguous, renamed;
    int64_t lacking; /* of the store, not in the sets */
    int64_t differ;  /* of these, with others at their position */
    int64_t extra;   /* of the sets, not in the store */
    char lacks[GP_EXAMPLE], lone[GP_EXAMPLE], swaps[GP_EXAMPLE]; /* the first of each, in words */
} gp_append_match;

/** Finds the partners of all variants of a's store. Memory: 8 bytes a variant of the store, and
 *  those of one position. */
int gp_append_match_run(gp_append_match *match, gp_append *a, gp_err *err);

void gp_append_match_free(gp_append_match *match);

#endif
