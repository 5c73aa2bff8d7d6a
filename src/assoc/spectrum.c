#include "src/assoc/spectrum.h"
#include "src/base/real.h"

#include <math.h>

void gp_weights_at(double lambda, const double *value, int64_t n, gp_weights *w) {
    for (int64_t i = 0; i < n; i++) {
        double e = lambda * value[i], d = 1.0 / (e + 1.0);
        w->d[i] = d;
        w->d1[i] = -(e * d) * d; /* D - 1 = -e D, without cancellation */
        w->d2[i] = (2.0 * d - 1.0) * w->d1[i];
    }
}

double gp_spectrum_logdet(double lambda, const double *value, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += gp_log1p(lambda * value[i]);
    return sum;
}

double gp_dot(const double *x, const double *y, int64_t n) {
    double s[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            s[k] += x[i + k] * y[i + k];
    for (; i < n; i++)
        s[i & 7] += x[i] * y[i];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

void gp_scale(const double *x, const double *d, int64_t n, double *to) {
    for (int64_t i = 0; i < n; i++)
        to[i] = x[i] * d[i];
}

/* The Cholesky factor, in place. */
static int factor(double *s, int64_t c) {
    for (int64_t j = 0; j < c; j++) {
        double *row = s + j * c;
        for (int64_t k = 0; k < j; k++) {
            const double *above = s + k * c;
            double sum = row[k];
            for (int64_t i = 0; i < k; i++)
                sum -= row[i] * above[i];
            row[k] = sum / above[k];
        }
        double left = row[j];
        for (int64_t i = 0; i < j; i++)
            left -= row[i] * row[i];
        if (!(left > 1e-14 * row[j]) || isinf(left))
            return 0;
        row[j] = sqrt(left);
    }
    return 1;
}

int gp_inverse_factor(double *s, int64_t c) {
    if (!factor(s, c))
        return 0;
    for (int64_t j = 0; j < c; j++) { /* row j of the inverse needs L's row j and the rows above */
        double *row = s + j * c, own = 1.0 / row[j];
        for (int64_t k = 0; k < j; k++) {
            double sum = 0.0;
            for (int64_t i = k; i < j; i++)
                sum += row[i] * s[i * c + k];
            row[k] = -sum * own; /* L's row[k] is needed no more: later k start further right */
        }
        row[j] = own;
        for (int64_t k = j + 1; k < c; k++)
            row[k] = 0.0;
    }
    return 1;
}

void gp_lower_times(const double *inverse, int64_t c, double *x) {
    for (int64_t j = c; j-- > 0;) {
        double sum = 0.0;
        for (int64_t k = 0; k <= j; k++)
            sum += inverse[j * c + k] * x[k];
        x[j] = sum;
    }
}

void gp_lower_turned_times(const double *inverse, int64_t c, double *x) {
    for (int64_t j = 0; j < c; j++) {
        double sum = 0.0;
        for (int64_t k = j; k < c; k++)
            sum += inverse[k * c + j] * x[k];
        x[j] = sum;
    }
}

void gp_sandwich(const double *inverse, int64_t c, double *s) {
    for (int64_t j = 0; j < c; j++)
        for (int64_t k = j + 1; k < c; k++)
            s[j * c + k] = s[k * c + j];
    for (int64_t j = 0; j < c; j++) /* s inverse' */
        gp_lower_times(inverse, c, s + j * c);
    for (int64_t j = c; j-- > 0;) /* inverse s: row j from rows 0 to j */
        for (int64_t k = 0; k < c; k++) {
            double sum = 0.0;
            for (int64_t i = 0; i <= j; i++)
                sum += inverse[j * c + i] * s[i * c + k];
            s[j * c + k] = sum;
        }
}
