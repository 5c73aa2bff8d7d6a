#include "jobs/parallel_file.h"
#include "io/store_h5.h"

int64_t gp_parallel_access(gp_job *job, gp_err *err) {
    if (gp_par_size(job->par) == 1)
        return 0;
    hid_t access = gp_h5_access();
    const MPI_Comm *ranks = gp_par_communicator(job->par);
    /* What all ranks need to know of a file one rank reads and hands on. */
    if (access > 0 && H5Pset_fapl_mpio(access, *ranks, MPI_INFO_NULL) >= 0 &&
        H5Pset_all_coll_metadata_ops(access, 1) >= 0 && H5Pset_coll_metadata_write(access, 1) >= 0)
        return (int64_t)access;
    gp_h5_release(&access);
    gp_err_set(err, GP_EFAIL, "HDF5: it cannot open files on several ranks together");
    return 0;
}

void gp_parallel_access_close(int64_t access) {
    hid_t id = (hid_t)access;
    gp_h5_release(&id);
}
