/** What a kernel of the across-samples product is given. Private to src/geno. */
#ifndef GP_SRC_GENO_KERNEL_H
#define GP_SRC_GENO_KERNEL_H

#include "src/geno/fixed.h"
#include <stdint.h>

/** A rectangle of work: all m rows, bytes [first, last) of each row (4 samples a byte). */
typedef struct gp_kernel_block {
    const gp_operand *y;
    const uint8_t *rows;
    int64_t stride; /* bytes of a row */
    int64_t m;
    int64_t first, last;
} gp_kernel_block;

/** Adds the rectangle's products to sums [m x y->width]. Serial, allocates nothing. */
typedef void gp_kernel(const gp_kernel_block *block, int64_t *sums);

/** The reference: any machine, any compiler. */
gp_kernel gp_kernel_portable;

#endif
