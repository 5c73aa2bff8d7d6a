#include "src/geno/product_join.h"
#include "src/base/split.h"

#include <string.h>

/* With a known number of digits compilers unroll the inner loop. */
__attribute__((always_inline)) static inline void join(const int32_t *digit, int digits,
                                                       int64_t integers, int add, int64_t *to) {
    for (int64_t k = 0; k < integers; k++, digit += digits) {
        uint64_t sum = add ? (uint64_t)to[k] : 0;
        for (int d = 0; d < digits; d++)
            sum += (uint64_t)(int64_t)digit[d] << (8 * d);
        to[k] = (int64_t)sum;
    }
}

/* Sixteen integers or fewer: their digits side by side first. */
static void join_some(const int32_t *sums, int digits, int64_t integers, int add, int64_t *to) {
    int32_t digit[8 * GP_TILE_LINES];
    for (int64_t c = 0; c * GP_TILE_LINES < integers * digits; c++)
        memcpy(digit + c * GP_TILE_LINES, sums + c * GP_TILE_SUMS, GP_TILE_LINES * sizeof *digit);
    if (digits == 5)
        join(digit, 5, integers, add, to);
    else if (digits == 6)
        join(digit, 6, integers, add, to);
    else if (digits == 7)
        join(digit, 7, integers, add, to);
    else
        join(digit, digits, integers, add, to);
}

void gp_digits_join_plain(const gp_digit_sums *from, int add, int64_t *to) {
    for (int64_t k = 0; k < from->integers; k += GP_TILE_LINES)
        join_some(from->sums + k / GP_TILE_LINES * from->digits * GP_TILE_SUMS, from->digits,
                  gp_least(from->integers - k, GP_TILE_LINES), add, to + k);
}

gp_digits_join *gp_digits_join_for(const gp_kernel *kernel) {
#if defined(__x86_64__)
    if (kernel == &gp_kernel_amx || kernel == &gp_kernel_avx512)
        return gp_digits_join_avx512;
#endif
    (void)kernel;
    return gp_digits_join_plain;
}
