/* src/nn: the whole network. Built twice: in float, and in double, where gradients are checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/mem.h"
#include "src/nn/work.h"
#include "tests/src/nn_plain.h"
#include "tests/support/fail_alloc.h"

#include <stdlib.h>

#ifdef GP_NN_DOUBLE
#define TOLERANCE 1e-12 /* rounding of some thousand operations in double */
#else
#define TOLERANCE 1e-4 /* the same in float, with room for softmax's exponents */
#endif

static const net_plan plans[] = {
    /* samples patches covariates traits | channels layers heads rotary | causal decodes masks
     * linear offsets missing | dropout */
    {4, 5, 2, 3, 8, 2, 2, 4, 0, 0, 0, 1, 1, 1, 0},
    {3, 4, 1, 2, 12, 3, 3, 2, 1, 0, 1, 1, 0, 1, 0},
    {4, 5, 0, 0, 8, 2, 1, 8, 0, 1, 1, 0, 0, 0, 0},
    {3, 5, 2, 2, 8, 1, 2, 4, 0, 1, 1, 1, 1, 0, 0},
    {2, 0, 2, 1, 6, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0},
    {4, 5, 2, 3, 8, 2, 2, 4, 0, 1, 1, 1, 1, 1, 0.3},
    {4, 3, 1, 1, 7, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0.2},
    {1, 1, 0, 2, 4, 1, 4, 0, 1, 1, 0, 1, 0, 0, 0},
};
enum { PLANS = sizeof plans / sizeof plans[0] };

#ifdef GP_NN_DOUBLE /* float cannot tell */
typedef struct trial {
    net *n;
    gp_nn_work *work;
} trial;

static double loss_of(void *context) {
    trial *t = context;
    return gp_nn_forward(&t->n->model, t->work, &t->n->batch, NULL);
}

static void gradients_match_central_differences(void **state) {
    (void)state;
    for (int k = 0; k < PLANS; k++) {
        net n;
        net_init(&n, &plans[k]);
        trial t = {&n, net_work(&n, 1)};
        const gp_nn_table *table = &n.model.table;
        gp_real *gradient = calloc((size_t)table->parameters, sizeof *gradient);
        assert_non_null(gradient);
        loss_of(&t);
        memcpy(gradient, gp_nn_backward(&n.model, t.work, &n.batch, NULL, NULL),
               (size_t)table->parameters * sizeof *gradient);
        for (int64_t i = 0; i < table->count; i++)
            net_check(loss_of, &t, n.model.parameter + table->tensor[i].first,
                      gradient + table->tensor[i].first,
                      table->tensor[i].rows * table->tensor[i].columns, table->tensor[i].name);
        free(gradient);
        gp_nn_work_free(t.work);
        net_free(&n);
    }
}

/* The outputs' sum over samples, of one trait: d / d x of each sample is its own output's. */
typedef struct pick {
    trial t;
    int64_t trait;
} pick;

static double output_of(void *context) {
    pick *p = context;
    const net *n = p->t.n;
    gp_real output[NET_SAMPLES * NET_TRAITS];
    gp_nn_forward(&n->model, p->t.work, &n->batch, output);
    return (double)output[p->trait];
}

/* A sample's x are moved by its calls' levels, in a shard of its own. */
static void gradients_of_dosages_match_central_differences(void **state) {
    (void)state;
    for (int k = 0; k < PLANS; k++) {
        net n;
        net_init(&n, &plans[k]);
        int64_t m = n.model.shape.variants, traits = plans[k].traits;
        gp_real dx[NET_SAMPLES * NET_VARIANTS];
        pick p = {{&n, net_work(&n, 1)}, traits - 1};
        if (traits > 0) {
            gp_nn_forward(&n.model, p.t.work, &n.batch, NULL);
            gp_nn_input_gradient(&n.model, p.t.work, &n.batch, p.trait, dx);
            n.batch.samples = 1; /* the first */
            for (int64_t j = 0; j < m; j++) {
                gp_real *x = n.model.level + 4 * j + gp_geno_get(n.call[0], j);
                net_check(output_of, &p, x, dx + j, 1, "x");
            }
        }
        gp_nn_work_free(p.t.work);
        net_free(&n);
    }
}
#endif

