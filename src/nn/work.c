#include "src/nn/work.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <limits.h>
#include <stdlib.h>

enum { ALIGN = 16 /* numbers: arrays begin on cache lines */ };

typedef struct array {
    gp_real **at;
    int64_t count;
} array;

/* Counts beyond 2^63 stand as INT64_MAX: no memory holds them. */
static int64_t times(int64_t a, int64_t b) {
    int64_t c;
    return __builtin_mul_overflow(a, b, &c) ? INT64_MAX : c;
}

static int64_t plus(int64_t a, int64_t b) {
    int64_t c;
    return __builtin_add_overflow(a, b, &c) ? INT64_MAX : c;
}

static int64_t longest(const gp_nn_shape *shape) {
    int64_t most = 0;
    for (int64_t k = 0; k < shape->patches; k++)
        most = gp_most(most, shape->first[k + 1] - shape->first[k]);
    return most;
}

/* Gives the arrays their places from memory on, or none where memory is NULL; returns how many
 * numbers they take. */
static int64_t place(const array *list, int count, gp_real *memory) {
    int64_t total = 0;
    for (int k = 0; k < count; k++) {
        if (memory != NULL)
            *list[k].at = memory + total;
        if (list[k].count > INT64_MAX - ALIGN)
            return INT64_MAX;
        total = plus(total, gp_round_up(list[k].count, ALIGN));
    }
    return total;
}

/* The table of sizes. */
static int64_t arrays(gp_nn_work *w, const gp_nn_shape *shape) {
    int64_t s = w->samples, t = gp_nn_tokens(shape), c = shape->channels, p = shape->traits;
    int64_t n = times(s, t), nc = times(n, c), square = times(t, t);
    int64_t patch = times(s, longest(shape)), decoder = shape->decodes ? s : 0;
    int64_t slots = w->backward ? shape->layers : gp_least(shape->layers, 1);
    w->layer_probabilities = times(times(s, shape->heads), square);
    int64_t norms = w->backward ? slots + 1 : 1, back = w->backward != 0;
    const array list[] = {
        {&w->stream, nc},
        {&w->normal, nc},
        {&w->branch, nc},
        {&w->active, times(4, nc)},
        {&w->pooled, times(s, c)},
        {&w->output, times(s, p)},
        {&w->dosage, patch},
        {&w->share, decoder},
        {&w->gathered, times(decoder, c)},
        {&w->prediction, shape->decodes ? patch : 0},
        {&w->unit, times(norms, nc)},
        {&w->inverse, times(norms, n)},
        {&w->qkv, times(slots, times(3, nc))},
        {&w->probability, times(slots, w->layer_probabilities)},
        {&w->mixed, times(slots, nc)},
        {&w->up, times(slots, times(4, nc))},
        {&w->dstream, times(back, nc)},
        {&w->dbranch, times(back, nc)},
        {&w->dnormal, times(back, nc)},
        {&w->dwide, times(back, times(4, nc))},
        {&w->dprobability, times(back, square)},
        {&w->dpooled, times(back, times(s, c))},
        {&w->doutput, times(back, times(s, p))},
    };
    return place(list, (int)(sizeof list / sizeof list[0]), w->memory);
}

int64_t gp_nn_work_bytes(const gp_nn_shape *shape, const gp_nn_table *table, int64_t samples,
                         int backward) {
    gp_nn_work w = {.samples = samples, .backward = backward};
    int64_t numbers = arrays(&w, shape);
    if (backward)
        numbers = plus(numbers, table->parameters);
    return times(numbers, (int64_t)sizeof(gp_real));
}

/* The products' sizes must fit the library's. */
static int check(const gp_nn_shape *shape, int64_t samples, gp_err *err) {
    int64_t tokens = gp_nn_tokens(shape), channels = times(4, shape->channels);
    if (times(samples, tokens) > INT_MAX || times(tokens, channels) > INT_MAX)
        return gp_err_set(err, GP_EINPUT,
                          "the network: %lld samples at once of %lld tokens of %lld channels are "
                          "more than a product of matrices can have; use longer patches (--patch), "
                          "or fewer samples at once",
                          (long long)samples, (long long)tokens, (long long)shape->channels);
    return GP_OK;
}

gp_nn_work *gp_nn_work_new(const gp_nn_model *model, int64_t samples, int backward, gp_err *err) {
    if (check(&model->shape, samples, err) != GP_OK)
        return NULL;
    gp_nn_work *w = gp_mem_alloc(1, sizeof *w, err);
    if (w == NULL)
        return NULL;
    w->samples = samples;
    w->backward = backward;
    w->memory = gp_mem_alloc(arrays(w, &model->shape), sizeof *w->memory, err);
    if (w->memory == NULL)
        goto fail;
    arrays(w, &model->shape);
    if (!backward)
        return w;
    w->gradient = gp_mem_alloc(model->table.parameters, sizeof *w->gradient, err);
    if (w->gradient != NULL && gp_nn_tensors_init(&w->of, &model->table, w->gradient, err) == GP_OK)
        return w;
fail:
    gp_nn_work_free(w);
    return NULL;
}

void gp_nn_work_free(gp_nn_work *work) {
    if (work == NULL)
        return;
    free(work->memory);
    free(work->gradient);
    gp_nn_tensors_free(&work->of);
    free(work);
}

gp_nn_kept gp_nn_kept_of(const gp_nn_pass *pass, int64_t layer) {
    const gp_nn_work *w = pass->work;
    const gp_nn_shape *shape = &pass->model->shape;
    int64_t t = gp_nn_tokens(shape), n = w->samples * t, nc = n * shape->channels;
    int64_t slot = w->backward ? layer : 0;
    gp_nn_kept kept = {.norm = {w->unit + slot * nc, w->inverse + slot * n}};
    if (layer < shape->layers) {
        kept.qkv = w->qkv + slot * 3 * nc;
        kept.probability = w->probability + slot * w->layer_probabilities;
        kept.mixed = w->mixed + slot * nc;
        kept.up = w->up + slot * 4 * nc;
    }
    return kept;
}
