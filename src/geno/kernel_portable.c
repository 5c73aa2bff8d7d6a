#include "src/geno/code.h"
#include "src/geno/kernel.h"

#include <string.h>

/* A byte holds 4 calls, so 4 samples contribute one of 256 rows of sums. Making that table costs
 * 340 row additions and saves three of every four later ones ("four Russians"): worth it from some
 * hundred variants on. Columns are done 16 at a time: 256 x 16 x 8 bytes of table stay in the
 * first-level cache. */
enum { COLUMNS = 16 };

typedef struct tile {
    int64_t sum[256][COLUMNS];
} tile;

/* Rows for all values of sample s's two bits, given the rows for the samples before it. */
static void extend(tile *t, int s, const int64_t *value, int64_t columns) {
    int64_t done = (int64_t)1 << (2 * s);
    for (int64_t b = 0; b < done; b++)
        for (int64_t k = 0; k < columns; k++) {
            int64_t base = t->sum[b][k], v = value[k];
            t->sum[done + b][k] = base + v;
            t->sum[2 * done + b][k] = base + 2 * v;
            t->sum[3 * done + b][k] = base; /* missing */
        }
}

static void make(tile *t, const gp_operand *y, int64_t byte, int64_t column, int64_t columns) {
    memset(t->sum[0], 0, sizeof t->sum[0]);
    for (int s = 0; s < 4; s++)
        extend(t, s, y->value + (4 * byte + s) * y->width + column, columns);
}

void gp_kernel_portable(const gp_kernel_block *block, int64_t *sums) {
    const gp_operand *y = block->y;
    tile t;
    for (int64_t column = 0; column < y->width; column += COLUMNS) {
        int64_t columns = y->width - column < COLUMNS ? y->width - column : COLUMNS;
        for (int64_t byte = block->first; byte < block->last; byte++) {
            make(&t, y, byte, column, columns);
            const uint8_t *g = block->rows + byte;
            int64_t *to = sums + column;
            for (int64_t j = 0; j < block->m; j++, g += block->stride, to += y->width) {
                const int64_t *from = t.sum[*g];
                for (int64_t k = 0; k < columns; k += 4)
                    for (int i = 0; i < 4; i++)
                        to[k + i] += from[k + i];
            }
        }
    }
}
