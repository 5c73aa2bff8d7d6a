#include "src/geno/gram_terms.h"

#include <math.h>
#include <string.h>

/* The finest unit 2^-u of weights is 2^-25 in (1.99, 63] with 4 digits; with 3, and scales, 2^-16
 * in (6.97, 55.7], and 2^-19 below: closer by, as a scale times an integer is not fine. Of the
 * terms of missing calls in (0.12, 3.9) it is 2^-(8 k - 3) with k digits: those of standardised
 * variants are all 2. */
enum {
    WEIGHT_UNIT = 25,
    MISSING_OFFSET = 3,
    SPACING = 5,
    SCALED_UNIT = 16,
    SCALED_SPACING = 3,
    MOST_SCALE = 127, /* of two copies 254, a byte */
    MOST_FIRST = 112, /* of the least scale: some more are left to choose from */
    SCALES = 32,      /* tried, from the least on */
    MOST_HELD = 32639 /* by two digits: 127 * 257 */
};

/* The largest integer that so many digits from -128 to 127 hold, and its negative too. */
static double most_held(int digits) {
    return 127.0 * (ldexp(1.0, 8 * digits) - 1.0) / 255.0;
}

/* Units to choose from: 2^-u of a first u, and of every spacing-th below and above. */
typedef struct units {
    int first, spacing, exponent; /* none is finer than the matrix's 2^-exponent */
    double room;                  /* the largest value held, in units */
} units;

/* The finest unit 2^-u that holds values up to most. */
static int unit(double most, const units *from) {
    int u = from->first;
    while (ldexp(most, u) > from->room)
        u -= from->spacing;
    while (u < from->exponent && ldexp(most, u + from->spacing) <= from->room)
        u += from->spacing;
    return u < from->exponent ? u : from->exponent;
}

static int32_t nearest(double value) { /* not negative */
    return (int32_t)(value + 0.5);
}

/* The scale s whose s V is nearest to a wanted weight, and s V' to what is wanted of it. An error
 * of V' touches few pairs, that of V all: it counts for a sixteenth. The first of equals. */
static int scale_of(double wanted, double rest) {
    int first = nearest(wanted) / MOST_HELD + 1, best = 0;
    double error[SCALES];
    for (int k = 0; k < SCALES; k++) { /* without branches, for several at a time */
        double s = first + k;
        double v = nearest(wanted / s), off = v * rest - nearest(v * rest);
        error[k] = fabs(s * v - wanted) + s * fabs(off) / 16.0;
    }
    for (int k = 1; k < SCALES && first + k <= MOST_SCALE; k++)
        best = error[k] < error[best] ? k : best;
    return first + best;
}

static void set_calls(gp_gram_variant *v, double weight, const gp_gram_plan *plan) {
    int scaled = plan->digits == 3;
    units from = {WEIGHT_UNIT, SPACING, plan->exponent, most_held(plan->digits)};
    if (scaled)
        from = (units){SCALED_UNIT, SCALED_SPACING, plan->exponent,
                       (double)MOST_HELD * MOST_FIRST - 1.0};
    int u = unit(weight, &from);
    double wanted = ldexp(weight, u), rest = 1.0 - v->mean;
    int scale = scaled ? scale_of(wanted, rest) : 1;
    int32_t w = nearest(wanted / scale);
    v->calls = (gp_gram_values){plan->exponent - u, scale, {-w, 0, w, -nearest(w * rest)}};
    double whole = ldexp((double)w * scale, plan->exponent - u);
    v->w = (int64_t)whole;
    v->a = (int64_t)rint(whole * v->mean);
    v->b = (int64_t)rint(whole * v->mean * v->mean);
}

static void set_missing(gp_gram_variant *v, int digits, int exponent) {
    double scale = ldexp((double)v->w, -exponent) * v->mean;
    units from = {8 * digits - MISSING_OFFSET, SPACING, exponent, most_held(digits)};
    int u = unit(scale * (2.0 - v->mean), &from);
    v->missing = (gp_gram_values){exponent - u, 1, {0}};
    for (int k = 0; k < 3; k++)
        v->missing.call[k] = (int32_t)rint(ldexp(scale * (k - v->mean), u));
}

static gp_gram_variant variant_of(const gp_gram_plan *plan, double mean, double weight) {
    gp_gram_variant v = {.flipped = mean > 1.0};
    v.mean = v.flipped ? 2.0 - mean : mean;
    set_calls(&v, weight, plan);
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

/* Values as few digits with a scale on the left, or as more digits without. */
static void set_line(gp_gram_factor *f, int64_t line, int64_t j, int flipped,
                     const gp_gram_values *right, const uint8_t left[4]) {
    f->variant[line / GP_TILE_TERMS][line % GP_TILE_TERMS] = (int32_t)j;
    for (int call = 0; call < 4; call++) {
        int copies = flipped && call < 3 ? 2 - call : call;
        f->left[line / GP_TILE_TERMS][line % GP_TILE_TERMS][call] =
            (uint8_t)(left[copies] * right->scale);
        set_right(f, line, call, right->call[copies]);
    }
}

static void set_variant(gp_gram_terms *t, int64_t j, int64_t next[64], int64_t next_missing[64],
                        int has_missing) {
    static const uint8_t copies[4] = {0, 1, 2, 0}, missing[4] = {0, 0, 0, 1};
    const gp_gram_variant *v = &t->variant[j];
    gp_gram_values calls = v->calls;
    int64_t line = next[calls.shift]++;
    if (!t->any_left) {
        for (int k = 0; k < 4; k++)
            calls.call[k] *= calls.scale;
        calls.scale = 1;
    }
    set_line(&t->calls, line, j, v->flipped, &calls, copies);
    for (int call = 0; call < 4; call++)
        t->copies[line / GP_TILE_TERMS][line % GP_TILE_TERMS][call] =
            copies[v->flipped && call < 3 ? 2 - call : call];
    if (has_missing)
        set_line(&t->missing, next_missing[v->missing.shift]++, j, v->flipped, &v->missing,
                 missing);
}

int gp_gram_terms_digits(const gp_gram_plan *plan, int any_left) {
    return plan->digits == 3 && any_left ? 2 : plan->digits;
}

void gp_gram_terms_set(gp_gram_terms *t, const gp_gram_plan *plan, const gp_gram_block *block,
                       int64_t first, int64_t m, const uint8_t *has_missing) {
    int32_t count[2][64] = {{0}};
    int64_t next[2][64];
    const double *mean = block->mean + first, *weight = block->weight + first;
    t->m = m;
    t->all = 0;
    t->calls.digits = gp_gram_terms_digits(plan, t->any_left);
    t->missing.digits = plan->digits - 1;
    for (int64_t j = 0; j < m; j++) {
        gp_gram_variant *v = &t->variant[j];
        if (!(weight[j] > 0.0)) {
            *v = (gp_gram_variant){0};
            continue;
        }
        *v = variant_of(plan, mean[j], weight[j]);
        count[0][v->calls.shift]++;
        count[1][v->missing.shift] += has_missing[j];
        t->all = (int64_t)((uint64_t)t->all + (uint64_t)v->b);
    }
    set_runs(&t->calls, count[0], next[0]);
    set_runs(&t->missing, count[1], next[1]);
    for (int64_t j = 0; j < m; j++)
        if (weight[j] > 0.0)
            set_variant(t, j, next[0], next[1], has_missing[j]);
}
