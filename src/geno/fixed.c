#include "src/geno/fixed.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdlib.h>

int gp_fixed_bits(int64_t n) {
    if (n <= GP_FIXED_SMALL)
        return GP_FIXED_BITS_SMALL;
    int bits = GP_FIXED_BITS;
    for (int64_t room = (int64_t)1 << 20; room < n; room *= 2)
        bits--;
    return bits;
}

int gp_fixed_exponent(double max, int bits) {
    int e = 0;
    if (!(max > 0.0))
        return 0;
    double m = frexp(max, &e); /* max = m 2^e, m in [1/2, 1) */
    int exponent = m == 0.5 ? bits - e + 1 : bits - e;
    return exponent > 900 ? 900 : exponent;
}

int64_t gp_fixed_from(double x, int e) {
    return llrint(x * gp_power_of_two(e));
}

double gp_fixed_to(int64_t v, int e) {
    return (double)v * gp_power_of_two(-e);
}

int gp_operand_init(gp_operand *y, int64_t samples, int64_t columns, gp_err *err) {
    y->samples = samples;
    y->columns = columns;
    y->width = gp_operand_width(columns);
    y->value = gp_mem_alloc(gp_geno_stride(samples) * 4,
                            (y->width ? y->width : 4) * (int64_t)sizeof *y->value, err);
    y->exponent = gp_mem_alloc(columns, sizeof *y->exponent, err);
    return err->code;
}

void gp_operand_free(gp_operand *y) {
    free(y->value);
    free(y->exponent);
    *y = (gp_operand){0};
}
