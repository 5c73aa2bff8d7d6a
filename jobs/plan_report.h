/** What --dry-run prints: samples, plan by chromosome and rank, memory, disk, work. */
#ifndef GP_JOBS_PLAN_REPORT_H
#define GP_JOBS_PLAN_REPORT_H

#include "jobs/scan.h"

/** Prints to stdout on rank 0. Collective (joins the ranks' memory).
 *    out    in  the directory that results would go to, or NULL; its free space is shown
 *    model  in  bytes that the models need on a rank at most, with their buffers */
int gp_plan_report(gp_scan *scan, const char *out, int64_t model, gp_err *err);

#endif
