#include "src/assoc/linear.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/tail.h"
#include "src/geno/code.h"
#include "src/geno/count.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Missing calls are listed this many samples at a time: whole groups of 64. */
enum { PIECE = 1 << 14 };

/* A block's sums lie in three runs, so that one reduction takes all of them: calls [m x 4],
 * products [m x y.width], moments of the missing samples [m x moments]. */
typedef struct block {
    int64_t *calls, *products, *moments;
} block;

static block block_of(const gp_linear *model, int64_t *sums, int64_t m) {
    return (block){sums, sums + 4 * m, sums + (4 + model->y.width) * m};
}

/* Moments of a sample's values v[0..c+p): each v; then, for complete cases, v[j] v[k] for every
 * covariate j and every column k >= j, and v[t]^2 for every trait. */
static int64_t moment_count(int64_t c, int64_t p, int exact) {
    int64_t k = c + p;
    return k + (exact ? c * k - c * (c - 1) / 2 + p : 0);
}

int64_t gp_linear_sums_width(const gp_linear *model) {
    return 4 + model->y.width + model->moments;
}

int64_t gp_linear_sums_widest(int64_t covariates, int64_t traits) {
    return 4 + gp_operand_width(covariates + traits) + moment_count(covariates, traits, 1);
}

int64_t gp_linear_bytes(const gp_linear *model) {
    int64_t threads = model->product.threads;
    int64_t operand = gp_geno_stride(model->y.samples) * 4 * model->y.width;
    int64_t product = threads * model->product.most_rows * (model->y.width + 1);
    return 8 * (operand + product + threads * (PIECE + model->scratch_size));
}

static void quantise(gp_linear *model, const gp_linear_input *in, int64_t column, const double *x) {
    double max = 0.0;
    for (int64_t i = 0; i < in->n; i++)
        max = fmax(max, fabs(x[i]));
    int e = model->y.exponent[column] = gp_fixed_exponent(max, model->bits);
    for (int64_t i = 0; i < in->n; i++) {
        int64_t v = gp_fixed_from(x[i], e), at = in->sample[i] - in->first;
        model->total[column] += v;
        if (at >= 0 && at < in->samples)
            model->y.value[at * model->y.width + column] = v;
    }
}

