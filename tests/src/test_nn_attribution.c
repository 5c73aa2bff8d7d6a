/* Attributions: of a linear network, where they are its weights; sums of integrated gradients;
 * rollout against products of dense matrices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/code.h"
#include "src/geno/fixed.h"
#include "src/nn/attribution.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <stdlib.h>

enum { M = 23, PATCHES = 6, C = 2, P = 2, T = C + PATCHES, N = 40, SHARD = 7 };

static const int64_t first[PATCHES + 1] = {0, 5, 10, 12, 17, 22, M};
static const double position[PATCHES] = {0, 1, 1.5, 10, 12, 13};
static const int32_t chromosome[PATCHES] = {0, 0, 0, 1, 1, 1};
static const gp_nn_loss loss[P] = {GP_NN_SQUARED, GP_NN_LOGISTIC};
static double mean[M], scale[M];
static uint8_t calls[N][8];
static const uint8_t *row[N];
static int64_t sample[N];
static gp_real covariate[N * C];
static gp_nn_engine *engine;

static void make_data(void) {
    uint64_t random = 11;
    for (int64_t j = 0; j < M; j++) {
        mean[j] = 0.3 + gp_test_uniform(&random);
        scale[j] = 1.0 + gp_test_uniform(&random);
    }
    for (int64_t i = 0; i < N; i++) {
        row[i] = calls[i];
        sample[i] = i;
        for (int64_t j = 0; j < M; j++)
            gp_geno_set(calls[i], j, (int)gp_test_below(&random, 4));
        for (int64_t k = 0; k < C; k++)
            covariate[i * C + k] = (gp_real)gp_test_normal(&random);
    }
}

static int make_model(gp_nn_model *model, gp_err *err) {
    model->shape = (gp_nn_shape){.variants = M,
                                 .patches = PATCHES,
                                 .first = first,
                                 .position = position,
                                 .chromosome = chromosome,
                                 .chromosomes = 2,
                                 .covariates = C,
                                 .traits = P,
                                 .loss = loss,
                                 .channels = 8,
                                 .layers = 2,
                                 .heads = 2,
                                 .rotary = 2};
    model->mean = mean;
    model->scale = scale;
    model->engine = engine;
    return gp_nn_model_init(model, err);
}

static void set_random(gp_nn_model *model, const char *name, double size) {
    const gp_nn_tensor *tensor = gp_nn_table_find(&model->table, name);
    uint64_t random = 17;
    for (int64_t k = 0; k < tensor->rows * tensor->columns; k++)
        model->parameter[tensor->first + k] = (gp_real)(size * gp_test_normal(&random));
}

/* A network whose every part does something, or (linear) one that is its linear path alone. */
static void make(gp_nn_model *model, int linear) {
    gp_err err = {0};
    assert_int_equal(make_model(model, &err), GP_OK);
    for (int64_t k = 0; k < model->table.count && !linear; k++) {
        const gp_nn_tensor *tensor = &model->table.tensor[k];
        set_random(model, tensor->name, 0.3);
        for (int64_t i = 0; strstr(tensor->name, "norm.weight") != NULL && i < tensor->columns; i++)
            model->parameter[tensor->first + i] = 1;
    }
    set_random(model, "linear.weight", 0.3);
    if (linear)
        return;
    set_random(model, "head.weight", 1.0);
    set_random(model, "patch.weight", 0.2);
    set_random(model, "patch.bias", 1.0); /* without it, LayerNorm jumps where x leaves 0 */
    set_random(model, "block.0.qkv.weight", 0.6);
    set_random(model, "block.1.qkv.weight", 0.6);
}

static gp_nn_batch shard_of(int64_t from, int64_t count) {
    return (gp_nn_batch){.samples = count,
                         .calls = row + from,
                         .covariate = covariate + from * C,
                         .sample = sample + from,
                         .linear = 1};
}

static double x_of(const gp_nn_model *model, int64_t i, int64_t j) {
    return (double)model->level[4 * j + gp_geno_get(calls[i], j)];
}

