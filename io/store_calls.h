/** Genotypes of a run of variants as views into whole chunks: what io/store_ahead.c hands out.
 *  Private to io/store_*.c.
 *
 *  Each column of chunks that the samples touch becomes a piece: a matrix whose rows are as wide as
 *  a chunk, so that a chunk goes into it as it lies in the file. The checksum behind it is
 *  overwritten by the chunk below. Where a run begins within a chunk, the rows before it are there
 *  too, and checked.
 */
#ifndef GP_IO_STORE_CALLS_H
#define GP_IO_STORE_CALLS_H

#include "io/store_inside.h"
#include "src/geno/calls.h"
#include <stdatomic.h>

/** Memory of a run's genotypes, used again for the next run. Starts zeroed. */
typedef struct gp_store_calls {
    uint8_t *bytes; /* matrices one behind the other, each aligned to 64 */
    int64_t capacity;
    gp_piece *piece;
    int64_t piece_capacity;
} gp_store_calls;

/** Reads a slice.
 *    most   in     variants that later runs may have; memory for them is made at once
 *    stop   in     becomes 1 when nobody waits for the result: GP_ESTOP. May be NULL
 *    room   inout  grows
 *    calls  out    [slice->count x slice->samples], views into room */
int gp_store_read_calls(gp_store *store, const gp_store_slice *slice, int64_t most,
                        const atomic_int *stop, gp_store_calls *room, gp_calls *calls, gp_err *err);

/** At most so many bytes does one gp_store_calls hold. */
int64_t gp_store_calls_bytes(int64_t samples, int64_t most);

void gp_store_calls_free(gp_store_calls *room);

#endif
