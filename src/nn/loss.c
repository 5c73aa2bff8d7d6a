#include "src/nn/loss.h"
#include "src/base/real.h"

#include <math.h>
#include <stddef.h>

/* log(1 + e^y) - t y, such that nothing overflows. */
static double cross_entropy(double y, double t) {
    return (y > 0 ? y : 0) - t * y + gp_log1p(gp_exp(-fabs(y)));
}

double gp_nn_loss_forward(const gp_nn_shape *shape, const gp_nn_batch *batch,
                          const gp_real *output) {
    double sum = 0.0;
    if (batch->target == NULL)
        return sum;
    for (int64_t s = 0; s < batch->samples; s++)
        for (int64_t k = 0; k < shape->traits; k++) {
            double y = output[s * shape->traits + k], t = batch->target[s * shape->traits + k];
            if (isnan(t))
                continue;
            sum += shape->loss[k] == GP_NN_LOGISTIC ? cross_entropy(y, t) : 0.5 * (y - t) * (y - t);
        }
    return sum;
}

void gp_nn_loss_backward(const gp_nn_shape *shape, const gp_nn_batch *batch, const gp_real *output,
                         gp_real *doutput) {
    for (int64_t s = 0; s < batch->samples; s++)
        for (int64_t k = 0; k < shape->traits; k++) {
            int64_t at = s * shape->traits + k;
            double y = output[at], t = batch->target != NULL ? batch->target[at] : NAN;
            double mean = shape->loss[k] == GP_NN_LOGISTIC ? 1.0 / (1.0 + gp_exp(-y)) : y;
            doutput[at] = isnan(t) ? 0 : (gp_real)(mean - t);
        }
}
