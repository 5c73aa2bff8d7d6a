/** The exact products of packed genotypes with a dense operand in fixed point.
 *
 *    across samples   sums[j][k] = sum over samples i of g[j][i] v[i][k]
 *    across variants  sums[i][k] = sum over variants j of g[j][i] v[j][k]
 *
 *  g is 0, 1 or 2, and 0 where the call is missing. Results are exact integers: the same for any
 *  kernel (src/geno/kernel.h), any number of threads, and, added up, for any cut of samples or
 *  variants. The int32 sums of a kernel are joined in int64 long before they could overflow.
 */
#ifndef GP_SRC_GENO_PRODUCT_H
#define GP_SRC_GENO_PRODUCT_H

#include "src/base/err.h"
#include "src/geno/calls.h"
#include "src/geno/fixed.h"
#include <stdint.h>

/** Scratch of the products with one operand, for the threads of OpenMP at the time of its making.
 *  Borrows y, whose values may change between products. One product at a time. */
typedef struct gp_product gp_product;

/** NULL and an error where memory is refused. */
gp_product *gp_product_new(const gp_operand *y, gp_err *err);
void gp_product_free(gp_product *product);

/** Bytes of scratch that gp_product_new takes, whatever the operand. */
int64_t gp_product_bytes(void);

/** Across samples: y's terms are the samples of calls. OpenMP threads share it.
 *    sums  out  [calls->m x y->columns] row-major; scaled by 2^exponent of its column */
void gp_product_across_samples(gp_product *product, const gp_calls *calls, int64_t *sums);

/** The same, and counts the calls in passing, while they are near.
 *    mask   in   of the samples that count, see src/geno/count.h
 *    count  out  [calls->m x 4] row-major: how many have each call */
void gp_product_and_counts(gp_product *product, const gp_calls *calls, const uint8_t *mask,
                           int64_t *sums, int64_t *count);

/** Across variants: y's terms are the variants of calls, of which calls may have fewer; later
 * blocks of variants add up in sums if their operands have the same exponents. OpenMP threads share
 * it. missing  in     [calls->m x y->columns] what a missing call counts, in the operand's fixed
 *                     point (the variant's mean times its v: imputation by the mean, as sparse
 *                     corrections); or NULL: 0
 *    sums     inout  [samples of calls x y->columns] row-major */
void gp_product_across_variants(gp_product *product, const gp_calls *calls, const int64_t *missing,
                                int64_t *sums);

#endif
