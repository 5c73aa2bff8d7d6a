#include "src/geno/ld.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/count.h"
#include "src/geno/kernel.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define EVEN_BITS 0x5555555555555555u

enum {
    STEP = 32, /* groups of 64 samples multiplied at a time */
    STEP_BYTES = STEP * GP_GENO_GROUP_BYTES,
    PART = 16,                       /* tiles of j, and of k, that are multiplied at a time */
    ROW_BYTES = STEP * GP_TILE_BYTES /* of a panel: 16 variants */
};

/* What stands for calls 0, 1, 2 and missing. */
enum { DOSAGE, CALLED, TWO, SQUARE, TABLES };
static const uint8_t value[TABLES][4] = {{0, 1, 2, 0}, {1, 1, 1, 0}, {0, 0, 1, 0}, {0, 1, 4, 0}};

/* Left bytes are at most 2, so j's squares are made of g^2 = g + 2 [g = 2]. */
enum { AB, N, A, B, TWOS, BB, PRODUCTS };
enum { KINDS = 3 };
static const int left_table[KINDS] = {DOSAGE, CALLED, TWO};
static const int right_table[KINDS] = {DOSAGE, CALLED, SQUARE};
static const int left_kind[PRODUCTS] = {0, 1, 0, 1, 2, 1};
static const int right_kind[PRODUCTS] = {0, 1, 1, 0, 1, 2};

/* A thread's scratch. */
typedef struct share {
    _Alignas(64) uint8_t packed[GP_TILE_LINES * STEP_BYTES];
    _Alignas(64) uint8_t unpacked[ROW_BYTES];
} share;

/* One block's variants. */
typedef struct side {
    int64_t most, m;
    int64_t *called, *sum, *squares; /* [most] of each variant alone */
    uint8_t *panel[KINDS];           /* [tiles of variants][STEP] */
} side;

struct gp_ld {
    const gp_kernel *kernel;
    int threads;
    int products; /* 1, or PRODUCTS */
    side j, k;
    int32_t *sums[PRODUCTS]; /* sum tiles: [tiles of j][PART] for each PART tiles of k */
    share **shares;          /* [threads] */
};

static int64_t tiles(int64_t variants) {
    return (variants + GP_TILE_LINES - 1) / GP_TILE_LINES;
}

/* Where the sums of a tile of j and one of k are. */
static int64_t sum_tile(const gp_ld *ld, int64_t row, int64_t column) {
    int64_t first = column / PART * PART;
    return first * tiles(ld->j.m) + row * gp_least(PART, tiles(ld->k.m) - first) + column - first;
}

static void side_init(side *s, int64_t most, gp_err *err) {
    s->most = most;
    s->called = gp_mem_alloc(most, sizeof *s->called, err);
    s->sum = gp_mem_alloc(most, sizeof *s->sum, err);
    s->squares = gp_mem_alloc(most, sizeof *s->squares, err);
    for (int kind = 0; kind < KINDS; kind++)
        s->panel[kind] = gp_mem_alloc(tiles(most), ROW_BYTES, err);
}

static void side_free(side *s) {
    for (int kind = 0; kind < KINDS; kind++)
        free(s->panel[kind]);
    free(s->squares);
    free(s->sum);
    free(s->called);
}

gp_ld *gp_ld_new(int64_t j, int64_t k, gp_err *err) {
    gp_ld *ld = gp_mem_alloc(1, sizeof *ld, err);
    if (ld == NULL)
        return NULL;
    ld->kernel = gp_kernel_chosen();
    side_init(&ld->j, j, err);
    side_init(&ld->k, k, err);
    for (int p = 0; p < PRODUCTS; p++)
        ld->sums[p] = gp_mem_alloc(tiles(j) * tiles(k), GP_TILE_SUMS * sizeof(int32_t), err);
    int threads = omp_get_max_threads();
    ld->shares = gp_mem_alloc(threads, sizeof *ld->shares, err);
    for (int t = 0; err->code == GP_OK && t < threads; ld->threads = ++t)
        ld->shares[t] = gp_mem_alloc(1, sizeof *ld->shares[t], err);
    if (err->code != GP_OK) {
        gp_ld_free(ld);
        return NULL;
    }
    return ld;
}

