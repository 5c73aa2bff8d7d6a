/* Low-rank updates: whole numbers against the definition, loop by loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/rng.h"
#include "src/nn/lora.h"
#include "tests/support/fail_alloc.h"

#include <math.h>
#include <stdlib.h>

enum { CHANNELS = 20, RANK = 3 };
static const int64_t FIRST[] = {0, 4};
static const gp_nn_loss LOSS[] = {GP_NN_SQUARED};

typedef struct fixture {
    gp_nn_table table;
    gp_nn_lora lora;
    gp_real *parameter, *other; /* of the network */
    gp_real *to;                /* of the adapters */
} fixture;

static void table_of(gp_nn_table *table, int64_t layers) {
    gp_nn_shape shape = {.variants = 4,
                         .patches = 1,
                         .first = FIRST,
                         .traits = 1,
                         .loss = LOSS,
                         .channels = CHANNELS,
                         .layers = layers,
                         .heads = 2};
    gp_err err = {0};
    assert_int_equal(gp_nn_table_init(table, &shape, &err), GP_OK);
}

static gp_real *whole_numbers(int64_t count, uint32_t stream) {
    gp_err err = {0};
    gp_real *x = gp_mem_alloc(count, sizeof *x, &err);
    gp_rng rng = gp_rng_stream(1, 75, stream, 0, 0);
    for (int64_t k = 0; k < count; k++)
        x[k] = (gp_real)(gp_rng_below(&rng, 15) - 7);
    return x;
}

static void init(fixture *f) {
    gp_err err = {0};
    memset(f, 0, sizeof *f);
    table_of(&f->table, 2);
    f->parameter = whole_numbers(f->table.parameters, 100);
    f->other = whole_numbers(f->table.parameters, 101);
    assert_int_equal(gp_nn_lora_init(&f->lora, &f->table, f->parameter, RANK, 8, &err), GP_OK);
    f->to = whole_numbers(f->lora.table.parameters, 102);
}

static void end(fixture *f) {
    free(f->parameter);
    free(f->other);
    free(f->to);
    gp_nn_lora_free(&f->lora);
    gp_nn_lora_free(&f->lora); /* zeroed: nothing to do */
    gp_nn_table_free(&f->table);
}

static void each_matrix_that_adapts_has_two_adapters(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t rows, columns;
    } want[] = {{"block.1.qkv.lora_a", 3, 20},  {"block.1.qkv.lora_b", 60, 3},
                {"block.1.out.lora_a", 3, 20},  {"block.1.out.lora_b", 20, 3},
                {"block.1.up.lora_a", 3, 20},   {"block.1.up.lora_b", 80, 3},
                {"block.1.down.lora_a", 3, 80}, {"block.1.down.lora_b", 20, 3},
                {"block.0.qkv.lora_a", 3, 20}};
    fixture f;
    init(&f);
    assert_int_equal(f.lora.table.count, 16);
    assert_int_equal(f.lora.table.groups, 1);
    assert_int_equal(f.lora.table.group_first[1], f.lora.table.parameters);
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        assert_string_equal(f.lora.table.tensor[k].name, want[k].name);
        assert_int_equal(f.lora.table.tensor[k].rows, want[k].rows);
        assert_int_equal(f.lora.table.tensor[k].columns, want[k].columns);
    }
    end(&f);
}

static void a_starts_normal_and_b_as_zero(void **state) {
    (void)state;
    fixture f;
    init(&f);
    for (int64_t k = 0; k < f.lora.table.count; k++) {
        const gp_nn_tensor *t = &f.lora.table.tensor[k];
        const gp_real *x = f.lora.parameter + t->first;
        double deviation = 1 / sqrt((double)t->columns);
        for (int64_t r = 0; r < t->rows; r++) {
            gp_rng rng = gp_rng_stream(8, 75, (uint32_t)k, (uint32_t)r, 0);
            for (int64_t c = 0; c < t->columns; c++, x++)
                assert_true(*x == (k % 2 ? 0 : (gp_real)(gp_rng_normal(&rng) * deviation)));
        }
    }
    end(&f);
}

static void before_training_the_network_is_as_it_was(void **state) {
    (void)state;
    fixture f;
    init(&f);
    size_t bytes = (size_t)f.table.parameters * sizeof *f.other;
    memcpy(f.other, f.parameter, bytes);
    for (int64_t k = 0; k < f.table.count; k++)
        if (f.table.tensor[k].adapts)
            f.other[f.table.tensor[k].first + 7] = 99;
    gp_nn_lora_apply(&f.lora, &f.table, f.other);
    assert_memory_equal(f.other, f.parameter, bytes);
    end(&f);
}

