/** Genotypes rotated by a set of dense columns: x = U' g, for all columns of U, or a shard of them.
 *
 *  A column of U becomes integers of up to GP_ROTATION_MOST in size, all that five digits hold, and
 *  the product is exact (src/geno/product.h).
 *  Missing calls are imputed by a mean that the caller gives: their columns' sums are a second
 *  exact product, over the missing calls alone, for variants that have any. Local; OpenMP threads
 *  share the work.
 *
 *  Error of a rotated genotype: at most max|u| / (2 GP_ROTATION_MOST) times the sum of g. An
 *  eigenvector of n samples has max|u| of about 5 / sqrt(n): each x is then off by about 2e-12 of
 *  a copy. With four digits two sets of vectors of one spectrum, from other grids of ranks, gave
 *  effects that were 3e-10 of their standard errors apart (root mean square); with five 7e-11, what
 *  is left when the likelihood is flat.
 */
#ifndef GP_SRC_ASSOC_ROTATION_H
#define GP_SRC_ASSOC_ROTATION_H

#include "src/base/err.h"
#include "src/geno/calls.h"
#include "src/geno/product.h"
#include <stdint.h>

enum { GP_ROTATION_BITS = 38 };
#define GP_ROTATION_MOST (127.0 * 0x0101010101) /* a little below 2^39 */

/** What 1 of a column's integers is worth, where its largest magnitude is max: an integer is
 *  llrint(u / unit). */
double gp_rotation_unit(double max);

typedef struct gp_rotation {
    int64_t samples, columns, most;
    gp_operand u; /* [samples x columns] */
    gp_product *product;
    double *unit;     /* [columns] what 1 of a column's integers is */
    int64_t *value;   /* [samples] a column's integers */
    int64_t *scratch; /* of gp_product_in_parts */
    uint8_t *mask;    /* [gp_geno_stride(samples)] */
} gp_rotation;

/** Room for so many columns over the samples of calls (all 0), and for `most` variants at a time,
 *  for the threads of OpenMP at this time. Comes zeroed; freed in any case.
 *    mask  in  [gp_geno_stride(samples)] the samples in use (src/geno/count.h); copied
 *  GP_EFAIL where memory is refused. */
int gp_rotation_init(gp_rotation *r, int64_t samples, int64_t columns, int64_t most,
                     const uint8_t *mask, gp_err *err);
void gp_rotation_free(gp_rotation *r);

/** Bytes that gp_rotation_init takes. */
int64_t gp_rotation_bytes(int64_t samples, int64_t columns, int64_t most);

/** Sets a column; one at a time.
 *    u  in  [samples] finite for samples in use; the others count as 0 */
void gp_rotation_set(gp_rotation *r, int64_t column, const double *u);

/** Rotates a block of at most `most` variants: x[j][c] is the double next to the exact sum over
 *  called samples, plus mean[j] times that next to the sum over missing ones: the same bits
 * whatever other columns and variants there are, for any kernel and any number of threads.
 * Allocates nothing. Cost: calls->m * samples * 5 * columns multiply-adds of bytes; with 0.1% of
 * the calls missing about 1.3 times that, with 1% and more twice. count  in   [calls->m x 4] how
 * many samples in use have each call (gp_calls_count): decides which variants have missing calls
 *    mean   in   [calls->m] what a missing call counts; not read where no call is missing
 *    x      out  [calls->m x columns] row-major */
void gp_rotate(gp_rotation *r, const gp_calls *calls, const int64_t *count, const double *mean,
               double *x);

#endif
