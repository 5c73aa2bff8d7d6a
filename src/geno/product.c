#include "src/geno/product.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/kernel.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

int gp_product_init(gp_product *product, const gp_operand *y, int64_t most_rows, gp_err *err) {
    product->y = y;
    product->most_rows = most_rows;
    product->threads = omp_get_max_threads();
    product->scratch =
        gp_mem_alloc(product->threads * most_rows, (y->width + 1) * (int64_t)sizeof(int64_t), err);
    return err->code;
}

void gp_product_free(gp_product *product) {
    free(product->scratch);
    *product = (gp_product){0};
}

void gp_product_across_samples(gp_product *product, const uint8_t *rows, int64_t m, int64_t *sums) {
    const gp_operand *y = product->y;
    int64_t stride = gp_geno_stride(y->samples), cells = m * y->width;
    int parts = product->threads;
    /* Threads share out the samples: a table of 256 rows is then made once, not once per thread. */
#pragma omp parallel for schedule(static) num_threads(parts)
    for (int part = 0; part < parts; part++) {
        int64_t *mine = product->scratch + part * product->most_rows * y->width;
        memset(mine, 0, (size_t)cells * sizeof *mine);
        gp_kernel_block block = {y,
                                 rows,
                                 stride,
                                 m,
                                 gp_split_begin(stride, GP_GENO_GROUP_BYTES, parts, part),
                                 gp_split_begin(stride, GP_GENO_GROUP_BYTES, parts, part + 1)};
        gp_kernel_portable(&block, mine);
    }
    memcpy(sums, product->scratch, (size_t)cells * sizeof *sums);
    for (int part = 1; part < parts; part++) {
        const int64_t *more = product->scratch + part * product->most_rows * y->width;
        for (int64_t k = 0; k < cells; k++)
            sums[k] += more[k];
    }
}
