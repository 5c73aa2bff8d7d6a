#include "src/nn/bfloat16.h"

#ifdef GP_NN_ONEDNN
#include "src/base/mem.h"

#include <math.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && !defined(GP_NN_DOUBLE)
#include <immintrin.h>
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define WITH_INSTRUCTION
enum { IS_HERE = 1 };
#else
enum { IS_HERE = 0 };
#endif

enum {
    PLANS = 61,     /* shapes that a bench remembers */
    LEAST = 1 << 19 /* multiplications below which rounding and calling cost more than they save */
};

/* A product of one shape: c [rows x columns] = a [rows x inner] b [inner x columns]. */
typedef struct shape {
    int64_t rows, columns, inner, c_pitch;
    int32_t a_turned, b_turned, keep, unused;
} shape;

/* The library's program for it. */
typedef struct plan {
    shape of;
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t a, b, c;
} plan;

/* What one thread at a time works with. */
typedef struct bench {
    struct bench *next;
    dnnl_stream_t stream;
    uint16_t *a, *b; /* rounded, without gaps between rows */
    int64_t a_room, b_room;
    plan plan[PLANS]; /* by hash of the shape; a newcomer takes the place */
} bench;

typedef struct state {
    dnnl_engine_t engine;
    omp_lock_t lock;
    bench *idle; /* benches that no thread uses */
} state;

int gp_nn_bfloat16_has(void) {
    return IS_HERE && dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core_bf16 &&
           dnnl_get_effective_cpu_isa() != dnnl_cpu_isa_avx2_vnni;
}

void *gp_nn_bfloat16_open(gp_err *err) {
    if (!gp_nn_bfloat16_has()) {
        gp_err_set(err, GP_EINPUT,
                   "--precision bf16: this CPU does not multiply bfloat16 numbers (it needs "
                   "AVX512_BF16 or AMX); leave it float32");
        return NULL;
    }
    state *s = gp_mem_alloc(1, sizeof *s, err);
    if (s != NULL && dnnl_engine_create(&s->engine, dnnl_cpu, 0) != dnnl_success) {
        gp_err_set(err, GP_EFAIL, "oneDNN: it cannot be started; leave --precision float32");
        free(s);
        s = NULL;
    }
    if (s != NULL)
        omp_init_lock(&s->lock);
    return s;
}

static void free_bench(bench *b) {
    for (int k = 0; k < PLANS; k++)
        if (b->plan[k].primitive != NULL)
            dnnl_primitive_destroy(b->plan[k].primitive);
    if (b->stream != NULL)
        dnnl_stream_destroy(b->stream);
    free(b->a);
    free(b->b);
    free(b);
}

void gp_nn_bfloat16_close(void *opened) {
    state *s = opened;
    while (s->idle != NULL) {
        bench *b = s->idle;
        s->idle = b->next;
        free_bench(b);
    }
    omp_destroy_lock(&s->lock);
    dnnl_engine_destroy(s->engine);
    free(s);
}

/* ---- benches ---- */

static bench *take_bench(state *s) {
    gp_err err = {0};
    omp_set_lock(&s->lock);
    bench *b = s->idle;
    if (b != NULL)
        s->idle = b->next;
    omp_unset_lock(&s->lock);
    if (b != NULL || (b = gp_mem_alloc(1, sizeof *b, &err)) == NULL)
        return b;
    if (dnnl_stream_create(&b->stream, s->engine, dnnl_stream_default_flags) != dnnl_success) {
        free(b);
        return NULL;
    }
    return b;
}

static void give_bench(state *s, bench *b) {
    omp_set_lock(&s->lock);
    b->next = s->idle;
    s->idle = b;
    omp_unset_lock(&s->lock);
}

/* ---- numbers ---- */

/* Rounds to nearest, ties to even; what is not a number stays so. */
#ifdef WITH_INSTRUCTION
WIDE static void round_row(const gp_real *x, int64_t n, gp_real scale, uint16_t *to) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (int64_t i = 0; i < n; i += 16) {
        __mmask16 here = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : 0xFFFF;
        __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(here, x + i), factor);
        _mm256_mask_storeu_epi16(to + i, here, (__m256i)_mm512_cvtneps_pbh(value));
    }
}
#else
static void round_row(const gp_real *x, int64_t n, gp_real scale, uint16_t *to) {
    for (int64_t i = 0; i < n; i++) {
        float value = (float)(x[i] * scale);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        uint32_t up = bits + 0x7FFF + (bits >> 16 & 1);
        to[i] = (uint16_t)((value == value ? up : bits | 0x400000) >> 16);
    }
}
#endif

static uint16_t *round_matrix(gp_nn_view x, gp_real scale, uint16_t **room, int64_t *capacity) {
    gp_err err = {0};
    if (gp_mem_grow(room, capacity, x.rows * x.columns, sizeof **room, &err) != GP_OK)
        return NULL;
    for (int64_t i = 0; i < x.rows; i++)
        round_row(x.x + i * x.pitch, x.columns, scale, *room + i * x.columns);
    return *room;
}

