/** The exact product across samples: sums[j][k] = sum over i of g[j][i] * v[i][k].
 *
 *  g is a block of packed genotypes (missing counts as 0), v a fixed-point operand. Results are
 *  exact integers: the same for any kernel, any number of threads, and, added up, for any cut of
 *  the samples. A new kernel is one function of the type gp_kernel (src/geno/kernel.h) and one
 *  line in product.c's table.
 */
#ifndef GP_SRC_GENO_PRODUCT_H
#define GP_SRC_GENO_PRODUCT_H

#include "src/base/err.h"
#include "src/geno/fixed.h"
#include <stdint.h>

/** An operand with the scratch that the kernels need. Borrows y. Not thread-safe: one product per
 *  caller. */
typedef struct gp_product {
    const gp_operand *y;
    int64_t most_rows; /* the largest block it can take */
    int threads;
    int64_t *scratch; /* [threads x most_rows x width] */
} gp_product;

/** Prepares products of blocks of up to most_rows variants with the threads of OpenMP. */
int gp_product_init(gp_product *product, const gp_operand *y, int64_t most_rows, gp_err *err);
void gp_product_free(gp_product *product);

/** Computes sums for one block. Uses OpenMP threads.
 *    rows  in  [m x gp_geno_stride(y->samples)] packed genotypes, aligned to 8 bytes; 1 <= m <=
 *               most_rows
 *    sums  out  [m x y->width] row-major; sum over samples, scaled by 2^exponent of its column
 *  Cost of the portable kernel: about m * n / 4 additions of a row of width integers, plus 340
 *  per 4 samples. */
void gp_product_across_samples(gp_product *product, const uint8_t *rows, int64_t m, int64_t *sums);

#endif
