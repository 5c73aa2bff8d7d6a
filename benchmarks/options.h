/** The options of the benchmark programs. */
#ifndef GP_BENCHMARKS_OPTIONS_H
#define GP_BENCHMARKS_OPTIONS_H

#include <stdint.h>

typedef struct bench_options {
    int64_t samples, variants;
    int64_t columns; /* dense columns */
    int64_t bits;    /* of magnitude of a column's integers (src/geno/fixed.h) */
    int64_t block;   /* variants that a product takes at once */
    double missing;  /* share of calls, 0 to 1 */
    int64_t threads; /* of OpenMP */
    int64_t rounds;  /* of which the median counts */
    double seconds;  /* that a round lasts at least */
    int64_t buffer;  /* MiB, to measure the reading of memory with */
    int64_t csv;     /* 1: a line of results/products.csv; 2: that file's header, and stop */
    /* Of network: */
    int64_t patch, channels, layers, heads, batch, shard;
    double dropout;
    const char *precision; /* float32 or bfloat16 */
    const char *bed;       /* a PLINK .bed to take calls from, or NULL; only gram */
    const char *expect;    /* a matrix to compare with, or NULL; only gram */
} bench_options;

/** Reads --NAME VALUE pairs over what options holds: the program's defaults. Prints what is wrong,
 *  or the options where --help stands among them, and returns 0 then. */
int bench_options_read(bench_options *options, int argc, char **argv);

#endif
