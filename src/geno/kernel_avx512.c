#include "src/geno/kernel_list.h"
#include "src/geno/kernel_x86.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512                                                                                     \
    __attribute__((                                                                                \
        target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni,avx512vpopcntdq,bmi,popcnt")))
#define INLINE AVX512 __attribute__((always_inline)) static inline

enum { LINE = 64, GROUP = 16 /* bytes of 64 packed calls */ };

/* Four bytes in one number, each with n added. */
#define FOUR(a, b, c, d, n) (0x##d##c##b##a##u + 0x01010101u * (n))

/* The first of the 8 bits to take from a word of 32 calls, for bytes 0 to 31. Above the 2 bits of
 * byte k's call lie others, which the look-up ignores. */
static const uint32_t bit_of_sample[8] __attribute__((aligned(32))) = {
    FOUR(00, 02, 04, 06, 0),  FOUR(00, 02, 04, 06, 8),  FOUR(00, 02, 04, 06, 16),
    FOUR(00, 02, 04, 06, 24), FOUR(00, 02, 04, 06, 32), FOUR(00, 02, 04, 06, 40),
    FOUR(00, 02, 04, 06, 48), FOUR(00, 02, 04, 06, 56)};

/* The look-up takes 6 bits, so the table repeats the four values 16 times. */
INLINE __m512i four_values(const uint8_t *value) {
    int32_t four;
    __builtin_memcpy(&four, value, sizeof four);
    return _mm512_set1_epi32(four);
}

INLINE __m512i spread_samples(const uint8_t *calls, __m512i bits, __m512i table) {
    __m512i twice = _mm512_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)calls));
    twice =
        _mm512_mask_broadcastq_epi64(twice, 0xF0, _mm_loadl_epi64((const __m128i *)(calls + 8)));
    return _mm512_permutexvar_epi8(_mm512_multishift_epi64_epi8(bits, twice), table);
}

/* Tiles of the given number of groups. */
INLINE void unpack_groups(const gp_unpack *in, int64_t first, int groups, uint8_t *tile) {
    const __m512i bits = _mm512_broadcast_i64x4(_mm256_load_si256((const __m256i *)bit_of_sample));
    const __m512i table = four_values(in->value);
    const uint8_t *calls = in->calls + first * GROUP;
    uint8_t *to = tile + first * GP_TILE_BYTES;
    int64_t j = 0;
    for (; j < in->variants; j++, calls += in->pitch, to += LINE)
        for (int k = 0; k < groups; k++)
            _mm512_store_si512(to + k * GP_TILE_BYTES,
                               spread_samples(calls + k * GROUP, bits, table));
    for (; j < GP_TILE_LINES; j++, to += LINE)
        for (int k = 0; k < groups; k++)
            _mm512_store_si512(to + k * GP_TILE_BYTES, _mm512_setzero_si512());
}

AVX512 void gp_avx512_unpack_samples(const gp_unpack *in, uint8_t *tile) {
    int64_t g = 0;
    for (; g + 4 <= in->groups; g += 4) /* a line of the cache */
        unpack_groups(in, g, 4, tile);
    for (; g < in->groups; g++)
        unpack_groups(in, g, 1, tile);
}

/* Calls of 64 samples of up to four variants. The other rows are anything: their values are 0. */
INLINE __m512i four_rows(const uint8_t *calls, int64_t pitch, int64_t rows) {
    __m512i r = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)calls));
    if (rows > 1)
        r = _mm512_mask_broadcast_i32x4(r, 0x00F0,
                                        _mm_loadu_si128((const __m128i *)(calls + pitch)));
    if (rows > 2)
        r = _mm512_mask_broadcast_i32x4(r, 0x0F00,
                                        _mm_loadu_si128((const __m128i *)(calls + 2 * pitch)));
    if (rows > 3)
        r = _mm512_mask_broadcast_i32x4(r, 0xF000,
                                        _mm_loadu_si128((const __m128i *)(calls + 3 * pitch)));
    return r;
}

/* Line q of a tile has four variants' calls of one sample in a cell of four bytes. For quarter 0 of
 * a group: the bytes of the four rows that hold the call of each sample ... */