static void outputs_and_loss_match_a_plain_program(void **state) {
    (void)state;
    for (int k = 0; k < PLANS; k++)
        for (int backward = 0; backward < 2; backward++) {
            net_plan plan = plans[k];
            plan.dropout = 0;
            net n;
            net_init(&n, &plan);
            gp_nn_work *work = net_work(&n, backward);
            gp_real output[NET_SAMPLES * NET_TRAITS];
            double wanted[NET_SAMPLES * NET_TRAITS];
            double loss = gp_nn_forward(&n.model, work, &n.batch, output);
            double expected = plain_forward(&n, wanted);
            assert_true(fabs(loss - expected) <= TOLERANCE * fmax(1, expected));
            for (int64_t i = 0; i < plan.samples * plan.traits; i++)
                assert_true(fabs((double)output[i] - wanted[i]) <=
                            TOLERANCE * fmax(1, fabs(wanted[i])));
            gp_nn_work_free(work);
            net_free(&n);
        }
}

static gp_real *tensor(net *n, const char *name) {
    const gp_nn_tensor *t = gp_nn_table_find(&n->model.table, name);
    assert_non_null(t);
    return n->model.parameter + t->first;
}

/* One covariate, two channels, one head, one block whose MLP adds its bias alone. */
static void a_network_of_one_token_by_hand(void **state) {
    (void)state;
    const net_plan plan = {
        .samples = 1, .covariates = 1, .traits = 1, .channels = 2, .layers = 1, .heads = 1};
    net n;
    net_init(&n, &plan);
    memset(n.model.parameter, 0, (size_t)n.model.table.parameters * sizeof *n.model.parameter);
    n.covariate[0] = 2;
    n.target[0] = 5;
    gp_real *weight = tensor(&n, "covariate.weight"), *qkv = tensor(&n, "block.0.qkv.weight");
    weight[0] = 1, weight[1] = 0.5;      /* e = (2, 1) */
    tensor(&n, "covariate.bias")[0] = 1; /* e = (3, 1), and so h = (u, -u) */
    tensor(&n, "block.0.norm.weight")[0] = 1;
    tensor(&n, "block.0.norm.weight")[1] = 1;
    qkv[4 * 2 + 0] = 1, qkv[5 * 2 + 1] = 1;  /* values are h: attention gives (u, -u) */
    tensor(&n, "block.0.out.weight")[0] = 1; /* adds (u, 0) */
    tensor(&n, "block.0.down.bias")[1] = 1;  /* adds (0, 1): e = (3 + u, 2) */
    tensor(&n, "norm.weight")[0] = 1;
    tensor(&n, "norm.bias")[1] = 0.25; /* (v, 0.25) */
    tensor(&n, "head.weight")[0] = 3;
    tensor(&n, "head.weight")[1] = 2;
    tensor(&n, "head.bias")[0] = 0.5;
    double u = 1 / sqrt(1 + 1e-5), half = (1 + u) / 2, v = half / sqrt(half * half + 1e-5);
    double expected = 3 * v + 2 * 0.25 + 0.5;
    gp_nn_work *work = net_work(&n, 1);
    gp_real output;
    double loss = gp_nn_forward(&n.model, work, &n.batch, &output);
    assert_true(fabs((double)output - expected) < TOLERANCE);
    assert_true(fabs(loss - 0.5 * (expected - 5) * (expected - 5)) < TOLERANCE);
    const gp_real *gradient = gp_nn_backward(&n.model, work, &n.batch, NULL, NULL);
    const gp_nn_tensor *bias = gp_nn_table_find(&n.model.table, "head.bias");
    assert_true(fabs((double)gradient[bias->first] - (expected - 5)) < TOLERANCE);
    assert_true(*gp_nn_attention_of(work, 0) == 1); /* one token sees itself alone */
    gp_nn_work_free(work);
    net_free(&n);
}

