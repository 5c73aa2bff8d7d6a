#include "src/nn/adamw.h"
#include "src/base/split.h"

#include <math.h>
#include <stddef.h>

/* Constants of a step, as the loop wants them. */
typedef struct constants {
    gp_real keep1, add1, keep2, add2; /* of the moments */
    gp_real rate;                     /* of m, with its bias correction */
    gp_real root;                     /* of sqrt(v): the bias correction */
    gp_real epsilon, decay;
    gp_real threshold; /* L1 */
} constants;

/* Numbers in memory, all at the same place among the parameters. */
typedef struct numbers {
    const gp_real *gradient;
    gp_real *m, *v, *parameter;
} numbers;

/* x to the k, in an order of its own: libm's last bit depends on the CPU. */
static double power(double x, int64_t k) {
    double y = 1;
    for (; k > 0; k /= 2, x *= x)
        if (k % 2 != 0)
            y *= x;
    return y;
}

static constants constants_of(const gp_nn_adamw *a) {
    return (constants){.keep1 = (gp_real)a->beta1,
                       .add1 = (gp_real)(1 - a->beta1),
                       .keep2 = (gp_real)a->beta2,
                       .add2 = (gp_real)(1 - a->beta2),
                       .rate = (gp_real)(a->rate / (1 - power(a->beta1, a->step))),
                       .root = (gp_real)(1 / sqrt(1 - power(a->beta2, a->step))),
                       .epsilon = (gp_real)a->epsilon,
                       .decay = (gp_real)(a->rate * a->decay),
                       .threshold = (gp_real)(a->rate * a->l1)};
}

static gp_real root_of(gp_real x) {
    return sizeof x == sizeof(float) ? (gp_real)sqrtf((float)x) : (gp_real)sqrt((double)x);
}

/* Each number by itself, in one order of roundings: ranges may be cut anywhere. */
static void move(constants s, int64_t count, numbers x) {
    const gp_real *restrict gradient = x.gradient;
    gp_real *restrict m = x.m, *restrict v = x.v, *restrict parameter = x.parameter;
    for (int64_t k = 0; k < count; k++) {
        gp_real g = gradient[k], p = parameter[k];
        m[k] = s.keep1 * m[k] + s.add1 * g;
        v[k] = s.keep2 * v[k] + s.add2 * (g * g);
        gp_real move = s.rate * m[k] / (root_of(v[k]) * s.root + s.epsilon);
        parameter[k] = p - (move + s.decay * p);
    }
}

/* Takes away what lies between -threshold and threshold: 0 where that is all; NaN stays. */
static void shrink(gp_real threshold, int64_t count, gp_real *restrict parameter) {
    for (int64_t k = 0; k < count; k++) {
        gp_real part = parameter[k] > threshold ? threshold : parameter[k];
        part = part < -threshold ? -threshold : part;
        parameter[k] -= part;
    }
}

void gp_nn_adamw_step(const gp_nn_adamw *adamw, const gp_nn_table *table, int64_t first,
                      int64_t count, const gp_real *gradient, gp_real *m, gp_real *v,
                      gp_real *parameter) {
    for (int64_t k = 0; k < table->count; k++) {
        const gp_nn_tensor *t = &table->tensor[k];
        int64_t begin = gp_most(t->first, first);
        int64_t end = gp_least(t->first + t->rows * t->columns, first + count);
        if (begin >= end || (adamw->frozen != NULL && adamw->frozen[k]))
            continue;
        constants s = constants_of(adamw);
        s.decay = t->decays ? s.decay : 0;
        int64_t at = begin - first;
        move(s, end - begin, (numbers){gradient + at, m + at, v + at, parameter + at});
        if (t->sparse && s.threshold > 0)
            shrink(s.threshold, end - begin, parameter + at);
    }
}

/* (1 + cos(pi x)) / 2 for 0 <= x <= 1, by the series of cos(pi x / 2): the same bits on every
 * CPU, so that ranks of different kinds keep the same parameters. */
static double half_cosine(double x) {
    double y = 1.5707963267948966 * x, cosine = 1;
    for (int k = 26; k > 0; k -= 2)
        cosine = 1 - cosine * (y * y) / (k * (k - 1));
    return cosine * cosine;
}

double gp_nn_rate(double peak, int64_t step, int64_t warmup, int64_t steps) {
    if (step < warmup)
        return peak * (double)step / (double)warmup;
    if (step >= steps)
        return step == warmup ? peak : 0;
    return peak * half_cosine((double)(step - warmup) / (double)(steps - warmup));
}
