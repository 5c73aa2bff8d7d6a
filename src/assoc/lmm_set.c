#include "src/assoc/lmm_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>

void dtrmm_(const char *side, const char *uplo, const char *trans, const char *diag, const int *m,
            const int *n, const double *alpha, const double *a, const int *lda, double *b,
            const int *ldb);

int64_t gp_lmm_set_doubles(int64_t points, int64_t traits, int slopes, int64_t c) {
    return points * (1 + (1 + slopes) * (c * c + 1 + traits * (c + 1)));
}

int gp_lmm_set_init(gp_lmm_set *set, int64_t points, int64_t traits, int slopes, int64_t c,
                    gp_err *err) {
    *set = (gp_lmm_set){.points = points, .traits = traits, .slopes = slopes};
    set->room = gp_mem_alloc(gp_lmm_set_doubles(points, traits, slopes, c), sizeof *set->room, err);
    set->trait = gp_mem_alloc(traits, sizeof *set->trait, err);
    if (err->code != GP_OK)
        return err->code;
    double *at = set->room;
    set->t = at;
    set->inverse = at += points;
    set->base = at += points * c * c;
    set->zy = at += points;
    set->yy = at += points * traits * c;
    at += points * traits;
    if (slopes) {
        set->half = at;
        set->base1 = at += points * c * c;
        set->zy1 = at += points;
        set->yy1 = at += points * traits * c;
    }
    return GP_OK;
}

void gp_lmm_set_free(gp_lmm_set *set) {
    free(set->room);
    free(set->trait);
    *set = (gp_lmm_set){0};
}

/* Lower triangles of W'DW and W'D'W, and the sum of 1 - D. */
static double add_products(const gp_spectrum *null, double lambda, double *s, double *s1) {
    double x[GP_SPECTRUM_BLOCK], loose = 0.0;
    gp_weights w;
    for (int64_t at = 0; at < null->n; at += GP_SPECTRUM_BLOCK) {
        int64_t count = gp_least(null->n - at, GP_SPECTRUM_BLOCK);
        gp_weights_at(lambda, null->value + at, count, &w);
        for (int64_t i = 0; i < count; i++)
            loose += lambda * null->value[at + i] * w.d[i];
        for (int64_t j = 0; j < null->c; j++) {
            const double *column = null->w + j * null->n + at;
            gp_scale(column, w.d, count, x);
            for (int64_t k = 0; k <= j; k++)
                s[j * null->c + k] += gp_dot(x, null->w + k * null->n + at, count);
            if (s1 == NULL)
                continue;
            gp_scale(column, w.d1, count, x);
            for (int64_t k = 0; k <= j; k++)
                s1[j * null->c + k] += gp_dot(x, null->w + k * null->n + at, count);
        }
    }
    return loose;
}

int gp_lmm_set_effects(gp_lmm_set *set, int64_t k, const gp_spectrum *null) {
    int64_t c = null->c;
    double *s = set->inverse + k * c * c, *half = set->slopes ? set->half + k * c * c : NULL;
    double lambda = gp_exp(set->t[k]), logdet = gp_spectrum_logdet(lambda, null->value, null->n);
    double slope = add_products(null, lambda, s, half);
    if (!gp_inverse_factor(s, c))
        return 0;
    for (int64_t j = 0; j < c; j++)
        logdet -= 2.0 * gp_log(s[j * c + j]);
    set->base[k] = -0.5 * logdet;
    if (!set->slopes)
        return 1;
    gp_sandwich(s, c, half);
    for (int64_t j = 0; j < c; j++)
        slope += half[j * c + j];
    for (int64_t j = 0; j < c * c; j++)
        half[j] *= 0.5;
    set->base1[k] = -0.5 * slope;
    return 1;
}

/* W'Dy and y'Dy with one kind of weight. */
static double add_trait(const gp_spectrum *null, int64_t at, int64_t count, const double *weight,
                        double *z) {
    double x[GP_SPECTRUM_BLOCK];
    gp_scale(null->y + at, weight, count, x);
    for (int64_t j = 0; j < null->c; j++)
        z[j] += gp_dot(x, null->w + j * null->n + at, count);
    return gp_dot(x, null->y + at, count);
}

