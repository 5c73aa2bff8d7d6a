#include "jobs/ridge.h"
#include "jobs/ridge_private.h"
#include "src/assoc/row_sums.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/pca/subspace.h"

#include <stdlib.h>
#include <string.h>

void gp_ridge_free(gp_ridge *r) {
    free(r->sample);
    free(r->covariates);
    free(r->value);
    free(r->cross);
    free(r->fixed);
    free(r->alone);
    free(r->heritability);
    free(r->alpha);
    free(r->trained);
    free(r->dropped);
    gp_kinship_variants_free(&r->variants);
    *r = (gp_ridge){0};
}

/* ---- room ---- */

static int64_t room_of(int64_t columns) {
    return gp_units(columns, gp_units(columns, GP_RIDGE_ROOM));
}

static int results_init(gp_ridge *r, const gp_ridge_plan *plan, gp_err *err) {
    const gp_cohort *cohort = plan->cohort;
    int64_t real = (int64_t)sizeof(double), fits, basis = 1 + cohort->covariates;
    r->n = gp_cohort_kept(cohort);
    r->traits = plan->traits;
    r->models = plan->folds->count + 1;
    fits = r->models * r->traits;
    r->sample = gp_mem_alloc(r->n, sizeof *r->sample, err);
    r->covariates = gp_mem_alloc(fits, r->n * real, err);
    r->value = gp_mem_alloc(fits, r->n * real, err);
    r->cross = gp_mem_alloc(fits, r->n * real, err);
    r->alpha = gp_mem_alloc(fits, r->n * real, err);
    r->fixed = gp_mem_alloc(fits, basis * real, err);
    r->alone = gp_mem_alloc(fits, basis * real, err);
    r->heritability = gp_mem_alloc(fits, real, err);
    r->trained = gp_mem_alloc(fits, sizeof *r->trained, err);
    r->dropped = gp_mem_alloc(cohort->covariates, 1, err);
    for (int64_t i = 0, at = 0; err->code == GP_OK && i < cohort->samples.n; i++)
        if (cohort->kept[i])
            r->sample[at++] = i;
    return err->code;
}

/* After the product's making, which says which rows are this rank's. Local. */
static int room_init(gp_ridge_run *w, gp_err *err) {
    const gp_components_product *p = &w->product;
    int64_t real = (int64_t)sizeof(double), fits = w->ridge->models * w->ridge->traits;
    w->chunk.plan = w->plan;
    w->chunk.sample = w->ridge->sample;
    w->chunk.n = w->ridge->n;
    w->chunk.first = p->first;
    w->chunk.rows = p->rows;
    gp_ridge_chunk_init(&w->chunk, w->room, err);
    w->column = gp_mem_alloc(fits * (1 + GP_RIDGE_INNER), sizeof *w->column, err);
    w->error = gp_mem_alloc(fits, GP_RIDGE_GRID * real, err);
    w->penalty = gp_mem_alloc(fits, real, err);
    w->lambda = gp_mem_alloc(w->room, GP_RIDGE_GRID * real, err);
    w->total = gp_mem_alloc(w->room, GP_RIDGE_GRID * real, err);
    w->like = gp_mem_alloc(w->ridge->traits, sizeof *w->like, err);
    return err->code;
}

static void run_free(gp_ridge_run *w) {
    gp_progress_close(&w->progress);
    gp_components_product_free(&w->product);
    gp_ridge_chunk_free(&w->chunk);
    free(w->column);
    free(w->error);
    free(w->penalty);
    free(w->lambda);
    free(w->total);
    free(w->like);
}

