#include "benchmarks/dense.h"
#include "benchmarks/cohort.h"
#include "src/base/mem.h"

#include <stdlib.h>

int dense_init(dense *d, const bench_options *options, int64_t terms, gp_err *err) {
    int bits = (int)options->bits;
    int64_t columns = options->columns;
    if (bits > gp_fixed_bits(terms))
        return gp_err_set(err, GP_EINPUT, "--bits %d: sums of %lld terms hold at most %d", bits,
                          (long long)terms, gp_fixed_bits(terms));
    d->value = gp_mem_alloc(terms * columns, sizeof *d->value, err);
    if (gp_operand_init(&d->y, terms, columns, bits, err) != GP_OK)
        return err->code;
    uint64_t seed = 1, most = (uint64_t)1 << bits;
    for (int64_t i = 0; i < terms; i++)
        for (int64_t k = 0; k < columns; k++) {
            int64_t v = (int64_t)(bench_bits(&seed) % (2 * most + 1)) - (int64_t)most;
            d->value[i * columns + k] = v;
            gp_operand_set(&d->y, i, k, v);
        }
    return GP_OK;
}

void dense_free(dense *d) {
    gp_operand_free(&d->y);
    free(d->value);
    *d = (dense){0};
}
