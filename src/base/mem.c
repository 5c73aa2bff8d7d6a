#include "src/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Walks along rows that lie far apart spend their time on looking up small pages. */
enum { LARGE_PAGE = 2 << 20 };

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
    int large = rounded >= 2 * LARGE_PAGE;
    void *p = NULL;
    if (!must_fail() && posix_memalign(&p, large ? LARGE_PAGE : 64, rounded) != 0)
        p = NULL;
    if (p == NULL) {
        gp_err_set(
            err, GP_EFAIL,
            "memory: %lld bytes were refused; use more ranks or nodes, or fewer traits at once",
            (long long)bytes);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (large)
        (void)madvise(p, rounded, MADV_HUGEPAGE); /* a wish: the pages serve as they are */
#endif
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
