#include "src/assoc/row_sums.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/pca/subspace.h"

#include <stdlib.h>
#include <string.h>

int gp_row_sums_init(gp_row_sums *s, int64_t cells, gp_err *err) {
    s->blocks = gp_units(s->n, GP_SUBSPACE_ROWS);
    s->from = gp_units(s->first, GP_SUBSPACE_ROWS);
    s->to = s->from + gp_units(s->rows, GP_SUBSPACE_ROWS);
    s->cells = cells;
    s->part = gp_mem_alloc(s->blocks, cells * (int64_t)sizeof *s->part, err);
    return err->code;
}

void gp_row_sums_free(gp_row_sums *s) {
    free(s->part);
    s->part = NULL;
}

int64_t gp_row_sums_bytes(int64_t n, int64_t cells) {
    return 8 * gp_units(n, GP_SUBSPACE_ROWS) * cells;
}

void gp_row_sums_begin(gp_row_sums *s, int64_t cells) {
    s->cells = cells;
    memset(s->part, 0, (size_t)(s->blocks * cells) * sizeof *s->part);
}

void gp_row_sums_set(gp_row_sums *s, int64_t block, int64_t cell, double sum) {
    memcpy(s->part + block * s->cells + cell, &sum, sizeof sum);
}

int64_t gp_row_sums_at(const gp_row_sums *s, int64_t block, int64_t *count) {
    int64_t at = block * GP_SUBSPACE_ROWS - s->first;
    *count = gp_least(s->rows - at, GP_SUBSPACE_ROWS);
    return at;
}

int gp_row_sums_add(gp_row_sums *s, double *total, gp_err *err) {
    int64_t count = s->blocks * s->cells;
    if (s->add != NULL && s->add(s->context, s->part, count, err) != GP_OK)
        return err->code;
    memset(total, 0, (size_t)s->cells * sizeof *total);
    for (int64_t k = 0; k < s->blocks; k++)
        for (int64_t i = 0; i < s->cells; i++) {
            double part;
            memcpy(&part, s->part + k * s->cells + i, sizeof part);
            total[i] += part;
        }
    return GP_OK;
}