int gp_linear_init(gp_linear *model, const gp_linear_input *in, gp_err *err) {
    int64_t c = model->c = in->covariates, p = model->p = in->traits;
    int64_t threads = omp_get_max_threads();
    model->n = in->n;
    model->exact = in->exact;
    model->bits = gp_fixed_bits(in->n);
    model->moments = moment_count(c, p, in->exact);
    model->scratch_size = c * c + c * p + 3 * (c + p) + 8;
    model->mask = gp_mem_alloc(gp_geno_stride(in->samples), 1, err);
    model->total = gp_mem_alloc(c + p, sizeof *model->total, err);
    model->length = gp_mem_alloc(p, sizeof *model->length, err);
    model->missing = gp_mem_alloc(threads * PIECE, sizeof *model->missing, err);
    model->scratch = gp_mem_alloc(threads * model->scratch_size, sizeof *model->scratch, err);
    if (err->code != GP_OK || gp_operand_init(&model->y, in->samples, c + p, err) != GP_OK ||
        gp_product_init(&model->product, &model->y, in->most_rows, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < in->n; i++) {
        int64_t at = in->sample[i] - in->first;
        if (at >= 0 && at < in->samples)
            gp_mask_set(model->mask, at);
    }
    for (int64_t j = 0; j < c; j++)
        quantise(model, in, j, in->basis + j * in->n);
    for (int64_t t = 0; t < p; t++) {
        quantise(model, in, c + t, in->residual + t * in->n);
        model->length[t] = in->length[t];
    }
    return GP_OK;
}

void gp_linear_free(gp_linear *model) {
    gp_operand_free(&model->y);
    gp_product_free(&model->product);
    free(model->mask);
    free(model->total);
    free(model->length);
    free(model->missing);
    free(model->scratch);
    *model = (gp_linear){0};
}

/* Nearest integer of |x| < 2^51, as a sum that vectorises: the low bits of x + 1.5 * 2^52. */
static inline int64_t nearest(double x) {
    double shifted = x + 0x1.8p52;
    int64_t bits, zero;
    const double origin = 0x1.8p52;
    memcpy(&bits, &shifted, sizeof bits);
    memcpy(&zero, &origin, sizeof zero);
    return bits - zero;
}

static void add_moments(const gp_linear *model, const int64_t *v, double *x, int64_t *moment) {
    int64_t c = model->c, k = c + model->p;
    for (int64_t j = 0; j < k; j++)
        *moment++ += v[j];
    if (!model->exact)
        return;
    for (int64_t j = 0; j < k; j++)
        x[j] = (double)v[j];
    double scale = gp_power_of_two(-model->bits);
    for (int64_t j = 0; j < c; j++) {
        double xj = x[j] * scale;
        for (int64_t l = j; l < k; l++)
            *moment++ += nearest(xj * x[l]);
    }
    for (int64_t t = c; t < k; t++)
        *moment++ += nearest(x[t] * scale * x[t]);
}

void gp_linear_sums(gp_linear *model, const uint8_t *rows, int64_t m, int64_t *sums) {
    int64_t stride = gp_geno_stride(model->y.samples);
    block b = block_of(model, sums, m);
    memset(b.moments, 0, (size_t)(m * model->moments) * sizeof *b.moments);
    gp_product_across_samples(&model->product, rows, m, b.products);
#pragma omp parallel for schedule(dynamic, 16) num_threads(model->product.threads)
    for (int64_t j = 0; j < m; j++) {
        const uint8_t *row = rows + j * stride;
        int64_t *missing = model->missing + omp_get_thread_num() * PIECE;
        double *x = model->scratch + omp_get_thread_num() * model->scratch_size;
        gp_counts counts = gp_geno_count(row, model->mask, stride);
        memcpy(b.calls + 4 * j, counts.call, sizeof counts.call);
        if (counts.call[GP_GENO_MISSING] == 0)
            continue;
        for (int64_t at = 0; at < stride; at += PIECE / 4) {
            int64_t bytes = stride - at < PIECE / 4 ? stride - at : PIECE / 4;
            int64_t count = gp_geno_list_missing(row + at, model->mask + at, bytes, missing);
            const int64_t *values = model->y.value + 4 * at * model->y.width;
            for (int64_t i = 0; i < count; i++)
                add_moments(model, values + missing[i] * model->y.width, x,
                            b.moments + j * model->moments);
        }
    }
}

/* The normal equations of one variant, centred; arrays are scratch. */
typedef struct normal {
    double gg;
    double *gv; /* [c + p] */
    double *qq; /* [c x c] lower triangle, then its Cholesky factor */
    double *qy; /* [c x p] */
    double *yy; /* [p] */
    int64_t rank;
} normal;

static normal normal_at(const gp_linear *model, double *scratch) {
    int64_t c = model->c, p = model->p;
    return (normal){.gv = scratch,
                    .qq = scratch + c + p,
                    .qy = scratch + c + p + c * c,
                    .yy = scratch + c + p + c * c + c * p,
                    .rank = c};
}

/* Sgg and Sgv. Whole numbers until the last division: common alleles lose nothing to cancellation.
 */
static void genotype_sums(const gp_linear *model, const int64_t *call, const int64_t *product,
                          const int64_t *moment, normal *eq) {
    int64_t called = call[0] + call[1] + call[2], sum = call[1] + 2 * call[2],
            squares = call[1] + 4 * call[2];
    eq->gg = (double)(called * squares - sum * sum) / (double)called;
    for (int64_t k = 0; k < model->c + model->p; k++) {
        __int128 centred =
            (__int128)called * product[k] - (__int128)sum * (model->total[k] - moment[k]);
        eq->gv[k] = (double)centred / (double)called * gp_power_of_two(-model->y.exponent[k]);
    }
}

/* SQQ, SQy and Syy over the called samples: over S they are 1, 0 and 1. */
static void called_sums(const gp_linear *model, int64_t called, const int64_t *moment, normal *eq) {
    int64_t c = model->c, p = model->p, columns = c + p;
    const int *e = model->y.exponent;
    const int64_t *product = moment + columns;
    double n = (double)called;
    double *mean = eq->yy + p; /* scratch: the columns' sums over the called samples */
    for (int64_t k = 0; k < columns; k++)
        mean[k] = gp_fixed_to(model->total[k] - moment[k], e[k]);
    for (int64_t j = 0; j < c; j++)
        for (int64_t k = j; k < columns; k++) {
            double left =
                -gp_fixed_to(*product++, e[j] + e[k] - model->bits) - mean[j] * mean[k] / n;
            if (k < c)
                eq->qq[k * c + j] = (k == j) + left;
            else
                eq->qy[j * p + k - c] = left;
        }
    for (int64_t t = 0; t < p; t++)
        eq->yy[t] = 1.0 - gp_fixed_to(*product++, 2 * e[c + t] - model->bits) -
                    mean[c + t] * mean[c + t] / n;
}

/* Factors SQQ and turns gv, qy into w, z. A covariate that the missing samples took away (the only
 * carriers of a category, say) has nothing left: it is skipped, as if it had not been given. */
static void eliminate(const gp_linear *model, normal *eq) {
    int64_t c = model->c, p = model->p;
    for (int64_t j = 0; j < c; j++) {
        double *row = eq->qq + j * c;
        for (int64_t k = 0; k < j; k++) {
            double s = row[k];
            for (int64_t l = 0; l < k; l++)
                s -= row[l] * eq->qq[k * c + l];
            row[k] = eq->qq[k * c + k] > 0.0 ? s / eq->qq[k * c + k] : 0.0;
        }
        double d = row[j];
        for (int64_t l = 0; l < j; l++)
            d -= row[l] * row[l];
        row[j] = d > 1e-9 ? sqrt(d) : 0.0;
        eq->rank -= row[j] == 0.0;
        for (int64_t l = 0; l < j; l++) {
            eq->gv[j] -= row[l] * eq->gv[l];
            for (int64_t t = 0; t < p; t++)
                eq->qy[j * p + t] -= row[l] * eq->qy[l * p + t];
        }
        double inverse = row[j] > 0.0 ? 1.0 / row[j] : 0.0;
        eq->gv[j] *= inverse;
        for (int64_t t = 0; t < p; t++)
            eq->qy[j * p + t] *= inverse;
    }
}

static gp_status solve(const gp_linear *model, const normal *eq, int64_t trait, gp_result *result) {
    int64_t c = model->c, p = model->p;
    double gg = eq->gg, gy = eq->gv[c + trait], yy = eq->yy[trait];
    for (int64_t j = 0; j < c; j++) {
        gg -= eq->gv[j] * eq->gv[j];
        gy -= eq->gv[j] * eq->qy[j * p + trait];
        yy -= eq->qy[j * p + trait] * eq->qy[j * p + trait];
    }
    if (!(gg > 1e-8 * eq->gg))
        return GP_STATUS_COLLINEAR;
    if (!(yy > 1e-9) || model->length[trait] == 0.0)
        return GP_STATUS_CONSTANT;
    double df = (double)(result->n - eq->rank - 2);
    /* A perfect fit leaves rounding; the sums are good to about 2^-40. */
    double rest = fmax(1.0 - gy / gg * (gy / yy), 0x1p-44);
    double slope = gy / gg, error = sqrt(yy * rest / df / gg);
    result->beta = slope * model->length[trait];
    result->se = error * model->length[trait];
    result->statistic = slope / error;
    result->neglog10p = gp_t_neglog10p(result->statistic, df);
    return GP_STATUS_OK;
}

static void test_variant(const gp_linear *model, const int64_t *call, const int64_t *product,
                         const int64_t *moment, double *scratch, gp_result *result) {
    int64_t c = model->c, p = model->p;
    gp_counts counts;
    memcpy(counts.call, call, sizeof counts.call);
    int64_t called = call[0] + call[1] + call[2];
    gp_result none = {GP_STATUS_OK,
                      model->exact ? called : model->n,
                      gp_counts_alt_frequency(&counts),
                      NAN,
                      NAN,
                      NAN,
                      NAN};
    normal eq = normal_at(model, scratch);
    if (called == 0)
        none.status = GP_STATUS_ALL_MISSING;
    else if (call[0] == called || call[1] == called || call[2] == called)
        none.status = GP_STATUS_CONSTANT;
    if (none.status == GP_STATUS_OK) {
        genotype_sums(model, call, product, moment, &eq);
        if (model->exact && call[GP_GENO_MISSING] > 0) {
            called_sums(model, called, moment, &eq);
            eliminate(model, &eq);
        } else {
            memset(eq.qy, 0, (size_t)(c * p) * sizeof *eq.qy);
            for (int64_t t = 0; t < p; t++)
                eq.yy[t] = 1.0;
        }
        if (none.n - eq.rank - 2 < 1)
            none.status = GP_STATUS_FEW_SAMPLES;
    }
    for (int64_t t = 0; t < p; t++) {
        result[t] = none;
        if (none.status == GP_STATUS_OK)
            result[t].status = solve(model, &eq, t, &result[t]);
    }
}

void gp_linear_test(gp_linear *model, const int64_t *sums, int64_t m, gp_result *result) {
    const int64_t *calls = sums, *products = sums + 4 * m,
                  *moments = sums + (4 + model->y.width) * m;
#pragma omp parallel for schedule(dynamic, 16) num_threads(model->product.threads)
    for (int64_t j = 0; j < m; j++)
        test_variant(
            model, calls + 4 * j, products + j * model->y.width, moments + j * model->moments,
            model->scratch + omp_get_thread_num() * model->scratch_size, result + j * model->p);
}
