#include "src/assoc/logit_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = GP_GENO_GROUP, CHUNK_BYTES = 1 << 20 /* of a thread */, CHUNK_UNIT = 64 };

/* ---- making a model ---- */

/* Variants of a chunk: a product of few costs more for each. */
static int64_t chunk_of(int64_t samples, int threads) {
    int64_t stride = gp_most(gp_geno_stride(samples), GP_GENO_GROUP_BYTES),
            room = threads * (int64_t)CHUNK_BYTES / stride / CHUNK_UNIT;
    return CHUNK_UNIT * gp_most(gp_least(room, 64), 1);
}

int64_t gp_logit_bytes(int64_t n, int64_t samples, int64_t c, int exact) {
    int bits = gp_fixed_bits(n), threads = omp_get_max_threads();
    gp_operand root = gp_operand_shape(samples, c + 2, bits);
    int64_t chunk = chunk_of(samples, threads), stride = gp_geno_stride(samples),
            numbers = 2 * GROUP * gp_units(samples, GROUP) + c + 1 + c * c + chunk +
                      threads * gp_logit_test_scratch(c),
            bytes = (int64_t)sizeof(gp_logit) + 8 * numbers + (chunk + 1) * stride +
                    gp_operand_bytes(samples, c + 1, bits) + gp_operand_bytes(samples, 1, bits) +
                    2 * gp_product_bytes();
    if (exact)
        bytes += gp_operand_bytes(samples, c + 2, bits) + gp_moments_bytes_of(&root, c, 1) +
                 8 * gp_moments_count(c, 2, 1);
    return bytes;
}

/* The order is that of moments. */
static void set_moment_units(gp_logit *model) {
    int64_t c = model->c;
    int *e = model->root.exponent;
    double *unit = model->moment_unit;
    e[c] = model->bits - GP_LOGIT_NEAR;
    e[c + 1] = model->bits - GP_LOGIT_FAR;
    for (int64_t k = 0; k < c + 2; k++)
        *unit++ = gp_power_of_two(-e[k]);
    for (int64_t j = 0; j < c; j++)
        for (int64_t k = j; k < c + 2; k++)
            *unit++ = gp_power_of_two(model->bits - e[j] - e[k]);
    for (int64_t k = c; k < c + 2; k++)
        *unit++ = gp_power_of_two(model->bits - 2 * e[k]);
}

static void set_exponents(gp_logit *model) {
    const int *x = model->rows->exponent;
    int bits = model->bits;
    for (int64_t k = 0; k < model->c; k++) {
        model->weighted.exponent[k] = bits - x[k] + 2;
        if (model->exact)
            model->root.exponent[k] = bits - x[k] + 1;
    }
    model->weighted.exponent[model->c] = bits;
    model->weight.exponent[0] = bits + 2;
    for (int64_t k = 0; k <= model->c; k++)
        model->unit[k] = gp_power_of_two(-model->weighted.exponent[k]);
    if (model->exact)
        set_moment_units(model);
}

static void find_cases(gp_logit *model) {
    const gp_logit_rows *rows = model->rows;
    for (int64_t i = 0; i < rows->samples; i++)
        if (gp_mask_get(rows->mask, i) && model->y[i] > 0.5)
            gp_mask_set(model->cases, i);
}

/* What only complete cases need. */
static int make_moments(gp_logit *model, gp_err *err) {
    int64_t c = model->c, samples = model->rows->samples;
    if (gp_operand_init(&model->root, samples, c + 2, model->bits, err) != GP_OK ||
        gp_moments_init(&model->moments, &model->root, c, model->bits, 1, err) != GP_OK)
        return err->code;
    model->moment_unit = gp_mem_alloc(gp_moments_count(c, 2, 1), sizeof(double), err);
    return err->code;
}

static int make_room(gp_logit *model, gp_err *err) {
    const gp_logit_rows *rows = model->rows;
    int64_t c = model->c, stride = gp_geno_stride(rows->samples);
    model->cases = gp_mem_alloc(stride, 1, err);
    model->odds = gp_mem_alloc(rows->groups * GROUP, sizeof(double), err);
    model->firth_odds = gp_mem_alloc(rows->groups * GROUP, sizeof(double), err);
    model->unit = gp_mem_alloc(c + 1, sizeof(double), err);
    model->inverse = gp_mem_alloc(c * c, sizeof(double), err);
    model->two = gp_mem_alloc(model->chunk * stride, 1, err);
    model->list = gp_mem_alloc(model->chunk, sizeof(int64_t), err);
    model->scratch = gp_mem_alloc(model->threads * model->scratch_size, sizeof(double), err);
    if (err->code != GP_OK ||
        gp_operand_init(&model->weighted, rows->samples, c + 1, model->bits, err) != GP_OK ||
        gp_operand_init(&model->weight, rows->samples, 1, model->bits, err) != GP_OK ||
        (model->product = gp_product_new(&model->weighted, err)) == NULL ||
        (model->product_of_two = gp_product_new(&model->weight, err)) == NULL)
        return err->code;
    return GP_OK;
}

