#include "io/json.h"
#include "io/network_inside.h"
#include "src/base/mem.h"

#include <jansson.h>
#include <string.h>

enum { VERSION = 1 };

/* ---- writing ---- */

/* What all members of the outermost object begin with. */
static void print_key(gp_text *to, const char *key, gp_err *err) {
    gp_text_print(to, err, "%s\n  \"%s\": ", to->bytes[to->length - 1] == '{' ? "" : ",", key);
}

static void print_whole(gp_text *to, const char *key, int64_t value, gp_err *err) {
    print_key(to, key, err);
    gp_text_print(to, err, "%lld", (long long)value);
}

static void print_truth(gp_text *to, const char *key, int value, gp_err *err) {
    print_key(to, key, err);
    gp_text_print(to, err, "%s", value ? "true" : "false");
}

static void print_word(gp_text *to, const char *key, const char *value, gp_err *err) {
    print_key(to, key, err);
    gp_json_string(to, value, err);
}

/* Members of the objects in lists stand on one line. */
static void print_part(gp_text *to, const char *key, double value, gp_err *err) {
    gp_text_print(to, err, ", \"%s\": ", key);
    gp_json_real(to, value, err);
}

static int64_t longest_patch(const gp_nn_shape *s) {
    int64_t longest = 0;
    for (int64_t k = 0; k < s->patches; k++)
        if (s->first[k + 1] - s->first[k] > longest)
            longest = s->first[k + 1] - s->first[k];
    return longest;
}

static void print_shape(gp_text *to, const gp_nn_shape *s, gp_err *err) {
    print_whole(to, "n_layers", s->layers, err);
    print_whole(to, "n_heads", s->heads, err);
    print_whole(to, "channels", s->channels, err);
    print_whole(to, "rotary_channels", s->rotary, err);
    print_whole(to, "patch", longest_patch(s), err);
    print_truth(to, "causal", s->causal, err);
    print_truth(to, "decoder", s->decodes, err);
    print_whole(to, "n_variants", s->variants, err);
    print_whole(to, "n_patches", s->patches, err);
}

static void print_training(gp_text *to, const gp_io_network *n, gp_err *err) {
    print_word(to, "objective", n->objective, err);
    print_whole(to, "n_networks", n->networks, err);
    print_truth(to, "linear_path", n->linear, err);
    print_key(to, "chromosome_dropout", err);
    gp_json_real(to, n->chromosome_dropout, err);
    print_whole(to, "n_samples", n->samples, err);
    print_whole(to, "seed", (int64_t)n->seed, err);
}

static void print_chromosomes(gp_text *to, const gp_io_network *n, gp_err *err) {
    print_key(to, "chromosomes", err);
    for (int32_t k = 0; k < n->shape.chromosomes && err->code == GP_OK; k++) {
        gp_text_print(to, err, "%s", k > 0 ? ", " : "[");
        gp_json_string(to, n->chromosome[k], err);
    }
    gp_text_print(to, err, "%s", n->shape.chromosomes > 0 ? "]" : "[]");
}

static void print_covariates(gp_text *to, const gp_io_network *n, gp_err *err) {
    print_key(to, "covariates", err);
    for (int64_t k = 0; k < n->shape.covariates && err->code == GP_OK; k++) {
        gp_text_print(to, err, "%s\n    {\"name\": ", k > 0 ? "," : "[");
        gp_json_string(to, n->covariate[k].name, err);
        print_part(to, "mean", n->covariate[k].mean, err);
        print_part(to, "deviation", n->covariate[k].deviation, err);
        gp_text_print(to, err, "}");
    }
    gp_text_print(to, err, "%s", n->shape.covariates > 0 ? "\n  ]" : "[]");
}

static void print_trait(gp_text *to, const gp_io_trait *t, int64_t covariates, gp_err *err) {
    print_part(to, "base", t->base, err);
    print_part(to, "deviation", t->deviation, err);
    print_part(to, "intercept", t->intercept, err);
    print_part(to, "gamma", t->stack, err);
    gp_text_print(to, err, ", \"covariate_effects\": [");
    for (int64_t k = 0; k < covariates && err->code == GP_OK; k++) {
        gp_text_print(to, err, "%s", k > 0 ? ", " : "");
        gp_json_real(to, t->effect[k], err);
    }
    gp_text_print(to, err, "]}");
}

