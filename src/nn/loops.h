/** The loops over numbers that take time beside the products, for the CPU's widest vectors.
 *  Private to src/nn.
 *
 *  Written once, in loops_body.h, and compiled for each kind of vectors. Every operation rounds
 *  once and sums have one order (src/nn/vector.h), so that all give the same bytes; which one
 *  runs goes with the kernel of the exact products (GP_KERNEL, src/geno/cpu.h). Local,
 *  thread-safe.
 */
#ifndef GP_SRC_NN_LOOPS_H
#define GP_SRC_NN_LOOPS_H

#include "src/nn/norm.h"
#include "src/nn/real.h"
#include <stdint.h>

/** A stream of dropout (src/nn/dropout.h). */
typedef struct gp_nn_dropping {
    uint32_t key[2], counter[4]; /* of src/base/rng.h, at the stream's start */
    uint32_t below;
    gp_real scale;
} gp_nn_dropping;

/** Constants of a step of AdamW. */
typedef struct gp_nn_moving {
    gp_real keep1, add1, keep2, add2; /* of the moments */
    gp_real rate;                     /* of m, with its bias correction */
    gp_real root;                     /* of sqrt(v): the bias correction */
    gp_real epsilon, decay;
    gp_real threshold; /* L1 */
} gp_nn_moving;

/** Numbers in memory, all at the same place among the parameters. */
typedef struct gp_nn_moved {
    const gp_real *gradient;
    gp_real *m, *v, *parameter;
} gp_nn_moved;

typedef struct gp_nn_loops {
    const char *name; /* portable, avx2 or avx512 */
    /** Whether this CPU has them. */
    int (*runs_here)(void);

    /** As in gelu.h and norm.h. */
    void (*gelu_forward)(int64_t n, const gp_real *x, gp_real *y);
    void (*gelu_backward)(int64_t n, const gp_real *x, gp_real *d, gp_real *y);
    void (*norm_forward)(const gp_nn_norm *norm, const gp_real *x, const gp_nn_norm_kept *kept,
                         gp_real *y);
    void (*norm_again)(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *y);
    void (*norm_gradient)(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, const gp_real *dy,
                          gp_real *dweight, gp_real *dbias);
    void (*norm_backward)(const gp_nn_norm *norm, const gp_nn_norm_kept *kept, gp_real *dy,
                          gp_real *dx);

    /** A sample's numbers with dropout; x may be to. drop_onto adds them. */
    void (*drop)(const gp_nn_dropping *dropping, int64_t n, const gp_real *x, gp_real *to);
    void (*drop_onto)(const gp_nn_dropping *dropping, int64_t n, const gp_real *x, gp_real *to);

    /** Makes each row of x [tokens x tokens] e^x / their sum; what a token may not see gets 0.
     */
    void (*soften)(int64_t tokens, int causal, gp_real *x);
    /** Gradients of the rows of p become those of what softened to p: p (d - sum of p d). */
    void (*harden)(int64_t tokens, const gp_real *p, gp_real *d);

    /** to[n] += x[n]. */
    void (*add)(int64_t n, const gp_real *x, gp_real *to);
    /** Sums down the columns, row after row. */
    void (*column_sums)(int64_t rows, int64_t columns, const gp_real *x, gp_real *to);

    /** Each number by itself: ranges may be cut anywhere. */
    void (*move)(const gp_nn_moving *moving, int64_t n, const gp_nn_moved *x);
    /** Takes away what lies between -threshold and threshold: 0 where that is all; NaN stays. */
    void (*shrink)(gp_real threshold, int64_t n, gp_real *parameter);

    /** The largest magnitude; inf where one is not finite. */
    double (*largest)(int64_t n, const gp_real *x);
    /** value += round(x scale), to even in the middle, where |x scale| <= 2^50. */
    void (*add_rounded)(int64_t n, const gp_real *x, double scale, int64_t *value);
    /** The sum of squares, in eight sums; n is a multiple of 8. */
    double (*squares)(int64_t n, const int64_t *value);
    void (*times)(int64_t n, const int64_t *value, double factor, gp_real *to);
} gp_nn_loops;

extern const gp_nn_loops gp_nn_loops_portable;
#if defined(__x86_64__)
extern const gp_nn_loops gp_nn_loops_avx2;
extern const gp_nn_loops gp_nn_loops_avx512;
#endif

/** Those for this CPU; chosen once per process. */
const gp_nn_loops *gp_nn_loops_chosen(void);

/** The k-th that this program was built with, widest first; NULL at the end. */
const gp_nn_loops *gp_nn_loops_at(int k);

#endif
