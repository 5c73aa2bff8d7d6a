#include "io/network.h"
#include "io/file.h"
#include "io/network_inside.h"
#include "io/safetensors.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

int gp_network_make_lists(gp_io_network *network, gp_err *err) {
    gp_nn_shape *s = &network->shape;
    network->chromosome = gp_mem_alloc(s->chromosomes, sizeof *network->chromosome, err);
    network->covariate = gp_mem_alloc(s->covariates, sizeof *network->covariate, err);
    network->trait = gp_mem_alloc(s->traits, sizeof *network->trait, err);
    s->loss = network->loss = gp_mem_alloc(s->traits, sizeof *network->loss, err);
    return err->code;
}

int gp_network_make_variants(gp_io_network *network, gp_err *err) {
    gp_nn_shape *s = &network->shape;
    s->first = network->first = gp_mem_alloc(s->patches + 1, sizeof *network->first, err);
    s->position = network->position = gp_mem_alloc(s->patches, sizeof *network->position, err);
    s->chromosome = network->place = gp_mem_alloc(s->patches, sizeof *network->place, err);
    network->mean = gp_mem_alloc(s->variants, sizeof *network->mean, err);
    network->scale = gp_mem_alloc(s->variants, sizeof *network->scale, err);
    return err->code;
}

static void take(void *to, const void *from, int64_t count, size_t size) {
    if (count > 0)
        memcpy(to, from, (size_t)count * size);
}

int gp_io_network_init(gp_io_network *network, const gp_nn_shape *shape, gp_err *err) {
    gp_nn_table table = {0};
    network->shape = *shape;
    if (gp_nn_table_init(&table, shape, err) == GP_OK &&
        gp_network_make_lists(network, err) == GP_OK &&
        gp_network_make_variants(network, err) == GP_OK) {
        take(network->first, shape->first, shape->patches + 1, sizeof *shape->first);
        take(network->position, shape->position, shape->patches, sizeof *shape->position);
        take(network->place, shape->chromosome, shape->patches, sizeof *shape->chromosome);
        take(network->loss, shape->loss, shape->traits, sizeof *shape->loss);
        network->networks = gp_most(network->networks, 1);
        network->parameter =
            gp_mem_alloc(table.parameters, network->networks * (int64_t)sizeof(float), err);
    }
    for (int64_t t = 0; err->code == GP_OK && t < shape->traits; t++)
        network->trait[t].effect = gp_mem_alloc(shape->covariates, sizeof(double), err);
    gp_nn_table_free(&table);
    return err->code;
}

void gp_io_network_free(gp_io_network *network) {
    for (int32_t k = 0; network->chromosome != NULL && k < network->shape.chromosomes; k++)
        free(network->chromosome[k]);
    for (int64_t k = 0; network->covariate != NULL && k < network->shape.covariates; k++)
        free(network->covariate[k].name);
    for (int64_t k = 0; network->trait != NULL && k < network->shape.traits; k++) {
        free(network->trait[k].name);
        free(network->trait[k].effect);
    }
    free(network->chromosome);
    free(network->covariate);
    free(network->trait);
    free(network->first);
    free(network->position);
    free(network->place);
    free(network->loss);
    free(network->mean);
    free(network->scale);
    free(network->parameter);
    free(network->objective);
    *network = (gp_io_network){0};
}

/* ---- tensors ---- */

enum { BESIDE = 5 /* tensors that are not parameters */ };

/* What torch.nn has as one dimension. */
static int is_vector(const char *name) {
    size_t n = strlen(name);
    if (strcmp(name, "patch.bias") == 0 || strcmp(name, "covariate.bias") == 0)
        return 0;
    return strcmp(name, "mask.token") == 0 || (n >= 5 && strcmp(name + n - 5, ".bias") == 0) ||
           (n >= 11 && strcmp(name + n - 11, "norm.weight") == 0);
}

static gp_io_tensor vector(const char *name, gp_io_type type, int64_t count, const void *data) {
    return (gp_io_tensor){name, type, 1, {count}, data};
}

/* What the file holds beside parameters, of a network's sizes. */
static void set_beside(const gp_io_network *n, gp_io_tensor to[BESIDE]) {
    const gp_nn_shape *s = &n->shape;
    to[0] = vector("variant.mean", GP_IO_F64, s->variants, n->mean);
    to[1] = vector("variant.scale", GP_IO_F64, s->variants, n->scale);
    to[2] = vector("patch.position", GP_IO_F64, s->patches, n->position);
    to[3] = vector("patch.first", GP_IO_I64, s->patches + 1, n->first);
    to[4] = vector("patch.chromosome", GP_IO_I32, s->patches, n->place);
}

