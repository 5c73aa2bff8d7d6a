/* The loops of src/assoc/logit_loops.h. Included by files that define WIDE, the attribute of
 * functions for a kind of vectors, LANES, how many doubles these hold (2, 4 or 8), LOOPS, the name
 * of their table, and NAME. A group of samples is worked on in strips of VECTORS vectors. */
#include "src/assoc/logit_loops.h"
#include "src/base/real.h"

#include <math.h>
#include <string.h>

#define INLINE __attribute__((always_inline)) static inline

typedef double vec __attribute__((vector_size(8 * LANES)));
typedef int64_t bits __attribute__((vector_size(8 * LANES)));
typedef uint8_t codes __attribute__((vector_size(LANES)));
typedef double vec_anywhere __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef uint8_t codes_anywhere __attribute__((vector_size(LANES), aligned(1), may_alias));

enum { VECTORS = 8, STRIP = VECTORS * LANES, STRIPS = GP_LOGIT_GROUP / STRIP };

INLINE vec load(const double *x) {
    return *(const vec_anywhere *)x;
}

INLINE vec all_of(double value) {
    return (vec){0} + value;
}

INLINE void store(double *x, vec v) {
    *(vec_anywhere *)x = v;
}

INLINE vec where(bits yes, vec a, vec b) {
    return (vec)((yes & (bits)a) | (~yes & (bits)b));
}

INLINE vec masked(bits yes, vec a) {
    return (vec)(yes & (bits)a);
}

/* A term, rounded to what its sum counts in. */
INLINE vec rounded(vec term, double magic) {
    return (term + magic) - magic;
}

/* ---- functions ---- */

/* e to the x for x <= 0; below -700 as at -700. Source: Cody and Waite 1980; Taylor's
 * series to r^13 on |r| <= log(2) / 2, whose rest is below 1e-17. */
INLINE vec exponential(vec x) {
    const double magic = 0x1.8p52, high = 6.93147180369123816490e-01,
                 low = 1.90821492927058770002e-10;
    x = where(x < -700.0, all_of(-700.0), x);
    vec t = x * 1.44269504088896340736 + magic, k = t - magic, r = (x - k * high) - k * low;
    vec r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    vec a = (1.0 + r) + (1.0 / 2 + 1.0 / 6 * r) * r2;
    vec b = (1.0 / 24 + 1.0 / 120 * r) + (1.0 / 720 + 1.0 / 5040 * r) * r2;
    vec c = (1.0 / 40320 + 1.0 / 362880 * r) + (1.0 / 3628800 + 1.0 / 39916800 * r) * r2;
    vec p = (a + b * r4) + (c + (1.0 / 479001600 + 1.0 / 6227020800 * r) * r4) * r8;
    return (vec)((bits)p + ((bits)t << 52));
}

/* log(x) for x >= 1: x = 2^k m, log(m) = 2 atanh((m - 1) / (m + 1)), m from 0.7 to 1.42; what the
 * series leaves out is below 1e-17. */
INLINE vec logarithm(vec x) {
    const int64_t root_half = 0x3FE6A09E667F3BCD;
    bits of_x = (bits)x, k = (of_x - root_half) >> 52;
    vec m = (vec)(of_x - (k << 52));
    vec s = (m - 1.0) / (m + 1.0), q = s * s, q2 = q * q, q4 = q2 * q2;
    vec a = (1.0 / 3 + 1.0 / 5 * q) + (1.0 / 7 + 1.0 / 9 * q) * q2;
    vec b = (1.0 / 11 + 1.0 / 13 * q) + (1.0 / 15 + 1.0 / 17 * q) * q2;
    vec series = a + (b + (1.0 / 19 + 1.0 / 21 * q) * q4) * q4;
    return __builtin_convertvector(k, vec) * 6.93147180559945286227e-01 +
           (2.0 * s + 2.0 * s * q * series);
}

/* ---- a strip ---- */

/* Four calls of a byte in four bytes. */
INLINE uint32_t spread(uint32_t byte) {
    byte = (byte | byte << 12) & 0x000F000F;
    return (byte | byte << 6) & 0x03030303;
}

/* A strip of samples: pointers to its first one. */
typedef struct strip {
    bits here[VECTORS]; /* all ones where a sample counts */
    const double *x;    /* of the first column; the next one is a group further */
    const double *y, *offset;
    const uint8_t *mask, *calls; /* calls: NULL without a variant */
    /* [STRIP] of the run's work: genotype, y - mu, w, w times a column, mu */
    double *genotype, *residual, *weight, *product, *mu;
} strip;

