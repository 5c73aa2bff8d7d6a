#include "src/assoc/lmm_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"

#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static double region_width(void) {
    return gp_log(GP_REML_MOST / GP_REML_LEAST) / GP_REML_REGIONS;
}

static double edge(double r) {
    return gp_log(GP_REML_LEAST) + r * region_width();
}

/* Stretches are as wide as a region, so that the first and the last one are regions themselves. */
static int64_t most_stretches(const gp_lmm_input *in) {
    return in->exact ? gp_least(in->p, (GP_REML_REGIONS - 1) * GP_LMM_STEPS + 1) : in->p;
}

static void fit_nulls(gp_lmm *model, const gp_lmm_input *in, gp_err *err) {
    int64_t first = in->p;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < in->p; i++) {
        gp_err mine = {0};
        gp_spectrum s = {in->n, in->c, in->value, in->w, in->y + i * in->n};
        if (gp_reml_fit(&s, &model->null[i], &mine) == GP_OK)
            continue;
#pragma omp critical(gp_lmm_fit_nulls)
        if (i < first) { /* the error of the first trait, whichever thread came first */
            first = i;
            *err = (gp_err){0};
            if (mine.code == GP_EINPUT)
                gp_err_set(err, mine.code, "trait %lld: %s", (long long)i + 1, mine.text);
            else
                *err = mine;
        }
    }
}

/* Where the stretch around a null model begins; or its only point. */
static double stretch_low(const gp_lmm *model, double t) {
    if (!model->exact)
        return t;
    double step = region_width() / GP_LMM_STEPS;
    double k = round((t - edge(0.5)) / step);
    return edge(0) + step * fmin(fmax(k, 0.0), (GP_REML_REGIONS - 1) * GP_LMM_STEPS);
}

/* Gives each trait its stretch. low [p] is scratch. */
static void find_stretches(gp_lmm *model, double *low, int64_t *members) {
    for (int64_t i = 0; i < model->p; i++) {
        double mine = stretch_low(model, gp_log(model->null[i].lambda));
        int64_t g = 0;
        while (g < model->stretches && low[g] != mine)
            g++;
        if (g == model->stretches) {
            low[g] = mine;
            members[g] = 0;
            model->stretches++;
        }
        model->home[i] = g;
        model->place[i] = members[g]++;
    }
}

static void set_points(const gp_lmm *model, gp_lmm_set *set, double low, double high) {
    set->low = low;
    set->high = high;
    for (int64_t k = 0; k < set->points; k++)
        set->t[k] = set->points == 1
                        ? low
                        : 0.5 * (low + high) + 0.5 * (high - low) * model->chebyshev->point[k];
}

