/** Makes rows of moments of four samples at a time. Private to src/assoc/moments*.c. */
#ifndef GP_SRC_ASSOC_MOMENTS_ROWS_H
#define GP_SRC_ASSOC_MOMENTS_ROWS_H

#include "src/assoc/moments.h"

enum { GP_MOMENTS_LANES = 8 /* products are made so many at a time */ };

/** Rows of moments of samples [first, first + 4); first is a multiple of 4. Padding of the operand
 *  gives zeros. The same integers on every machine.
 *    value  scratch  [c + p + GP_MOMENTS_LANES], the last ones 0
 *    row    out      [4 x m->width] */
void gp_moments_rows(const gp_moments *m, int64_t first, double *value, int64_t *row);

#endif
