#include "src/base/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts: the first has 33 bits, so k * LN2_HIGH is exact for every exponent k. */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10

double gp_power_of_two(int e) {
    uint64_t bits = (uint64_t)(e + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* log(1 + f) = f - s (f - r), s = f / (2 + f), r = 2 (s^2/3 + s^4/5 + ...); |f| < 0.42, so s^2 <
 * 0.0302. */
static double log_near_one(double f) {
    double s = f / (2.0 + f), z = s * s, r = 0.0;
    for (int j = 25; j >= 3; j -= 2)
        r = (r + 2.0 / j) * z;
    return f - s * (f - r);
}

double gp_log(double x) {
    if (!(x > 0.0))
        return x == 0.0 ? -INFINITY : NAN;
    if (x == INFINITY)
        return x;
    int k = 0;
    double m = frexp(x, &k); /* exact; m in [1/2, 1) */
    if (m < 0.70710678118654752) {
        m *= 2.0;
        k--;
    }
    double f = m - 1.0;
    if (k == 0)
        return log_near_one(f);
    return k * LN2_HIGH + (log_near_one(f) + k * LN2_LOW);
}

double gp_log1p(double x) {
    if (x > -0.29 && x < 0.41)
        return log_near_one(x);
    return gp_log(1.0 + x);
}

double gp_exp(double x) {
    if (x != x)
        return x;
    if (x > 709.79)
        return INFINITY;
    if (x < -745.2)
        return 0.0;
    double k = floor(x * 1.44269504088896340736 + 0.5);
    double high = x - k * LN2_HIGH, low = k * LN2_LOW, r = high - low;
    double p = 0.0;
    for (int j = 14; j >= 2; j--)
        p = (p * r + 1.0) / j;
    /* exp(r) - 1 = r (1 + r/2 (1 + r/3 (...))), and p now holds (1 + r/3 ...)/2. */
    double e = 1.0 + (r + r * r * p);
    int half = (int)k / 2; /* two steps, so that results below 2^-1022 round once at the end */
    return e * gp_power_of_two(half) * gp_power_of_two((int)k - half);
}
