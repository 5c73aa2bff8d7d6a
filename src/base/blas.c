#include "src/base/blas.h"

#include <stddef.h>

extern void openblas_set_num_threads(int threads) __attribute__((weak));

void gp_blas_threads(int threads) {
    if (openblas_set_num_threads != NULL)
        openblas_set_num_threads(threads);
}
