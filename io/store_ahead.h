/** Reads a store's variants and genotypes ahead: a thread of its own fetches the next batch while
 *  the caller works on this one.
 *
 *  Chunks of the genotype dataset are read whole, as they lie in the file, checked against their
 *  checksums, and handed on as they are: no copy in between. Only where a store is compressed does
 *  HDF5 unpack them. Local. While a gp_ahead is open its thread alone may use HDF5: the caller
 *  reads nothing from this or any other store.
 */
#ifndef GP_IO_STORE_AHEAD_H
#define GP_IO_STORE_AHEAD_H

#include "io/store.h"
#include "src/geno/calls.h"

/** A run of consecutive variants of one chromosome. */
typedef struct gp_store_run {
    int64_t chromosome, first, count;
} gp_store_run;

/** What to read. Both functions are called by the reading thread, one at a time (by the caller's,
 *  within gp_ahead_next, where the system refuses a thread), and may only touch what the caller
 *  leaves alone meanwhile. */
typedef struct gp_ahead_plan {
    int64_t most_variants;   /* of a run */
    int64_t sample, samples; /* this shard: as in gp_store_read_genotypes */
    void *context;
    /** Gives the next run; 0 at the end. */
    int (*next)(void *context, gp_store_run *run);
    /** Whether any of these variants' genotypes are wanted; NULL = always. */
    int (*wants)(void *context, const gp_variants *variants);
} gp_ahead_plan;

typedef struct gp_ahead_batch {
    gp_store_run run;
    gp_variants variants; /* views: not to be grown or freed */
    int has_calls;        /* 0 where `wants` said no */
    gp_calls calls;       /* [run.count x samples of the shard], views into this batch's memory */
} gp_ahead_batch;

typedef struct gp_ahead gp_ahead;

/** Starts reading. Borrows store; copies plan. NULL and an error on failure. Signals go to the
 *  caller's threads only. */
gp_ahead *gp_ahead_open(gp_store *store, const gp_ahead_plan *plan, gp_err *err);

/** The next batch, valid until the next call; NULL at the end or after an error, which comes here
 *  in the order of the batches (GP_EINPUT with the dataset named where a checksum is wrong). */
const gp_ahead_batch *gp_ahead_next(gp_ahead *ahead, gp_err *err);

/** Variants that a batch is best a multiple of, so that no chunk is read twice. 0 and an error
 *  where the store cannot be read. */
int64_t gp_store_chunk_variants(gp_store *store, gp_err *err);

/** Bytes that reading ahead in batches of so many variants holds at most (longer ids and alleles
 *  than usual aside). */
int64_t gp_ahead_bytes(int64_t samples, int64_t most_variants);

/** Stops the thread, wherever it is, and frees. NULL is accepted. */
void gp_ahead_close(gp_ahead *ahead);

#endif
