#include "jobs/kinship_calls.h"
#include "io/store_ahead.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/count.h"

#include <stdlib.h>
#include <string.h>

enum { STAGE_BYTES = 16 << 20, STAGE_LEAST = 64 /* variants */ };

/* For 4 calls and a nibble of those that stay: they, side by side. */
struct gp_kinship_squeeze {
    uint8_t kept[16][256];
    uint8_t bits[16];
};

static void squeeze_init(struct gp_kinship_squeeze *s) {
    for (int mask = 0; mask < 16; mask++)
        for (int byte = 0; byte < 256; byte++) {
            int out = 0, at = 0;
            for (int i = 0; i < 4; i++)
                if (mask >> i & 1) {
                    out |= (byte >> 2 * i & 3) << at;
                    at += 2;
                }
            s->kept[mask][byte] = (uint8_t)out;
            s->bits[mask] = (uint8_t)at;
        }
}

static void need(gp_kinship_calls *calls, const gp_layout_run *run) {
    calls->class[run->class].begin = run->begin;
    calls->class[run->class].count = run->count;
}

/* Where the samples of a class lie in the store, and which of those there they are. */
static int place_class(gp_kinship_class *class, const int64_t *sample, int64_t n, gp_err *err) {
    const int64_t *mine = sample + class->begin;
    int64_t end = gp_round_up(mine[class->count - 1] + 1, GP_GENO_GROUP);
    class->first = mine[0] / GP_GENO_GROUP * GP_GENO_GROUP;
    /* Reading takes whole groups of 64, or what is left of the store. */
    class->samples = gp_least(end, n) - class->first;
    if (class->samples == class->count)
        return GP_OK;
    class->mask = gp_mem_alloc(gp_geno_stride(class->samples), 1, err);
    for (int64_t i = 0; class->mask != NULL && i < class->count; i++)
        gp_mask_set(class->mask, mine[i] - class->first);
    return err->code;
}

int gp_kinship_calls_init(gp_kinship_calls *calls, gp_store *store, const gp_layout *layout,
                          const int64_t *sample, gp_err *err) {
    gp_layout_run run;
    int64_t widest = 0;
    *calls = (gp_kinship_calls){.store = store, .classes = layout->classes};
    calls->class = gp_mem_alloc(layout->classes, sizeof *calls->class, err);
    if (calls->class == NULL)
        return err->code;
    for (int k = 0; gp_layout_row_run(layout, k, &run); k++)
        need(calls, &run);
    for (int k = 0; gp_layout_column_run(layout, k, &run); k++)
        need(calls, &run);
    for (int c = 0; c < calls->classes; c++) {
        gp_kinship_class *class = &calls->class[c];
        if (class->count == 0)
            continue;
        if (place_class(class, sample, gp_store_sample_count(store), err) != GP_OK)
            return err->code;
        class->offset = calls->pitch;
        calls->pitch += gp_geno_stride(class->count);
        int64_t stride = gp_geno_stride(class->samples);
        widest = stride > widest ? stride : widest;
    }
    int64_t least = gp_store_chunk_variants(store, err);
    for (calls->unit = GP_GRAM_STEP;
         calls->unit > STAGE_LEAST && calls->unit > least && calls->unit * widest > STAGE_BYTES;)
        calls->unit /= 2;
    calls->stage = gp_mem_alloc(calls->unit * widest, 1, err);
    calls->row = gp_mem_alloc(GP_GRAM_STEP * calls->pitch, 1, err);
    calls->squeeze = gp_mem_alloc(1, sizeof *calls->squeeze, err);
    if (calls->squeeze != NULL)
        squeeze_init(calls->squeeze);
    return err->code;
}

void gp_kinship_calls_free(gp_kinship_calls *calls) {
    for (int c = 0; calls->class != NULL && c < calls->classes; c++)
        free(calls->class[c].mask);
    free(calls->class);
    free(calls->stage);
    free(calls->row);
    free(calls->squeeze);
    *calls = (gp_kinship_calls){0};
}

