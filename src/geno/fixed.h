/** Dense columns in fixed point: the operand of the exact genotype products.
 *
 *  A column x becomes integers v = round(x * 2^e), with one exponent e per column such that |v|
 *  <= 2^bits. Sums of v, weighted by 0, 1 or 2, then fit an int64 and are exact: they do not
 *  depend on order, threads or ranks.
 *
 *  Error bound: |x - v 2^-e| <= 2^-(e+1) <= 2^-bits max|x|, since e is the largest exponent with
 *  max|x| 2^e <= 2^bits. A sum over n terms weighted by g in {0,1,2} is off by at most 2 n
 *  2^-bits max|x|, typically sqrt(n) 2^-bits max|x|.
 *
 *  An integer is kept as signed 8-bit digits, v = sum over d of 256^d digit[d], each -128 to 127:
 *  what int8 multipliers take. D digits hold -128 R to 127 R with R = (256^D - 1) / 255, and 127 R
 *  lies between 2^(8D - 2) and 2^(8D - 1): so integers of up to 2^b in size need
 *  ceil((b + 2) / 8) digits.
 */
#ifndef GP_SRC_GENO_FIXED_H
#define GP_SRC_GENO_FIXED_H

#include "src/base/err.h"
#include <stdint.h>

/** Bits of magnitude, and more for small cohorts, where a few missing calls can take most of a
 *  column's variance away and one digit more costs nothing. */
enum { GP_FIXED_BITS = 41, GP_FIXED_BITS_SMALL = 48, GP_FIXED_SMALL = 1 << 13 /* terms */ };

/** Bits for sums of n terms: GP_FIXED_BITS_SMALL up to GP_FIXED_SMALL, else GP_FIXED_BITS, less
 *  above 2^20. Any 0/1/2-weighted sum of n terms then stays inside an int64: 2 * 2^13 * 2^48 and 2
 *  * 2^20 * 2^41 are 2^62. */
int gp_fixed_bits(int64_t n);

/** Digits that hold every integer of up to 2^bits in size. */
static inline int gp_fixed_digits(int bits) {
    return (bits + 9) / 8;
}

/** The exponent for a column of largest magnitude max (finite): the largest e with max * 2^e <=
 *  2^bits, but at most 900 (the error bound then holds in absolute terms: 2^-901). Never below
 *  bits - 1024. */
int gp_fixed_exponent(double max, int bits);

/** round(x * 2^e), ties to even. */
int64_t gp_fixed_from(double x, int e);

/** v * 2^-e. */
double gp_fixed_to(int64_t v, int e);

/** Columns over the terms of a sum (samples, or variants), as right tiles of digits (see
 *  src/geno/kernel.h): digit d of column k is tile column k * digits + d. All 0 at first, and for
 *  terms that do not count. */
typedef struct gp_operand {
    int64_t terms, columns;
    int digits;                       /* of every integer: 1 to 8 */
    int64_t tile_columns, tile_terms; /* in tiles: ceil(columns * digits / 16), ceil(terms / 64) */
    uint8_t *tile;                    /* [tile_columns][tile_terms] tiles */
    int *exponent;                    /* [columns] the caller's */
} gp_operand;

/** An operand without memory: its digits, and its size in tiles. */
gp_operand gp_operand_shape(int64_t terms, int64_t columns, int bits);

/** Makes room for integers of up to 2^bits in size; bits is at most 62. */
int gp_operand_init(gp_operand *y, int64_t terms, int64_t columns, int bits, gp_err *err);
void gp_operand_free(gp_operand *y);

/** Bytes that an operand of this shape holds. */
int64_t gp_operand_bytes(int64_t terms, int64_t columns, int bits);

/** Sets one integer, of up to 2^bits in size. */
void gp_operand_set(gp_operand *y, int64_t term, int64_t column, int64_t v);

/** Sets a column; faster than one by one.
 *    v  in  [terms] of up to 2^bits in size */
void gp_operand_set_column(gp_operand *y, int64_t column, const int64_t *v);

int64_t gp_operand_get(const gp_operand *y, int64_t term, int64_t column);

/** All integers of one term.
 *    v  out  [columns] */
void gp_operand_row(const gp_operand *y, int64_t term, int64_t *v);

#endif
