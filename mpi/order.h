/** The order of keys that lie on all ranks, without bringing them together: each key's rank among
 *  all, and the key that has a given rank. Exact, and the same for any number of ranks.
 *
 *  Keys come first that are smaller; of equal ones that of the lower rank, and of one rank's the
 *  earlier. So where the ranks hold consecutive parts of a list, equal keys stand as in the list.
 *  Distances between keys do not matter, nor how many are equal: every rank sorts as many as any
 *  other.
 */
#ifndef GP_MPI_ORDER_H
#define GP_MPI_ORDER_H

#include "mpi/par.h"

/** A real number as a key: greater numbers first; NaN last. */
static inline uint64_t gp_order_key(double x) {
    union {
        double real;
        uint64_t bits;
    } u = {.real = x + 0.0}; /* -0 is 0 */
    if (x != x)
        return UINT64_MAX;
    return u.bits >> 63 ? u.bits : ~(u.bits | (uint64_t)1 << 63);
}

/** The number behind such a key. */
static inline double gp_order_real(uint64_t key) {
    union {
        uint64_t bits;
        double real;
    } u = {.bits = key >> 63 ? key : ~key & UINT64_MAX >> 1};
    return u.real;
}

/** Sorts keys, smaller ones first. Local. Cost: eight passes at most, one for each byte in which
 *  keys differ. GP_EFAIL where the memory for a copy is refused. */
int gp_order_sort(uint64_t *key, int64_t count, gp_err *err);

/** The keys at given places of the order of all ranks' keys.
 *    key    in   [count] local: sorted
 *    place  in   [places] global: from 0, below the sum of count over ranks
 *    found  out  [places] global
 *  Collective. Cost: 16 sums of 15 integers a place, fewer where keys are small. GP_EFAIL where
 * memory is refused: all ranks. */
int gp_par_order_find(gp_par *par, const uint64_t *key, int64_t count, const int64_t *place,
                      uint64_t *found, int64_t places, gp_err *err);

/** Each key's rank among all ranks' keys.
 *    key    in   [count] local
 *    order  out  [count] local: 1 for the first of all
 *  Collective. Cost: each key travels once there and its rank back; memory for about 8 keys each.
 *  GP_EFAIL where memory is refused: all ranks. */
int gp_par_order(gp_par *par, const uint64_t *key, int64_t *order, int64_t count, gp_err *err);

#endif
