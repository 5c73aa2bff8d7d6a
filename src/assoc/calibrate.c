#include "src/assoc/calibrate.h"
#include "src/base/real.h"

#include <math.h>

enum { STEPS = 60, HALVINGS = 40 };
static const double PRIOR_DEVIATION = 0.5; /* of its mean */

/* The pairs in use, x seen as (x - mean) / deviation. */
typedef struct pairs {
    const double *x, *y;
    int64_t n;
    double mean, deviation;
    double slope, precision; /* the prior's */
} pairs;

static int is_used(const pairs *p, int64_t i) {
    return !isnan(p->x[i]) && !isnan(p->y[i]);
}

static double prior(const pairs *p, double b) {
    return p->precision * (b - p->slope) * (b - p->slope) / 2.0;
}

/* What Newton's method makes small: minus the log posterior. */
static double cost(const pairs *p, double a, double b) {
    double sum = prior(p, b);
    for (int64_t i = 0; i < p->n; i++)
        if (is_used(p, i)) {
            double t = a + b * (p->x[i] - p->mean) / p->deviation;
            sum += gp_softplus(t) - p->y[i] * t;
        }
    return sum;
}

/* One step, halved until the cost does not rise. 0 where there is nothing more to gain. */
static int improve(const pairs *p, double *a, double *b, double *at) {
    double ga = 0.0, gb = p->precision * (*b - p->slope), aa = 0.0, ab = 0.0, bb = p->precision;
    for (int64_t i = 0; i < p->n; i++)
        if (is_used(p, i)) {
            double z = (p->x[i] - p->mean) / p->deviation;
            double q = 1.0 / (1.0 + gp_exp(-(*a + *b * z))), w = q * (1.0 - q);
            ga += q - p->y[i];
            gb += (q - p->y[i]) * z;
            aa += w;
            ab += w * z;
            bb += w * z * z;
        }
    double determinant = aa * bb - ab * ab;
    if (!(determinant > 0.0))
        return 0;
    double da = (bb * ga - ab * gb) / determinant, db = (aa * gb - ab * ga) / determinant;
    for (int k = 0; k < HALVINGS; k++, da *= 0.5, db *= 0.5) {
        double found = cost(p, *a - da, *b - db);
        if (found <= *at + 1e-14 * fabs(*at)) { /* rounding must not stop the last steps */
            *a -= da;
            *b -= db;
            *at = found;
            return fabs(da) + fabs(db) > 1e-12 * (1.0 + fabs(*a) + fabs(*b));
        }
    }
    return 0;
}

gp_calibration gp_calibrate(const double *x, const double *y, int64_t n) {
    pairs p = {.x = x, .y = y, .n = n};
    double used = 0.0, cases = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        if (is_used(&p, i)) {
            used += 1.0;
            cases += y[i];
            p.mean += x[i];
        }
    p.mean = used > 0.0 ? p.mean / used : 0.0;
    for (int64_t i = 0; i < n; i++)
        if (is_used(&p, i))
            squares += (x[i] - p.mean) * (x[i] - p.mean);
    p.deviation = used > 0.0 ? sqrt(squares / used) : 0.0;
    if (cases == 0.0 || cases == used)
        return (gp_calibration){gp_log((cases + 0.5) / (used - cases + 0.5)), 0.0};
    double a = gp_log(cases / (used - cases));
    if (!(p.deviation > 1e-12 * fabs(p.mean)))
        return (gp_calibration){a, 0.0};
    p.slope = p.deviation * used * used / (cases * (used - cases));
    p.precision = 1.0 / (PRIOR_DEVIATION * PRIOR_DEVIATION * p.slope * p.slope);
    double b = 0.0, at = cost(&p, a, b);
    for (int k = 0; k < STEPS && improve(&p, &a, &b, &at); k++)
        continue;
    return (gp_calibration){a - b * p.mean / p.deviation, b / p.deviation};
}
