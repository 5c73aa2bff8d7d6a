#include "src/nn/adamw.h"
#include "src/base/split.h"
#include "src/nn/loops.h"

#include <math.h>
#include <stddef.h>

/* x to the k, in an order of its own: libm's last bit depends on the CPU. */
static double power(double x, int64_t k) {
    double y = 1;
    for (; k > 0; k /= 2, x *= x)
        if (k % 2 != 0)
            y *= x;
    return y;
}

static gp_nn_moving moving_of(const gp_nn_adamw *a) {
    return (gp_nn_moving){.keep1 = (gp_real)a->beta1,
                          .add1 = (gp_real)(1 - a->beta1),
                          .keep2 = (gp_real)a->beta2,
                          .add2 = (gp_real)(1 - a->beta2),
                          .rate = (gp_real)(a->rate / (1 - power(a->beta1, a->step))),
                          .root = (gp_real)(1 / sqrt(1 - power(a->beta2, a->step))),
                          .epsilon = (gp_real)a->epsilon,
                          .decay = (gp_real)(a->rate * a->decay),
                          .threshold = (gp_real)(a->rate * a->l1)};
}

void gp_nn_adamw_step(const gp_nn_adamw *adamw, const gp_nn_table *table, int64_t first,
                      int64_t count, const gp_real *gradient, gp_real *m, gp_real *v,
                      gp_real *parameter) {
    const gp_nn_loops *loops = gp_nn_loops_chosen();
    for (int64_t k = 0; k < table->count; k++) {
        const gp_nn_tensor *t = &table->tensor[k];
        int64_t begin = gp_most(t->first, first);
        int64_t end = gp_least(t->first + t->rows * t->columns, first + count);
        if (begin >= end || (adamw->frozen != NULL && adamw->frozen[k]))
            continue;
        gp_nn_moving s = moving_of(adamw);
        s.decay = t->decays ? s.decay : 0;
        int64_t at = begin - first;
        loops->move(&s, end - begin, &(gp_nn_moved){gradient + at, m + at, v + at, parameter + at});
        if (t->sparse && s.threshold > 0)
            loops->shrink(s.threshold, end - begin, parameter + at);
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
