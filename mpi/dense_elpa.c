/* The eigensolver of ELPA, where CMake found it. Its own variable ELPA_DEFAULT_solver chooses one
 * stage (1) or two (2). */
#include "mpi/dense_private.h"

#include <complex.h> /* elpa.h does not include it */
#include <elpa/elpa.h>

/* ELPA needs something on every rank of the grid; below, ScaLAPACK is as quick. */
int gp_dense_elpa_can(const gp_layout *l) {
    int longer = l->rows > l->columns ? l->rows : l->columns;
    return l->n >= 2 * (int64_t)GP_GRID_BLOCK * longer;
}

/* The first word that ELPA does not take is the error. */
static void set(elpa_t handle, const char *name, int value, int *error) {
    if (*error == ELPA_OK)
        elpa_set(handle, name, value, error);
}

static elpa_t set_up(const gp_dense *a, MPI_Comm comm, int *error) {
    const gp_layout *l = &a->layout;
    elpa_t handle = elpa_allocate(error);
    if (*error != ELPA_OK)
        return NULL;
    set(handle, "na", (int)l->n, error);
    set(handle, "nev", (int)l->n, error);
    set(handle, "local_nrows", (int)a->lead, error);
    set(handle, "local_ncols", (int)l->local_columns, error);
    set(handle, "nblk", GP_GRID_BLOCK, error);
    set(handle, "mpi_comm_parent", (int)MPI_Comm_c2f(comm), error);
    set(handle, "process_row", l->row, error);
    set(handle, "process_col", l->column, error);
    if (*error == ELPA_OK)
        *error = elpa_setup(handle);
    return handle;
}

static void solve(gp_dense *a, MPI_Comm comm, double *value, gp_dense *vector, gp_err *err) {
    int error = elpa_init(20171201), ignored; /* the interface that this file is written for */
    elpa_t handle = NULL;
    if (error == ELPA_OK)
        handle = set_up(a, comm, &error);
    if (error == ELPA_OK && vector != NULL)
        elpa_eigenvectors(handle, a->value, value, vector->value, &error);
    else if (error == ELPA_OK)
        elpa_eigenvalues(handle, a->value, value, &error);
    if (error != ELPA_OK)
        gp_err_set(err, GP_EFAIL, "ELPA: eigenvalues were not found: %s", elpa_strerr(error));
    if (handle != NULL)
        elpa_deallocate(handle, &ignored);
    elpa_uninit(&ignored);
}

void gp_dense_elpa(gp_dense *a, double *value, gp_dense *vector, gp_err *err) {
    MPI_Comm comm;
    int on = a->layout.row >= 0;
    int rc = MPI_Comm_split(a->par->world, on ? 0 : MPI_UNDEFINED, a->par->rank, &comm);
    gp_par_must(a->par, rc, "joining the ranks of the grid");
    if (gp_dense_mirror(a, err) == GP_OK && on) /* ELPA reads both triangles */
        solve(a, comm, value, vector, err);
    if (on)
        MPI_Comm_free(&comm);
}
