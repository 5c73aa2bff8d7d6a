#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2")))
#define LOOPS gp_nn_loops_avx2
#define NAME "avx2"
#define RUNS_HERE runs_here

/* The compiler's test covers the registers that the operating system keeps. */
static int runs_here(void) {
    return __builtin_cpu_supports("avx2") != 0;
}

#include "src/nn/loops_body.h"
#else
typedef int nothing; /* a file must hold something */
#endif
