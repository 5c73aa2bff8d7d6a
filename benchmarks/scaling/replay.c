/* A phase's computing and exchanges on ranks that SimGrid simulates (simulate.sh builds and
 * starts it; no part of the ordinary build). The exchanges go through mpi/, as in gp-dist;
 * computing is told to SimGrid, not done.
 *
 *   replay TABLE LINE    the line of fit.py --replay's table to go through; rank 0 prints
 *                        command,phase,kind,ranks,seconds
 */
#include "mpi/par_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 20 /* messages that are simulated; of more the time is multiplied */ };

typedef struct phase {
    char command[32], name[32], kind[16];
    int ranks;
    double seconds, imbalance, messages, bytes;
} phase;

static int read_phase(const char *path, int wanted, phase *p) {
    char line[256];
    FILE *file = fopen(path, "r");
    int found = 0;
    for (int k = 0; file != NULL && k <= wanted && fgets(line, sizeof line, file) != NULL; k++)
        found = k == wanted && sscanf(line, "%31[^,],%31[^,],%15[^,],%d,%lf,%lf,%lf,%lf",
                                      p->command, p->name, p->kind, &p->ranks, &p->seconds,
                                      &p->imbalance, &p->messages, &p->bytes) == 8;
    if (file != NULL)
        fclose(file);
    return found;
}

/* Numbers of an exchange, all as large as the mean. */
static int64_t count_of(const phase *p) {
    return p->messages > 0 ? (int64_t)(p->bytes / p->messages / 8) + 1 : 0;
}

/* Seconds of the slowest rank: computing between exchanges, most of it on the last rank. */
static double go(gp_par *par, const phase *p, int64_t *x, gp_err *err) {
    int messages = p->messages < MOST ? (int)p->messages : MOST;
    int pieces = messages > 0 ? messages : 1;
    double times = p->messages > MOST ? p->messages / MOST : 1, from = MPI_Wtime();
    double busy = p->seconds / times / pieces;
    if (gp_par_rank(par) == gp_par_size(par) - 1)
        busy *= 1 + p->imbalance;
    for (int k = 0; k < pieces; k++) {
        smpi_execute(busy);
        if (messages > 0)
            gp_par_sum(par, x, count_of(p), err);
    }
    int64_t most = (int64_t)((MPI_Wtime() - from) * times * 1e9);
    gp_par_max(par, &most, 1, err);
    return (double)most * 1e-9;
}

/* As gp_par_open, which asks for threads: SimGrid has none. */
static gp_par *open_ranks(int *argc, char ***argv) {
    static gp_par par = {.groups = 1, .shards = 1, .node_size = 1, .limit = INT64_C(1) << 30};
    MPI_Init(argc, argv);
    par.world = MPI_COMM_WORLD;
    MPI_Comm_rank(par.world, &par.rank);
    MPI_Comm_size(par.world, &par.size);
    return &par;
}

int main(int argc, char **argv) {
    gp_err err = {0};
    gp_par *par = open_ranks(&argc, &argv);
    phase p = {.ranks = 0};
    if (argc < 3 || !read_phase(argv[1], atoi(argv[2]), &p) || p.ranks != gp_par_size(par))
        gp_par_abort(par, 64, "replay: no such line, or of another number of ranks");
    /* What is summed does not matter: all ranks of the process share one array. */
    int64_t *x = SMPI_SHARED_MALLOC((size_t)count_of(&p) * 8 + 4096);
    double seconds = go(par, &p, x, &err);
    if (gp_par_rank(par) == 0)
        printf("%s,%s,%s,%d,%.6g\n", p.command, p.name, p.kind, p.ranks, seconds);
    SMPI_SHARED_FREE(x);
    MPI_Finalize();
    return 0;
}
