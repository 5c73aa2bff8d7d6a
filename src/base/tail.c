#include "src/base/tail.h"
#include "src/base/real.h"
#include "src/base/tail_table.h"

#include <math.h>
#include <stdint.h>

#define ROOT_PI 1.7724538509055160273

/* ---- few degrees of freedom ---- */

/* Gamma(a + 1/2) / Gamma(a): its asymptotic series from a >= 64 on, below that by R(a) = R(a + 1) a
 * / (a + 1/2). Source: DLMF 5.11.13. */
static double gamma_ratio(double a) {
    double shift = 1.0;
    for (; a < 64.0; a += 1.0)
        shift *= a / (a + 0.5);
    double u = 1.0 / a;
    double series =
        1.0 +
        u * (-1.0 / 8 +
             u * (1.0 / 128 + u * (5.0 / 1024 + u * (-21.0 / 32768 + u * (-399.0 / 262144 +
                                                                          u * 869.0 / 4194304)))));
    return shift * sqrt(a) * series;
}

/* 1 - p = I_y(1/2, b), y = t^2 / (df + t^2), b = df/2: y^(1/2) (1-y)^b / (1/2 B) * sum of (1/2 +
 * b)_k / (3/2)_k y^k. */
static double centre(double y, double b, double log_1my) {
    double term = 1.0, sum = 1.0;
    for (int k = 0; k < 10000 && term > 1e-17 * sum; k++) {
        term *= (0.5 + b + k) / (1.5 + k) * y;
        sum += term;
    }
    double inverse_beta = gamma_ratio(b) / ROOT_PI; /* 1 / B(1/2, b) */
    return 2.0 * inverse_beta * sqrt(y) * gp_exp(b * log_1my) * sum;
}

/* The continued fraction of I_x(a, 1/2), by the modified Lentz algorithm. */
static double fraction(double a, double x) {
    const double b = 0.5, tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 100000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1.0 + even * d;
        c = 1.0 + even / c;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1.0 + odd * d;
        c = 1.0 + odd / c;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        h *= d * c;
        if (fabs(d * c - 1.0) < 1e-15)
            break;
    }
    return h;
}

/* r = t^2 / df, x = log(1 + r). */
static double few(double r, double x, double df) {
    double a = 0.5 * df, y = r / (1.0 + r);
    /* The fraction converges fast only beyond this point (x < (a + 1) / (a + b + 2)). */
    if (y < 1.5 / (a + 2.5))
        return -gp_log1p(-centre(y, a, -x)) / GP_LN10;
    double log_p = -a * x + 0.5 * gp_log(y) +
                   gp_log(gamma_ratio(a) / ROOT_PI / a * fraction(a, 1.0 / (1.0 + r)));
    return -log_p / GP_LN10;
}

/* ---- many ---- */

/* -log10 erfc(z / 2^(1/2)), from z^2. */
static double normal(double zz) {
    if (zz < 64.0) {
        double z = sqrt(zz), quarter = 4.0 * z;
        int i = (int)quarter;
        double u = quarter - (i + 0.5), uu = u * u;
        const double *c = near_piece[i < NEAR_PIECES ? i : NEAR_PIECES - 1];
        double high = (c[5] + c[6] * u) + uu * (c[7] + c[8] * u);
        return z * (c[0] + u * ((c[1] + c[2] * u) + uu * ((c[3] + c[4] * u) + uu * high)));
    }
    double q = 1.0 / zz, rest = 0.0;
    for (int k = FAR_TERMS - 1; k >= 0; k--)
        rest = rest * q + far_part[k];
    return (0.5 * zz + 0.5 * gp_log(1.57079632679489661923 * zz) + rest * q) / GP_LN10;
}

/* E of tail_table.h from its first rows and columns (an even number). The inner loop is one of
 * vectors. */
