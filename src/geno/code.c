#include "src/geno/code.h"

#include <string.h>

/* PLINK's 00 01 10 11 are 2, missing, 1, 0 copies of allele 1; ours 10 11 01 00. With h and l the
 * bits of a PLINK call, ours are !h and h ^ l: four calls a byte. */
static uint8_t swap_code(uint8_t b) {
    uint8_t h = (uint8_t)(b >> 1 & 0x55), l = b & 0x55;
    return (uint8_t)((h ^ 0x55) << 1 | (h ^ l));
}

/* PLINK's from ours, with H and L ours: h = !H, l = h ^ L. */
static uint8_t swap_back(uint8_t b) {
    uint8_t h = (uint8_t)((b >> 1 & 0x55) ^ 0x55), l = (uint8_t)(h ^ (b & 0x55));
    return (uint8_t)(h << 1 | l);
}

void gp_geno_from_bed(const uint8_t *bed, int64_t n, uint8_t *row) {
    int64_t whole = n / 4, bytes = (n + 3) / 4;
    memset(row + whole, 0, (size_t)(gp_geno_stride(n) - whole));
    for (int64_t k = 0; k < whole; k++)
        row[k] = swap_code(bed[k]);
    if (bytes > whole)
        row[whole] = (uint8_t)(swap_code(bed[whole]) & ((1 << (2 * (n % 4))) - 1));
}

void gp_geno_to_bed(const uint8_t *row, int64_t n, uint8_t *bed) {
    int64_t whole = n / 4, bytes = (n + 3) / 4;
    for (int64_t k = 0; k < whole; k++)
        bed[k] = swap_back(row[k]);
    if (bytes > whole)
        bed[whole] = (uint8_t)(swap_back(row[whole]) & ((1 << (2 * (n % 4))) - 1));
}