static void print_traits(gp_text *to, const gp_io_network *n, gp_err *err) {
    print_key(to, "traits", err);
    for (int64_t t = 0; t < n->shape.traits && err->code == GP_OK; t++) {
        gp_text_print(to, err, "%s\n    {\"name\": ", t > 0 ? "," : "[");
        gp_json_string(to, n->trait[t].name, err);
        gp_text_print(to, err, ", \"loss\": \"%s\"",
                      n->loss[t] == GP_NN_LOGISTIC ? "logistic" : "squared");
        print_trait(to, &n->trait[t], n->shape.covariates, err);
    }
    gp_text_print(to, err, "%s", n->shape.traits > 0 ? "\n  ]" : "[]");
}

int gp_network_print_config(gp_text *to, const gp_io_network *network, gp_err *err) {
    if (network->seed > INT64_MAX)
        return gp_err_set(err, GP_EFAIL, "a seed above 2^63 - 1 cannot be written as JSON");
    if (gp_text_print(to, err, "{") != GP_OK)
        return err->code;
    print_word(to, "model_type", "gp-dist", err);
    print_whole(to, "format_version", VERSION, err);
    print_shape(to, &network->shape, err);
    print_training(to, network, err);
    print_chromosomes(to, network, err);
    print_covariates(to, network, err);
    print_traits(to, network, err);
    return gp_text_print(to, err, "\n}\n");
}

/* ---- reading ---- */

/* An object of the file, and where it is. The first failure stays in err. */
typedef struct source {
    const char *path, *list; /* list: "traits", or "" outside of lists */
    int64_t number;          /* in the list, from 1 */
    const json_t *object;
    gp_err *err;
} source;

static void complain(const source *s, const char *key, const char *what) {
    if (*s->list != 0)
        gp_err_set(s->err, GP_EINPUT, "%s: '%s' of number %lld of '%s' %s", s->path, key,
                   (long long)s->number, s->list, what);
    else
        gp_err_set(s->err, GP_EINPUT, "%s: '%s' %s", s->path, key, what);
}

/* The member, or NULL. */
static const json_t *member(const source *s, const char *key) {
    const json_t *value = json_object_get(s->object, key);
    if (value == NULL)
        complain(s, key, "is missing");
    return value;
}