static inline double deviate(double x, double h, int rows, int columns) {
    double column[E_COLUMNS], xx = x * x, hh = h * h, even = 0.0, odd = 0.0;
    for (int j = 0; j < columns; j++)
        column[j] = e_part[rows - 1][j];
    for (int d = rows - 2; d >= 0; d--)
        for (int j = 0; j < columns; j++)
            column[j] = column[j] * xx + e_part[d][j];
    for (int j = columns - 2; j >= 0; j -= 2) {
        even = even * hh + column[j];
        odd = odd * hh + column[j + 1];
    }
    return x * even + h * odd;
}

/* For x >= 1: p = exp(-a x) (1 - s)^(-1/2) / (a B(a, 1/2)) * sum of (1/2)_k / (a + 1)_k (-1/r)^k, s
 * = exp(-x), a = df/2. Source: DLMF 8.17.7 and 15.8.1. */
static double far(double r, double x, double df) {
    double a = 0.5 * df, h = 4.0 / (2.0 * df - 1.0), hh = h * h, log_k = 0.0;
    double step = -1.0 / r, term = 1.0, sum = 1.0;
    for (int k = 0; k < 100 && fabs(term) > 1e-16; k++) {
        term *= (0.5 + k) / (a + 1.0 + k) * step;
        sum += term;
    }
    for (int k = K_TERMS - 1; k >= 0; k--)
        log_k = (log_k + log_k_part[k]) * hh;
    /* B = (pi h)^(1/2) / K */
    double rest = r < 1e16 ? r / (1.0 + r) : 1.0, scale = a * (ROOT_PI / sum);
    return (a * x - log_k + 0.5 * gp_log(rest * h * scale * scale)) / GP_LN10;
}

double gp_t_neglog10p(double t, double df) {
    const double tiny = 0x1p-300;
    if (t != t || df != df)
        return NAN;
    t = fabs(t);
    if (t < tiny) /* proportional to t there */
        return t == 0.0 ? 0.0 : gp_t_neglog10p(tiny, df) * (t / tiny);
    df = df < 1e30 ? df : 1e30;
    double r = t / df * t, x = gp_log1p(r);
    if (r == INFINITY)
        x = 2.0 * gp_log(t) - gp_log(df);
    if (df < 30.0)
        return few(r < 1.7e308 ? r : 1.7e308, x, df);
    if (x > 1.0)
        return far(r, x, df);
    double h = 4.0 / (2.0 * df - 1.0), e;
    /* What these leave out of h E is below 1e-16. */
    if (x < 0.0625)
        e = h < 0.0025 ? deviate(x, h, 3, 4) : deviate(x, h, 3, E_COLUMNS);
    else
        e = h < 0.0025 ? deviate(x, h, E_TERMS, 4) : deviate(x, h, E_TERMS, E_COLUMNS);
    return normal((df - 0.5) * x * (1.0 + h * e));
}

/* ---- the normal's inverse ---- */

double gp_normal_deviate(double neglog10p) {
    if (!(neglog10p > 0.0))
        return neglog10p != neglog10p ? NAN : 0.0;
    if (neglog10p == INFINITY)
        return INFINITY;
    /* p <= exp(-z^2 / 2), and -log p is convex: it lies above its tangent at 0. From either side on
     * Newton's method comes down all the way. */
    double z =
        fmin(sqrt(neglog10p) * sqrt(2.0 * GP_LN10), neglog10p * (GP_LN10 * 1.25331413731550025121));
    if (z > 1e5) /* -log p = (z^2 + log(pi z^2 / 2)) / 2, but for 1 / z^2 */
        return z - (0.5 * gp_log(1.57079632679489661923) + gp_log(z)) / z;
    for (int k = 0; k < 60; k++) {
        double at = gp_t_neglog10p(z, INFINITY);
        double slope = 0.79788456080286535588 * gp_exp(at * GP_LN10 - 0.5 * z * z) / GP_LN10;
        double step = (at - neglog10p) / slope;
        z -= step;
        if (!(fabs(step) > 1e-15 * z))
            break;
    }
    return z;
}

double gp_log10_add(double a, double b) {
    double high = fmax(a, b), low = fmin(a, b);
    if (a != a || b != b)
        return NAN;
    if (low == -INFINITY)
        return high;
    return high + gp_log1p(gp_exp((low - high) * GP_LN10)) / GP_LN10;
}
