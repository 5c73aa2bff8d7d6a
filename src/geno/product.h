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

/** Sums over the samples whose call is missing: sums[k][c] = sum over samples i of v[i][c] where
 *  variant[k] is missing in i. OpenMP threads share it. With 0.1% missing it costs about a third of
 *  the product, from 0.6% on as much.
 *    variant  in   [count] of calls, counted from the first
 *    sums     out  [count x y->columns] row-major */
void gp_product_of_missing(gp_product *product, const gp_calls *calls, const int64_t *variant,
                           int64_t count, int64_t *sums);

/** A finished part of both: some variants by some columns. */
typedef struct gp_product_part {
    int64_t variant, variants, column, columns;
    const int64_t *sums;    /* [variants x columns], pitch from one variant to the next */
    const int64_t *missing; /* likewise; or NULL: no call is missing */
    int64_t pitch;
} gp_product_part;

/** Who takes the parts: from any thread, each part once, in any order. */
typedef struct gp_product_taker {
    void (*take)(void *context, const gp_product_part *part);
    void *context;
    int64_t most;     /* variants of calls, at most */
    int64_t *scratch; /* [gp_product_part_scratch] for the threads of the product's making */
} gp_product_taker;

/** Across samples, and of missing calls, in parts: for operands of so many columns that sums of all
 *  would not stay in a cache. OpenMP threads share it.
 *    count  in  [calls->m x 4] how many samples have each call: missing ones count where a variant
 *               has any */
void gp_product_in_parts(gp_product *product, const gp_calls *calls, const int64_t *count,
                         const gp_product_taker *taker);

/** Its scratch for an operand of this shape (gp_operand_init). */
int64_t gp_product_part_scratch(int64_t terms, int64_t columns, int bits, int64_t most);

/** Across variants: y's terms are the variants of calls, of which calls may have fewer; later
 * blocks of variants add up in sums if their operands have the same exponents. OpenMP threads share
 * it. missing  in     [calls->m x y->columns] what a missing call counts, in the operand's fixed
 *                     point (the variant's mean times its v: imputation by the mean, as sparse
 *                     corrections); or NULL: 0
 *    sums     inout  [samples of calls x y->columns] row-major */
void gp_product_across_variants(gp_product *product, const gp_calls *calls, const int64_t *missing,
                                int64_t *sums);

#endif
