#include "src/sim/mosaic.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/geno/code.h"
#include "src/sim/genome.h"
#include "src/sim/purpose.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16, ROWS_BYTES = 8 << 20 };

#define BASES_PER_MORGAN (100 * GP_GENOME_BASES_PER_CM)

int gp_mosaic_init(gp_mosaic *mosaic, const gp_people *people, uint64_t seed, gp_err *err) {
    *mosaic = (gp_mosaic){.people = people, .seed = seed};
    int64_t stride = gp_geno_stride(people->n), words = ROWS_BYTES / (64 * stride);
    mosaic->words = words < 1 ? 1 : words > MOST_WORDS ? MOST_WORDS : words;
    if (gp_panel_init(&mosaic->panel, people->populations, seed, err) == GP_OK) {
        int64_t padded = 4 * stride, row = mosaic->words * 8;
        mosaic->copying = gp_mem_alloc(2 * people->n, sizeof *mosaic->copying, err);
        mosaic->founder = gp_mem_alloc(mosaic->panel.tree.leaves, row, err);
        mosaic->haplotype = gp_mem_alloc(2 * padded, row, err);
    }
    if (err->code != GP_OK)
        gp_mosaic_free(mosaic);
    return err->code;
}

void gp_mosaic_free(gp_mosaic *mosaic) {
    gp_panel_free(&mosaic->panel);
    free(mosaic->copying);
    free(mosaic->founder);
    free(mosaic->haplotype);
    *mosaic = (gp_mosaic){0};
}

int64_t gp_mosaic_run(const gp_mosaic *mosaic) {
    return 64 * mosaic->words;
}

void gp_mosaic_begin(gp_mosaic *mosaic, int64_t chromosome) {
    gp_panel_begin(&mosaic->panel, chromosome);
    memset(mosaic->copying, 0, (size_t)(2 * mosaic->people->n) * sizeof *mosaic->copying);
}

/* ---- one haplotype ---- */

static int64_t bases_ahead(gp_rng *rng, double per_morgan) {
    return 1 + (int64_t)(gp_rng_exponential(rng) * (BASES_PER_MORGAN / per_morgan));
}

static int32_t draw_founder(const gp_people *people, int64_t sample, gp_rng *rng) {
    const double *share = people->ancestry + sample * people->populations;
    double at = gp_rng_next(rng) * 0x1p-32;
    int64_t p = 0;
    while (p < people->populations - 1 && at >= share[p])
        at -= share[p++];
    /* The top bits choose one of the 64. */
    return (int32_t)(p * GP_PANEL_EACH + (gp_rng_next(rng) >> 26));
}

static void change_source(const gp_mosaic *mosaic, int64_t haplotype, gp_copying *now) {
    const gp_people *people = mosaic->people;
    int child = people->father[haplotype / 2] >= 0;
    gp_rng rng =
        gp_rng_stream(mosaic->seed, child ? GP_SIM_MEIOSIS : GP_SIM_COPY, (uint32_t)haplotype,
                      now->number, (uint32_t)mosaic->panel.chromosome);
    if (!child) {
        now->until += bases_ahead(&rng, GP_MOSAIC_SWITCHES);
        now->source = draw_founder(people, haplotype / 2, &rng);
    } else {
        now->until += bases_ahead(&rng, 1);
        now->source = now->number == 0 ? (int32_t)(gp_rng_next(&rng) >> 31) : 1 - now->source;
    }
    now->number++;
}

/* Row of bits that a haplotype copies from at the moment. */
static const uint64_t *source_row(const gp_mosaic *mosaic, int64_t haplotype, int32_t source) {
    int64_t sample = haplotype / 2;
    int64_t parent =
        haplotype % 2 == 0 ? mosaic->people->father[sample] : mosaic->people->mother[sample];
    return parent < 0 ? mosaic->founder + source * mosaic->words
                      : mosaic->haplotype + (2 * parent + source) * mosaic->words;
}

static void copy_bits(const uint64_t *from, uint64_t *to, int64_t begin, int64_t end) {
    for (int64_t w = begin / 64; w * 64 < end; w++) {
        uint64_t bits = ~(uint64_t)0;
        if (begin > w * 64)
            bits &= bits << (begin - w * 64);
        if (end < w * 64 + 64)
            bits &= ((uint64_t)1 << (end - w * 64)) - 1;
        to[w] |= from[w] & bits;
    }
}

static void copy_haplotype(gp_mosaic *mosaic, int64_t haplotype, const int64_t *position,
                           int64_t count) {
    gp_copying *now = mosaic->copying + haplotype;
    uint64_t *to = mosaic->haplotype + haplotype * mosaic->words;
    memset(to, 0, (size_t)mosaic->words * sizeof *to);
    for (int64_t begin = 0; begin < count;) {
        while (now->until <= position[begin])
            change_source(mosaic, haplotype, now);
        int64_t end = begin + 1, after = count; /* the first variant at or beyond now->until */
        while (end < after) {
            int64_t middle = (end + after) / 2;
            if (position[middle] < now->until)
                end = middle + 1;
            else
                after = middle;
        }
        copy_bits(source_row(mosaic, haplotype, now->source), to, begin, end);
        begin = end;
    }
}

