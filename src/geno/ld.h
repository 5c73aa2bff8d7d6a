/** Linkage disequilibrium: exact sums and correlations of pairs of variants.
 *
 *  For variants j of one block and k of another, over the samples that count and that both are
 *  called in: their number n, the sums of the dosages a of j and b of k, of their squares, and of
 *  a b. Integers: the same on any kernel (src/geno/kernel.h) and threads, and sums over shards of
 *  samples add up. Where no call is missing in either block, one product of bytes makes them all;
 *  else six do (n, a, b, a^2, b^2 and a b). Source: the sample correlation of allele counts, as in
 *  Chang et al. 2015, GigaScience 4:7 (--r2).
 *
 *  Bounds. A sum is at most 4 per sample: those of up to GP_LD_MOST_SAMPLES fit an int32, and n
 *  times a sum an int64.
 */
#ifndef GP_SRC_GENO_LD_H
#define GP_SRC_GENO_LD_H

#include "src/base/err.h"
#include "src/geno/calls.h"
#include <stdint.h>

enum { GP_LD_MOST_SAMPLES = 1 << 28 };

typedef struct gp_ld_sums {
    int64_t n, a, b, aa, bb, ab;
} gp_ld_sums;

/** Sums of two blocks of variants, and scratch for OpenMP's threads at the time of its making. */
typedef struct gp_ld gp_ld;

/** Room for blocks of up to j by k variants: 24 bytes a pair, 96 KiB for every 16 variants of
 *  either block, and 40 KiB for each thread (36 MiB for 1024 x 1024). NULL and an error where
 *  memory is refused. */
gp_ld *gp_ld_new(int64_t j, int64_t k, gp_err *err);
void gp_ld_free(gp_ld *ld);

/** Makes the sums of two blocks over the same samples; j and k may be the same. OpenMP threads
 *  share it.
 *    mask  in  [gp_geno_stride(samples)] which samples count (src/geno/count.h), or NULL: all
 *  GP_EINPUT where the blocks are larger than the room, the samples too many or not as many in
 *  both; the sums from before are then gone.
 *  Cost: samples * pairs multiply-adds, 6 times that where a call is missing. */
int gp_ld_set(gp_ld *ld, const gp_calls *j, const gp_calls *k, const uint8_t *mask, gp_err *err);

/** The sums of variants j and k. */
gp_ld_sums gp_ld_get(const gp_ld *ld, int64_t j, int64_t k);

/** Their correlation, -1 to 1; NaN where either does not vary among the samples that both
 *  are called in. The same bits everywhere. */
double gp_ld_correlation(const gp_ld_sums *sums);

/** All correlations.
 *    r  out  [variants of j x variants of k] row-major */
void gp_ld_correlations(const gp_ld *ld, double *r);

#endif
