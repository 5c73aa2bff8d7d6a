/** Tokens of covariates: covariate k of a sample becomes z w_k + b_k, its token k.
 *  Local, thread-safe. */
#ifndef GP_SRC_NN_COVARIATE_H
#define GP_SRC_NN_COVARIATE_H

#include "src/nn/real.h"
#include <stdint.h>

typedef struct gp_nn_covariate {
    int64_t samples, covariates, tokens, channels;
    const gp_real *z;             /* [S x c] */
    const gp_real *weight, *bias; /* [c x C] each */
} gp_nn_covariate;

/**    token  out  [S x T x C] tokens 0 to c - 1 of each sample */
void gp_nn_covariate_forward(const gp_nn_covariate *covariate, gp_real *token);

/**    dtoken          in   [S x T x C]
 *     dweight, dbias  out  [c x C] each */
void gp_nn_covariate_gradient(const gp_nn_covariate *covariate, const gp_real *dtoken,
                              gp_real *dweight, gp_real *dbias);

#endif