static const uint32_t place_of_cell[16] __attribute__((aligned(64))) = {
    FOUR(00, 10, 20, 30, 0), FOUR(00, 10, 20, 30, 0), FOUR(00, 10, 20, 30, 0),
    FOUR(00, 10, 20, 30, 0), FOUR(00, 10, 20, 30, 1), FOUR(00, 10, 20, 30, 1),
    FOUR(00, 10, 20, 30, 1), FOUR(00, 10, 20, 30, 1), FOUR(00, 10, 20, 30, 2),
    FOUR(00, 10, 20, 30, 2), FOUR(00, 10, 20, 30, 2), FOUR(00, 10, 20, 30, 2),
    FOUR(00, 10, 20, 30, 3), FOUR(00, 10, 20, 30, 3), FOUR(00, 10, 20, 30, 3),
    FOUR(00, 10, 20, 30, 3)};

/* ... and where in these four bytes the calls of four neighbouring samples lie. */
static const uint32_t bit_of_cell[4]
    __attribute__((aligned(16))) = {FOUR(00, 08, 10, 18, 0), FOUR(00, 08, 10, 18, 2),
                                    FOUR(00, 08, 10, 18, 4), FOUR(00, 08, 10, 18, 6)};

/* The values of four variants, 0 for those that are not there. */
INLINE __m512i sixteen_values(const uint8_t *value, int64_t variants) {
    __mmask16 there = variants < 4 ? (__mmask16)((1 << 4 * variants) - 1) : (__mmask16)0xFFFF;
    return _mm512_broadcast_i32x4(_mm_maskz_loadu_epi8(there, value));
}

/* Line q of the four tiles of a group, from four variants. */
INLINE void spread_variants(__m512i four, __m512i table, uint8_t *to, int64_t next) {
    const __m512i bits = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)bit_of_cell));
    const __m512i call = _mm512_set1_epi8(3), variant = _mm512_set1_epi32(0x0C080400);
    __m512i place = _mm512_load_si512(place_of_cell);
    for (int quarter = 0; quarter < 4; quarter++, to += next) {
        __m512i cells = _mm512_permutexvar_epi8(place, four);
        __m512i index = _mm512_multishift_epi64_epi8(bits, cells);
        index = _mm512_ternarylogic_epi32(index, call, variant, 0xEA); /* first & second | third */
        _mm512_store_si512(to, _mm512_shuffle_epi8(table, index));
        place = _mm512_add_epi8(place, _mm512_set1_epi8(4));
    }
}

AVX512 void gp_avx512_unpack_variants(const gp_unpack *in, uint8_t *tile, int64_t step) {
    int64_t next = step * GP_TILE_BYTES;
    for (int64_t first = 0; first < in->groups; first += 4) { /* a line of the cache */
        int64_t last = first + 4 < in->groups ? first + 4 : in->groups;
        for (int64_t q = 0; q < GP_TILE_LINES; q++) {
            int64_t rows = in->variants - 4 * q;
            const uint8_t *calls = in->calls + 4 * q * in->pitch;
            __m512i table = sixteen_values(in->value + 16 * q, rows > 0 ? rows : 0);
            uint8_t *to = tile + 4 * first * next + q * LINE;
            for (int64_t g = first; g < last; g++, to += 4 * next)
                spread_variants(rows > 0 ? four_rows(calls + g * GROUP, in->pitch, rows)
                                         : _mm512_setzero_si512(),
                                table, to, next);
        }
    }
}

/* Rows 0, 4, 8 and 12 of a column of 4 x 4 cells, side by side. */
INLINE __m512i quarter_rows(const uint8_t *from) {
    __m512i r = _mm512_castsi128_si512(_mm_load_si128((const __m128i *)from));
    r = _mm512_mask_broadcast_i32x4(r, 0x00F0, _mm_load_si128((const __m128i *)(from + 4 * LINE)));
    r = _mm512_mask_broadcast_i32x4(r, 0x0F00, _mm_load_si128((const __m128i *)(from + 8 * LINE)));
    return _mm512_mask_broadcast_i32x4(r, 0xF000,
                                       _mm_load_si128((const __m128i *)(from + 12 * LINE)));
}

AVX512 void gp_avx512_turn(const uint8_t *from, uint8_t *to) {
    for (int k = 0; k < 4; k++, from += 16, to += 4 * LINE) {
        __m512i r0 = quarter_rows(from), r1 = quarter_rows(from + LINE);
        __m512i r2 = quarter_rows(from + 2 * LINE), r3 = quarter_rows(from + 3 * LINE);
        __m512i a = _mm512_unpacklo_epi32(r0, r1), b = _mm512_unpacklo_epi32(r2, r3);
        __m512i c = _mm512_unpackhi_epi32(r0, r1), d = _mm512_unpackhi_epi32(r2, r3);
        _mm512_store_si512(to, _mm512_unpacklo_epi64(a, b));
        _mm512_store_si512(to + LINE, _mm512_unpackhi_epi64(a, b));
        _mm512_store_si512(to + 2 * LINE, _mm512_unpacklo_epi64(c, d));
        _mm512_store_si512(to + 3 * LINE, _mm512_unpackhi_epi64(c, d));
    }
}

