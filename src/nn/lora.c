#include "src/nn/lora.h"
#include "src/base/mem.h"
#include "src/nn/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PURPOSE = 75 /* of A's random start: src/base/rng.h */ };

static const gp_real scale = 2; /* alpha / R */

/* "block.K.qkv.weight" gives "block.K.qkv.lora_a" and ".lora_b". */
static void add(gp_nn_lora *lora, const gp_nn_tensor *w) {
    char name[sizeof w->name];
    int stem = (int)(strrchr(w->name, '.') - w->name);
    snprintf(name, sizeof name, "%.*s.lora_a", stem, w->name);
    gp_nn_tensor *a = gp_nn_table_add(&lora->table, 0, name, lora->rank, w->columns);
    a->decays = 1;
    a->deviation = 1 / sqrt((double)w->columns);
    snprintf(name, sizeof name, "%.*s.lora_b", stem, w->name);
    gp_nn_table_add(&lora->table, 0, name, w->rows, lora->rank)->decays = 1;
}

static int check(const gp_nn_table *table, int64_t rank, gp_err *err) {
    int64_t adapt = 0, least = INT64_MAX;
    for (int64_t k = 0; k < table->count; k++)
        if (table->tensor[k].adapts) {
            const gp_nn_tensor *t = &table->tensor[k];
            int64_t side = t->rows < t->columns ? t->rows : t->columns;
            least = side < least ? side : least;
            adapt++;
        }
    if (adapt == 0)
        return gp_err_set(err, GP_EINPUT, "--lora: the network has no layer that could adapt");
    if (rank < 1 || rank > least)
        return gp_err_set(err, GP_EINPUT, "--lora %lld: must be 1 to %lld, the network's channels",
                          (long long)rank, (long long)least);
    return err->code;
}

int gp_nn_lora_init(gp_nn_lora *lora, const gp_nn_table *table, const gp_real *parameter,
                    int64_t rank, uint64_t seed, gp_err *err) {
    memset(lora, 0, sizeof *lora);
    lora->rank = rank;
    if (check(table, rank, err) != GP_OK ||
        gp_nn_table_room(&lora->table, 2 * table->count, 1, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < table->count; k++)
        if (table->tensor[k].adapts)
            add(lora, &table->tensor[k]);
    int64_t size = (int64_t)sizeof(gp_real);
    lora->parameter = gp_mem_alloc(lora->table.parameters, size, err);
    lora->base = gp_mem_alloc(table->parameters, size, err);
    if (err->code != GP_OK)
        return err->code;
    memcpy(lora->base, parameter, (size_t)(table->parameters * size));
    for (int64_t k = 0; k < lora->table.count; k++)
        gp_nn_start_tensor(&lora->table.tensor[k], (gp_nn_stream){seed, PURPOSE, (uint32_t)k},
                           lora->parameter + lora->table.tensor[k].first);
    return GP_OK;
}

void gp_nn_lora_free(gp_nn_lora *lora) {
    gp_nn_table_free(&lora->table);
    free(lora->parameter);
    free(lora->base);
    memset(lora, 0, sizeof *lora);
}

/* y += factor x */
static void add_row(int64_t count, gp_real factor, const gp_real *restrict x, gp_real *restrict y) {
    for (int64_t k = 0; k < count; k++)
        y[k] += factor * x[k];
}

/* dw [rows x columns], a and da [R x columns], b and db [rows x R] */
static void gradient_of(const gp_nn_tensor *w, int64_t rank, const gp_real *dw,
                        const gp_real *const ab[2], gp_real *const to[2]) {
    int64_t columns = w->columns;
    memset(to[0], 0, (size_t)(rank * columns) * sizeof *to[0]);
    for (int64_t o = 0; o < w->rows; o++)
        for (int64_t r = 0; r < rank; r++) {
            const gp_real *row = dw + o * columns;
            to[1][o * rank + r] = scale * gp_nn_dot(row, ab[0] + r * columns, columns);
            add_row(columns, scale * ab[1][o * rank + r], row, to[0] + r * columns);
        }
}

void gp_nn_lora_gradient(const gp_nn_lora *lora, const gp_nn_table *table, const gp_real *gradient,
                         gp_real *to) {
    const gp_nn_tensor *pair = lora->table.tensor;
    memset(to, 0, (size_t)lora->table.parameters * sizeof *to);
    for (int64_t k = 0; k < table->count; k++) {
        const gp_nn_tensor *w = &table->tensor[k];
        if (!w->adapts)
            continue;
        const gp_real *const ab[2] = {lora->parameter + pair[0].first,
                                      lora->parameter + pair[1].first};
        gp_real *const d[2] = {to + pair[0].first, to + pair[1].first};
        gradient_of(w, lora->rank, gradient + w->first, ab, d);
        pair += 2;
    }
}

void gp_nn_lora_apply(const gp_nn_lora *lora, const gp_nn_table *table, gp_real *parameter) {
    const gp_nn_tensor *pair = lora->table.tensor;
    int64_t rank = lora->rank;
    for (int64_t k = 0; k < table->count; k++) {
        const gp_nn_tensor *w = &table->tensor[k];
        if (!w->adapts)
            continue;
        const gp_real *a = lora->parameter + pair[0].first, *b = lora->parameter + pair[1].first;
        int64_t columns = w->columns;
#pragma omp parallel for schedule(static)
        for (int64_t o = 0; o < w->rows; o++) {
            gp_real *row = parameter + w->first + o * columns;
            memcpy(row, lora->base + w->first + o * columns, (size_t)columns * sizeof *row);
            for (int64_t r = 0; r < rank; r++)
                add_row(columns, scale * b[o * rank + r], a + r * columns, row);
        }
        pair += 2;
    }
}
