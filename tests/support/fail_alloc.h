/** Faults of memory: a piece of work is run again and again, its k-th allocation failing for k = 1,
 * 2,
 * ... until it needs fewer than k. Include cmocka.h first.
 */
#ifndef GP_TESTS_SUPPORT_FAIL_ALLOC_H
#define GP_TESTS_SUPPORT_FAIL_ALLOC_H

#include "src/base/mem.h"
#include <string.h>

/** Does the work and frees all that it made, whether it failed or not; returns its code. */
typedef int gp_test_work(void *context, gp_err *err);

/** Asserts that every failing allocation comes back as GP_EFAIL with the word "memory". Returns how
 * many allocations the work needs. The address sanitizer sees what it leaks. */
static inline int64_t gp_test_fail_each(gp_test_work *work, void *context) {
    for (int64_t k = 1;; k++) {
        gp_err err = {0};
        gp_mem_fail_at(k);
        int code = work(context, &err);
        gp_mem_fail_at(0);
        assert_int_equal(code, err.code);
        if (code == GP_OK)
            return k - 1;
        assert_int_equal(code, GP_EFAIL);
        assert_non_null(strstr(err.text, "memory"));
        assert_true(k < 1000);
    }
}

#endif
