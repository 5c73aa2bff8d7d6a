/** Sums of digits joined to int64: the last step of a relationship matrix. Private to src/geno.
 *
 *  Local, thread-safe. All additions are modulo 2^64.
 */
#ifndef GP_SRC_GENO_GRAM_JOIN_H
#define GP_SRC_GENO_GRAM_JOIN_H

#include <stdint.h>

/** Joins 16 x 16 integers: (sum over d of 256^d digit d) * 2^shift.
 *    digits  in     2 to 4
 *    sums    in     [digits] sum tiles (src/geno/kernel.h), of size at most 2^21 each; with two
 *                   digits anything
 *    add     in     0: `to` is overwritten; 1: added to
 *    to      inout  [16 x 16], rows of pitch integers */
typedef void gp_gram_join(const int32_t *sums, int digits, int shift, int add, int64_t *to,
                          int64_t pitch);

/** Adds from[k] + a[k] + b to `count` integers. */
typedef void gp_gram_add_row(const int64_t *from, const int64_t *a, int64_t b, int64_t count,
                             int64_t *to);

/** The two, compiled for what a kernel of this name (src/geno/kernel.h) runs on. */
typedef struct gp_gram_joins {
    gp_gram_join *join;
    gp_gram_add_row *add_row;
} gp_gram_joins;

gp_gram_joins gp_gram_joins_for(const char *kernel);

#endif
