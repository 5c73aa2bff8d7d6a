#include "src/geno/product.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/product_parts.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define FOUR(x) x, x, x, x
#define DOSAGE 0, 1, 2, 0
#define MISSING 0, 0, 0, 1
_Alignas(16) const uint8_t gp_dosage_bytes[4 * GP_TILE_TERMS] = {FOUR(FOUR(FOUR(DOSAGE)))};
_Alignas(16) const uint8_t gp_missing_bytes[4 * GP_TILE_TERMS] = {FOUR(FOUR(FOUR(MISSING)))};

gp_product *gp_product_new(const gp_operand *y, gp_err *err) {
    int threads = omp_get_max_threads();
    gp_share *share = gp_mem_alloc(threads, sizeof *share, err);
    gp_product *product = gp_mem_alloc(1, sizeof *product, err);
    if (share == NULL || product == NULL) {
        free(share);
        free(product);
        return NULL;
    }
    const gp_kernel *kernel = gp_kernel_chosen();
    *product =
        (gp_product){y, kernel, gp_digits_join_for(kernel), gp_wide_slices(y), threads, share};
    return product;
}

void gp_product_free(gp_product *product) {
    if (product == NULL)
        return;
    free(product->share);
    free(product);
}

int64_t gp_product_bytes(void) {
    return omp_get_max_threads() * (int64_t)sizeof(gp_share);
}

gp_slices gp_slices_of(const gp_operand *y, int64_t panel, int64_t least) {
    gp_slices s = {.columns = y->tile_columns, .across = 1};
    if (s.columns > GP_SLICE_COLUMNS) {
        s.across = gp_units(s.columns, GP_SLICE_COLUMNS);
        s.columns = gp_units(s.columns, s.across);
    }
    int64_t most = GP_SLICE_BYTES / GP_TILE_BYTES / (s.columns > 0 ? s.columns : 1);
    int64_t panels = gp_units(y->tile_terms, panel);
    s.along = gp_units(y->tile_terms, most > panel ? most / panel * panel : panel);
    if (s.along < least)
        s.along = least;
    if (s.along > panels)
        s.along = panels;
    s.terms = s.along > 0 ? gp_units(panels, s.along) * panel : panel;
    s.along = gp_units(y->tile_terms, s.terms);
    return s;
}

gp_slice gp_slices_at(const gp_operand *y, const gp_slices *slices, int64_t k) {
    gp_slice s = {.column = k % slices->across * slices->columns,
                  .columns = slices->columns,
                  .term = k / slices->across * slices->terms,
                  .terms = slices->terms};
    if (s.columns > y->tile_columns - s.column)
        s.columns = y->tile_columns - s.column;
    if (s.terms > y->tile_terms - s.term)
        s.terms = y->tile_terms - s.term;
    return s;
}

void gp_panel_multiply(const gp_product *product, gp_share *share, const gp_slice *slice,
                       int64_t rows, int64_t term, int64_t terms) {
    const gp_operand *y = product->y;
    gp_tiles tiles = {.left = share->left,
                      .right = y->tile + (slice->column * y->tile_terms + term) * GP_TILE_BYTES,
                      .rows = rows,
                      .columns = slice->columns,
                      .terms = terms,
                      .left_step = terms,
                      .right_step = y->tile_terms,
                      .sums = share->sums,
                      .add = term > slice->term};
    product->kernel->multiply(&tiles);
}

void gp_share_join(const gp_share *share, const gp_operand *y, const gp_slice *slice, int64_t line,
                   int others, int64_t *to) {
    int32_t digit[GP_SLICE_COLUMNS * GP_TILE_LINES];
    const int32_t *from = share->sums + line / GP_TILE_LINES * slice->columns * GP_TILE_SUMS +
                          line % GP_TILE_LINES * GP_TILE_LINES;
    for (int64_t c = 0; c < slice->columns; c++)
        memcpy(digit + c * GP_TILE_LINES, from + c * GP_TILE_SUMS, GP_TILE_LINES * sizeof *digit);
    int64_t first = slice->column * GP_TILE_LINES, count = y->columns * y->digits - first;
    if (count > slice->columns * GP_TILE_LINES)
        count = slice->columns * GP_TILE_LINES;
    uint64_t *cell = (uint64_t *)to + first / y->digits;
    int64_t d = first % y->digits;
    for (int64_t at = 0; at < count; cell++) {
        int64_t end = at + y->digits - d < count ? at + y->digits - d : count;
        /* Unsigned: a slice may hold but some digits of a column, whose sums alone may wrap. */
        uint64_t sum = 0;
        for (; at < end; at++, d++)
            sum += (uint64_t)(int64_t)digit[at] << (8 * d);
        d = 0;
        if (others) {
#pragma omp atomic
            *cell += sum;
        } else {
            *cell += sum;
        }
    }
}