void gp_ld_free(gp_ld *ld) {
    if (ld == NULL)
        return;
    for (int t = 0; t < ld->threads; t++)
        free(ld->shares[t]);
    free(ld->shares);
    for (int p = 0; p < PRODUCTS; p++)
        free(ld->sums[p]);
    side_free(&ld->j);
    side_free(&ld->k);
    free(ld);
}

static int64_t samples_of(const gp_calls *calls) {
    if (calls->pieces == 0)
        return 0;
    const gp_piece *last = calls->piece + calls->pieces - 1;
    return last->first + last->samples;
}

/* Adds counts of low, high and both bits of a variant's calls. */
static void count_variant(const gp_ld *ld, const gp_calls *calls, int64_t variant,
                          const uint8_t *mask, int64_t count[4]) {
    uint8_t everybody[1024];
    memset(everybody, 0x55, sizeof everybody);
    for (int64_t p = 0; p < calls->pieces; p++) {
        const gp_piece *piece = calls->piece + p;
        const uint8_t *row = piece->row + variant * piece->pitch;
        int64_t bytes = gp_geno_stride(piece->samples);
        for (int64_t at = 0; at < bytes; at += (int64_t)sizeof everybody) {
            int64_t part = gp_least((int64_t)sizeof everybody, bytes - at);
            ld->kernel->count(row + at, mask ? mask + piece->first / 4 + at : everybody, part,
                              count);
        }
    }
}

/* Sums of each variant of a side alone; returns how many calls are missing. */
static int64_t count_side(const gp_ld *ld, side *s, const gp_calls *calls, const uint8_t *mask,
                          int64_t samples) {
    int64_t missing = 0;
    s->m = calls->m;
#pragma omp parallel for schedule(static) num_threads(ld->threads) reduction(+ : missing)
    for (int64_t v = 0; v < calls->m; v++) {
        int64_t count[4] = {0};
        count_variant(ld, calls, v, mask, count);
        int64_t one = count[1] - count[3], two = count[2] - count[3];
        s->called[v] = samples - count[3];
        s->sum[v] = one + 2 * two;
        s->squares[v] = one + 4 * two;
        missing += count[3];
    }
    return missing;
}

/* A step: groups [group, group + groups) of all variants. */
typedef struct step {
    gp_ld *ld;
    const uint8_t *mask;
    int64_t samples; /* of the run */
    int64_t group, groups;
} step;

/* Samples that do not count, and the padding after the last, become missing calls. */
static void leave_out(const step *st, uint8_t *row) {
    for (int64_t k = 0; k < 2 * st->groups; k++) {
        uint64_t g, counts = EVEN_BITS;
        int64_t at = 8 * k, first = GP_GENO_GROUP * st->group + 32 * k;
        if (st->mask != NULL)
            memcpy(&counts, st->mask + first / 4, sizeof counts);
        else if (st->samples - first < 32)
            counts = st->samples <= first ? 0 : EVEN_BITS >> (64 - 2 * (st->samples - first));
        uint64_t out = ~counts & EVEN_BITS;
        memcpy(&g, row + at, sizeof g);
        g |= out | out << 1;
        memcpy(row + at, &g, sizeof g);
    }
}