INLINE strip strip_of(const gp_logit_run *run, int64_t group, int number, const uint8_t *calls) {
    int64_t at = GP_LOGIT_GROUP * group + STRIP * number;
    return (strip){.x = run->rows->x + GP_LOGIT_GROUP * group * run->rows->c + STRIP * number,
                   .y = run->pass->y + at,
                   .offset = run->pass->offset + at,
                   .mask = run->rows->mask + at / 4,
                   .calls = calls != NULL ? calls + (at / 4 - 16 * run->first) : NULL,
                   .genotype = run->work,
                   .residual = run->work + STRIP,
                   .weight = run->work + 2 * STRIP,
                   .product = run->work + 3 * STRIP,
                   .mu = run->work + 4 * STRIP};
}

/* A column; the variant's behind the others. */
INLINE const double *column_of(const gp_logit_run *run, const strip *at, int64_t k) {
    return k < run->rows->c ? at->x + k * GP_LOGIT_GROUP : at->genotype;
}

/* Which samples count, and their genotypes. */
INLINE void decode(const gp_logit_run *run, strip *at) {
    const double missing = run->pass->missing;
    int keep = !(missing != missing);
    uint8_t code[STRIP] = {0}, in[STRIP];
    for (int k = 0; k < STRIP / 4; k++) {
        uint32_t four = spread(at->mask[k]);
        memcpy(in + 4 * k, &four, 4);
        four = at->calls != NULL ? spread(at->calls[k]) : 0;
        memcpy(code + 4 * k, &four, 4);
    }
    for (int v = 0; v < VECTORS; v++) {
        vec x = __builtin_convertvector(
            *(const codes_anywhere *)((const uint8_t *)code + LANES * v), vec);
        bits gone = x == 3.0;
        at->here[v] = __builtin_convertvector(
                          *(const codes_anywhere *)((const uint8_t *)in + LANES * v), vec) == 1.0;
        if (!keep)
            at->here[v] &= ~gone;
        vec value = all_of(keep ? missing : 0.0);
        store(at->genotype + LANES * v, masked(at->here[v], where(gone, value, x)));
    }
}

/* What a model says of some samples. */
typedef struct fitted {
    vec mu, weight, minus_log; /* minus_log: -log P(y), but for log(1 + small) */
    vec small;                 /* e^-|log odds| */
} fitted;

INLINE fitted fit(vec odds, vec y) {
    bits up = odds >= 0.0;
    vec size = where(up, odds, -odds), small = exponential(-size), q = 1.0 / (1.0 + small);
    vec wrong = where(up, (1.0 - y) * size, y * size), edge = all_of(120.0);
    return (fitted){.mu = where(up, q, small * q),
                    .weight = small * q * q,
                    .minus_log = where(wrong > edge, edge, wrong),
                    .small = small};
}

/* Sums that a strip adds to: of log-likelihoods, and the products of eight samples, the same ones
 * whatever LANES is, whose logarithms are to be taken. */
typedef struct likelihood {
    vec sum, many[GP_LOGIT_LANES / LANES];
} likelihood;

INLINE void begin_likelihood(likelihood *l) {
    l->sum = all_of(0.0);
    for (int k = 0; k < GP_LOGIT_LANES / LANES; k++)
        l->many[k] = all_of(1.0);
}

INLINE void add_likelihood(const gp_logit_run *run, const fitted *f, bits here, int v,
                           likelihood *l) {
    l->many[v % (GP_LOGIT_LANES / LANES)] *= 1.0 + masked(here, f->small);
    l->sum += rounded(masked(here, -f->minus_log), run->magic[0]);
}

INLINE void add_to(const gp_logit_run *run, int64_t sum, vec terms) {
    double *lane = run->lane + GP_LOGIT_LANES * sum;
    store(lane, load(lane) + terms);
}

INLINE void end_likelihood(const gp_logit_run *run, likelihood *l) {
    for (int k = 0; k < GP_LOGIT_LANES / LANES; k++)
        l->sum += rounded(-logarithm(l->many[k]), run->magic[0]);
    add_to(run, 0, l->sum);
}

/* Leverages h = w |inverse x|^2: residuals get h (1/2 - mu), weights h w. */
INLINE void add_leverage(const gp_logit_run *run, const strip *at) {
    const double *inverse = run->pass->inverse;
    vec h[VECTORS];
    for (int v = 0; v < VECTORS; v++)
        h[v] = all_of(0.0);
    for (int64_t j = 0; j < run->d; j++) {
        vec s[VECTORS];
        for (int v = 0; v < VECTORS; v++)
            s[v] = inverse[j * run->d] * load(at->x + LANES * v);
        for (int64_t k = 1; k <= j; k++) {
            const double *column = column_of(run, at, k);
            for (int v = 0; v < VECTORS; v++)
                s[v] += inverse[j * run->d + k] * load(column + LANES * v);
        }
        for (int v = 0; v < VECTORS; v++)
            h[v] += s[v] * s[v];
    }
    for (int v = 0; v < VECTORS; v++) {
        vec lever = load(at->weight + LANES * v) * h[v], most = all_of(1.0);
        lever = where(lever > most, most, lever);
        vec r = load(at->residual + LANES * v) + lever * (0.5 - load(at->mu + LANES * v));
        store(at->residual + LANES * v, masked(at->here[v], r));
        store(at->weight + LANES * v, load(at->weight + LANES * v) * (1.0 + lever));
    }
}