/* How many of the first sample's tokens change with the calls of its patch 3. */
static int64_t tokens_that_see_patch_3(int causal) {
    net_plan plan = plans[0];
    plan.causal = causal;
    net n;
    net_init(&n, &plan);
    gp_nn_work *work = net_work(&n, 0);
    int64_t channels = plan.channels, tokens = gp_nn_tokens(&n.model.shape), changed = 0;
    gp_real before[PLAIN_TOKENS * PLAIN_CHANNELS];
    gp_nn_forward(&n.model, work, &n.batch, NULL);
    memcpy(before, work->normal, (size_t)(tokens * channels) * sizeof *before);
    for (int64_t j = n.first[3]; j < n.first[4]; j++)
        gp_geno_set(n.call[0], j, (gp_geno_get(n.call[0], j) + 1) % 3);
    gp_nn_forward(&n.model, work, &n.batch, NULL);
    for (int64_t t = 0; t < tokens; t++) {
        int other = memcmp(before + t * channels, work->normal + t * channels,
                           (size_t)channels * sizeof *before) != 0;
        assert_true(!causal || other == (t >= plan.covariates + 3));
        changed += other;
    }
    gp_nn_work_free(work);
    net_free(&n);
    return changed;
}

static void causal_tokens_do_not_see_later_ones(void **state) {
    (void)state;
    assert_int_equal(tokens_that_see_patch_3(1), 2); /* patches 3 and 4 */
    assert_int_equal(tokens_that_see_patch_3(0), 7); /* all */
}

static void moving_all_positions_alike_changes_nothing(void **state) {
    (void)state;
    net_plan plan = plans[0];
    plan.covariates = 0; /* they stay at position 0 */
    gp_real output[3][NET_SAMPLES * NET_TRAITS];
    for (int k = 0; k < 3; k++) {
        net n;
        net_init(&n, &plan);
        for (int64_t i = 0; i < plan.patches; i++)
            n.position[i] = k < 2 ? n.position[i] + 11.5 * k : 2 * n.position[i];
        gp_nn_model moved = {.shape = n.model.shape, .mean = n.mean, .scale = n.scale};
        gp_err err = {0};
        moved.engine = n.engine;
        assert_int_equal(gp_nn_model_init(&moved, &err), GP_OK);
        memcpy(moved.parameter, n.model.parameter,
               (size_t)moved.table.parameters * sizeof *moved.parameter);
        gp_nn_work *work = net_work(&n, 0);
        gp_nn_forward(&moved, work, &n.batch, output[k]);
        gp_nn_work_free(work);
        gp_nn_model_free(&moved);
        net_free(&n);
    }
    double apart = 0;
    for (int64_t i = 0; i < plan.samples * plan.traits; i++) {
        assert_true(fabs((double)(output[0][i] - output[1][i])) < TOLERANCE);
        apart = fmax(apart, fabs((double)(output[0][i] - output[2][i])));
    }
    assert_true(apart > 1e-3); /* other distances do change something */
}

/* What was told while the gradients were made. */
typedef struct told {
    const gp_nn_table *table;
    int64_t groups;
    gp_real *copy; /* [parameters] groups as they were when they were called finished */
} told;

static void take_group(void *context, int64_t group, const gp_real *gradient) {
    told *t = context;
    assert_int_equal(group, t->groups++);
    int64_t first = t->table->group_first[group], end = t->table->group_first[group + 1];
    memcpy(t->copy + first, gradient + first, (size_t)(end - first) * sizeof *t->copy);
}

static void groups_of_gradients_are_finished_in_their_order(void **state) {
    (void)state;
    for (int k = 0; k < PLANS; k++) {
        net n;
        net_init(&n, &plans[k]);
        gp_nn_work *work = net_work(&n, 1);
        size_t size = (size_t)n.model.table.parameters * sizeof(gp_real);
        told t = {&n.model.table, 0, malloc(size)};
        assert_non_null(t.copy);
        gp_nn_forward(&n.model, work, &n.batch, NULL);
        const gp_real *gradient = gp_nn_backward(&n.model, work, &n.batch, take_group, &t);
        assert_int_equal(t.groups, plans[k].layers + 2);
        assert_memory_equal(t.copy, gradient, size);
        free(t.copy);
        gp_nn_work_free(work);
        net_free(&n);
    }
}

/* Loss, outputs and gradients of a shard, in a row; returns how many numbers. */
static int64_t everything(const net *n, gp_nn_work *work, gp_real *to) {
    const gp_nn_table *table = &n->model.table;
    int64_t outputs = n->batch.samples * n->model.shape.traits;
    *to = (gp_real)gp_nn_forward(&n->model, work, &n->batch, to + 1);
    memcpy(to + 1 + outputs, gp_nn_backward(&n->model, work, &n->batch, NULL, NULL),
           (size_t)table->parameters * sizeof *to);
    return 1 + outputs + table->parameters;
}

