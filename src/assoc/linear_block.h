/** How a block's sums lie in memory, and the tests' scratch. Private to src/assoc/linear*.c. */
#ifndef GP_SRC_ASSOC_LINEAR_BLOCK_H
#define GP_SRC_ASSOC_LINEAR_BLOCK_H

#include "src/assoc/linear.h"

/** Where the three runs of a block begin: one reduction takes all of them. Moments come first, for
 *  their alignment. */
typedef struct gp_linear_block {
    int64_t moments;  /* [m x moments.width] of the missing samples */
    int64_t products; /* [m x (c + p)] */
    int64_t calls;    /* [m x 4] counts */
} gp_linear_block;

static inline gp_linear_block gp_linear_block_of(const gp_linear *model, int64_t m) {
    int64_t products = m * model->moments.width;
    return (gp_linear_block){0, products, products + m * model->y.columns};
}

/** Numbers of scratch that a test takes. */
int64_t gp_linear_scratch(int64_t covariates, int64_t traits);

#endif
