#include "src/nn/tensors.h"
#include "src/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static gp_real *find(const gp_nn_table *table, gp_real *base, const char *name) {
    const gp_nn_tensor *t = gp_nn_table_find(table, name);
    return t != NULL ? base + t->first : NULL;
}

static gp_real *find_in(const gp_nn_table *table, gp_real *base, int64_t block, const char *part) {
    char name[sizeof table->tensor->name];
    snprintf(name, sizeof name, "block.%lld.%s", (long long)block, part);
    return find(table, base, name);
}

int gp_nn_tensors_init(gp_nn_tensors *t, const gp_nn_table *table, gp_real *base, gp_err *err) {
    int64_t layers = table->groups - 2;
    *t = (gp_nn_tensors){.norm_weight = find(table, base, "norm.weight"),
                         .norm_bias = find(table, base, "norm.bias"),
                         .head = find(table, base, "head.weight"),
                         .head_bias = find(table, base, "head.bias"),
                         .linear = find(table, base, "linear.weight"),
                         .decode = find(table, base, "decode.weight"),
                         .decode_bias = find(table, base, "decode.bias"),
                         .patch = find(table, base, "patch.weight"),
                         .patch_bias = find(table, base, "patch.bias"),
                         .covariate = find(table, base, "covariate.weight"),
                         .covariate_bias = find(table, base, "covariate.bias"),
                         .mask = find(table, base, "mask.token")};
    t->block = gp_mem_alloc(layers, sizeof *t->block, err);
    if (t->block == NULL)
        return err->code;
    for (int64_t k = 0; k < layers; k++)
        t->block[k] = (gp_nn_block_tensors){.norm_weight = find_in(table, base, k, "norm.weight"),
                                            .norm_bias = find_in(table, base, k, "norm.bias"),
                                            .qkv = find_in(table, base, k, "qkv.weight"),
                                            .out = find_in(table, base, k, "out.weight"),
                                            .up = find_in(table, base, k, "up.weight"),
                                            .up_bias = find_in(table, base, k, "up.bias"),
                                            .down = find_in(table, base, k, "down.weight"),
                                            .down_bias = find_in(table, base, k, "down.bias")};
    return GP_OK;
}

void gp_nn_tensors_free(gp_nn_tensors *tensors) {
    free(tensors->block);
    tensors->block = NULL;
}
