/** Rows of calls put together. Private to io/append*.c. Local. */
#ifndef GP_IO_APPEND_ROW_H
#define GP_IO_APPEND_ROW_H

#include <stdint.h>

/** Writes the calls of n samples, then those of m others, as one row.
 *    a    in   [gp_geno_stride(n)] of the 2-bit code
 *    b    in   [ceil(m / 4)] of the same; what is behind call m - 1 has no say
 *    row  out  [gp_geno_stride(n + m)]; padding is 0. May overlap neither */
void gp_row_join(const uint8_t *a, int64_t n, const uint8_t *b, int64_t m, uint8_t *row);

/** Counts copies of the other allele: 0 becomes 2, 2 becomes 0.
 *    row  inout  [bytes]; padding does not stay 0 */
void gp_row_turn(uint8_t *row, int64_t bytes);

#endif
