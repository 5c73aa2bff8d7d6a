/** The shape of a network: what it reads, and how large it is.
 *
 *  A sample is a sequence of T tokens: one per covariate, then one per patch, which is a run of
 *  consecutive variants of one chromosome. Everywhere: S samples of a shard, m variants, c
 *  covariates, p traits, T tokens, C channels, L layers, H heads, D = C / H. Arrays are
 *  row-major, in the order of their indices. Local, plain values.
 */
#ifndef GP_SRC_NN_SHAPE_H
#define GP_SRC_NN_SHAPE_H

#include "src/base/err.h"
#include <stdint.h>

/** What the stack is trained for. */
typedef enum gp_nn_loss {
    GP_NN_SQUARED, /* a quantitative trait, in its own standard deviations */
    GP_NN_LOGISTIC /* a binary trait, 0 or 1: cross-entropy of the logit */
} gp_nn_loss;

typedef struct gp_nn_shape {
    int64_t variants;       /* m */
    int64_t patches;        /* T - c */
    const int64_t *first;   /* [patches + 1] first variant of each patch; first[patches] = m */
    const double *position; /* [patches] ascending; what rotary angles are made of */
    const int32_t
        *chromosome; /* [patches] number of its chromosome, 0 to chromosomes - 1, ascending */
    int32_t chromosomes;
    int64_t covariates;     /* c */
    int64_t traits;         /* p */
    const gp_nn_loss *loss; /* [p] */
    int64_t channels, layers, heads;
    int64_t rotary; /* channels of a head that are turned by position; even, <= D */
    int causal;     /* a token attends to itself and those before it */
    int decodes;    /* has what masked patches' genotypes are predicted with */
} gp_nn_shape;

static inline int64_t gp_nn_tokens(const gp_nn_shape *shape) {
    return shape->covariates + shape->patches;
}

/** GP_EINPUT, in words of the options, where sizes do not fit each other: heads that do not
 *  divide channels, rotary odd or above D, no token, sizes whose products overflow. */
int gp_nn_shape_check(const gp_nn_shape *shape, gp_err *err);

#endif
