#include "mpi/traffic.h"
#include "mpi/par_private.h"

/* MPI starts once in a process, and one thread calls it. */
static gp_par_traffic total;

gp_par_traffic gp_par_traffic_now(void) {
    return total;
}

void gp_par_sent(const gp_par *par, int64_t bytes) {
    if (par->size == 1)
        return;
    total.bytes += bytes;
    total.messages++;
}

void gp_par_waited(const gp_par *par, double from) {
    if (par->size > 1)
        total.waiting += MPI_Wtime() - from;
}

void gp_par_exchanged(const gp_par *par, double from, int64_t bytes) {
    gp_par_sent(par, bytes);
    gp_par_waited(par, from);
}
