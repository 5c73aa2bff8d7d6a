#include "src/assoc/moments_rows.h"
#include "src/geno/kernel.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE __attribute__((always_inline)) static inline

/* Whole numbers of size below 2^51 and doubles of that size turn into each other by an addition,
 * which vectorises: the low bits of x + ORIGIN are those of x, rounded to the nearest. */
#define ORIGIN 0x1.8p52
#define ORIGIN_BITS 0x4338000000000000

INLINE int64_t nearest(double x) {
    int64_t bits;
    x += ORIGIN;
    memcpy(&bits, &x, sizeof bits);
    return bits - ORIGIN_BITS;
}

INLINE double exactly(int64_t v) {
    double x;
    v += ORIGIN_BITS;
    memcpy(&x, &v, sizeof x);
    return x - ORIGIN;
}

/* The products behind the values in a row. Lanes that are too many write where the next products
 * come, never behind the row. */
INLINE void make_products(const gp_moments *m, double *x, int64_t *row) {
    enum { LANES = GP_MOMENTS_LANES };
    int64_t columns = m->c + m->p, *to = row + columns, *end = row + m->width;
    for (int64_t k = 0; k < columns; k++)
        x[k] = exactly(row[k]);
    for (int64_t j = 0; j < m->c; j++) {
        double xj = x[j] * m->unit;
        int64_t count = columns - j, lanes = (count + LANES - 1) / LANES * LANES;
        if (lanes <= end - to)
            for (int64_t k = 0; k < lanes; k += LANES)
                for (int64_t lane = k; lane < k + LANES; lane++)
                    to[lane] = nearest(xj * x[j + lane]);
        else
            for (int64_t k = 0; k < count; k++)
                to[k] = nearest(xj * x[j + k]);
        to += count;
    }
    for (int64_t t = m->c; t < columns; t++)
        *to++ = nearest(x[t] * m->unit * x[t]);
    while (to < end)
        *to++ = 0;
}

INLINE void finish(const gp_moments *m, double *value, int64_t *row) {
    int64_t columns = m->c + m->p;
    for (int s = 0; s < 4; s++, row += m->width)
        if (m->exact)
            make_products(m, value, row);
        else
            memset(row + columns, 0, (size_t)(m->width - columns) * sizeof *row);
}

static void make_plain(const gp_moments *m, int64_t first, double *value, int64_t *row) {
    for (int s = 0; s < 4; s++)
        gp_operand_row(m->y, first + s, row + s * m->width);
    finish(m, value, row);
}

#if defined(__x86_64__)
/* As gp_operand_row, from the last digit to the first: a cell of four bytes holds a digit of four
 * samples. */
__attribute__((target("avx2"))) static void make_avx2(const gp_moments *m, int64_t first,
                                                      double *value, int64_t *row) {
    const gp_operand *y = m->y;
    const __m256i turn = _mm256_set1_epi8((char)0x80);
    int64_t cells = y->columns * y->digits, step = y->tile_terms * GP_TILE_BYTES;
    const uint8_t *tile = y->tile + first / GP_TILE_TERMS * GP_TILE_BYTES +
                          first % GP_TILE_TERMS * GP_TILE_LINES + cells / GP_TILE_LINES * step;
    int line = (int)(cells % GP_TILE_LINES);
    for (int64_t k = y->columns; k-- > 0;) {
        __m256i v = _mm256_setzero_si256();
        int64_t four[4];
        for (int d = 0; d < y->digits; d++) {
            int32_t cell;
            if (line-- == 0) {
                line = GP_TILE_LINES - 1;
                tile -= step;
            }
            memcpy(&cell, tile + 4 * line, sizeof cell);
            v = _mm256_or_si256(_mm256_slli_epi64(v, 8),
                                _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(cell)));
        }
        v = _mm256_sub_epi64(_mm256_xor_si256(v, turn), turn);
        _mm256_storeu_si256((__m256i *)four, v);
        for (int s = 0; s < 4; s++)
            row[s * m->width + k] = four[s];
    }
    finish(m, value, row);
}
#endif

void gp_moments_rows(const gp_moments *m, int64_t first, double *value, int64_t *row) {
#if defined(__x86_64__)
    if (gp_kernel_chosen() != &gp_kernel_portable) { /* the others need AVX2 at least */
        make_avx2(m, first, value, row);
        return;
    }
#endif
    make_plain(m, first, value, row);
}
