/** A store's variants with all calls, piece by piece, on their way into another store.
 *
 *  Local. Memory: about 8 MiB, or one row of chunks where that is more.
 */
#ifndef GP_IO_STORE_COPY_H
#define GP_IO_STORE_COPY_H

#include "io/store.h"

/** A run of variants as read. Starts zeroed. */
typedef struct gp_store_piece {
    gp_store *store; /* borrowed */
    int64_t most;    /* variants at once */
    gp_variants v;
    uint8_t *rows; /* [most x gp_geno_stride(n)] the first v.count of them are filled */
} gp_store_piece;

/** Makes room. */
int gp_store_piece_init(gp_store_piece *piece, gp_store *store, gp_err *err);

/** Reads variants of chromosome k from first on, as many as there is room for. GP_EINPUT, with
 *  the dataset named, where the store is damaged. */
int gp_store_piece_read(gp_store_piece *piece, int64_t k, int64_t first, gp_err *err);

void gp_store_piece_free(gp_store_piece *piece);

/** The deflate level of a store's genotypes; 0 = not compressed, -1 and an error where it cannot
 *  be read. */
int gp_store_compression(gp_store *store, gp_err *err);

#endif
