/** Brings texts that the ranks hold parts of together, each on one rank. */
#ifndef GP_MPI_GATHER_H
#define GP_MPI_GATHER_H

#include "mpi/par.h"

/** Joins text number k of all ranks, in the order of the ranks, on rank k % size. Collective.
 *    mine   in     [count] local: this rank's parts; an empty one is fine
 *    whole  inout  [count] local: where this rank joins, the parts are appended; elsewhere
 * unchanged count  in     global The outcome is local (follow with gp_par_agree): GP_EFAIL where
 * memory is refused. All ranks return even so; texts here are then incomplete. Cost: one message
 * per text and rank. */
int gp_par_gather(gp_par *par, const gp_text *mine, gp_text *whole, int64_t count, gp_err *err);

#endif
