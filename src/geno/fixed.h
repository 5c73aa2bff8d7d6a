/** Dense columns in fixed point: the operand of the exact genotype products.
 *
 *  A column x becomes integers v = round(x * 2^e), with one exponent e per column such that |v|
 *  <= 2^bits. Sums of v over samples, weighted by 0, 1 or 2, then fit an int64 and are exact:
 *  they do not depend on order, threads or ranks.
 *
 *  Error bound: |x - v 2^-e| <= 2^-(e+1) <= 2^-bits max|x|, since e is the largest exponent with
 *  max|x| 2^e <= 2^bits. A sum over n samples weighted by g in {0,1,2} is off by at most 2 n
 *  2^-bits max|x|, typically sqrt(n) 2^-bits max|x|.
 */
#ifndef GP_SRC_GENO_FIXED_H
#define GP_SRC_GENO_FIXED_H

#include "src/base/err.h"
#include <stdint.h>

/** Bits of magnitude: six 7-bit digits, and seven for small cohorts, where a few missing calls can
 *  take most of a column's variance away and one digit more costs nothing. */
enum { GP_FIXED_BITS = 41, GP_FIXED_BITS_SMALL = 48, GP_FIXED_SMALL = 1 << 13 /* samples */ };

/** Bits for a cohort of n samples: GP_FIXED_BITS_SMALL up to GP_FIXED_SMALL samples, else
 *  GP_FIXED_BITS, less above 2^20 samples. Any 0/1/2-weighted sum over n samples then stays inside
 *  an int64: 2 * 2^13 * 2^48 and 2 * 2^20 * 2^41 are 2^62. */
int gp_fixed_bits(int64_t n);

/** The exponent for a column of largest magnitude max (finite): the largest e with max * 2^e <=
 *  2^bits, but at most 900 (the error bound then holds in absolute terms: 2^-901). Never below
 *  bits - 1024. */
int gp_fixed_exponent(double max, int bits);

/** round(x * 2^e), ties to even. */
int64_t gp_fixed_from(double x, int e);

/** v * 2^-e. */
double gp_fixed_to(int64_t v, int e);

/** Columns over samples, sample-major, so that one sample's values lie together. */
typedef struct gp_operand {
    int64_t samples; /* n, of this rank's shard */
    int64_t columns; /* c */
    int64_t width;   /* columns rounded up to 4; the rest is 0 */
    int64_t *value;  /* [gp_geno_stride(n) * 4 x width]; 0 for samples that do not count and for
                        padding */
    int *exponent;   /* [columns] */
} gp_operand;

/** The width of an operand of so many columns. */
static inline int64_t gp_operand_width(int64_t columns) {
    return (columns + 3) / 4 * 4;
}

/** Makes room; all values 0. */
int gp_operand_init(gp_operand *y, int64_t samples, int64_t columns, gp_err *err);
void gp_operand_free(gp_operand *y);

#endif
