/* The shape and the table of parameters: sizes by hand, flags by name, starts by their
 * streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/rng.h"
#include "src/nn/parameters.h"
#include "tests/support/fail_alloc.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t FIRST[] = {0, 3, 5, 9};
static const gp_nn_loss LOSS[] = {GP_NN_SQUARED, GP_NN_LOGISTIC};

/* 9 variants in patches of 3, 2 and 4, one covariate, two traits, two blocks of 4 channels. */
static gp_nn_shape small(void) {
    return (gp_nn_shape){.variants = 9,
                         .patches = 3,
                         .first = FIRST,
                         .covariates = 1,
                         .traits = 2,
                         .loss = LOSS,
                         .channels = 4,
                         .layers = 2,
                         .heads = 2,
                         .rotary = 2};
}

typedef struct expected {
    const char *name;
    int64_t rows, columns, first;
    int group;
} expected;

static void tensors_lie_group_by_group_at_multiples_of_16(void **state) {
    (void)state;
    static const expected want[] = {
        {"norm.weight", 1, 4, 0, 0},          {"norm.bias", 1, 4, 16, 0},
        {"head.weight", 2, 4, 32, 0},         {"head.bias", 1, 2, 48, 0},
        {"linear.weight", 9, 2, 64, 0},       {"decode.weight", 9, 4, 96, 0},
        {"decode.bias", 1, 9, 144, 0},        {"block.1.norm.weight", 1, 4, 160, 1},
        {"block.1.norm.bias", 1, 4, 176, 1},  {"block.1.qkv.weight", 12, 4, 192, 1},
        {"block.1.out.weight", 4, 4, 240, 1}, {"block.1.up.weight", 16, 4, 256, 1},
        {"block.1.up.bias", 1, 16, 320, 1},   {"block.1.down.weight", 4, 16, 336, 1},
        {"block.1.down.bias", 1, 4, 400, 1},  {"block.0.norm.weight", 1, 4, 416, 2},
        {"block.0.norm.bias", 1, 4, 432, 2},  {"block.0.qkv.weight", 12, 4, 448, 2},
        {"block.0.out.weight", 4, 4, 496, 2}, {"block.0.up.weight", 16, 4, 512, 2},
        {"block.0.up.bias", 1, 16, 576, 2},   {"block.0.down.weight", 4, 16, 592, 2},
        {"block.0.down.bias", 1, 4, 656, 2},  {"patch.weight", 9, 4, 672, 3},
        {"patch.bias", 3, 4, 720, 3},         {"covariate.weight", 1, 4, 736, 3},
        {"covariate.bias", 1, 4, 752, 3},     {"mask.token", 1, 4, 768, 3}};
    gp_nn_shape shape = small();
    shape.decodes = 1;
    gp_nn_table table = {0};
    gp_err err = {0};
    assert_int_equal(gp_nn_table_init(&table, &shape, &err), GP_OK);
    assert_int_equal(table.count, sizeof want / sizeof *want);
    for (int64_t k = 0; k < table.count; k++) {
        const gp_nn_tensor *t = &table.tensor[k];
        assert_string_equal(t->name, want[k].name);
        assert_int_equal(t->rows, want[k].rows);
        assert_int_equal(t->columns, want[k].columns);
        assert_int_equal(t->first, want[k].first);
        assert_int_equal(t->group, want[k].group);
        assert_ptr_equal(gp_nn_table_find(&table, want[k].name), t);
    }
    const int64_t group_first[] = {0, 160, 416, 672, 784};
    assert_int_equal(table.groups, 4);
    assert_memory_equal(table.group_first, group_first, sizeof group_first);
    assert_int_equal(table.parameters, 784);
    assert_null(gp_nn_table_find(&table, "block.2.up.weight"));
    gp_nn_table_free(&table);
    gp_nn_table_free(&table); /* zeroed: nothing to do */
}

