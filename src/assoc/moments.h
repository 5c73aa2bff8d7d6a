/** Sums of moments over the samples that a variant is missing in. Private to src/assoc.
 *
 *  A sample has values v[0..c + p) in fixed point: c covariates, then p traits. Its moments are
 *  each v; and, for complete cases, v[j] v[k] 2^-bits, rounded, for every covariate j and every
 *  column k >= j, then v[t]^2 2^-bits for every trait t.
 *
 *  Where 1% of the calls are missing, a block of a thousand variants asks for the moments of each
 *  sample ten times. So they are made when they are first asked for, in a table over a run of
 *  samples that stays in the second-level cache while all variants of the block pass. Threads
 *  share out the runs. Where a table of all samples is small enough it is kept for the blocks to
 *  come.
 */
#ifndef GP_SRC_ASSOC_MOMENTS_H
#define GP_SRC_ASSOC_MOMENTS_H

#include "src/geno/calls.h"
#include "src/geno/fixed.h"
#include <omp.h>

typedef struct gp_moments {
    const gp_operand *y;
    int64_t c, p;
    int exact;     /* whether there are products */
    double unit;   /* of products: 2^-bits */
    int64_t width; /* of a row of moments: their number rounded up to 8; the rest is 0 */
    int64_t run;   /* samples of a table, whole groups */
    int threads;
    int64_t keep; /* bytes that a table of all samples may take */
    int64_t
        *kept; /* [y->terms rounded up to 64 x width], from the first missing call on; or NULL */
    uint8_t *kept_made; /* [y->terms rounded up to 64 / 4] */
    int64_t share;      /* bytes of one thread's scratch */
    uint8_t *scratch;   /* [threads x share] */
    omp_lock_t *lock;   /* threads meet at a variant's sums */
} gp_moments;

/** Room for the moments of y's columns, for the threads of OpenMP now. Borrows y, whose values
 *  may only change before gp_moments_forget; m comes zeroed, but for keep, and is freed in any
 *  case. */
int gp_moments_init(gp_moments *m, const gp_operand *y, int64_t covariates, int bits, int exact,
                    gp_err *err);
void gp_moments_free(gp_moments *m);

/** y's values have changed: no moments made of them are kept. */
void gp_moments_forget(gp_moments *m);

/** Bytes that it holds. */
int64_t gp_moments_bytes(const gp_moments *m);

/** The same, before there is one: without a table that is kept. y may be a shape. */
int64_t gp_moments_bytes_of(const gp_operand *y, int64_t covariates, int exact);

/** How many moments there are, and the width of their rows. */
int64_t gp_moments_count(int64_t covariates, int64_t traits, int exact);
int64_t gp_moments_width(int64_t covariates, int64_t traits, int exact);

/** Adds each variant's sums. OpenMP threads share it.
 *    mask  in     the samples that count: see src/geno/count.h
 *    call  in     [calls->m x 4] counts: variants without missing calls are passed over
 *    sums  inout  [calls->m x width], aligned to 64 bytes
 *  Cost per missing call: a row of width integers is added; and once per sample, and per
 *  block where the table is not kept, (c + p) digits are joined and the moments made. */
void gp_moments_add(gp_moments *m, const gp_calls *calls, const uint8_t *mask, const int64_t *call,
                    int64_t *sums);

#endif
