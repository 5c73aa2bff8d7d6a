/** What --dry-run prints: samples, plan by chromosome and rank, memory, disk, work. */
#ifndef GP_JOBS_PLAN_REPORT_H
#define GP_JOBS_PLAN_REPORT_H

#include "jobs/scan.h"

/** What a report needs to know beside the scan. */
typedef struct gp_plan_needs {
    const char *out; /* the directory that results would go to, or NULL; its free space is shown */
    int64_t model;   /* bytes that the models need on a rank at most, with their buffers */
    double disk;     /* bytes beside the tables */
    int64_t passes;  /* over the genotypes */
    int by_chromosome; /* every chromosome is shared out over all groups, one after the other */
} gp_plan_needs;

/** Prints to stdout on rank 0. Collective (joins the ranks' memory). */
int gp_plan_report(gp_scan *scan, const gp_plan_needs *needs, gp_err *err);

#endif