INLINE __m512i cell(const uint8_t *at) {
    int32_t four;
    __builtin_memcpy(&four, at, sizeof four);
    return _mm512_set1_epi32(four);
}

/* Adds to rows x columns lines of sums: rows 8 or 16 of a tile, of one or two columns. */
INLINE void add_block(int rows, int columns, const uint8_t *left, const uint8_t *const right[2],
                      int64_t terms, int32_t *sums, int fresh) {
    __m512i s[16];
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            s[r * columns + c] =
                fresh ? _mm512_setzero_si512()
                      : _mm512_load_si512(sums + c * GP_TILE_SUMS + r * GP_TILE_LINES);
    for (int64_t k = 0; k < terms * GP_TILE_BYTES; k += GP_TILE_BYTES)
        for (int q = 0; q < GP_TILE_LINES; q++) {
            __m512i line[2];
            for (int c = 0; c < columns; c++)
                line[c] = _mm512_load_si512(right[c] + k + q * LINE);
            for (int r = 0; r < rows; r++) {
                __m512i four = cell(left + k + r * LINE + 4 * q);
                for (int c = 0; c < columns; c++)
                    s[r * columns + c] = _mm512_dpbusd_epi32(s[r * columns + c], four, line[c]);
            }
        }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            _mm512_store_si512(sums + c * GP_TILE_SUMS + r * GP_TILE_LINES, s[r * columns + c]);
}

enum {
    STRETCH = 8
}; /* tiles of terms after which the next rows take their turn, so that two
      columns' tiles stay in the first cache */

AVX512 static void multiply(const gp_tiles *p) {
    for (int64_t k = 0; k < p->terms; k += STRETCH) {
        int64_t terms = p->terms - k < STRETCH ? p->terms - k : STRETCH;
        int fresh = k == 0 && !p->add;
        for (int64_t c = 0; c < p->columns; c += 2) {
            const uint8_t *r0 = p->right + (c * p->right_step + k) * GP_TILE_BYTES;
            const uint8_t *const right[2] = {r0, r0 + p->right_step * GP_TILE_BYTES};
            for (int64_t r = 0; r < p->rows; r++) {
                const uint8_t *left = p->left + (r * p->left_step + k) * GP_TILE_BYTES;
                int32_t *sums = p->sums + (r * p->columns + c) * GP_TILE_SUMS;
                if (c + 1 == p->columns) {
                    add_block(16, 1, left, right, terms, sums, fresh);
                    continue;
                }
                add_block(8, 2, left, right, terms, sums, fresh);
                add_block(8, 2, left + 8 * LINE, right, terms, sums + 8 * GP_TILE_LINES, fresh);
            }
        }
    }
}

/* Two lines' low and high bits and masks fill each other's odd bits, so that one count does for
 * both. */
AVX512 void gp_avx512_count(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                            int64_t count[4]) {
    const __m512i even = _mm512_set1_epi8(0x55);
    __m512i all = _mm512_setzero_si512(), low = all, high = all, both = all;
    for (int64_t k = 0; k < bytes; k += 2 * LINE) {
        int64_t left = bytes - k;
        __mmask16 first = left >= LINE ? (__mmask16)0xFFFF : (__mmask16)((1 << left / 4) - 1);
        __mmask16 second = left >= 2 * LINE ? (__mmask16)0xFFFF
                           : left > LINE    ? (__mmask16)((1 << (left - LINE) / 4) - 1)
                                            : (__mmask16)0;
        __m512i a = _mm512_maskz_loadu_epi32(first, row + k);
        __m512i m = _mm512_maskz_loadu_epi32(first, mask + k);
        __m512i b = _mm512_maskz_loadu_epi32(second, row + k + LINE);
        __m512i n = _mm512_maskz_loadu_epi32(second, mask + k + LINE);
        m = _mm512_or_si512(m, _mm512_slli_epi64(n, 1));
        /* where the third is set the first, else the second */
        __m512i l = _mm512_ternarylogic_epi64(a, _mm512_slli_epi64(b, 1), even, 0xE4);
        __m512i h = _mm512_ternarylogic_epi64(_mm512_srli_epi64(a, 1), b, even, 0xE4);
        l = _mm512_and_si512(l, m);
        h = _mm512_and_si512(h, m);
        all = _mm512_add_epi64(all, _mm512_popcnt_epi64(m));
        low = _mm512_add_epi64(low, _mm512_popcnt_epi64(l));
        high = _mm512_add_epi64(high, _mm512_popcnt_epi64(h));
        both = _mm512_add_epi64(both, _mm512_popcnt_epi64(_mm512_and_si512(l, h)));
    }
    count[0] += _mm512_reduce_add_epi64(all);
    count[1] += _mm512_reduce_add_epi64(low);
    count[2] += _mm512_reduce_add_epi64(high);
    count[3] += _mm512_reduce_add_epi64(both);
}