static double weight_of(const gp_nn_model *model, int64_t j, int64_t t) {
    const gp_nn_tensor *tensor = gp_nn_table_find(&model->table, "linear.weight");
    return (double)model->parameter[tensor->first + (tensor->rows == M ? j * P + t : t * M + j)];
}

/* ---- sums over all samples ---- */

static void add_all(const gp_nn_model *model, int64_t steps, int backwards, gp_nn_attributions *a) {
    gp_nn_explainer e = {.models = 1, .model = model};
    gp_err err = {0};
    int64_t shards = (N + SHARD - 1) / SHARD;
    assert_int_equal(gp_nn_explainer_init(&e, SHARD, steps, &err), GP_OK);
    assert_int_equal(gp_nn_attributions_init(a, M, P, N, &err), GP_OK);
    for (int64_t k = 0; k < shards; k++) {
        int64_t from = (backwards ? shards - 1 - k : k) * SHARD;
        gp_nn_batch batch = shard_of(from, N - from < SHARD ? N - from : SHARD);
        gp_nn_explainer_begin(&e, &batch);
        for (int64_t t = 0; t < P; t++)
            gp_nn_attributions_add(a, &e, &batch, t);
    }
    gp_nn_explainer_free(&e);
}

static void of_a_linear_network_they_are_its_weights(void **state) {
    (void)state;
    gp_nn_model model = {0};
    make(&model, 1);
    for (int64_t steps = 0; steps <= 32; steps += 32) {
        gp_nn_attributions a = {0};
        double tolerance = steps == 0 ? 1e-12 : 1e-6; /* integers; sums of 32 floats */
        add_all(&model, steps, 0, &a);
        assert_int_equal(a.misfits, 0);
        for (int64_t t = 0; t < P; t++)
            for (int64_t j = 0; j < M; j++) {
                double w = weight_of(&model, j, t), size = 0.0;
                double effect = gp_fixed_to(a.effect[t * M + j], a.exponent) / N;
                double importance = gp_fixed_to(a.importance[t * M + j], a.exponent) / N;
                for (int64_t i = 0; i < N; i++)
                    size += fabs(w * x_of(&model, i, j)) / N;
                assert_true(fabs(effect - w) < tolerance);
                assert_true(fabs(importance - size) < tolerance);
            }
        gp_nn_attributions_free(&a);
    }
    gp_nn_model_free(&model);
}

static void order_does_not_matter(void **state) {
    (void)state;
    gp_nn_model model = {0};
    gp_nn_attributions a = {0}, b = {0};
    make(&model, 0);
    add_all(&model, 0, 0, &a);
    add_all(&model, 0, 1, &b);
    assert_memory_equal(a.effect, b.effect, P * M * sizeof *a.effect);
    assert_memory_equal(a.importance, b.importance, P * M * sizeof *a.importance);
    gp_nn_attributions_free(&a);
    gp_nn_attributions_free(&b);
    gp_nn_model_free(&model);
}

static void traits_can_be_asked_one_after_the_other(void **state) {
    (void)state;
    gp_nn_model model = {0};
    gp_nn_explainer e = {.models = 1, .model = &model};
    gp_err err = {0};
    gp_real alone[SHARD * M];
    gp_nn_batch batch = shard_of(0, SHARD);
    make(&model, 0);
    assert_int_equal(gp_nn_explainer_init(&e, SHARD, 0, &err), GP_OK);
    gp_nn_explainer_begin(&e, &batch);
    memcpy(alone, gp_nn_explainer_slopes(&e, &batch, 1), sizeof alone);
    gp_nn_explainer_begin(&e, &batch);
    gp_nn_explainer_slopes(&e, &batch, 0);
    assert_memory_equal(gp_nn_explainer_slopes(&e, &batch, 1), alone, sizeof alone);
    gp_nn_explainer_free(&e);
    gp_nn_model_free(&model);
}

static void what_is_not_a_number_is_counted(void **state) {
    (void)state;
    gp_nn_model model = {0};
    gp_nn_attributions a = {0};
    make(&model, 1);
    model.parameter[gp_nn_table_find(&model.table, "linear.weight")->first] = (gp_real)NAN;
    add_all(&model, 0, 0, &a);
    assert_true(a.misfits > 0);
    gp_nn_attributions_free(&a);
    gp_nn_model_free(&model);
}

