#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2")))
#define LANES 4
#define LOOPS gp_logit_loops_avx2
#define NAME "avx2"
#include "src/assoc/logit_loops_body.h"
#else
typedef int nothing; /* a file must hold something */
#endif
