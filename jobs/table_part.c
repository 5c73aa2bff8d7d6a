#include "jobs/table_part.h"
#include "io/part.h"
#include "mpi/plan.h"
#include "src/base/mem.h"

#include <stdlib.h>

/* Every chromosome of the store is work. */
static int make_plan(gp_store *store, int64_t ranks, gp_plan *plan, gp_err *err) {
    int64_t chromosomes = gp_store_chromosome_count(store);
    int64_t *count = gp_mem_alloc(chromosomes, sizeof *count, err);
    for (int64_t k = 0; count != NULL && k < chromosomes; k++)
        count[k] = gp_store_chromosome(store, k)->count;
    if (count != NULL)
        gp_plan_init(plan, count, chromosomes, GP_TEXT_BLOCK, ranks, err);
    free(count);
    return err->code;
}

/* Where a variant stands. */
static int find_position(gp_store *store, int64_t chromosome, int64_t variant, gp_variants *v,
                         int64_t *position, gp_err *err) {
    if (gp_store_read_variants(store, chromosome, variant, 1, v, err) == GP_OK)
        *position = v->position[0];
    return err->code;
}

static int add_region(gp_table_parts *parts, const gp_table_region *region, gp_err *err) {
    if (region->last < region->first)
        return GP_OK;
    if (gp_mem_grow(&parts->region, &parts->capacity, parts->count + 1, sizeof *parts->region,
                    err) == GP_OK)
        parts->region[parts->count++] = *region;
    return err->code;
}

/* The blocks of a run of variants that begins with a block, and ends with one. */
static int add_run(gp_store *store, const gp_run *run, gp_variants *v, gp_table_parts *parts,
                   gp_err *err) {
    int64_t count = gp_store_chromosome(store, run->chromosome)->count, first = 0, next = 0;
    int64_t end = run->first + run->count;
    if (run->first > 0)
        find_position(store, run->chromosome, run->first, v, &first, err);
    for (int64_t j = run->first; j < end && err->code == GP_OK; j += GP_TEXT_BLOCK, first = next) {
        int is_last = j + GP_TEXT_BLOCK >= count;
        next = INT64_MAX;
        if (!is_last)
            find_position(store, run->chromosome, j + GP_TEXT_BLOCK, v, &next, err);
        const gp_table_region region = {run->chromosome, j, first, is_last ? INT64_MAX : next - 1};
        if (err->code == GP_OK)
            add_region(parts, &region, err);
    }
    return err->code;
}

int gp_table_parts_init(gp_job *job, gp_store *store, gp_table_parts *parts, gp_err *err) {
    gp_plan plan = {0};
    gp_variants v = {0};
    gp_run run;
    int64_t rank = gp_par_rank(job->par);
    if (make_plan(store, gp_par_size(job->par), &plan, err) == GP_OK)
        for (int64_t at = plan.begin[rank];
             err->code == GP_OK && gp_plan_next(&plan, rank, INT64_MAX, &at, &run);)
            add_run(store, &run, &v, parts, err);
    gp_variants_free(&v);
    gp_plan_free(&plan);
    return gp_par_agree(job->par, err);
}

void gp_table_parts_free(gp_table_parts *parts) {
    free(parts->region);
    *parts = (gp_table_parts){0};
}
