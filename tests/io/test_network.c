/* A network's directory: config.json and model.safetensors, there and back, and made unlike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/network.h"
#include "io/network_inside.h"
#include "io/safetensors.h"
#include "tests/io/python_reader.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdint.h>
#include <unistd.h>

static const int64_t first[] = {0, 2, 3, 5};
static const double position[] = {0.5, 1.0 / 3.0 + 1.0, 101.0};
static const int32_t place[] = {0, 0, 1};
static const gp_nn_loss loss[] = {GP_NN_SQUARED, GP_NN_LOGISTIC};
static const gp_nn_shape small = {.variants = 5,
                                  .patches = 3,
                                  .first = first,
                                  .position = position,
                                  .chromosome = place,
                                  .chromosomes = 2,
                                  .covariates = 2,
                                  .traits = 2,
                                  .loss = loss,
                                  .channels = 4,
                                  .layers = 1,
                                  .heads = 2,
                                  .rotary = 2,
                                  .causal = 1};

static char *name_of(const char *name) {
    gp_err err = {0};
    return gp_mem_string(name, (int64_t)strlen(name), &err);
}

/* A number for each parameter; padding stays 0. */
static void fill_parameters(gp_io_network *n) {
    gp_err err = {0};
    gp_nn_table table = {0};
    assert_int_equal(gp_nn_table_init(&table, &n->shape, &err), GP_OK);
    for (int64_t i = 0; i < n->networks * table.count; i++) {
        const gp_nn_tensor *t = &table.tensor[i % table.count];
        float *to = n->parameter + i / table.count * table.parameters + t->first;
        for (int64_t j = 0; j < t->rows * t->columns; j++)
            to[j] = (float)(i + 1) + (float)j / 1024;
    }
    gp_nn_table_free(&table);
}

static void make(gp_io_network *n, const gp_nn_shape *shape) {
    static const char *const chromosome[] = {"1", "X"};
    static const char *const covariate[] = {"age", "site=\"b\""};
    static const char *const trait[] = {"height", "Gr\xC3\xB6\xC3\x9F"
                                                  "e"};
    gp_err err = {0};
    assert_int_equal(gp_io_network_init(n, shape, &err), GP_OK);
    for (int32_t k = 0; k < shape->chromosomes; k++)
        n->chromosome[k] = name_of(chromosome[k]);
    for (int64_t k = 0; k < shape->covariates; k++)
        n->covariate[k] = (gp_io_covariate){name_of(covariate[k]), 50.1 + (double)k, 0.0};
    for (int64_t t = 0; t < shape->traits; t++) {
        double *effect = n->trait[t].effect;
        n->trait[t] = (gp_io_trait){name_of(trait[t]), -0.0, 1.0 / 3.0, 1e-300, effect, 0.75};
        for (int64_t k = 0; k < shape->covariates; k++)
            effect[k] = (double)(t - k);
    }
    for (int64_t j = 0; j < shape->variants; j++) {
        n->mean[j] = 0.1 * (double)j;
        n->scale[j] = sqrt((double)j);
    }
    fill_parameters(n);
    n->linear = 1;
    n->chromosome_dropout = 0.1;
    n->samples = 1234567890123;
    n->seed = 9007199254740993u; /* no double */
    n->objective = name_of(shape->decodes ? "masked" : "traits");
}

static void assert_same_shape(const gp_nn_shape *a, const gp_nn_shape *b) {
    assert_int_equal(a->variants, b->variants);
    assert_int_equal(a->patches, b->patches);
    assert_memory_equal(a->first, b->first, (size_t)(a->patches + 1) * sizeof *a->first);
    if (a->patches > 0) {
        assert_memory_equal(a->position, b->position, (size_t)a->patches * sizeof *a->position);
        assert_memory_equal(a->chromosome, b->chromosome, (size_t)a->patches * sizeof(int32_t));
    }
    assert_int_equal(a->chromosomes, b->chromosomes);
    assert_int_equal(a->covariates, b->covariates);
    assert_int_equal(a->traits, b->traits);
    for (int64_t t = 0; t < a->traits; t++)
        assert_int_equal(a->loss[t], b->loss[t]);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->layers, b->layers);
    assert_int_equal(a->heads, b->heads);
    assert_int_equal(a->rotary, b->rotary);
    assert_int_equal(a->causal, b->causal);
    assert_int_equal(a->decodes, b->decodes);
}

