#include "src/base/split.h"
#include "src/geno/product.h"
#include "src/geno/product_parts.h"

#include <omp.h>
#include <string.h>

enum {
    STEP = GP_WIDE_ROWS * GP_TILE_LINES, /* variants */
    SHORT = 8 * STEP,                    /* a run that is worth the loading of a slice */
    CHUNK = 32 * STEP                    /* whose sums wait for the next slice of terms */
};

/* The work: every column of slices by every run of variants. */
typedef struct work {
    gp_product *product;
    const gp_calls *calls;
    const int64_t *variant; /* [variants], or NULL: the first ones */
    int64_t variants;
    gp_slices slices;
    int64_t runs;

    /* Sums as they are ... */
    gp_wide_function *sum;
    int64_t *sums; /* [variants x y->columns] */

    /* ... or in parts. */
    const gp_product_taker *taker;
    const int64_t *count;
    int64_t chunk, pitch;
} work;

static gp_slice slice_at(const work *w, int64_t across, int64_t along) {
    return gp_slices_at(w->product->y, &w->slices, along * w->slices.across + across);
}

static gp_lines lines_at(const work *w, int64_t first, int64_t end) {
    return (gp_lines){.calls = w->calls,
                      .variant = w->variant != NULL ? w->variant + first : NULL,
                      .first = first,
                      .count = gp_least(end - first, STEP)};
}

static void sum_run(const work *w, gp_share *share, int64_t across, int64_t first, int64_t end) {
    const gp_operand *y = w->product->y;
    for (int64_t k = 0; k < w->slices.along; k++) {
        gp_slice slice = slice_at(w, across, k);
        int64_t column = slice.column * GP_TILE_LINES / y->digits;
        for (int64_t j = first; j < end; j += STEP) {
            gp_lines lines = lines_at(w, j, end);
            gp_wide_sums to = {k > 0, y->columns, w->sums + j * y->columns + column};
            w->sum(w->product, share, &slice, &lines, &to);
        }
    }
}

static int any_missing(const work *w, int64_t first, int64_t count) {
    for (int64_t j = first; j < first + count; j++)
        if (w->count[4 * j + 3] > 0)
            return 1;
    return 0;
}

/* Variants [first, end), at most w->chunk where there are slices along the terms; else their sums
 * need not wait. */
static void take_chunk(const work *w, gp_share *share, int64_t across, int64_t first, int64_t end) {
    const gp_operand *y = w->product->y;
    int64_t *sums = w->taker->scratch + omp_get_thread_num() * 2 * w->chunk * w->pitch;
    for (int64_t k = 0; k < w->slices.along; k++) {
        gp_slice slice = slice_at(w, across, k);
        int64_t column = slice.column * GP_TILE_LINES / y->digits;
        for (int64_t j = first; j < end; j += STEP) {
            gp_lines lines = lines_at(w, j, end);
            int64_t *at = sums + (w->slices.along > 1 ? j - first : 0) * 2 * w->pitch;
            int missing = any_missing(w, j, lines.count);
            gp_wide_sums to = {k > 0, 2 * w->pitch, at};
            gp_wide_calls(w->product, share, &slice, &lines, &to);
            to.sums += w->pitch;
            if (missing)
                gp_wide_missing(w->product, share, &slice, &lines, &to);
            if (k + 1 < w->slices.along)
                continue;
            gp_product_part part = {.variant = j,
                                    .variants = lines.count,
                                    .column = column,
                                    .columns = gp_least(y->columns - column, w->pitch),
                                    .sums = at,
                                    .missing = missing ? to.sums : NULL,
                                    .pitch = 2 * w->pitch};
            w->taker->take(w->taker->context, &part);
        }
    }
}

static void take_run(const work *w, gp_share *share, int64_t across, int64_t first, int64_t end) {
    int64_t most = w->slices.along > 1 ? w->chunk : end - first;
    for (int64_t j = first; j < end; j += most)
        take_chunk(w, share, across, j, gp_least(end, j + most));
}

static void run(work *w) {
    enum { ITEMS = 4 /* per thread, so that all end at about the same time */ };
    int64_t threads = w->product->threads, items = threads > 1 ? ITEMS * threads : 1;
    if (w->slices.across == 0 || w->variants == 0)
        return;
    w->runs = gp_least(gp_units(items, w->slices.across), gp_units(w->variants, SHORT));
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t k = 0; k < w->slices.across * w->runs; k++) {
        gp_share *share = w->product->share + omp_get_thread_num();
        int64_t first = gp_split_begin(w->variants, STEP, w->runs, k % w->runs);
        int64_t end = gp_split_begin(w->variants, STEP, w->runs, k % w->runs + 1);
        (w->taker != NULL ? take_run : sum_run)(w, share, k / w->runs, first, end);
    }
}

void gp_product_wide(gp_product *product, const gp_calls *calls, int64_t *sums) {
    work w = {.product = product,
              .slices = product->wide,
              .calls = calls,
              .variants = calls->m,
              .sum = gp_wide_calls,
              .sums = sums};
    run(&w);
}

void gp_product_of_missing(gp_product *product, const gp_calls *calls, const int64_t *variant,
                           int64_t count, int64_t *sums) {
    work w = {.product = product,
              .slices = product->wide,
              .calls = calls,
              .variant = variant,
              .variants = count,
              .sum = gp_wide_missing,
              .sums = sums};
    if (product->y->tile_terms == 0)
        memset(sums, 0, (size_t)(count * product->y->columns) * sizeof *sums);
    run(&w);
}

/* Integers of a slice, and variants whose sums a thread keeps. */
static int64_t pitch_of(const gp_operand *y, const gp_slices *slices) {
    return slices->columns * GP_TILE_LINES / y->digits;
}

static int64_t chunk_of(const gp_slices *slices, int64_t most) {
    return slices->along > 1 ? gp_least(gp_round_up(most, STEP), CHUNK) : STEP;
}

int64_t gp_product_part_scratch(int64_t terms, int64_t columns, int bits, int64_t most) {
    gp_operand y = gp_operand_shape(terms, columns, bits);
    gp_slices slices = gp_wide_slices(&y);
    return omp_get_max_threads() * 2 * chunk_of(&slices, most) * pitch_of(&y, &slices);
}

void gp_product_in_parts(gp_product *product, const gp_calls *calls, const int64_t *count,
                         const gp_product_taker *taker) {
    work w = {.product = product,
              .slices = product->wide,
              .calls = calls,
              .variants = calls->m,
              .taker = taker,
              .count = count,
              .chunk = chunk_of(&product->wide, taker->most),
              .pitch = pitch_of(product->y, &product->wide)};
    run(&w);
}
