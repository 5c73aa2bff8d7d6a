/** Packed calls in memory, just as they came: a block of variants over a run of samples.
 *
 *  The samples are cut into pieces (a store's chunks, or one piece for a plain matrix); a piece's
 *  rows lie pitch bytes apart. Calls are the 2-bit code of src/geno/code.h. Borrowed views. Local,
 *  thread-safe.
 */
#ifndef GP_SRC_GENO_CALLS_H
#define GP_SRC_GENO_CALLS_H

#include "src/geno/code.h"
#include <stdint.h>

typedef struct gp_piece {
    const uint8_t *row; /* of the first variant; its groups of 64 samples */
    int64_t pitch;      /* bytes from one variant to the next */
    int64_t first;      /* sample, a multiple of 64, counted from the first of the run */
    int64_t samples;    /* whole groups of 64, but for the last piece; padding is 0 */
} gp_piece;

typedef struct gp_calls {
    int64_t m; /* variants */
    int64_t pieces;
    const gp_piece *piece; /* ascending, without gaps */
} gp_calls;

/** A part of one piece: groups of 64 samples that lie side by side in every row. */
typedef struct gp_span {
    const uint8_t *row; /* of the first variant */
    int64_t pitch;
    int64_t groups;
} gp_span;

/** The span that begins at group `first` of the run and holds up to `most` groups: fewer where
 *  its piece ends. Some piece must hold that group. */
static inline gp_span gp_calls_span(const gp_calls *calls, int64_t first, int64_t most) {
    int64_t low = 0, high = calls->pieces;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (calls->piece[middle].first <= first * GP_GENO_GROUP)
            low = middle;
        else
            high = middle;
    }
    const gp_piece *piece = calls->piece + low;
    int64_t at = first - piece->first / GP_GENO_GROUP;
    int64_t left = gp_geno_stride(piece->samples) / GP_GENO_GROUP_BYTES - at;
    return (gp_span){piece->row + at * GP_GENO_GROUP_BYTES, piece->pitch,
                     left < most ? left : most};
}

#endif
