#include "src/geno/gram_join.h"
#include "src/geno/kernel.h"

#include <string.h>

#define INLINE __attribute__((always_inline)) static inline

/* Two digits of 3 or 4 still fit an int32; that halves the conversions to 64 bits. */
INLINE void join_digits(const int32_t *sums, int digits, int shift, int add, int64_t *to,
                        int64_t pitch) {
    const int32_t *s1 = sums + GP_TILE_SUMS, *s2 = s1 + GP_TILE_SUMS, *s3 = s2 + GP_TILE_SUMS;
    for (int64_t r = 0; r < GP_TILE_LINES; r++)
        for (int64_t k = 0, i = r * GP_TILE_LINES; k < GP_TILE_LINES; k++, i++) {
            int32_t low = sums[i] + 256 * s1[i];
            int32_t high = s2[i] + (digits > 3 ? 256 * s3[i] : 0);
            uint64_t v = ((uint64_t)(int64_t)low + ((uint64_t)(int64_t)high << 16)) << shift;
            to[r * pitch + k] = (int64_t)(v + (add ? (uint64_t)to[r * pitch + k] : 0));
        }
}

/* Sums of left bytes above 2 do not. */
INLINE void join_wide(const int32_t *sums, int shift, int add, int64_t *to, int64_t pitch) {
    const int32_t *s1 = sums + GP_TILE_SUMS;
    for (int64_t r = 0; r < GP_TILE_LINES; r++)
        for (int64_t k = 0, i = r * GP_TILE_LINES; k < GP_TILE_LINES; k++, i++) {
            uint64_t v = ((uint64_t)(int64_t)sums[i] + ((uint64_t)(int64_t)s1[i] << 8)) << shift;
            to[r * pitch + k] = (int64_t)(v + (add ? (uint64_t)to[r * pitch + k] : 0));
        }
}

INLINE void join(const int32_t *sums, int digits, int shift, int add, int64_t *to, int64_t pitch) {
    if (digits == 3 && add)
        join_digits(sums, 3, shift, 1, to, pitch);
    else if (digits == 3)
        join_digits(sums, 3, shift, 0, to, pitch);
    else if (digits == 2 && add)
        join_wide(sums, shift, 1, to, pitch);
    else if (digits == 2)
        join_wide(sums, shift, 0, to, pitch);
    else
        join_digits(sums, digits, shift, add, to, pitch);
}

INLINE void add_row(const int64_t *from, const int64_t *a, int64_t b, int64_t count, int64_t *to) {
    for (int64_t k = 0; k < count; k++)
        to[k] = (int64_t)((uint64_t)to[k] + (uint64_t)from[k] + (uint64_t)a[k] + (uint64_t)b);
}

/* The same C for every CPU: the compiler picks the instructions. */
#define VERSION(name, attributes)                                                                  \
    attributes static void join_##name(const int32_t *sums, int digits, int shift, int add,        \
                                       int64_t *to, int64_t pitch) {                               \
        join(sums, digits, shift, add, to, pitch);                                                 \
    }                                                                                              \
    attributes static void add_row_##name(const int64_t *from, const int64_t *a, int64_t b,        \
                                          int64_t count, int64_t *to) {                            \
        add_row(from, a, b, count, to);                                                            \
    }

VERSION(plain, )
#if defined(__x86_64__)
VERSION(avx2, __attribute__((target("avx2"))))
VERSION(avx512, __attribute__((target("avx512f,avx512bw,avx512vl"))))
#endif

gp_gram_joins gp_gram_joins_for(const char *kernel) {
#if defined(__x86_64__)
    if (strcmp(kernel, "avx2") == 0)
        return (gp_gram_joins){join_avx2, add_row_avx2};
    if (strcmp(kernel, "avx512") == 0 || strcmp(kernel, "amx") == 0)
        return (gp_gram_joins){join_avx512, add_row_avx512};
#endif
    (void)kernel;
    return (gp_gram_joins){join_plain, add_row_plain};
}
