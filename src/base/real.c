#include "src/base/real.h"
#include "src/base/real_table.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts: the first has 33 bits, so k * LN2_HIGH is exact for every exponent k. */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double gp_power_of_two(int e) {
    return of_bits((uint64_t)(e + 1023) << 52);
}

/* ---- logarithm ---- */

/* A normal x > 0 as 2^k * m, and the run of the table that holds m. */
typedef struct parts {
    int64_t k;
    double m;
    const double *run;
} parts;

static parts take_apart(double x) {
    uint64_t bits = bits_of(x), from = bits - LOG_FIRST;
    int64_t k = (int64_t)(from >> 52);
    k -= k >= 2048 ? 4096 : 0; /* from is the difference modulo 2^64 */
    parts p = {k, of_bits(bits - ((uint64_t)k << 52)), log_run[from >> 45 & 127]};
    return p;
}

/* log(2^k (m + low)), |low| no more than m's last place. With c near 1/m: -log(c) from the table,
 * and log(1 + r), r = c (m + low) - 1, |r| < 0.005, by its series; the next term is below 5e-20.
 * c has 10 bits, so its products with the first 43 bits of m and with the others are exact; what
 * the sums lose is added at the end. */
static double put_together(parts p, double low) {
    double c = p.run[0], k = (double)p.k;
    double high = of_bits(bits_of(p.m) & ~UINT64_C(0x3FF));
    double r0 = high * c - 1.0, r1 = (p.m - high) * c, r2 = low * c;
    double r01 = r0 + r1, r = r01 + r2, rr = r * r;
    double lost = ((r0 - r01) + r1) + ((r01 - r) + r2);
    double whole = k * LN2_HIGH + p.run[1]; /* exact */
    double sum = whole + r;
    double rest = (whole - sum) + r + (lost + (k * LN2_LOW + p.run[2]));
    double series = (1.0 / 3 - r * 0.25) + rr * ((0.2 - r * (1.0 / 6)) + rr * (1.0 / 7));
    return sum + (rest - 0.5 * rr + r * rr * series);
}

double gp_log(double x) {
    if (!(x > 0.0))
        return x == 0.0 ? -INFINITY : NAN;
    if (x == INFINITY)
        return x;
    int64_t shift = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        shift = 54;
    }
    parts p = take_apart(x);
    p.k -= shift;
    return put_together(p, 0.0);
}

double gp_log1p(double x) {
    if (fabs(x) < 0x1p-6) { /* the next term of the series is below 2^-57 x */
        double xx = x * x, high = (1.0 / 7 - x * 0.125) + xx * (1.0 / 9);
        double series = (1.0 / 3 - x * 0.25) + xx * ((0.2 - x * (1.0 / 6)) + xx * high);
        return x - xx * (0.5 - x * series);
    }
    double u = 1.0 + x;
    if (!(u > 0.0))
        return u == 0.0 ? -INFINITY : NAN;
    if (u == INFINITY)
        return u;
    double lost = x < 1.0 ? x - (u - 1.0) : 1.0 - (u - x); /* exact: 1 + x = u + lost */
    parts p = take_apart(u);
    return put_together(p, p.k < 64 ? lost * gp_power_of_two((int)-p.k) : 0.0);
}

/* ---- exponential ---- */

double gp_exp(double x) {
    if (x != x)
        return x;
    if (x > 709.79)
        return INFINITY;
    if (x < -745.2)
        return 0.0;
    /* x = (128 k + i) ln 2 / 128 + r, |r| < 0.0028. Adding and taking away 1.5 * 2^52 rounds to a
     * whole number. */
    double steps = x * (128 * 1.44269504088896340736) + 0x1.8p52 - 0x1.8p52;
    int64_t step = (int64_t)steps, k = (step - (step & 127)) / 128;
    double r = (x - steps * (LN2_HIGH / 128)) - steps * (LN2_LOW / 128), rr = r * r;
    const double *s = exp_step[step & 127];
    double series =
        (s[1] + r) + rr * (0.5 + r * (1.0 / 6)) + rr * rr * (1.0 / 24 + r * (1.0 / 120));
    double e = s[0] + s[0] * series;
    if (x > -708.0 && x < 709.0)
        return e * gp_power_of_two((int)k);
    int half = (int)k / 2; /* two steps, so that results below 2^-1022 round once at the end */
    return e * gp_power_of_two(half) * gp_power_of_two((int)k - half);
}

double gp_softplus(double x) {
    return fmax(x, 0.0) + gp_log1p(gp_exp(-fabs(x)));
}
