#include "src/assoc/reml.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOG_2_PI 1.83787706640934548356

/* Sums at one lambda; matrices [c x c]. */
typedef struct sums {
    double *s, *s1, *s2; /* W'DW, of which later L^-1; W'D'W, W'D''W, of which later L^-1 . L^-1' */
    double *a;           /* [c] effects of W */
    double *v;           /* [c] W'D' r, r = y - W a */
    double yy, yy1, yy2; /* r'Dr, r'D'r, r'D''r */
    double loose, loose1; /* sum of 1 - D, and its derivative by t */
} sums;

/* The likelihood's logarithm and its derivatives by t = log(lambda), but for what W'W adds. */
typedef struct slope {
    double f, f1, f2;
} slope;

static sums sums_at(double *room, int64_t c) {
    return (sums){.s = room,
                  .s1 = room + c * c,
                  .s2 = room + 2 * c * c,
                  .a = room + 3 * c * c,
                  .v = room + 3 * c * c + c};
}

static int64_t room_of(int64_t c) {
    return 3 * c * c + 2 * c;
}

static void add_products(const gp_spectrum *p, int64_t at, int64_t count, const gp_weights *w,
                         sums *m) {
    double x[GP_SPECTRUM_BLOCK], x1[GP_SPECTRUM_BLOCK], x2[GP_SPECTRUM_BLOCK];
    for (int64_t j = 0; j < p->c; j++) {
        const double *column = p->w + j * p->n + at;
        gp_scale(column, w->d, count, x);
        gp_scale(column, w->d1, count, x1);
        gp_scale(column, w->d2, count, x2);
        for (int64_t k = 0; k <= j; k++) {
            const double *other = p->w + k * p->n + at;
            m->s[j * p->c + k] += gp_dot(x, other, count);
            m->s1[j * p->c + k] += gp_dot(x1, other, count);
            m->s2[j * p->c + k] += gp_dot(x2, other, count);
        }
        m->a[j] += gp_dot(x, p->y + at, count);
    }
}

/* Products with the residuals themselves lose nothing to cancellation, however large y's mean is.
 */
static void add_residuals(const gp_spectrum *p, int64_t at, int64_t count, const gp_weights *w,
                          sums *m) {
    double r[GP_SPECTRUM_BLOCK], x[GP_SPECTRUM_BLOCK];
    memcpy(r, p->y + at, (size_t)count * sizeof *r);
    for (int64_t j = 0; j < p->c; j++)
        for (int64_t i = 0; i < count; i++)
            r[i] -= m->a[j] * p->w[j * p->n + at + i];
    gp_scale(r, w->d1, count, x);
    m->yy1 += gp_dot(r, x, count);
    for (int64_t j = 0; j < p->c; j++)
        m->v[j] += gp_dot(p->w + j * p->n + at, x, count);
    gp_scale(r, w->d, count, x);
    m->yy += gp_dot(r, x, count);
    gp_scale(r, w->d2, count, x);
    m->yy2 += gp_dot(r, x, count);
    for (int64_t i = 0; i < count; i++) {
        m->loose += 1.0 - w->d[i];
        m->loose1 -= w->d1[i];
    }
}

/* All sums at lambda. 0 where W'DW has no inverse. */
static int sum_up(const gp_spectrum *p, double lambda, sums *m) {
    int64_t c = p->c;
    gp_weights w;
    memset(m->s, 0, (size_t)room_of(c) * sizeof *m->s);
    m->yy = m->yy1 = m->yy2 = m->loose = m->loose1 = 0.0;
    for (int64_t at = 0; at < p->n; at += GP_SPECTRUM_BLOCK) {
        int64_t count = gp_least(p->n - at, GP_SPECTRUM_BLOCK);
        gp_weights_at(lambda, p->value + at, count, &w);
        add_products(p, at, count, &w, m);
    }
    if (!gp_inverse_factor(m->s, c))
        return 0;
    gp_lower_times(m->s, c, m->a);
    gp_lower_turned_times(m->s, c, m->a);
    for (int64_t at = 0; at < p->n; at += GP_SPECTRUM_BLOCK) {
        int64_t count = gp_least(p->n - at, GP_SPECTRUM_BLOCK);
        gp_weights_at(lambda, p->value + at, count, &w);
        add_residuals(p, at, count, &w, m);
    }
    return 1;
}

