#include "mpi/par_private.h"

#include <stdio.h>
#include <stdlib.h>

static void set_grid(gp_par *par, int shards) {
    par->shards = shards;
    par->groups = par->size / shards;
    int grouped = par->rank < par->groups * shards;
    par->group = grouped ? par->rank / shards : -1;
    par->shard = grouped ? par->rank % shards : -1;
}

/* One process without a launcher needs no daemon and no network: Open MPI then starts in 0.02 s
 * instead of 0.3 s; nor need the machine be searched for graphics cards and disks. Other MPI
 * libraries ignore these settings. */
static void start_alone(void) {
    static const char *const launcher[] = {
        "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "SLURM_PROCID", "ALPS_APP_PE"};
    for (size_t k = 0; k < sizeof launcher / sizeof *launcher; k++)
        if (getenv(launcher[k]) != NULL)
            return;
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    /* Processes that start at the same time would make and remove one folder. */
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("HWLOC_COMPONENTS", "-gl,-opencl,-pci,-linuxio", 0);
}

int gp_par_open(gp_par **out, int *argc, char ***argv, gp_err *err) {
    /* MPI starts once in a process, so its one environment can be static: no allocation, which
     * could fail on one rank only, comes before the first chance to agree. */
    static gp_par par;
    int provided = 0;
    *out = NULL;
    start_alone();
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
        return gp_err_set(err, GP_EFAIL,
                          "MPI: it does not start; see that mpirun and the library "
                          "that gp-dist was built with belong together");
    if (provided < MPI_THREAD_FUNNELED) {
        MPI_Finalize();
        return gp_err_set(err, GP_EFAIL,
                          "MPI: this library allows no threads beside it; load one "
                          "with MPI_THREAD_FUNNELED");
    }
    /* Errors come back on our communicators only: BLACS and HDF5 build theirs from MPI_COMM_WORLD,
     * do not look at codes, and must go on ending the job. */
    MPI_Comm_dup(MPI_COMM_WORLD, &par.world);
    MPI_Comm_set_errhandler(par.world, MPI_ERRORS_RETURN);
    MPI_Comm_rank(par.world, &par.rank);
    MPI_Comm_size(par.world, &par.size);
    par.in_group = MPI_COMM_NULL;
    par.limit = (int64_t)1 << 30;
    set_grid(&par, 1);

    MPI_Comm node;
    int rc = MPI_Comm_split_type(par.world, MPI_COMM_TYPE_SHARED, par.rank, MPI_INFO_NULL, &node);
    gp_par_must(&par, rc, "finding the ranks of a node");
    MPI_Comm_size(node, &par.node_size);
    MPI_Comm_free(&node);
    *out = &par;
    return GP_OK;
}

void gp_par_close(gp_par *par) {
    if (par == NULL)
        return;
    if (par->in_group != MPI_COMM_NULL)
        MPI_Comm_free(&par->in_group);
    MPI_Comm_free(&par->world);
    MPI_Finalize();
}

int gp_par_set_shards(gp_par *par, int shards, gp_err *err) {
    if (shards < 1 || shards > par->size)
        gp_err_set(
            err, GP_EINPUT,
            "--sample-shards %d: it must be from 1 to the number of ranks, which is %d; start "
            "more ranks or ask for fewer shards",
            shards, par->size);
    if (gp_par_agree(par, err) != GP_OK)
        return err->code;
    if (par->in_group != MPI_COMM_NULL)
        MPI_Comm_free(&par->in_group);
    set_grid(par, shards);
    if (shards == 1)
        return GP_OK;
    int color = par->group < 0 ? MPI_UNDEFINED : par->group;
    int rc = MPI_Comm_split(par->world, color, par->rank, &par->in_group);
    gp_par_must(par, rc, "arranging the ranks");
    return GP_OK;
}

int gp_par_rank(const gp_par *par) {
    return par->rank;
}

int gp_par_size(const gp_par *par) {
    return par->size;
}

int gp_par_groups(const gp_par *par) {
    return par->groups;
}

int gp_par_group(const gp_par *par) {
    return par->group;
}

int gp_par_shards(const gp_par *par) {
    return par->shards;
}

int gp_par_shard(const gp_par *par) {
    return par->shard;
}

int gp_par_node_size(const gp_par *par) {
    return par->node_size;
}

int gp_par_agree(gp_par *par, gp_err *err) {
    int lowest = err->code == GP_OK ? par->size : par->rank;
    double from = MPI_Wtime();
    int rc = MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, par->world);
    gp_par_must(par, rc, "agreeing on an outcome");
    gp_par_exchanged(par, from, sizeof lowest);
    if (lowest == par->size)
        return GP_OK;
    rc = MPI_Bcast(err, (int)sizeof *err, MPI_BYTE, lowest, par->world);
    gp_par_must(par, rc, "sharing an error");
    return err->code;
}

void gp_par_abort(const gp_par *par, int code, const char *text) {
    fprintf(stderr, "gp-dist: error: rank %d: %s\n", par->rank, text);
    MPI_Abort(par->world, code);
    abort(); /* MPI_Abort does not return, but no MPI header says so */
}

const void *gp_par_communicator(const gp_par *par) {
    return &par->world;
}

void gp_par_must(const gp_par *par, int rc, const char *what) {
    if (rc == MPI_SUCCESS)
        return;
    char reason[MPI_MAX_ERROR_STRING] = "";
    char line[MPI_MAX_ERROR_STRING + 100];
    int length = 0;
    MPI_Error_string(rc, reason, &length);
    snprintf(line, sizeof line, "MPI: %s failed: %s", what, reason);
    gp_par_abort(par, GP_EFAIL, line);
}
