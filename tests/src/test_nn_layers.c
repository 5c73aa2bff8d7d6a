/* src/nn: each layer's backward pass, in double, against central differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/nn/attention.h"
#include "src/nn/covariate.h"
#include "src/nn/decoder.h"
#include "src/nn/dense.h"
#include "src/nn/dropout.h"
#include "src/nn/gelu.h"
#include "src/nn/loss.h"
#include "src/nn/norm.h"
#include "src/nn/pool.h"
#include "src/nn/rotary.h"
#include "tests/src/nn_net.h"

#include <stdlib.h>

/* Every layer is looked at through one number: the sum of its outputs, each times a weight. These
 * weights are then the gradients of the outputs. */
enum { ROOM = 600 };
static gp_real x[ROOM], y[ROOM], dx[ROOM], dy[ROOM], weight[ROOM], bias[ROOM], dweight[ROOM],
    dbias[ROOM], room[3][ROOM];

static void fill(gp_real *to, double spread, uint64_t seed) {
    for (int i = 0; i < ROOM; i++)
        to[i] = spread * gp_test_normal(&seed);
}

static int set_up(void **state) {
    (void)state;
    fill(x, 1, 1);
    fill(dy, 1, 2);
    fill(weight, 0.5, 3);
    fill(bias, 0.5, 4);
    memset(dx, 0, sizeof dx);
    memset(dweight, 0, sizeof dweight);
    memset(dbias, 0, sizeof dbias);
    return 0;
}

static double weighed(int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += y[i] * dy[i];
    return sum;
}

static gp_nn_engine *engine(void) {
    static gp_nn_engine *e;
    gp_err err = {0};
    if (e == NULL)
        assert_int_equal(gp_nn_engine_open(&e, GP_NN_FLOAT32, &err), GP_OK);
    return e;
}

static double run_dense(void *context) {
    const gp_nn_dense *dense = context;
    gp_nn_dense_forward(dense, x, y);
    return weighed(dense->rows * dense->out);
}

static void dense_backward_matches_central_differences(void **state) {
    (void)state;
    gp_nn_dense dense = {engine(), 7, 5, 6, weight, bias};
    for (int with_bias = 1; with_bias >= 0; with_bias--) {
        dense.bias = with_bias ? bias : NULL;
        gp_nn_dense_backward(&dense, dy, 0, dx);
        gp_nn_dense_gradient(&dense, dy, x, dweight, dbias);
        net_check(run_dense, &dense, x, dx, 7 * 5, "x");
        net_check(run_dense, &dense, weight, dweight, 6 * 5, "weight");
        if (with_bias)
            net_check(run_dense, &dense, bias, dbias, 6, "bias");
    }
    gp_real once = dx[3];
    gp_nn_dense_backward(&dense, dy, 1, dx);
    assert_true(fabs(dx[3] - 2 * once) < 1e-14); /* the same number, twice */
}

static gp_nn_norm_kept norm_kept = {room[0], room[1]};

static double run_norm(void *context) {
    const gp_nn_norm *norm = context;
    gp_nn_norm_forward(norm, x, &norm_kept, y);
    return weighed(norm->rows * norm->channels);
}

static void norm_backward_matches_central_differences(void **state) {
    (void)state;
    const int64_t channels[] = {1, 2, 19, 32};
    for (int k = 0; k < 4; k++) {
        gp_nn_norm norm = {6, channels[k], weight, bias};
        gp_real spent[ROOM];
        memset(dx, 0, sizeof dx);
        memcpy(spent, dy, sizeof spent);
        run_norm(&norm);
        gp_nn_norm_again(&norm, &norm_kept, room[2]);
        assert_memory_equal(room[2], y, (size_t)(6 * channels[k]) * sizeof *y);
        gp_nn_norm_gradient(&norm, &norm_kept, dy, dweight, dbias);
        gp_nn_norm_backward(&norm, &norm_kept, spent, dx);
        net_check(run_norm, &norm, x, dx, 6 * channels[k], "x");
        net_check(run_norm, &norm, weight, dweight, channels[k], "weight");
        net_check(run_norm, &norm, bias, dbias, channels[k], "bias");
    }
}

