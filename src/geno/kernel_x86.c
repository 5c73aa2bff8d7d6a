#include "src/geno/kernel_x86.h"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* The compiler's test of AVX covers the registers that the operating system keeps. */
int gp_x86_runs_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

int gp_x86_runs_avx512(void) {
    return gp_x86_runs_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vpopcntdq");
}

/* Register states that the operating system keeps. Source: Intel SDM vol. 1, 13.3 (XCR0). */
static uint64_t kept_states(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* Linux lends the tile data (8 KiB a thread) only to processes that ask; the leave holds for all
 * threads. Source: Linux, Documentation/arch/x86/xstate.rst. */
static int ask_for_tiles(void) {
#if defined(__linux__) && defined(SYS_arch_prctl)
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
    return 0;
#endif
}

/* Source: Intel SDM vol. 2, CPUID leaf 7 (EDX bits 24, 25: AMX-TILE, AMX-INT8; ECX bit 27 of leaf
 * 1: OSXSAVE); XCR0 bits 17 and 18 are the tile configuration and data. */
static int has_tiles(void) {
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1))
        return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d >> 24 & 3) != 3)
        return 0;
    return (kept_states() >> 17 & 3) == 3 && ask_for_tiles();
}

int gp_x86_runs_amx(void) {
    static int known; /* 1 no, 2 yes; threads that come at once find the same */
    int state = __atomic_load_n(&known, __ATOMIC_ACQUIRE);
    if (state == 0) {
        state = gp_x86_runs_avx512() && has_tiles() ? 2 : 1;
        __atomic_store_n(&known, state, __ATOMIC_RELEASE);
    }
    return state == 2;
}
#endif
