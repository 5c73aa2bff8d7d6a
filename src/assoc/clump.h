/** Clumps: the strongest variant of a neighbourhood leads those that are correlated with it.
 *
 *  Candidates are taken in the order of their strength, ties by place. One that may lead, and that
 *  nobody has taken, leads a clump: it takes every candidate that is not taken yet, lies within
 *  reach and has an r2 with it of at least the threshold. Correlations are asked for only where
 *  they can matter. Source: PLINK's --clump (Purcell et al. 2007, Am J Hum Genet 81:559).
 *
 *  Local. Allocates scratch of 8 bytes a candidate and 16 bytes a block's.
 */
#ifndef GP_SRC_ASSOC_CLUMP_H
#define GP_SRC_ASSOC_CLUMP_H

#include "src/base/err.h"
#include <stdint.h>

/** Squared correlations of a candidate with others; NaN where there is none. Asked for block by
 *  block, neighbours one after the other, so that a small store of genotypes serves most of them.
 *    with  in   [count] ascending numbers of candidates, none of them the leader itself
 *    r2    out  [count]
 *  Anything but GP_OK ends the work. */
typedef int (*gp_clump_correlate)(void *context, int64_t leader, const int64_t *with, int64_t count,
                                  double *r2, gp_err *err);

/** Candidates of one chromosome. Borrowed. */
typedef struct gp_clump_plan {
    int64_t count;
    const int64_t *position; /* [count] base pairs, never decreasing */
    const double *strength;  /* [count] larger first, e.g. -log10 p; no NaN */
    const uint8_t *leads;    /* [count] whether it may lead; the others can only be taken */
    int64_t reach;           /* base pairs, >= 0; this distance is still within reach */
    double r2;               /* threshold: from here on */
    int64_t block;           /* >= 1: correlations asked for at a time, at most */
    gp_clump_correlate correlate;
    void *context;
} gp_clump_plan;

/** Finds the clumps.
 *    leader  out  [count] who took the candidate: itself where it leads, -1 for nobody
 *  The result does not depend on block, nor on where candidates further apart than reach are cut
 *  off. GP_EFAIL when memory is refused, or what correlate returned.
 *  Cost: for each leader the candidates within reach, and their correlations. */
int gp_clump(const gp_clump_plan *plan, int64_t *leader, gp_err *err);

#endif
