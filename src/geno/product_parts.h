/** What the two products share: panels of left tiles, and slices of the operand. Private to
 *  src/geno/product*.c.
 *
 *  A panel of left tiles is unpacked into a thread's scratch and multiplied with all tile columns
 *  of a slice of the operand, which stays in the second-level cache while many panels pass. The
 *  digit sums (int32) of a slice's panels add up, and are joined to int64 at its end.
 */
#ifndef GP_SRC_GENO_PRODUCT_PARTS_H
#define GP_SRC_GENO_PRODUCT_PARTS_H

#include "src/geno/kernel.h"
#include "src/geno/product.h"

enum {
    GP_PANEL_TILES = 64,     /* 64 KiB */
    GP_PANEL_ROWS = 4,       /* of tiles, at most */
    GP_SLICE_COLUMNS = 32,   /* of tiles, at most */
    GP_SLICE_BYTES = 1 << 19 /* about, where it has more than a few columns */
};

/** What calls 0, 1, 2 and missing count, as gp_unpack wants it for up to 64 variants. */
extern const uint8_t gp_dosage_bytes[4 * GP_TILE_TERMS];

/** A thread's scratch: left tiles; four right tiles; sum tiles of the slice. */
typedef struct gp_share {
    uint8_t left[GP_PANEL_TILES * GP_TILE_BYTES];
    uint8_t right[4 * GP_TILE_BYTES];
    int32_t sums[GP_PANEL_ROWS * GP_SLICE_COLUMNS * GP_TILE_SUMS];
} gp_share;

struct gp_product {
    const gp_operand *y;
    const gp_kernel *kernel;
    int threads;
    gp_share *share; /* [threads], aligned to 64 */
};

/** A part of an operand, in tiles. */
typedef struct gp_slice {
    int64_t column, columns; /* columns <= GP_SLICE_COLUMNS */
    int64_t term, terms;
} gp_slice;

/** How an operand is cut into slices: all of these sizes but the last ones. */
typedef struct gp_slices {
    int64_t columns, terms; /* of a slice, in tiles; terms is a multiple of the panel's */
    int64_t across, along;  /* slices side by side, and one after another */
} gp_slices;

/** Cuts for panels of so many terms, into at least so many slices along the terms if there are
 *  as many panels. A slice's int32 sums cannot overflow: it has at most 2^9 tiles of 64 terms of
 *  at most 256, which is 2^23. */
gp_slices gp_slices_of(const gp_operand *y, int64_t panel, int64_t least);

/** Number k of slices.across * slices.along; those side by side follow each other. */
gp_slice gp_slices_at(const gp_operand *y, const gp_slices *slices, int64_t k);

/** Multiplies the left tiles [rows x terms] of a share with the operand's tiles in columns of the
 *  slice, from tile term `term` on. The sums are the slice's first, or are added to them. */
void gp_panel_multiply(const gp_product *product, gp_share *share, const gp_slice *slice,
                       int64_t rows, int64_t term, int64_t terms);

/** Adds line `line` of the slice's digit sums to the integers whose digits they are.
 *    others  in     whether other threads may add to them at the same time
 *    to      inout  [y->columns] */
void gp_share_join(const gp_share *share, const gp_operand *y, const gp_slice *slice, int64_t line,
                   int others, int64_t *to);

#endif