static double log_determinant(const sums *m, int64_t c) {
    double sum = 0.0;
    for (int64_t j = 0; j < c; j++)
        sum -= 2.0 * gp_log(m->s[j * c + j]);
    return sum;
}

/* d/dt of r'Dr is r'D'r, since r is at a minimum; the second derivative also has a's movement. */
static int evaluate(const gp_spectrum *p, double t, sums *m, slope *out) {
    int64_t c = p->c;
    double df = (double)(p->n - c), trace1 = 0.0, trace2 = 0.0, square = 0.0, moved = 0.0;
    if (!sum_up(p, gp_exp(t), m))
        return 0;
    gp_sandwich(m->s, c, m->s1);
    gp_sandwich(m->s, c, m->s2);
    gp_lower_times(m->s, c, m->v);
    for (int64_t j = 0; j < c; j++) {
        trace1 += m->s1[j * c + j];
        trace2 += m->s2[j * c + j];
        moved += m->v[j] * m->v[j];
        for (int64_t k = 0; k < c; k++)
            square += m->s1[j * c + k] * m->s1[j * c + k];
    }
    double rate = m->yy1 / m->yy;
    out->f = 0.5 * df * (gp_log(df) - LOG_2_PI - 1.0 - gp_log(m->yy)) -
             0.5 * gp_spectrum_logdet(gp_exp(t), p->value, p->n) - 0.5 * log_determinant(m, c);
    out->f1 = -0.5 * (m->loose + trace1 + df * rate);
    out->f2 =
        -0.5 * (m->loose1 + trace2 - square + df * ((m->yy2 - 2.0 * moved) / m->yy - rate * rate));
    return isfinite(out->f) && isfinite(out->f1);
}

/* The maximum in (low, high), where the slope goes from + to -. */
static int climb(const gp_spectrum *p, double low, double high, sums *m, double *t, slope *at) {
    *t = 0.5 * (low + high);
    for (int k = 0; k < 100; k++) {
        if (!evaluate(p, *t, m, at))
            return 0;
        if (at->f1 == 0.0)
            return 1;
        if (at->f1 > 0.0)
            low = *t;
        else
            high = *t;
        double next = *t - at->f1 / at->f2;
        if (!(next > low && next < high)) /* Newton's step leads out of the bracket, or nowhere */
            next = 0.5 * (low + high);
        double step = fabs(next - *t);
        *t = next;
        if (step < 1e-12 * fmax(1.0, fabs(next)))
            break;
    }
    return evaluate(p, *t, m, at);
}

typedef struct best {
    double t;
    slope at;
    gp_reml_end end;
} best;

static void prefer(best *b, double t, const slope *at, gp_reml_end end) {
    if (at->f > b->at.f)
        *b = (best){t, *at, end};
}

/* The highest of all maxima and of the two ends. 0 where the sums fail. */
static int search(const gp_spectrum *p, sums *m, best *b) {
    double step = gp_log(GP_REML_MOST / GP_REML_LEAST) / GP_REML_REGIONS,
           first = gp_log(GP_REML_LEAST);
    slope edge[GP_REML_REGIONS + 1], top;
    for (int r = 0; r <= GP_REML_REGIONS; r++)
        if (!evaluate(p, first + r * step, m, &edge[r]))
            return 0;
    *b = (best){first, edge[0], GP_REML_NONE};
    prefer(b, first + GP_REML_REGIONS * step, &edge[GP_REML_REGIONS], GP_REML_ALL);
    for (int r = 0; r < GP_REML_REGIONS; r++) {
        double t = 0.0;
        if (!(edge[r].f1 >= 0.0 && edge[r + 1].f1 < 0.0))
            continue;
        if (!climb(p, first + r * step, first + (r + 1) * step, m, &t, &top))
            return 0;
        prefer(b, t, &top, GP_REML_INSIDE);
    }
    return 1;
}

/* Ordinary least squares: whether W is independent and leaves something of y. Leaves W'W's
 * determinant. */
