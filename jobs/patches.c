#include "jobs/patches.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>

/* ---- cutting ---- */

static int make_room(gp_patches *p, const gp_places *places, int64_t size, gp_err *err) {
    int64_t chromosomes = 0;
    for (int64_t k = 0; k < places->chromosomes; k++) {
        p->variants += places->counting[k];
        p->count += gp_units(places->counting[k], size);
        chromosomes += places->counting[k] > 0;
    }
    if (chromosomes > INT32_MAX)
        return gp_err_set(err, GP_EFAIL, "memory: too many chromosomes");
    p->chromosomes = (int32_t)chromosomes;
    p->first = gp_mem_alloc(p->count + 1, sizeof *p->first, err);
    p->position = gp_mem_alloc(p->count, sizeof *p->position, err);
    p->chromosome = gp_mem_alloc(p->count, sizeof *p->chromosome, err);
    p->place = gp_mem_alloc(chromosomes, sizeof *p->place, err);
    return err->code;
}

static void cut(gp_patches *p, const gp_places *places, int64_t size) {
    int64_t at = 0, variant = 0;
    int32_t number = 0;
    for (int64_t k = 0; k < places->chromosomes; k++) {
        int64_t end = variant + places->counting[k];
        if (variant == end)
            continue;
        p->place[number] = k;
        for (; variant < end; variant += gp_least(size, end - variant)) {
            p->first[at] = variant;
            p->chromosome[at++] = number;
        }
        number++;
    }
    p->first[at] = variant;
}

/* ---- positions ---- */

static void average(gp_patches *p, const double *place) {
    for (int64_t k = 0; k < p->count; k++) {
        double sum = 0.0;
        for (int64_t j = p->first[k]; j < p->first[k + 1]; j++)
            sum += place[j];
        p->position[k] = sum / (double)(p->first[k + 1] - p->first[k]);
    }
}

/* The mean distance of neighbours on a chromosome; 0 where these places will not do: one is not a
 * number, or lies before the one before, or all of a chromosome are one. */
static double spacing(const gp_patches *p) {
    double length = 0.0;
    int64_t pairs = 0;
    for (int64_t k = 0, end; k < p->count; k = end) {
        for (end = k + 1; end < p->count && p->chromosome[end] == p->chromosome[k]; end++)
            if (!(p->position[end] >= p->position[end - 1]))
                return 0.0;
        double extent = p->position[end - 1] - p->position[k];
        if (!isfinite(extent) || (end - k > 1 && extent <= 0.0))
            return 0.0;
        length += extent;
        pairs += end - k - 1;
    }
    return pairs > 0 ? length / (double)pairs : 1.0;
}

/* Moves chromosomes behind each other. */
static void scale(gp_patches *p, double unit) {
    double begin = 0.0;
    for (int64_t k = 0, end; k < p->count; k = end) {
        double from = p->position[k];
        for (end = k; end < p->count && p->chromosome[end] == p->chromosome[k]; end++)
            p->position[end] = begin + (p->position[end] - from) / unit;
        begin = p->position[end - 1] + GP_PATCH_GAP;
    }
}

int gp_patches_cut(gp_patches *p, const gp_places *places, int64_t size, gp_err *err) {
    double unit = 0.0;
    if (make_room(p, places, size, err) != GP_OK)
        return err->code;
    cut(p, places, size);
    if (places->morgan != NULL) {
        p->from = "the genetic map";
        average(p, places->morgan);
        unit = spacing(p);
    }
    if (!(unit > 0.0)) {
        p->from = "base pairs";
        average(p, places->base);
        unit = spacing(p);
    }
    if (!(unit > 0.0)) {
        p->from = "numbers";
        for (int64_t k = 0; k < p->count; k++)
            p->position[k] = (double)k;
        unit = 1.0;
    }
    scale(p, unit);
    return GP_OK;
}

/* ---- from a store ---- */

/* The places of a chromosome's variants that count. */
static int read_places(gp_store *store, const gp_kinship_variants *v, int64_t k, double *morgan,
                       double *base, int64_t *at, int *has_map, gp_err *err) {
    enum { RUN = 16384 };
    gp_variants run = {0};
    for (int64_t j = 0; j < v->count[k] && err->code == GP_OK; j += RUN) {
        int64_t count = gp_least(RUN, v->count[k] - j);
        if (gp_store_read_variants(store, k, j, count, &run, err) != GP_OK)
            break;
        *has_map = *has_map && run.morgan != NULL;
        for (int64_t i = 0; i < count; i++) {
            if (v->calls[v->first[k] + j + i] == 0)
                continue;
            base[*at] = (double)run.position[i];
            morgan[*at] = run.morgan != NULL ? run.morgan[i] : NAN;
            ++*at;
        }
    }
    gp_variants_free(&run);
    return err->code;
}

int gp_patches_init(gp_patches *p, gp_store *store, const gp_kinship_variants *v, int64_t size,
                    gp_err *err) {
    double *morgan = gp_mem_alloc(v->total, sizeof *morgan, err);
    double *base = gp_mem_alloc(v->total, sizeof *base, err);
    int64_t at = 0;
    int has_map = 1;
    for (int64_t k = 0; k < v->chromosomes && err->code == GP_OK; k++)
        if (v->counting[k] > 0)
            read_places(store, v, k, morgan, base, &at, &has_map, err);
    const gp_places places = {.chromosomes = v->chromosomes,
                              .counting = v->counting,
                              .morgan = has_map ? morgan : NULL,
                              .base = base};
    if (err->code == GP_OK)
        gp_patches_cut(p, &places, size, err);
    free(morgan);
    free(base);
    return err->code;
}

void gp_patches_free(gp_patches *p) {
    free(p->first);
    free(p->position);
    free(p->chromosome);
    free(p->place);
    *p = (gp_patches){0};
}
