#include "io/append_row.h"
#include "src/geno/code.h"

#include <string.h>

/* Clears the calls from number n on. */
static void clear_from(uint8_t *row, int64_t n) {
    int64_t byte = n / 4;
    if (n % 4 != 0)
        row[byte++] &= (uint8_t)((1 << (2 * (n % 4))) - 1);
    memset(row + byte, 0, (size_t)(gp_geno_stride(n) - byte));
}

void gp_row_join(const uint8_t *a, int64_t n, const uint8_t *b, int64_t m, uint8_t *row) {
    int64_t whole = gp_geno_stride(n), all = gp_geno_stride(n + m), bytes = (m + 3) / 4;
    int shift = (int)(n % 4) * 2;
    uint8_t *to = row + n / 4;
    memcpy(row, a, (size_t)whole);
    clear_from(row, n);
    memset(row + whole, 0, (size_t)(all - whole));
    if (shift == 0)
        memcpy(to, b, (size_t)bytes);
    else
        for (int64_t k = 0; k < bytes; k++) {
            to[k] = (uint8_t)(to[k] | b[k] << shift);
            if (to + k + 1 < row + all)
                to[k + 1] = (uint8_t)(b[k] >> (8 - shift));
        }
    clear_from(row, n + m);
}

void gp_row_turn(uint8_t *row, int64_t bytes) {
    /* Of a call's two bits the higher one changes where the lower one is 0. */
    for (int64_t k = 0; k < bytes; k++)
        row[k] = (uint8_t)(row[k] ^ ((row[k] ^ 0x55) << 1 & 0xAA));
}
