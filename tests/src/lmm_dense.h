/** Mixed models in dense matrices, as an oracle: V = lambda K + I is factored, nothing is
 *  rotated. Include cmocka.h first. Link LAPACK.
 */
#ifndef GP_TESTS_SRC_LMM_DENSE_H
#define GP_TESTS_SRC_LMM_DENSE_H

#include "src/assoc/lmm.h"
#include "tests/support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fortran names: every LAPACK has them. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

typedef struct dense {
    int64_t n, c, p, m;
    double *k, *w, *y, *x;        /* [n x n], [c x n], [p x n], [m x n] as they are */
    double *value, *uw, *uy, *ux; /* on the spectrum */
    int64_t *mine;                /* [n] all eigenvalues */
    double *v, *work;             /* [n x n], [(c + 2) x n] */
} dense;

static inline void *dense_room(int64_t count, int64_t size) {
    void *p = calloc((size_t)(count + 1), (size_t)size);
    assert_non_null(p);
    return p;
}

static inline dense dense_new(int64_t n, int64_t c, int64_t p, int64_t m) {
    dense d = {n,
               c,
               p,
               m,
               dense_room(n * n, 8),
               dense_room(c * n, 8),
               dense_room(p * n, 8),
               dense_room(m * n, 8),
               dense_room(n, 8),
               dense_room(c * n, 8),
               dense_room(p * n, 8),
               dense_room(m * n, 8),
               dense_room(n, sizeof(int64_t)),
               dense_room(n * n, 8),
               dense_room((c + 2) * n, 8)};
    for (int64_t i = 0; i < n; i++) {
        d.mine[i] = i;
        if (c > 0)
            d.w[i] = 1.0;
    }
    return d;
}

static inline void dense_free(dense *d) {
    double *all[] = {d->k, d->w, d->y, d->x, d->value, d->uw, d->uy, d->ux, d->v, d->work};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(d->mine);
}

static inline void dense_turn(const dense *d, const double *u, const double *x, int64_t rows,
                              double *to) {
    for (int64_t j = 0; j < rows; j++)
        for (int64_t e = 0; e < d->n; e++) {
            double sum = 0.0;
            for (int64_t i = 0; i < d->n; i++)
                sum += u[e * d->n + i] * x[j * d->n + i];
            to[j * d->n + e] = sum;
        }
}

/** Rotates W, y and x by K's vectors. */
static inline void dense_rotate(dense *d) {
    int n = (int)d->n, lwork = 1 + 6 * n + 2 * n * n, liwork = 3 + 5 * n, info = 0;
    double *u = dense_room(n * n, 8), *work = dense_room(lwork, 8);
    int *iwork = dense_room(liwork, sizeof *iwork);
    memcpy(u, d->k, (size_t)(n * n) * sizeof *u);
    dsyevd_("V", "L", &n, u, &n, d->value, work, &lwork, iwork, &liwork, &info);
    assert_int_equal(info, 0);
    gp_err err = {0};
    assert_int_equal(gp_spectrum_clean(d->value, n, &err), GP_OK);
    dense_turn(d, u, d->w, d->c, d->uw);
    dense_turn(d, u, d->y, d->p, d->uy);
    dense_turn(d, u, d->x, d->m, d->ux);
    free(u);
    free(work);
    free(iwork);
}

/** K = Z Z' / columns of a random panel in which neighbours are alike, centred; W's other
 *  columns and x; y with the given share of K. */
static inline dense dense_draw(int64_t n, int64_t c, int64_t p, int64_t m, const double *h2,
                               uint64_t *seed) {
    enum { PANEL = 60 };
    dense d = dense_new(n, c, p, m);
    double *z = dense_room(PANEL * n, 8), *effect = dense_room(n, 8);
    for (int64_t j = 0; j < PANEL; j++) {
        double mean = 0.0;
        for (int64_t i = 0; i < n; i++) {
            int family = (int)(i / 4);
            uint64_t own = (uint64_t)(j * 1000 + family);
            int64_t shared = gp_test_below(&own, 3);
            z[j * n + i] =
                gp_test_uniform(seed) < 0.6 ? (double)shared : (double)gp_test_below(seed, 3);
            mean += z[j * n + i] / (double)n;
        }
        for (int64_t i = 0; i < n; i++)
            z[j * n + i] -= mean;
    }
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < n; b++)
            for (int64_t j = 0; j < PANEL; j++)
                d.k[a * n + b] += z[j * n + a] * z[j * n + b] / PANEL;
    for (int64_t i = n; i < c * n; i++)
        d.w[i] = gp_test_normal(seed) + 3.0;
    for (int64_t t = 0; t < p; t++) {
        memset(effect, 0, (size_t)n * sizeof *effect);
        for (int64_t j = 0; j < PANEL; j++) {
            double a = gp_test_normal(seed) * sqrt(h2[t] / PANEL);
            for (int64_t i = 0; i < n; i++)
                effect[i] += a * z[j * n + i];
        }
        for (int64_t i = 0; i < n; i++)
            d.y[t * n + i] = 5.0 + effect[i] + sqrt(1.0 - h2[t]) * gp_test_normal(seed);
    }
    for (int64_t i = 0; i < m * n; i++)
        d.x[i] = (double)gp_test_below(seed, 3);
    free(z);
    free(effect);
    dense_rotate(&d);
    return d;
}

