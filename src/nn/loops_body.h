/* The loops of src/nn/loops.h. Included by files that define WIDE, the attribute of functions
 * for a kind of vectors, and LOOPS, the name of their table, with NAME and RUNS_HERE. */
#include "src/nn/loops.h"
#include "src/nn/vector.h"

#include <math.h>
#include <string.h>

/* ---- GELU ---- */

WIDE static void gelu_forward(int64_t n, const gp_real *restrict x, gp_real *restrict y) {
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * gp_nn_gelu_gate(x[i]);
}

WIDE static void gelu_backward(int64_t n, const gp_real *restrict x, gp_real *restrict d,
                               gp_real *restrict y) {
    for (int64_t i = 0; i < n; i++) {
        gp_real gate = gp_nn_gelu_gate(x[i]);
        y[i] = x[i] * gate;
        d[i] *= gp_nn_gelu_slope(x[i], gate);
    }
}

/* ---- LayerNorm ---- */

WIDE static void weigh(const gp_nn_norm *norm, const gp_real *restrict unit, gp_real *restrict y) {
    const gp_real *weight = norm->weight, *bias = norm->bias;
    for (int64_t c = 0; c < norm->channels; c++)
        y[c] = unit[c] * weight[c] + bias[c];
}

WIDE static void norm_forward(const gp_nn_norm *norm, const gp_real *x, const gp_nn_norm_kept *kept,
                              gp_real *y) {
    int64_t channels = norm->channels;
    const gp_real share = 1 / (gp_real)channels;
    for (int64_t i = 0; i < norm->rows; i++) {
        const gp_real *restrict row = x + i * channels;
        gp_real *restrict unit = kept->unit + i * channels;
        gp_real mean = gp_nn_sum_of(row, channels) * share;
        for (int64_t c = 0; c < channels; c++)
            unit[c] = row[c] - mean;
        gp_real variance = gp_nn_dot(unit, unit, channels) * share;
        kept->inverse[i] = 1 / (gp_real)sqrt(variance + (gp_real)1e-5);
        gp_nn_scale(unit, kept->inverse[i], channels);
        weigh(norm, unit, y + i * channels);
    }
}

WIDE static void norm_again(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *y) {
    for (int64_t i = 0; i < norm->rows; i++)
        weigh(norm, kept->unit + i * norm->channels, y + i * norm->channels);
}

WIDE static void add_products(int64_t n, const gp_real *restrict x, const gp_real *restrict y,
                              gp_real *restrict to) {
    for (int64_t c = 0; c < n; c++)
        to[c] += x[c] * y[c];
}

WIDE static void add(int64_t n, const gp_real *restrict x, gp_real *restrict to) {
    gp_nn_add(to, x, n);
}

WIDE static void column_sums(int64_t rows, int64_t columns, const gp_real *x, gp_real *to) {
    memset(to, 0, (size_t)columns * sizeof *to);
    for (int64_t i = 0; i < rows; i++)
        add(columns, x + i * columns, to);
}

WIDE static void norm_gradient(const gp_nn_norm *norm, const gp_nn_norm_kept *kept,
                               const gp_real *dy, gp_real *dweight, gp_real *dbias) {
    int64_t channels = norm->channels;
    memset(dweight, 0, (size_t)channels * sizeof *dweight);
    for (int64_t i = 0; i < norm->rows; i++)
        add_products(channels, dy + i * channels, kept->unit + i * channels, dweight);
    column_sums(norm->rows, channels, dy, dbias);
}

WIDE static void norm_backward(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *dy,
                               gp_real *dx) {
    int64_t channels = norm->channels;
    const gp_real share = 1 / (gp_real)channels, *weight = norm->weight;
    for (int64_t i = 0; i < norm->rows; i++) {
        const gp_real *restrict unit = kept->unit + i * channels;
        gp_real *restrict d = dy + i * channels, *restrict to = dx + i * channels;
        gp_real inverse = kept->inverse[i];
        for (int64_t c = 0; c < channels; c++)
            d[c] *= weight[c];
        gp_real mean = gp_nn_sum_of(d, channels) * share;
        gp_real slope = gp_nn_dot(d, unit, channels) * share;
        for (int64_t c = 0; c < channels; c++)
            to[c] += inverse * (d[c] - mean - unit[c] * slope);
    }
}

/* ---- dropout ---- */

enum { BLOCKS = 16 /* of random words at once */, BLOCK = 8 /* numbers that one decides for */ };

