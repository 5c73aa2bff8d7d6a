/** The 2-bit genotype code: rows of calls, one row per variant.
 *
 *  A call is 0, 1 or 2 copies of ALT (the effect allele), or 3 = missing. Sample i of a row sits
 *  in byte i / 4, at bits 2*(i % 4) and 2*(i % 4) + 1, so a little-endian 64-bit word holds 32
 *  samples in order. A row is gp_geno_stride(n) bytes: n calls padded with 0 to whole groups of
 *  64 samples (16 bytes).
 *
 *  Local, thread-safe, no allocation.
 */
#ifndef GP_SRC_GENO_CODE_H
#define GP_SRC_GENO_CODE_H

#include <stdint.h>

enum { GP_GENO_MISSING = 3, GP_GENO_GROUP = 64 /* samples */, GP_GENO_GROUP_BYTES = 16 };

/** Bytes of a row of n samples. */
static inline int64_t gp_geno_stride(int64_t n) {
    return (n + GP_GENO_GROUP - 1) / GP_GENO_GROUP * GP_GENO_GROUP_BYTES;
}

/** The call of sample i: 0, 1, 2 or GP_GENO_MISSING. */
static inline int gp_geno_get(const uint8_t *row, int64_t i) {
    return row[i >> 2] >> (2 * (i & 3)) & 3;
}

/** Sets the call of sample i. */
static inline void gp_geno_set(uint8_t *row, int64_t i, int call) {
    int shift = 2 * (int)(i & 3);
    row[i >> 2] = (uint8_t)((row[i >> 2] & ~(3 << shift)) | call << shift);
}

/** Turns a PLINK 1 .bed row into a row of this code.
 *    bed  in  [ceil(n/4)] bytes of one variant, variant-major
 *    row  out  [gp_geno_stride(n)] bytes; padding is 0. May not overlap bed.
 *  ALT is allele 1 of the .bim (column 5): .bed 00 = 2 copies, 10 = 1, 11 = 0, 01 = missing.
 *  Source: PLINK 1.9 documentation, "PLINK 1 binary biallelic genotype table".
 */
void gp_geno_from_bed(const uint8_t *bed, int64_t n, uint8_t *row);

/** The inverse of gp_geno_from_bed: [ceil(n/4)] bytes, unused bits 0. */
void gp_geno_to_bed(const uint8_t *row, int64_t n, uint8_t *bed);

#endif
