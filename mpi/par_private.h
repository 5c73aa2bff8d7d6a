/** What stands behind gp_par, for the files of mpi/ and their tests only. */
#ifndef GP_MPI_PAR_PRIVATE_H
#define GP_MPI_PAR_PRIVATE_H

#include "mpi/par.h"
#include <mpi.h>

struct gp_par {
    MPI_Comm world;    /* a duplicate: no message of ours meets one of another library */
    MPI_Comm in_group; /* the shards of this rank's group; null with one shard or without a group */
    int rank, size;
    int groups, group;
    int shards, shard;
    int node_size;
    int64_t limit; /* elements per MPI call; tests lower it to see messages split */
};

/** Aborts all ranks unless rc is MPI_SUCCESS; what names the exchange in the message. Local. */
void gp_par_must(const gp_par *par, int rc, const char *what);

/** Count what mpi/traffic.h tells: an exchange that began at `from` (MPI_Wtime) and is over; one
 *  that was only started; the wait for such. Local. */
void gp_par_exchanged(const gp_par *par, double from, int64_t bytes);
void gp_par_sent(const gp_par *par, int64_t bytes);
void gp_par_waited(const gp_par *par, double from);

#endif