static gp_nn_rotary rotary_of(double shift) {
    static double position[4];
    static const double place[4] = {0.3, 1.1, 2.9, 4};
    static gp_real cosine[20], sine[20];
    gp_nn_shape shape = {.patches = 4,
                         .position = position,
                         .covariates = 1,
                         .channels = 10,
                         .heads = 2,
                         .rotary = 4};
    for (int k = 0; k < 4; k++)
        position[k] = place[k] + shift;
    gp_nn_rotary_tables(&shape, cosine, sine);
    return (gp_nn_rotary){2, 5, 10, 2, 4, cosine, sine};
}

static double run_rotary(void *context) {
    memcpy(y, x, sizeof y);
    gp_nn_rotary_forward(context, y);
    return weighed(2 * 5 * 30);
}

static void rotary_backward_matches_central_differences(void **state) {
    (void)state;
    gp_nn_rotary rotary = rotary_of(0);
    memcpy(dx, dy, sizeof dx);
    gp_nn_rotary_backward(&rotary, dx);
    net_check(run_rotary, &rotary, x, dx, 2 * 5 * 30, "x");
}

/* Token a's query times token b's key, head 0, for the first sample's numbers. */
static double product_of(const gp_real *qkv, int64_t a, int64_t b) {
    double sum = 0;
    for (int i = 0; i < 5; i++)
        sum += qkv[a * 30 + i] * qkv[b * 30 + 10 + i];
    return sum;
}

static void rotary_products_depend_on_distances_only(void **state) {
    (void)state;
    gp_nn_rotary rotary = rotary_of(0);
    memcpy(y, x, sizeof y);
    gp_nn_rotary_forward(&rotary, y);
    rotary = rotary_of(37.25);
    memcpy(room[0], x, sizeof y);
    gp_nn_rotary_forward(&rotary, room[0]);
    for (int64_t a = 1; a < 5; a++)
        for (int64_t b = 1; b < 5; b++)
            assert_true(fabs(product_of(y, a, b) - product_of(room[0], a, b)) <
                        1e-12); /* rounding of angles of about 40 */
    assert_true(fabs(product_of(y, 0, 2) - product_of(room[0], 0, 2)) > 1e-3);
    assert_true(y[30 + 4] == x[30 + 4]);                 /* beyond `rotary` */
    assert_memory_equal(y + 50, x + 50, 10 * sizeof *x); /* values */
    assert_memory_equal(y, x, 20 * sizeof *x);           /* a covariate stands at position 0 */
}

static double run_attention(void *context) {
    const gp_nn_attention *attention = context;
    gp_nn_attention_forward(attention, x, room[0], y);
    return weighed(attention->samples * attention->tokens * attention->channels);
}

static void attention_backward_matches_central_differences(void **state) {
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        gp_nn_attention attention = {engine(), 2, 5, 6, 2, causal};
        gp_nn_attention_kept kept = {x, room[0]};
        run_attention(&attention);
        gp_nn_attention_backward(&attention, &kept, dy, room[1], dx);
        net_check(run_attention, &attention, x, dx, 2 * 5 * 18, "qkv");
        for (int64_t t = 0; t < 5; t++)
            for (int64_t u = 0; u < 5; u++)
                assert_true((room[0][t * 5 + u] > 0) == (!causal || u <= t));
    }
}

static double run_gelu(void *context) {
    (void)context;
    gp_nn_gelu_forward(100, x, y);
    return weighed(100);
}

static void gelu_backward_matches_central_differences(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++)
        x[i] = 0.1 * (i - 50);
    memcpy(dx, dy, sizeof dx);
    gp_nn_gelu_backward(100, x, dx, room[0]);
    run_gelu(NULL);
    assert_memory_equal(room[0], y, 100 * sizeof *y);
    net_check(run_gelu, NULL, x, dx, 100, "x");
}

