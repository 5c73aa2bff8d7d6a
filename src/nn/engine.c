#include "src/nn/engine.h"
#include "src/base/blas.h"
#include "src/base/mem.h"
#include "src/nn/bfloat16.h"

#include <stdlib.h>
#include <string.h>
#if defined(GP_NN_ONEDNN) && defined(__x86_64__) && !defined(GP_NN_DOUBLE)
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#define WITH_ONEDNN
#endif

#ifdef GP_NN_DOUBLE
#define GEMM dgemm_
#else
#define GEMM sgemm_
#endif

void GEMM(const char *transa, const char *transb, const int *m, const int *n, const int *k,
          const gp_real *alpha, const gp_real *a, const int *lda, const gp_real *b, const int *ldb,
          const gp_real *beta, gp_real *c, const int *ldc);

struct gp_nn_engine {
    gp_nn_precision precision;
    void *bfloat16; /* NULL in float32 */
};

int gp_nn_engine_open(gp_nn_engine **engine, gp_nn_precision precision, gp_err *err) {
    gp_nn_engine *e = gp_mem_alloc(1, sizeof *e, err);
    if (e == NULL)
        return err->code;
    e->precision = precision;
    if (precision == GP_NN_BFLOAT16 && (e->bfloat16 = gp_nn_bfloat16_open(err)) == NULL) {
        free(e);
        return err->code;
    }
    gp_blas_threads(1);
    *engine = e;
    return GP_OK;
}

void gp_nn_engine_close(gp_nn_engine *engine) {
    if (engine != NULL && engine->bfloat16 != NULL)
        gp_nn_bfloat16_close(engine->bfloat16);
    free(engine);
}

int gp_nn_engine_has(gp_nn_precision precision) {
    return precision == GP_NN_FLOAT32 || gp_nn_bfloat16_has();
}

static void clear(gp_nn_view c) {
    for (int64_t i = 0; i < c.rows; i++)
        memset(c.x + i * c.pitch, 0, (size_t)c.columns * sizeof *c.x);
}

/* The library counts rows along memory: to it every matrix here is the transpose of what it is,
 * and c' = b' a'. */
static void blas(gp_nn_view a, gp_nn_view b, const gp_real factor[2], gp_nn_view c) {
    int m = (int)c.columns, n = (int)c.rows, k = (int)(a.turned ? a.rows : a.columns);
    int lda = (int)a.pitch, ldb = (int)b.pitch, ldc = (int)c.pitch;
    GEMM(b.turned ? "T" : "N", a.turned ? "T" : "N", &m, &n, &k, factor, b.x, &ldb, a.x, &lda,
         factor + 1, c.x, &ldc);
}

/* In float32, too, oneDNN is the quicker one on x86-64, but for small products. Returns 0, with
 * nothing done, for those: a matter of the shape alone. */
static int onednn(gp_nn_view a, gp_nn_view b, const gp_real factor[2], gp_nn_view c) {
#ifdef WITH_ONEDNN
    enum { LEAST = 1 << 18 /* multiplications */ };
    int64_t inner = a.turned ? a.rows : a.columns;
    if (c.rows * c.columns * inner < LEAST)
        return 0;
    /* How the library cuts a product depends on the threads that it might have. */
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    dnnl_status_t status =
        dnnl_sgemm(a.turned ? 'T' : 'N', b.turned ? 'T' : 'N', c.rows, c.columns, inner, factor[0],
                   a.x, a.pitch, b.x, b.pitch, factor[1], c.x, c.pitch);
    omp_set_num_threads(threads);
    return status == dnnl_success;
#else
    (void)a, (void)b, (void)factor, (void)c;
    return 0;
#endif
}

void gp_nn_multiply(const gp_nn_engine *engine, gp_nn_view a, gp_nn_view b, gp_real scale,
                    gp_real keep, gp_nn_view c) {
    const gp_real factor[2] = {scale, keep};
    int64_t inner = a.turned ? a.rows : a.columns;
    if (c.rows == 0 || c.columns == 0)
        return;
    if (inner == 0) {
        if (keep == 0)
            clear(c);
    } else if ((engine->precision == GP_NN_FLOAT32 ||
                !gp_nn_bfloat16_multiply(engine->bfloat16, a, b, factor, c)) &&
               !onednn(a, b, factor, c)) {
        blas(a, b, factor, c);
    }
}