/** What generalised least squares gives; x NULL: the null model, beta of W's last column. */
typedef struct dense_fit {
    double loglik, beta, se, variance;
} dense_fit;

/* x = L^-1 x for v's lower factor. */
static inline void dense_solve(const dense *d, double *x) {
    for (int64_t i = 0; i < d->n; i++) {
        for (int64_t j = 0; j < i; j++)
            x[i] -= d->v[i * d->n + j] * x[j];
        x[i] /= d->v[i * d->n + i];
    }
}

static inline double dense_dot(const double *x, const double *y, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/*  Takes the columns before it from each column of q (Gram-Schmidt, twice); the sum of log of
 *  the squares left of the first `columns`. */
static inline double dense_reduce(double *q, int64_t columns, int64_t n) {
    double logdet = 0.0;
    for (int64_t j = 0; j <= columns; j++) {
        for (int pass = 0; pass < 2; pass++)
            for (int64_t k = 0; k < j; k++) {
                double a = dense_dot(q + j * n, q + k * n, n) / dense_dot(q + k * n, q + k * n, n);
                for (int64_t i = 0; i < n; i++)
                    q[j * n + i] -= a * q[k * n + i];
            }
        if (j < columns)
            logdet += log(dense_dot(q + j * n, q + j * n, n));
    }
    return logdet;
}

static inline dense_fit dense_at(const dense *d, double lambda, const double *y, const double *x) {
    int64_t n = d->n, columns = d->c + (x != NULL);
    double *q = d->work, logdet = 0.0, df = (double)(n - columns);
    for (int64_t i = 0; i < n; i++) /* Cholesky's factor of V */
        for (int64_t j = 0; j <= i; j++) {
            double sum = lambda * d->k[i * n + j] + (i == j);
            for (int64_t k = 0; k < j; k++)
                sum -= d->v[i * n + k] * d->v[j * n + k];
            d->v[i * n + j] = i == j ? sqrt(sum) : sum / d->v[j * n + j];
        }
    for (int64_t i = 0; i < n; i++)
        logdet += 2.0 * log(d->v[i * n + i]);
    for (int plain = 1; plain >= 0; plain--) { /* without V for (W, x)'(W, x), then with it */
        memcpy(q, d->w, (size_t)(d->c * n) * sizeof *q);
        if (x != NULL)
            memcpy(q + d->c * n, x, (size_t)n * sizeof *q);
        memcpy(q + columns * n, y, (size_t)n * sizeof *q);
        for (int64_t j = 0; !plain && j <= columns; j++)
            dense_solve(d, q + j * n);
        if (plain)
            logdet -= dense_reduce(q, columns, n);
    }
    double *whitened = dense_room(n, 8);
    memcpy(whitened, q + columns * n, (size_t)n * sizeof *q);
    logdet += dense_reduce(q, columns, n);
    const double *rest = q + columns * n, *last = columns > 0 ? rest - n : rest;
    double rss = dense_dot(rest, rest, n), left = dense_dot(last, last, n);
    dense_fit fit = {.beta = dense_dot(last, whitened, n) / left, .variance = rss / df};
    fit.se = sqrt(rss / df / left);
    fit.loglik = 0.5 * df * (log(df) - log(2.0 * acos(-1.0)) - 1.0 - log(rss)) - 0.5 * logdet;
    free(whitened);
    return fit;
}

/** log(lambda) of the highest likelihood between the ends of the range: the best of many points,
 *  then a golden section. */
static inline double dense_best(const dense *d, const double *y, const double *x) {
    enum { POINTS = 231 };
    double first = log(GP_REML_LEAST), step = log(GP_REML_MOST / GP_REML_LEAST) / (POINTS - 1);
    double best = 0.0, most = -INFINITY, golden = 0.5 * (sqrt(5.0) - 1.0);
    for (int k = 0; k < POINTS; k++) {
        double f = dense_at(d, exp(first + k * step), y, x).loglik;
        if (f > most) {
            most = f;
            best = first + k * step;
        }
    }
    double low = fmax(best - step, first), high = fmin(best + step, -first);
    while (high - low > 1e-9) {
        double a = high - golden * (high - low), b = low + golden * (high - low);
        if (dense_at(d, exp(a), y, x).loglik >= dense_at(d, exp(b), y, x).loglik)
            high = b;
        else
            low = a;
    }
    return 0.5 * (low + high);
}

#endif
