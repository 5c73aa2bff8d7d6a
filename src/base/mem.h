/** Memory with checked sizes, and a switch that makes the k-th allocation fail (for tests). */
#ifndef GP_SRC_BASE_MEM_H
#define GP_SRC_BASE_MEM_H

#include "src/base/err.h"
#include <stdint.h>

/** Zeroed memory for count elements of size bytes, aligned to 64 bytes; released with free().
 *  Local, thread-safe. count 0 gives one element's room, so NULL always means failure: GP_EFAIL,
 *  with the number of bytes, also where count * size overflows or count is negative. 4 MiB and
 *  more begin on a large page, and ask the system for large ones. */
void *gp_mem_alloc(int64_t count, int64_t size, gp_err *err);

/** Grows *array (from gp_mem_alloc, or NULL) so that need elements fit; doubles, keeps the
 *  contents, zeroes the rest. *capacity is the number of elements it has room for. On failure
 *  *array is unchanged. */
int gp_mem_grow(void *array_pointer, int64_t *capacity, int64_t need, int64_t size, gp_err *err);

/** A copy of n bytes of s with a terminating zero. */
char *gp_mem_string(const char *s, int64_t n, gp_err *err);

/** Tests only: the k-th allocation from now fails (1 = the next), and all after it; 0 turns this
 *  off. */
void gp_mem_fail_at(int64_t k);

#endif
