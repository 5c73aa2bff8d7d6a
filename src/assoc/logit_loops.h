/** The loops of passes over samples, for the CPU's widest vectors. Private to
 * src/assoc/logit_rows.c.
 *
 *  Written once, in logit_loops_body.h, and compiled for each kind of vectors. Every operation
 *  rounds once, and sums are exact: all give the same bytes. Which ones run goes with the kernel of
 *  the exact products (GP_KERNEL, src/geno/cpu.h). Local, thread-safe.
 */
#ifndef GP_SRC_ASSOC_LOGIT_LOOPS_H
#define GP_SRC_ASSOC_LOGIT_LOOPS_H

#include "src/assoc/logit_rows.h"

enum {
    GP_LOGIT_LANES = 8,
    GP_LOGIT_GROUP = 64,
    GP_LOGIT_FLUSH = 16,   /* groups whose terms a double sums exactly, if it must in one lane */
    GP_LOGIT_LOGLIK = 7,   /* exponents: terms of the log-likelihood are cut off at 2^7, */
    GP_LOGIT_RESIDUAL = 1, /* residuals with their leverage are at most 2, */
    GP_LOGIT_WEIGHT = -2,  /* weights 1/4 (twice that with leverages: FLUSH leaves room), */
    GP_LOGIT_SKEW = -3,    /* w (1 - 2 mu) below 0.1, */
    GP_LOGIT_GENOTYPE = 1  /* genotypes 2 */
};

/** A run of groups, and where its sums are made. */
typedef struct gp_logit_run {
    const gp_logit_rows *rows;
    const gp_logit_pass *pass;
    int64_t d;           /* columns, with the variant */
    int64_t first, end;  /* groups */
    int64_t width;       /* sums */
    const double *magic; /* [width] 1.5 2^52 times what a sum counts in */
    double *lane;        /* [width x 8] running sums */
    double *work;        /* [GP_LOGIT_WORK] of a group */
} gp_logit_run;

enum { GP_LOGIT_WORK = 5 * GP_LOGIT_GROUP /* numbers */ };

typedef struct gp_logit_loops {
    const char *name; /* portable, avx2 or avx512 */
    /** Sums of gp_logit_pass_all, and of gp_logit_pass_one, over the groups of a run, at most
     *  GP_LOGIT_FLUSH of them, added to its lanes.
     *    calls  in  [16 (end - first)] of the variant; NULL: there is none */
    void (*all)(const gp_logit_run *run, const uint8_t *calls);
    void (*one)(const gp_logit_run *run, const uint8_t *calls);
} gp_logit_loops;

extern const gp_logit_loops gp_logit_loops_portable;
#if defined(__x86_64__)
extern const gp_logit_loops gp_logit_loops_avx2;
extern const gp_logit_loops gp_logit_loops_avx512;
#endif

#endif
