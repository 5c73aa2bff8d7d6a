#include "src/geno/gram_panel.h"

#include <string.h>

#define EVEN_BITS 0x5555555555555555u

/* Copies the calls of the variants of one tile into share->packed: rows of groups * 16 bytes. */
static void gather(const gp_gram_factor *f, int64_t tile, const gp_gram_span *span,
                   gp_gram_share *share) {
    enum { AHEAD = 16 }; /* rows lie far apart: fetch some before they are needed */
    int64_t width = span->groups * GP_GENO_GROUP_BYTES;
    for (int64_t at = 0; at < span->groups;) {
        gp_span part = gp_calls_span(span->calls, span->group + at, span->groups - at);
        const uint8_t *row = part.row + span->first_variant * part.pitch;
        const int32_t *variant = f->variant[tile];
        uint8_t *to = share->packed + at * GP_GENO_GROUP_BYTES;
        for (int64_t k = 0; k < f->lines[tile]; k++, to += width) {
            int64_t next = k + AHEAD < f->lines[tile] ? k + AHEAD : k;
            __builtin_prefetch(row + variant[next] * part.pitch);
            memcpy(to, row + variant[k] * part.pitch, (size_t)(part.groups * GP_GENO_GROUP_BYTES));
        }
        at += part.groups;
    }
}

static gp_unpack packed(const gp_gram_factor *f, int64_t tile, const gp_gram_span *span,
                        const gp_gram_share *share, const uint8_t *value) {
    return (gp_unpack){.calls = share->packed,
                       .pitch = span->groups * GP_GENO_GROUP_BYTES,
                       .variants = f->lines[tile],
                       .groups = span->groups,
                       .value = value};
}

/* A left panel of a factor's variants, with these bytes for their calls. */
static void unpack_left(const gp_gram *gram, const gp_gram_factor *f,
                        const uint8_t (*value)[GP_TILE_TERMS][4], const gp_gram_span *span,
                        gp_gram_share *share, uint8_t *left) {
    for (int64_t t = 0; t < f->tiles; t++) {
        gather(f, t, span, share);
        gp_unpack in = packed(f, t, span, share, value[t][0]);
        gram->kernel->unpack_variants(&in, share->turned, 1);
        for (int64_t r = 0; r < 4 * span->groups; r++)
            gram->kernel->turn(share->turned + r * GP_TILE_BYTES,
                               left + (r * f->tiles + t) * GP_TILE_BYTES);
    }
}

void gp_gram_unpack_left(const gp_gram *gram, const gp_gram_factor *f, const gp_gram_span *span,
                         gp_gram_share *share, uint8_t *left) {
    unpack_left(gram, f, (const uint8_t(*)[GP_TILE_TERMS][4])f->left, span, share, left);
}

void gp_gram_unpack_right(const gp_gram *gram, const gp_gram_factor *f, const gp_gram_span *span,
                          gp_gram_share *share) {
    for (int64_t t = 0; t < f->tiles; t++) {
        gather(f, t, span, share);
        for (int64_t d = 0; d < f->digits; d++) {
            gp_unpack in = packed(f, t, span, share, f->right[d][t][0]);
            gram->kernel->unpack_variants(&in, share->right + (d * f->tiles + t) * GP_TILE_BYTES,
                                          f->digits * f->tiles);
        }
    }
}

static void set_digits(uint8_t *cell, int64_t value) {
    uint64_t v = (uint64_t)value;
    for (int d = 0; d < GP_GRAM_WIDE; d++, cell += 4) {
        *cell = (uint8_t)v;
        v = (v >> 8) + (v >> 7 & 1); /* a digit of 128 or more is negative, and carries */
    }
}

void gp_gram_alone_set(gp_gram *gram) {
    const gp_gram_terms *terms = gram->terms;
    const gp_gram_factor *f = &terms->calls;
    memset(gram->alone, 0, (size_t)(f->tiles * GP_TILE_BYTES));
    for (int64_t t = 0; t < f->tiles; t++)
        for (int64_t k = 0; k < f->lines[t]; k++) {
            const gp_gram_variant *v = &terms->variant[f->variant[t][k]];
            uint8_t *cell = gram->alone + t * GP_TILE_BYTES + 64 * (k / 4) + k % 4;
            set_digits(cell, -v->a);
            set_digits(cell + 4 * GP_GRAM_WIDE, v->w - v->a);
        }
}

/* Takes off B of each missing call of the samples in a tile's packed rows. */
static void take_missing(const gp_gram_terms *terms, int64_t tile, const gp_gram_span *span,
                         int64_t count, const gp_gram_share *share, int64_t *to) {
    const gp_gram_factor *f = &terms->calls;
    int64_t words = 2 * span->groups;
    for (int64_t k = 0; k < f->lines[tile]; k++) {
        uint64_t b = (uint64_t)terms->variant[f->variant[tile][k]].b;
        for (int64_t word = 0; word < words; word++) {
            uint64_t g;
            memcpy(&g, share->packed + 8 * (k * words + word), sizeof g);
            for (g &= g >> 1 & EVEN_BITS; g != 0; g &= g - 1) {
                int64_t i = 32 * word + __builtin_ctzll(g) / 2;
                if (i < count)
                    to[i] = (int64_t)((uint64_t)to[i] - b);
            }
        }
    }
}

void gp_gram_alone(const gp_gram *gram, const gp_gram_span *span, int side, int64_t count,
                   gp_gram_share *share, int64_t *to) {
    const gp_gram_factor *f = &gram->terms->calls;
    unpack_left(gram, f, (const uint8_t(*)[GP_TILE_TERMS][4])gram->terms->copies, span, share,
                share->right);
    gp_tiles product = {.left = share->right,
                        .right = gram->alone,
                        .rows = 4 * span->groups,
                        .columns = 1,
                        .terms = f->tiles,
                        .left_step = f->tiles,
                        .right_step = f->tiles,
                        .sums = share->sums};
    gram->kernel->multiply(&product);
    for (int64_t i = 0; i < count; i++) {
        const int32_t *digit = share->sums + i * GP_TILE_LINES + side * GP_GRAM_WIDE;
        uint64_t sum = 0;
        for (int d = GP_GRAM_WIDE - 1; d >= 0; d--)
            sum = 256 * sum + (uint64_t)(int64_t)digit[d];
        to[i] = (int64_t)(sum + (side == 1 ? (uint64_t)gram->terms->all : 0));
    }
    for (int64_t t = 0; side == 0 && t < f->tiles; t++) {
        gather(f, t, span, share);
        take_missing(gram->terms, t, span, count, share, to);
    }
}
