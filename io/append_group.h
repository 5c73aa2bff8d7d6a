/** Variants of one position on two sides: who goes with whom. Private to io/append*.c. Local.
 */
#ifndef GP_IO_APPEND_GROUP_H
#define GP_IO_APPEND_GROUP_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_group_entry {
    int64_t at[3];              /* where the three strings begin */
    const char *id, *ref, *alt; /* once the group is whole */
    int64_t where;              /* the caller's */
    int64_t partner;            /* entry of the other side, or -1 */
    int swapped;                /* the partner's alleles are in the other order */
} gp_group_entry;

/** One side. Starts zeroed; memory is used again for the next position. */
typedef struct gp_group {
    int64_t position;
    gp_group_entry *entry;
    int64_t count, capacity;
    gp_group_entry **order; /* [count] scratch */
    int64_t order_capacity;
    gp_text text;
} gp_group;

/** Empties a group for another position. */
void gp_group_begin(gp_group *g, int64_t position);

/** Adds a variant; the strings (n bytes each: id, ref, alt) are copied. */
int gp_group_add(gp_group *g, const char *const *text, const int64_t *n, int64_t where,
                 gp_err *err);

/** Finds the partners (io/append_match.h says which). */
int gp_group_match(gp_group *old, gp_group *new, gp_err *err);

void gp_group_free(gp_group *g);

#endif
