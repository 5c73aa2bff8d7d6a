/* From a ridge regression's samples to its variants: b = Z alpha / m. */
#include "jobs/components_product.h"
#include "jobs/ridge_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

/* The effects, under way. */
typedef struct effects {
    gp_components_product product;
    int64_t *place; /* [variants] number among those that count */
    int64_t first, columns, traits;
    double *effect; /* [variants.total x traits] */
} effects;

static int take(void *context, const gp_ahead_batch *batch, const double *c, gp_err *err) {
    effects *e = context;
    const gp_kinship_variants *v = &e->product.variants;
    int64_t from = v->first[batch->run.chromosome] + batch->run.first;
    for (int64_t j = 0; j < batch->run.count; j++)
        for (int64_t k = 0; v->calls[from + j] != 0 && k < e->columns; k++)
            e->effect[e->place[from + j] * e->traits + e->first + k] =
                c[j * e->product.columns + k] / (double)v->total;
    return err->code;
}

static int number_variants(effects *e, gp_err *err) {
    const gp_kinship_variants *v = &e->product.variants;
    int64_t all = v->first[v->chromosomes], number = 0;
    e->place = gp_mem_alloc(all, sizeof *e->place, err);
    for (int64_t j = 0; err->code == GP_OK && j < all; j++) {
        e->place[j] = number;
        number += v->calls[j] != 0;
    }
    return err->code;
}

/* Collective. */
static int visit(effects *e, gp_job *job, const gp_ridge *ridge, int64_t model, gp_err *err) {
    int64_t all = ridge->variants.total * ridge->traits, room = e->product.columns;
    number_variants(e, err);
    if (err->code == GP_OK && e->product.variants.total != ridge->variants.total)
        gp_err_set(err, GP_EFAIL, "ridge regression: the variants are not those of the model");
    if (gp_par_agree(job->par, err) == GP_OK) {
        memset(e->effect, 0, (size_t)all * sizeof *e->effect);
        for (; err->code == GP_OK && e->first < e->traits; e->first += room) {
            e->columns = gp_least(room, e->traits - e->first);
            gp_components_visit(&e->product,
                                ridge->alpha + (model * e->traits + e->first) * ridge->n,
                                e->columns, take, e, err);
        }
        if (err->code == GP_OK)
            gp_par_complete(job->par, e->effect, all, err); /* a variant is one rank's */
    }
    return err->code;
}

int gp_ridge_effects(gp_job *job, const gp_ridge_plan *plan, const gp_ridge *ridge, int64_t model,
                     double *effect, gp_err *err) {
    gp_sink silent = {0}; /* all of it was said when the model was fitted */
    gp_job quiet = *job;
    effects e = {.traits = ridge->traits, .effect = effect};
    const gp_components_plan product = {
        .store = plan->store, .cohort = plan->cohort, .selection = plan->selection};
    quiet.sink = &silent;
    if (gp_components_product_init(&e.product, &quiet, &product,
                                   gp_least(ridge->traits, GP_RIDGE_ROOM), err) == GP_OK)
        visit(&e, &quiet, ridge, model, err);
    gp_components_product_free(&e.product);
    free(e.place);
    return gp_par_agree(job->par, err);
}
