/** A map from strings to the numbers 0, 1, 2 … in the order they were added: sample ids, variant
 *  ids, names.
 *
 *  Local; starts zeroed. Strings are copied into one block; memory 24 to 48 bytes + length per
 *  string.
 */
#ifndef GP_SRC_BASE_IDS_H
#define GP_SRC_BASE_IDS_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_ids {
    gp_text block;   /* the strings, each with its zero */
    int64_t *offset; /* [count] where string i starts in block */
    int64_t *slot;   /* [slots] open addressing; 0 = free (see ids.c) */
    int64_t count;
    int64_t capacity; /* of offset */
    int64_t slots;    /* a power of two, or 0 */
} gp_ids;

/** Adds a string of n bytes (no zero inside). *number gets its number; *fresh (may be NULL)
 *  whether it was new. */
int gp_ids_add(gp_ids *ids, const char *s, int64_t n, int64_t *number, int *fresh, gp_err *err);

/** The number of a string of n bytes, or -1. */
int64_t gp_ids_find(const gp_ids *ids, const char *s, int64_t n);

/** String number i, zero-terminated; valid until the next add. */
const char *gp_ids_get(const gp_ids *ids, int64_t i);

/** A 64-bit hash of n bytes (FNV-1a with a final mix), the same on every machine. */
uint64_t gp_ids_hash(const char *s, int64_t n);

void gp_ids_free(gp_ids *ids);

#endif
