#include "src/geno/count.h"

#include <math.h>
#include <string.h>

#define LOW 0x5555555555555555u

static uint64_t word(const uint8_t *bytes, int64_t k) {
    uint64_t w;
    memcpy(&w, bytes + 8 * k, sizeof w);
    return w;
}

int64_t gp_mask_count(const uint8_t *mask, int64_t stride) {
    int64_t n = 0;
    for (int64_t k = 0; k < stride / 8; k++)
        n += __builtin_popcountll(word(mask, k));
    return n;
}

gp_counts gp_geno_count(const uint8_t *row, const uint8_t *mask, int64_t stride) {
    int64_t low = 0, high = 0, both = 0, all = 0;
    for (int64_t k = 0; k < stride / 8; k++) {
        uint64_t g = word(row, k), m = word(mask, k);
        uint64_t l = g & m, h = g >> 1 & m;
        all += __builtin_popcountll(m);
        low += __builtin_popcountll(l);
        high += __builtin_popcountll(h);
        both += __builtin_popcountll(l & h);
    }
    return (gp_counts){{all - low - high + both, low - both, high - both, both}};
}

double gp_counts_alt_frequency(const gp_counts *c) {
    int64_t called = c->call[0] + c->call[1] + c->call[2];
    return called ? (double)(c->call[1] + 2 * c->call[2]) / (2.0 * (double)called) : NAN;
}

int64_t gp_geno_list_missing(const uint8_t *row, const uint8_t *mask, int64_t stride,
                             int64_t *sample) {
    int64_t n = 0;
    for (int64_t k = 0; k < stride / 8; k++) {
        uint64_t g = word(row, k), bits = g & (g >> 1) & LOW & word(mask, k);
        for (; bits; bits &= bits - 1)
            sample[n++] = 32 * k + __builtin_ctzll(bits) / 2;
    }
    return n;
}
