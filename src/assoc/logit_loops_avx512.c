#if defined(__x86_64__)
#define WIDE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define LANES 8
#define LOOPS gp_logit_loops_avx512
#define NAME "avx512"
#include "src/assoc/logit_loops_body.h"
#else
typedef int nothing; /* a file must hold something */
#endif