/* Whole numbers: exact in any order of sums. */
static void matrices_are_base_plus_twice_the_product(void **state) {
    (void)state;
    fixture f;
    init(&f);
    free(f.lora.parameter);
    f.lora.parameter = whole_numbers(f.lora.table.parameters, 103);
    gp_real *before = whole_numbers(f.table.parameters, 101);
    gp_nn_lora_apply(&f.lora, &f.table, f.other);
    const gp_nn_tensor *pair = f.lora.table.tensor;
    for (int64_t k = 0; k < f.table.count; k++) {
        const gp_nn_tensor *t = &f.table.tensor[k];
        const gp_real *a = f.lora.parameter + pair[0].first, *b = f.lora.parameter + pair[1].first;
        for (int64_t i = 0; i < t->rows * t->columns; i++) {
            gp_real want = before[t->first + i];
            if (t->adapts) {
                want = f.parameter[t->first + i];
                for (int r = 0; r < RANK; r++)
                    want += 2 * b[i / t->columns * RANK + r] * a[r * t->columns + i % t->columns];
            }
            assert_true(f.other[t->first + i] == want);
        }
        pair += t->adapts ? 2 : 0;
    }
    free(before);
    end(&f);
}

/* d loss / d theta for loss = sum of gradient * W, which is linear in each adapter: its
 * difference for a step of 1 is exact. */
static void gradients_are_differences_of_what_they_move(void **state) {
    (void)state;
    fixture f;
    init(&f);
    free(f.lora.parameter);
    f.lora.parameter = whole_numbers(f.lora.table.parameters, 103);
    gp_real *gradient = whole_numbers(f.table.parameters, 104);
    gp_nn_lora_gradient(&f.lora, &f.table, gradient, f.to);
    for (int64_t k = 0; k < f.lora.table.count; k++) {
        const gp_nn_tensor *t = &f.lora.table.tensor[k];
        int64_t count = t->rows * t->columns;
        for (int64_t i = 0; i < count; i += 11) {
            double loss[2] = {0};
            for (int at = 0; at < 2; at++) {
                f.lora.parameter[t->first + i] += (gp_real)at;
                gp_nn_lora_apply(&f.lora, &f.table, f.other);
                for (int64_t j = 0; j < f.table.count; j++)
                    for (int64_t n = 0; f.table.tensor[j].adapts &&
                                        n < f.table.tensor[j].rows * f.table.tensor[j].columns;
                         n++)
                        loss[at] += (double)gradient[f.table.tensor[j].first + n] *
                                    (double)f.other[f.table.tensor[j].first + n];
            }
            f.lora.parameter[t->first + i] -= 1;
            assert_true((double)f.to[t->first + i] == loss[1] - loss[0]);
        }
        for (int64_t i = count; i % 16 != 0; i++)
            assert_true(f.to[t->first + i] == 0); /* padding */
    }
    free(gradient);
    end(&f);
}

static void ranks_that_do_not_fit_are_refused(void **state) {
    (void)state;
    gp_nn_table table = {0}, flat = {0};
    gp_nn_lora lora = {0};
    table_of(&table, 1);
    table_of(&flat, 0);
    gp_real *parameter = whole_numbers(table.parameters, 1);
    const int64_t rank[] = {0, -2, CHANNELS + 1};
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        assert_int_equal(gp_nn_lora_init(&lora, &table, parameter, rank[k], 1, &err), GP_EINPUT);
        assert_non_null(strstr(err.text, "must be 1 to 20"));
        gp_nn_lora_free(&lora);
    }
    gp_err err = {0};
    assert_int_equal(gp_nn_lora_init(&lora, &flat, parameter, 2, 1, &err), GP_EINPUT);
    gp_nn_lora_free(&lora);
    free(parameter);
    gp_nn_table_free(&table);
    gp_nn_table_free(&flat);
}

static int make(void *context, gp_err *err) {
    fixture *f = context;
    gp_nn_lora lora = {0};
    gp_nn_lora_init(&lora, &f->table, f->parameter, RANK, 1, err);
    gp_nn_lora_free(&lora);
    return err->code;
}

static void a_failed_allocation_comes_back(void **state) {
    (void)state;
    fixture f;
    init(&f);
    assert_int_equal(gp_test_fail_each(make, &f), 4);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_matrix_that_adapts_has_two_adapters),
        cmocka_unit_test(a_starts_normal_and_b_as_zero),
        cmocka_unit_test(before_training_the_network_is_as_it_was),
        cmocka_unit_test(matrices_are_base_plus_twice_the_product),
        cmocka_unit_test(gradients_are_differences_of_what_they_move),
        cmocka_unit_test(ranks_that_do_not_fit_are_refused),
        cmocka_unit_test(a_failed_allocation_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