/* Copies the step's calls of up to 16 variants from `first` on to rows of STEP_BYTES. */
static int64_t gather(const step *st, const gp_calls *calls, int64_t first, uint8_t *packed) {
    int64_t variants = gp_least(GP_TILE_LINES, calls->m - first);
    for (int64_t at = 0; at < st->groups;) {
        gp_span part = gp_calls_span(calls, st->group + at, st->groups - at);
        for (int64_t v = 0; v < variants; v++)
            memcpy(packed + v * STEP_BYTES + at * GP_GENO_GROUP_BYTES,
                   part.row + (first + v) * part.pitch,
                   (size_t)(part.groups * GP_GENO_GROUP_BYTES));
        at += part.groups;
    }
    if (st->mask != NULL || st->samples < GP_GENO_GROUP * (st->group + st->groups))
        for (int64_t v = 0; v < variants; v++)
            leave_out(st, packed + v * STEP_BYTES);
    return variants;
}

static void unpack(const step *st, share *mine, int64_t variants, int table, uint8_t *tile) {
    _Alignas(16) uint8_t four[GP_TILE_TERMS * 4];
    for (int v = 0; v < GP_TILE_TERMS; v++)
        memcpy(four + 4 * v, value[table], 4);
    gp_unpack in = {.calls = mine->packed,
                    .pitch = STEP_BYTES,
                    .variants = variants,
                    .groups = st->groups,
                    .value = four};
    st->ld->kernel->unpack_samples(&in, tile);
}

static void unpack_j(const step *st, share *mine, const gp_calls *calls, int64_t row) {
    int kinds = st->ld->products == 1 ? 1 : KINDS;
    int64_t variants = gather(st, calls, row * GP_TILE_LINES, mine->packed);
    for (int kind = 0; kind < kinds; kind++)
        unpack(st, mine, variants, left_table[kind], st->ld->j.panel[kind] + row * ROW_BYTES);
}

static void unpack_k(const step *st, share *mine, const gp_calls *calls, int64_t column) {
    int kinds = st->ld->products == 1 ? 1 : KINDS;
    int64_t variants = gather(st, calls, column * GP_TILE_LINES, mine->packed);
    for (int kind = 0; kind < kinds; kind++) {
        uint8_t *panel = st->ld->k.panel[kind] + column * ROW_BYTES;
        unpack(st, mine, variants, right_table[kind], mine->unpacked);
        for (int64_t g = 0; g < st->groups; g++)
            st->ld->kernel->turn(mine->unpacked + g * GP_TILE_BYTES, panel + g * GP_TILE_BYTES);
    }
}

/* Part of the tiles of j by part of those of k. A term is at most 4 here, so that the sums of
 * GP_LD_MOST_SAMPLES stay within 2^30. */
static void multiply(const step *st, int64_t row, int64_t column, int product) {
    gp_ld *ld = st->ld;
    gp_tiles p = {.left = ld->j.panel[left_kind[product]] + row * ROW_BYTES,
                  .right = ld->k.panel[right_kind[product]] + column * ROW_BYTES,
                  .rows = gp_least(PART, tiles(ld->j.m) - row),
                  .columns = gp_least(PART, tiles(ld->k.m) - column),
                  .terms = st->groups,
                  .left_step = STEP,
                  .right_step = STEP,
                  .sums = ld->sums[product] + sum_tile(ld, row, column) * GP_TILE_SUMS,
                  .add = 1};
    ld->kernel->multiply(&p);
}

static void do_step(const step *st, const gp_calls *j, const gp_calls *k) {
    gp_ld *ld = st->ld;
    int64_t rows = tiles(j->m), columns = tiles(k->m);
    int64_t down = (rows + PART - 1) / PART, across = (columns + PART - 1) / PART;
#pragma omp parallel num_threads(ld->threads)
    {
        share *mine = ld->shares[omp_get_thread_num()];
#pragma omp for schedule(static) nowait
        for (int64_t r = 0; r < rows; r++)
            unpack_j(st, mine, j, r);
#pragma omp for schedule(static)
        for (int64_t c = 0; c < columns; c++)
            unpack_k(st, mine, k, c);
#pragma omp for schedule(dynamic)
        for (int64_t w = 0; w < across * down * ld->products; w++)
            multiply(st, w % down * PART, w / down % across * PART, (int)(w / down / across));
    }
}