/* The words of up to GP_LIST_BYTES bytes that are not 0, eight at a time; first is their first
 * sample. */
INLINE void find_words(const uint8_t *row, const uint8_t *mask, int64_t bytes, int64_t first,
                       gp_list *list) {
    __m512i at = _mm512_add_epi64(_mm512_set1_epi64(first),
                                  _mm512_setr_epi64(0, 32, 64, 96, 128, 160, 192, 224));
    int64_t words = 0;
    for (int64_t k = 0; k < bytes; k += LINE) {
        __mmask8 in = bytes - k >= LINE ? (__mmask8)0xFF : (__mmask8)((1 << (bytes - k) / 8) - 1);
        __m512i g = _mm512_maskz_loadu_epi64(in, row + k);
        __m512i m = _mm512_maskz_loadu_epi64(in, mask + k);
        __m512i w = _mm512_ternarylogic_epi64(g, _mm512_srli_epi64(g, 1), m, 0x80); /* and */
        __mmask8 some = _mm512_test_epi64_mask(w, w);
        _mm512_storeu_si512(list->word + words, _mm512_maskz_compress_epi64(some, w));
        _mm512_storeu_si512(list->first + words, _mm512_maskz_compress_epi64(some, at));
        words += __builtin_popcount(some);
        at = _mm512_add_epi64(at, _mm512_set1_epi64(256));
    }
    list->words = words;
}

AVX512 int64_t gp_avx512_list_missing(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                                      int32_t *sample) {
    int32_t *to = sample;
    for (int64_t at = 0; at < bytes; at += GP_LIST_BYTES) {
        gp_list list;
        int64_t part = bytes - at < GP_LIST_BYTES ? bytes - at : GP_LIST_BYTES;
        find_words(row + at, mask + at, part, 4 * at, &list);
        to = gp_list_write(&list, to);
    }
    return to - sample;
}

/* Groups of 8 lines of 8 sums stay in registers while the rows pass. */
INLINE void add_lines(int lines, const int64_t *table, int64_t width, const int32_t *row,
                      int64_t rows, int64_t *to) {
    __m512i sum[8];
    for (int k = 0; k < lines; k++)
        sum[k] = _mm512_load_si512(to + 8 * k);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t *from = table + row[i] * width;
        for (int k = 0; k < lines; k++)
            sum[k] = _mm512_add_epi64(sum[k], _mm512_load_si512(from + 8 * k));
    }
    for (int k = 0; k < lines; k++)
        _mm512_store_si512(to + 8 * k, sum[k]);
}

AVX512 void gp_avx512_add_rows(const int64_t *table, int64_t width, const int32_t *row,
                               int64_t rows, int64_t *to) {
    int64_t k = 0;
    for (; k + 64 <= width; k += 64)
        add_lines(8, table + k, width, row, rows, to + k);
    for (; k + 16 <= width; k += 16)
        add_lines(2, table + k, width, row, rows, to + k);
    for (; k < width; k += 8)
        add_lines(1, table + k, width, row, rows, to + k);
}

const gp_kernel gp_kernel_avx512 = {.name = "avx512",
                                    .any_left = 1,
                                    .runs_here = gp_x86_runs_avx512,
                                    .unpack_samples = gp_avx512_unpack_samples,
                                    .unpack_variants = gp_avx512_unpack_variants,
                                    .turn = gp_avx512_turn,
                                    .multiply = multiply,
                                    .count = gp_avx512_count,
                                    .list_missing = gp_avx512_list_missing,
                                    .add_rows = gp_avx512_add_rows};
#endif
