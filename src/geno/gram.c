#include "src/geno/gram.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/gram_panel.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Weights of a frequency and of its mirror differ in their last bits. */
#define SLACK (1.0 + 0x1p-20)

_Static_assert((GP_GRAM_STEP + GP_GRAM_RUNS * GP_TILE_TERMS) < GP_KERNEL_MOST_WIDE, "int32");
_Static_assert(GP_GRAM_RIGHT % GP_GENO_GROUP == 0 && GP_GRAM_RIGHT <= GP_GRAM_CHUNK &&
                   GP_GRAM_LEFT % GP_GRAM_CHUNK == 0,
               "chunks");
_Static_assert(GP_GRAM_CHUNK / GP_TILE_LINES <= GP_GRAM_ROWS * GP_GRAM_COLUMNS, "sums");

/* |K| <= 4 variants most_weight; a bit is kept for roundings and for SLACK. */
enum { SUM_BITS = 62, LEAST_EXPONENT = 16, MOST_EXPONENT = 48, ROWS_AHEAD = 4 };

int gp_gram_plan_init(gp_gram_plan *plan, int64_t variants, double most_weight, gp_err *err) {
    int bits = 0;
    double most = 4.0 * (double)(variants > 0 ? variants : 1) * most_weight;
    if (!(most_weight > 0.0) || !(most <= ldexp(1.0, SUM_BITS - LEAST_EXPONENT)))
        return gp_err_set(err, GP_EINPUT,
                          "relationship matrix: %lld variants with weights of up to %g do not fit "
                          "its 64-bit sums; leave out rarer variants",
                          (long long)variants, most_weight);
    frexp(most, &bits); /* most < 2^bits */
    int exponent = SUM_BITS - bits;
    *plan = (gp_gram_plan){.variants = variants,
                           .most_weight = most_weight,
                           .exponent = exponent < MOST_EXPONENT ? exponent : MOST_EXPONENT,
                           .digits = variants < GP_GRAM_FEW ? 4 : 3};
    return GP_OK;
}

double gp_gram_weight(double mean) {
    double w = 2.0 / (mean * (2.0 - mean));
    return mean > 0.0 && mean < 2.0 && isfinite(w) ? w : 0.0;
}

double gp_gram_value(const gp_gram_plan *plan, int64_t sum) {
    return ldexp((double)sum, -plan->exponent);
}

gp_gram *gp_gram_new(const gp_gram_plan *plan, int64_t most_samples, gp_err *err) {
    gp_gram *gram = gp_mem_alloc(1, sizeof *gram, err);
    if (gram == NULL)
        return NULL;
    gram->plan = *plan;
    gram->most_samples = most_samples;
    gram->terms = gp_mem_alloc(1, sizeof *gram->terms, err);
    gram->has_missing = gp_mem_alloc(GP_GRAM_STEP, 1, err);
    gram->left = gp_mem_alloc(GP_GRAM_LEFT / GP_TILE_LINES * GP_GRAM_TILES, GP_TILE_BYTES, err);
    gram->alone = gp_mem_alloc(GP_GRAM_TILES, GP_TILE_BYTES, err);
    gram->a = gp_mem_alloc(most_samples, sizeof *gram->a, err);
    gram->b = gp_mem_alloc(most_samples, sizeof *gram->b, err);
    int threads = omp_get_max_threads();
    gram->share = gp_mem_alloc(threads, sizeof *gram->share, err);
    for (int k = 0; err->code == GP_OK && k < threads; k++, gram->threads = k)
        gram->share[k] = gp_mem_alloc(1, sizeof **gram->share, err);
    if (err->code != GP_OK) {
        gp_gram_free(gram);
        return NULL;
    }
    gp_gram_use(gram, gp_kernel_chosen());
    return gram;
}

void gp_gram_use(gp_gram *gram, const gp_kernel *kernel) {
    gram->kernel = kernel;
    gram->joins = gp_gram_joins_for(kernel->name);
    gram->terms->any_left = kernel->any_left;
}

void gp_gram_free(gp_gram *gram) {
    if (gram == NULL)
        return;
    for (int k = 0; k < gram->threads; k++)
        free(gram->share[k]);
    free(gram->share);
    free(gram->b);
    free(gram->a);
    free(gram->alone);
    free(gram->left);
    free(gram->has_missing);
    free(gram->terms);
    free(gram);
}

int gp_gram_planes(const gp_gram *gram) {
    return gp_gram_terms_digits(&gram->plan, gram->kernel->any_left);
}

