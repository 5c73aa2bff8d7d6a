#include "io/crc32.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void gp_crc32_init(gp_crc32 *crc) {
    const uint32_t polynomial = 0xEDB88320u; /* lowest bit first */
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t x = b;
        for (int k = 0; k < 8; k++)
            x = x >> 1 ^ (x & 1 ? polynomial : 0);
        crc->table[0][b] = x;
    }
    for (int follow = 1; follow < 8; follow++)
        for (int b = 0; b < 256; b++) {
            uint32_t x = crc->table[follow - 1][b];
            crc->table[follow][b] = x >> 8 ^ crc->table[0][x & 0xFF];
        }
}

/* Goes on from a register, neither inverted here nor there. */
static uint32_t by_table(const gp_crc32 *crc, uint32_t x, const uint8_t *p, int64_t n) {
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t first = x ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                              (uint32_t)p[3] << 24);
        x = crc->table[7][first & 0xFF] ^ crc->table[6][first >> 8 & 0xFF] ^
            crc->table[5][first >> 16 & 0xFF] ^ crc->table[4][first >> 24] ^ crc->table[3][p[4]] ^
            crc->table[2][p[5]] ^ crc->table[1][p[6]] ^ crc->table[0][p[7]];
    }
    for (; n > 0; n--, p++)
        x = x >> 8 ^ crc->table[0][(x ^ *p) & 0xFF];
    return x;
}

uint32_t gp_crc32_portable(const gp_crc32 *crc, const void *bytes, int64_t n) {
    return ~by_table(crc, ~0u, bytes, n);
}

#if defined(__x86_64__)
#define CARRYLESS __attribute__((target("pclmul,sse2")))

CARRYLESS static inline __m128i load(const uint8_t *from) {
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

/* Carries 16 bytes over a distance that `factors` stand for, onto what stands there. */
CARRYLESS static inline __m128i fold(__m128i x, __m128i factors, __m128i there) {
    __m128i low = _mm_clmulepi64_si128(x, factors, 0x00);
    __m128i high = _mm_clmulepi64_si128(x, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

/* n >= 64. What is left after folding, 16 bytes and the rest, has the same check sum. */
CARRYLESS static uint32_t by_folding(const gp_crc32 *crc, const uint8_t *p, int64_t n) {
    const __m128i by_64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4); /* bytes further on */
    const __m128i by_16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
    __m128i x[4];
    uint8_t left[16];
    for (int k = 0; k < 4; k++)
        x[k] = load(p + 16 * k);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(-1));
    for (n -= 64, p += 64; n >= 64; n -= 64, p += 64)
        for (int k = 0; k < 4; k++)
            x[k] = fold(x[k], by_64, load(p + 16 * k));
    for (int k = 1; k < 4; k++)
        x[0] = fold(x[0], by_16, x[k]);
    for (; n >= 16; n -= 16, p += 16)
        x[0] = fold(x[0], by_16, load(p));
    _mm_storeu_si128((__m128i *)(void *)left, x[0]);
    return ~by_table(crc, by_table(crc, 0, left, 16), p, n);
}

uint32_t gp_crc32_of(const gp_crc32 *crc, const void *bytes, int64_t n) {
    if (n >= 64 && __builtin_cpu_supports("pclmul"))
        return by_folding(crc, bytes, n);
    return gp_crc32_portable(crc, bytes, n);
}
#else
uint32_t gp_crc32_of(const gp_crc32 *crc, const void *bytes, int64_t n) {
    return gp_crc32_portable(crc, bytes, n);
}
#endif
