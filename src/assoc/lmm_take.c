#include "src/assoc/lmm_inside.h"
#include "src/base/real.h"

#include <math.h>

enum { K = GP_CHEBYSHEV, EDGES = GP_LMM_EDGES, REGIONS = GP_REML_REGIONS };

/* Less of a variant than this share of its centred squares, outside W's span, counts as nothing. */
#define COLLINEAR 1e-8

/* A perfect fit leaves rounding. */
#define PERFECT 0x1p-44

/* Ends of stretches closer than this are the same. */
#define TOUCH 1e-9

/* What sums over x give at the points of a set; pointers into the sums. */
typedef struct curve {
    const double *z, *xy; /* [points x c], [points x ...], `step` and `step_y` apart */
    int64_t step, step_y;
    double xx[K], log_xx[K]; /* P_xx */
} curve;

static double dot(const double *x, const double *y, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* rss = P_yy - P_xy^2 / P_xx. */
static double rest(double yy, double xy, double beta) {
    return fmax(yy - xy * beta, PERFECT * yy);
}

/* z and xy are set. */
static void fill_curve(const gp_lmm *model, const gp_lmm_set *set, const double *xx, curve *x) {
    for (int64_t k = 0; k < set->points; k++) {
        const double *z = x->z + k * x->step;
        x->xx[k] = fmax(xx[k] - dot(z, z, model->c), 1e-300);
        x->log_xx[k] = gp_log(x->xx[k]);
    }
}

static int keep_best(gp_lmm_pair *pair, double t, double loglik, double beta, double variance) {
    if (!(loglik > pair->loglik))
        return 0;
    pair->t = t;
    pair->loglik = loglik;
    pair->beta = beta;
    pair->variance = variance;
    return 1;
}

/* What a stretch shows at its low and its high end. */
typedef struct ends {
    int rises[2]; /* the likelihood rises with t there */
    int best;     /* -1, 1: that end is the best that is known of the pair, 0: neither is */
} ends;

/* The maxima of a stretch; trait number i of the set. */
static ends climb(const gp_lmm *model, const gp_lmm_set *set, int64_t i, const curve *x,
                  gp_lmm_pair *pair) {
    double f[K], beta[K], log_rest[K], top[K + 2], weight[K];
    for (int64_t k = 0; k < K; k++) {
        int64_t at = k * set->traits + i;
        double xy =
            x->xy[k * x->step_y] - dot(x->z + k * x->step, set->zy + at * model->c, model->c);
        beta[k] = xy / x->xx[k];
        log_rest[k] = gp_log(rest(set->yy[at], xy, beta[k]));
        f[k] = set->base[k] - 0.5 * (x->log_xx[k] + model->df * log_rest[k]);
    }
    int count = gp_chebyshev_maxima(model->chebyshev, f, top);
    /* an end from which the likelihood falls is a maximum */
    ends end = {{count == 0 || top[0] > -1.0, count > 0 && top[count - 1] == 1.0}, 0};
    for (int j = 0; j < count; j++) {
        double at_f = 0.0, at_beta = 0.0, log_variance = 0.0;
        gp_chebyshev_weights(model->chebyshev, top[j], weight);
        for (int k = 0; k < K; k++) {
            at_f += weight[k] * f[k];
            at_beta += weight[k] * beta[k];
            log_variance += weight[k] * (log_rest[k] - x->log_xx[k]);
        }
        double t = 0.5 * (set->low + set->high) + 0.5 * (set->high - set->low) * top[j];
        if (keep_best(pair, t, at_f, at_beta, gp_exp(log_variance)))
            end.best = top[j] == -1.0 ? -1 : top[j] == 1.0 ? 1 : 0;
    }
    return end;
}

/* Fixed: the only point. */
static void stay(const gp_lmm *model, const gp_lmm_set *set, int64_t i, const curve *x,
                 gp_lmm_pair *pair) {
    double xy = x->xy[0] - dot(x->z, set->zy + i * model->c, model->c), beta = xy / x->xx[0];
    double variance = rest(set->yy[i], xy, beta) / x->xx[0];
    keep_best(pair, set->t[0],
              set->base[0] - 0.5 * (x->log_xx[0] + model->df * gp_log(variance * x->xx[0])), beta,
              variance);
}

/* Slopes at the regions' ends, and the two ends of the range themselves. sums, xx: of the edges. */
static void walk_edges(const gp_lmm *model, int64_t i, const double *sums, const double *squares,
                       gp_lmm_pair *pair, double slope[EDGES]) {
    const gp_lmm_set *set = &model->edges;
    int64_t c = model->c, step = gp_lmm_point_columns(model, set);
    for (int64_t k = 0; k < EDGES; k++) {
        int64_t at = k * set->traits + i;
        const double *z = sums + k * step, *z1 = z + c, *y = z1 + c;
        const double *zy = set->zy + at * c, *zy1 = set->zy1 + at * c;
        double xx = squares[2 * k] - dot(z, z, c), xx1 = squares[2 * k + 1] - 2.0 * dot(z, z1, c);
        double xy = y[i] - dot(z, zy, c);
        double xy1 = y[model->p + i] - dot(z1, zy, c) - dot(z, zy1, c), beta = xy / xx;
        double rss = rest(set->yy[at], xy, beta);
        double rss1 = set->yy1[at] - beta * (2.0 * xy1 - beta * xx1);
        slope[k] = set->base1[k] - 0.5 * (xx1 / xx + model->df * rss1 / rss);
        if (k == 0 || k == EDGES - 1)
            keep_best(pair, set->t[k], set->base[k] - 0.5 * (gp_log(xx) + model->df * gp_log(rss)),
                      beta, rss / xx);
    }
}

/* The region on the other side of a stretch's end that is the best so far: more is to be found
 * there. */
static unsigned region_beyond(const gp_lmm *model, const gp_lmm_set *set, const ends *end) {
    const double *edge = model->edges.t;
    for (int r = 0; end->best > 0 && r < REGIONS; r++)
        if (edge[r + 1] > set->high + TOUCH)
            return 1u << r;
    for (int r = REGIONS - 1; end->best < 0 && r >= 0; r--)
        if (edge[r] < set->low - TOUCH)
            return 1u << r;
    return 0;
}

/* The regions of which a part outside the stretch rises at its left end and falls at its right. */
static unsigned regions_left(const gp_lmm *model, const gp_lmm_set *set, const double slope[EDGES],
                             const ends *end) {
    const double *edge = model->edges.t;
    unsigned wanted = region_beyond(model, set, end);
    for (int r = 0; r < REGIONS; r++) {
        int rises = slope[r] >= 0.0, falls = slope[r + 1] < 0.0, want = 0;
        if (edge[r + 1] < set->low + TOUCH || edge[r] > set->high - TOUCH) {
            want = rises && falls;
        } else {
            if (edge[r] < set->low - TOUCH)
                want |= rises && !end->rises[0];
            if (edge[r + 1] > set->high + TOUCH)
                want |= end->rises[1] && falls;
        }
        wanted |= (unsigned)want << r;
    }
    return wanted;
}

/* Whether W determines the variant; z[0] is what the intercept, the first of W, takes. */
static int collinear(const gp_lmm *model, const double *z, double xx) {
    double centred = model->c > 0 ? xx - z[0] * z[0] : xx;
    return !(xx - dot(z, z, model->c) > COLLINEAR * centred);
}

static void take_variant(gp_lmm_batch *batch, int64_t variant, const double *sums) {
    const gp_lmm *model = batch->model;
    const double *squares = sums + model->x_columns;
    if (collinear(model, sums, squares[0])) {
        batch->status[variant] = GP_STATUS_COLLINEAR;
        return;
    }
    for (int64_t g = 0; g < model->stretches; g++) {
        const gp_lmm_set *set = &model->stretch[g];
        int64_t step = gp_lmm_point_columns(model, set);
        curve x = {.z = sums + set->x_at, .step = step, .step_y = step};
        fill_curve(model, set, squares + set->xx_at, &x);
        for (int64_t i = 0; i < set->traits; i++) {
            gp_lmm_pair *pair = batch->pair + variant * model->p + set->trait[i];
            double slope[EDGES];
            x.xy = x.z + model->c + i;
            if (!model->exact) {
                stay(model, set, i, &x, pair);
                continue;
            }
            walk_edges(model, set->trait[i], sums, squares, pair, slope);
            ends end = climb(model, set, i, &x, pair);
            pair->wanted = (uint16_t)regions_left(model, set, slope, &end);
        }
    }
}

void gp_lmm_take_first(gp_lmm_batch *batch, const double *sums) {
    int64_t width = batch->model->x_columns + batch->model->xx_columns;
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < batch->m; i++)
        if (batch->status[i] == GP_STATUS_OK)
            take_variant(batch, i, sums + i * width);
}

static void take_listed(gp_lmm_batch *batch, int64_t trait, const double *sums, const double *xy) {
    const gp_lmm *model = batch->model;
    const gp_lmm_set *set = &model->region[batch->round - 1];
    const int64_t *list = batch->list + trait * batch->most;
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < batch->list_count[trait]; i++) {
        const double *row = sums + list[i] * K * (model->c + 1);
        gp_lmm_pair *pair = batch->pair + batch->chosen[list[i]] * model->p + trait;
        curve x = {.z = row, .xy = xy + i * K, .step = model->c, .step_y = 1};
        fill_curve(model, set, row + K * model->c, &x);
        ends end = climb(model, set, trait, &x, pair);
        pair->searched = (uint16_t)(pair->searched | 1u << (batch->round - 1));
        pair->wanted =
            (uint16_t)((pair->wanted | region_beyond(model, set, &end)) & ~pair->searched);
    }
}

void gp_lmm_take_region(gp_lmm_batch *batch, const double *sums) {
    const double *xy = sums + batch->chosen_count * K * (batch->model->c + 1);
    for (int64_t i = 0; i < batch->model->p; i++) {
        take_listed(batch, i, sums, xy);
        xy += batch->list_count[i] * K;
    }
}
