/** Linear regression as the model of a scan (src/assoc/linear.h), of traits or of what offsets
 * leave of them (jobs/shift.h). */
#ifndef GP_JOBS_SCAN_LINEAR_H
#define GP_JOBS_SCAN_LINEAR_H

#include "jobs/scan.h"

typedef struct gp_scan_linear {
    gp_job *job;   /* borrowed */
    int writes;    /* this shard needs results */
    int64_t *sums; /* [batch x widest pattern + 1]; the last is gp_pass_sum's */
} gp_scan_linear;

/** Makes room for the scan's batches, and makes itself its model. Local. Comes zeroed. */
int gp_scan_linear_init(gp_scan_linear *linear, gp_scan *scan, gp_err *err);
void gp_scan_linear_free(gp_scan_linear *linear);

/** Bytes of the models and the sums. */
int64_t gp_scan_linear_bytes(const gp_scan *scan);

#endif