static void assert_same_people(const gp_io_network *a, const gp_io_network *b) {
    int64_t c = a->shape.covariates;
    for (int32_t k = 0; k < a->shape.chromosomes; k++)
        assert_string_equal(a->chromosome[k], b->chromosome[k]);
    for (int64_t k = 0; k < c; k++) {
        assert_string_equal(a->covariate[k].name, b->covariate[k].name);
        assert_memory_equal(&a->covariate[k].mean, &b->covariate[k].mean, sizeof(double));
        assert_memory_equal(&a->covariate[k].deviation, &b->covariate[k].deviation, sizeof(double));
    }
    for (int64_t t = 0; t < a->shape.traits; t++) {
        const gp_io_trait *x = &a->trait[t], *y = &b->trait[t];
        assert_string_equal(x->name, y->name);
        assert_memory_equal(&x->base, &y->base, 3 * sizeof(double)); /* deviation, intercept */
        assert_memory_equal(x->effect, y->effect, (size_t)c * sizeof(double));
        assert_memory_equal(&x->stack, &y->stack, sizeof(double));
    }
}

static void assert_same(const gp_io_network *a, const gp_io_network *b) {
    gp_err err = {0};
    gp_nn_table table = {0};
    assert_same_shape(&a->shape, &b->shape);
    assert_same_people(a, b);
    assert_memory_equal(a->mean, b->mean, (size_t)a->shape.variants * sizeof(double));
    assert_memory_equal(a->scale, b->scale, (size_t)a->shape.variants * sizeof(double));
    assert_int_equal(gp_nn_table_init(&table, &b->shape, &err), GP_OK);
    assert_int_equal(a->networks, b->networks);
    assert_memory_equal(a->parameter, b->parameter,
                        (size_t)(a->networks * table.parameters) * sizeof(float));
    gp_nn_table_free(&table);
    assert_int_equal(a->linear, b->linear);
    assert_true(a->chromosome_dropout == b->chromosome_dropout);
    assert_int_equal(a->samples, b->samples);
    assert_true(a->seed == b->seed);
    assert_string_equal(a->objective, b->objective);
}

static void round_trip(const gp_nn_shape *shape, int64_t networks) {
    gp_io_network n = {.networks = networks}, back = {0};
    gp_err err = {0};
    make(&n, shape);
    assert_int_equal(gp_io_network_write(&n, scratch_folder, &err), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 2);
    if (gp_io_network_read(&back, scratch_folder, &err) != GP_OK)
        fail_msg("%s", err.text);
    assert_same(&back, &n);
    gp_io_network_free(&back);
    gp_io_network_free(&n);
}

static void a_network_comes_back_as_it_was_written(void **state) {
    (void)state;
    round_trip(&small, 0);
}

static void so_do_several_that_are_averaged(void **state) {
    (void)state;
    round_trip(&small, 3);
}

static void so_does_one_without_covariates_traits_or_layers(void **state) {
    (void)state;
    gp_nn_shape shape = small;
    shape.covariates = shape.traits = shape.layers = 0;
    shape.decodes = 1;
    round_trip(&shape, 1);
}

static void and_one_of_covariates_alone(void **state) {
    (void)state;
    gp_nn_shape shape = small;
    shape.variants = shape.patches = 0;
    shape.chromosomes = 0;
    round_trip(&shape, 1);
}

static void the_configuration_can_be_read_by_eye(void **state) {
    (void)state;
    gp_io_network n = {0};
    gp_text text = {0};
    gp_err err = {0};
    make(&n, &small);
    assert_int_equal(gp_network_print_config(&text, &n, &err), GP_OK);
    assert_string_equal(
        text.bytes,
        "{\n"
        "  \"model_type\": \"gp-dist\",\n"
        "  \"format_version\": 1,\n"
        "  \"n_layers\": 1,\n"
        "  \"n_heads\": 2,\n"
        "  \"channels\": 4,\n"
        "  \"rotary_channels\": 2,\n"
        "  \"patch\": 2,\n"
        "  \"causal\": true,\n"
        "  \"decoder\": false,\n"
        "  \"n_variants\": 5,\n"
        "  \"n_patches\": 3,\n"
        "  \"objective\": \"traits\",\n"
        "  \"n_networks\": 1,\n"
        "  \"linear_path\": true,\n"
        "  \"chromosome_dropout\": 0.1,\n"
        "  \"n_samples\": 1234567890123,\n"
        "  \"seed\": 9007199254740993,\n"
        "  \"chromosomes\": [\"1\", \"X\"],\n"
        "  \"covariates\": [\n"
        "    {\"name\": \"age\", \"mean\": 50.1, \"deviation\": 0},\n"
        "    {\"name\": \"site=\\\"b\\\"\", \"mean\": 51.1, \"deviation\": 0}\n"
        "  ],\n"
        "  \"traits\": [\n"
        "    {\"name\": \"height\", \"loss\": \"squared\", \"base\": -0.0, \"deviation\": "
        "0.3333333333333333, \"intercept\": 1e-300, \"gamma\": 0.75, \"covariate_effects\": [0, "
        "-1]},\n"
        "    {\"name\": \"Gr\xC3\xB6\xC3\x9F"
        "e\", \"loss\": \"logistic\", \"base\": -0.0, \"deviation\": "
        "0.3333333333333333, \"intercept\": 1e-300, \"gamma\": 0.75, \"covariate_effects\": [1, "
        "0]}\n"
        "  ]\n"
        "}\n");
    gp_text_free(&text);
    gp_io_network_free(&n);
}