/* ---- all coefficients ---- */

/* Adds the products of two columns. */
INLINE void add_products(const gp_logit_run *run, int64_t sum, const double *a, const double *b) {
    double magic = run->magic[sum], *lane = run->lane + GP_LOGIT_LANES * sum;
    vec s = load(lane);
    for (int v = 0; v < VECTORS; v++)
        s += rounded(load(a + LANES * v) * load(b + LANES * v), magic);
    store(lane, s);
}

INLINE void fit_strip(const gp_logit_run *run, const strip *at, likelihood *l) {
    vec odds[VECTORS];
    for (int v = 0; v < VECTORS; v++)
        odds[v] = load(at->offset + LANES * v);
    for (int64_t k = 0; k < run->d; k++) {
        const double *column = column_of(run, at, k);
        for (int v = 0; v < VECTORS; v++)
            odds[v] += run->pass->beta[k] * load(column + LANES * v);
    }
    for (int v = 0; v < VECTORS; v++) {
        vec y = load(at->y + LANES * v);
        fitted f = fit(odds[v], y);
        add_likelihood(run, &f, at->here[v], v, l);
        store(at->mu + LANES * v, f.mu);
        store(at->weight + LANES * v, masked(at->here[v], f.weight));
        store(at->residual + LANES * v, masked(at->here[v], y - f.mu));
    }
}

INLINE void add_strip(const gp_logit_run *run, const strip *at) {
    int64_t sum = 1;
    for (int64_t k = 0; k < run->d; k++)
        add_products(run, sum++, at->residual, column_of(run, at, k));
    for (int64_t j = 0; j < run->d; j++) {
        const double *column = column_of(run, at, j);
        for (int v = 0; v < VECTORS; v++)
            store(at->product + LANES * v, load(at->weight + LANES * v) * load(column + LANES * v));
        for (int64_t k = j; k < run->d; k++)
            add_products(run, sum++, at->product, column_of(run, at, k));
    }
}

WIDE static void all(const gp_logit_run *run, const uint8_t *calls) {
    for (int64_t g = run->first; g < run->end; g++) {
        likelihood l;
        begin_likelihood(&l);
        for (int k = 0; k < STRIPS; k++) {
            strip at = strip_of(run, g, k, calls);
            decode(run, &at);
            fit_strip(run, &at, &l);
            if (run->pass->inverse != NULL)
                add_leverage(run, &at);
            add_strip(run, &at);
        }
        end_likelihood(run, &l);
    }
}

/* ---- the variant's alone ---- */

INLINE void one_strip(const gp_logit_run *run, const strip *at, likelihood *l) {
    vec variant[VECTORS], sum[GP_LOGIT_ONE_WIDTH] = {{0}};
    for (int v = 0; v < VECTORS; v++)
        variant[v] = load(at->genotype + LANES * v);
    for (int64_t k = 0; k < run->rows->c; k++)
        for (int v = 0; v < VECTORS; v++)
            variant[v] -= run->pass->gamma[k] * load(at->x + k * GP_LOGIT_GROUP + LANES * v);
    for (int v = 0; v < VECTORS; v++) {
        vec y = load(at->y + LANES * v), value = masked(at->here[v], variant[v]);
        fitted f = fit(load(at->offset + LANES * v) + run->pass->beta[0] * value, y);
        vec square = f.weight * value * value;
        add_likelihood(run, &f, at->here[v], v, l);
        sum[1] += rounded((y - f.mu) * value, run->magic[1]);
        sum[2] += rounded(square, run->magic[2]);
        sum[3] += rounded(square * (1.0 - 2.0 * f.mu) * value, run->magic[3]);
    }
    for (int k = 1; k < GP_LOGIT_ONE_WIDTH; k++)
        add_to(run, k, sum[k]);
}

WIDE static void one(const gp_logit_run *run, const uint8_t *calls) {
    for (int64_t g = run->first; g < run->end; g++) {
        likelihood l;
        begin_likelihood(&l);
        for (int k = 0; k < STRIPS; k++) {
            strip at = strip_of(run, g, k, calls);
            decode(run, &at);
            one_strip(run, &at, &l);
        }
        end_likelihood(run, &l);
    }
}

const gp_logit_loops LOOPS = {NAME, all, one};
