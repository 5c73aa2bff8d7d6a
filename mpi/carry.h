/** Hands the beginnings of ranks' texts to the ranks before them.
 *
 *  Output is cut into units at places that do not depend on the number of ranks. Where a rank's
 *  text starts inside a unit, that much of it (its head) belongs to the rank that holds the
 *  unit's beginning; there it is the rest of the last unit (the tail).
 */
#ifndef GP_MPI_CARRY_H
#define GP_MPI_CARRY_H

#include "mpi/par.h"

/** Moves every head to the tail it continues. Collective over the first shard of every group; on
 *  other ranks it returns at once.
 *    head  in     local: the text up to where the first unit begins; all of it if none begins here
 *    open  in     local: whether a unit begins on this rank
 *    tail  inout  local: this rank's last unit; what later groups hold of it is appended. Not used
 *                 where open is 0
 *  Group 0 has an empty head, and nothing that no group holds the beginning of.
 *  The outcome is local (follow with gp_par_agree): GP_EFAIL where memory is refused, or on group 0
 *  where text has no beginning. All ranks return even so; tail is then incomplete.
 *  Cost: one message to the group before; a chain through groups with open = 0.
 */
int gp_par_carry(gp_par *par, const gp_text *head, int open, gp_text *tail, gp_err *err);

#endif
