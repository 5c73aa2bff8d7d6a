/** A run of variants on its way from .bim and .bed files into a store.
 *
 *  Local. Starts zeroed. Memory: about 16 MiB, or two rows where one is larger; more where alleles
 * are very long.
 */
#ifndef GP_IO_BATCH_H
#define GP_IO_BATCH_H

#include "io/bfile.h"
#include "io/store.h"
#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_batch {
    gp_variants v;
    int64_t room;         /* variants it may hold */
    int64_t n;            /* samples */
    int64_t *text;        /* [room x 3] where id, ref and alt begin in v.block */
    int64_t *file;        /* [room] */
    int64_t *row;         /* [room] of that file's .bed */
    uint8_t *bed;         /* [room x ceil(n / 4)] as the file has it */
    uint8_t *rows;        /* [room x gp_geno_stride(n)] as the store has it */
    const int64_t *order; /* (may be NULL) [n] which sample of the files becomes sample i; may be
                             set before gp_batch_init; borrowed */
    uint8_t *unordered;   /* [gp_geno_stride(n)] one row as the file has it */
    int64_t appended;     /* variants since gp_batch_init */
} gp_batch;

/** Makes room. A batch starts zeroed, but for order. */
int gp_batch_init(gp_batch *batch, int64_t n, gp_err *err);

/** Whether gp_batch_append is due before the next gp_batch_add. */
int gp_batch_is_full(const gp_batch *batch);

/** Takes up one variant. An allele "0" becomes ".". */
int gp_batch_add(gp_batch *batch, const gp_bim_line *bim, int64_t file, int64_t row, gp_err *err);

/** Reads the variants' calls, appends all to the writer and is empty again.
 *    bed  in  by file number */
int gp_batch_append(gp_batch *batch, const gp_bed *const *bed, gp_store_writer *writer,
                    gp_err *err);

void gp_batch_free(gp_batch *batch);

#endif
