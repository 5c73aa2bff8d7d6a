/** Counts strings that were seen before, among any number of them, in bounded memory.
 *
 *  The strings' 64-bit hashes are kept (two that differ are taken for equal with probability about
 * count^2 / 4e19). More than one pass' worth is split into classes by hash: all strings are offered
 * once per class. Local. Starts zeroed.
 */
#ifndef GP_IO_REPEATS_H
#define GP_IO_REPEATS_H

#include "src/base/err.h"
#include <stdint.h>

enum { GP_REPEATS_SLOTS = 1 << 24 /* 128 MiB */ };

typedef struct gp_repeats {
    uint64_t *slot; /* [slots] open addressing; a hash, or 0 */
    int64_t slots;  /* a power of two */
    int64_t held;
    int64_t classes, class_now; /* this pass keeps hashes that are class_now modulo classes */
    int64_t count;              /* strings that had been seen before, over all passes */
} gp_repeats;

/** Makes ready for expected strings; at most most slots (a power of two, GP_REPEATS_SLOTS but for
 * tests). Offer all strings in each of repeats->classes passes. */
int gp_repeats_init(gp_repeats *repeats, int64_t expected, int64_t most, gp_err *err);

/** Begins pass k. */
void gp_repeats_begin(gp_repeats *repeats, int64_t k);

/** Offers a string of n bytes; returns 1 where it was offered before in this pass. */
int gp_repeats_see(gp_repeats *repeats, const char *s, int64_t n);

void gp_repeats_free(gp_repeats *repeats);

#endif
