/** How digit sums become the integers whose digits they are. Private to src/geno/product*.c. */
#ifndef GP_SRC_GENO_PRODUCT_JOIN_H
#define GP_SRC_GENO_PRODUCT_JOIN_H

#include "src/geno/kernel.h"

/** A line of sum tiles side by side; the first holds the first digit of an integer. */
typedef struct gp_digit_sums {
    const int32_t *sums; /* the line of the first tile; the next tile's is GP_TILE_SUMS on */
    int digits;          /* of an integer */
    int64_t integers;
} gp_digit_sums;

/** Joins digit sums: sum over d of 256^d digit[d], modulo 2^64. Local, thread-safe. The same
 *  integers by each.
 *    add  in     1: added to `to`; 0: overwrites it
 *    to   inout  [integers] */
typedef void gp_digits_join(const gp_digit_sums *from, int add, int64_t *to);
gp_digits_join gp_digits_join_plain;
#if defined(__x86_64__)
gp_digits_join gp_digits_join_avx512;
#endif

/** The fastest that runs where this kernel does. */
gp_digits_join *gp_digits_join_for(const gp_kernel *kernel);

#endif
