/** Loops of nothing but multiply-adds of bytes in registers, one per kernel (src/geno/kernel.h):
 *  what the arithmetic of a core can do when nothing has to be fetched or unpacked.
 *
 *  Each runs `loops` rounds and returns how many multiplications and additions of bytes that was;
 *  time them from outside. Thread-safe. Only for CPUs on which the kernel of that name runs, and,
 *  for AMX, after it was asked whether it does (that is where the system's permission is got).
 */
#ifndef GP_BENCHMARKS_PEAK_H
#define GP_BENCHMARKS_PEAK_H

#include <stdint.h>

#if defined(__x86_64__)
int64_t bench_peak_amx(int64_t loops);    /* tdpbusd on four tiles of sums */
int64_t bench_peak_avx512(int64_t loops); /* vpdpbusd on twelve registers of sums */
/* vpmaddubsw, and vpaddw on eight registers of sums: sums of 16 bits, as that kernel has them. */
int64_t bench_peak_avx2(int64_t loops);
#endif

#endif