static void same_bytes_whatever_ran_in_the_work_before(void **state) {
    (void)state;
    for (int k = 0; k < PLANS; k++) {
        net n;
        net_init(&n, &plans[k]);
        int64_t room = 1 + NET_SAMPLES * NET_TRAITS + n.model.table.parameters;
        gp_real *first = calloc((size_t)room, sizeof *first);
        gp_real *again = calloc((size_t)room, sizeof *again);
        gp_real dx[NET_SAMPLES * NET_VARIANTS];
        assert_non_null(first);
        assert_non_null(again);
        gp_nn_work *work = net_work(&n, 1);
        int64_t count = everything(&n, work, first);
        gp_err err = {0};
        gp_nn_work *used = gp_nn_work_new(&n.model, 2 * n.batch.samples, 1, &err);
        assert_non_null(used);
        gp_nn_batch batch = n.batch;
        memset(n.masked, 1, sizeof n.masked);
        n.batch.masked = n.masked;
        n.batch.linear = 1;
        n.batch.dropout = (gp_real)0.5;
        everything(&n, used, again);
        if (plans[k].traits > 0)
            gp_nn_input_gradient(&n.model, used, &n.batch, 0, dx);
        gp_real *bias = tensor(&n, "norm.bias"), old = *bias; /* and a step that went wrong */
        *bias = n.covariate[0] = NAN;
        everything(&n, used, again);
        *bias = old;
        net_batch(&n, &plans[k]);
        n.batch = batch;
        assert_int_equal(everything(&n, used, again), count);
        assert_memory_equal(first, again, (size_t)count * sizeof *first);
        free(first);
        free(again);
        gp_nn_work_free(work);
        gp_nn_work_free(used);
        net_free(&n);
    }
}

static void same_bytes_whichever_thread_runs_a_shard(void **state) {
    (void)state;
    enum { RUNS = 4 };
    net n;
    net_init(&n, &plans[5]);
    int64_t room = 1 + NET_SAMPLES * NET_TRAITS + n.model.table.parameters, count = 0;
    gp_real *result = calloc((size_t)(RUNS * room), sizeof *result);
    gp_nn_work *work[RUNS];
    assert_non_null(result);
    for (int k = 0; k < RUNS; k++)
        work[k] = net_work(&n, 1);
#pragma omp parallel for num_threads(RUNS) schedule(static, 1) reduction(max : count)
    for (int k = 0; k < RUNS; k++)
        count = everything(&n, work[k], result + k * room);
    for (int k = 1; k < RUNS; k++)
        assert_memory_equal(result, result + k * room, (size_t)count * sizeof *result);
    for (int k = 0; k < RUNS; k++)
        gp_nn_work_free(work[k]);
    free(result);
    net_free(&n);
}

/* Also in another place of another shard: dropout goes by the sample's number. */
static void a_sample_gets_the_same_output_beside_others(void **state) {
    (void)state;
    net n;
    net_init(&n, &plans[5]);
    gp_nn_work *work = net_work(&n, 0);
    gp_real all[NET_SAMPLES * NET_TRAITS], one[NET_TRAITS];
    int64_t traits = plans[5].traits, last = plans[5].samples - 1;
    gp_nn_forward(&n.model, work, &n.batch, all);
    n.batch.samples = 1;
    n.batch.calls += last;
    n.batch.sample += last;
    n.batch.covariate += last * plans[5].covariates;
    n.batch.offset += last * traits;
    n.batch.target += last * traits;
    n.batch.masked += last * plans[5].patches;
    gp_nn_forward(&n.model, work, &n.batch, one);
    for (int64_t k = 0; k < traits; k++)
        assert_true(fabs((double)(one[k] - all[last * traits + k])) < TOLERANCE);
    gp_nn_work_free(work);
    net_free(&n);
}

static void without_targets_there_is_no_loss_and_no_gradient(void **state) {
    (void)state;
    net n;
    net_init(&n, &plans[0]);
    n.batch.target = NULL;
    gp_nn_work *work = net_work(&n, 1);
    assert_true(gp_nn_forward(&n.model, work, &n.batch, NULL) == 0);
    const gp_real *gradient = gp_nn_backward(&n.model, work, &n.batch, NULL, NULL);
    for (int64_t i = 0; i < n.model.table.parameters; i++)
        assert_true(gradient[i] == 0);
    gp_nn_work_free(work);
    net_free(&n);
}