static double run_dropout(void *context) {
    const gp_nn_dropout *dropout = context;
    int64_t n = dropout->batch->samples * dropout->size;
    memcpy(y, gp_nn_dropped(dropout, gp_nn_place_mlp(1), x, room[0]), (size_t)n * sizeof *y);
    return weighed(n);
}

static void dropout_backward_matches_central_differences(void **state) {
    (void)state;
    const int64_t sample[] = {5, 900};
    gp_nn_batch batch = {.samples = 2, .sample = sample, .seed = 3, .step = 8, .dropout = 0.4};
    gp_nn_dropout dropout = gp_nn_dropout_of(&batch, 27);
    const gp_real *d = gp_nn_dropped(&dropout, gp_nn_place_mlp(1), dy, dx);
    net_check(run_dropout, &dropout, x, d, 2 * 27, "x");
}

static int64_t kept_of(const gp_nn_batch *batch, uint32_t place, gp_real *to) {
    gp_nn_dropout dropout = gp_nn_dropout_of(batch, ROOM / 2);
    int64_t kept = 0;
    for (int i = 0; i < ROOM; i++)
        room[2][i] = 1;
    memcpy(to, gp_nn_dropped(&dropout, place, room[2], room[1]), ROOM * sizeof *to);
    for (int i = 0; i < ROOM; i++)
        kept += to[i] != 0;
    return kept;
}

static void dropout_goes_by_seed_step_sample_and_place(void **state) {
    (void)state;
    const int64_t sample[] = {5, 900}, swapped[] = {900, 5};
    gp_nn_batch batch = {.samples = 2, .sample = sample, .seed = 3, .step = 8, .dropout = 0.25};
    gp_real first[ROOM], other[ROOM];
    int64_t kept = kept_of(&batch, 1, first);
    assert_true(kept > 400 && kept < 500); /* 450 +- 5 standard deviations of 10.6 */
    for (int i = 0; i < ROOM; i++)
        assert_true(first[i] == 0 || fabs(first[i] - 1 / 0.75) < 1e-15); /* 0.25 is exact */
    assert_memory_not_equal(first, first + ROOM / 2, sizeof first / 2);
    kept_of(&batch, 2, other);
    assert_memory_not_equal(first, other, sizeof first);
    batch.step++;
    kept_of(&batch, 1, other);
    assert_memory_not_equal(first, other, sizeof first);
    batch.step--;
    batch.seed++;
    kept_of(&batch, 1, other);
    assert_memory_not_equal(first, other, sizeof first);
    batch.seed--;
    batch.sample = swapped;
    kept_of(&batch, 1, other);
    assert_memory_equal(first, other + ROOM / 2, sizeof first / 2);
    assert_memory_equal(first + ROOM / 2, other, sizeof first / 2);
}

static void no_dropout_gives_the_numbers_themselves(void **state) {
    (void)state;
    gp_nn_batch batch = {.samples = 1};
    gp_nn_dropout dropout = gp_nn_dropout_of(&batch, 9);
    assert_ptr_equal(gp_nn_dropped(&dropout, 0, x, y), x);
}

static double run_covariate(void *context) {
    const gp_nn_covariate *covariate = context;
    memset(y, 0, sizeof y);
    gp_nn_covariate_forward(covariate, y);
    return weighed(covariate->samples * covariate->tokens * covariate->channels);
}

static void covariate_backward_matches_central_differences(void **state) {
    (void)state;
    gp_nn_covariate covariate = {3, 2, 4, 5, x, weight, bias};
    gp_nn_covariate_gradient(&covariate, dy, dweight, dbias);
    net_check(run_covariate, &covariate, weight, dweight, 2 * 5, "weight");
    net_check(run_covariate, &covariate, bias, dbias, 2 * 5, "bias");
}