static void another_program_finds_tensors_as_torch_shapes_them(void **state) {
    (void)state;
    static const char *const lines[] = {
        "block.0.down.bias F32 [4] ",
        "block.0.down.weight F32 [4, 16] ",
        "block.0.norm.weight F32 [4] ",
        "block.0.qkv.weight F32 [12, 4] ",
        "block.0.up.bias F32 [16] ",
        "covariate.bias F32 [1, 4] ",
        "covariate.weight F32 [1, 4] ",
        "head.bias F32 [1] ",
        "head.weight F32 [1, 4] ",
        "linear.weight F32 [5, 1] ",
        "mask.token F32 [4] ",
        "norm.bias F32 [4] ",
        "patch.bias F32 [3, 4] ",
        "patch.chromosome I32 [3] 0 0 1\n",
        "patch.first I64 [4] 0 2 3 5\n",
        "patch.position F64 [3] 0.5 1.3333333333333333 101.0\n",
        "patch.weight F32 [5, 4] ",
        "variant.mean F64 [5] 0.0 0.1 0.2 0.30000000000000004 0.4\n"};
    static char text[1 << 16];
    gp_nn_shape shape = small;
    gp_io_network n = {0};
    gp_err err = {0};
    shape.covariates = shape.traits = 1;
    make(&n, &shape);
    assert_int_equal(gp_io_network_write(&n, scratch_folder, &err), GP_OK);
    gp_io_network_free(&n);
    gp_test_python("read_safetensors.py", scratch("model.safetensors"), text, sizeof text);
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        char line[80];
        snprintf(line, sizeof line, "\n%s", lines[k]);
        if (strstr(text, line) == NULL)
            fail_msg("no '%s' in %s", lines[k], text);
    }
}

/* ---- a directory that does not fit ---- */

/* config.json of the small network, with `was` replaced. */
static void edit_config(gp_text *to, const char *was, const char *is) {
    gp_io_network n = {0};
    gp_text text = {0};
    gp_err err = {0};
    make(&n, &small);
    assert_int_equal(gp_network_print_config(&text, &n, &err), GP_OK);
    const char *at = strstr(text.bytes, was);
    if (at == NULL)
        fail_msg("no '%s' in config.json", was);
    gp_text_print(to, &err, "%.*s%s%s", (int)(at - text.bytes), text.bytes, is, at + strlen(was));
    assert_int_equal(err.code, GP_OK);
    gp_text_free(&text);
    gp_io_network_free(&n);
}

/* What the small network's directory gives with this config.json; words: NULL = it is fine. */
static void expect(const char *was, const char *is, const char *words) {
    gp_text text = {0};
    gp_io_network n = {0}, back = {0};
    gp_err good = {0}, err = {0};
    make(&n, &small);
    gp_io_network_write(&n, scratch_folder, &good);
    edit_config(&text, was, is);
    gp_io_write_file(scratch("config.json"), text.bytes, text.length, &good);
    assert_int_equal(good.code, GP_OK);
    gp_io_network_read(&back, scratch_folder, &err);
    if (words == NULL ? err.code != GP_OK
                      : err.code != GP_EINPUT || strstr(err.text, words) == NULL ||
                            strncmp(err.text, scratch_folder, strlen(scratch_folder)) != 0)
        fail_msg("%s -> %s: not '%s' but %d '%s'", was, is, words, err.code, err.text);
    gp_io_network_free(&back);
    gp_io_network_free(&n);
    gp_text_free(&text);
}

