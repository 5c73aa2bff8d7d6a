#include "src/assoc/linear.h"
#include "src/assoc/linear_block.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/geno/code.h"
#include "src/geno/count.h"

#include <math.h>
#include <stdlib.h>

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

static void quantise(gp_linear *model, const gp_linear_input *in, int64_t column, const double *x) {
    double max = 0.0;
    for (int64_t i = 0; i < in->n; i++)
        max = fmax(max, fabs(x[i]));
    int e = model->y.exponent[column] = gp_fixed_exponent(max, model->bits);
    for (int64_t i = 0; i < in->n; i++) {
        int64_t v = gp_fixed_from(x[i], e), at = in->sample[i] - in->first;
        model->total[column] += v;
        if (at >= 0 && at < in->samples)
            gp_operand_set(&model->y, at, column, v);
    }
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
    for (int64_t j = 0; j < c; j++)
        quantise(model, in, j, in->basis + j * in->n);
    for (int64_t t = 0; t < p; t++) {
        quantise(model, in, c + t, in->residual + t * in->n);
        model->length[t] = in->length[t];
    }
    find_units(model);
    return GP_OK;
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
