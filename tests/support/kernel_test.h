/** Tests that ctest runs once per kernel: GP_KERNEL in the environment names it. */
#ifndef GP_TESTS_SUPPORT_KERNEL_TEST_H
#define GP_TESTS_SUPPORT_KERNEL_TEST_H

#include "src/geno/cpu.h"
#include <stdio.h>

enum { GP_TEST_SKIPPED = 77 };

/** Says so where the kernel that is asked for does not run on this machine: main then returns
 *  GP_TEST_SKIPPED. */
static inline int gp_test_no_kernel(void) {
    gp_err err = {0};
    if (gp_cpu_check(&err) == GP_OK)
        return 0;
    printf("skipped: %s\n", err.text);
    return 1;
}

#endif
