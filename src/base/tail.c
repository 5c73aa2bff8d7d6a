#include "src/base/tail.h"
#include "src/base/real.h"

#include <math.h>

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
    double inverse_beta = gamma_ratio(b) / 1.7724538509055160273; /* 1 / B(1/2, b) */
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

double gp_t_neglog10p(double t, double df) {
    if (t != t || df != df)
        return NAN;
    double r = t / df * t; /* t^2 / df */
    if (r == INFINITY)
        r = 1.797e308;
    double a = 0.5 * df, log_x = -gp_log1p(r), y = r / (1.0 + r);
    /* The fraction converges fast only beyond this point (x < (a + 1) / (a + b + 2)). */
    if (y < 1.5 / (a + 2.5))
        return -gp_log1p(-centre(y, a, log_x)) / GP_LN10;
    double log_p =
        a * log_x + 0.5 * gp_log(y) +
        gp_log(gamma_ratio(a) / 1.7724538509055160273 / a * fraction(a, 1.0 / (1.0 + r)));
    return -log_p / GP_LN10;
}
