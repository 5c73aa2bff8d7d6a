/** The ranks: start and end, one outcome for all, exact sums, and the grid of groups x shards.
 *
 *  Collective means: every rank of the world calls it, in the same order. Work that can fail on one
 *  rank is followed by gp_par_agree before the next collective, so that all ranks return together.
 *  One thread per rank calls these functions (MPI_THREAD_FUNNELED). An MPI call that fails inside a
 *  collective leaves no way to meet again: gp_par_abort ends all ranks.
 */
#ifndef GP_MPI_PAR_H
#define GP_MPI_PAR_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_par gp_par;

/** Starts MPI, once in a process. Collective. Afterwards there is one shard.
 *  GP_EFAIL where MPI does not start or allows no threads beside it; *par is then NULL. */
int gp_par_open(gp_par **par, int *argc, char ***argv, gp_err *err);

/** Ends MPI. Collective; NULL is accepted. */
void gp_par_close(gp_par *par);

/** Arranges the ranks as groups x shards: rank = group * shards + shard. Collective.
 *    shards  in  global, >= 1
 *  The size % shards ranks left over belong to no group and only take part in world collectives.
 *  GP_EINPUT on all ranks where there are fewer ranks than shards; the grid is then unchanged. */
int gp_par_set_shards(gp_par *par, int shards, gp_err *err);

/** The grid. Local. A rank without a group has group and shard -1. */
int gp_par_rank(const gp_par *par);
int gp_par_size(const gp_par *par);
int gp_par_groups(const gp_par *par);
int gp_par_group(const gp_par *par);
int gp_par_shards(const gp_par *par);
int gp_par_shard(const gp_par *par);
/** How many ranks of the world share this rank's memory (its node). */
int gp_par_node_size(const gp_par *par);

/** Gives all ranks one outcome: the error of the lowest failing rank, or GP_OK. Collective.
 *    err  inout  local: what happened here; global after: code and text are the same everywhere
 *  Every rank returns the same code. Cost: one allreduce of an int where nothing failed. */
int gp_par_agree(gp_par *par, gp_err *err);

/** Gives rank 0's bytes to all ranks. Collective.
 *    text  in on rank 0; out elsewhere (what it held is replaced)
 *  GP_EFAIL on all ranks where memory is refused on any; texts beyond rank 0 are then empty. */
int gp_par_share_text(gp_par *par, gp_text *text, gp_err *err);

/** The exchanges below work on x [count] in place; count is global and >= 0 (else GP_EFAIL). Sums
 *  are exact in any order, modulo 2^64. Any count will do: messages are split above 2^30 elements.
 *  They allocate nothing. */

/** x[i] = sum of x[i] over the shards of this rank's group. Collective over the group; without
 *  communication where there is one shard. GP_EFAIL on a rank without a group. */
int gp_par_sum_shards(gp_par *par, int64_t *x, int64_t count, gp_err *err);

/** x[i] = sum of x[i] over all ranks. Collective. */
int gp_par_sum(gp_par *par, int64_t *x, int64_t count, gp_err *err);

/** Gives all ranks numbers of which each stands on one of them, with its bits: on the others its
 * place is 0 (not -0). Collective. */
int gp_par_complete(gp_par *par, double *x, int64_t count, gp_err *err);

/** x[i] = maximum of x[i] over all ranks. Collective. */
int gp_par_max(gp_par *par, int64_t *x, int64_t count, gp_err *err);

/** before[i] = sum of x[i] over all lower ranks (0 on rank 0). Collective.
 *    before  out  [count]; does not overlap x, which is unchanged */
int gp_par_sum_before(gp_par *par, const int64_t *x, int64_t *before, int64_t count, gp_err *err);

/** Adds doubles over the shards of this rank's group, in the order of the shards; all of them get
 *  the same bytes. Collective over the group; nothing to do for one. */
int gp_par_add_shards(gp_par *par, double *x, int64_t count, gp_err *err);

/** The same over all ranks, in their order. Collective. */
int gp_par_add(gp_par *par, double *x, int64_t count, gp_err *err);

/** Joins the shards' bytes: all shards of a group get the parts one after the other, by shard.
 *    mine   in   [bytes[shard]]
 *    bytes  in   [shards] the same on all shards
 *    all    out  [sum of bytes]
 *  Collective over the group; a copy for one shard. */
int gp_par_join_shards(gp_par *par, const void *mine, const int64_t *bytes, void *all, gp_err *err);

/** Ends all ranks from this one, where no meeting is possible: one line on standard error,
 *  "gp-dist: error: rank R: TEXT", then MPI_Abort. Local.
 *    code  in  the status to leave with */
void gp_par_abort(const gp_par *par, int code, const char *text) __attribute__((noreturn));

/** The world's communicator (an MPI_Comm), for a library that opens files on all ranks together;
 *  borrowed. Local. */
const void *gp_par_communicator(const gp_par *par);

#endif
