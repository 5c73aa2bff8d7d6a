#include "src/base/rng.h"
#include "src/base/real.h"

#include <math.h>

void gp_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

gp_rng gp_rng_stream(uint64_t seed, uint32_t purpose, uint32_t a, uint32_t b, uint32_t c) {
    return (gp_rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                    .counter = {0, a, b, purpose << 24 | (c & 0xFFFFFF)},
                    .used = 4};
}

uint32_t gp_rng_next(gp_rng *rng) {
    if (rng->used == 4) {
        gp_philox(rng->counter, rng->key, rng->word);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->word[rng->used++];
}

static uint64_t next_64(gp_rng *rng) {
    uint64_t high = gp_rng_next(rng);
    return high << 32 | gp_rng_next(rng);
}

double gp_rng_uniform(gp_rng *rng) {
    return (double)(next_64(rng) >> 11) * 0x1p-53;
}

double gp_rng_normal(gp_rng *rng) {
    /* Midpoints of 2^52 cells: exact, and never 0 or 1. */
    return gp_normal_quantile(((double)(next_64(rng) >> 12) + 0.5) * 0x1p-52);
}

double gp_rng_exponential(gp_rng *rng) {
    return -gp_log(1.0 - gp_rng_uniform(rng));
}

int64_t gp_rng_below(gp_rng *rng, int64_t bound) {
    uint64_t n = (uint64_t)bound;
    /* 2^64 mod n values are left out, so that every remainder has as many. */
    uint64_t spare = (0 - n) % n, x = next_64(rng);
    while (x < spare)
        x = next_64(rng);
    return (int64_t)(x % n);
}

static double ratio(const double top[8], const double bottom[8], double x) {
    double t = top[7], b = bottom[7];
    for (int k = 6; k >= 0; k--) {
        t = t * x + top[k];
        b = b * x + bottom[k];
    }
    return t / b;
}

double gp_normal_quantile(double p) {
    static const double middle[2][8] = {
        {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
         1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
         3.3430575583588128105e+4, 2.5090809287301226727e+3},
        {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
         2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
         5.2264952788528545610e+3}};
    static const double tail[2][8] = {
        {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
         3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
         2.27238449892691845833e-2, 7.74545014278341407640e-4},
        {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
         1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
         1.05075007164441684324e-9}};
    static const double far[2][8] = {
        {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
         2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
         2.71155556874348757815e-5, 2.01033439929228813265e-7},
        {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
         7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
         2.04426310338993978564e-15}};
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(middle[0], middle[1], 0.180625 - q * q);
    if (!(p > 0 && p < 1))
        return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
    double r = sqrt(-gp_log(q < 0 ? p : 1 - p));
    double x = r <= 5 ? ratio(tail[0], tail[1], r - 1.6) : ratio(far[0], far[1], r - 5);
    return q < 0 ? -x : x;
}