static void a_number_that_is_none_reaches_the_loss(void **state) {
    (void)state;
    net n;
    net_init(&n, &plans[0]);
    gp_nn_work *work = net_work(&n, 1);
    const char *name[] = {"patch.weight", "block.0.qkv.weight", "block.1.up.bias", "head.bias"};
    for (int k = 0; k < 4; k++) {
        gp_real *x = tensor(&n, name[k]), old = *x;
        *x = NAN;
        assert_true(isnan(gp_nn_forward(&n.model, work, &n.batch, NULL)));
        *x = old;
    }
    gp_nn_work_free(work);
    net_free(&n);
}

static void rows_of_attention_sum_to_1(void **state) {
    (void)state;
    net n;
    net_init(&n, &plans[1]);
    gp_nn_work *work = net_work(&n, 1);
    gp_nn_forward(&n.model, work, &n.batch, NULL);
    int64_t tokens = gp_nn_tokens(&n.model.shape);
    for (int64_t layer = 0; layer < plans[1].layers; layer++) {
        const gp_real *p = gp_nn_attention_of(work, layer);
        for (int64_t r = 0; r < plans[1].samples * plans[1].heads * tokens; r++) {
            double sum = 0;
            for (int64_t u = 0; u < tokens; u++)
                sum += (double)p[r * tokens + u];
            assert_true(fabs(sum - 1) < TOLERANCE);
        }
    }
    gp_nn_work_free(work);
    net_free(&n);
}

static void too_large_a_shard_is_refused(void **state) {
    (void)state;
    net n;
    net_init(&n, &plans[0]);
    gp_err err = {0};
    assert_null(gp_nn_work_new(&n.model, (int64_t)1 << 40, 1, &err));
    assert_int_equal(err.code, GP_EINPUT);
    assert_true(gp_nn_work_bytes(&n.model.shape, &n.model.table, (int64_t)1 << 61, 1) == INT64_MAX);
    net_free(&n);
}

static int make_all(void *context, gp_err *err) {
    net *n = context;
    gp_nn_engine *engine = NULL;
    gp_nn_work *work = NULL, *forward = NULL;
    gp_nn_model model = {.shape = n->model.shape, .mean = n->mean, .scale = n->scale};
    if (gp_nn_engine_open(&engine, GP_NN_FLOAT32, err) == GP_OK) {
        model.engine = engine;
        if (gp_nn_model_init(&model, err) == GP_OK &&
            (work = gp_nn_work_new(&model, 3, 1, err)) != NULL)
            forward = gp_nn_work_new(&model, 3, 0, err);
    }
    assert_true((forward != NULL) == (err->code == GP_OK));
    gp_nn_work_free(forward);
    gp_nn_work_free(work);
    gp_nn_model_free(&model);
    gp_nn_engine_close(engine);
    return err->code;
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    net n;
    net_init(&n, &plans[0]);
    assert_true(gp_test_fail_each(make_all, &n) >= 12);
    net_free(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef GP_NN_DOUBLE
        cmocka_unit_test(gradients_match_central_differences),
        cmocka_unit_test(gradients_of_dosages_match_central_differences),
#endif
        cmocka_unit_test(outputs_and_loss_match_a_plain_program),
        cmocka_unit_test(a_network_of_one_token_by_hand),
        cmocka_unit_test(causal_tokens_do_not_see_later_ones),
        cmocka_unit_test(moving_all_positions_alike_changes_nothing),
        cmocka_unit_test(groups_of_gradients_are_finished_in_their_order),
        cmocka_unit_test(same_bytes_whatever_ran_in_the_work_before),
        cmocka_unit_test(same_bytes_whichever_thread_runs_a_shard),
        cmocka_unit_test(a_sample_gets_the_same_output_beside_others),
        cmocka_unit_test(without_targets_there_is_no_loss_and_no_gradient),
        cmocka_unit_test(a_number_that_is_none_reaches_the_loss),
        cmocka_unit_test(rows_of_attention_sum_to_1),
        cmocka_unit_test(too_large_a_shard_is_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
