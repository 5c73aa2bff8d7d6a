#include "src/assoc/blup.h"
#include "src/assoc/design.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double mean_of(const double *x, int64_t n) {
    double sum = 0.0, rest = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        rest += x[i] - mean;
    return mean + rest / (double)n;
}

/* q'(x - mean) */
static double project(const double *q, const double *x, double mean, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += q[i] * (x[i] - mean);
    return sum;
}

/* Adds, to the intercept and effects of raw covariates, what the basis' effects mean for them.
 *   g  inout  [rank] effects of the basis; destroyed */
static void add_effects(const gp_blup *b, double *g, double *effect) {
    int64_t at = b->rank;
    for (int64_t j = b->c - 1; j >= 0; j--) {
        if (!b->kept[j])
            continue;
        at--;
        double e = g[at] / b->triangle[at * b->rank + at];
        for (int64_t r = 0; r < at; r++)
            g[r] -= e * b->triangle[r * b->rank + at];
        effect[1 + j] += e;
        effect[0] -= e * b->mean[j];
    }
}

/* Orthonormal covariates, and how the raw ones are made of them. */
static int make_basis(gp_blup *b, const gp_blup_input *in, double *basis, gp_err *err) {
    int64_t n = b->n, at = 0;
    memcpy(basis, in->x, (size_t)(b->c * n) * sizeof *basis);
    b->rank = gp_design_basis(basis, n, b->c, b->kept);
    b->triangle = gp_mem_alloc(b->rank, b->rank * (int64_t)sizeof *b->triangle + 8, err);
    if (b->triangle == NULL)
        return err->code;
    for (int64_t j = 0; j < b->c; j++) {
        b->mean[j] = mean_of(in->x + j * n, n);
        if (!b->kept[j])
            continue;
        for (int64_t r = 0; r <= at; r++)
            b->triangle[r * b->rank + at] = project(basis + r * n, in->x + j * n, b->mean[j], n);
        at++;
    }
    return GP_OK;
}

static void make_trait(gp_blup *b, const double *y, const double *basis, int64_t t, double *g,
                       double *residual) {
    int64_t n = b->n, width = 1 + b->rank + b->p;
    double mean = mean_of(y, n);
    for (int64_t r = 0; r < b->rank; r++)
        g[r] = project(basis + r * n, y, mean, n);
    b->alone[t * (1 + b->c)] = mean;
    add_effects(b, g, b->alone + t * (1 + b->c));
    memcpy(residual, y, (size_t)n * sizeof *residual);
    b->length[t] = gp_design_residual(basis, n, b->rank, residual);
    for (int64_t i = 0; i < n; i++)
        b->thin[i * width + 1 + b->rank + t] = residual[i];
}

int gp_blup_init(gp_blup *b, const gp_blup_input *in, gp_err *err) {
    int64_t n = in->n, c = in->c, p = in->p, real = (int64_t)sizeof(double);
    *b = (gp_blup){.n = n, .c = c, .p = p};
    double *basis = gp_mem_alloc(c, n * real, err), *residual = gp_mem_alloc(n, real, err);
    double *g = gp_mem_alloc(c, real, err);
    b->kept = gp_mem_alloc(c, 1, err);
    b->mean = gp_mem_alloc(c, real, err);
    b->length = gp_mem_alloc(p, real, err);
    b->alone = gp_mem_alloc(p, (1 + c) * real, err);
    b->fixed = gp_mem_alloc(p, (1 + c) * real, err);
    b->fit = gp_mem_alloc(p, sizeof *b->fit, err);
    if (err->code == GP_OK && make_basis(b, in, basis, err) == GP_OK) {
        int64_t width = 1 + b->rank + p;
        b->thin = gp_mem_alloc(n, width * real, err);
        for (int64_t i = 0; b->thin != NULL && i < n; i++) {
            b->thin[i * width] = 1.0 / sqrt((double)n);
            for (int64_t r = 0; r < b->rank; r++)
                b->thin[i * width + 1 + r] = basis[r * n + i];
        }
        for (int64_t t = 0; b->thin != NULL && t < p; t++)
            make_trait(b, in->y + t * n, basis, t, g, residual);
    }
    free(basis);
    free(residual);
    free(g);
    return err->code;
}