/* gp_philox (src/base/rng.h) of BLOCKS counters that follow one another.
 *   word out [BLOCKS x 4] */
WIDE static void draw(const gp_nn_dropping *d, uint32_t first, uint32_t *restrict word) {
    const uint32_t b1 = d->counter[1], b2 = d->counter[2], b3 = d->counter[3];
    const uint32_t k0 = d->key[0], k1 = d->key[1];
    for (uint32_t l = 0; l < BLOCKS; l++) {
        uint32_t c0 = d->counter[0] + first + l, c1 = b1, c2 = b2, c3 = b3;
        for (uint32_t round = 0; round < 10; round++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
            c0 = (uint32_t)(p1 >> 32) ^ c1 ^ (k0 + round * 0x9E3779B9u);
            c1 = (uint32_t)p1;
            c2 = (uint32_t)(p0 >> 32) ^ c3 ^ (k1 + round * 0xBB67AE85u);
            c3 = (uint32_t)p0;
        }
        word[4 * l] = c0;
        word[4 * l + 1] = c1;
        word[4 * l + 2] = c2;
        word[4 * l + 3] = c3;
    }
}

/* factor [BLOCKS x BLOCK]: a number's 16 bits are the low ones of a word, then the high ones. */
WIDE static void draw_factors(const gp_nn_dropping *d, int64_t at, gp_real *restrict factor) {
    uint32_t word[BLOCKS * BLOCK / 2];
    const uint32_t below = d->below;
    const gp_real scale = d->scale;
    draw(d, (uint32_t)(at / BLOCK), word);
    for (int k = 0; k < BLOCKS * BLOCK / 2; k++) {
        factor[2 * k] = (word[k] & 0xFFFF) < below ? 0 : scale;
        factor[2 * k + 1] = word[k] >> 16 < below ? 0 : scale;
    }
}

WIDE static void drop(const gp_nn_dropping *d, int64_t n, const gp_real *x, gp_real *to) {
    gp_real factor[BLOCKS * BLOCK];
    for (int64_t at = 0; at < n; at += BLOCKS * BLOCK) {
        int64_t count = n - at < BLOCKS * BLOCK ? n - at : BLOCKS * BLOCK;
        draw_factors(d, at, factor);
#pragma omp simd
        for (int64_t k = 0; k < count; k++)
            to[at + k] = x[at + k] * factor[k];
    }
}

WIDE static void drop_onto(const gp_nn_dropping *d, int64_t n, const gp_real *x, gp_real *to) {
    gp_real factor[BLOCKS * BLOCK];
    for (int64_t at = 0; at < n; at += BLOCKS * BLOCK) {
        int64_t count = n - at < BLOCKS * BLOCK ? n - at : BLOCKS * BLOCK;
        draw_factors(d, at, factor);
#pragma omp simd
        for (int64_t k = 0; k < count; k++)
            to[at + k] += x[at + k] * factor[k];
    }
}

/* ---- softmax ---- */

/* e^(x - its row's largest), all rows in one run: rows may be short. */
WIDE static void soften(int64_t tokens, int causal, gp_real *x) {
    for (int64_t t = 0; t < tokens; t++) {
        gp_real *row = x + t * tokens;
        gp_real largest = gp_nn_largest(row, causal ? t + 1 : tokens);
        for (int64_t u = 0; u < tokens; u++)
            row[u] -= largest;
    }
    for (int64_t k = 0; k < tokens * tokens; k++)
        x[k] = gp_nn_exp(x[k]);
    for (int64_t t = 0; t < tokens; t++) {
        int64_t seen = causal ? t + 1 : tokens;
        gp_real *row = x + t * tokens;
        gp_nn_scale(row, 1 / gp_nn_sum_of(row, seen), seen);
        memset(row + seen, 0, (size_t)(tokens - seen) * sizeof *row);
    }
}

WIDE static void harden(int64_t tokens, const gp_real *restrict p, gp_real *restrict d) {
    for (int64_t t = 0; t < tokens; t++, p += tokens, d += tokens) {
        gp_real mean = gp_nn_dot(p, d, tokens);
        for (int64_t u = 0; u < tokens; u++)
            d[u] = p[u] * (d[u] - mean);
    }
}

/* ---- AdamW ---- */

