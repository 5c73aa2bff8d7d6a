#include "src/assoc/logit_inside.h"
#include "src/base/split.h"
#include "src/geno/count.h"

#include <string.h>

int64_t gp_logit_score_width(const gp_logit *model) {
    return gp_logit_block_of(model, 1).end;
}

int64_t gp_logit_score_widest(int64_t c) {
    return gp_moments_width(c, 2, 1) + c + 10;
}

/* ---- sums of w over calls of two copies ---- */

/* Calls of two copies become calls of one, all others of none. */
static void leave_two(const uint8_t *from, int64_t bytes, uint8_t *to) {
    for (int64_t at = 0; at < bytes; at += (int64_t)sizeof(uint64_t)) {
        uint64_t calls;
        memcpy(&calls, from + at, sizeof calls);
        calls = calls >> 1 & ~calls & 0x5555555555555555u;
        memcpy(to + at, &calls, sizeof calls);
    }
}

/* Variants [first, first + count) of a block, and where their sums go. */
typedef struct chunk {
    const gp_calls *calls;
    int64_t first, count;
    const int64_t *call; /* [count x 4] */
    int64_t *missing, *two, *cases;
} chunk;

/* Also counts calls among cases, while these are near. */
static void add_two(gp_logit *model, const chunk *at) {
    const gp_calls *calls = at->calls;
    int64_t samples = model->rows->samples, stride = gp_geno_stride(samples);
    gp_piece piece = {.row = model->two, .pitch = stride, .samples = samples};
    gp_calls turned = {.m = at->count, .pieces = 1, .piece = &piece};
#pragma omp parallel for schedule(static) num_threads(model->threads)
    for (int64_t j = 0; j < at->count; j++) {
        for (int64_t p = 0; p < calls->pieces; p++) {
            const gp_piece *from = calls->piece + p;
            leave_two(from->row + (at->first + j) * from->pitch, gp_geno_stride(from->samples),
                      model->two + j * stride + from->first / 4);
        }
        gp_counts counts =
            gp_calls_count(calls, at->first + j, 0, model->rows->groups, model->cases);
        memcpy(at->cases + 4 * j, counts.call, sizeof counts.call);
    }
    gp_product_across_samples(model->product_of_two, &turned, at->two);
}

/* ---- sums over missing calls, where these are the mean ---- */

/* Sums of variants with missing calls are made side by side, and then moved to their places, from
 * the last one on. */
static void add_missing(gp_logit *model, const chunk *at) {
    int64_t width = model->c + 1, found = 0, *list = model->list, *sums = at->missing;
    size_t bytes = (size_t)width * sizeof *sums;
    for (int64_t j = 0; j < at->count; j++)
        if (at->call[4 * j + GP_GENO_MISSING] > 0)
            list[found++] = at->first + j;
    if (found > 0)
        gp_product_of_missing(model->product, at->calls, list, found, sums);
    for (int64_t j = at->count; j-- > 0;) {
        if (found > 0 && list[found - 1] == at->first + j)
            memmove(sums + j * width, sums + --found * width, bytes);
        else
            memset(sums + j * width, 0, bytes);
    }
}

/* ---- a block ---- */

void gp_logit_score_sums(gp_logit *model, const gp_calls *calls, int64_t *sums) {
    int64_t m = calls->m;
    gp_logit_block b = gp_logit_block_of(model, m);
    int64_t *call = sums + b.calls, *missing = sums + b.missing;
    gp_product_and_counts(model->product, calls, model->rows->mask, sums + b.weighted, call);
    if (model->exact) {
        memset(missing, 0, (size_t)(m * b.missing_width) * sizeof *missing);
        gp_moments_add(&model->moments, calls, model->rows->mask, call, missing);
    }
    for (int64_t j = 0; j < m; j += model->chunk) {
        chunk at = {.calls = calls,
                    .first = j,
                    .count = gp_least(model->chunk, m - j),
                    .call = call + 4 * j,
                    .missing = missing + j * b.missing_width,
                    .two = sums + b.two + j,
                    .cases = sums + b.cases + 4 * j};
        add_two(model, &at);
        if (!model->exact)
            add_missing(model, &at);
    }
}
