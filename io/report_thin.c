#include "io/report_thin.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const gp_guess_model[GP_GUESS_MODELS] = {"covariates", "ridge", "transformer"};

/* ---- clouds ---- */

static void widen(double *low, double *high) {
    double apart = (*high - *low) * 0.04;
    if (!(apart > 0.0))
        apart = fmax(1e-6, fabs(*low) * 0.01);
    *low -= apart;
    *high += apart;
}

static int cell_of(const gp_cloud *c, int axis, double value) {
    double share = (value - c->low[axis]) / (c->high[axis] - c->low[axis]);
    int cell = (int)(share * GP_CLOUD_CELLS);
    return cell < 0 ? 0 : cell < GP_CLOUD_CELLS ? cell : GP_CLOUD_CELLS - 1;
}

int gp_cloud_make(gp_cloud *c, const double *xy, int64_t n, gp_err *err) {
    for (int64_t i = 0; i < n; i++) {
        const double *p = xy + 2 * i;
        if (isnan(p[0]) || isnan(p[1]))
            continue;
        for (int k = 0; k < 2; k++) {
            c->low[k] = c->n == 0 || p[k] < c->low[k] ? p[k] : c->low[k];
            c->high[k] = c->n == 0 || p[k] > c->high[k] ? p[k] : c->high[k];
        }
        c->n++;
    }
    widen(&c->low[0], &c->high[0]);
    widen(&c->low[1], &c->high[1]);
    if (c->n <= GP_CLOUD_POINTS)
        c->point = gp_mem_alloc(c->n, 2 * sizeof *c->point, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0, at = 0; i < n; i++) {
        const double *p = xy + 2 * i;
        if (isnan(p[0]) || isnan(p[1]))
            continue;
        c->cell[cell_of(c, 1, p[1]) * GP_CLOUD_CELLS + cell_of(c, 0, p[0])]++;
        if (c->point != NULL)
            memcpy(c->point + 2 * at, p, 2 * sizeof *p);
        at++;
    }
    return GP_OK;
}

void gp_cloud_free(gp_cloud *c) {
    free(c->point);
    *c = (gp_cloud){0};
}

/* ---- predictions ---- */

/* A sample: what was predicted, what was observed. */
typedef struct pair {
    double guess, observed;
} pair;

static int by_guess(const void *a, const void *b) {
    const pair *x = a, *y = b;
    if (x->guess != y->guess)
        return x->guess < y->guess ? -1 : 1;
    return x->observed < y->observed ? -1 : x->observed > y->observed;
}

/* Those of a model that are whole, sorted by what was predicted. */
static int64_t take(const gp_sheet *s, const char *trait, const int64_t column[3], pair *to,
                    gp_err *err) {
    int64_t n = 0;
    for (int64_t i = 0; i < s->rows && err->code == GP_OK; i++) {
        if (trait != NULL && strcmp(gp_sheet_text(s, i, column[0]), trait) != 0)
            continue;
        to[n].observed = gp_sheet_number(s, i, column[1], err);
        to[n].guess = gp_sheet_number(s, i, column[2], err);
        n += !isnan(to[n].observed) && !isnan(to[n].guess);
    }
    qsort(to, (size_t)n, sizeof *to, by_guess);
    return n;
}

static void make_tenths(gp_guesses *g, const pair *of, int64_t n) {
    if (n < 10 * GP_GUESS_TENTHS) /* means of fewer than ten say little */
        return;
    g->tenths = GP_GUESS_TENTHS;
    for (int64_t k = 0; k < g->tenths; k++) {
        int64_t from = n * k / g->tenths, to = n * (k + 1) / g->tenths;
        for (int64_t i = from; i < to; i++) {
            g->tenth[k][0] += of[i].guess / (double)(to - from);
            g->tenth[k][1] += of[i].observed / (double)(to - from);
        }
    }
}

/* The curve's points at even steps, on the lines between thresholds: equal predictions come
 * together. */
static void make_curve(double *curve, const pair *of, int64_t n) {
    double controls = 0.0, cases = 0.0, x = 0.0, y = 0.0;
    int next = 0;
    for (int64_t i = 0; i < n; i++) {
        cases += of[i].observed > 0.5;
        controls += of[i].observed <= 0.5;
    }
    for (int k = 0; k <= GP_GUESS_STEPS; k++)
        curve[k] = NAN;
    if (cases == 0.0 || controls == 0.0)
        return;
    for (int64_t end = n, from = n; end > 0; end = from) {
        double to_x = x, to_y = y;
        while (from > 0 && of[from - 1].guess == of[end - 1].guess) {
            from--;
            to_x += (of[from].observed <= 0.5) / controls;
            to_y += (of[from].observed > 0.5) / cases;
        }
        for (; next < GP_GUESS_STEPS && (double)next / GP_GUESS_STEPS < to_x; next++)
            curve[next] = y + (to_y - y) * ((double)next / GP_GUESS_STEPS - x) / (to_x - x);
        x = to_x;
        y = to_y;
    }
    for (; next <= GP_GUESS_STEPS; next++)
        curve[next] = 1.0;
}

static void make_shares(gp_guesses *g, const pair *of, int64_t n) {
    int64_t count[2] = {n - g->cases, g->cases};
    g->low = of[0].guess;
    g->high = of[n - 1].guess;
    widen(&g->low, &g->high);
    for (int64_t i = 0; i < n; i++) {
        int of_cases = of[i].observed > 0.5;
        int bar = (int)((of[i].guess - g->low) / (g->high - g->low) * GP_GUESS_CLASSES);
        g->share[of_cases][bar] += 1.0 / (double)count[of_cases];
    }
}

static void take_binary(gp_guesses *g, const pair *of, int64_t n, int model) {
    make_curve(g->curve[model], of, n);
    if (model != GP_GUESS_MODELS - 1 || n == 0)
        return;
    g->n = n;
    for (int64_t i = 0; i < n; i++)
        g->cases += of[i].observed > 0.5;
    make_shares(g, of, n);
}

int gp_guesses_make(gp_guesses *g, const gp_sheet *s, const char *trait, int binary, gp_err *err) {
    pair *of = gp_mem_alloc(s->rows, sizeof *of, err);
    for (int model = 0; model < GP_GUESS_MODELS && err->code == GP_OK; model++) {
        const char *const name[] = {"trait", "observed", gp_guess_model[model]};
        int64_t column[3];
        if ((!binary && model < GP_GUESS_MODELS - 1) ||
            gp_sheet_need(s, name, column, 3, err) != GP_OK)
            continue;
        int64_t n = take(s, trait, column, of, err);
        if (err->code == GP_OK && binary)
            take_binary(g, of, n, model);
        if (err->code != GP_OK || binary)
            continue;
        g->n = n;
        make_tenths(g, of, n);
        gp_cloud_make(&g->cloud, &of->guess, n, err);
    }
    free(of);
    return err->code;
}

void gp_guesses_free(gp_guesses *g) {
    gp_cloud_free(&g->cloud);
    *g = (gp_guesses){0};
}
