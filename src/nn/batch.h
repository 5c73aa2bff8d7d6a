/** Samples that go through the network together: a gradient shard, or a shard of predictions.
 *  All borrowed. */
#ifndef GP_SRC_NN_BATCH_H
#define GP_SRC_NN_BATCH_H

#include "src/nn/real.h"
#include <stdint.h>

typedef struct gp_nn_batch {
    int64_t samples;             /* S */
    const uint8_t *const *calls; /* [S] each a row of m calls: call j sits in byte j / 4, at bits
                                    2 (j % 4); the 2-bit code of src/geno/code.h */
    const gp_real *covariate;    /* [S x c] standardised; no NaN */
    const gp_real *offset;       /* [S x p] added to the outputs; NULL: 0 */
    const gp_real *target;       /* [S x p] NaN = missing; NULL: no loss is wanted */
    const uint8_t *masked;       /* [S x patches] 1 = the mask token stands for the patch, and its
                                    variants count 0 in the linear path; NULL: none */
    const int64_t *sample;       /* [S] numbers of the samples in the store: names their dropout */
    uint64_t seed;               /* of dropout */
    uint32_t step;               /* of training; another step, another dropout */
    gp_real dropout;             /* 0 to < 1; 0 in prediction */
    int linear;                  /* 1 = the linear path is part of the outputs */
} gp_nn_batch;

#endif