static int check(const gp_ld *ld, const gp_calls *j, const gp_calls *k, gp_err *err) {
    int64_t samples = samples_of(j);
    if (j->m > ld->j.most || k->m > ld->k.most || samples > GP_LD_MOST_SAMPLES)
        return gp_err_set(
            err, GP_EINPUT,
            "linkage disequilibrium: %lld by %lld variants of %lld samples do not fit; "
            "there is room for %lld by %lld of %lld",
            (long long)j->m, (long long)k->m, (long long)samples, (long long)ld->j.most,
            (long long)ld->k.most, (long long)GP_LD_MOST_SAMPLES);
    if (samples != samples_of(k))
        return gp_err_set(err, GP_EINPUT,
                          "linkage disequilibrium: blocks of %lld and of %lld samples; both must "
                          "have the same",
                          (long long)samples, (long long)samples_of(k));
    return GP_OK;
}

int gp_ld_set(gp_ld *ld, const gp_calls *j, const gp_calls *k, const uint8_t *mask, gp_err *err) {
    ld->j.m = ld->k.m = 0;
    if (check(ld, j, k, err) != GP_OK)
        return err->code;
    int64_t samples = samples_of(j), groups = gp_geno_stride(samples) / GP_GENO_GROUP_BYTES;
    int64_t counting = mask == NULL ? samples : gp_mask_count(mask, gp_geno_stride(samples));
    int64_t missing = count_side(ld, &ld->j, j, mask, counting);
    missing += count_side(ld, &ld->k, k, mask, counting);
    ld->products = missing == 0 ? 1 : PRODUCTS;
    for (int p = 0; p < ld->products; p++)
        memset(ld->sums[p], 0,
               (size_t)(tiles(j->m) * tiles(k->m) * GP_TILE_SUMS) * sizeof *ld->sums[p]);
    if (j->m == 0 || k->m == 0)
        return GP_OK;
    for (int64_t g = 0; g < groups; g += STEP) {
        step st = {ld, mask, samples, g, gp_least(STEP, groups - g)};
        do_step(&st, j, k);
    }
    return GP_OK;
}

gp_ld_sums gp_ld_get(const gp_ld *ld, int64_t j, int64_t k) {
    int64_t tile = sum_tile(ld, j / GP_TILE_LINES, k / GP_TILE_LINES);
    int64_t at = tile * GP_TILE_SUMS + j % GP_TILE_LINES * GP_TILE_LINES + k % GP_TILE_LINES;
    if (ld->products == 1)
        return (gp_ld_sums){ld->j.called[j],  ld->j.sum[j],     ld->k.sum[k],
                            ld->j.squares[j], ld->k.squares[k], ld->sums[AB][at]};
    int64_t a = ld->sums[A][at];
    return (gp_ld_sums){ld->sums[N][at],  a,
                        ld->sums[B][at],  a + 2 * (int64_t)ld->sums[TWOS][at],
                        ld->sums[BB][at], ld->sums[AB][at]};
}

double gp_ld_correlation(const gp_ld_sums *s) {
    int64_t a = s->n * s->aa - s->a * s->a, b = s->n * s->bb - s->b * s->b;
    if (a == 0 || b == 0)
        return NAN;
    double r = (double)(s->n * s->ab - s->a * s->b) / sqrt((double)a * (double)b);
    return r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

void gp_ld_correlations(const gp_ld *ld, double *r) {
#pragma omp parallel for schedule(static) num_threads(ld->threads)
    for (int64_t j = 0; j < ld->j.m; j++)
        for (int64_t k = 0; k < ld->k.m; k++) {
            gp_ld_sums sums = gp_ld_get(ld, j, k);
            r[j * ld->k.m + k] = gp_ld_correlation(&sums);
        }
}