static double run_pool(void *context) {
    const gp_nn_pool *pool = context;
    gp_nn_pool_forward(pool, x, y);
    return weighed(pool->samples * pool->channels);
}

static void pool_backward_matches_central_differences(void **state) {
    (void)state;
    gp_nn_pool pool = {3, 4, 5};
    gp_nn_pool_backward(&pool, dy, dx);
    net_check(run_pool, &pool, x, dx, 3 * 4 * 5, "x");
}

static const net_plan plan = {4, 5, 2, 3, 8, 1, 2, 4, 0, 1, 1, 1, 0, 1, 0};

/* The loss of the outputs x. */
static double run_loss(void *context) {
    const net *n = context;
    return gp_nn_loss_forward(&n->model.shape, &n->batch, x);
}

static void loss_backward_matches_central_differences(void **state) {
    (void)state;
    net n;
    net_init(&n, &plan);
    int missing = 0;
    gp_nn_loss_backward(&n.model.shape, &n.batch, x, dx);
    net_check(run_loss, &n, x, dx, 4 * 3, "output");
    for (int i = 0; i < 12; i++) {
        missing += isnan(n.target[i]);
        assert_true(!isnan(n.target[i]) || dx[i] == 0);
    }
    assert_true(missing > 0);
    net_free(&n);
}

static void loss_by_hand(void **state) {
    (void)state;
    const gp_nn_loss kind[] = {GP_NN_SQUARED, GP_NN_LOGISTIC};
    gp_nn_shape shape = {.traits = 2, .loss = kind};
    gp_real target[] = {1, 1, NAN, 0}, output[] = {4, 0, 7, 800};
    gp_nn_batch batch = {.samples = 2, .target = target};
    /* 3^2 / 2, log 2, nothing, and 800, where e^800 is too large for a double */
    double loss = gp_nn_loss_forward(&shape, &batch, output);
    assert_true(fabs(loss - (4.5 + log(2) + 800)) < 1e-12); /* rounding at 800 */
    gp_nn_loss_backward(&shape, &batch, output, dx);
    assert_true(dx[0] == 3 && dx[1] == -0.5 && dx[2] == 0 && dx[3] == 1);
}

/* All patches' tokens, and the additive path's outputs. */
typedef struct patches {
    net *n;
    gp_nn_patch patch;
    int additive;
} patches;

static double run_patches(void *context) {
    patches *p = context;
    memset(y, 0, sizeof y);
    for (p->patch.number = 0; p->patch.number < plan.patches; p->patch.number++) {
        gp_nn_patch_decode(&p->patch, 1);
        if (p->additive)
            gp_nn_additive_forward(&p->patch, y);
        else
            gp_nn_patch_forward(&p->patch, y);
    }
    int64_t size = p->additive ? plan.traits : 7 * plan.channels;
    return weighed(p->n->batch.samples * size);
}

static patches patches_of(net *n, int additive) {
    return (patches){n,
                     {.engine = n->engine,
                      .shape = &n->model.shape,
                      .batch = &n->batch,
                      .weight = n->model.at,
                      .level = n->model.level,
                      .x = room[0]},
                     additive};
}

static void patch_backward_matches_central_differences(void **state) {
    (void)state;
    net n;
    net_init(&n, &plan);
    patches p = patches_of(&n, 0);
    gp_real dmask[8] = {0};
    gp_nn_tensors gradient = {.patch = dweight, .patch_bias = dbias, .mask = dmask};
    for (p.patch.number = 0; p.patch.number < plan.patches; p.patch.number++) {
        gp_nn_patch_decode(&p.patch, 1);
        gp_nn_patch_gradient(&p.patch, dy, &gradient);
        gp_nn_patch_backward(&p.patch, dy, dx);
    }
    net_check(run_patches, &p, n.model.at->patch, dweight, NET_VARIANTS * 8, "patch.weight");
    net_check(run_patches, &p, n.model.at->patch_bias, dbias, 5 * 8, "patch.bias");
    net_check(run_patches, &p, n.model.at->mask, dmask, 8, "mask.token");
    n.batch.samples = 1; /* its x are moved by its calls' levels */
    for (int64_t j = 0; j < NET_VARIANTS; j++)
        net_check(run_patches, &p, n.model.level + 4 * j + gp_geno_get(n.call[0], j), dx + j, 1,
                  "x");
    net_free(&n);
}