WIDE static gp_real root_of(gp_real x) {
#ifdef GP_NN_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

WIDE static void move(const gp_nn_moving *moving, int64_t n, const gp_nn_moved *x) {
    const gp_nn_moving s = *moving;
    const gp_real *restrict gradient = x->gradient;
    gp_real *restrict m = x->m, *restrict v = x->v, *restrict parameter = x->parameter;
    for (int64_t k = 0; k < n; k++) {
        gp_real g = gradient[k], p = parameter[k];
        m[k] = s.keep1 * m[k] + s.add1 * g;
        v[k] = s.keep2 * v[k] + s.add2 * (g * g);
        gp_real way = s.rate * m[k] / (root_of(v[k]) * s.root + s.epsilon);
        parameter[k] = p - (way + s.decay * p);
    }
}

WIDE static void shrink(gp_real threshold, int64_t n, gp_real *restrict parameter) {
    for (int64_t k = 0; k < n; k++) {
        gp_real part = parameter[k] > threshold ? threshold : parameter[k];
        part = part < -threshold ? -threshold : part;
        parameter[k] -= part;
    }
}

/* ---- sums of gradients ---- */

/* As whole numbers, magnitudes are in the same order, and inf and NaN above all others: no
 * comparison is lost. */
#ifdef GP_NN_DOUBLE
typedef int64_t pattern;
#define PATTERN_MOST INT64_MAX
#else
typedef int32_t pattern;
#define PATTERN_MOST INT32_MAX
#endif

WIDE static double largest(int64_t n, const gp_real *restrict x) {
    pattern most = 0;
    for (int64_t k = 0; k < n; k++) {
        pattern bits;
        memcpy(&bits, &x[k], sizeof bits);
        bits &= PATTERN_MOST;
        most = bits > most ? bits : most;
    }
    gp_real found;
    memcpy(&found, &most, sizeof found);
    return isfinite(found) ? (double)found : INFINITY;
}

/* Next to 1.5 2^52 a double's last bit counts ones: adding it rounds, and all CPUs have vectors
 * for that. */
WIDE static void add_rounded(int64_t n, const gp_real *restrict x, double scale,
                             int64_t *restrict value) {
    const double middle = 0x1.8p52;
    int64_t middle_bits;
    memcpy(&middle_bits, &middle, sizeof middle_bits);
    for (int64_t k = 0; k < n; k++) {
        double y = (double)x[k] * scale + middle;
        int64_t bits;
        memcpy(&bits, &y, sizeof bits);
        value[k] += bits - middle_bits;
    }
}

/* As a conversion does it, but in vectors on any CPU: both halves become doubles by standing
 * behind an exponent, and only their sum is rounded. */
__attribute__((always_inline)) static inline double double_of(int64_t x) {
    uint64_t bits = (uint64_t)x ^ UINT64_C(0x8000000000000000);
    uint64_t high_bits = bits >> 32 | UINT64_C(0x4530000000000000); /* 2^84 + 2^32 high */
    uint64_t low_bits =
        (bits & UINT64_C(0xFFFFFFFF)) | UINT64_C(0x4330000000000000); /* 2^52 + low */
    double high, low;
    memcpy(&high, &high_bits, sizeof high);
    memcpy(&low, &low_bits, sizeof low);
    return high - (0x1p84 + 0x1p63 + 0x1p52) + low;
}

WIDE static double squares(int64_t n, const int64_t *value) {
    enum { LANES = 8 };
    double lane[LANES] = {0}, total = 0;
    for (int64_t at = 0; at + LANES <= n; at += LANES)
        for (int k = 0; k < LANES; k++) {
            double x = double_of(value[at + k]);
            lane[k] += x * x;
        }
    for (int k = 0; k < LANES; k++)
        total += lane[k];
    return total;
}

WIDE static void times(int64_t n, const int64_t *restrict value, double factor,
                       gp_real *restrict to) {
    for (int64_t k = 0; k < n; k++)
        to[k] = (gp_real)(double_of(value[k]) * factor);
}

const gp_nn_loops LOOPS = {.name = NAME,
                           .runs_here = RUNS_HERE,
                           .gelu_forward = gelu_forward,
                           .gelu_backward = gelu_backward,
                           .norm_forward = norm_forward,
                           .norm_again = norm_again,
                           .norm_gradient = norm_gradient,
                           .norm_backward = norm_backward,
                           .drop = drop,
                           .drop_onto = drop_onto,
                           .soften = soften,
                           .harden = harden,
                           .add = add,
                           .column_sums = column_sums,
                           .move = move,
                           .shrink = shrink,
                           .largest = largest,
                           .add_rounded = add_rounded,
                           .squares = squares,
                           .times = times};
