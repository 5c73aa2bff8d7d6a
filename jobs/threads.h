/** How many threads a rank may use: its even share of the cores. */
#ifndef GP_JOBS_THREADS_H
#define GP_JOBS_THREADS_H

#include "mpi/par.h"
#include "src/base/err.h"
#include <stdint.h>

/** Sets OpenMP's number of threads; each of them is alone in the linear algebra library
 *  (src/base/blas.h). Collective.
 *    wanted   in   --threads; 0 = OMP_NUM_THREADS where it is set, else the cores this process may
 *                  use, divided by the ranks that share them; at least 1
 *    threads  out  local; what was set
 */
int gp_threads_set(gp_par *par, int64_t wanted, int64_t *threads, gp_err *err);

#endif
