#include "src/geno/hwe.h"

#include <math.h>

/* Sums the probabilities of heterozygote counts on one side of the observed one, each relative to
 * it. step is +2 or -2. Terms up to the observed one (with a little slack for rounding) go into
 * *tail too. */
static void walk(double het, double ref, double alt, int step, double *tail, double *total) {
    double term = 1.0;
    for (;;) {
        double ratio = step > 0 ? 4.0 * ref * alt / ((het + 2.0) * (het + 1.0))
                                : het * (het - 1.0) / (4.0 * (ref + 1.0) * (alt + 1.0));
        term *= ratio;
        if (term > 1e300) { /* the observed count is that improbable: p is below 1e-300 */
            *total = INFINITY;
            return;
        }
        if (term <= 0.0 || (ratio < 1.0 && term < 1e-18))
            return;
        *total += term;
        if (term <= 1.0 + 0x1p-35)
            *tail += term;
        het += step;
        ref -= step / 2;
        alt -= step / 2;
    }
}

double gp_hwe_exact(int64_t ref, int64_t het, int64_t alt) {
    double tail = 1.0, total = 1.0;
    walk((double)het, (double)ref, (double)alt, -2, &tail, &total);
    walk((double)het, (double)ref, (double)alt, +2, &tail, &total);
    return tail / total;
}