static int64_t whole(const source *s, const char *key) {
    const json_t *value = member(s, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (int64_t)json_integer_value(value);
    complain(s, key, "must be a whole number, 0 or more");
    return 0;
}

static double real(const source *s, const char *key) {
    const json_t *value = member(s, key);
    if (!json_is_number(value))
        complain(s, key, "must be a number");
    return json_number_value(value);
}

static double spread(const source *s, const char *key) {
    double value = real(s, key);
    if (value < 0.0)
        complain(s, key, "must not be negative");
    return value;
}

static int truth(const source *s, const char *key) {
    const json_t *value = member(s, key);
    if (!json_is_boolean(value))
        complain(s, key, "must be true or false");
    return json_is_true(value);
}

static const char *word(const source *s, const char *key) {
    const json_t *value = member(s, key);
    if (!json_is_string(value))
        complain(s, key, "must be a string");
    return json_is_string(value) ? json_string_value(value) : "";
}

static const json_t *list(const source *s, const char *key) {
    const json_t *value = member(s, key);
    if (!json_is_array(value))
        complain(s, key, "must be a list");
    return value;
}

static char *copy(const source *s, const char *string) {
    return gp_mem_string(string, (int64_t)strlen(string), s->err);
}

static void parse_kind(const source *s) {
    if (strcmp(word(s, "model_type"), "gp-dist") != 0)
        complain(s, "model_type", "must be \"gp-dist\"; this is another program's model");
    if (whole(s, "format_version") != VERSION)
        complain(s, "format_version", "is not 1; a newer gp-dist made this model");
}

static void parse_shape(const source *s, gp_nn_shape *shape) {
    shape->layers = whole(s, "n_layers");
    shape->heads = whole(s, "n_heads");
    shape->channels = whole(s, "channels");
    shape->rotary = whole(s, "rotary_channels");
    shape->causal = truth(s, "causal");
    shape->decodes = truth(s, "decoder");
    shape->variants = whole(s, "n_variants");
    shape->patches = whole(s, "n_patches");
    size_t chromosomes = json_array_size(list(s, "chromosomes"));
    if (chromosomes > INT32_MAX)
        complain(s, "chromosomes", "has too many names");
    shape->chromosomes = (int32_t)chromosomes;
    shape->covariates = (int64_t)json_array_size(list(s, "covariates"));
    shape->traits = (int64_t)json_array_size(list(s, "traits"));
}

static void parse_training(const source *s, gp_io_network *n) {
    n->objective = copy(s, word(s, "objective"));
    n->networks = whole(s, "n_networks");
    if (n->networks < 1)
        complain(s, "n_networks", "must be at least 1");
    n->linear = truth(s, "linear_path");
    n->chromosome_dropout = real(s, "chromosome_dropout");
    n->samples = whole(s, "n_samples");
    n->seed = (uint64_t)whole(s, "seed");
    if (!(n->chromosome_dropout >= 0.0 && n->chromosome_dropout < 1.0))
        complain(s, "chromosome_dropout", "must be at least 0 and below 1");
    if (s->err->code == GP_OK && strcmp(n->objective, "traits") != 0 &&
        strcmp(n->objective, "masked") != 0)
        complain(s, "objective", "must be \"traits\" or \"masked\"");
}

static void parse_chromosomes(const source *s, gp_io_network *n) {
    const json_t *names = list(s, "chromosomes");
    for (int32_t k = 0; k < n->shape.chromosomes && s->err->code == GP_OK; k++) {
        const char *name = json_string_value(json_array_get(names, (size_t)k));
        if (name == NULL)
            complain(s, "chromosomes", "must hold strings");
        else
            n->chromosome[k] = copy(s, name);
    }
}

static void parse_covariates(const source *s, gp_io_network *n) {
    const json_t *all = list(s, "covariates");
    for (int64_t k = 0; k < n->shape.covariates && s->err->code == GP_OK; k++) {
        const source one = {s->path, "covariates", k + 1, json_array_get(all, (size_t)k), s->err};
        n->covariate[k].name = copy(s, word(&one, "name"));
        n->covariate[k].mean = real(&one, "mean");
        n->covariate[k].deviation = spread(&one, "deviation");
    }
}

static void parse_effects(const source *s, gp_io_trait *t, int64_t covariates) {
    const json_t *effects = list(s, "covariate_effects");
    if ((int64_t)json_array_size(effects) != covariates)
        complain(s, "covariate_effects", "must have a number for each of 'covariates'");
    if (s->err->code == GP_OK)
        t->effect = gp_mem_alloc(covariates, sizeof *t->effect, s->err);
    for (int64_t k = 0; k < covariates && s->err->code == GP_OK; k++) {
        const json_t *value = json_array_get(effects, (size_t)k);
        if (!json_is_number(value))
            complain(s, "covariate_effects", "must hold numbers");
        t->effect[k] = json_number_value(value);
    }
}

static void parse_traits(const source *s, gp_io_network *n) {
    const json_t *all = list(s, "traits");
    for (int64_t k = 0; k < n->shape.traits && s->err->code == GP_OK; k++) {
        const source one = {s->path, "traits", k + 1, json_array_get(all, (size_t)k), s->err};
        gp_io_trait *t = &n->trait[k];
        const char *loss = word(&one, "loss");
        n->loss[k] = strcmp(loss, "logistic") == 0 ? GP_NN_LOGISTIC : GP_NN_SQUARED;
        if (n->loss[k] == GP_NN_SQUARED && strcmp(loss, "squared") != 0)
            complain(&one, "loss", "must be \"squared\" or \"logistic\"");
        t->name = copy(s, word(&one, "name"));
        t->base = real(&one, "base");
        t->deviation = spread(&one, "deviation");
        t->intercept = real(&one, "intercept");
        t->stack = real(&one, "gamma");
        parse_effects(&one, t, n->shape.covariates);
    }
}

int gp_network_parse_config(gp_io_network *network, const char *path, const char *bytes, int64_t n,
                            gp_err *err) {
    json_t *root = gp_json_parse(path, bytes, n, err);
    const source s = {path, "", 0, root, err};
    if (root != NULL && !json_is_object(root))
        gp_err_set(err, GP_EINPUT, "%s: is not a model's config.json: it is no object", path);
    if (err->code == GP_OK) {
        parse_kind(&s);
        parse_shape(&s, &network->shape);
        parse_training(&s, network);
    }
    if (err->code == GP_OK && gp_network_make_lists(network, err) == GP_OK) {
        parse_chromosomes(&s, network);
        parse_covariates(&s, network);
        parse_traits(&s, network);
    }
    json_decref(root);
    return err->code;
}
