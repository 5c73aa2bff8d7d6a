/* AdamW: steps by hand, ranges cut anywhere, flags of tensors, the schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/nn/adamw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 96 };

/* A matrix of 3 x 7 that decays, a vector of 5, an embedding of 2 x 16 that is sparse and
 * decays: 32 + 16 + 32 numbers with padding, and a last tensor of 16. */
typedef struct fixture {
    gp_nn_table table;
    gp_nn_adamw adamw;
    gp_real gradient[NUMBERS], m[NUMBERS], v[NUMBERS], parameter[NUMBERS];
} fixture;

static void init(fixture *f) {
    gp_err err = {0};
    memset(f, 0, sizeof *f);
    assert_int_equal(gp_nn_table_room(&f->table, 4, 1, &err), GP_OK);
    gp_nn_table_add(&f->table, 0, "matrix", 3, 7)->decays = 1;
    gp_nn_table_add(&f->table, 0, "vector", 1, 5);
    gp_nn_tensor *embedding = gp_nn_table_add(&f->table, 0, "embedding", 2, 16);
    embedding->decays = embedding->sparse = 1;
    gp_nn_table_add(&f->table, 0, "last", 1, 16);
    assert_int_equal(f->table.parameters, NUMBERS);
    f->adamw = (gp_nn_adamw){
        .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .decay = 0.1, .step = 1};
    gp_rng rng = gp_rng_stream(3, 70, 0, 0, 0);
    for (int k = 0; k < NUMBERS; k++) {
        f->gradient[k] = (gp_real)gp_rng_normal(&rng);
        f->parameter[k] = (gp_real)gp_rng_normal(&rng);
    }
}

static void step(fixture *f, int64_t first, int64_t count) {
    gp_nn_adamw_step(&f->adamw, &f->table, first, count, f->gradient + first, f->m + first,
                     f->v + first, f->parameter + first);
}

/* From the paper's lines, in double. */
static double reference(const gp_nn_adamw *a, int decays, int steps, const double *gradient,
                        double p) {
    double m = 0, v = 0;
    for (int t = 1; t <= steps; t++) {
        double g = gradient[t - 1];
        m = a->beta1 * m + (1 - a->beta1) * g;
        v = a->beta2 * v + (1 - a->beta2) * g * g;
        double unbiased = m / (1 - pow(a->beta1, t)), spread = v / (1 - pow(a->beta2, t));
        p -= a->rate * unbiased / (sqrt(spread) + a->epsilon) +
             (decays ? a->rate * a->decay * p : 0);
    }
    return p;
}

static void the_first_step_is_the_rate_against_the_sign_of_the_gradient(void **state) {
    (void)state;
    fixture f;
    init(&f);
    f.gradient[32] = (gp_real)0.5, f.gradient[33] = (gp_real)-3e-4;
    f.parameter[32] = 1, f.parameter[33] = 2;
    step(&f, 0, NUMBERS);
    assert_true(fabs((double)f.parameter[32] - 0.99) < 1e-7); /* a rounding of float */
    assert_true(fabs((double)f.parameter[33] - 2.01) <
                3e-7 + 1e-6);                             /* and epsilon / 3e-4 of 0.01 */
    assert_true(fabs((double)f.m[32] - 0.05) < 1e-8);     /* a rounding */
    assert_true(fabs((double)f.v[32] - 0.00025) < 1e-10); /* a rounding */
    gp_nn_table_free(&f.table);
}

static void twenty_steps_follow_the_paper(void **state) {
    (void)state;
    fixture f;
    init(&f);
    gp_real start[NUMBERS];
    double gradient[NUMBERS][20];
    memcpy(start, f.parameter, sizeof start);
    gp_rng rng = gp_rng_stream(4, 70, 0, 0, 0);
    for (int t = 0; t < 20; t++) {
        for (int k = 0; k < NUMBERS; k++) {
            f.gradient[k] = (gp_real)(gp_rng_normal(&rng) + 0.5);
            gradient[k][t] = (double)f.gradient[k];
        }
        f.adamw.step = t + 1;
        step(&f, 0, NUMBERS);
    }
    for (int k = 0; k < 37; k++) {
        if (k >= 21 && k < 32)
            continue; /* padding */
        double want = reference(&f.adamw, k < 21, 20, gradient[k], (double)start[k]);
        assert_true(fabs((double)f.parameter[k] - want) < 2e-6); /* 20 steps of a float near 3 */
    }
    gp_nn_table_free(&f.table);
}

