/** Loops over runs of numbers: sums in one fixed order, and functions without branches or calls.
 *
 *  A sum has 16 partial sums, number i in part i mod 16, which are added up pairwise: the same bits
 *  however wide the CPU's vectors are. Local, thread-safe.
 *  Source: Moshier's Cephes library 2.2 (expf: polynomial and reduction).
 */
#ifndef GP_SRC_NN_VECTOR_H
#define GP_SRC_NN_VECTOR_H

#include "src/nn/real.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

/** In functions for other CPUs too (src/nn/loops.h). */
#define GP_NN_INLINE __attribute__((always_inline)) static inline

enum { GP_NN_PARTS = 16 };

GP_NN_INLINE gp_real gp_nn_sum_parts(gp_real part[GP_NN_PARTS]) {
    for (int half = GP_NN_PARTS / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++)
            part[k] += part[k + half];
    return part[0];
}

/** Sum of x[n]. */
GP_NN_INLINE gp_real gp_nn_sum_of(const gp_real *x, int64_t n) {
    gp_real part[GP_NN_PARTS] = {0};
    int64_t i = 0;
    for (; i + GP_NN_PARTS <= n; i += GP_NN_PARTS)
        for (int k = 0; k < GP_NN_PARTS; k++)
            part[k] += x[i + k];
    for (int k = 0; i < n; i++, k++)
        part[k] += x[i];
    return gp_nn_sum_parts(part);
}

/** Sum of x[n] * y[n]. */
GP_NN_INLINE gp_real gp_nn_dot(const gp_real *x, const gp_real *y, int64_t n) {
    gp_real part[GP_NN_PARTS] = {0};
    int64_t i = 0;
    for (; i + GP_NN_PARTS <= n; i += GP_NN_PARTS)
        for (int k = 0; k < GP_NN_PARTS; k++)
            part[k] += x[i + k] * y[i + k];
    for (int k = 0; i < n; i++, k++)
        part[k] += x[i] * y[i];
    return gp_nn_sum_parts(part);
}

/** Largest of x[n], n >= 1. */
GP_NN_INLINE gp_real gp_nn_largest(const gp_real *x, int64_t n) {
    gp_real part[GP_NN_PARTS];
    int64_t i = 0;
    for (int k = 0; k < GP_NN_PARTS; k++)
        part[k] = x[0];
    for (; i + GP_NN_PARTS <= n; i += GP_NN_PARTS)
        for (int k = 0; k < GP_NN_PARTS; k++)
            part[k] = x[i + k] > part[k] ? x[i + k] : part[k];
    for (; i < n; i++)
        part[0] = x[i] > part[0] ? x[i] : part[0];
    for (int k = 1; k < GP_NN_PARTS; k++)
        part[0] = part[k] > part[0] ? part[k] : part[0];
    return part[0];
}

/** to[n] += x[n]. */
GP_NN_INLINE void gp_nn_add(gp_real *to, const gp_real *x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        to[i] += x[i];
}

/** x[n] *= factor. */
GP_NN_INLINE void gp_nn_scale(gp_real *x, gp_real factor, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        x[i] *= factor;
}

#ifndef GP_NN_DOUBLE
/** The bits of a number, and back. */
GP_NN_INLINE uint32_t gp_nn_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
GP_NN_INLINE float gp_nn_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/** yes where pick is 1, no where it is 0: by bits, as compilers make a branch of `? :` on CPUs
 *  without blends. */
GP_NN_INLINE float gp_nn_select(int pick, float yes, float no) {
    uint32_t mask = 0 - (uint32_t)pick;
    return gp_nn_float((gp_nn_bits(yes) & mask) | (gp_nn_bits(no) & ~mask));
}
#endif

/** e^x, within 1.5 units of the last place; x below -87 counts as -87, above 88 as 88 (in double:
 *  the library's). NaN stays NaN. */
GP_NN_INLINE gp_real gp_nn_exp(gp_real x) {
#ifdef GP_NN_DOUBLE
    return exp(x);
#else
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to whole numbers */
    x = gp_nn_select(x < -87.0f, -87.0f, x);
    x = gp_nn_select(x > 88.0f, 88.0f, x);
    float t = x * 1.44269504f + magic, n = t - magic;
    float r = x - n * 0.693359375f - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * gp_nn_float((gp_nn_bits(t) + 127u) << 23); /* n sits in the low bits of t */
#endif
}

/** The part of x that GELU lets through: (1 + tanh u) / 2 = 1 / (1 + e^-2u). */
GP_NN_INLINE gp_real gp_nn_gelu_gate(gp_real x) {
    const gp_real two_root = (gp_real)1.5957691216057308; /* 2 sqrt(2 / pi) */
    return 1 / (1 + gp_nn_exp(-two_root * (x + (gp_real)0.044715 * x * x * x)));
}

/** d gelu / d x, from the gate at x. */
GP_NN_INLINE gp_real gp_nn_gelu_slope(gp_real x, gp_real gate) {
    const gp_real two_root = (gp_real)1.5957691216057308, three = (gp_real)(3 * 0.044715);
    return gate + x * gate * (1 - gate) * (two_root * (1 + three * x * x));
}

#endif
