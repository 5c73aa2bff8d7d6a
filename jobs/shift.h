/** Quantitative traits less their offsets, which are others for each chromosome: what a linear
 *  model is told when the chromosome changes. Local. */
#ifndef GP_JOBS_SHIFT_H
#define GP_JOBS_SHIFT_H

#include "jobs/offset.h"
#include "src/assoc/linear.h"

/** One trait's. */
typedef struct gp_shifted {
    int64_t count;            /* columns; 0 = it has no offsets */
    gp_linear_column *column; /* [count] without values where this rank needs none */
    const int64_t *of;        /* [chromosomes] the column of each; borrowed of the offset */
} gp_shifted;

/** Zeroed: no trait has offsets. */
typedef struct gp_shift {
    int64_t traits;
    gp_shifted *trait;              /* [traits] of the model */
    const gp_linear_column **fresh; /* [traits] scratch */
    int64_t at;                     /* the chromosome that the model is of; -1 = none yet */
} gp_shift;

/** Makes the residuals of each trait less each of its offsets that this rank has, and frees those
 *  offsets. OpenMP threads share it.
 *    shift   out    zeroed before; free it in any case
 *    in      in     of the model, which was made of the same
 *    value   in     [traits] each [store samples]
 *    offset  inout  [traits] NULL where a trait has none */
int gp_shift_init(gp_shift *shift, const gp_linear_input *in, const double *const *value,
                  gp_offset *const *offset, gp_err *err);
void gp_shift_free(gp_shift *shift);

/** Makes the model that of a chromosome whose variants this rank tests. OpenMP threads share it;
 *  nothing to do where that changes nothing. */
void gp_shift_to(gp_shift *shift, gp_linear *model, int64_t chromosome);

/** Bytes of the columns that it holds, of a shard of so many samples. */
int64_t gp_shift_bytes(const gp_shift *shift, int64_t samples);

#endif
