#include "src/geno/gram_terms.h"

#include <math.h>
#include <string.h>

/* Units of the values with k digits are 2^-(8 k - 7) for weights in [2, 63) and 2^-(8 k - 3) for
 * the terms of missing calls in (0.12, 3.9): those of standardised variants are all 2. */
enum { WEIGHT_OFFSET = 7, MISSING_OFFSET = 3, SPACING = 5 };

/* A variant's values for calls 0, 1, 2 and missing, in units of 2^shift. */
typedef struct values {
    int shift;
    int32_t call[4];
} values;

typedef struct variant {
    int flipped; /* the rarer allele is REF */
    double mean; /* of the rarer allele */
    int64_t w, a, b;
    values calls, missing;
} variant;

/* The largest integer that so many digits from -128 to 127 hold, and its negative too. */
static double most_held(int digits) {
    return 127.0 * (ldexp(1.0, 8 * digits) - 1.0) / 255.0;
}

/* The finest unit 2^-u that holds values up to most; none finer than the matrix's. */
static int unit(double most, int digits, int offset, int exponent) {
    int u = 8 * digits - offset;
    double room = most_held(digits);
    while (ldexp(most, u) > room)
        u -= SPACING;
    while (u < exponent && ldexp(most, u + SPACING) <= room)
        u += SPACING;
    return u < exponent ? u : exponent;
}

static void set_calls(variant *v, double weight, int digits, int exponent) {
    int u = unit(weight, digits, WEIGHT_OFFSET, exponent);
    double held = rint(ldexp(weight, u));
    int32_t w = (int32_t)held;
    v->calls = (values){exponent - u, {-w, 0, w, (int32_t)rint(held * v->mean) - w}};
    double whole = ldexp(held, exponent - u);
    v->w = (int64_t)whole;
    v->a = (int64_t)rint(whole * v->mean);
    v->b = (int64_t)rint(whole * v->mean * v->mean);
}

static void set_missing(variant *v, int digits, int exponent) {
    double scale = ldexp((double)v->w, -exponent) * v->mean;
    int u = unit(scale * (2.0 - v->mean), digits, MISSING_OFFSET, exponent);
    v->missing = (values){exponent - u, {0}};
    for (int k = 0; k < 3; k++)
        v->missing.call[k] = (int32_t)rint(ldexp(scale * (k - v->mean), u));
}

static variant variant_of(const gp_gram_plan *plan, double mean, double weight) {
    variant v = {.flipped = mean > 1.0};
    v.mean = v.flipped ? 2.0 - mean : mean;
    set_calls(&v, weight, plan->digits, plan->exponent);
    set_missing(&v, plan->digits - 1, plan->exponent);
    return v;
}

/* Gives a run of each shift its tiles; returns the runs' next lines. */
static void set_runs(gp_gram_factor *f, const int32_t count[64], int64_t next[64]) {
    f->runs = 0;
    f->tiles = 0;
    for (int shift = 0; shift < 64; shift++) {
        int64_t tiles = (count[shift] + GP_TILE_TERMS - 1) / GP_TILE_TERMS;
        next[shift] = f->tiles * GP_TILE_TERMS;
        if (tiles == 0)
            continue;
        f->run[f->runs++] = (gp_gram_run){shift, f->tiles, tiles};
        for (int64_t t = 0; t < tiles; t++) {
            int64_t rest = count[shift] - t * GP_TILE_TERMS;
            f->lines[f->tiles + t] = (int32_t)(rest < GP_TILE_TERMS ? rest : GP_TILE_TERMS);
        }
        f->tiles += tiles;
    }
}

static void set_right(gp_gram_factor *f, int64_t line, int call, int32_t value) {
    for (int d = 0; d < f->digits; d++) {
        int8_t digit = (int8_t)(uint8_t)(value & 255);
        f->right[d][line / GP_TILE_TERMS][line % GP_TILE_TERMS][call] = (uint8_t)digit;
        value = (value - digit) / 256;
    }
}

static void set_line(gp_gram_factor *f, int64_t line, int64_t j, int flipped, const values *right,
                     const uint8_t left[4]) {
    f->variant[line / GP_TILE_TERMS][line % GP_TILE_TERMS] = (int32_t)j;
    for (int call = 0; call < 4; call++) {
        int copies = flipped && call < 3 ? 2 - call : call;
        f->left[line / GP_TILE_TERMS][line % GP_TILE_TERMS][call] = left[copies];
        set_right(f, line, call, right->call[copies]);
    }
}

void gp_gram_terms_set(gp_gram_terms *t, const gp_gram_plan *plan, const gp_gram_block *block,
                       int64_t first, int64_t m, const uint8_t *has_missing) {
    static const uint8_t copies[4] = {0, 1, 2, 0}, missing[4] = {0, 0, 0, 1};
    int32_t count[2][64] = {{0}};
    int64_t next[2][64];
    const double *mean = block->mean + first, *weight = block->weight + first;
    t->m = m;
    t->all = 0;
    t->calls.digits = plan->digits;
    t->missing.digits = plan->digits - 1;
    for (int64_t j = 0; j < m; j++)
        if (weight[j] > 0.0) {
            variant v = variant_of(plan, mean[j], weight[j]);
            count[0][v.calls.shift]++;
            count[1][v.missing.shift] += has_missing[j];
        }
    set_runs(&t->calls, count[0], next[0]);
    set_runs(&t->missing, count[1], next[1]);
    for (int64_t j = 0; j < m; j++) {
        variant v = {0};
        if (weight[j] > 0.0) {
            v = variant_of(plan, mean[j], weight[j]);
            set_line(&t->calls, next[0][v.calls.shift]++, j, v.flipped, &v.calls, copies);
            if (has_missing[j])
                set_line(&t->missing, next[1][v.missing.shift]++, j, v.flipped, &v.missing,
                         missing);
        }
        t->a[j] = v.a;
        t->b[j] = v.b;
        t->w[j] = v.w;
        t->all = (int64_t)((uint64_t)t->all + (uint64_t)v.b);
    }
}
