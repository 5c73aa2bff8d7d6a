/** HDF5 files that all ranks of a run write to together. */
#ifndef GP_JOBS_PARALLEL_FILE_H
#define GP_JOBS_PARALLEL_FILE_H

#include "jobs/command.h"

/** How all ranks open one file: an hid_t, file access properties of MPI-IO in the format of HDF5
 *  1.10, for io/grm.h. Local; what is opened with it is opened by all ranks. 0 for one rank, which
 *  needs none; 0 with GP_EFAIL where HDF5 refuses. */
int64_t gp_parallel_access(gp_job *job, gp_err *err);

/** Releases it; 0 is accepted. */
void gp_parallel_access_close(int64_t access);

#endif
