/** Logistic regression as the model of a scan: score tests of whole blocks, and the full
 *  models of the variants that want one (src/assoc/logit.h, logit_fit.h). */
#ifndef GP_JOBS_SCAN_LOGISTIC_H
#define GP_JOBS_SCAN_LOGISTIC_H

#include "jobs/offset.h"
#include "jobs/scan.h"
#include "src/assoc/logit_fit.h"

/** What is asked for beside the score tests. */
typedef struct gp_scan_logistic_options {
    int score;          /* 1: nothing */
    gp_logit_kind kind; /* the full model */
    double threshold;   /* of p: variants below it get the full model; 1 = all (Wald's: always) */
    int exact;          /* missing calls: complete cases; 0: they are the mean */
} gp_scan_logistic_options;

typedef struct gp_scan_logistic {
    gp_scan_logistic_options o;
    gp_scan *scan;             /* borrowed */
    const gp_offsets *offsets; /* borrowed */
    double least;              /* -log10 p of the threshold */
    int64_t *sums;             /* [batch x widest + 1] of a block; the last is gp_pass_sum's */
    int64_t *round;            /* [widest of a round + 1] */
    int64_t *chosen;           /* [batch] variants for the full model */
    gp_result **result;        /* [batch] theirs */
    gp_logit_batch **batches;  /* [patterns] of the first one with as many columns; else NULL */
} gp_scan_logistic;

/** Makes the models of this shard's samples from the patterns' null models (jobs/null_models.h),
 * and room for the scan's batches; makes itself the scan's model for binary traits. Frees the
 * patterns' columns. Local. Comes zeroed. */
int gp_scan_logistic_init(gp_scan_logistic *logistic, gp_scan *scan,
                          const gp_scan_logistic_options *options, const gp_offsets *offsets,
                          gp_err *err);
void gp_scan_logistic_free(gp_scan_logistic *logistic);

/** Bytes of the models and the sums, before there are any. */
int64_t gp_scan_logistic_bytes(const gp_scan *scan, const gp_scan_logistic_options *options);

#endif
