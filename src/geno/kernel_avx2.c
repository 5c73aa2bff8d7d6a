#include "src/geno/kernel_list.h"
#include "src/geno/kernel_x86.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define INLINE AVX2 __attribute__((always_inline)) static inline

enum { LINE = 64, GROUP = 16 /* bytes of 64 packed calls */ };

INLINE __m256i two_halves(const uint8_t *low, const uint8_t *high) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

INLINE void store_halves(uint8_t *low, uint8_t *high, __m256i v) {
    _mm_store_si128((__m128i *)low, _mm256_castsi256_si128(v));
    _mm_store_si128((__m128i *)high, _mm256_extracti128_si256(v, 1));
}

/* What a nibble of two calls stands for: the first call's value, and the second's. */
typedef struct nibbles {
    __m256i first, second;
} nibbles;

INLINE nibbles nibbles_of(const uint8_t *value) {
    uint8_t first[16], second[16];
    for (int k = 0; k < 16; k++) {
        first[k] = value[k & 3];
        second[k] = value[k >> 2];
    }
    return (nibbles){_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)first)),
                     _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)second))};
}

/* Two variants' groups of 64 calls, one in each half. */
INLINE void spread_samples(__m256i calls, nibbles n, uint8_t *to0, uint8_t *to1) {
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i low = _mm256_and_si256(calls, nibble);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(calls, 4), nibble);
    __m256i s0 = _mm256_shuffle_epi8(n.first, low), s1 = _mm256_shuffle_epi8(n.second, low);
    __m256i s2 = _mm256_shuffle_epi8(n.first, high), s3 = _mm256_shuffle_epi8(n.second, high);
    __m256i a = _mm256_unpacklo_epi8(s0, s1), b = _mm256_unpacklo_epi8(s2, s3);
    __m256i c = _mm256_unpackhi_epi8(s0, s1), d = _mm256_unpackhi_epi8(s2, s3);
    store_halves(to0, to1, _mm256_unpacklo_epi16(a, b));
    store_halves(to0 + 16, to1 + 16, _mm256_unpackhi_epi16(a, b));
    store_halves(to0 + 32, to1 + 32, _mm256_unpacklo_epi16(c, d));
    store_halves(to0 + 48, to1 + 48, _mm256_unpackhi_epi16(c, d));
}

AVX2 static void unpack_samples(const gp_unpack *in, uint8_t *tile) {
    nibbles n = nibbles_of(in->value);
    for (int64_t g = 0; g < in->groups; g++, tile += GP_TILE_BYTES) {
        const uint8_t *calls = in->calls + g * GROUP;
        int64_t j = 0;
        for (; j + 2 <= in->variants; j += 2, calls += 2 * in->pitch)
            spread_samples(two_halves(calls, calls + in->pitch), n, tile + j * LINE,
                           tile + (j + 1) * LINE);
        for (; j < in->variants; j++) /* the odd last one, twice in the same place */
            spread_samples(two_halves(calls, calls), n, tile + j * LINE, tile + j * LINE);
        for (uint8_t *to = tile + j * LINE; to < tile + GP_TILE_BYTES; to += 32)
            _mm256_store_si256((__m256i *)to, _mm256_setzero_si256());
    }
}

/* Four variants' calls of 64 samples as 16 cells of four bytes, quarter 0 and 1, 2 and 3. Rows
 * without a variant are 0. */
INLINE void weave(const uint8_t *calls, int64_t pitch, int64_t rows, __m256i cells[2]) {
    __m128i r[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(),
                    _mm_setzero_si128()};
    for (int64_t t = 0; t < 4 && t < rows; t++)
        r[t] = _mm_loadu_si128((const __m128i *)(calls + t * pitch));
    __m128i a = _mm_unpacklo_epi8(r[0], r[1]), b = _mm_unpacklo_epi8(r[2], r[3]);
    __m128i c = _mm_unpackhi_epi8(r[0], r[1]), d = _mm_unpackhi_epi8(r[2], r[3]);
    cells[0] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(a, b)),
                                       _mm_unpackhi_epi16(a, b), 1);
    cells[1] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(c, d)),
                                       _mm_unpackhi_epi16(c, d), 1);
}

/* The four samples of a cell beside each other: one line of 16 bytes. */
INLINE __m256i spread_cell(__m256i cell, __m256i table) {
    const __m256i shift = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    const __m256i call = _mm256_set1_epi8(3), variant = _mm256_set1_epi32(0x0C080400);
    __m256i index = _mm256_and_si256(_mm256_srlv_epi32(cell, shift), call);
    return _mm256_shuffle_epi8(table, _mm256_or_si256(index, variant));
}