void gp_lmm_set_trait(gp_lmm_set *set, int64_t k, int64_t i, const gp_spectrum *null) {
    int64_t c = null->c, at = k * set->traits + i;
    const double *inverse = set->inverse + k * c * c;
    double *z = set->zy + at * c, *z1 = set->slopes ? set->zy1 + at * c : NULL, yy = 0.0, yy1 = 0.0;
    gp_weights w;
    for (int64_t first = 0; first < null->n; first += GP_SPECTRUM_BLOCK) {
        int64_t count = gp_least(null->n - first, GP_SPECTRUM_BLOCK);
        gp_weights_at(gp_exp(set->t[k]), null->value + first, count, &w);
        yy += add_trait(null, first, count, w.d, z);
        if (z1 != NULL)
            yy1 += add_trait(null, first, count, w.d1, z1);
    }
    gp_lower_times(inverse, c, z);
    for (int64_t j = 0; j < c; j++)
        yy -= z[j] * z[j];
    set->yy[at] = yy;
    if (z1 == NULL)
        return;
    gp_lower_times(inverse, c, z1);
    for (int64_t j = 0; j < c; j++) {
        z1[j] -= gp_dot(set->half + (k * c + j) * c, z, c);
        yy1 -= 2.0 * z[j] * z1[j];
    }
    set->yy1[at] = yy1;
}

void gp_lmm_columns(const gp_lmm *model, const gp_lmm_set *set, int64_t k, int64_t first,
                    int64_t count, double *q, int64_t lead, double *d) {
    int64_t c = model->c;
    double lambda = gp_exp(set->t[k]);
    for (int64_t i = 0; i < count; i++)
        d[i] = 1.0 / (lambda * model->value[first + i] + 1.0);
    for (int64_t j = 0; j < c; j++)
        gp_scale(model->w + j * model->columns + first, d, count, q + j * lead);
    /* Row-major lower L^-1 is column-major upper L^-1'. */
    int rows = (int)count, columns = (int)c, apart = (int)lead;
    double one = 1.0;
    if (c > 0 && count > 0)
        dtrmm_("R", "U", "N", "N", &rows, &columns, &one, set->inverse + k * c * c, &columns, q,
               &apart);
}

/* The slopes' columns: D' W L^-1' - (D W L^-1') M / 2. */
static void slope_columns(const gp_lmm *model, const gp_lmm_set *set, int64_t k, const double *q,
                          double *q1, double *d1) {
    int64_t c = model->c, n = model->columns;
    const double *inverse = set->inverse + k * c * c, *half = set->half + k * c * c;
    double lambda = gp_exp(set->t[k]);
    for (int64_t i = 0; i < n; i++) {
        double e = lambda * model->value[i], d = 1.0 / (e + 1.0);
        d1[i] = -(e * d) * d;
    }
    for (int64_t j = 0; j < c; j++)
        for (int64_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (int64_t l = 0; l <= j; l++)
                sum += inverse[j * c + l] * model->w[l * n + i];
            sum *= d1[i];
            for (int64_t l = 0; l < c; l++)
                sum -= half[j * c + l] * q[l * n + i];
            q1[j * n + i] = sum;
        }
}

static void set_tables(gp_lmm *model, const gp_lmm_set *set, int64_t k) {
    int64_t n = model->columns, c = model->c;
    double *x = model->x_table + (set->x_at + k * gp_lmm_point_columns(model, set)) * n;
    double *d = model->xx_table + (set->xx_at + k * (1 + set->slopes)) * n;
    double *y = x + c * (1 + set->slopes) * n;
    gp_lmm_columns(model, set, k, 0, n, x, n, d);
    if (set->slopes)
        slope_columns(model, set, k, x, x + c * n, d + n);
    for (int kind = 0; kind <= set->slopes; kind++)
        for (int64_t i = 0; i < set->traits; i++, y += n)
            gp_scale(model->y + set->trait[i] * n, d + kind * n, n, y);
}

void gp_lmm_tables(gp_lmm *model) {
    if (model->exact) {
#pragma omp parallel for schedule(dynamic)
        for (int64_t k = 0; k < model->edges.points; k++)
            set_tables(model, &model->edges, k);
    }
    for (int64_t g = 0; g < model->stretches; g++) {
#pragma omp parallel for schedule(dynamic)
        for (int64_t k = 0; k < model->stretch[g].points; k++)
            set_tables(model, &model->stretch[g], k);
    }
}
