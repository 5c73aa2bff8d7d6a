/** What --append and --replace share: an old store, new PLINK sets. Private to io/append*.c.
 */
#ifndef GP_IO_APPEND_INSIDE_H
#define GP_IO_APPEND_INSIDE_H

#include "io/import_inside.h"
#include "io/store.h"
#include "src/base/text.h"

/** Both sides, opened and checked. Starts zeroed, but for ask. */
typedef struct gp_append {
    const gp_import *ask;
    const char *path; /* of the old store; borrowed */
    gp_store *store;
    gp_samples samples; /* the old store's */
    gp_bfile_list list; /* the new sets */
    gp_karyotype karyotype;
    int64_t *place; /* [chromosomes of the store] the same chromosome's in karyotype, or -1 */
    int64_t *held;  /* [places] the same chromosome's of the store, or -1 */
    gp_text provenance;
    gp_store_writer *writer;
} gp_append;

/** Opens the old store and the new sets, and reads the samples of both. */
int gp_append_open(gp_append *a, gp_err *err);

/** Reads the new sets' variants and finds out which chromosomes are whose. A chromosome may have
 * another name there ("chr1", "1"; "X", "23"). GP_EINPUT where two of the sets' are one of the
 * store's. */
int gp_append_map(gp_append *a, gp_err *err);

/** Makes the provenance: what was done, the new files, and what the old store said of itself (of
 * that the end is left out where all is too long).
 *    samples, variants  in  of the new store
 *    done               in  what was done, one line */
int gp_append_describe(gp_append *a, int64_t samples, int64_t variants, const char *done,
                       gp_err *err);

/** Creates the new store; the writer is a->writer. compress below 0 is the old store's. */
int gp_append_create(gp_append *a, const gp_samples *samples, int64_t variants, gp_err *err);

/** Closes the old store, then finishes the new one, which may take its name. */
int gp_append_finish(gp_append *a, gp_err *err);

/** Frees all; the writer, where there still is one, is discarded. */
void gp_append_free(gp_append *a);

#endif
