/** Cutting a count into near-equal consecutive parts. Local. */
#ifndef GP_SRC_BASE_SPLIT_H
#define GP_SRC_BASE_SPLIT_H

#include <stdint.h>

/** First element of part k of total elements cut into parts pieces of whole units (the last unit
 *  may be short); part k is [begin(k), begin(k + 1)). Sizes differ by at most one unit. 0 <= k <=
 *  parts. */
static inline int64_t gp_split_begin(int64_t total, int64_t unit, int64_t parts, int64_t k) {
    int64_t units = (total + unit - 1) / unit;
    int64_t at = (units / parts * k + (units % parts) * k / parts) * unit;
    return at < total ? at : total;
}

#endif
