#include "io/repeats.h"
#include "src/base/ids.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

int gp_repeats_init(gp_repeats *repeats, int64_t expected, int64_t most, gp_err *err) {
    int64_t slots = 64;
    while (slots < most && slots / 2 < expected)
        slots *= 2;
    /* Classes are near equal: three quarters full on the average leaves room for the fullest. */
    int64_t share = slots / 4 * 3;
    repeats->classes = expected <= share ? 1 : (expected + share - 1) / share;
    repeats->slot = gp_mem_alloc(slots, sizeof *repeats->slot, err);
    repeats->slots = slots;
    return err->code;
}

void gp_repeats_begin(gp_repeats *repeats, int64_t k) {
    repeats->class_now = k;
    repeats->held = 0;
    memset(repeats->slot, 0, (size_t)repeats->slots * sizeof *repeats->slot);
}

int gp_repeats_see(gp_repeats *repeats, const char *s, int64_t n) {
    uint64_t hash = gp_ids_hash(s, n), mask = (uint64_t)repeats->slots - 1;
    if (hash == 0)
        hash = 1; /* 0 marks a free slot */
    if ((int64_t)(hash % (uint64_t)repeats->classes) != repeats->class_now)
        return 0;
    /* The low bits chose the class; the high ones choose the slot. */
    uint64_t k = (hash >> 20) & mask;
    while (repeats->slot[k] != 0 && repeats->slot[k] != hash)
        k = (k + 1) & mask;
    if (repeats->slot[k] == hash) {
        repeats->count++;
        return 1;
    }
    /* Never with honest hashes; a full table would search for ever, a miscount only misleads a
     * warning. */
    if (repeats->held < repeats->slots / 16 * 15) {
        repeats->slot[k] = hash;
        repeats->held++;
    }
    return 0;
}

void gp_repeats_free(gp_repeats *repeats) {
    free(repeats->slot);
    *repeats = (gp_repeats){0};
}