static void a_network_without_a_decoder_has_no_tensors_for_it(void **state) {
    (void)state;
    gp_nn_shape shape = small();
    shape.covariates = 0;
    gp_nn_table table = {0};
    gp_err err = {0};
    assert_int_equal(gp_nn_table_init(&table, &shape, &err), GP_OK);
    assert_null(gp_nn_table_find(&table, "decode.weight"));
    const gp_nn_tensor *t = gp_nn_table_find(&table, "covariate.weight");
    assert_int_equal(t->rows, 0);
    assert_int_equal(t[1].first, t->first); /* takes no room */
    gp_nn_table_free(&table);
}

static int ends(const char *name, const char *end) {
    size_t n = strlen(name), k = strlen(end);
    return n >= k && strcmp(name + n - k, end) == 0;
}

static void matrices_decay_and_blocks_adapt(void **state) {
    (void)state;
    gp_nn_shape shape = small();
    gp_nn_table table = {0};
    gp_err err = {0};
    assert_int_equal(gp_nn_table_init(&table, &shape, &err), GP_OK);
    for (int64_t k = 0; k < table.count; k++) {
        const gp_nn_tensor *t = &table.tensor[k];
        int norm = ends(t->name, "norm.weight"), linear = ends(t->name, "linear.weight");
        assert_int_equal(t->decays, ends(t->name, ".weight") && !norm && !linear);
        assert_int_equal(t->sparse, strcmp(t->name, "patch.weight") == 0);
        assert_int_equal(t->adapts,
                         strncmp(t->name, "block", 5) == 0 && ends(t->name, ".weight") && !norm);
    }
    gp_nn_table_free(&table);
}

static void starts_are_normal_numbers_of_a_stream_per_row(void **state) {
    (void)state;
    gp_nn_shape shape = small();
    gp_nn_table table = {0};
    gp_err err = {0};
    assert_int_equal(gp_nn_table_init(&table, &shape, &err), GP_OK);
    gp_real *x = gp_mem_alloc(table.parameters, sizeof *x, &err);
    for (int64_t k = 0; k < table.parameters; k++)
        x[k] = 99;
    gp_nn_start(&table, 5, x);
    const struct {
        const char *name;
        double deviation;
    } want[] = {{"patch.weight", 0.02},
                {"covariate.weight", 0.02},
                {"block.0.qkv.weight", 1 / sqrt(4)},
                {"block.0.up.weight", 1 / sqrt(4)},
                {"block.1.out.weight", 1 / sqrt(4)},
                {"block.1.down.weight", 1 / sqrt(16)}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        const gp_nn_tensor *t = gp_nn_table_find(&table, want[k].name);
        for (int64_t r = 0; r < t->rows; r++) {
            gp_rng rng = gp_rng_stream(5, 70, (uint32_t)(t - table.tensor), (uint32_t)r, 0);
            for (int64_t c = 0; c < t->columns; c++)
                assert_true(x[t->first + r * t->columns + c] ==
                            (gp_real)(want[k].deviation * gp_rng_normal(&rng)));
        }
    }
    free(x);
    gp_nn_table_free(&table);
}

static void norms_start_as_ones_and_the_rest_and_padding_as_zeros(void **state) {
    (void)state;
    gp_nn_shape shape = small();
    gp_nn_table table = {0};
    gp_err err = {0};
    assert_int_equal(gp_nn_table_init(&table, &shape, &err), GP_OK);
    gp_real *x = gp_mem_alloc(table.parameters, sizeof *x, &err);
    for (int64_t k = 0; k < table.parameters; k++)
        x[k] = 99;
    gp_nn_start(&table, 5, x);
    for (int64_t k = 0; k < table.count; k++) {
        const gp_nn_tensor *t = &table.tensor[k];
        int64_t end = t->first + t->rows * t->columns;
        int64_t next = k + 1 < table.count ? t[1].first : table.parameters;
        for (int64_t i = t->first; i < end; i++)
            assert_true(t->deviation > 0 || x[i] == (ends(t->name, "norm.weight") ? 1 : 0));
        for (int64_t i = end; i < next; i++)
            assert_true(x[i] == 0);
    }
    free(x);
    gp_nn_table_free(&table);
}

