/** A random dense operand for benchmarks, and its integers as plain numbers to check with. */
#ifndef GP_BENCHMARKS_DENSE_H
#define GP_BENCHMARKS_DENSE_H

#include "benchmarks/options.h"
#include "src/geno/fixed.h"

typedef struct dense {
    gp_operand y;
    int64_t *value; /* [terms x columns] */
} dense;

/** Integers of up to 2^options->bits in size, of options->columns columns; those of the first terms
 *  are the same whatever the number of terms. GP_EINPUT where sums over so many terms would not fit
 *  an int64. */
int dense_init(dense *d, const bench_options *options, int64_t terms, gp_err *err);

void dense_free(dense *d);

static inline int64_t dense_value(const dense *d, int64_t term, int64_t column) {
    return d->value[term * d->y.columns + column];
}

#endif