static int check(const gp_spectrum *p, sums *m, double *logdet, gp_err *err) {
    if (p->n <= p->c)
        return gp_err_set(err, GP_EINPUT,
                          "mixed model: %lld samples for %lld fixed effects (covariates and the "
                          "intercept); more samples, or fewer covariates, are needed",
                          (long long)p->n, (long long)p->c);
    if (!sum_up(p, 0.0, m))
        return gp_err_set(err, GP_EINPUT,
                          "mixed model: the covariates are not independent; leave out those that "
                          "others determine");
    double whole = gp_dot(p->y, p->y, p->n), first = 0.0, length = 1.0;
    if (p->c > 0) {
        first = gp_dot(p->y, p->w, p->n);
        length = gp_dot(p->w, p->w, p->n);
    }
    /* A constant leaves rounding of its own size, a combination of its centred size. */
    double nothing = fmax(1e-26 * whole, 1e-18 * (whole - first * first / length));
    if (!(m->yy > nothing))
        return gp_err_set(err, GP_EINPUT,
                          "mixed model: the trait is constant, or the covariates determine it, "
                          "among the %lld samples in use",
                          (long long)p->n);
    *logdet = log_determinant(m, p->c);
    return GP_OK;
}

static void fill_in(const gp_spectrum *p, const best *b, double logdet, double yy, gp_reml *fit) {
    double scale = 0.0, lambda = gp_exp(b->t);
    for (int64_t i = 0; i < p->n; i++)
        scale += p->value[i];
    scale /= (double)p->n; /* tr(K) / n */
    double whole = scale * lambda + 1.0;
    *fit = (gp_reml){.lambda = lambda, .end = b->end, .loglik = b->at.f + 0.5 * logdet};
    fit->ve = yy / (double)(p->n - p->c);
    fit->vg = fit->ve * lambda;
    fit->h2 = scale * lambda / whole;
    fit->h2_se = NAN;
    /* d2/dlambda2 = (d2/dt2 - d/dt) / lambda^2, and d/dt = 0 at a maximum inside */
    if (b->end == GP_REML_INSIDE && b->at.f2 < 0.0)
        fit->h2_se = scale / (whole * whole) * lambda * sqrt(-1.0 / b->at.f2);
}

int gp_reml_fit(const gp_spectrum *p, gp_reml *fit, gp_err *err) {
    double *room = gp_mem_alloc(room_of(p->c), sizeof *room, err), logdet = 0.0;
    if (room == NULL)
        return err->code;
    sums m = sums_at(room, p->c);
    best b;
    if (check(p, &m, &logdet, err) == GP_OK) {
        if (search(p, &m, &b) && sum_up(p, gp_exp(b.t), &m))
            fill_in(p, &b, logdet, m.yy, fit);
        else
            gp_err_set(err, GP_EINPUT,
                       "mixed model: the likelihood has no finite value; the covariates may be "
                       "nearly dependent, or of very different sizes");
    }
    free(room);
    return err->code;
}

int gp_reml_effects(const gp_spectrum *p, double lambda, double *beta, double *se, double *ve,
                    gp_err *err) {
    double *room = gp_mem_alloc(room_of(p->c), sizeof *room, err), logdet = 0.0;
    if (room == NULL)
        return err->code;
    sums m = sums_at(room, p->c);
    if (check(p, &m, &logdet, err) == GP_OK && !sum_up(p, lambda, &m))
        gp_err_set(err, GP_EINPUT, "mixed model: the covariates are not independent");
    if (err->code == GP_OK) {
        *ve = m.yy / (double)(p->n - p->c);
        for (int64_t j = 0; j < p->c; j++) {
            double own = 0.0; /* diagonal of (W'DW)^-1 */
            for (int64_t k = j; k < p->c; k++)
                own += m.s[k * p->c + j] * m.s[k * p->c + j];
            beta[j] = m.a[j];
            se[j] = sqrt(*ve * own);
        }
    }
    free(room);
    return err->code;
}

int gp_spectrum_clean(double *value, int64_t n, gp_err *err) {
    double largest = 0.0, least = 0.0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(value[i]))
            return gp_err_set(err, GP_EINPUT,
                              "relationship matrix: an eigenvalue is not a finite number");
        largest = fmax(largest, value[i]);
        least = fmin(least, value[i]);
    }
    if (least < -1e-6 * largest)
        return gp_err_set(err, GP_EINPUT,
                          "relationship matrix: not positive semi-definite: its least eigenvalue "
                          "is %.6g, its largest %.6g; a matrix of relationships has none below 0",
                          least, largest);
    for (int64_t i = 0; i < n; i++)
        if (value[i] < 1e-10 * fmax(largest, 1.0))
            value[i] = 0.0;
    return GP_OK;
}
