#include "src/sim/cause.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/sim/purpose.h"

#include <stdlib.h>
#include <string.h>

typedef struct place {
    int64_t variant, cause;
} place;

static int by_variant(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->variant != y->variant)
        return x->variant < y->variant ? -1 : 1;
    return x->cause < y->cause ? -1 : x->cause > y->cause;
}

static void draw(gp_causes *causes, const gp_causes_plan *plan) {
    int64_t half = plan->each / 2;
    for (int64_t t = 0; t < plan->traits; t++) {
        gp_rng rng = gp_rng_stream(plan->seed, GP_SIM_CAUSAL, (uint32_t)t, 0, 0);
        for (int64_t k = 0; k < plan->each; k++) {
            int64_t begin = gp_split_begin(plan->variants, 1, plan->each, k);
            int64_t end = gp_split_begin(plan->variants, 1, plan->each, k + 1);
            gp_cause *c = causes->cause + t * plan->each + k;
            c->variant = begin + gp_rng_below(&rng, end - begin);
            c->partner = k < half ? k + half : k < 2 * half ? k - half : -1;
        }
    }
}

static int sort(gp_causes *causes, gp_err *err) {
    int64_t all = causes->traits * causes->each;
    place *places = gp_mem_alloc(all, sizeof *places, err);
    if (places == NULL)
        return err->code;
    for (int64_t k = 0; k < all; k++)
        places[k] = (place){causes->cause[k].variant, k};
    qsort(places, (size_t)all, sizeof *places, by_variant);
    for (int64_t k = 0; k < all; k++)
        causes->order[k] = places[k].cause;
    free(places);
    return GP_OK;
}

int gp_causes_init(gp_causes *causes, const gp_causes_plan *plan, gp_err *err) {
    *causes = (gp_causes){.traits = plan->traits, .each = plan->each, .samples = plan->samples};
    if (plan->each > plan->variants)
        return gp_err_set(err, GP_EINPUT, "simulate: %lld causal variants of %lld; choose fewer",
                          (long long)plan->each, (long long)plan->variants);
    int64_t all = plan->traits * plan->each;
    causes->cause = gp_mem_alloc(all, sizeof *causes->cause, err);
    causes->order = gp_mem_alloc(all, sizeof *causes->order, err);
    causes->rows = gp_mem_alloc(all, gp_geno_stride(plan->samples), err);
    if (err->code == GP_OK) {
        draw(causes, plan);
        sort(causes, err);
    }
    if (err->code != GP_OK)
        gp_causes_free(causes);
    return err->code;
}

void gp_causes_take(gp_causes *causes, int64_t first, int64_t count, int64_t chromosome,
                    const int64_t *position, const uint8_t *rows) {
    int64_t stride = gp_geno_stride(causes->samples), all = causes->traits * causes->each;
    for (; causes->taken < all; causes->taken++) {
        int64_t k = causes->order[causes->taken], v = causes->cause[k].variant - first;
        if (v >= count)
            break;
        causes->cause[k].chromosome = chromosome;
        causes->cause[k].position = position[v];
        memcpy(causes->rows + k * stride, rows + v * stride, (size_t)stride);
    }
}

void gp_causes_free(gp_causes *causes) {
    free(causes->cause);
    free(causes->order);
    free(causes->rows);
    *causes = (gp_causes){0};
}