/* A tensor's name in the file, where there are several networks. */
typedef struct named {
    char name[sizeof((gp_nn_tensor *)0)->name + 32];
} named;

/* Tensor t of network number k. */
static gp_io_tensor parameters_of(const gp_io_network *n, int64_t k, const gp_nn_tensor *t,
                                  named *room) {
    if (n->networks == 1)
        snprintf(room->name, sizeof room->name, "%s", t->name);
    else
        snprintf(room->name, sizeof room->name, "network.%lld.%s", (long long)k, t->name);
    if (is_vector(t->name))
        return vector(room->name, GP_IO_F32, t->columns, NULL);
    return (gp_io_tensor){room->name, GP_IO_F32, 2, {t->rows, t->columns}, NULL};
}

/* ---- writing ---- */

static int write_tensors(const gp_io_network *network, const char *path, gp_err *err) {
    const gp_io_pair pair = {"format", "pt"}; /* what the usual libraries look for */
    gp_nn_table table = {0};
    gp_io_tensor *tensor = NULL;
    named *name = NULL;
    if (gp_nn_table_init(&table, &network->shape, err) == GP_OK) {
        int64_t count = network->networks * table.count;
        tensor = gp_mem_alloc(count + BESIDE, sizeof *tensor, err);
        name = gp_mem_alloc(count, sizeof *name, err);
        for (int64_t i = 0; i < count && err->code == GP_OK; i++) {
            const gp_nn_tensor *t = &table.tensor[i % table.count];
            int64_t k = i / table.count;
            tensor[BESIDE + i] = parameters_of(network, k, t, &name[i]);
            tensor[BESIDE + i].data = network->parameter + k * table.parameters + t->first;
        }
        if (err->code == GP_OK) {
            set_beside(network, tensor);
            gp_io_tensors_write(path, tensor, count + BESIDE, &pair, 1, err);
        }
    }
    free(tensor);
    free(name);
    gp_nn_table_free(&table);
    return err->code;
}

int gp_io_network_write(const gp_io_network *network, const char *directory, gp_err *err) {
    gp_text config = {0}, path = {0};
    if (gp_network_print_config(&config, network, err) == GP_OK &&
        gp_text_print(&path, err, "%s/model.safetensors", directory) == GP_OK &&
        write_tensors(network, path.bytes, err) == GP_OK) {
        path.length = 0;
        if (gp_text_print(&path, err, "%s/config.json", directory) == GP_OK)
            gp_io_write_file(path.bytes, config.bytes, config.length, err);
    }
    gp_text_free(&config);
    gp_text_free(&path);
    return err->code;
}

/* ---- reading ---- */

static int not_in(const char *path, const char *what, gp_err *err) {
    return gp_err_set(err, GP_EINPUT, "%s: %s; it is damaged, or config.json is another model's",
                      path, what);
}

/* Sizes that config.json names are those of tensors, so that no larger room is made. */
static int check_sizes(const gp_io_network *n, const char *path, const gp_io_tensors *file,
                       gp_err *err) {
    const gp_nn_shape *s = &n->shape;
    const gp_io_network sizes = {.shape = *s};
    gp_io_tensor token = vector("mask.token", GP_IO_F32, s->channels, NULL);
    gp_io_tensor beside[BESIDE];
    if (s->layers > file->count || n->networks > file->count || s->patches == INT64_MAX)
        return not_in(path, "is smaller than config.json's n_layers, n_networks and n_patches say",
                      err);
    if (n->networks > 1)
        token.name = "network.0.mask.token";
    set_beside(&sizes, beside);
    gp_io_tensors_get(file, path, &token, err);
    for (int k = 0; k < BESIDE && err->code == GP_OK; k++)
        gp_io_tensors_get(file, path, &beside[k], err);
    return err->code;
}