static void starts_do_not_depend_on_threads_and_do_on_the_seed(void **state) {
    (void)state;
    gp_nn_shape shape = small();
    gp_nn_table table = {0};
    gp_err err = {0};
    assert_int_equal(gp_nn_table_init(&table, &shape, &err), GP_OK);
    gp_real *x[3];
    for (int k = 0; k < 3; k++) {
        x[k] = gp_mem_alloc(table.parameters, sizeof *x[k], &err);
        omp_set_num_threads(k == 0 ? 1 : 3);
        gp_nn_start(&table, k == 2 ? 7 : 6, x[k]);
    }
    size_t bytes = (size_t)table.parameters * sizeof(gp_real);
    assert_memory_equal(x[0], x[1], bytes);
    assert_true(memcmp(x[0], x[2], bytes) != 0);
    for (int k = 0; k < 3; k++)
        free(x[k]);
    gp_nn_table_free(&table);
}

static void refuses(gp_nn_shape shape, const char *words) {
    gp_err err = {0};
    gp_nn_table table = {0};
    assert_int_equal(gp_nn_shape_check(&shape, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, words));
    err = (gp_err){0};
    assert_int_equal(gp_nn_table_init(&table, &shape, &err), GP_EINPUT);
    gp_nn_table_free(&table);
}

static void sizes_that_do_not_fit_are_refused_in_words_of_the_options(void **state) {
    (void)state;
    gp_nn_shape shape = small();
    gp_err err = {0};
    assert_int_equal(gp_nn_shape_check(&shape, &err), GP_OK);
    shape.heads = 3;
    refuses(shape, "--heads 3 does not divide --channels 4");
    shape = small(), shape.heads = 0;
    refuses(shape, "--heads 0");
    shape = small(), shape.channels = 0;
    refuses(shape, "--channels 0");
    shape = small(), shape.layers = -1;
    refuses(shape, "--layers -1");
    shape = small(), shape.rotary = 1;
    refuses(shape, "--rotary 1");
    shape = small(), shape.rotary = 4; /* a head has 2 */
    refuses(shape, "--rotary 4");
    shape = small(), shape.patches = shape.variants = shape.covariates = 0;
    refuses(shape, "reads nothing");
    shape = small(), shape.traits = 0;
    refuses(shape, "no trait");
    shape = small(), shape.variants = 8;
    refuses(shape, "do not cover the 8 variants");
    shape = small(), shape.variants = -1;
    refuses(shape, "below 0");
    shape = small(), shape.traits = (int64_t)1 << 40;
    refuses(shape, "2147483647");
    shape = small(), shape.channels = (int64_t)1 << 40;
    refuses(shape, "larger than any memory");
    const int64_t empty[] = {0, 3, 3, 9};
    shape = small(), shape.first = empty;
    refuses(shape, "patch 2 has no variant");
}

static int make(void *context, gp_err *err) {
    gp_nn_shape shape = small();
    gp_nn_table *table = context;
    gp_nn_table_init(table, &shape, err);
    gp_nn_table_free(table);
    return err->code;
}

static void a_failed_allocation_comes_back(void **state) {
    (void)state;
    gp_nn_table table = {0};
    assert_int_equal(gp_test_fail_each(make, &table), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_lie_group_by_group_at_multiples_of_16),
        cmocka_unit_test(a_network_without_a_decoder_has_no_tensors_for_it),
        cmocka_unit_test(matrices_decay_and_blocks_adapt),
        cmocka_unit_test(starts_are_normal_numbers_of_a_stream_per_row),
        cmocka_unit_test(norms_start_as_ones_and_the_rest_and_padding_as_zeros),
        cmocka_unit_test(starts_do_not_depend_on_threads_and_do_on_the_seed),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused_in_words_of_the_options),
        cmocka_unit_test(a_failed_allocation_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
