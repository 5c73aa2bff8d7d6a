/** Products in bfloat16, by oneDNN. Private to src/nn/engine.c.
 *
 *  Where the build has no oneDNN (GP_NN_ONEDNN is not defined) nothing of it is there.
 */
#ifndef GP_SRC_NN_BFLOAT16_H
#define GP_SRC_NN_BFLOAT16_H

#include "src/nn/engine.h"
#include <stddef.h>

#ifdef GP_NN_ONEDNN

/** Whether this CPU multiplies bfloat16 numbers. */
int gp_nn_bfloat16_has(void);

/** What the products keep between calls. NULL and an error where it cannot be made. */
void *gp_nn_bfloat16_open(gp_err *err);
void gp_nn_bfloat16_close(void *state);

/** As gp_nn_multiply; no size is 0. Thread-safe. Returns 0, with nothing done, for products that
 * are so small that float32 is as quick: a matter of the shape alone. Where memory is refused the
 *  result is NaN. */
int gp_nn_bfloat16_multiply(void *state, gp_nn_view a, gp_nn_view b, const gp_real factor[2],
                            gp_nn_view c);

#else

static inline int gp_nn_bfloat16_has(void) {
    return 0;
}

static inline void *gp_nn_bfloat16_open(gp_err *err) {
    gp_err_set(err, GP_EINPUT,
               "--precision bf16: this program was built without oneDNN; leave it float32, or "
               "build where CMake finds oneDNN");
    return NULL;
}

static inline void gp_nn_bfloat16_close(void *state) {
    (void)state;
}

static inline int gp_nn_bfloat16_multiply(void *state, gp_nn_view a, gp_nn_view b,
                                          const gp_real factor[2], gp_nn_view c) {
    (void)state, (void)a, (void)b, (void)factor, (void)c;
    return 0;
}

#endif

#endif