static void additive_backward_matches_central_differences(void **state) {
    (void)state;
    net n;
    net_init(&n, &plan);
    patches p = patches_of(&n, 1);
    for (p.patch.number = 0; p.patch.number < plan.patches; p.patch.number++) {
        gp_nn_patch_decode(&p.patch, 1);
        gp_nn_additive_gradient(&p.patch, dy, dweight);
    }
    net_check(run_patches, &p, n.model.at->linear, dweight, NET_VARIANTS * 3, "linear.weight");
    net_free(&n);
}

static double run_decoder(void *context) {
    return gp_nn_decoder_forward(context);
}

static void decoder_backward_matches_central_differences(void **state) {
    (void)state;
    net n;
    net_init(&n, &plan);
    static gp_real share[NET_SAMPLES];
    gp_nn_decoder decoder = {patches_of(&n, 0).patch, x, share, room[1], room[2]};
    gp_nn_tensors gradient = {.decode = dweight, .decode_bias = dbias};
    assert_true(gp_nn_decoder_forward(&decoder) > 0);
    gp_nn_decoder_backward(&decoder, dx, &gradient);
    net_check(run_decoder, &decoder, x, dx, plan.samples * 7 * 8, "token");
    net_check(run_decoder, &decoder, n.model.at->decode, dweight, NET_VARIANTS * 8, "weight");
    net_check(run_decoder, &decoder, n.model.at->decode_bias, dbias, NET_VARIANTS, "bias");
    net_free(&n);
}

/* One masked patch of two variants, dosages 2 and missing: half of (1 - 0.5)^2 over 2 variants. */
static void decoder_loss_by_hand(void **state) {
    (void)state;
    net n;
    net_init(&n, &(net_plan){.samples = 1,
                             .patches = 2,
                             .traits = 1,
                             .channels = 2,
                             .heads = 1,
                             .decodes = 1,
                             .masks = 1});
    static gp_real share[1];
    gp_nn_decoder decoder = {patches_of(&n, 0).patch, x, share, room[1], room[2]};
    n.masked[0] = 0, n.masked[1] = 1;
    gp_geno_set(n.call[0], 1, 2);
    gp_geno_set(n.call[0], 2, 3);
    n.model.level[4 + 2] = 0.5;
    memset(n.model.at->decode, 0, 6 * sizeof(gp_real));
    n.model.at->decode_bias[1] = 0.25;
    n.model.at->decode[1 * 2 + 1] = 0.25;
    x[2] = 7, x[3] = 3; /* the second token: 0.25 + 3 * 0.25 = 1 is predicted */
    assert_true(gp_nn_decoder_forward(&decoder) == 0.0625);
    n.batch.masked = NULL;
    assert_true(gp_nn_decoder_forward(&decoder) == 0);
    net_free(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dense_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(norm_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(rotary_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(rotary_products_depend_on_distances_only, set_up),
        cmocka_unit_test_setup(attention_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(gelu_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(dropout_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(dropout_goes_by_seed_step_sample_and_place, set_up),
        cmocka_unit_test_setup(no_dropout_gives_the_numbers_themselves, set_up),
        cmocka_unit_test_setup(covariate_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(pool_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(patch_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(additive_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(loss_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(loss_by_hand, set_up),
        cmocka_unit_test_setup(decoder_backward_matches_central_differences, set_up),
        cmocka_unit_test_setup(decoder_loss_by_hand, set_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gp_nn_engine_close(engine());
    return failed;
}
