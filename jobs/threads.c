#define _GNU_SOURCE /* sched_getaffinity */
#include "jobs/threads.h"
#include "src/base/blas.h"
#include "src/base/mem.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* Launchers bind ranks to single cores, to sockets that several share, or not at all. So every rank
 * marks its cores, the marks are summed, and the sum over a rank's own cores tells how many ranks
 * share them. The sum is over all nodes: exact for equal nodes, near enough for others. */
static int share_of_cores(gp_par *par, int64_t *threads, gp_err *err) {
    int64_t *marks = gp_mem_alloc(CPU_SETSIZE, sizeof *marks, err), own = 0, all = 0;
    cpu_set_t set;
    if (gp_par_agree(par, err) != GP_OK)
        goto done;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        /* More cores than cpu_set_t holds. */
        CPU_ZERO(&set);
        for (int64_t i = 0, n = sysconf(_SC_NPROCESSORS_ONLN); i < n && i < CPU_SETSIZE; i++)
            CPU_SET((size_t)i, &set);
    }
    for (int i = 0; i < CPU_SETSIZE; i++)
        marks[i] = CPU_ISSET(i, &set) != 0;
    if (gp_par_sum(par, marks, CPU_SETSIZE, err) != GP_OK)
        goto done;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) {
            own++;
            all += marks[i];
        }
    int64_t node = gp_par_node_size(par), nodes = (gp_par_size(par) + node - 1) / node;
    *threads = all > 0 ? own * own * nodes / all : 1;
    if (*threads > own)
        *threads = own;
    if (*threads < 1)
        *threads = 1;
done:
    free(marks);
    return err->code;
}

int gp_threads_set(gp_par *par, int64_t wanted, int64_t *threads, gp_err *err) {
    const char *told = getenv("OMP_NUM_THREADS");
    int64_t choose = wanted == 0 && (told == NULL || told[0] == 0);
    /* Environments may differ between ranks; whether they meet may not. */
    if (gp_par_max(par, &choose, 1, err) != GP_OK)
        return err->code;
    *threads = wanted > 0 ? wanted : omp_get_max_threads();
    if (choose && share_of_cores(par, threads, err) != GP_OK)
        return err->code;
    omp_set_num_threads((int)*threads);
    gp_blas_threads(1);
    return GP_OK;
}
