/** A relationship matrix's scratch, and panels of byte tiles in it. Private to src/geno/gram*.c.
 *
 *  The b side, left tiles of up to GP_GRAM_LEFT samples, is unpacked once and shared by
 *  all threads; each takes groups of a's samples, unpacks their digits into right tiles, and
 *  multiplies strips of the left panel with them, while the right tiles stay in the cache.
 */
#ifndef GP_SRC_GENO_GRAM_PANEL_H
#define GP_SRC_GENO_GRAM_PANEL_H

#include "src/geno/gram_join.h"
#include "src/geno/gram_terms.h"

enum {
    GP_GRAM_COLUMNS = 8,                             /* tiles of a's samples in a group */
    GP_GRAM_RIGHT = GP_GRAM_COLUMNS * GP_TILE_LINES, /* their samples */
    GP_GRAM_ROWS = 16,                               /* tiles of b's samples in a strip */
    GP_GRAM_STRIP = GP_GRAM_ROWS * GP_TILE_LINES,    /* their samples */
    GP_GRAM_CHUNK = 256,                             /* samples gathered at a time, at most */
    GP_GRAM_LEFT = 2048                              /* samples of the left panel */
};

/** A thread's scratch. */
typedef struct gp_gram_share {
    uint8_t packed[GP_TILE_TERMS * GP_GRAM_CHUNK / 4]; /* [variants of a tile][samples] calls */
    uint8_t turned[GP_GRAM_CHUNK / GP_TILE_LINES * GP_TILE_BYTES];
    int32_t sums[GP_GRAM_ROWS * GP_GRAM_COLUMNS * GP_GRAM_DIGITS * GP_TILE_SUMS];
    int64_t joined[GP_GRAM_STRIP * GP_GRAM_RIGHT];
    uint8_t right[GP_GRAM_COLUMNS * GP_GRAM_DIGITS * GP_GRAM_TILES * GP_TILE_BYTES];
} gp_gram_share;

struct gp_gram {
    gp_gram_plan plan;
    const gp_kernel *kernel;
    gp_gram_joins joins;
    int threads;
    int64_t most_samples;
    gp_gram_terms *terms;
    uint8_t *has_missing;  /* [GP_GRAM_STEP] */
    uint8_t *left;         /* [GP_GRAM_LEFT / 16][tiles] left tiles */
    uint8_t *alone;        /* [tiles] right tiles: digits of what a sample adds alone */
    int64_t *a, *b;        /* [most_samples] what the samples of the ranges add alone */
    gp_gram_share **share; /* [threads] */
};

/** Takes this kernel from now on; a new gp_gram has the chosen one. */
void gp_gram_use(gp_gram *gram, const gp_kernel *kernel);

/** Groups of 64 samples of calls, counted from the first. */
typedef struct gp_gram_span {
    const gp_calls *calls; /* first variant: the step's */
    int64_t first_variant;
    int64_t group, groups; /* groups * 64 <= GP_GRAM_CHUNK */
} gp_gram_span;

/** Makes left tiles [4 * groups][f->tiles]. */
void gp_gram_unpack_left(const gp_gram *gram, const gp_gram_factor *f, const gp_gram_span *span,
                         gp_gram_share *share, uint8_t *left);

/** Makes share's right tiles [4 * groups][f->digits][f->tiles]. */
void gp_gram_unpack_right(const gp_gram *gram, const gp_gram_factor *f, const gp_gram_span *span,
                          gp_gram_share *share);

/** What samples add alone: sets to[i] to -(A h + B d) (side 0, of a) or (W - A) h + B (side 1, of
 *  b), summed over the step's variants, for `count` samples from the span's first on.
 *  gp_gram_alone_set makes gram->alone for it. */
void gp_gram_alone_set(gp_gram *gram);
void gp_gram_alone(const gp_gram *gram, const gp_gram_span *span, int side, int64_t count,
                   gp_gram_share *share, int64_t *to);

#endif
