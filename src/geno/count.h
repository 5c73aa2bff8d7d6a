/** Counts of calls, and masks that say which samples count.
 *
 *  A mask over n samples has the rows' layout: gp_geno_stride(n) bytes, bit 2*(i % 4) of byte i /
 *  4 set where sample i counts, all else 0. Rows and masks are aligned to 8 bytes. Local,
 *  thread-safe.
 */
#ifndef GP_SRC_GENO_COUNT_H
#define GP_SRC_GENO_COUNT_H

#include "src/geno/calls.h"
#include <stdint.h>

/** How many samples have each call; index 3 = missing (the order of the 2-bit code). */
typedef struct gp_counts {
    int64_t call[4];
} gp_counts;

static inline void gp_mask_set(uint8_t *mask, int64_t i) {
    mask[i >> 2] |= (uint8_t)(1u << (2 * (i & 3)));
}

static inline int gp_mask_get(const uint8_t *mask, int64_t i) {
    return mask[i >> 2] >> (2 * (i & 3)) & 1;
}

/** Number of samples that a mask of stride bytes selects. */
int64_t gp_mask_count(const uint8_t *mask, int64_t stride);

/** Counts the calls of a row among the samples of a mask of the same stride. Cost: one pass
 *  over both at about the speed of memory (the kernel's `count`, src/geno/kernel.h). */
gp_counts gp_geno_count(const uint8_t *row, const uint8_t *mask, int64_t stride);

/** The same for variant j of a block of calls, over groups [first, first + groups) of 64 samples.
 *    mask  in  over all samples of calls */
gp_counts gp_calls_count(const gp_calls *calls, int64_t j, int64_t first, int64_t groups,
                         const uint8_t *mask);

/** Frequency of ALT among called samples, 2 copies each; NaN if none is called. */
double gp_counts_alt_frequency(const gp_counts *c);

/** Lists the missing calls of a row among a mask's samples.
 *    sample  out  [room for as many as gp_geno_count says are missing] sample numbers, ascending
 *  Returns their number. */
int64_t gp_geno_list_missing(const uint8_t *row, const uint8_t *mask, int64_t stride,
                             int64_t *sample);

#endif
