#include "src/assoc/linear_block.h"
#include "src/base/tail.h"
#include "src/geno/count.h"

#include <math.h>
#include <string.h>

/* The normal equations of one variant, centred; arrays are scratch. Row j of q is row j of SQQ from
 * its diagonal on, then row j of SQy; later of the Cholesky factor L' and of z. */
typedef struct normal {
    double gg, left; /* Sgg, and what the covariates leave of it */
    double *gv;      /* [c + p] */
    double *q;       /* [c x (c + p)] */
    double *yy;      /* [p] */
    double *mean;    /* [c + p] */
    int64_t rank;
} normal;

int64_t gp_linear_scratch(int64_t c, int64_t p) {
    return (c + 2) * (c + p) + p;
}

static normal normal_at(const gp_linear *model, double *scratch) {
    int64_t c = model->c, columns = c + model->p;
    normal eq = {.gv = scratch, .rank = c};
    eq.q = eq.gv + columns;
    eq.mean = eq.q + c * columns;
    eq.yy = eq.mean + columns;
    return eq;
}

/* The nearest double; most numbers fit 64 bits, which is much faster. */
static inline double nearest_double(__int128 x) {
    int64_t low = (int64_t)x;
    return low == x ? (double)low : (double)x;
}

/* Sgg and Sgv. Whole numbers until the last division: common alleles lose nothing to cancellation.
 */
static void genotype_sums(const gp_linear *model, const int64_t *call, const int64_t *product,
                          const int64_t *moment, normal *eq) {
    int64_t called = call[0] + call[1] + call[2], sum = call[1] + 2 * call[2],
            squares = call[1] + 4 * call[2];
    double n = (double)called;
    eq->gg = (double)(called * squares - sum * sum) / n;
    for (int64_t k = 0; k < model->c + model->p; k++) {
        __int128 centred =
            (__int128)called * product[k] - (__int128)sum * (model->total[k] - moment[k]);
        eq->gv[k] = nearest_double(centred) / n * model->unit[k];
    }
}

/* SQQ, SQy and Syy over the called samples: over S they are 1, 0 and 1. */
static void called_sums(const gp_linear *model, int64_t called, const int64_t *moment, normal *eq) {
    int64_t c = model->c, columns = c + model->p;
    const int64_t *product = moment + columns;
    const double *unit = model->unit + columns;
    double n = (double)called, *mean = eq->mean;
    for (int64_t k = 0; k < columns; k++)
        mean[k] = (double)(model->total[k] - moment[k]) * model->unit[k];
    for (int64_t j = 0; j < c; j++) {
        double *row = eq->q + j * columns;
        for (int64_t k = j; k < columns; k++)
            row[k] = -((double)product[k - j] * unit[k - j]) - mean[j] * mean[k] / n;
        row[j] += 1.0;
        product += columns - j;
        unit += columns - j;
    }
    for (int64_t t = 0; t < model->p; t++)
        eq->yy[t] = 1.0 - (double)product[t] * unit[t] - mean[c + t] * mean[c + t] / n;
}

/* Takes row j, finished, from those below it. */
static void reduce_below(const normal *eq, int64_t c, int64_t columns, int64_t j) {
    const double *row = eq->q + j * columns;
    for (int64_t i = j + 1; i < c; i++) {
        double *to = eq->q + i * columns, factor = row[i];
        for (int64_t k = i; k < columns; k++)
            to[k] -= factor * row[k];
        eq->gv[i] -= factor * eq->gv[j];
    }
}

/* Factors SQQ, turns gv, qy into w, z, and takes them from gy and yy. A covariate that the missing
 * samples took away (the only carriers of a category, say) has nothing left: it is skipped, as if
 * it had not been given. */