/* ---- plans ---- */

static int describe(dnnl_memory_desc_t *desc, dnnl_data_type_t type, const int64_t size[2],
                    const int64_t stride[2]) {
    const dnnl_dims_t dims = {size[0], size[1]}, strides = {stride[0], stride[1]};
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides) == dnnl_success;
}

static int make_primitive(const state *s, plan *p) {
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t primitive = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t add = NULL;
    int fine = dnnl_matmul_desc_init(&desc, &p->a, &p->b, NULL, &p->c) == dnnl_success &&
               dnnl_primitive_attr_create(&attr) == dnnl_success &&
               dnnl_post_ops_create(&add) == dnnl_success;
    if (fine && p->of.keep)
        fine = dnnl_post_ops_append_sum(add, 1.0f) == dnnl_success &&
               dnnl_primitive_attr_set_post_ops(attr, add) == dnnl_success;
    fine = fine &&
           dnnl_primitive_desc_create(&primitive, &desc, attr, s->engine, NULL) == dnnl_success &&
           dnnl_primitive_create(&p->primitive, primitive) == dnnl_success;
    if (primitive != NULL)
        dnnl_primitive_desc_destroy(primitive);
    if (add != NULL)
        dnnl_post_ops_destroy(add);
    if (attr != NULL)
        dnnl_primitive_attr_destroy(attr);
    return fine;
}

static plan *find_plan(const state *s, bench *b, const shape *of) {
    const unsigned char *bytes = (const unsigned char *)of;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t k = 0; k < sizeof *of; k++)
        hash = (hash ^ bytes[k]) * 1099511628211u;
    plan *p = &b->plan[hash % PLANS];
    if (p->primitive != NULL && memcmp(&p->of, of, sizeof *of) == 0)
        return p;
    if (p->primitive != NULL)
        dnnl_primitive_destroy(p->primitive);
    *p = (plan){.of = *of};
    const int64_t a_stride[2] = {of->a_turned ? 1 : of->inner, of->a_turned ? of->rows : 1};
    const int64_t b_stride[2] = {of->b_turned ? 1 : of->columns, of->b_turned ? of->inner : 1};
    if (describe(&p->a, dnnl_bf16, (int64_t[]){of->rows, of->inner}, a_stride) &&
        describe(&p->b, dnnl_bf16, (int64_t[]){of->inner, of->columns}, b_stride) &&
        describe(&p->c, dnnl_f32, (int64_t[]){of->rows, of->columns},
                 (int64_t[]){of->c_pitch, 1}) &&
        make_primitive(s, p))
        return p;
    return NULL;
}

static int execute(const state *s, const bench *b, const plan *p, gp_real *c) {
    const dnnl_memory_desc_t *desc[3] = {&p->a, &p->b, &p->c};
    void *data[3] = {b->a, b->b, c};
    const int name[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    dnnl_exec_arg_t arg[3] = {{0}};
    int fine = 1;
    for (int k = 0; k < 3; k++) {
        arg[k].arg = name[k];
        fine =
            fine && dnnl_memory_create(&arg[k].memory, desc[k], s->engine, data[k]) == dnnl_success;
    }
    fine = fine && dnnl_primitive_execute(p->primitive, b->stream, 3, arg) == dnnl_success &&
           dnnl_stream_wait(b->stream) == dnnl_success;
    for (int k = 0; k < 3; k++)
        if (arg[k].memory != NULL)
            dnnl_memory_destroy(arg[k].memory);
    return fine;
}

/* No result: nobody shall take it for one. */
static void spoil(gp_nn_view c) {
    for (int64_t i = 0; i < c.rows; i++)
        for (int64_t k = 0; k < c.columns; k++)
            c.x[i * c.pitch + k] = NAN;
}

int gp_nn_bfloat16_multiply(void *opened, gp_nn_view a, gp_nn_view b, const gp_real factor[2],
                            gp_nn_view c) {
    state *s = opened;
    const shape of = {.rows = c.rows,
                      .columns = c.columns,
                      .inner = a.turned ? a.rows : a.columns,
                      .c_pitch = c.pitch,
                      .a_turned = a.turned,
                      .b_turned = b.turned,
                      .keep = factor[1] != 0};
    if (of.rows * of.columns * of.inner < LEAST)
        return 0;
    bench *at = take_bench(s);
    if (at == NULL) {
        spoil(c);
        return 1;
    }
    /* How the library cuts a product depends on the threads that it might have. */
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const plan *p = find_plan(s, at, &of);
    int done = p != NULL && round_matrix(a, factor[0], &at->a, &at->a_room) != NULL &&
               round_matrix(b, 1, &at->b, &at->b_room) != NULL && execute(s, at, p, c.x);
    omp_set_num_threads(threads);
    give_bench(s, at);
    if (!done)
        spoil(c);
    return 1;
}

#endif
