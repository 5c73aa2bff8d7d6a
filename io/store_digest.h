/** The digest of a store's content: MD5, the same however the store is chunked and compressed.
 *  Private to io/store_*.c.
 *
 *  The hex digits are those of MD5(S C1 C2 …): S the 16 bytes of the samples' MD5, Ck those of
 *  chromosome k's, in the store's order. Numbers are 8 bytes little-endian, strings end in a zero.
 *    samples:     n, then for each: FID, IID, father, mother, one byte of sex
 *    chromosome:  name, kind, m, one byte (1 = has genetic positions), then for each variant:
 *                 position, genetic position (binary64, where there are some), id, ref, alt,
 *                 ceil(n/4) bytes of genotypes
 */
#ifndef GP_IO_STORE_DIGEST_H
#define GP_IO_STORE_DIGEST_H

#include "io/store.h"
#include <htslib/hts.h>

/** A digest being made. Starts zeroed. */
typedef struct gp_digest {
    hts_md5_context *all, *part;
    int open;          /* whether part holds something */
    uint8_t sum[16];   /* of the part that was ended last */
    int with_morgan;   /* of the chromosome */
    int64_t row_bytes; /* of genotypes: ceil(n/4) */
} gp_digest;

/** Starts with the samples. GP_EFAIL when memory is refused. */
int gp_digest_begin(gp_digest *d, const gp_samples *samples, gp_err *err);

void gp_digest_chromosome(gp_digest *d, const gp_chromosome *c, int with_morgan);

/** Adds variant i of v with its row. */
void gp_digest_variant(gp_digest *d, const gp_variants *v, int64_t i, const uint8_t *row);

/** Ends the chromosome at hand: the hex digits of its Ck. */
void gp_digest_chromosome_end(gp_digest *d, char hex[33]);

void gp_digest_end(gp_digest *d, char hex[33]);
void gp_digest_free(gp_digest *d);

#endif
