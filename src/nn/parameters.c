#include "src/nn/parameters.h"
#include "src/base/mem.h"
#include "src/base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PURPOSE = 70, /* of the random start: src/base/rng.h */
    ALIGN = 16,   /* numbers: a tensor begins on a cache line */
    HEADS = 7,    /* most tensors of group 0 */
    BLOCK = 8,    /* of a block */
    TOKENS = 5    /* of the embeddings */
};

/* Standard deviations of the random start. Embeddings start small: with large ones the network
 * stays near a linear function of what it started with, and finds no interactions. */
#define ZEROS 0.0
#define ONES (-1.0)
static const double start_embedding = 0.02;
static double start_branch(int64_t inputs) {
    return 1 / sqrt((double)inputs);
}

int gp_nn_table_room(gp_nn_table *table, int64_t tensors, int64_t groups, gp_err *err) {
    memset(table, 0, sizeof *table);
    table->tensor = gp_mem_alloc(tensors, sizeof *table->tensor, err);
    table->group_first = gp_mem_alloc(groups + 1, sizeof *table->group_first, err);
    table->groups = groups;
    return err->code;
}

gp_nn_tensor *gp_nn_table_add(gp_nn_table *table, int group, const char *name, int64_t rows,
                              int64_t columns) {
    gp_nn_tensor *t = &table->tensor[table->count++];
    *t = (gp_nn_tensor){.rows = rows, .columns = columns, .first = table->parameters};
    snprintf(t->name, sizeof t->name, "%s", name);
    t->group = group;
    table->parameters += (rows * columns + ALIGN - 1) / ALIGN * ALIGN;
    table->group_first[group + 1] = table->parameters;
    return t;
}

/* A matrix: decays, and starts with normal deviates, or as 0. */
static gp_nn_tensor *matrix(gp_nn_table *table, int group, const char *name, int64_t rows,
                            int64_t columns) {
    gp_nn_tensor *t = gp_nn_table_add(table, group, name, rows, columns);
    t->decays = 1;
    return t;
}

static void add_heads(gp_nn_table *table, const gp_nn_shape *s) {
    int64_t c = s->channels;
    gp_nn_table_add(table, 0, "norm.weight", 1, c)->deviation = ONES;
    gp_nn_table_add(table, 0, "norm.bias", 1, c);
    matrix(table, 0, "head.weight", s->traits, c)->deviation = ZEROS;
    gp_nn_table_add(table, 0, "head.bias", 1, s->traits);
    gp_nn_table_add(table, 0, "linear.weight", s->variants, s->traits)->deviation = ZEROS;
    if (s->decodes) {
        matrix(table, 0, "decode.weight", s->variants, c)->deviation = ZEROS;
        gp_nn_table_add(table, 0, "decode.bias", 1, s->variants);
    }
}

static void add_block(gp_nn_table *table, const gp_nn_shape *s, int64_t k) {
    int64_t c = s->channels;
    int group = (int)(s->layers - k);
    static const struct {
        const char *name;
        int rows, columns; /* times C; a vector has 0 rows */
    } part[BLOCK] = {{"norm.weight", 0, 1}, {"norm.bias", 0, 1}, {"qkv.weight", 3, 1},
                     {"out.weight", 1, 1},  {"up.weight", 4, 1}, {"up.bias", 0, 4},
                     {"down.weight", 1, 4}, {"down.bias", 0, 1}};
    for (int i = 0; i < BLOCK; i++) {
        char name[sizeof table->tensor->name];
        snprintf(name, sizeof name, "block.%lld.%s", (long long)k, part[i].name);
        int64_t columns = part[i].columns * c;
        if (part[i].rows == 0) {
            gp_nn_table_add(table, group, name, 1, columns)->deviation = i == 0 ? ONES : ZEROS;
            continue;
        }
        gp_nn_tensor *t = matrix(table, group, name, part[i].rows * c, columns);
        t->adapts = 1;
        t->deviation = start_branch(columns);
    }
}

static void add_tokens(gp_nn_table *table, const gp_nn_shape *s) {
    int64_t c = s->channels;
    int group = (int)s->layers + 1;
    gp_nn_tensor *patch = matrix(table, group, "patch.weight", s->variants, c);
    patch->sparse = 1;
    patch->deviation = start_embedding;
    gp_nn_table_add(table, group, "patch.bias", s->patches, c);
    matrix(table, group, "covariate.weight", s->covariates, c)->deviation = start_embedding;
    gp_nn_table_add(table, group, "covariate.bias", s->covariates, c);
    gp_nn_table_add(table, group, "mask.token", 1, c);
}

int gp_nn_table_init(gp_nn_table *table, const gp_nn_shape *shape, gp_err *err) {
    memset(table, 0, sizeof *table);
    if (gp_nn_shape_check(shape, err) != GP_OK)
        return err->code;
    int64_t tensors = HEADS + BLOCK * shape->layers + TOKENS;
    if (gp_nn_table_room(table, tensors, shape->layers + 2, err) != GP_OK)
        return err->code;
    add_heads(table, shape);
    for (int64_t k = shape->layers - 1; k >= 0; k--)
        add_block(table, shape, k);
    add_tokens(table, shape);
    return GP_OK;
}

void gp_nn_table_free(gp_nn_table *table) {
    free(table->tensor);
    free(table->group_first);
    memset(table, 0, sizeof *table);
}

const gp_nn_tensor *gp_nn_table_find(const gp_nn_table *table, const char *name) {
    for (int64_t k = 0; k < table->count; k++)
        if (strcmp(table->tensor[k].name, name) == 0)
            return &table->tensor[k];
    return NULL;
}

void gp_nn_start_tensor(const gp_nn_tensor *tensor, gp_nn_stream stream, gp_real *to) {
    int64_t columns = tensor->columns;
    double deviation = tensor->deviation;
#pragma omp parallel for schedule(static) if (deviation > 0)
    for (int64_t r = 0; r < tensor->rows; r++) {
        gp_rng rng = gp_rng_stream(stream.seed, stream.purpose, stream.number, (uint32_t)r, 0);
        for (int64_t k = 0; k < columns; k++)
            to[r * columns + k] = deviation > 0 ? (gp_real)(deviation * gp_rng_normal(&rng))
                                                : (gp_real)(deviation < 0);
    }
}

void gp_nn_start(const gp_nn_table *table, uint64_t seed, gp_real *parameter) {
    memset(parameter, 0, (size_t)table->parameters * sizeof *parameter);
    for (int64_t k = 0; k < table->count; k++)
        gp_nn_start_tensor(&table->tensor[k], (gp_nn_stream){seed, PURPOSE, (uint32_t)k},
                           parameter + table->tensor[k].first);
}