static void what_is_unknown_is_ignored(void **state) {
    (void)state;
    expect("\"patch\": 2", "\"patch\": [true, {\"x\": null}], \"later\": 1e9", NULL);
    expect("  \"patch\": 2,\n", "", NULL);
    expect("{\"name\": \"age\"", "{\"unit\": \"years\", \"name\": \"age\"", NULL);
}

static void each_missing_key_is_named(void **state) {
    (void)state;
    static const char *const keys[] = {"model_type",
                                       "format_version",
                                       "n_layers",
                                       "n_heads",
                                       "channels",
                                       "causal",
                                       "rotary_channels",
                                       "decoder",
                                       "n_variants",
                                       "n_patches",
                                       "objective",
                                       "n_networks",
                                       "linear_path",
                                       "n_samples",
                                       "seed",
                                       "chromosome_dropout",
                                       "chromosomes",
                                       "covariates",
                                       "traits",
                                       "name",
                                       "mean",
                                       "deviation",
                                       "loss",
                                       "base",
                                       "intercept",
                                       "gamma",
                                       "covariate_effects"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        char was[40], is[40], words[60];
        snprintf(was, sizeof was, "\"%s\":", keys[k]);
        snprintf(is, sizeof is, "\"not_%s\":", keys[k]);
        snprintf(words, sizeof words, "config.json: '%s' ", keys[k]);
        expect(was, is, words);
        expect(was, is, "is missing");
    }
}

static void wrong_values_are_named(void **state) {
    (void)state;
    expect("\"gp-dist\"", "\"gptj\"", "another program's model");
    expect("\"format_version\": 1", "\"format_version\": 2", "a newer gp-dist");
    expect("\"n_layers\": 1", "\"n_layers\": \"1\"", "'n_layers' must be a whole number");
    expect("\"n_layers\": 1", "\"n_layers\": -1", "'n_layers' must be a whole number");
    expect("\"n_layers\": 1", "\"n_layers\": 1.0", "'n_layers' must be a whole number");
    expect("\"causal\": true", "\"causal\": 1", "'causal' must be true or false");
    expect("\"chromosome_dropout\": 0.1", "\"chromosome_dropout\": 1", "below 1");
    expect("\"traits\",\n", "\"guess\",\n", "'objective' must be \"traits\" or \"masked\"");
    expect("[\"1\", ", "[1, ", "'chromosomes' must hold strings");
    expect("\"mean\": 50.1", "\"mean\": null",
           "'mean' of number 1 of 'covariates' must be a number");
    expect("\"mean\": 51.1, \"deviation\": 0", "\"mean\": 1, \"deviation\": -1",
           "'deviation' of number 2 of 'covariates' must not be negative");
    expect("\"logistic\"", "\"hinge\"", "'loss' of number 2 of 'traits'");
    expect("[1, 0]", "[1]", "'covariate_effects' of number 2 of 'traits' must have a number for");
    expect("[1, 0]", "[1, \"\"]", "must hold numbers");
    expect("{\n", "[{\n", "is not JSON");
    expect("\"n_heads\": 2", "\"n_heads\": 2, \"n_heads\": 2", "is not JSON: duplicate");
    expect("\"seed\": 9007199254740993", "\"seed\": 18446744073709551616", "is not JSON");
    expect("\"mean\": 50.1", "\"mean\": 1e999", "is not JSON");
}

static void sizes_that_are_not_those_of_the_tensors_are_named(void **state) {
    (void)state;
    expect("\"n_variants\": 5", "\"n_variants\": 6",
           "model.safetensors: tensor 'variant.mean' is F64 [5]; expected was F64 [6]");
    expect("\"n_variants\": 5", "\"n_variants\": 9223372036854775807", "'variant.mean'");
    expect("\"n_patches\": 3", "\"n_patches\": 2", "'patch.position' is F64 [3]");
    expect("\"n_patches\": 3", "\"n_patches\": 9223372036854775807", "n_patches say");
    expect("\"channels\": 4", "\"channels\": 8", "'mask.token' is F32 [4]; expected was F32 [8]");
    expect("\"channels\": 4", "\"channels\": 9223372036854775807", "'mask.token'");
    expect("\"n_layers\": 1", "\"n_layers\": 2", "has tensors that config.json's network has not");
    expect("\"n_layers\": 1", "\"n_layers\": 0", "has tensors that config.json's network has not");
    expect("\"n_layers\": 1", "\"n_layers\": 4611686018427387904", "n_layers");
    expect("\"n_heads\": 2", "\"n_heads\": 3", "model.safetensors: --heads 3 does not divide");
    expect("\"rotary_channels\": 2", "\"rotary_channels\": 3", "--rotary");
    expect("\"decoder\": false", "\"decoder\": true", "has tensors that");
    expect("[\"1\", \"X\"]", "[\"1\"]", "'patch.chromosome' is not ascending within");
}

