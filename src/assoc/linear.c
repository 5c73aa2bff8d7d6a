#include "src/assoc/linear.h"
#include "src/assoc/linear_block.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/geno/code.h"
#include "src/geno/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t gp_linear_sums_width(const gp_linear *model) {
    return model->moments.width + model->c + model->p + 4;
}

int64_t gp_linear_sums_widest(int64_t covariates, int64_t traits) {
    return gp_moments_width(covariates, traits, 1) + covariates + traits + 4;
}

int64_t gp_linear_bytes(const gp_linear *model) {
    return gp_operand_bytes(model->y.terms, model->y.columns, model->bits) + gp_product_bytes() +
           gp_moments_bytes(&model->moments) + gp_geno_stride(model->y.terms) +
           8 * model->threads * model->scratch_size;
}

/* Puts x [n] into a column that has room. */
static void quantise(gp_linear_column *column, const gp_linear_input *in, const double *x) {
    double max = 0.0;
    for (int64_t i = 0; i < in->n; i++)
        max = fmax(max, fabs(x[i]));
    int e = column->exponent = gp_fixed_exponent(max, gp_fixed_bits(in->n));
    column->total = 0;
    memset(column->value, 0, (size_t)in->samples * sizeof *column->value);
    for (int64_t i = 0; i < in->n; i++) {
        int64_t v = gp_fixed_from(x[i], e), at = in->sample[i] - in->first;
        column->total += v;
        if (at >= 0 && at < in->samples)
            column->value[at] = v;
    }
}

/* Makes a column the model's column k. */
static void take(gp_linear *model, int64_t k, const gp_linear_column *column) {
    model->y.exponent[k] = column->exponent;
    model->total[k] = column->total;
    gp_operand_set_column(&model->y, k, column->value);
}

/* Units in the order of the moments: of each column; of each covariate's products; of each trait's
 * squares. */
static void find_units(const gp_linear *model) {
    int64_t c = model->c, columns = c + model->p;
    const int *e = model->y.exponent;
    double *unit = model->unit;
    for (int64_t k = 0; k < columns; k++)
        *unit++ = gp_power_of_two(-e[k]);
    if (!model->exact)
        return;
    for (int64_t j = 0; j < c; j++)
        for (int64_t k = j; k < columns; k++)
            *unit++ = gp_power_of_two(model->bits - e[j] - e[k]);
    for (int64_t t = c; t < columns; t++)
        *unit++ = gp_power_of_two(model->bits - 2 * e[t]);
}

/* Fills all columns. */
static int fill(gp_linear *model, const gp_linear_input *in, gp_err *err) {
    gp_linear_column column = {.value = gp_mem_alloc(in->samples, sizeof *column.value, err)};
    if (column.value == NULL)
        return err->code;
    for (int64_t k = 0; k < model->c + model->p; k++) {
        int64_t t = k - model->c;
        quantise(&column, in, t < 0 ? in->basis + k * in->n : in->residual + t * in->n);
        take(model, k, &column);
        if (t >= 0)
            model->length[t] = in->length[t];
    }
    gp_linear_column_free(&column);
    find_units(model);
    return GP_OK;
}

int gp_linear_init(gp_linear *model, const gp_linear_input *in, gp_err *err) {
    int64_t c = model->c = in->covariates, p = model->p = in->traits;
    model->n = in->n;
    model->moments.keep = in->keep;
    model->exact = in->exact;
    model->threads = omp_get_max_threads();
    model->bits = gp_fixed_bits(in->n);
    model->scratch_size = gp_linear_scratch(c, p);
    model->mask = gp_mem_alloc(gp_geno_stride(in->samples), 1, err);
    model->total = gp_mem_alloc(c + p, sizeof *model->total, err);
    model->length = gp_mem_alloc(p, sizeof *model->length, err);
    model->unit = gp_mem_alloc(gp_moments_count(c, p, in->exact), sizeof *model->unit, err);
    model->scratch =
        gp_mem_alloc(model->threads * model->scratch_size, sizeof *model->scratch, err);
    if (err->code != GP_OK ||
        gp_operand_init(&model->y, in->samples, c + p, model->bits, err) != GP_OK ||
        (model->product = gp_product_new(&model->y, err)) == NULL ||
        gp_moments_init(&model->moments, &model->y, c, model->bits, in->exact, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < in->n; i++) {
        int64_t at = in->sample[i] - in->first;
        if (at >= 0 && at < in->samples)
            gp_mask_set(model->mask, at);
    }
    return fill(model, in, err);
}

void gp_linear_free(gp_linear *model) {
    gp_operand_free(&model->y);
    gp_product_free(model->product);
    gp_moments_free(&model->moments);
    free(model->mask);
    free(model->total);
    free(model->length);
    free(model->unit);
    free(model->scratch);
    *model = (gp_linear){0};
}

/* ---- other traits in their place ---- */

int gp_linear_column_init(gp_linear_column *column, const gp_linear_input *in,
                          const double *residual, double length, gp_err *err) {
    column->value = gp_mem_alloc(in->samples, sizeof *column->value, err);
    if (column->value == NULL)
        return err->code;
    column->length = length;
    quantise(column, in, residual);
    return GP_OK;
}

void gp_linear_column_free(gp_linear_column *column) {
    free(column->value);
    *column = (gp_linear_column){0};
}

int64_t gp_linear_column_bytes(int64_t samples) {
    return samples * (int64_t)sizeof(int64_t) + (int64_t)sizeof(gp_linear_column);
}

void gp_linear_exchange(gp_linear *model, const gp_linear_column *const *column) {
#pragma omp parallel for schedule(dynamic) num_threads(model->threads)
    for (int64_t t = 0; t < model->p; t++) {
        if (column[t] == NULL)
            continue;
        take(model, model->c + t, column[t]);
        model->length[t] = column[t]->length;
    }
    find_units(model);
    gp_moments_forget(&model->moments);
}
