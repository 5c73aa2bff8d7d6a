#include "src/assoc/rotation.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t gp_rotation_bytes(int64_t samples, int64_t columns, int64_t most) {
    return gp_operand_bytes(samples, columns, GP_ROTATION_BITS) + gp_product_bytes() +
           8 * (gp_product_part_scratch(samples, columns, GP_ROTATION_BITS, most) + columns +
                samples) +
           gp_geno_stride(samples);
}

int gp_rotation_init(gp_rotation *r, int64_t samples, int64_t columns, int64_t most,
                     const uint8_t *mask, gp_err *err) {
    r->samples = samples;
    r->columns = columns;
    r->most = most;
    r->mask = gp_mem_alloc(gp_geno_stride(samples), 1, err);
    r->unit = gp_mem_alloc(columns, sizeof *r->unit, err);
    r->value = gp_mem_alloc(samples, sizeof *r->value, err);
    r->scratch = gp_mem_alloc(gp_product_part_scratch(samples, columns, GP_ROTATION_BITS, most),
                              sizeof *r->scratch, err);
    if (err->code != GP_OK ||
        gp_operand_init(&r->u, samples, columns, GP_ROTATION_BITS, err) != GP_OK ||
        (r->product = gp_product_new(&r->u, err)) == NULL)
        return err->code;
    memcpy(r->mask, mask, (size_t)gp_geno_stride(samples));
    for (int64_t k = 0; k < columns; k++)
        r->unit[k] = 1.0;
    return GP_OK;
}

void gp_rotation_free(gp_rotation *r) {
    gp_product_free(r->product);
    gp_operand_free(&r->u);
    free(r->mask);
    free(r->unit);
    free(r->value);
    free(r->scratch);
    *r = (gp_rotation){0};
}

double gp_rotation_unit(double max) {
    const double least = 0x1p-900; /* so that nothing under- or overflows */
    return max > 0.0 ? fmax(max / GP_ROTATION_MOST, least) : 1.0;
}

void gp_rotation_set(gp_rotation *r, int64_t column, const double *u) {
    double max = 0.0;
    for (int64_t i = 0; i < r->samples; i++)
        if (gp_mask_get(r->mask, i) && fabs(u[i]) > max)
            max = fabs(u[i]);
    double unit = r->unit[column] = gp_rotation_unit(max);
    for (int64_t i = 0; i < r->samples; i++)
        r->value[i] = gp_mask_get(r->mask, i) ? llrint(u[i] / unit) : 0;
    gp_operand_set_column(&r->u, column, r->value);
}

/* A block of variants that is being rotated. */
typedef struct block {
    const gp_rotation *r;
    const int64_t *count;
    const double *mean;
    double *x;
} block;

static void take(void *context, const gp_product_part *part) {
    const block *b = context;
    for (int64_t j = 0; j < part->variants; j++) {
        const int64_t *sums = part->sums + j * part->pitch;
        double *x = b->x + (part->variant + j) * b->r->columns + part->column;
        const double *unit = b->r->unit + part->column;
        /* A variant beside others with missing calls may have none, and no mean. */
        if (part->missing == NULL || b->count[4 * (part->variant + j) + 3] == 0) {
            for (int64_t k = 0; k < part->columns; k++)
                x[k] = (double)sums[k] * unit[k];
            continue;
        }
        const int64_t *missing = part->missing + j * part->pitch;
        double mean = b->mean[part->variant + j];
        for (int64_t k = 0; k < part->columns; k++)
            x[k] = ((double)sums[k] + mean * (double)missing[k]) * unit[k];
    }
}

void gp_rotate(gp_rotation *r, const gp_calls *calls, const int64_t *count, const double *mean,
               double *x) {
    block b = {r, count, mean, x};
    gp_product_taker taker = {take, &b, r->most, r->scratch};
    if (r->samples == 0)
        memset(x, 0, (size_t)(calls->m * r->columns) * sizeof *x);
    gp_product_in_parts(r->product, calls, count, &taker);
}
