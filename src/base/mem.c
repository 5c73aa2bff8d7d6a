#include "src/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_llong fail_at;

static int must_fail(void) {
    long long k = atomic_load(&fail_at);
    /* Two threads must not count the last step twice and so turn the switch off. */
    while (k > 1 && !atomic_compare_exchange_weak(&fail_at, &k, k - 1))
        ;
    return k == 1;
}

void gp_mem_fail_at(int64_t k) {
    atomic_store(&fail_at, k);
}

void *gp_mem_alloc(int64_t count, int64_t size, gp_err *err) {
    int64_t bytes = 0;
    if (count == 0)
        count = 1;
    if (count < 0 || size <= 0 || __builtin_mul_overflow(count, size, &bytes) ||
        bytes > INT64_MAX - 64) {
        gp_err_set(err, GP_EFAIL, "memory: an array of %lld x %lld bytes cannot exist",
                   (long long)count, (long long)size);
        return NULL;
    }
    size_t rounded = ((size_t)bytes + 63) / 64 * 64;
    void *p = must_fail() ? NULL : aligned_alloc(64, rounded);
    if (p == NULL) {
        gp_err_set(
            err, GP_EFAIL,
            "memory: %lld bytes were refused; use more ranks or nodes, or fewer traits at once",
            (long long)bytes);
        return NULL;
    }
    memset(p, 0, rounded);
    return p;
}

int gp_mem_grow(void *array_pointer, int64_t *capacity, int64_t need, int64_t size, gp_err *err) {
    if (need <= *capacity)
        return GP_OK;
    int64_t more = *capacity > 8 ? *capacity * 2 : 16;
    if (more < need)
        more = need;
    void *old = NULL;
    memcpy(&old, array_pointer, sizeof old);
    void *p = gp_mem_alloc(more, size, err);
    if (p == NULL)
        return err->code;
    if (old != NULL)
        memcpy(p, old, (size_t)(*capacity * size));
    free(old);
    memcpy(array_pointer, &p, sizeof p);
    *capacity = more;
    return GP_OK;
}

char *gp_mem_string(const char *s, int64_t n, gp_err *err) {
    char *p = gp_mem_alloc(n + 1, 1, err);
    if (p != NULL && n > 0)
        memcpy(p, s, (size_t)n);
    return p;
}