int64_t gp_ridge_bytes(const gp_ridge_plan *plan, int64_t variants, int64_t ranks) {
    int64_t n = gp_cohort_kept(plan->cohort), c = plan->cohort->covariates;
    int64_t fits = (plan->folds->count + 1) * plan->traits;
    int64_t room = room_of(fits * (1 + GP_RIDGE_INNER));
    int64_t rows = gp_split_begin(n, GP_SUBSPACE_ROWS, ranks, ranks) -
                   gp_split_begin(n, GP_SUBSPACE_ROWS, ranks, ranks - 1);
    rows = gp_most(rows, gp_split_begin(n, GP_SUBSPACE_ROWS, ranks, 1));
    gp_ridge_solve grid = {.n = n, .rows = rows, .columns = room, .designs = room};
    grid.penalties = GP_RIDGE_GRID;
    grid.basis = 1 + c;
    gp_ridge_solve final = grid;
    final.penalties = 1;
    int64_t solving = gp_most(gp_ridge_solve_bytes(&grid, rows / GP_RIDGE_INNER + 2),
                              gp_ridge_solve_bytes(&final, rows));
    int64_t results = n * 8 * (4 * fits + 2) + fits * 8 * (2 * (1 + c) + GP_RIDGE_GRID + 2);
    return results + solving + gp_ridge_chunk_bytes(n, rows, c, room) +
           gp_components_product_bytes(plan->cohort->samples.n, variants, room) +
           gp_row_sums_bytes(n, room * GP_RIDGE_GRID) + fits * (1 + GP_RIDGE_INNER) * 32;
}

/* ---- together ---- */

/* Every rank has filled its rows alone. Collective. */
static int share(gp_ridge_run *w, gp_err *err) {
    gp_ridge *r = w->ridge;
    double *all[] = {r->covariates, r->value, r->cross, r->alpha};
    for (int a = 0; a < 4 && err->code == GP_OK; a++)
        gp_par_complete(w->job->par, all[a], r->models * r->traits * r->n, err);
    return err->code;
}

static void report(const gp_ridge_run *w) {
    const gp_ridge *r = w->ridge;
    const gp_folds *folds = w->plan->folds;
    const gp_sink *sink = w->job->sink;
    gp_say(sink, GP_NOTE, "ridge regression: %lld passes over the genotypes",
           (long long)(w->products + 1));
    for (int64_t t = 0; t < r->traits; t++)
        gp_say(sink, GP_NOTE, "trait %s: the penalty is that of a heritability of %.3f",
               w->plan->cohort->trait[w->plan->trait[t]].name,
               r->heritability[folds->count * r->traits + t]);
    if (w->unsettled)
        gp_say(sink, GP_WARN,
               "ridge regression has not settled in %d products; its predictions are less exact",
               GP_RIDGE_MOST_PRODUCTS);
}

/* Collective. */
static int work(gp_ridge_run *w, gp_err *err) {
    gp_ridge *r = w->ridge;
    int64_t fits = r->models * r->traits;
    gp_say(w->job->sink, GP_NOTE, "ridge regression of %lld traits, %lld models, %lld variants",
           (long long)r->traits, (long long)r->models, (long long)w->product.variants.total);
    w->product.job = w->product.pass.job = &w->quiet;
    gp_ridge_find_alike(w);
    if (gp_ridge_check_fits(w, err) != GP_OK || gp_ridge_find_diagonal(w, err) != GP_OK)
        return err->code;
    gp_progress_open(&w->progress, w->job->sink, "ridge", fits * (1 + 2 * GP_RIDGE_INNER));
    if (gp_ridge_search(w, err) == GP_OK && gp_ridge_predict(w, err) == GP_OK)
        share(w, err);
    gp_progress_close(&w->progress);
    if (err->code == GP_OK) {
        report(w);
        r->variants = w->product.variants;
        w->product.variants = (gp_kinship_variants){0};
    }
    return err->code;
}

int gp_ridge_fit(gp_job *job, const gp_ridge_plan *plan, gp_ridge *ridge, gp_err *err) {
    gp_ridge_run w = {.job = job, .plan = plan, .ridge = ridge, .quiet = *job};
    const gp_components_plan product = {
        .store = plan->store, .cohort = plan->cohort, .selection = plan->selection};
    w.quiet.sink = &w.silent;
    results_init(ridge, plan, err);
    if (gp_par_agree(job->par, err) == GP_OK) {
        w.room = room_of(ridge->models * ridge->traits * (1 + GP_RIDGE_INNER));
        if (gp_components_product_init(&w.product, job, &product, w.room, err) == GP_OK)
            room_init(&w, err);
        if (gp_par_agree(job->par, err) == GP_OK)
            work(&w, err);
    }
    run_free(&w);
    return gp_par_agree(job->par, err);
}