void gp_blup_free(gp_blup *b) {
    free(b->kept);
    free(b->mean);
    free(b->triangle);
    free(b->thin);
    free(b->length);
    free(b->alone);
    free(b->fixed);
    free(b->fit);
    *b = (gp_blup){0};
}

/* ---- fitting ---- */

/* From the freed trait of length 1 to the trait's own units. */
static void rescale(gp_blup *b, int64_t t) {
    double unit = b->length[t] * b->length[t];
    gp_reml *fit = &b->fit[t];
    fit->vg *= unit;
    fit->ve *= unit;
    fit->loglik -= (double)(b->n - 1 - b->rank) * log(b->length[t]);
}

/* beta [2 (1 + rank)] is scratch. */
static int fit_trait(gp_blup *b, const gp_spectrum *s, int64_t t, double *beta, double *alpha,
                     gp_err *err) {
    double ve = 0.0, *fixed = b->fixed + t * (1 + b->c);
    gp_reml *fit = &b->fit[t];
    if (gp_reml_fit(s, fit, err) != GP_OK ||
        gp_reml_effects(s, fit->lambda, beta, beta + s->c, &ve, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < s->n; i++) {
        double rest = s->y[i];
        for (int64_t k = 0; k < s->c; k++)
            rest -= beta[k] * s->w[k * s->n + i];
        alpha[i * b->p + t] = b->length[t] * rest / (fit->lambda * s->value[i] + 1.0);
    }
    memcpy(fixed, b->alone + t * (1 + b->c), (size_t)(1 + b->c) * sizeof *fixed);
    for (int64_t k = 0; k < s->c; k++)
        beta[k] *= b->length[t];
    fixed[0] += beta[0] / sqrt((double)b->n);
    add_effects(b, beta + 1, fixed);
    rescale(b, t);
    return GP_OK;
}

int gp_blup_fit(gp_blup *b, const double *value, const double *rotated, double *alpha,
                gp_err *err) {
    int64_t n = b->n, c = 1 + b->rank, width = c + b->p;
    double *turned = gp_mem_alloc(c + 1, n * (int64_t)sizeof *turned, err);
    double *beta = gp_mem_alloc(2 * c, sizeof *beta, err), *y = turned + c * n;
    gp_spectrum s = {.n = n, .c = c, .value = value, .w = turned, .y = y};
    for (int64_t k = 0; err->code == GP_OK && k < c; k++)
        for (int64_t i = 0; i < n; i++)
            turned[k * n + i] = rotated[i * width + k];
    for (int64_t t = 0; err->code == GP_OK && t < b->p; t++) {
        gp_err mine = {0};
        for (int64_t i = 0; i < n; i++)
            y[i] = rotated[i * width + c + t];
        if (fit_trait(b, &s, t, beta, alpha, &mine) != GP_OK)
            gp_err_set(err, mine.code, "trait %lld: %s", (long long)t + 1, mine.text);
    }
    free(turned);
    free(beta);
    return err->code;
}

/* ---- predicting ---- */

void gp_blup_genetic(const gp_blup *b, const double *ka, int64_t m, const int64_t *train, double *u,
                     double *shift) {
    for (int64_t t = 0; t < b->p; t++) {
        double mean = 0.0;
        for (int64_t i = 0; i < b->n; i++)
            mean += ka[train[i] * b->p + t];
        mean /= (double)b->n;
        shift[t] = b->fit[t].lambda * mean;
        for (int64_t i = 0; i < m; i++)
            u[i * b->p + t] = b->fit[t].lambda * (ka[i * b->p + t] - mean);
    }
}

double gp_blup_covariates(const gp_blup *b, const double *effect, const double *x) {
    double sum = effect[0];
    for (int64_t j = 0; j < b->c; j++)
        if (b->kept[j])
            sum += effect[1 + j] * x[j];
    return sum;
}
