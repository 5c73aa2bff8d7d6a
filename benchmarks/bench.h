/** What the benchmark programs have in common: rounds of timing, and how results are printed.
 *
 *  A round measures the loop of multiply-adds, then reading memory, then the product; shares are
 *  medians of the rounds' own ratios, so that a machine whose speed drifts is measured fairly.
 */
#ifndef GP_BENCHMARKS_BENCH_H
#define GP_BENCHMARKS_BENCH_H

#include "benchmarks/options.h"
#include "src/base/err.h"
#include <stdint.h>

/** One product to be timed. */
typedef struct bench_work {
    const char *name;
    void (*pass)(void *context); /* all genotypes once */
    void *context;
    /* Of a pass: */
    double genotypes;
    double operations; /* multiplications and additions of bytes that the result needs; NaN: none */
    double bytes;      /* of packed calls */
    int digits;        /* of a column's integers; 0 where there are none */
} bench_work;

/** Reads options over the defaults that *options holds, checks GP_KERNEL, sets the threads. Where
 *  the program ends here (wrong usage, --help, --csv 2) it returns 0 and *status. */
int bench_start(bench_options *options, int argc, char **argv, int *status);

/** Times the work and prints its figures. GP_EFAIL where memory is refused. */
int bench_time(const bench_options *options, const bench_work *work, gp_err *err);

/** Says that a result is wrong. */
int bench_wrong(const char *what, int64_t row, int64_t column, double got, double want,
                gp_err *err);

/** Prints what an error says; returns its code, the status of the process. */
int bench_end(const gp_err *err);

#endif
