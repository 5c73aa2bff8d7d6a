/** Matrix products of the network, by libraries: in float32 OpenBLAS, or oneDNN where it was built
 *  in and is quicker (x86-64, all but small products); in bfloat16 oneDNN (products of rounded
 *  numbers, summed in float32), where the CPU has it.
 *
 *  A product is done by the calling thread alone; its bytes depend on the shapes, the numbers and
 *  the type of CPU, not on threads. Thread-safe: threads may call side by side.
 */
#ifndef GP_SRC_NN_ENGINE_H
#define GP_SRC_NN_ENGINE_H

#include "src/base/err.h"
#include "src/nn/real.h"
#include <stdint.h>

typedef struct gp_nn_engine gp_nn_engine;

typedef enum gp_nn_precision { GP_NN_FLOAT32, GP_NN_BFLOAT16 } gp_nn_precision;

/** GP_EINPUT where bfloat16 is not there: the message says why (not built in, or the CPU).
 *  Sets the linear algebra library to one thread a call. */
int gp_nn_engine_open(gp_nn_engine **engine, gp_nn_precision precision, gp_err *err);
void gp_nn_engine_close(gp_nn_engine *engine);

/** Whether this program and this CPU have it. */
int gp_nn_engine_has(gp_nn_precision precision);

/** A matrix in memory, or its transpose. */
typedef struct gp_nn_view {
    gp_real *x;            /* only written where it is a result */
    int64_t rows, columns; /* as stored */
    int64_t pitch;         /* numbers from one row to the next */
    int turned;            /* the product takes its transpose */
} gp_nn_view;

/** A matrix whose rows lie pitch numbers apart. */
static inline gp_nn_view gp_nn_part(const gp_real *x, int64_t rows, int64_t columns,
                                    int64_t pitch) {
    return (gp_nn_view){(gp_real *)(uintptr_t)x, rows, columns, pitch, 0};
}
static inline gp_nn_view gp_nn_matrix(const gp_real *x, int64_t rows, int64_t columns) {
    return gp_nn_part(x, rows, columns, columns);
}
/** The transpose of a view. */
static inline gp_nn_view gp_nn_turn(gp_nn_view view) {
    view.turned = !view.turned;
    return view;
}
static inline gp_nn_view gp_nn_turned(const gp_real *x, int64_t rows, int64_t columns) {
    return gp_nn_turn(gp_nn_matrix(x, rows, columns));
}

/** c = keep * c + scale * a b; keep is 0 or 1, c is not turned. Small or empty shapes are fine; all
 *  sizes fit an int (gp_nn_work_new sees to it for the network's). */
void gp_nn_multiply(const gp_nn_engine *engine, gp_nn_view a, gp_nn_view b, gp_real scale,
                    gp_real keep, gp_nn_view c);

#endif