static void nonsense(gp_io_network *n, int which) {
    switch (which) {
    case 0:
        n->mean[4] = 2.5;
        break;
    case 1:
        n->scale[0] = NAN;
        break;
    case 2:
        n->scale[0] = -1;
        break;
    case 3:
        n->position[2] = 0;
        break;
    case 4:
        n->position[0] = -INFINITY;
        break;
    case 5:
        n->place[0] = 1;
        break;
    case 6:
        n->place[0] = -1;
        break;
    case 7:
        n->parameter[0] = NAN;
        break;
    default:
        n->parameter[1] = INFINITY;
    }
}

static void tensors_that_hold_nonsense_are_named(void **state) {
    (void)state;
    static const char *const words[] = {"mean",       "scale",      "scale",
                                        "position",   "position",   "place",
                                        "chromosome", "parameters", "parameters"};
    for (int k = 0; k < 9; k++) {
        gp_io_network n = {0}, back = {0};
        gp_err good = {0}, err = {0};
        make(&n, &small);
        nonsense(&n, k);
        assert_int_equal(gp_io_network_write(&n, scratch_folder, &good), GP_OK);
        assert_int_equal(gp_io_network_read(&back, scratch_folder, &err), GP_EINPUT);
        assert_non_null(strstr(err.text, "model.safetensors: "));
        assert_non_null(strstr(err.text, k == 5 ? "patch.chromosome" : words[k]));
        gp_io_network_free(&back);
        gp_io_network_free(&n);
    }
}

static void any_damage_of_the_configuration_is_survived(void **state) {
    (void)state;
    gp_text text = {0};
    int64_t refused = 0;
    edit_config(&text, "{", "{");
    for (int64_t k = 0; k < text.length; k++) {
        static const char changes[] = {'0', '"', ',', ']', '}', '-', 'e', ' ', 1, (char)0x80};
        gp_io_network part = {0};
        gp_err cut = {0};
        gp_network_parse_config(&part, "c", text.bytes, k, &cut);
        assert_int_equal(cut.code, k == text.length - 1 ? GP_OK : GP_EINPUT);
        gp_io_network_free(&part);
        for (size_t c = 0; c < sizeof changes; c++) {
            gp_io_network n = {0};
            gp_err err = {0};
            char was = text.bytes[k];
            text.bytes[k] = changes[c];
            gp_network_parse_config(&n, "c", text.bytes, text.length, &err);
            assert_true(err.code == GP_OK || err.code == GP_EINPUT);
            refused += err.code != GP_OK;
            text.bytes[k] = was;
            gp_io_network_free(&n);
        }
    }
    assert_true(refused > text.length);
    gp_text_free(&text);
}

static void missing_and_damaged_files_are_named(void **state) {
    (void)state;
    gp_io_network n = {0}, back = {0};
    gp_err good = {0}, none = {0}, cut = {0}, gone = {0};
    assert_int_equal(gp_io_network_read(&back, scratch_folder, &none), GP_EINPUT);
    assert_non_null(strstr(none.text, "config.json: cannot be opened"));
    make(&n, &small);
    gp_io_network_write(&n, scratch_folder, &good);
    assert_int_equal(good.code, GP_OK);
    assert_int_equal(truncate(scratch("model.safetensors"), 1000), 0);
    assert_int_equal(gp_io_network_read(&back, scratch_folder, &cut), GP_EINPUT);
    assert_non_null(strstr(cut.text, "model.safetensors: is cut short"));
    gp_io_network_free(&back);
    unlink(scratch("model.safetensors"));
    assert_int_equal(gp_io_network_read(&back, scratch_folder, &gone), GP_EINPUT);
    assert_non_null(strstr(gone.text, "model.safetensors: cannot be opened"));
    gp_io_network_free(&back);
    gp_io_network_free(&n);
}

/* ---- what cannot be written ---- */