/* ---- completeness ---- */

static void integrated_gradients_add_up_to_the_difference(void **state) {
    (void)state;
    gp_nn_model model = {0};
    gp_nn_explainer e = {.models = 1, .model = &model};
    gp_err err = {0};
    gp_real at_x[SHARD * P], at_0[SHARD * P];
    uint8_t missing[8];
    const uint8_t *nothing[SHARD];
    gp_nn_batch batch = shard_of(0, SHARD), base = batch;
    memset(missing, 0xFF, sizeof missing);
    for (int i = 0; i < SHARD; i++)
        nothing[i] = missing;
    base.calls = nothing;
    make(&model, 0);
    assert_int_equal(gp_nn_explainer_init(&e, SHARD, 32, &err), GP_OK);
    gp_nn_forward(&model, e.work, &batch, at_x);
    gp_nn_forward(&model, e.work, &base, at_0);
    gp_nn_explainer_begin(&e, &batch);
    double curved = 0.0;
    for (int64_t t = 0; t < P; t++) {
        const gp_real *slope = gp_nn_explainer_slopes(&e, &batch, t);
        for (int64_t i = 0; i < SHARD; i++) {
            double sum = 0.0, line = 0.0, change = (double)(at_x[i * P + t] - at_0[i * P + t]);
            for (int64_t j = 0; j < M; j++) {
                sum += (double)slope[i * M + j] * x_of(&model, i, j);
                line += weight_of(&model, j, t) * x_of(&model, i, j);
            }
            curved += fabs(change - line);
            if (fabs(sum - change) > 1e-3 * (1.0 + fabs(change))) /* 32 points */
                fail_msg("sample %d: %g, not %g", (int)i, sum, change);
        }
    }
    assert_true(curved > 1.0); /* the stack has its part */
    gp_nn_explainer_free(&e);
    gp_nn_model_free(&model);
}

static void points_of_a_path_integrate_polynomials(void **state) {
    (void)state;
    gp_nn_model model = {0};
    gp_err err = {0};
    make(&model, 1);
    for (int64_t steps = 1; steps < 40; steps += 3) {
        gp_nn_explainer e = {.models = 1, .model = &model};
        assert_int_equal(gp_nn_explainer_init(&e, 1, steps, &err), GP_OK);
        for (int degree = 0; degree < 2 * steps; degree++) {
            double sum = 0.0;
            for (int64_t k = 0; k < steps; k++)
                sum += e.weight[k] * pow(e.point[k], degree);
            assert_true(fabs(sum - 1.0 / (degree + 1)) < 1e-13); /* rounding */
        }
        gp_nn_explainer_free(&e);
    }
    gp_nn_model_free(&model);
}

/* ---- rollout ---- */

/* Means over rows of the product of (A + I) / 2, last layer first. */
static void dense_rollout(const gp_nn_model *model, const gp_nn_work *work, int64_t i, double *to) {
    double product[T][T] = {{0}}, next[T][T];
    int64_t heads = model->shape.heads;
    for (int64_t q = 0; q < T; q++)
        product[q][q] = 1.0;
    for (int64_t l = 0; l < model->shape.layers; l++) {
        const gp_real *a = gp_nn_attention_of(work, l) + i * heads * T * T;
        for (int64_t q = 0; q < T; q++)
            for (int64_t k = 0; k < T; k++) {
                next[q][k] = 0.5 * product[q][k];
                for (int64_t r = 0; r < T; r++)
                    for (int64_t h = 0; h < heads; h++)
                        next[q][k] +=
                            0.5 * (double)a[(h * T + q) * T + r] / (double)heads * product[r][k];
            }
        memcpy(product, next, sizeof next);
    }
    for (int64_t k = 0; k < T; k++) {
        to[k] = 0.0;
        for (int64_t q = 0; q < T; q++)
            to[k] += product[q][k] / T;
    }
}