static void a_range_cut_anywhere_gives_the_same_bytes(void **state) {
    (void)state;
    fixture whole, cut;
    init(&whole);
    whole.adamw.l1 = 5;
    step(&whole, 0, NUMBERS);
    for (int64_t first = 0; first < NUMBERS; first += 5) {
        init(&cut);
        cut.adamw.l1 = whole.adamw.l1;
        step(&cut, 0, first);
        step(&cut, first, 3);
        step(&cut, first + 3, NUMBERS - first - 3);
        assert_memory_equal(cut.parameter, whole.parameter, sizeof cut.parameter);
        assert_memory_equal(cut.m, whole.m, sizeof cut.m);
        assert_memory_equal(cut.v, whole.v, sizeof cut.v);
        gp_nn_table_free(&cut.table);
    }
    gp_nn_table_free(&whole.table);
}

static void frozen_tensors_and_padding_are_left_as_they_are(void **state) {
    (void)state;
    const uint8_t frozen[] = {0, 1, 0, 1};
    fixture f, before;
    init(&f);
    f.adamw.frozen = frozen;
    before = f;
    step(&f, 0, NUMBERS);
    for (int k = 0; k < NUMBERS; k++) {
        int moves = k < 21 || (k >= 48 && k < 80);
        assert_int_equal(f.parameter[k] != before.parameter[k], moves);
        assert_int_equal(f.m[k] != 0, moves);
        assert_int_equal(f.v[k] != 0, moves);
    }
    gp_nn_table_free(&f.table);
}

static void only_matrices_decay(void **state) {
    (void)state;
    fixture f;
    init(&f);
    f.adamw.decay = 0.5; /* times the rate: 1 / 200 */
    memset(f.gradient, 0, sizeof f.gradient);
    for (int k = 0; k < NUMBERS; k++)
        f.parameter[k] = 4;
    step(&f, 0, NUMBERS);
    assert_true(fabs((double)f.parameter[20] - 3.98) < 3e-7); /* a rounding of float */
    assert_true(f.parameter[21] == 4 && f.parameter[32] == 4 && f.parameter[95] == 4);
    assert_true(fabs((double)f.parameter[79] - 3.98) < 3e-7); /* the same */
    gp_nn_table_free(&f.table);
}

static void sparse_tensors_move_to_zero_and_stop_there(void **state) {
    (void)state;
    fixture f;
    init(&f);
    f.adamw.decay = 0, f.adamw.l1 = 25, f.adamw.rate = 0.01; /* 0.25 towards 0 */
    memset(f.gradient, 0, sizeof f.gradient);
    const gp_real start[] = {1, -1, (gp_real)0.125, (gp_real)-0.125, 0, (gp_real)0.25, NAN};
    const gp_real end[] = {(gp_real)0.75, (gp_real)-0.75, 0, 0, 0, 0};
    memcpy(f.parameter + 48, start, sizeof start);
    memcpy(f.parameter, start, sizeof start);
    step(&f, 0, NUMBERS);
    for (int k = 0; k < 6; k++) {
        assert_true(f.parameter[48 + k] == end[k]);
        assert_true(f.parameter[k] == start[k]); /* not sparse */
    }
    assert_true(isnan(f.parameter[54])); /* not hidden */
    gp_nn_table_free(&f.table);
}

static void the_rate_warms_up_and_follows_half_a_cosine(void **state) {
    (void)state;
    assert_true(gp_nn_rate(0.5, 1, 4, 24) == 0.125);
    assert_true(gp_nn_rate(0.5, 4, 4, 24) == 0.5);
    assert_true(fabs(gp_nn_rate(0.5, 14, 4, 24) - 0.25) < 1e-16); /* half way; a rounding */
    assert_true(gp_nn_rate(0.5, 24, 4, 24) == 0);
    assert_true(gp_nn_rate(0.5, 30, 4, 24) == 0);
    assert_true(gp_nn_rate(0.5, 1, 0, 24) < 0.5);
    assert_true(gp_nn_rate(0.5, 3, 3, 3) == 0.5); /* all of it warm-up */
    double before = 1;
    for (int64_t t = 1; t < 1000; t++) {
        double got = gp_nn_rate(1, t, 0, 1000), want = (1 + cos(acos(-1) * (double)t / 1000)) / 2;
        assert_true(fabs(got - want) < 1e-15); /* some roundings of numbers up to 1 */
        assert_true(got < before);
        before = got;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_step_is_the_rate_against_the_sign_of_the_gradient),
        cmocka_unit_test(twenty_steps_follow_the_paper),
        cmocka_unit_test(a_range_cut_anywhere_gives_the_same_bytes),
        cmocka_unit_test(frozen_tensors_and_padding_are_left_as_they_are),
        cmocka_unit_test(only_matrices_decay),
        cmocka_unit_test(sparse_tensors_move_to_zero_and_stop_there),
        cmocka_unit_test(the_rate_warms_up_and_follows_half_a_cosine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