/* The sizes are checked: this takes what is there. */
static void take_beside(gp_io_network *n, const gp_io_tensors *file) {
    const gp_nn_shape *s = &n->shape;
    take(n->mean, gp_io_tensors_find(file, "variant.mean")->data, s->variants, sizeof(double));
    take(n->scale, gp_io_tensors_find(file, "variant.scale")->data, s->variants, sizeof(double));
    take(n->position, gp_io_tensors_find(file, "patch.position")->data, s->patches, sizeof(double));
    take(n->first, gp_io_tensors_find(file, "patch.first")->data, s->patches + 1, sizeof(int64_t));
    take(n->place, gp_io_tensors_find(file, "patch.chromosome")->data, s->patches, sizeof(int32_t));
}

static int check_beside(const gp_io_network *n, const char *path, gp_err *err) {
    const gp_nn_shape *s = &n->shape;
    for (int64_t j = 0; j < s->variants; j++)
        if (!(n->mean[j] >= 0.0 && n->mean[j] <= 2.0) ||
            !(n->scale[j] >= 0.0 && isfinite(n->scale[j])))
            return not_in(path, "'variant.mean' is not within 0 to 2, or 'variant.scale' negative",
                          err);
    for (int64_t k = 0; k < s->patches; k++) {
        if (!isfinite(n->position[k]) || (k > 0 && n->position[k] < n->position[k - 1]))
            return not_in(path, "'patch.position' is not ascending", err);
        if (n->place[k] < 0 || n->place[k] >= s->chromosomes ||
            (k > 0 && n->place[k] < n->place[k - 1]))
            return not_in(
                path, "'patch.chromosome' is not ascending within config.json's chromosomes", err);
    }
    return GP_OK;
}

static int take_parameters(gp_io_network *n, const char *path, const gp_nn_table *table,
                           const gp_io_tensors *file, gp_err *err) {
    int64_t count = n->networks * table->count;
    named name;
    if (file->count != count + BESIDE)
        return not_in(path, "has tensors that config.json's network has not, or lacks some", err);
    for (int64_t i = 0; i < count; i++) {
        const gp_io_tensor expected =
            parameters_of(n, i / table->count, &table->tensor[i % table->count], &name);
        if (gp_io_tensors_get(file, path, &expected, err) == NULL)
            return err->code;
    }
    n->parameter =
        gp_mem_alloc(table->parameters, n->networks * (int64_t)sizeof *n->parameter, err);
    for (int64_t i = 0; i < count && err->code == GP_OK; i++) {
        const gp_nn_tensor *t = &table->tensor[i % table->count];
        const gp_io_tensor expected = parameters_of(n, i / table->count, t, &name);
        take(n->parameter + i / table->count * table->parameters + t->first,
             gp_io_tensors_find(file, expected.name)->data, t->rows * t->columns, sizeof(float));
    }
    for (int64_t k = 0; k < n->networks * table->parameters && err->code == GP_OK; k++)
        if (!isfinite(n->parameter[k]))
            not_in(path, "has parameters that are not finite", err);
    return err->code;
}

static int read_tensors(gp_io_network *n, const char *path, gp_err *err) {
    gp_io_tensors file = {0};
    gp_nn_table table = {0};
    gp_err mine = {0};
    if (gp_io_tensors_read(path, &file, err) == GP_OK &&
        check_sizes(n, path, &file, err) == GP_OK && gp_network_make_variants(n, err) == GP_OK) {
        take_beside(n, &file);
        if (check_beside(n, path, err) == GP_OK &&
            gp_nn_table_init(&table, &n->shape, &mine) != GP_OK)
            gp_err_set(err, mine.code, "%s: %s", path, mine.text); /* the words of options */
        if (err->code == GP_OK)
            take_parameters(n, path, &table, &file, err);
    }
    gp_nn_table_free(&table);
    gp_io_tensors_free(&file);
    return err->code;
}

int gp_io_network_read_config(gp_io_network *network, const char *directory, gp_err *err) {
    gp_text config = {0}, path = {0};
    if (gp_text_print(&path, err, "%s/config.json", directory) == GP_OK &&
        gp_io_read_text(path.bytes, &config, err) == GP_OK)
        gp_network_parse_config(network, path.bytes, config.bytes, config.length, err);
    gp_text_free(&config);
    gp_text_free(&path);
    return err->code;
}

int gp_io_network_read(gp_io_network *network, const char *directory, gp_err *err) {
    gp_text path = {0};
    if (gp_io_network_read_config(network, directory, err) == GP_OK &&
        gp_text_print(&path, err, "%s/model.safetensors", directory) == GP_OK)
        read_tensors(network, path.bytes, err);
    gp_text_free(&path);
    return err->code;
}