static int check(const gp_gram *gram, const gp_gram_block *block, gp_err *err) {
    int same = block->a_first == block->b_first && block->a_count == block->b_count;
    if (block->a_first % GP_GRAM_GROUP != 0 || block->b_first % GP_GRAM_GROUP != 0 ||
        block->a_count > gram->most_samples || block->b_count > gram->most_samples ||
        !(same || block->a_first + block->a_count <= block->b_first))
        return gp_err_set(err, GP_EINPUT,
                          "relationship matrix: samples %lld + %lld by %lld + %lld are no block of "
                          "it; blocks begin at multiples of 64, on or below the diagonal",
                          (long long)block->b_first, (long long)block->b_count,
                          (long long)block->a_first, (long long)block->a_count);
    if (block->calls->m > gram->plan.variants)
        return gp_err_set(err, GP_EINPUT,
                          "relationship matrix: a block of %lld variants; the plan is for %lld",
                          (long long)block->calls->m, (long long)gram->plan.variants);
    for (int64_t j = 0; j < block->calls->m; j++) {
        double w = block->weight[j], mean = block->mean[j];
        if (!(w >= 0.0 && w <= gram->plan.most_weight * SLACK) ||
            (w > 0.0 && !(mean >= 0.0 && mean <= 2.0)))
            return gp_err_set(
                err, GP_EINPUT,
                "relationship matrix: variant %lld of the block has weight %g and mean "
                "%g; weights are 0 to %g, means 0 to 2",
                (long long)j + 1, w, mean, gram->plan.most_weight);
    }
    return GP_OK;
}

/* Whether any call is missing in groups [group, group + groups) of a variant. */
static uint8_t any_missing(const gp_calls *calls, int64_t variant, int64_t group, int64_t groups) {
    uint64_t any = 0;
    for (int64_t at = 0; at < groups;) {
        gp_span part = gp_calls_span(calls, group + at, groups - at);
        const uint8_t *row = part.row + variant * part.pitch;
        for (int64_t k = 0; k < 2 * part.groups; k++) {
            uint64_t g;
            memcpy(&g, row + 8 * k, sizeof g);
            any |= g & g >> 1;
        }
        at += part.groups;
    }
    return (any & 0x5555555555555555u) != 0;
}

/* One step of variants of a block, and one of its two products. */
typedef struct pass {
    gp_gram *gram;
    const gp_gram_block *block;
    const gp_gram_factor *f;
    int64_t first, m; /* variants */
    int alone;        /* whether this pass adds what samples add alone */
} pass;

static gp_gram_span span_of(const pass *p, int64_t sample, int64_t count) {
    return (gp_gram_span){p->block->calls, p->first, sample / GP_GENO_GROUP,
                          (count + GP_GENO_GROUP - 1) / GP_GENO_GROUP};
}

static gp_gram_share *my_share(const pass *p) {
    return p->gram->share[omp_get_thread_num()];
}

static void add_alone(const pass *p, int side) {
    const gp_gram_block *block = p->block;
    int64_t first = side == 0 ? block->a_first : block->b_first;
    int64_t count = side == 0 ? block->a_count : block->b_count;
    int64_t *to = side == 0 ? p->gram->a : p->gram->b;
#pragma omp parallel for schedule(static) num_threads(p->gram->threads)
    for (int64_t at = 0; at < count; at += GP_GRAM_CHUNK) {
        int64_t n = gp_least(GP_GRAM_CHUNK, count - at);
        gp_gram_span span = span_of(p, first + at, n);
        gp_gram_alone(p->gram, &span, side, n, my_share(p), to + at);
    }
}

static void multiply_run(const pass *p, gp_gram_share *share, int number, const uint8_t *left,
                         int64_t rows, int64_t columns) {
    const gp_gram_factor *f = p->f;
    const gp_gram_run *run = &f->run[number];
    gp_tiles product = {.left = left + run->tile * GP_TILE_BYTES,
                        .right = share->right + run->tile * GP_TILE_BYTES,
                        .rows = rows,
                        .columns = columns * f->digits,
                        .terms = run->tiles,
                        .left_step = f->tiles,
                        .right_step = f->tiles,
                        .sums = share->sums};
    p->gram->kernel->multiply(&product);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            p->gram->joins.join(
                share->sums + (r * columns + c) * f->digits * GP_TILE_SUMS, f->digits, run->shift,
                number > 0, share->joined + r * GP_TILE_LINES * GP_GRAM_RIGHT + c * GP_TILE_LINES,
                GP_GRAM_RIGHT);
}

/* The matrix's rows lie too far apart for the CPU to see the next one coming. */
static void fetch(const int64_t *row, int64_t count) {
    for (int64_t k = 0; k < count; k += 8)
        __builtin_prefetch(row + k, 1);
}