static void rollout_is_the_product_of_the_layers_and_adds_up_to_1(void **state) {
    (void)state;
    gp_nn_model model = {0};
    gp_nn_explainer e = {.models = 1, .model = &model};
    gp_err err = {0};
    gp_nn_batch batch = shard_of(3, SHARD);
    double theirs[T], least = 1.0, most = 0.0;
    make(&model, 0);
    assert_int_equal(gp_nn_explainer_init(&e, SHARD, 0, &err), GP_OK);
    gp_nn_explainer_begin(&e, &batch);
    for (int64_t i = 0; i < SHARD; i++) {
        const double *share = gp_nn_explainer_rollout(&e, i);
        double sum = 0.0;
        dense_rollout(&model, e.work, i, theirs);
        for (int64_t k = 0; k < T; k++) {
            assert_true(fabs(share[k] - theirs[k]) < 1e-14); /* rounding */
            sum += share[k];
            least = fmin(least, share[k]);
            most = fmax(most, share[k]);
        }
        assert_true(fabs(sum - 1.0) < 1e-6); /* rows of float32 attention */
    }
    assert_true(most - least > 0.01); /* it is not even */
    gp_nn_explainer_free(&e);
    gp_nn_model_free(&model);
}

static void patches_shares_go_to_their_variants(void **state) {
    (void)state;
    gp_nn_model model = {0};
    gp_nn_explainer e = {.models = 1, .model = &model};
    gp_nn_attributions a = {0};
    gp_err err = {0};
    gp_nn_batch batch = shard_of(0, 1);
    make(&model, 0);
    assert_int_equal(gp_nn_explainer_init(&e, SHARD, 0, &err), GP_OK);
    assert_int_equal(gp_nn_attributions_init(&a, M, 1, 1, &err), GP_OK);
    gp_nn_explainer_begin(&e, &batch);
    gp_nn_attributions_add_rollout(&a, &e, &batch);
    const double *share = gp_nn_explainer_rollout(&e, 0) + C;
    for (int64_t k = 0; k < PATCHES; k++) {
        double sum = 0.0;
        for (int64_t j = first[k]; j < first[k + 1]; j++) {
            sum += gp_fixed_to(a.importance[j], a.exponent);
            assert_int_equal(a.effect[j], 0);
            /* What is at its mean has no part, unless all of the patch is. */
            if (gp_geno_get(calls[0], j) == GP_GENO_MISSING && first[k + 1] - first[k] > 1)
                assert_int_equal(a.importance[j], 0);
        }
        assert_true(fabs(sum - share[k]) < 1e-12); /* integers of 2^-52 */
    }
    gp_nn_attributions_free(&a);
    gp_nn_explainer_free(&e);
    gp_nn_model_free(&model);
}

/* ---- memory ---- */

static int work(void *context, gp_err *err) {
    const gp_nn_model *model = context;
    gp_nn_explainer e = {.models = 1, .model = model};
    gp_nn_attributions a = {0};
    if (gp_nn_explainer_init(&e, SHARD, 4, err) == GP_OK)
        gp_nn_attributions_init(&a, M, P, N, err);
    gp_nn_explainer_free(&e);
    gp_nn_attributions_free(&a);
    return err->code;
}

static void every_refused_allocation_comes_back(void **state) {
    (void)state;
    gp_nn_model model = {0};
    make(&model, 0);
    assert_true(gp_test_fail_each(work, &model) > 8);
    gp_nn_model_free(&model);
}

int main(void) {
    gp_err err = {0};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_linear_network_they_are_its_weights),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(traits_can_be_asked_one_after_the_other),
        cmocka_unit_test(what_is_not_a_number_is_counted),
        cmocka_unit_test(points_of_a_path_integrate_polynomials),
        cmocka_unit_test(integrated_gradients_add_up_to_the_difference),
        cmocka_unit_test(rollout_is_the_product_of_the_layers_and_adds_up_to_1),
        cmocka_unit_test(patches_shares_go_to_their_variants),
        cmocka_unit_test(every_refused_allocation_comes_back),
    };
    make_data();
    if (gp_nn_engine_open(&engine, GP_NN_FLOAT32, &err) != GP_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gp_nn_engine_close(engine);
    return failed;
}