static void names_that_are_not_utf8_are_refused_before_anything_is_written(void **state) {
    (void)state;
    gp_io_network n = {0};
    gp_err err = {0};
    make(&n, &small);
    n.trait[0].name[0] = (char)0xF6;
    assert_int_equal(gp_io_network_write(&n, scratch_folder, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "is not UTF-8"));
    assert_int_equal(scratch_entries(scratch_folder, 0), 0);
    gp_io_network_free(&n);
}

static void numbers_that_json_has_not_are_refused(void **state) {
    (void)state;
    gp_io_network n = {0};
    gp_err nan = {0}, seed = {0};
    make(&n, &small);
    n.trait[1].intercept = NAN;
    assert_int_equal(gp_io_network_write(&n, scratch_folder, &nan), GP_EFAIL);
    n.trait[1].intercept = 0;
    n.seed = (uint64_t)1 << 63;
    assert_int_equal(gp_io_network_write(&n, scratch_folder, &seed), GP_EFAIL);
    gp_io_network_free(&n);
}

static void a_full_disk_is_named(void **state) {
    (void)state;
    static const char *const names[] = {"model.safetensors", "config.json"};
    gp_io_network n = {0};
    if (access("/dev/full", W_OK) != 0)
        skip();
    make(&n, &small);
    for (int k = 0; k < 2; k++) {
        gp_err err = {0};
        char temporary[60];
        snprintf(temporary, sizeof temporary, "%s.tmp", names[k]);
        assert_int_equal(symlink("/dev/full", scratch(temporary)), 0);
        assert_int_equal(gp_io_network_write(&n, scratch_folder, &err), GP_EFAIL);
        assert_non_null(strstr(err.text, names[k]));
        assert_non_null(strstr(err.text, "No space left"));
        assert_int_equal(scratch_entries(scratch_folder, 0), k);
    }
    gp_io_network_free(&n);
}

/* ---- memory ---- */

static int write_it(void *context, gp_err *err) {
    return gp_io_network_write(context, scratch_folder, err);
}

static int read_it(void *context, gp_err *err) {
    gp_io_network n = {0};
    gp_io_network_read(&n, scratch_folder, err);
    if (err->code == GP_OK)
        assert_same_shape(&n.shape, &((const gp_io_network *)context)->shape);
    gp_io_network_free(&n);
    return err->code;
}

static int make_it(void *context, gp_err *err) {
    gp_io_network n = {0};
    gp_io_network_init(&n, context, err);
    gp_io_network_free(&n);
    return err->code;
}

static void every_refused_allocation_comes_back(void **state) {
    (void)state;
    gp_io_network n = {0};
    gp_nn_shape shape = small;
    make(&n, &small);
    assert_true(gp_test_fail_each(write_it, &n) > 20);
    assert_true(gp_test_fail_each(read_it, &n) > 50);
    assert_true(gp_test_fail_each(make_it, &shape) > 10);
    gp_io_network_free(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_network_comes_back_as_it_was_written, scratch_clear),
        cmocka_unit_test_teardown(so_do_several_that_are_averaged, scratch_clear),
        cmocka_unit_test_teardown(so_does_one_without_covariates_traits_or_layers, scratch_clear),
        cmocka_unit_test_teardown(and_one_of_covariates_alone, scratch_clear),
        cmocka_unit_test(the_configuration_can_be_read_by_eye),
        cmocka_unit_test_teardown(another_program_finds_tensors_as_torch_shapes_them,
                                  scratch_clear),
        cmocka_unit_test_teardown(what_is_unknown_is_ignored, scratch_clear),
        cmocka_unit_test_teardown(each_missing_key_is_named, scratch_clear),
        cmocka_unit_test_teardown(wrong_values_are_named, scratch_clear),
        cmocka_unit_test_teardown(sizes_that_are_not_those_of_the_tensors_are_named, scratch_clear),
        cmocka_unit_test_teardown(tensors_that_hold_nonsense_are_named, scratch_clear),
        cmocka_unit_test(any_damage_of_the_configuration_is_survived),
        cmocka_unit_test_teardown(missing_and_damaged_files_are_named, scratch_clear),
        cmocka_unit_test_teardown(names_that_are_not_utf8_are_refused_before_anything_is_written,
                                  scratch_clear),
        cmocka_unit_test(numbers_that_json_has_not_are_refused),
        cmocka_unit_test_teardown(a_full_disk_is_named, scratch_clear),
        cmocka_unit_test_teardown(every_refused_allocation_comes_back, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
