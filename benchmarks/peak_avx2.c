#include "benchmarks/peak.h"

#include <immintrin.h>

/* In assembly, since the product of two constants would be made once, before the loop. */
#define ADD(sum)                                                                                   \
    do {                                                                                           \
        __m256i product;                                                                           \
        __asm__ volatile("vpmaddubsw %1, %1, %0" : "=x"(product) : "x"(one));                      \
        __asm__ volatile("vpaddw %1, %0, %0" : "+x"(sum) : "x"(product));                          \
    } while (0)

int64_t bench_peak_avx2(int64_t loops) {
    const __m256i one = _mm256_set1_epi8(1), zero = _mm256_setzero_si256();
    __m256i a = zero, b = zero, c = zero, d = zero, e = zero, f = zero, g = zero, h = zero;
    for (int64_t loop = 0; loop < loops; loop++) {
        ADD(a);
        ADD(b);
        ADD(c);
        ADD(d);
        ADD(e);
        ADD(f);
        ADD(g);
        ADD(h);
    }
    return loops * 8 * 32 * 2;
}