static int init_everywhere(gp_lmm *model, gp_err *err) {
    if (gp_lmm_set_init(&model->edges, GP_LMM_EDGES, model->p, 1, model->c, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < GP_LMM_EDGES; k++)
        model->edges.t[k] = edge((double)k);
    for (int64_t r = 0; r < GP_REML_REGIONS; r++) {
        gp_lmm_set *set = &model->region[r];
        if (gp_lmm_set_init(set, GP_CHEBYSHEV, model->p, 0, model->c, err) != GP_OK)
            return err->code;
        set_points(model, set, edge((double)r), edge((double)r + 1.0));
        for (int64_t i = 0; i < model->p; i++)
            set->trait[i] = model->edges.trait[i] = i;
    }
    return GP_OK;
}

static int init_sets(gp_lmm *model, gp_err *err) {
    double *low = gp_mem_alloc(model->p, sizeof *low, err);
    int64_t *members = gp_mem_alloc(model->p, sizeof *members, err);
    if (err->code == GP_OK)
        find_stretches(model, low, members);
    model->stretch = gp_mem_alloc(model->stretches, sizeof *model->stretch, err);
    for (int64_t g = 0; g < model->stretches && err->code == GP_OK; g++) {
        gp_lmm_set *set = &model->stretch[g];
        if (gp_lmm_set_init(set, model->exact ? GP_CHEBYSHEV : 1, members[g], 0, model->c, err) ==
            GP_OK)
            set_points(model, set, low[g], low[g] + (model->exact ? region_width() : 0.0));
    }
    free(low);
    free(members);
    if (err->code != GP_OK || (model->exact && init_everywhere(model, err) != GP_OK))
        return err->code;
    for (int64_t i = 0; i < model->p; i++)
        model->stretch[model->home[i]].trait[model->place[i]] = i;
    return GP_OK;
}

/* All sets, one after the other; NULL at the end. */
static gp_lmm_set *set_number(gp_lmm *model, int64_t k) {
    if (k < model->stretches)
        return &model->stretch[k];
    k -= model->stretches;
    if (k == 0)
        return &model->edges;
    return k <= GP_REML_REGIONS ? &model->region[k - 1] : NULL;
}

static int fill_effects(gp_lmm *model, const gp_spectrum *null, gp_err *err) {
    int failed = 0;
    gp_lmm_set *set = NULL;
    for (int64_t s = 0; (set = set_number(model, s)) != NULL; s++) {
#pragma omp parallel for schedule(dynamic) reduction(| : failed)
        for (int64_t k = 0; k < set->points; k++)
            failed |= !gp_lmm_set_effects(set, k, null);
    }
    return failed ? gp_err_set(err, GP_EINPUT,
                               "mixed model: the covariates are nearly dependent, "
                               "or of very different sizes")
                  : GP_OK;
}

/* y - W (W'W)^-1 W'y; z [c] is scratch. */
static void residual(const gp_lmm_input *in, const double *inverse, int64_t trait, double *z,
                     double *y) {
    memcpy(y, in->y + trait * in->n, (size_t)in->n * sizeof *y);
    for (int64_t j = 0; j < in->c; j++)
        z[j] = gp_dot(in->w + j * in->n, y, in->n);
    gp_lower_times(inverse, in->c, z);
    gp_lower_turned_times(inverse, in->c, z);
    for (int64_t j = 0; j < in->c; j++)
        for (int64_t i = 0; i < in->n; i++)
            y[i] -= z[j] * in->w[j * in->n + i];
}

static void fill_trait(gp_lmm *model, int64_t trait, const gp_spectrum *null) {
    gp_lmm_set *set = NULL;
    for (int64_t s = 0; (set = set_number(model, s)) != NULL; s++) {
        int64_t place = s < model->stretches ? model->place[trait] : trait;
        if (s < model->stretches && model->home[trait] != s)
            continue;
#pragma omp parallel for schedule(dynamic)
        for (int64_t k = 0; k < set->points; k++)
            gp_lmm_set_trait(set, k, place, null);
    }
}

/* What W and the traits give at all points, over all eigenvalues; and the residuals at this
 * shard's. */
static int fill_sets(gp_lmm *model, const gp_lmm_input *in, gp_err *err) {
    gp_lmm_set plain = {0};
    double *y = gp_mem_alloc(in->n, sizeof *y, err), *z = gp_mem_alloc(in->c, sizeof *z, err);
    gp_spectrum null = {in->n, in->c, in->value, in->w, y};
    if (err->code == GP_OK && fill_effects(model, &null, err) == GP_OK &&
        gp_lmm_set_init(&plain, 1, 0, 0, in->c, err) == GP_OK) {
        plain.t[0] =
            -INFINITY; /* lambda = 0: least squares; the null models' fits had its inverse */
        gp_lmm_set_effects(&plain, 0, &null);
        for (int64_t i = 0; i < in->p; i++) {
            residual(in, plain.inverse, i, z, y);
            fill_trait(model, i, &null);
            for (int64_t k = 0; k < in->columns; k++)
                model->y[i * in->columns + k] = y[in->mine[k]];
        }
    }
    gp_lmm_set_free(&plain);
    free(y);
    free(z);
    return err->code;
}

static int init_tables(gp_lmm *model, gp_err *err) {
    if (model->exact) {
        model->x_columns = gp_lmm_point_columns(model, &model->edges) * GP_LMM_EDGES;
        model->xx_columns = 2 * GP_LMM_EDGES;
    }
    for (int64_t g = 0; g < model->stretches; g++) {
        gp_lmm_set *set = &model->stretch[g];
        set->x_at = model->x_columns;
        set->xx_at = model->xx_columns;
        model->x_columns += gp_lmm_point_columns(model, set) * set->points;
        model->xx_columns += set->points;
    }
    if (model->columns > INT_MAX || model->x_columns + model->xx_columns > INT_MAX)
        return gp_err_set(err, GP_EFAIL,
                          "mixed model: %lld eigenvectors on a rank with %lld sums per variant are "
                          "too many; use more ranks, or fewer traits at once",
                          (long long)model->columns,
                          (long long)(model->x_columns + model->xx_columns));
    model->x_table = gp_mem_alloc(model->x_columns * model->columns, sizeof(double), err);
    model->xx_table = gp_mem_alloc(model->xx_columns * model->columns, sizeof(double), err);
    if (err->code == GP_OK)
        gp_lmm_tables(model);
    return err->code;
}

static int init(gp_lmm *model, const gp_lmm_input *in, gp_err *err) {
    model->n = in->n;
    model->c = in->c;
    model->p = in->p;
    model->columns = in->columns;
    model->exact = in->exact;
    model->df = (double)(in->n - in->c - 1);
    model->null = gp_mem_alloc(in->p, sizeof *model->null, err);
    model->home = gp_mem_alloc(in->p, sizeof *model->home, err);
    model->place = gp_mem_alloc(in->p, sizeof *model->place, err);
    model->chebyshev = gp_mem_alloc(1, sizeof *model->chebyshev, err);
    model->value = gp_mem_alloc(in->columns, sizeof *model->value, err);
    model->w = gp_mem_alloc(in->c * in->columns, sizeof *model->w, err);
    model->y = gp_mem_alloc(in->p * in->columns, sizeof *model->y, err);
    if (err->code != GP_OK)
        return err->code;
    gp_chebyshev_init(model->chebyshev);
    for (int64_t k = 0; k < in->columns; k++) {
        model->value[k] = in->value[in->mine[k]];
        for (int64_t j = 0; j < in->c; j++)
            model->w[j * in->columns + k] = in->w[j * in->n + in->mine[k]];
    }
    fit_nulls(model, in, err);
    if (err->code != GP_OK || init_sets(model, err) != GP_OK || fill_sets(model, in, err) != GP_OK)
        return err->code;
    return init_tables(model, err);
}

gp_lmm *gp_lmm_new(const gp_lmm_input *in, gp_err *err) {
    gp_lmm *model = gp_mem_alloc(1, sizeof *model, err);
    if (model != NULL && init(model, in, err) != GP_OK) {
        gp_lmm_free(model);
        model = NULL;
    }
    return model;
}

void gp_lmm_free(gp_lmm *model) {
    if (model == NULL)
        return;
    gp_lmm_set_free(&model->edges);
    for (int64_t g = 0; model->stretch != NULL && g < model->stretches; g++)
        gp_lmm_set_free(&model->stretch[g]);
    for (int64_t r = 0; r < GP_REML_REGIONS; r++)
        gp_lmm_set_free(&model->region[r]);
    free(model->null);
    free(model->home);
    free(model->place);
    free(model->chebyshev);
    free(model->stretch);
    free(model->value);
    free(model->w);
    free(model->y);
    free(model->x_table);
    free(model->xx_table);
    free(model);
}

const gp_reml *gp_lmm_null(const gp_lmm *model, int64_t trait) {
    return &model->null[trait];
}

static int64_t batch_bytes(const gp_lmm_input *in, int64_t most) {
    int64_t panels = 8 * (int64_t)omp_get_max_threads() * GP_LMM_ROWS * GP_LMM_PANEL;
    int64_t each = (int64_t)sizeof(gp_status) + in->p * (int64_t)sizeof(gp_lmm_pair);
    if (!in->exact)
        return most * each + panels;
    each += 8 * (1 + in->p);
    return most * each + 2 * panels + 8 * GP_CHEBYSHEV * (in->c + 2) * GP_LMM_PANEL;
}

int64_t gp_lmm_bytes(const gp_lmm_input *in, int64_t most) {
    int64_t stretches = most_stretches(in), points = in->exact ? GP_CHEBYSHEV : 1;
    int64_t columns = points * (stretches * (in->c + 1) + in->p), doubles = in->n;
    doubles += points * stretches * (in->c * in->c + 2) + points * in->p * (in->c + 1);
    if (in->exact) {
        columns += 2 * GP_LMM_EDGES * (in->c + in->p + 1);
        doubles += gp_lmm_set_doubles(GP_LMM_EDGES, in->p, 1, in->c) +
                   GP_REML_REGIONS * gp_lmm_set_doubles(GP_CHEBYSHEV, in->p, 0, in->c);
    }
    doubles += (columns + 1 + in->c + in->p) * in->columns;
    int64_t each = (int64_t)sizeof(gp_reml) + (int64_t)sizeof(gp_lmm_set) + 32;
    int64_t own = 2 * (int64_t)(sizeof(gp_lmm) + sizeof(gp_lmm_batch) + sizeof(gp_chebyshev));
    return 8 * doubles + batch_bytes(in, most) + in->p * each + own;
}
