#include "src/geno/count.h"
#include "src/geno/kernel.h"

#include <math.h>

int64_t gp_mask_count(const uint8_t *mask, int64_t stride) {
    int64_t count[4] = {0};
    gp_kernel_chosen()->count(mask, mask, stride, count);
    return count[0];
}

gp_counts gp_geno_count(const uint8_t *row, const uint8_t *mask, int64_t stride) {
    int64_t count[4] = {0};
    gp_kernel_chosen()->count(row, mask, stride, count);
    int64_t all = count[0], low = count[1], high = count[2], both = count[3];
    return (gp_counts){{all - low - high + both, low - both, high - both, both}};
}

gp_counts gp_calls_count(const gp_calls *calls, int64_t j, int64_t first, int64_t groups,
                         const uint8_t *mask) {
    gp_counts sum = {{0}};
    for (int64_t at = first; at < first + groups;) {
        gp_span span = gp_calls_span(calls, at, first + groups - at);
        gp_counts part = gp_geno_count(span.row + j * span.pitch, mask + at * GP_GENO_GROUP_BYTES,
                                       span.groups * GP_GENO_GROUP_BYTES);
        for (int k = 0; k < 4; k++)
            sum.call[k] += part.call[k];
        at += span.groups;
    }
    return sum;
}

double gp_counts_alt_frequency(const gp_counts *c) {
    int64_t called = c->call[0] + c->call[1] + c->call[2];
    return called ? (double)(c->call[1] + 2 * c->call[2]) / (2.0 * (double)called) : NAN;
}

int64_t gp_geno_list_missing(const uint8_t *row, const uint8_t *mask, int64_t stride,
                             int64_t *sample) {
    enum { PART = 4096 }; /* samples at a time */
    const gp_kernel *kernel = gp_kernel_chosen();
    int32_t found[PART];
    int64_t n = 0;
    for (int64_t at = 0; at < stride; at += PART / 4) {
        int64_t bytes = stride - at < PART / 4 ? stride - at : PART / 4;
        int64_t count = kernel->list_missing(row + at, mask + at, bytes, found);
        for (int64_t i = 0; i < count; i++)
            sample[n + i] = 4 * at + found[i];
        n += count;
    }
    return n;
}
