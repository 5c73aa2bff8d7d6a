/** What the products share: panels of left tiles, and slices of the operand. Private to
 *  src/geno/product*.c.
 *
 *  A panel of left tiles is unpacked into a thread's scratch and multiplied with all tile columns
 *  of a slice of the operand, which stays in the second-level cache while many panels pass. The
 *  digit sums (int32) of a slice's panels add up, and are joined to int64 at its end.
 *
 *  An operand of more than GP_SLICE_COLUMNS tile columns, a wide one, is cut otherwise
 *  (product_wide.c): into slices that fill most of the second-level cache, of as many terms as
 *  there are, up to GP_WIDE_TERMS, so that joins are few, and of whole integers, so that no two
 *  slices share one. Two rows of left tiles by GP_STRETCH terms are unpacked at a time, into the
 *  first-level cache, afresh for every slice: packed they are a quarter of the bytes, and to
 *  fetch tiles that were unpacked once from beyond the second level takes longer.
 */
#ifndef GP_SRC_GENO_PRODUCT_PARTS_H
#define GP_SRC_GENO_PRODUCT_PARTS_H

#include "src/geno/kernel.h"
#include "src/geno/product.h"
#include "src/geno/product_join.h"

enum {
    GP_PANEL_TILES = 64,      /* 64 KiB */
    GP_PANEL_ROWS = 4,        /* of tiles, at most */
    GP_SLICE_COLUMNS = 32,    /* of tiles, at most */
    GP_SLICE_BYTES = 1 << 19, /* about, where it has more than a few columns */

    /* Of wide operands. */
    GP_WIDE_TERMS = 64,  /* of a slice, in tiles, at most */
    GP_WIDE_ROWS = 2,    /* of left tiles */
    GP_STRETCH = 16,     /* terms of left tiles: 32 KiB */
    GP_SPARSE_TERMS = 4, /* of gathered lines at a time */
    GP_SPARSE_MOST = 10  /* missing calls in GP_WIDE_ROWS rows of tiles, for each of their terms,
                          * above which the whole product costs less than a list */
};

/** What calls 0, 1, 2 and missing count, as gp_unpack wants it for up to 64 variants. */
extern const uint8_t gp_dosage_bytes[4 * GP_TILE_TERMS];

/** The same for counting missing calls: 0, 0, 0 and 1. */
extern const uint8_t gp_missing_bytes[4 * GP_TILE_TERMS];

/** A thread's scratch: left tiles; right tiles; sum tiles of the slice; and, for lists of missing
 *  calls (product_wide.c), rows of calls, samples, and the places of lines. */
typedef struct gp_share {
    uint8_t left[GP_PANEL_TILES * GP_TILE_BYTES];
    uint8_t right[GP_SLICE_COLUMNS * GP_SPARSE_TERMS * GP_TILE_BYTES];
    int32_t sums[GP_PANEL_ROWS * GP_SLICE_COLUMNS * GP_TILE_SUMS];
    uint8_t packed[GP_TILE_LINES * GP_STRETCH * GP_TILE_TERMS / 4];
    int32_t sample[GP_SPARSE_MOST * GP_WIDE_TERMS + GP_STRETCH * GP_TILE_TERMS];
    int16_t place[GP_WIDE_TERMS * GP_TILE_LINES], line[GP_WIDE_TERMS * GP_TILE_LINES];
} gp_share;
_Static_assert(sizeof(gp_share) % 64 == 0, "shares lie side by side, aligned to 64");

/** How an operand is cut into slices: all of these sizes but the last ones. */
typedef struct gp_slices {
    int64_t columns, terms; /* of a slice, in tiles; terms is a multiple of a panel's */
    int64_t across, along;  /* slices side by side, and one after another */
} gp_slices;

struct gp_product {
    const gp_operand *y;
    const gp_kernel *kernel;
    gp_digits_join *join;
    gp_slices wide; /* of gp_wide_slices */
    int threads;
    gp_share *share; /* [threads], aligned to 64 */
};

/** A part of an operand, in tiles. */
typedef struct gp_slice {
    int64_t column, columns; /* columns <= GP_SLICE_COLUMNS */
    int64_t term, terms;
} gp_slice;

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

/** Cuts a wide operand. Whatever the sizes are, sums are the same; a slice's int32 sums are of
 *  at most 2^6 tiles. */
gp_slices gp_wide_slices(const gp_operand *y);

/** Variants of a product across samples: up to two rows of left tiles. */
typedef struct gp_lines {
    const gp_calls *calls;
    const int64_t *variant; /* [count] those; or NULL: first, first + 1, ... */
    int64_t first, count;
} gp_lines;

/** Where sums go: [lines->count x pitch], from the slice's first integer on. */
typedef struct gp_wide_sums {
    int add; /* 1: added to sums; 0: sums are overwritten */
    int64_t pitch, *sums;
} gp_wide_sums;

/** A slice's part of the product of calls with the operand, or of 1 for each missing call. */
typedef void gp_wide_function(const gp_product *product, gp_share *share, const gp_slice *slice,
                              const gp_lines *lines, const gp_wide_sums *to);
gp_wide_function gp_wide_calls, gp_wide_missing;

/** gp_product_across_samples of a wide operand. */
void gp_product_wide(gp_product *product, const gp_calls *calls, int64_t *sums);

#endif
