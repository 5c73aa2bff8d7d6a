#include "src/assoc/chebyshev.h"

#include <math.h>
#include <string.h>

enum { K = GP_CHEBYSHEV, KNOTS = K + 2 };

/* T'_j(x) = j U_{j-1}(x), j = 0 .. K - 1. */
static void slopes_at(double x, double slope[K]) {
    double before = 0.0, u = 1.0;
    slope[0] = 0.0;
    for (int j = 1; j < K; j++) {
        double next = 2.0 * x * u - before;
        slope[j] = j * u;
        before = u;
        u = next;
    }
}

/* cos(pi k / (2 K)), k = 0 .. 4 K - 1; by square roots, which every libm gives the same bits. */
static void fill_cosines(double cosine[4 * K]) {
    cosine[0] = 1.0;
    cosine[K] = 0.0;
    for (int step = K / 2; step > 0; step /= 2) /* half of an angle that is there, or mirrored */
        for (int k = step; k < K; k += 2 * step)
            cosine[k] = sqrt(0.5 + 0.5 * (2 * k <= K ? cosine[2 * k] : -cosine[2 * K - 2 * k]));
    for (int k = 1; k <= K; k++)
        cosine[K + k] = -cosine[K - k];
    for (int k = 1; k < 2 * K; k++)
        cosine[2 * K + k] = cosine[2 * K - k];
}

void gp_chebyshev_init(gp_chebyshev *c) {
    double cosine[4 * K];
    memset(c, 0, sizeof *c);
    fill_cosines(cosine);
    for (int k = 0; k < K; k++) {
        int angle = 2 * (K - 1 - k) + 1; /* of the point, in units of pi / (2 K) */
        c->point[k] = cosine[angle];
        c->bary[k] = (k % 2 ? -1.0 : 1.0) * cosine[(angle + 3 * K) % (4 * K)]; /* its sine */
        for (int j = 0; j < K; j++)
            c->turned[k][j] = (j ? 2.0 : 1.0) / K * cosine[j * angle % (4 * K)];
        c->knot[k + 1] = c->point[k];
    }
    c->knot[0] = -1.0;
    c->knot[KNOTS - 1] = 1.0;
    for (int i = 0; i < KNOTS; i++) {
        double slope[K];
        slopes_at(c->knot[i], slope);
        for (int k = 0; k < K; k++)
            for (int j = 0; j < K; j++)
                c->slope[k][i] += c->turned[k][j] * slope[j];
    }
}

void gp_chebyshev_weights(const gp_chebyshev *c, double x, double weight[K]) {
    double sum = 0.0;
    for (int k = 0; k < K; k++) {
        double away = x - c->point[k];
        if (away == 0.0) {
            memset(weight, 0, K * sizeof *weight);
            weight[k] = 1.0;
            return;
        }
        weight[k] = c->bary[k] / away;
        sum += weight[k];
    }
    for (int k = 0; k < K; k++)
        weight[k] /= sum;
}

/* Coefficients of the first and second derivative. */
static void differentiate(const gp_chebyshev *c, const double *f, double d1[K + 2],
                          double d2[K + 2]) {
    double a[K] = {0};
    for (int k = 0; k < K; k++)
        for (int j = 0; j < K; j++)
            a[j] += f[k] * c->turned[k][j];
    memset(d1, 0, (K + 2) * sizeof *d1);
    memset(d2, 0, (K + 2) * sizeof *d2);
    for (int j = K - 1; j > 0; j--)
        d1[j - 1] = d1[j + 1] + 2.0 * j * a[j];
    for (int j = K - 1; j > 0; j--)
        d2[j - 1] = d2[j + 1] + 2.0 * j * d1[j];
    d1[0] *= 0.5;
    d2[0] *= 0.5;
}

/* Clenshaw's recurrence, of both at once. */
static void values_at(const double *a, const double *b, double x, double *at_a, double *at_b) {
    double a1 = 0.0, a2 = 0.0, b1 = 0.0, b2 = 0.0;
    for (int j = K - 1; j > 0; j--) {
        double a0 = 2.0 * x * a1 - a2 + a[j], b0 = 2.0 * x * b1 - b2 + b[j];
        a2 = a1;
        a1 = a0;
        b2 = b1;
        b1 = b0;
    }
    *at_a = x * a1 - a2 + a[0];
    *at_b = x * b1 - b2 + b[0];
}

/* The zero of the slope d1 in [low, high], where it goes from + to -; x is a first guess. */
static double root(const double *d1, const double *d2, double low, double high, double x) {
    for (int k = 0; k < 60; k++) {
        double slope = 0.0, bend = 0.0;
        values_at(d1, d2, x, &slope, &bend);
        if (slope == 0.0)
            return x;
        if (slope > 0.0)
            low = x;
        else
            high = x;
        double next = x - slope / bend;
        if (!(next > low && next < high))
            next = 0.5 * (low + high);
        double step = fabs(next - x);
        x = next;
        if (step < 1e-13)
            break;
    }
    return x;
}

int gp_chebyshev_maxima(const gp_chebyshev *c, const double f[K], double x[K + 2]) {
    double slope[KNOTS] = {0}, d1[K + 2], d2[K + 2];
    int count = 0, ready = 0;
    for (int k = 0; k < K; k++)
        for (int i = 0; i < KNOTS; i++)
            slope[i] += f[k] * c->slope[k][i];
    if (slope[0] < 0.0)
        x[count++] = -1.0;
    for (int i = 0; i + 1 < KNOTS; i++) {
        double low = c->knot[i], high = c->knot[i + 1];
        if (!(slope[i] >= 0.0 && slope[i + 1] < 0.0))
            continue;
        if (!ready)
            differentiate(c, f, d1, d2);
        ready = 1;
        double guess = low + (high - low) * slope[i] / (slope[i] - slope[i + 1]);
        x[count++] = root(d1, d2, low, high, guess);
    }
    if (slope[KNOTS - 1] >= 0.0)
        x[count++] = 1.0;
    return count;
}
