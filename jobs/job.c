#include "jobs/job.h"
#include "io/file.h"

int gp_job_read_shared(gp_job *job, const char *path, gp_text *text, gp_err *err) {
    if (gp_par_rank(job->par) == 0)
        gp_io_read_text(path, text, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    return gp_par_share_text(job->par, text, err);
}

int gp_job_check_signals(gp_err *err) {
    int caught = gp_signals_caught();
    if (caught != 0)
        gp_err_set(err, GP_ESTOP,
                   "stopped by signal %d before the end; nothing is half-written; the same command "
                   "starts over",
                   caught);
    return err->code;
}
