#include "src/geno/product_join.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define INLINE AVX512 __attribute__((always_inline)) static inline

/* Sixteen integers of five digits are 80 digits, a line each of five tiles. Lane 2 k of a vector
 * below is integer k, lane 2 k + 1 integer k + 8, so that shifts and products of 64 bits take each
 * half. Digit d of integer i is at 5 i + d. */
enum { DIGITS = 5, INTEGERS = 16 };
#define AT(i) 5 * (i)
static const int32_t first_digit[INTEGERS]
    __attribute__((aligned(64))) = {AT(0), AT(8),  AT(1), AT(9),  AT(2), AT(10), AT(3), AT(11),
                                    AT(4), AT(12), AT(5), AT(13), AT(6), AT(14), AT(7), AT(15)};

/* The lanes at these places of five lines. */
INLINE __m512i pick(const __m512i line[DIGITS], __m512i at) {
    __mmask16 third = _mm512_cmpge_epi32_mask(at, _mm512_set1_epi32(32));
    __mmask16 fifth = _mm512_cmpge_epi32_mask(at, _mm512_set1_epi32(64));
    __m512i a = _mm512_permutex2var_epi32(line[0], at, line[1]);
    __m512i b = _mm512_permutex2var_epi32(line[2], at, line[3]);
    return _mm512_mask_permutexvar_epi32(_mm512_mask_mov_epi32(a, third, b), fifth, at, line[4]);
}

INLINE void join_sixteen(const int32_t *sums, int add, int64_t *to) {
    __m512i line[DIGITS];
    for (int c = 0; c < DIGITS; c++)
        line[c] = _mm512_load_si512(sums + c * GP_TILE_SUMS);
    __m512i at = _mm512_load_si512(first_digit);
    __m512i low = add ? _mm512_loadu_si512(to) : _mm512_setzero_si512();
    __m512i high = add ? _mm512_loadu_si512(to + 8) : _mm512_setzero_si512();
    for (int d = 0; d < 4; d++) {
        __m512i digit = pick(line, at), weight = _mm512_set1_epi64((int64_t)1 << 8 * d);
        low = _mm512_add_epi64(low, _mm512_mul_epi32(digit, weight));
        high = _mm512_add_epi64(high, _mm512_mul_epi32(_mm512_srli_epi64(digit, 32), weight));
        at = _mm512_add_epi32(at, _mm512_set1_epi32(1));
    }
    __m512i digit = pick(line, at); /* times 2^32 */
    low = _mm512_add_epi64(low, _mm512_slli_epi64(digit, 32));
    high = _mm512_add_epi64(high, _mm512_slli_epi64(_mm512_srli_epi64(digit, 32), 32));
    _mm512_storeu_si512(to, low);
    _mm512_storeu_si512(to + 8, high);
}

AVX512 void gp_digits_join_avx512(const gp_digit_sums *from, int add, int64_t *to) {
    gp_digit_sums rest = *from;
    if (from->digits == DIGITS)
        for (; rest.integers >= INTEGERS; rest.integers -= INTEGERS) {
            join_sixteen(rest.sums, add, to);
            rest.sums += DIGITS * GP_TILE_SUMS;
            to += INTEGERS;
        }
    if (rest.integers > 0)
        gp_digits_join_plain(&rest, add, to);
}
#endif
