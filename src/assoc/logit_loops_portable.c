#define WIDE
#define LANES 2
#define LOOPS gp_logit_loops_portable
#define NAME "portable"
#include "src/assoc/logit_loops_body.h"
