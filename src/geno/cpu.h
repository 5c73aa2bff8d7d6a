/** Which kernel does the exact products on this machine. Local. */
#ifndef GP_SRC_GENO_CPU_H
#define GP_SRC_GENO_CPU_H

#include "src/base/err.h"

/** Name of the kernel in use: "portable", "avx2", "avx512" or "amx". Results do not depend on it.
 */
const char *gp_cpu_kernel(void);

/** GP_EINPUT where the environment variable GP_KERNEL names no kernel, or one that cannot run
 *  here. */
int gp_cpu_check(gp_err *err);

#endif
