/** Low-rank updates: matrices W that adapt are W0 + s B A, s = alpha / R = 2, with A [R x in]
 *  and B [out x R] trained and W0 held. Gradients of A and B follow from that of W (dB = s dW
 *  A', dA = s B' dW), so the network knows nothing of it. Local. Source: Hu et al. 2021,
 *  arXiv:2106.09685. */
#ifndef GP_SRC_NN_LORA_H
#define GP_SRC_NN_LORA_H

#include "src/nn/parameters.h"

typedef struct gp_nn_lora {
    int64_t rank;       /* R; alpha = 2 R */
    gp_nn_table table;  /* of the adapters: "block.K.qkv.lora_a", ".lora_b" ..., in the order of the
                           network's tensors; one group; they decay */
    gp_real *parameter; /* [table.parameters] A normal, B 0 */
    gp_real *base;      /* [parameters of the network] W0 */
} gp_nn_lora;

/** Makes adapters for a network whose parameters are given. GP_EINPUT where R is below 1 or
 *  above the channels, or nothing adapts. Comes zeroed; freed in any case. */
int gp_nn_lora_init(gp_nn_lora *lora, const gp_nn_table *table, const gp_real *parameter,
                    int64_t rank, uint64_t seed, gp_err *err);
void gp_nn_lora_free(gp_nn_lora *lora);

/** Gradients of the adapters from those of the network, in a fixed order of sums; by one thread.
 *    gradient  in   [parameters of the network]
 *    to        out  [lora->table.parameters]
 *  Cost: 4 R multiply-adds a number that adapts. */
void gp_nn_lora_gradient(const gp_nn_lora *lora, const gp_nn_table *table, const gp_real *gradient,
                         gp_real *to);

/** Sets the network's matrices that adapt from base and adapters; the others stay as they are.
 *    parameter  inout  [parameters of the network]
 *  Cost: R multiply-adds a number that adapts, with threads of OpenMP. */
void gp_nn_lora_apply(const gp_nn_lora *lora, const gp_nn_table *table, gp_real *parameter);

#endif