/* ---- rows ---- */

/* Transposes 64 x 64 bits: bit j of x[i] becomes bit i of x[j]. Source: Warren, Hacker's Delight,
 * section 7-3. */
static void transpose(uint64_t x[64]) {
    uint64_t mask = 0x00000000FFFFFFFFu;
    for (int width = 32; width > 0; width >>= 1, mask ^= mask << width)
        for (int k = 0; k < 64; k = ((k | width) + 1) & ~width) {
            uint64_t swap = (x[k] >> width ^ x[k | width]) & mask;
            x[k] ^= swap << width;
            x[k | width] ^= swap;
        }
}

/* Puts a zero above each of 32 bits. */
static uint64_t spread(uint64_t x) {
    x = (x | x << 16) & 0x0000FFFF0000FFFFu;
    x = (x | x << 8) & 0x00FF00FF00FF00FFu;
    x = (x | x << 4) & 0x0F0F0F0F0F0F0F0Fu;
    x = (x | x << 2) & 0x3333333333333333u;
    return (x | x << 1) & 0x5555555555555555u;
}

/* One group of 64 samples, 64 variants from variant 64 * word on. */
static void make_calls(const gp_mosaic *mosaic, int64_t group, int64_t word, int64_t count,
                       uint8_t *rows) {
    int64_t stride = gp_geno_stride(mosaic->people->n);
    const uint64_t *from = mosaic->haplotype + 2 * group * GP_GENO_GROUP * mosaic->words + word;
    uint64_t his[64], hers[64];
    for (int64_t s = 0; s < 64; s++) {
        his[s] = from[2 * s * mosaic->words];
        hers[s] = from[(2 * s + 1) * mosaic->words];
    }
    transpose(his);
    transpose(hers);
    for (int64_t v = 64 * word; v < count && v < 64 * word + 64; v++) {
        uint64_t a = his[v % 64], b = hers[v % 64], one = a ^ b, two = a & b;
        uint64_t calls[2] = {spread(one & 0xFFFFFFFFu) | spread(two & 0xFFFFFFFFu) << 1,
                             spread(one >> 32) | spread(two >> 32) << 1};
        memcpy(rows + v * stride + group * GP_GENO_GROUP_BYTES, calls, sizeof calls);
    }
}

void gp_mosaic_next(gp_mosaic *mosaic, const int64_t *position, int64_t count, uint8_t *rows) {
    const gp_people *people = mosaic->people;
    int64_t adults = people->n - people->children;
    int64_t groups = gp_geno_stride(people->n) / GP_GENO_GROUP_BYTES;
    gp_panel_next(&mosaic->panel, position, count, mosaic->founder, mosaic->words);
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (int64_t h = 0; h < 2 * adults; h++)
            copy_haplotype(mosaic, h, position, count);
            /* The barrier between: children copy their parents. */
#pragma omp for schedule(static)
        for (int64_t h = 2 * adults; h < 2 * people->n; h++)
            copy_haplotype(mosaic, h, position, count);
#pragma omp for schedule(static)
        for (int64_t g = 0; g < groups; g++)
            for (int64_t w = 0; 64 * w < count; w++)
                make_calls(mosaic, g, w, count, rows);
    }
}

/* ---- missing calls ---- */

static void lose_calls(uint8_t *row, int64_t n, double rate, gp_rng *rng) {
    /* Gaps between lost calls are geometric: one logarithm a lost call, none for the others. */
    double scale = 1 / gp_log1p(-rate);
    for (int64_t i = -1;;) {
        double gap = 1 - gp_rng_exponential(rng) * scale;
        if (!(gap < (double)(n - i)))
            return;
        i += (int64_t)gap;
        gp_geno_set(row, i, GP_GENO_MISSING);
    }
}

void gp_mosaic_lose(const gp_mosaic *mosaic, double mean_rate, int64_t first, int64_t count,
                    uint8_t *rows) {
    int64_t n = mosaic->people->n, stride = gp_geno_stride(n);
#pragma omp parallel for schedule(static)
    for (int64_t v = 0; v < count; v++) {
        gp_rng rng = gp_rng_stream(mosaic->seed, GP_SIM_MISSING, (uint32_t)(first + v), 0,
                                   (uint32_t)mosaic->panel.chromosome);
        double rate = 2 * mean_rate * gp_rng_exponential(&rng);
        if (gp_rng_next(&rng) >> 31 && rate > 1e-12)
            lose_calls(rows + v * stride, n, rate < 0.5 ? rate : 0.5, &rng);
    }
}