/* Rows [b, b + lines) of the block by columns [a, a + count). */
static void do_strip(const pass *p, const uint8_t *left, int64_t b, int64_t lines, int64_t a,
                     int64_t count) {
    static const int64_t none[GP_GRAM_RIGHT];
    const gp_gram_block *block = p->block;
    gp_gram_share *share = my_share(p);
    int64_t rows = (lines + GP_TILE_LINES - 1) / GP_TILE_LINES;
    int64_t columns = (count + GP_TILE_LINES - 1) / GP_TILE_LINES;
    int diagonal = block->a_first == block->b_first;
    for (int k = 0; k < p->f->runs; k++)
        multiply_run(p, share, k, left, rows, columns);
    for (int64_t i = 0; i < lines; i++) {
        int64_t *to = block->sums + (b + i) * block->pitch + a;
        if (i + ROWS_AHEAD < lines)
            fetch(to + ROWS_AHEAD * block->pitch, count);
        p->gram->joins.add_row(share->joined + i * GP_GRAM_RIGHT, p->alone ? p->gram->a + a : none,
                               p->alone ? p->gram->b[b + i] : 0,
                               diagonal ? gp_least(count, b + i + 1 - a) : count, to);
    }
}

/* All of the left panel, rows [b, b + b_count), by columns [a, a + count). */
static void do_group(const pass *p, int64_t b, int64_t b_count, int64_t a) {
    const gp_gram_block *block = p->block;
    int64_t count = gp_least(GP_GRAM_RIGHT, block->a_count - a);
    gp_gram_span span = span_of(p, block->a_first + a, count);
    gp_gram_unpack_right(p->gram, p->f, &span, my_share(p));
    int64_t skip = block->a_first == block->b_first && a > b ? a - b : 0;
    for (int64_t at = skip; at < b_count; at += GP_GRAM_STRIP)
        do_strip(p, p->gram->left + at / GP_TILE_LINES * p->f->tiles * GP_TILE_BYTES, b + at,
                 gp_least(GP_GRAM_STRIP, b_count - at), a, count);
}

static void do_pass(const pass *p) {
    const gp_gram_block *block = p->block;
    int threads = p->gram->threads;
    for (int64_t b = 0; b < block->b_count; b += GP_GRAM_LEFT) {
        int64_t n = gp_least(GP_GRAM_LEFT, block->b_count - b);
        int64_t end = block->a_first == block->b_first ? b + n : block->a_count;
#pragma omp parallel num_threads(threads)
        {
#pragma omp for schedule(static)
            for (int64_t at = 0; at < n; at += GP_GRAM_CHUNK) {
                gp_gram_span span =
                    span_of(p, block->b_first + b + at, gp_least(GP_GRAM_CHUNK, n - at));
                gp_gram_unpack_left(p->gram, p->f, &span, my_share(p),
                                    p->gram->left +
                                        at / GP_TILE_LINES * p->f->tiles * GP_TILE_BYTES);
            }
#pragma omp for schedule(dynamic)
            for (int64_t a = 0; a < end; a += GP_GRAM_RIGHT)
                do_group(p, b, n, a);
        }
    }
}

static void do_step(gp_gram *gram, const gp_gram_block *block, int64_t first, int64_t m) {
    gp_gram_terms *terms = gram->terms;
    int64_t groups = (block->b_count + GP_GENO_GROUP - 1) / GP_GENO_GROUP;
#pragma omp parallel for schedule(static) num_threads(gram->threads)
    for (int64_t j = 0; j < m; j++)
        gram->has_missing[j] =
            any_missing(block->calls, first + j, block->b_first / GP_GENO_GROUP, groups);
    gp_gram_terms_set(terms, &gram->plan, block, first, m, gram->has_missing);
    if (terms->calls.tiles == 0) /* no variant of the step counts */
        return;
    pass calls = {gram, block, &terms->calls, first, m, 1};
    gp_gram_alone_set(gram);
    add_alone(&calls, 0);
    add_alone(&calls, 1);
    do_pass(&calls);
    pass missing = {gram, block, &terms->missing, first, m, 0};
    if (terms->missing.tiles > 0)
        do_pass(&missing);
}

int gp_gram_add(gp_gram *gram, const gp_gram_block *block, gp_err *err) {
    if (check(gram, block, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < block->calls->m; j += GP_GRAM_STEP)
        do_step(gram, block, j, gp_least(GP_GRAM_STEP, block->calls->m - j));
    return GP_OK;
}
