#include "src/base/split.h"
#include "src/geno/product.h"
#include "src/geno/product_parts.h"

#include <omp.h>
#include <string.h>

/* A panel: 64 samples by 1024 variants. */
enum { TERMS = GP_PANEL_TILES / GP_PANEL_ROWS };

/* One slice of the operand; its variants are [first, first + variants). */
typedef struct work {
    const gp_product *product;
    const gp_calls *calls;
    const int64_t *missing;
    gp_slice slice;
    int64_t first, variants, samples;
    int64_t *sums;
} work;

/* Unpacks a group's calls of variants [variant, variant + variants). */
static void unpack(const work *w, gp_share *share, const gp_span *span, int64_t variant,
                   int64_t variants) {
    const gp_kernel *kernel = w->product->kernel;
    int64_t terms = (variants + GP_TILE_TERMS - 1) / GP_TILE_TERMS;
    for (int64_t t = 0; t < terms; t++) {
        int64_t j = t * GP_TILE_TERMS;
        gp_unpack in = {.calls = span->row + (variant + j) * span->pitch,
                        .pitch = span->pitch,
                        .variants = gp_least(variants - j, GP_TILE_TERMS),
                        .groups = 1,
                        .value = gp_dosage_bytes};
        kernel->unpack_variants(&in, share->right, 1);
        for (int64_t r = 0; r < GP_PANEL_ROWS; r++)
            kernel->turn(share->right + r * GP_TILE_BYTES,
                         share->left + (r * terms + t) * GP_TILE_BYTES);
    }
}

/* Adds what missing calls count. A word of a row holds 32 calls. */
static void add_missing(const work *w, const gp_span *span, int64_t *sums) {
    int64_t columns = w->product->y->columns;
    for (int64_t j = w->first; j < w->first + w->variants; j++)
        for (int half = 0; half < 2; half++) {
            uint64_t g;
            memcpy(&g, span->row + j * span->pitch + 8 * half, sizeof g);
            for (g &= g >> 1 & 0x5555555555555555u; g != 0; g &= g - 1) {
                int64_t *to = sums + (32 * half + __builtin_ctzll(g) / 2) * columns;
                for (int64_t k = 0; k < columns; k++)
                    to[k] += w->missing[j * columns + k];
            }
        }
}

static void do_group(const work *w, gp_share *share, int64_t group) {
    const gp_operand *y = w->product->y;
    const gp_slice *slice = &w->slice;
    gp_span span = gp_calls_span(w->calls, group, 1);
    for (int64_t at = 0; at < w->variants; at += TERMS * GP_TILE_TERMS) {
        int64_t variants = gp_least(w->variants - at, TERMS * GP_TILE_TERMS);
        unpack(w, share, &span, w->first + at, variants);
        gp_panel_multiply(w->product, share, slice, GP_PANEL_ROWS, slice->term + at / GP_TILE_TERMS,
                          (variants + GP_TILE_TERMS - 1) / GP_TILE_TERMS);
    }
    int64_t *sums = w->sums + group * GP_GENO_GROUP * y->columns;
    for (int64_t i = 0; i < gp_least(w->samples - group * GP_GENO_GROUP, GP_GENO_GROUP); i++)
        gp_share_join(share, y, slice, i, 0, sums + i * y->columns);
    if (w->missing != NULL && slice->column == 0)
        add_missing(w, &span, sums);
}

void gp_product_across_variants(gp_product *product, const gp_calls *calls, const int64_t *missing,
                                int64_t *sums) {
    const gp_operand *y = product->y;
    work w = {.product = product, .calls = calls, .missing = missing, .sums = sums};
    if (calls->pieces > 0)
        w.samples = calls->piece[calls->pieces - 1].first + calls->piece[calls->pieces - 1].samples;
    int64_t groups = (w.samples + GP_GENO_GROUP - 1) / GP_GENO_GROUP;
    gp_slices slices = gp_slices_of(y, TERMS, 1);
    for (int64_t k = 0; k < slices.across * slices.along; k++) {
        w.slice = gp_slices_at(y, &slices, k);
        w.first = w.slice.term * GP_TILE_TERMS;
        w.variants = gp_least(calls->m - w.first, w.slice.terms * GP_TILE_TERMS);
        if (w.variants <= 0)
            break;
            /* Four groups of 64 samples are a line of the cache in every row. */
#pragma omp parallel for schedule(dynamic, 4) num_threads(product->threads)
        for (int64_t g = 0; g < groups; g++)
            do_group(&w, product->share + omp_get_thread_num(), g);
    }
}
