/* What each chromosome adds to a ridge regression's predictions of the samples that its models left
 * out: Z_k' Z_k alpha / m, the exact product of the solver over one chromosome's variants. */
#include "jobs/components_product.h"
#include "jobs/ridge_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The parts, under way. Column k belongs to fold k / traits and trait k % traits, as alpha does. */
typedef struct parts {
    const gp_ridge_plan *plan;
    const gp_ridge *ridge;
    gp_components_product product;
    int64_t columns;
    int64_t *count; /* [chromosomes of the store] variants of the one in hand */
    double *length; /* [columns] of alpha */
    double *x, *y;  /* [product columns x rows] of this rank */
    double *part;   /* [traits x n] */
    gp_sink silent; /* all of it was said when the models were fitted */
    gp_job quiet;
} parts;

static void parts_free(parts *w) {
    gp_components_product_free(&w->product);
    free(w->count);
    free(w->length);
    free(w->x);
    free(w->y);
    free(w->part);
}

/* Local. */
static int make_room(parts *w, gp_err *err) {
    const gp_ridge *r = w->ridge;
    int64_t real = (int64_t)sizeof(double), n = r->n;
    w->count = gp_mem_alloc(w->product.variants.chromosomes, sizeof *w->count, err);
    w->length = gp_mem_alloc(w->columns, real, err);
    w->x = gp_mem_alloc(w->product.rows, w->product.columns * real, err);
    w->y = gp_mem_alloc(w->product.rows, w->product.columns * real, err);
    w->part = gp_mem_alloc(r->traits * n, real, err);
    for (int64_t k = 0; err->code == GP_OK && k < w->columns; k++) {
        double squares = 0.0;
        for (int64_t i = 0; i < n; i++)
            squares += r->alpha[k * n + i] * r->alpha[k * n + i];
        w->length[k] = sqrt(squares);
    }
    if (err->code == GP_OK && w->product.variants.total != r->variants.total)
        gp_err_set(err, GP_EFAIL, "ridge regression: the variants are not those of the models");
    return err->code;
}

/* Ranks share out the blocks of this chromosome alone. Local. */
static int choose_chromosome(parts *w, int64_t chromosome, gp_err *err) {
    gp_components_product *p = &w->product;
    const gp_kinship_variants *v = &p->variants;
    gp_plan_free(&p->plan);
    for (int64_t k = 0; k < v->chromosomes; k++)
        w->count[k] = k == chromosome ? v->count[k] : 0;
    return gp_plan_init(&p->plan, w->count, v->chromosomes, gp_store_block(w->plan->store),
                        gp_par_groups(w->quiet.par), err);
}

/* Some columns; of each sample the ones of its own fold are kept. Collective. */
static int add_columns(parts *w, int64_t first, int64_t count, gp_err *err) {
    const gp_ridge *r = w->ridge;
    const gp_components_product *p = &w->product;
    int64_t n = r->n, rows = p->rows;
    for (int64_t k = 0; k < count; k++) {
        double length = w->length[first + k];
        for (int64_t i = 0; i < rows; i++)
            w->x[k * rows + i] =
                length > 0.0 ? r->alpha[(first + k) * n + p->first + i] / length : 0.0;
    }
    if (gp_components_multiply(&w->product, w->x, count, w->y, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < count; k++) {
        int64_t fold = (first + k) / r->traits, t = (first + k) % r->traits;
        for (int64_t i = 0; i < rows; i++)
            if (w->plan->folds->of[r->sample[p->first + i]] == fold)
                w->part[t * n + p->first + i] = w->length[first + k] * w->y[k * rows + i];
    }
    return GP_OK;
}

/* Collective. */
static int visit(parts *w, gp_ridge_take_part *take, void *context, gp_err *err) {
    const gp_ridge *r = w->ridge;
    int64_t cells = r->traits * r->n, room = w->product.columns;
    for (int64_t c = 0; c < w->product.variants.chromosomes && err->code == GP_OK; c++) {
        if (w->product.variants.counting[c] == 0)
            continue;
        choose_chromosome(w, c, err);
        memset(w->part, 0, (size_t)cells * sizeof *w->part);
        gp_par_agree(w->quiet.par, err);
        for (int64_t k = 0; k < w->columns && err->code == GP_OK; k += room)
            add_columns(w, k, gp_least(room, w->columns - k), err);
        if (err->code == GP_OK && gp_par_complete(w->quiet.par, w->part, cells, err) == GP_OK)
            take(context, c, w->part);
    }
    return err->code;
}

int gp_ridge_parts(gp_job *job, const gp_ridge_plan *plan, const gp_ridge *ridge,
                   gp_ridge_take_part *take, void *context, gp_err *err) {
    parts w = {.plan = plan,
               .ridge = ridge,
               .columns = (ridge->models - 1) * ridge->traits,
               .quiet = *job};
    const gp_components_plan product = {
        .store = plan->store, .cohort = plan->cohort, .selection = plan->selection};
    w.quiet.sink = &w.silent;
    if (w.columns == 0)
        return GP_OK;
    if (gp_components_product_init(&w.product, &w.quiet, &product,
                                   gp_least(w.columns, GP_RIDGE_ROOM), err) == GP_OK) {
        make_room(&w, err);
        if (gp_par_agree(job->par, err) == GP_OK)
            visit(&w, take, context, err);
    }
    parts_free(&w);
    return gp_par_agree(job->par, err);
}
