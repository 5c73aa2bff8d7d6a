/** What the commands that read tables and scan genotypes share. */
#ifndef GP_JOBS_JOB_H
#define GP_JOBS_JOB_H

#include "jobs/command.h"
#include "src/base/text.h"

/** Reads a text file on rank 0 and gives its bytes to all ranks. Collective. */
int gp_job_read_shared(gp_job *job, const char *path, gp_text *text, gp_err *err);

/** Records GP_ESTOP where a signal was caught on this rank, unless an error stands already. Local.
 *  Returns the code that stands in err. */
int gp_job_check_signals(gp_err *err);

#endif