INLINE void spread_variants(__m256i cells, __m256i table, uint8_t *to0, uint8_t *to1) {
    store_halves(to0, to1, spread_cell(_mm256_shuffle_epi32(cells, 0x00), table));
    store_halves(to0 + 16, to1 + 16, spread_cell(_mm256_shuffle_epi32(cells, 0x55), table));
    store_halves(to0 + 32, to1 + 32, spread_cell(_mm256_shuffle_epi32(cells, 0xAA), table));
    store_halves(to0 + 48, to1 + 48, spread_cell(_mm256_shuffle_epi32(cells, 0xFF), table));
}

/* The values of four variants, 0 for those that are not there. */
INLINE __m256i sixteen_values(const uint8_t *value, int64_t variants) {
    uint8_t there[16];
    for (int k = 0; k < 16; k++)
        there[k] = k < 4 * variants ? value[k] : 0;
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)there));
}

AVX2 static void unpack_variants(const gp_unpack *in, uint8_t *tile, int64_t step) {
    int64_t next = step * GP_TILE_BYTES;
    for (int64_t first = 0; first < in->groups; first += 4) { /* a line of the cache */
        int64_t last = first + 4 < in->groups ? first + 4 : in->groups;
        for (int64_t q = 0; q < GP_TILE_LINES; q++) {
            int64_t rows = in->variants - 4 * q;
            __m256i table = sixteen_values(in->value + 16 * q, rows);
            const uint8_t *calls = in->calls + 4 * q * in->pitch;
            uint8_t *to = tile + 4 * first * next + q * LINE;
            for (int64_t g = first; g < last; g++, to += 4 * next) {
                __m256i cells[2];
                weave(calls + g * GROUP, in->pitch, rows, cells);
                spread_variants(cells[0], table, to, to + next);
                spread_variants(cells[1], table, to + 2 * next, to + 3 * next);
            }
        }
    }
}

AVX2 static void turn(const uint8_t *from, uint8_t *to) {
    for (int k = 0; k < 4; k++) /* 4 columns of cells become 4 lines, 8 cells at a time */
        for (int half = 0; half < 2; half++) {
            const uint8_t *at = from + 16 * k + 8 * LINE * half;
            uint8_t *out = to + 4 * LINE * k + 32 * half;
            __m256i r0 = two_halves(at, at + 4 * LINE), r1 = two_halves(at + LINE, at + 5 * LINE);
            __m256i r2 = two_halves(at + 2 * LINE, at + 6 * LINE);
            __m256i r3 = two_halves(at + 3 * LINE, at + 7 * LINE);
            __m256i a = _mm256_unpacklo_epi32(r0, r1), b = _mm256_unpacklo_epi32(r2, r3);
            __m256i c = _mm256_unpackhi_epi32(r0, r1), d = _mm256_unpackhi_epi32(r2, r3);
            _mm256_store_si256((__m256i *)out, _mm256_unpacklo_epi64(a, b));
            _mm256_store_si256((__m256i *)(out + LINE), _mm256_unpackhi_epi64(a, b));
            _mm256_store_si256((__m256i *)(out + 2 * LINE), _mm256_unpacklo_epi64(c, d));
            _mm256_store_si256((__m256i *)(out + 3 * LINE), _mm256_unpackhi_epi64(c, d));
        }
}

INLINE __m256i cell(const uint8_t *at) {
    int32_t four;
    __builtin_memcpy(&four, at, sizeof four);
    return _mm256_set1_epi32(four);
}

INLINE __m256i load(const void *at) {
    return _mm256_load_si256(at);
}

/* Tiles of terms whose pairs add up in int16: 16 lines each, of pairs of at most 512 in size, are
 * at most 3 * 16 * 512 = 24,576. */
enum { STRETCH = 3 };

