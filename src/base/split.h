/** Counts in whole units, and cut into near-equal consecutive parts. Local. */
#ifndef GP_SRC_BASE_SPLIT_H
#define GP_SRC_BASE_SPLIT_H

#include <stdint.h>

static inline int64_t gp_least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t gp_most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/** How many units hold a total, the last one perhaps not full. */
static inline int64_t gp_units(int64_t total, int64_t unit) {
    return (total + unit - 1) / unit;
}

/** A total rounded up to whole units. */
static inline int64_t gp_round_up(int64_t total, int64_t unit) {
    return gp_units(total, unit) * unit;
}

/** First element of part k of total elements cut into parts pieces of whole units (the last unit
 *  may be short); part k is [begin(k), begin(k + 1)). Sizes differ by at most one unit. 0 <= k <=
 *  parts. */
static inline int64_t gp_split_begin(int64_t total, int64_t unit, int64_t parts, int64_t k) {
    int64_t units = gp_units(total, unit);
    int64_t at = (units / parts * k + (units % parts) * k / parts) * unit;
    return at < total ? at : total;
}

#endif