static void eliminate(const gp_linear *model, normal *eq) {
    int64_t c = model->c, p = model->p, columns = c + p;
    double *gy = eq->gv + c, *yy = eq->yy;
    for (int64_t j = 0; j < c; j++) {
        double *row = eq->q + j * columns, *z = row + c;
        double d = row[j] > 1e-9 ? sqrt(row[j]) : 0.0, inverse = d > 0.0 ? 1.0 / d : 0.0;
        eq->rank -= d == 0.0;
        for (int64_t k = j + 1; k < c; k++)
            row[k] = d > 0.0 ? row[k] / d : 0.0;
        double w = eq->gv[j] *= inverse;
        for (int64_t t = 0; t < p; t++) {
            z[t] *= inverse;
            gy[t] -= w * z[t];
            yy[t] -= z[t] * z[t];
        }
        reduce_below(eq, c, columns, j);
    }
}

static gp_status solve(const gp_linear *model, const normal *eq, int64_t trait, gp_result *result) {
    double gg = eq->left, gy = eq->gv[model->c + trait], yy = eq->yy[trait];
    double length = model->length[trait];
    if (!(gg > 1e-8 * eq->gg))
        return GP_STATUS_COLLINEAR;
    if (!(yy > 1e-9) || length == 0.0)
        return GP_STATUS_CONSTANT;
    double df = (double)(result->n - eq->rank - 2);
    /* A perfect fit leaves rounding; the sums are good to about 2^-40. */
    double rest = fmax(1.0 - gy / gg * (gy / yy), 0x1p-44);
    double slope = gy / gg, error = sqrt(yy * rest / df / gg);
    result->beta = slope * length;
    result->se = error * length;
    result->statistic = slope / error;
    result->neglog10p = gp_t_neglog10p(result->statistic, df);
    return GP_STATUS_OK;
}

/* Fills the equations of a variant with called samples of more than one genotype. */
static gp_status set_up(const gp_linear *model, const int64_t *call, const int64_t *product,
                        const int64_t *moment, normal *eq) {
    int64_t called = call[0] + call[1] + call[2], n = model->exact ? called : model->n;
    genotype_sums(model, call, product, moment, eq);
    if (model->exact && call[GP_GENO_MISSING] > 0) {
        called_sums(model, called, moment, eq);
        eliminate(model, eq);
    } else { /* z = 0 */
        for (int64_t t = 0; t < model->p; t++)
            eq->yy[t] = 1.0;
    }
    eq->left = eq->gg;
    for (int64_t j = 0; j < model->c; j++)
        eq->left -= eq->gv[j] * eq->gv[j];
    return n - eq->rank - 2 < 1 ? GP_STATUS_FEW_SAMPLES : GP_STATUS_OK;
}

static void test_variant(const gp_linear *model, const int64_t *call, const int64_t *product,
                         const int64_t *moment, double *scratch, gp_result *result) {
    gp_counts counts;
    memcpy(counts.call, call, sizeof counts.call);
    int64_t called = call[0] + call[1] + call[2];
    gp_result none = gp_result_none(GP_STATUS_OK, model->exact ? called : model->n);
    none.frequency = gp_counts_alt_frequency(&counts);
    normal eq = normal_at(model, scratch);
    if (called == 0)
        none.status = GP_STATUS_ALL_MISSING;
    else if (call[0] == called || call[1] == called || call[2] == called)
        none.status = GP_STATUS_CONSTANT;
    else
        none.status = set_up(model, call, product, moment, &eq);
    for (int64_t t = 0; t < model->p; t++) {
        result[t] = none;
        if (none.status == GP_STATUS_OK)
            result[t].status = solve(model, &eq, t, &result[t]);
    }
}

void gp_linear_test(gp_linear *model, const int64_t *sums, int64_t m, const int64_t *chosen,
                    int64_t count, gp_result *result) {
    const gp_linear_block at = gp_linear_block_of(model, m);
#pragma omp parallel for schedule(dynamic, 16) num_threads(model->threads)
    for (int64_t i = 0; i < count; i++) {
        int64_t j = chosen[i];
        test_variant(model, sums + at.calls + 4 * j, sums + at.products + j * model->y.columns,
                     sums + at.moments + j * model->moments.width,
                     model->scratch + omp_get_thread_num() * model->scratch_size,
                     result + i * model->p);
    }
}