int64_t gp_kinship_calls_bytes(int64_t samples) {
    int64_t block = GP_GRAM_STEP * gp_geno_stride(samples);
    return block + gp_least(block, STAGE_BYTES);
}

/* ---- leaving out the samples that are not chosen ---- */

/* The bits 0, 2, 4, 6 of a byte of a mask as a nibble. */
static unsigned nibble(unsigned byte) {
    return (byte & 1) | (byte >> 1 & 2) | (byte >> 2 & 4) | (byte >> 3 & 8);
}

/* A row in the making: whole words of 32 calls go out. */
typedef struct packed {
    uint8_t *to;
    uint64_t word;
    int bits;
} packed;

static void put(packed *p, uint64_t calls, int bits) {
    p->word |= calls << p->bits;
    if (p->bits + bits >= 64) {
        memcpy(p->to, &p->word, sizeof p->word);
        p->to += sizeof p->word;
        p->word = p->bits > 0 ? calls >> (64 - p->bits) : 0;
        p->bits -= 64;
    }
    p->bits += bits;
}

/* to [stride of the chosen] = the chosen calls of a row. */
static void pack_row(const struct gp_kinship_squeeze *s, const uint8_t *from,
                     const gp_kinship_class *class, uint8_t *to) {
    const uint64_t all = 0x5555555555555555u;
    int64_t words = gp_geno_stride(class->samples) / 8;
    packed p = {.to = to};
    uint8_t *end = to + gp_geno_stride(class->count);
    for (int64_t k = 0; k < words; k++) {
        uint64_t mask, calls;
        memcpy(&mask, class->mask + 8 * k, sizeof mask);
        memcpy(&calls, from + 8 * k, sizeof calls);
        if (mask == all) {
            put(&p, calls, 64);
            continue;
        }
        for (; mask != 0; mask >>= 8, calls >>= 8) {
            unsigned keep = nibble((unsigned)(mask & 255));
            put(&p, s->kept[keep][calls & 255], s->bits[keep]);
        }
    }
    if (p.bits > 0) {
        memcpy(p.to, &p.word, sizeof p.word);
        p.to += sizeof p.word;
    }
    memset(p.to, 0, (size_t)(end - p.to));
}

/* Moves the rows that count from the stage to the block. */
static void place_rows(gp_kinship_calls *calls, const gp_kinship_class *class, const int32_t *from,
                       int64_t count) {
    int64_t stride = gp_geno_stride(class->samples);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < count; j++) {
        uint8_t *to = calls->row + (calls->m + j) * calls->pitch + class->offset;
        const uint8_t *row = calls->stage + from[j] * stride;
        if (class->mask == NULL)
            memcpy(to, row, (size_t)stride);
        else
            pack_row(calls->squeeze, row, class, to);
    }
}

int gp_kinship_calls_read(gp_kinship_calls *calls, int64_t k, int64_t first, int64_t count,
                          const int64_t *counts, gp_err *err) {
    int32_t from[GP_GRAM_STEP];
    int64_t chosen = 0;
    for (int64_t j = 0; j < count; j++)
        if (counts[j] != 0)
            from[chosen++] = (int32_t)j;
    for (int c = 0; c < calls->classes; c++) {
        const gp_kinship_class *class = &calls->class[c];
        if (class->count == 0)
            continue;
        if (gp_store_read_genotypes(calls->store, k, first, count, class->first, class->samples,
                                    calls->stage, err) != GP_OK)
            return err->code;
        place_rows(calls, class, from, chosen);
    }
    return GP_OK;
}

gp_piece gp_kinship_calls_piece(const gp_kinship_calls *calls, int class, int64_t first) {
    const gp_kinship_class *c = &calls->class[class];
    return (gp_piece){.row = calls->row + c->offset,
                      .pitch = calls->pitch,
                      .first = first,
                      .samples = gp_round_up(c->count, GP_GENO_GROUP)};
}
