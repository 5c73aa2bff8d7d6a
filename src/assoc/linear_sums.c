#include "src/assoc/linear_block.h"

#include <string.h>

void gp_linear_sums(gp_linear *model, const gp_calls *calls, int64_t *sums) {
    gp_linear_block at = gp_linear_block_of(model, calls->m);
    int64_t *moments = sums + at.moments, *call = sums + at.calls;
    memset(moments, 0, (size_t)(calls->m * model->moments.width) * sizeof *moments);
    gp_product_and_counts(model->product, calls, model->mask, sums + at.products, call);
    gp_moments_add(&model->moments, calls, model->mask, call, moments);
}
