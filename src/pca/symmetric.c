#include "src/pca/symmetric.h"

#include <math.h>

/* The papers' column k is row k here: inner loops run along memory. */

static double length_of(double a, double b) {
    double big = fmax(fabs(a), fabs(b)), small = fmin(fabs(a), fabs(b));
    return big > 0.0 ? big * sqrt(1.0 + small / big * (small / big)) : 0.0;
}

/* Row i's turn: d[0..i) is its part left of the diagonal; leaves the reflection's vector in d
 * and in row i of v, and applies it to the matrix above. */
static void reflect(int64_t n, int64_t i, double *v, double *d, double *e) {
    double h = 0.0, f = d[i - 1], scale = e[i];
    for (int64_t k = 0; k < i; k++) {
        d[k] /= scale;
        h += d[k] * d[k];
        e[k] = 0.0;
    }
    f = d[i - 1];
    double g = f > 0.0 ? -sqrt(h) : sqrt(h);
    e[i] = scale * g;
    h -= f * g;
    d[i - 1] = f - g;
    for (int64_t j = 0; j < i; j++) {
        double *row = v + j * n;
        f = d[j];
        v[i * n + j] = f;
        g = e[j] + row[j] * f;
        for (int64_t k = j + 1; k < i; k++) {
            g += row[k] * d[k];
            e[k] += row[k] * f;
        }
        e[j] = g;
    }
    f = 0.0;
    for (int64_t j = 0; j < i; j++) {
        e[j] /= h;
        f += e[j] * d[j];
    }
    for (int64_t j = 0; j < i; j++)
        e[j] -= f / (h + h) * d[j];
    for (int64_t j = 0; j < i; j++) {
        double *row = v + j * n;
        f = d[j];
        g = e[j];
        for (int64_t k = j; k < i; k++)
            row[k] -= f * e[k] + g * d[k];
        d[j] = row[i - 1];
        row[i] = 0.0;
    }
    d[i] = h;
}

/* The product of the reflections, in v. */
static void gather(int64_t n, double *v, double *d) {
    for (int64_t i = 0; i < n - 1; i++) {
        double *next = v + (i + 1) * n, h = d[i + 1];
        v[i * n + n - 1] = v[i * n + i];
        v[i * n + i] = 1.0;
        if (h != 0.0) {
            for (int64_t k = 0; k <= i; k++)
                d[k] = next[k] / h;
            for (int64_t j = 0; j <= i; j++) {
                double *row = v + j * n, g = 0.0;
                for (int64_t k = 0; k <= i; k++)
                    g += next[k] * row[k];
                for (int64_t k = 0; k <= i; k++)
                    row[k] -= g * d[k];
            }
        }
        for (int64_t k = 0; k <= i; k++)
            next[k] = 0.0;
    }
    for (int64_t j = 0; j < n; j++) {
        d[j] = v[j * n + n - 1];
        v[j * n + n - 1] = 0.0;
    }
    v[n * n - 1] = 1.0;
}

/* To tridiagonal form: diagonal d, and e[1..n) beside it. */
static void reduce(int64_t n, double *v, double *d, double *e) {
    for (int64_t j = 0; j < n; j++)
        d[j] = v[j * n + n - 1];
    for (int64_t i = n - 1; i > 0; i--) {
        double scale = 0.0;
        for (int64_t k = 0; k < i; k++)
            scale += fabs(d[k]);
        if (scale != 0.0) {
            e[i] = scale;
            reflect(n, i, v, d, e);
            continue;
        }
        e[i] = d[i - 1];
        for (int64_t j = 0; j < i; j++) {
            d[j] = v[j * n + i - 1];
            v[j * n + i] = 0.0;
            v[i * n + j] = 0.0;
        }
        d[i] = 0.0;
    }
    gather(n, v, d);
    e[0] = 0.0;
}

/* One implicit QL step on rows l to m. Returns the shift. */
static double step(int64_t n, int64_t l, int64_t m, double *v, double *d, double *e) {
    double g = d[l], p = (d[l + 1] - g) / (2.0 * e[l]);
    double r = p < 0.0 ? -length_of(p, 1.0) : length_of(p, 1.0);
    d[l] = e[l] / (p + r);
    d[l + 1] = e[l] * (p + r);
    double next = d[l + 1], shift = g - d[l], beside = e[l + 1];
    for (int64_t i = l + 2; i < n; i++)
        d[i] -= shift;
    double c = 1.0, c2 = 1.0, c3 = 1.0, s = 0.0, s2 = 0.0;
    p = d[m];
    for (int64_t i = m - 1; i >= l; i--) {
        c3 = c2;
        c2 = c;
        s2 = s;
        g = c * e[i];
        double h = c * p;
        r = length_of(p, e[i]);
        e[i + 1] = s * r;
        s = e[i] / r;
        c = p / r;
        p = c * d[i] - s * g;
        d[i + 1] = h + s * (c * g + s * d[i]);
        double *low = v + i * n, *high = low + n;
        for (int64_t k = 0; k < n; k++) {
            double x = high[k];
            high[k] = s * low[k] + c * x;
            low[k] = c * low[k] - s * x;
        }
    }
    p = -s * s2 * c3 * beside * e[l] / next;
    e[l] = s * p;
    d[l] = c * p;
    return shift;
}

static int diagonalise(int64_t n, double *v, double *d, double *e, gp_err *err) {
    enum { STEPS = 60 /* per value; two or three are usual */ };
    double shift = 0.0, size = 0.0, small = 0x1p-52;
    for (int64_t i = 1; i < n; i++)
        e[i - 1] = e[i];
    e[n - 1] = 0.0;
    for (int64_t l = 0; l < n; l++) {
        int64_t m = l;
        size = fmax(size, fabs(d[l]) + fabs(e[l]));
        while (m < n - 1 && fabs(e[m]) > small * size)
            m++;
        for (int k = 0; m > l && fabs(e[l]) > small * size; k++) {
            if (k == STEPS)
                return gp_err_set(err, GP_EFAIL, "eigenvalues of %lld x %lld: no convergence",
                                  (long long)n, (long long)n);
            shift += step(n, l, m, v, d, e);
        }
        d[l] += shift;
        e[l] = 0.0;
    }
    return GP_OK;
}

/* Largest first: few rows move, as QL leaves the values nearly in order. */
static void sort(int64_t n, double *v, double *d) {
    for (int64_t i = 0; i < n - 1; i++) {
        int64_t best = i;
        for (int64_t j = i + 1; j < n; j++)
            best = d[j] > d[best] ? j : best;
        if (best == i)
            continue;
        double value = d[i];
        d[i] = d[best];
        d[best] = value;
        for (int64_t k = 0; k < n; k++) {
            double x = v[i * n + k];
            v[i * n + k] = v[best * n + k];
            v[best * n + k] = x;
        }
    }
}

int gp_symmetric_eigen(int64_t n, double *a, double *value, double *work, gp_err *err) {
    if (n < 1)
        return GP_OK;
    double sum = 0.0;
    for (int64_t k = 0; k < n * n; k++)
        sum += fabs(a[k]);
    if (!isfinite(sum))
        return gp_err_set(err, GP_EFAIL, "eigenvalues of %lld x %lld: a number is not finite",
                          (long long)n, (long long)n);
    reduce(n, a, value, work);
    if (diagonalise(n, a, value, work, err) == GP_OK)
        sort(n, a, value);
    return err->code;
}
