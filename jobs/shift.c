#include "jobs/shift.h"
#include "src/assoc/design.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>

/* Room for all; the most columns that a trait has. */
static int64_t make_room(gp_shift *shift, int64_t traits, gp_offset *const *offset, gp_err *err) {
    int64_t most = 0;
    shift->at = -1;
    shift->fresh = gp_mem_alloc(traits, sizeof *shift->fresh, err);
    shift->trait = gp_mem_alloc(traits, sizeof *shift->trait, err);
    shift->traits = shift->trait != NULL ? traits : 0;
    for (int64_t t = 0; t < traits && err->code == GP_OK; t++) {
        gp_shifted *shifted = &shift->trait[t];
        if (offset[t] == NULL)
            continue;
        shifted->of = offset[t]->of;
        shifted->column = gp_mem_alloc(offset[t]->count, sizeof *shifted->column, err);
        shifted->count = shifted->column != NULL ? offset[t]->count : 0;
        most = gp_most(most, shifted->count);
    }
    return most;
}

/* One column; y [n] is scratch. The offset is freed. */
static int make_column(const gp_linear_input *in, const double *value, double **offset, double *y,
                       gp_linear_column *to, gp_err *err) {
    for (int64_t i = 0; i < in->n; i++)
        y[i] = value[in->sample[i]] - (*offset)[in->sample[i]];
    free(*offset);
    *offset = NULL;
    double length = gp_design_residual(in->basis, in->n, in->covariates, y);
    return gp_linear_column_init(to, in, y, length, err);
}

int gp_shift_init(gp_shift *shift, const gp_linear_input *in, const double *const *value,
                  gp_offset *const *offset, gp_err *err) {
    int64_t most = make_room(shift, in->traits, offset, err);
    if (err->code != GP_OK)
        return err->code;
#pragma omp parallel
    {
        gp_err mine = {0};
        double *y = gp_mem_alloc(in->n, sizeof *y, &mine);
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < in->traits * most; i++) {
            int64_t t = i / most, k = i % most;
            gp_shifted *shifted = &shift->trait[t];
            if (mine.code == GP_OK && k < shifted->count && offset[t]->value[k] != NULL)
                make_column(in, value[t], &offset[t]->value[k], y, &shifted->column[k], &mine);
        }
        free(y);
        if (mine.code != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return err->code;
}

void gp_shift_free(gp_shift *shift) {
    for (int64_t t = 0; t < shift->traits; t++) {
        for (int64_t k = 0; k < shift->trait[t].count; k++)
            gp_linear_column_free(&shift->trait[t].column[k]);
        free(shift->trait[t].column);
    }
    free(shift->trait);
    free(shift->fresh);
    *shift = (gp_shift){0};
}

void gp_shift_to(gp_shift *shift, gp_linear *model, int64_t chromosome) {
    int64_t changes = 0, before = shift->at;
    if (shift->traits == 0 || before == chromosome)
        return;
    for (int64_t t = 0; t < shift->traits; t++) {
        const gp_shifted *shifted = &shift->trait[t];
        int stays =
            shifted->count == 0 || (before >= 0 && shifted->of[before] == shifted->of[chromosome]);
        shift->fresh[t] = stays ? NULL : &shifted->column[shifted->of[chromosome]];
        changes += !stays;
    }
    if (changes > 0)
        gp_linear_exchange(model, shift->fresh);
    shift->at = chromosome;
}

int64_t gp_shift_bytes(const gp_shift *shift, int64_t samples) {
    int64_t columns = 0;
    for (int64_t t = 0; t < shift->traits; t++)
        for (int64_t k = 0; k < shift->trait[t].count; k++)
            columns += shift->trait[t].column[k].value != NULL;
    return columns * gp_linear_column_bytes(samples);
}
