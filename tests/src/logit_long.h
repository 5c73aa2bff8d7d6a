/** Logistic models in long double, written for one sample after the other: what the tests of
 *  src/assoc/logit_fit.h compare with.
 */
#ifndef GP_TESTS_SRC_LOGIT_LONG_H
#define GP_TESTS_SRC_LOGIT_LONG_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LONG_MOST = 8 /* columns */ };

typedef struct long_model {
    int64_t n, d;
    const long double *x;      /* [n x d] */
    const long double *offset; /* [n] */
    const int *y;              /* [n] */
    int firth;
    long double aim; /* slope of the last coefficient that is taken off the likelihood */
} long_model;

typedef struct long_point {
    long double f;
    long double gradient[LONG_MOST];
    long double information[LONG_MOST * LONG_MOST]; /* and of its first columns the inverse: */
    long double inverse[LONG_MOST * LONG_MOST];
    long double log_det;
} long_point;

/** Gauss and Jordan. Returns log det. */
static inline long double long_invert(const long double *a, int64_t d, int64_t step,
                                      long double *out) {
    long double m[LONG_MOST * LONG_MOST], log_det = 0;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            m[i * d + j] = a[i * step + j];
            out[i * step + j] = i == j;
        }
    for (int64_t k = 0; k < d; k++) {
        long double pivot = m[k * d + k];
        log_det += logl(pivot);
        for (int64_t j = 0; j < d; j++) {
            m[k * d + j] /= pivot;
            out[k * step + j] /= pivot;
        }
        for (int64_t i = 0; i < d; i++) {
            long double factor = m[i * d + k];
            if (i == k)
                continue;
            for (int64_t j = 0; j < d; j++) {
                m[i * d + j] -= factor * m[k * d + j];
                out[i * step + j] -= factor * out[k * step + j];
            }
        }
    }
    return log_det;
}

static inline long double long_odds(const long_model *m, const long double *beta, int64_t i) {
    long double odds = m->offset[i];
    for (int64_t j = 0; j < m->d; j++)
        odds += beta[j] * m->x[i * m->d + j];
    return odds;
}

/** All at beta. */
static inline void long_look(const long_model *m, const long double *beta, long_point *p) {
    int64_t d = m->d;
    memset(p, 0, sizeof *p);
    for (int64_t i = 0; i < m->n; i++) {
        const long double *x = m->x + i * d;
        long double odds = long_odds(m, beta, i), mu = 1 / (1 + expl(-odds));
        long double w = 1 / ((1 + expl(-odds)) * (1 + expl(odds)));
        p->f -= log1pl(expl(m->y[i] ? -odds : odds));
        for (int64_t j = 0; j < d; j++) {
            p->gradient[j] += (m->y[i] - mu) * x[j];
            for (int64_t k = 0; k < d; k++)
                p->information[j * d + k] += w * x[j] * x[k];
        }
    }
    p->f -= m->aim * beta[d - 1];
    p->gradient[d - 1] -= m->aim;
    p->log_det = long_invert(p->information, d, d, p->inverse);
    if (!m->firth)
        return;
    p->f += p->log_det / 2;
    for (int64_t i = 0; i < m->n; i++) {
        const long double *x = m->x + i * d;
        long double odds = long_odds(m, beta, i), mu = 1 / (1 + expl(-odds)), h = 0;
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k < d; k++)
                h += mu * (1 - mu) * x[j] * x[k] * p->inverse[j * d + k];
        for (int64_t j = 0; j < d; j++)
            p->gradient[j] += h * (0.5L - mu) * x[j];
    }
}

/** Climbs from beta, moving the first `free` coefficients: by a standard error at most, halved
 *  until it leads up; the last steps are below 1e-15. Returns 0 if it does not arrive. */
static inline int long_climb(const long_model *m, int64_t free, long double *beta, long_point *p) {
    long_look(m, beta, p);
    for (int k = 0; k < 5000; k++) {
        long double cov[LONG_MOST * LONG_MOST], step[LONG_MOST] = {0}, size = 0, next[LONG_MOST];
        long_point there;
        long_invert(p->information, free, m->d, cov);
        for (int64_t i = 0; i < free; i++) {
            for (int64_t j = 0; j < free; j++)
                step[i] += cov[i * m->d + j] * p->gradient[j];
            size += step[i] * p->gradient[i];
        }
        long double share = size > 1 ? 1 / sqrtl(size) : 1; /* there may be another top far away */
        for (; share > 1e-6L; share /= 2) {
            for (int64_t i = 0; i < m->d; i++)
                next[i] = beta[i] + share * step[i];
            long_look(m, next, &there);
            if (there.f >= p->f || size < 1e-20L)
                break;
        }
        memcpy(beta, next, (size_t)m->d * sizeof *beta);
        *p = there;
        if (size < 1e-30L)
            return 1;
        if (!(fabsl(p->f) < 1e30L))
            return 0;
    }
    return 0;
}

#endif