/* Sums of 4 rows and 16 columns over up to STRETCH tiles of terms. */
INLINE void add_block(const uint8_t *left, const uint8_t *right, int64_t terms, int32_t *sums,
                      int fresh) {
    __m256i pairs[8], zero = _mm256_setzero_si256();
    for (int k = 0; k < 8; k++)
        pairs[k] = zero;
    for (int64_t k = 0; k < terms * GP_TILE_BYTES; k += GP_TILE_BYTES)
        for (int q = 0; q < GP_TILE_LINES; q++) {
            __m256i c0 = load(right + k + q * LINE), c1 = load(right + k + q * LINE + 32);
            for (int r = 0; r < 4; r++) {
                __m256i four = cell(left + k + r * LINE + 4 * q);
                pairs[2 * r] = _mm256_add_epi16(pairs[2 * r], _mm256_maddubs_epi16(four, c0));
                pairs[2 * r + 1] =
                    _mm256_add_epi16(pairs[2 * r + 1], _mm256_maddubs_epi16(four, c1));
            }
        }
    for (int k = 0; k < 8; k++) {
        __m256i *to = (__m256i *)(sums + 8 * k);
        __m256i s = _mm256_madd_epi16(pairs[k], _mm256_set1_epi16(1));
        _mm256_store_si256(to, fresh ? s : _mm256_add_epi32(load(to), s));
    }
}

AVX2 static void multiply(const gp_tiles *p) {
    for (int64_t k = 0; k < p->terms; k += STRETCH) {
        int64_t terms = p->terms - k < STRETCH ? p->terms - k : STRETCH;
        int fresh = k == 0 && !p->add;
        for (int64_t r = 0; r < p->rows; r++)
            for (int64_t c = 0; c < p->columns; c++) {
                const uint8_t *left = p->left + (r * p->left_step + k) * GP_TILE_BYTES;
                const uint8_t *right = p->right + (c * p->right_step + k) * GP_TILE_BYTES;
                int32_t *sums = p->sums + (r * p->columns + c) * GP_TILE_SUMS;
                for (int four = 0; four < 4; four++)
                    add_block(left + 4 * four * LINE, right, terms, sums + 4 * four * GP_TILE_LINES,
                              fresh);
            }
    }
}

/* Two words' low and high bits and masks fill each other's odd bits, so that one count does for
 * both. */
AVX2 static void count(const uint8_t *row, const uint8_t *mask, int64_t bytes, int64_t count[4]) {
    const uint64_t even = 0x5555555555555555u;
    int64_t all = 0, low = 0, high = 0, both = 0;
    for (int64_t k = 0; k < bytes; k += 16) {
        uint64_t g[2], m[2];
        __builtin_memcpy(g, row + k, sizeof g);
        __builtin_memcpy(m, mask + k, sizeof m);
        uint64_t in = m[0] | m[1] << 1;
        uint64_t l = ((g[0] & even) | (g[1] << 1 & ~even)) & in;
        uint64_t h = ((g[0] >> 1 & even) | (g[1] & ~even)) & in;
        all += __builtin_popcountll(in);
        low += __builtin_popcountll(l);
        high += __builtin_popcountll(h);
        both += __builtin_popcountll(l & h);
    }
    count[0] += all;
    count[1] += low;
    count[2] += high;
    count[3] += both;
}

AVX2 static int64_t list_missing(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                                 int32_t *sample) {
    return gp_list_missing(row, mask, bytes, sample);
}

/* Vectors of 4 sums stay in registers while the rows pass. */
INLINE void add_vectors(int vectors, const int64_t *table, int64_t width, const int32_t *row,
                        int64_t rows, int64_t *to) {
    __m256i sum[8];
    for (int k = 0; k < vectors; k++)
        sum[k] = load(to + 4 * k);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t *from = table + row[i] * width;
        for (int k = 0; k < vectors; k++)
            sum[k] = _mm256_add_epi64(sum[k], load(from + 4 * k));
    }
    for (int k = 0; k < vectors; k++)
        _mm256_store_si256((__m256i *)(to + 4 * k), sum[k]);
}

AVX2 static void add_rows(const int64_t *table, int64_t width, const int32_t *row, int64_t rows,
                          int64_t *to) {
    int64_t k = 0;
    for (; k + 32 <= width; k += 32)
        add_vectors(8, table + k, width, row, rows, to + k);
    for (; k < width; k += 8)
        add_vectors(2, table + k, width, row, rows, to + k);
}

const gp_kernel gp_kernel_avx2 = {.name = "avx2",
                                  .runs_here = gp_x86_runs_avx2,
                                  .unpack_samples = unpack_samples,
                                  .unpack_variants = unpack_variants,
                                  .turn = turn,
                                  .multiply = multiply,
                                  .count = count,
                                  .list_missing = list_missing,
                                  .add_rows = add_rows};
#endif
