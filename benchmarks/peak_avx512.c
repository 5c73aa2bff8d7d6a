#include "benchmarks/peak.h"

#include <immintrin.h>

/* In assembly, since gcc 12 moves the sums about between the intrinsics' instructions. */
#define ADD(sum) __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sum) : "v"(one))

int64_t bench_peak_avx512(int64_t loops) {
    const __m512i one = _mm512_set1_epi8(1), zero = _mm512_setzero_si512();
    __m512i a = zero, b = zero, c = zero, d = zero, e = zero, f = zero, g = zero, h = zero;
    __m512i i = zero, j = zero, k = zero, l = zero;
    for (int64_t loop = 0; loop < loops; loop++) {
        ADD(a);
        ADD(b);
        ADD(c);
        ADD(d);
        ADD(e);
        ADD(f);
        ADD(g);
        ADD(h);
        ADD(i);
        ADD(j);
        ADD(k);
        ADD(l);
    }
    return loops * 12 * 64 * 2;
}