gp_logit *gp_logit_new(const gp_logit_input *in, gp_err *err) {
    gp_logit *model = gp_mem_alloc(1, sizeof *model, err);
    if (model == NULL)
        return NULL;
    *model = (gp_logit){.rows = in->rows,
                        .y = in->y,
                        .exact = in->exact,
                        .threads = omp_get_max_threads(),
                        .bits = gp_fixed_bits(in->rows->n),
                        .c = in->rows->c,
                        .moments = {.keep = in->keep},
                        .scratch_size = gp_logit_test_scratch(in->rows->c)};
    model->chunk = chunk_of(in->rows->samples, model->threads);
    if (make_room(model, err) != GP_OK || (in->exact && make_moments(model, err) != GP_OK)) {
        gp_logit_free(model);
        return NULL;
    }
    set_exponents(model);
    find_cases(model);
    return model;
}

void gp_logit_free(gp_logit *model) {
    if (model == NULL)
        return;
    gp_operand_free(&model->weighted);
    gp_operand_free(&model->weight);
    gp_operand_free(&model->root);
    gp_product_free(model->product);
    gp_product_free(model->product_of_two);
    gp_moments_free(&model->moments);
    free(model->cases);
    free(model->odds);
    free(model->firth_odds);
    free(model->unit);
    free(model->moment_unit);
    free(model->inverse);
    free(model->two);
    free(model->list);
    free(model->scratch);
    free(model);
}

/* ---- its null model ---- */

/* r / w^(1/2) stands in one of two columns. */
static void set_root(gp_logit *model, int64_t at, double w, double r) {
    const int *e = model->root.exponent;
    int64_t c = model->c;
    const double *x = model->rows->x + at / GROUP * c * GROUP + at % GROUP;
    double root = sqrt(w), far = gp_power_of_two(GP_LOGIT_FAR), size = root > 0.0 ? r / root : 0.0;
    size = fmin(fmax(size, -far), far);
    int near = fabs(size) <= gp_power_of_two(GP_LOGIT_NEAR);
    for (int64_t k = 0; k < c; k++)
        gp_operand_set(&model->root, at, k, gp_fixed_from(root * x[k * GROUP], e[k]));
    gp_operand_set(&model->root, at, c, near ? gp_fixed_from(size, e[c]) : 0);
    gp_operand_set(&model->root, at, c + 1, near ? 0 : gp_fixed_from(size, e[c + 1]));
}

static void set_sample(gp_logit *model, int64_t at) {
    int64_t c = model->c;
    const int *e = model->weighted.exponent;
    const double *x = model->rows->x + at / GROUP * c * GROUP + at % GROUP;
    double odds = model->odds[at], small = gp_exp(-fabs(odds)), more = 1.0 / (1.0 + small);
    /* P(y = 1) and P(y = 0), each to its last digits */
    double one = odds < 0.0 ? small * more : more, zero = odds < 0.0 ? more : small * more;
    double w = small * more * more, r = model->y[at] > 0.5 ? zero : -one;
    for (int64_t k = 0; k < c; k++)
        gp_operand_set(&model->weighted, at, k, gp_fixed_from(w * x[k * GROUP], e[k]));
    gp_operand_set(&model->weighted, at, c, gp_fixed_from(r, e[c]));
    gp_operand_set(&model->weight, at, 0, gp_fixed_from(w, model->weight.exponent[0]));
    if (model->exact)
        set_root(model, at, w, r);
}

int gp_logit_set(gp_logit *model, const gp_logit_null *null, const double *offset, gp_err *err) {
    const gp_logit_rows *rows = model->rows;
    int64_t c = model->c;
    model->null = null;
    model->offset = offset;
    memcpy(model->inverse, null->information, (size_t)(c * c) * sizeof *model->inverse);
    if (!gp_inverse_factor(model->inverse, c))
        return gp_err_set(err, GP_EINPUT,
                          "null model of a binary trait: its information is singular");
    gp_logit_odds(rows, offset, null->beta, model->odds);
    gp_logit_odds(rows, offset, null->firth, model->firth_odds);
    /* Threads take whole groups: tiles of the operands hold as many samples. */
#pragma omp parallel for schedule(static) num_threads(model->threads)
    for (int64_t g = 0; g < rows->groups; g++)
        for (int64_t i = g * GROUP; i < gp_least((g + 1) * GROUP, rows->samples); i++)
            if (gp_mask_get(rows->mask, i))
                set_sample(model, i);
    gp_moments_forget(&model->moments);
    return GP_OK;
}

/* ---- its parts ---- */

const gp_logit_rows *gp_logit_rows_of(const gp_logit *model) {
    return model->rows;
}

const double *gp_logit_y(const gp_logit *model) {
    return model->y;
}

const double *gp_logit_offset(const gp_logit *model) {
    return model->offset;
}

const gp_logit_null *gp_logit_null_of(const gp_logit *model) {
    return model->null;
}

const double *gp_logit_odds_of(const gp_logit *model) {
    return model->odds;
}

const double *gp_logit_firth_odds_of(const gp_logit *model) {
    return model->firth_odds;
}
