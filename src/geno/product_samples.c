#include "src/base/split.h"
#include "src/geno/count.h"
#include "src/geno/product.h"
#include "src/geno/product_parts.h"

#include <omp.h>
#include <string.h>

/* A panel: 64 variants by 1024 samples. */
enum { ROWS = GP_PANEL_ROWS, TERMS = GP_PANEL_TILES / ROWS, VARIANTS = ROWS * GP_TILE_LINES };

/* The work: every slice of the operand by every run of variants. */
typedef struct work {
    const gp_product *product;
    const gp_calls *calls;
    gp_slices slices;
    int64_t runs;
    int64_t *sums;
    const uint8_t *mask; /* or NULL: no counts */
    int64_t *count;      /* [calls->m x 4] */
} work;

/* Other threads may be at the same variants' sums. */
static int shares_sums(const work *w) {
    return w->product->threads > 1 && w->slices.across * w->slices.along > 1;
}

/* Counts the calls of a slice's samples, which brings them into the second cache. */
static void count(const work *w, int64_t variant, int64_t variants, const gp_slice *slice) {
    int others = shares_sums(w);
    for (int64_t j = variant; j < variant + variants; j++) {
        gp_counts counts = gp_calls_count(w->calls, j, slice->term, slice->terms, w->mask);
        for (int k = 0; k < 4; k++) {
            int64_t *to = w->count + 4 * j + k;
            if (others) {
#pragma omp atomic
                *to += counts.call[k];
            } else {
                *to += counts.call[k];
            }
        }
    }
}

/* Unpacks groups [first, first + groups) of variants [variant, variant + variants). */
static void unpack(const work *w, gp_share *share, int64_t variant, int64_t variants, int64_t first,
                   int64_t groups) {
    for (int64_t at = 0; at < groups;) {
        gp_span span = gp_calls_span(w->calls, first + at, groups - at);
        for (int64_t j = 0; j < variants; j += GP_TILE_LINES) {
            gp_unpack in = {.calls = span.row + (variant + j) * span.pitch,
                            .pitch = span.pitch,
                            .variants = variants - j < GP_TILE_LINES ? variants - j : GP_TILE_LINES,
                            .groups = span.groups,
                            .value = gp_dosage_bytes};
            w->product->kernel->unpack_samples(
                &in, share->left + (j / GP_TILE_LINES * groups + at) * GP_TILE_BYTES);
        }
        at += span.groups;
    }
}

static void multiply(const work *w, gp_share *share, const gp_slice *slice, int64_t variant,
                     int64_t variants) {
    const gp_operand *y = w->product->y;
    int64_t rows = (variants + GP_TILE_LINES - 1) / GP_TILE_LINES;
    if (w->mask != NULL && slice->column == 0)
        count(w, variant, variants, slice);
    for (int64_t at = 0; at < slice->terms; at += TERMS) {
        int64_t terms = slice->terms - at < TERMS ? slice->terms - at : TERMS;
        unpack(w, share, variant, variants, slice->term + at, terms);
        gp_panel_multiply(w->product, share, slice, rows, slice->term + at, terms);
    }
    for (int64_t j = 0; j < variants; j++)
        gp_share_join(share, y, slice, j, shares_sums(w), w->sums + (variant + j) * y->columns);
}

static void do_item(const work *w, gp_share *share, int64_t item) {
    int64_t m = w->calls->m, run = item % w->runs;
    gp_slice slice = gp_slices_at(w->product->y, &w->slices, item / w->runs);
    int64_t end = gp_split_begin(m, VARIANTS, w->runs, run + 1);
    for (int64_t j = gp_split_begin(m, VARIANTS, w->runs, run); j < end; j += VARIANTS)
        multiply(w, share, &slice, j, end - j < VARIANTS ? end - j : VARIANTS);
}

static void run(work *w) {
    enum { ITEMS = 4 /* per thread, so that all end at about the same time */ };
    const gp_operand *y = w->product->y;
    int64_t most = (w->calls->m + VARIANTS - 1) / VARIANTS, threads = w->product->threads;
    int64_t items = threads > 1 ? ITEMS * threads : 1;
    w->slices = gp_slices_of(y, TERMS, (items + most - 1) / most);
    int64_t slices = w->slices.across * w->slices.along;
    if (slices == 0)
        return;
    w->runs = (items + slices - 1) / slices;
    w->runs = w->runs < most ? w->runs : most;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t k = 0; k < slices * w->runs; k++)
        do_item(w, w->product->share + omp_get_thread_num(), k);
}

static void run_wide(gp_product *product, const work *w) {
#pragma omp parallel for schedule(static) num_threads(w->product->threads)
    for (int64_t j = 0; j < (w->mask != NULL ? w->calls->m : 0); j++) {
        gp_counts counts = gp_calls_count(w->calls, j, 0, w->product->y->tile_terms, w->mask);
        memcpy(w->count + 4 * j, counts.call, sizeof counts.call);
    }
    gp_product_wide(product, w->calls, w->sums);
}

void gp_product_and_counts(gp_product *product, const gp_calls *calls, const uint8_t *mask,
                           int64_t *sums, int64_t *count) {
    work w = {.product = product, .calls = calls, .sums = sums, .mask = mask, .count = count};
    if (product->y->tile_columns > GP_SLICE_COLUMNS && product->y->tile_terms > 0) {
        run_wide(product, &w);
        return;
    }
    memset(sums, 0, (size_t)(calls->m * product->y->columns) * sizeof *sums);
    if (mask != NULL)
        memset(count, 0, (size_t)(calls->m * 4) * sizeof *count);
    if (calls->m > 0)
        run(&w);
}

void gp_product_across_samples(gp_product *product, const gp_calls *calls, int64_t *sums) {
    gp_product_and_counts(product, calls, NULL, sums, NULL);
}
