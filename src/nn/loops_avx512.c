#if defined(__x86_64__)
#define WIDE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define LOOPS gp_nn_loops_avx512
#define NAME "avx512"
#define RUNS_HERE runs_here

/* The compiler's test covers the registers that the operating system keeps. */
static int runs_here(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

#include "src/nn/loops_body.h"
#else
typedef int nothing; /* a file must hold something */
#endif
