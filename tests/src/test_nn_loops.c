/* The loops of src/nn/loops.h: all kinds of vectors give the same bytes, at every length; dropout's
 * bits are the generator's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/rng.h"
#include "src/nn/loops.h"
#include "tests/support/random.h"

#include <math.h>
#include <string.h>

enum { MOST = 400, ROWS = 5 };

/* What a run of a loop may read and write. */
typedef struct numbers {
    gp_real x[ROWS * MOST], y[ROWS * MOST], z[ROWS * MOST], w[ROWS * MOST], u[ROWS * MOST];
    int64_t value[MOST];
    double result;
} numbers;

static void fill(numbers *n) {
    uint64_t seed = 7;
    memset(n, 0, sizeof *n);
    for (int k = 0; k < ROWS * MOST; k++) {
        n->x[k] = (gp_real)(3 * gp_test_normal(&seed));
        n->y[k] = (gp_real)gp_test_normal(&seed);
        n->z[k] = (gp_real)gp_test_normal(&seed);
        n->w[k] = (gp_real)gp_test_uniform(&seed);
    }
    for (int k = 0; k < MOST; k++)
        n->value[k] = (int64_t)(1e17 * gp_test_normal(&seed));
}

typedef void run(const gp_nn_loops *loops, int64_t length, numbers *n);

static void run_gelu(const gp_nn_loops *loops, int64_t length, numbers *n) {
    loops->gelu_forward(length, n->x, n->u);
    loops->gelu_backward(length, n->x, n->y, n->z);
}

static void run_norm(const gp_nn_loops *loops, int64_t length, numbers *n) {
    const gp_nn_norm norm = {ROWS, length, n->y, n->y + MOST};
    const gp_nn_norm_kept kept = {n->z, n->w};
    loops->norm_forward(&norm, n->x, &kept, n->u);
    loops->norm_gradient(&norm, &kept, n->u, n->y + 2 * MOST, n->y + 3 * MOST);
    loops->norm_backward(&norm, &kept, n->x, n->u);
    loops->norm_again(&norm, &kept, n->x);
}

static gp_nn_dropping dropping(void) {
    gp_rng stream = gp_rng_stream(11, 71, 12, 13, 14);
    gp_nn_dropping d = {.below = 20000, .scale = 1.25};
    memcpy(d.key, stream.key, sizeof d.key);
    memcpy(d.counter, stream.counter, sizeof d.counter);
    return d;
}

static void run_drop(const gp_nn_loops *loops, int64_t length, numbers *n) {
    const gp_nn_dropping d = dropping();
    loops->drop(&d, length, n->x, n->u);
    loops->drop(&d, length, n->y, n->y);
    loops->drop_onto(&d, length, n->x, n->z);
}

static void run_softmax(const gp_nn_loops *loops, int64_t length, numbers *n) {
    int64_t tokens = (int64_t)sqrt((double)length);
    loops->soften(tokens, 0, n->x);
    loops->soften(tokens, 1, n->y);
    loops->harden(tokens, n->x, n->z);
}

static void run_sums(const gp_nn_loops *loops, int64_t length, numbers *n) {
    loops->add(length, n->x, n->y);
    loops->column_sums(ROWS, length, n->x, n->u);
    n->result = loops->largest(length, n->z) + loops->squares(length / 8 * 8, n->value);
    loops->times(length, n->value, 0x1p-40, n->w);
    loops->add_rounded(length, n->x, 0x1p30, n->value);
}

static void run_adamw(const gp_nn_loops *loops, int64_t length, numbers *n) {
    const gp_nn_moving moving = {(gp_real)0.9,  (gp_real)0.1,  (gp_real)0.999,
                                 (gp_real)1e-3, (gp_real)1e-2, (gp_real)3.1,
                                 (gp_real)1e-8, (gp_real)1e-4, 0};
    const gp_nn_moved moved = {n->x, n->y, n->w, n->z};
    loops->move(&moving, length, &moved);
    loops->shrink((gp_real)0.3, length, n->z);
}

/* Those that run here give the portable ones' bytes. */
static void compare(run *one) {
    static numbers wanted, got;
    for (int64_t length = 1; length < MOST; length += length < 70 ? 1 : 37)
        for (int k = 0; gp_nn_loops_at(k) != NULL; k++) {
            const gp_nn_loops *loops = gp_nn_loops_at(k);
            if (!loops->runs_here())
                continue;
            fill(&wanted);
            fill(&got);
            one(&gp_nn_loops_portable, length, &wanted);
            one(loops, length, &got);
            if (memcmp(&wanted, &got, sizeof got) != 0)
                fail_msg("%s differs at length %lld", loops->name, (long long)length);
        }
}

static void all_vectors_give_the_same_bytes(void **state) {
    (void)state;
    run *const runs[] = {run_gelu, run_norm, run_drop, run_softmax, run_sums, run_adamw};
    for (size_t k = 0; k < sizeof runs / sizeof runs[0]; k++)
        compare(runs[k]);
}

static void what_is_not_finite_is_seen_by_all(void **state) {
    (void)state;
    static gp_real x[MOST];
    for (int k = 0; gp_nn_loops_at(k) != NULL; k++)
        for (int at = 0; at < MOST && gp_nn_loops_at(k)->runs_here(); at += 3) {
            x[at] = at % 2 ? NAN : -INFINITY;
            assert_true(isinf(gp_nn_loops_at(k)->largest(MOST, x)));
            x[at] = -4;
            assert_true(gp_nn_loops_at(k)->largest(MOST, x) == 4);
            x[at] = 0;
        }
}

static void dropout_reads_the_streams_words_in_order(void **state) {
    (void)state;
    static numbers n;
    gp_rng stream = gp_rng_stream(11, 71, 12, 13, 14);
    fill(&n);
    run_drop(gp_nn_loops_chosen(), 391, &n);
    for (int64_t k = 0; k < 391; k += 2) {
        uint32_t word = gp_rng_next(&stream);
        assert_true(n.u[k] == ((word & 0xFFFF) < 20000 ? 0 : (gp_real)1.25 * n.x[k]));
        if (k + 1 < 391)
            assert_true(n.u[k + 1] == (word >> 16 < 20000 ? 0 : (gp_real)1.25 * n.x[k + 1]));
    }
    assert_true(n.u[391] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_vectors_give_the_same_bytes),
        cmocka_unit_test(what_is_not_finite_is_seen_by_all),
        cmocka_unit_test(dropout_reads_the_streams_words_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
