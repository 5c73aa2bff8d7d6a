/** What a rank exchanges with the others: counted as it happens, for tables of times. */
#ifndef GP_MPI_TRAFFIC_H
#define GP_MPI_TRAFFIC_H

#include <stdint.h>

/** Of one rank, since MPI started. Counted are the exchanges of mpi/ itself, not what ScaLAPACK,
 *  ELPA and parallel HDF5 send; on one rank nothing is.
 *    waiting   seconds inside exchanges: until the others come, and until the bytes are there
 *    bytes     payload that this rank hands in, once however many others get it: of a sum its
 *              own numbers, of what one rank shares with all nothing on the others
 *    messages  exchanges, of any size: collective ones, and texts' pieces sent and taken in */
typedef struct gp_par_traffic {
    double waiting;
    int64_t bytes, messages;
} gp_par_traffic;

/** So far. Local; a few loads. */
gp_par_traffic gp_par_traffic_now(void);

#endif
