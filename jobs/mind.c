#include "jobs/mind.h"
#include "jobs/job.h"
#include "jobs/whole_pass.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/count.h"

#include <math.h>
#include <stdlib.h>

typedef struct count {
    const gp_pass *pass;
    const gp_cohort *cohort;
    int64_t nothing[1]; /* no sums, but the shards meet */
    int64_t *missing;   /* [samples of the shard] a row's missing samples */
    int64_t *calls;     /* [store samples + 2] how many each misses; then the variants looked at
                           elsewhere and on Y */
} count;

static void count_row(count *c, const gp_piece *piece, int64_t j, int on_y) {
    const gp_samples *samples = &c->cohort->samples;
    int64_t stride = gp_geno_stride(piece->samples);
    int64_t found =
        gp_geno_list_missing(piece->row + j * piece->pitch,
                             c->pass->selection->all + piece->first / 4, stride, c->missing);
    for (int64_t k = 0; k < found; k++) {
        int64_t i = c->pass->first + piece->first + c->missing[k];
        c->calls[i] += !on_y || samples->sex[i] == 1;
    }
}

/* Adds a batch's missing calls to the samples that have them. */
static int visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    count *c = context;
    int on_y = gp_store_chromosome(c->pass->store, run->chromosome)->kind == GP_Y;
    int counts = gp_par_shard(c->pass->job->par) == 0;
    for (int64_t j = 0; batch != NULL && batch->has_calls && j < run->count; j++) {
        if (!gp_selection_lists(c->pass->selection, batch->variants.id[j]))
            continue;
        c->calls[c->cohort->samples.n + on_y] += counts;
        for (int64_t p = 0; p < batch->calls.pieces; p++)
            count_row(c, &batch->calls.piece[p], j, on_y);
    }
    return gp_pass_sum(c->pass->job, c->nothing, 0, err);
}

/* Drops samples by their missing calls; returns how many. */
static int64_t drop(gp_cohort *cohort, const int64_t *calls, double limit) {
    int64_t n = cohort->samples.n, dropped = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t total = calls[n] + (cohort->samples.sex[i] == 1 ? calls[n + 1] : 0);
        /* 0 of 0 is NaN: no reason to drop. */
        if (cohort->kept[i] && (double)calls[i] / (double)total > limit) {
            cohort->kept[i] = 0;
            dropped++;
        }
    }
    return dropped;
}

int gp_mind(const gp_pass *pass, gp_cohort *cohort, double limit, gp_err *err) {
    gp_job *job = pass->job;
    int64_t n = cohort->samples.n;
    count c = {.pass = pass, .cohort = cohort};
    c.missing = gp_mem_alloc(pass->samples, sizeof *c.missing, err);
    c.calls = gp_mem_alloc(n + 2, sizeof *c.calls, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    gp_say(job->sink, GP_NOTE, "--mind: counting the samples' missing calls");
    if (gp_pass_walk(pass, visit, &c, err) != GP_OK)
        goto done;
    gp_par_sum(job->par, c.calls, n + 2, err);
    int64_t dropped = drop(cohort, c.calls, limit);
    gp_say(job->sink, GP_NOTE, "--mind %g: %lld samples dropped, %lld remain", limit,
           (long long)dropped, (long long)gp_cohort_kept(cohort));
    if (gp_cohort_kept(cohort) == 0)
        gp_err_set(err, GP_EINPUT, "command line: --mind %g leaves no sample", limit);
done:
    free(c.missing);
    free(c.calls);
    return gp_par_agree(job->par, err);
}

int gp_mind_alone(gp_job *job, gp_store *store, gp_selection *selection, gp_cohort *cohort,
                  double limit, gp_err *err) {
    gp_whole_pass whole = {0};
    if (isnan(limit))
        return GP_OK;
    gp_whole_pass_init(&whole, job, store, selection, selection->count, err);
    gp_selection_masks(selection, cohort, 0, whole.pass.samples, err);
    if (gp_par_agree(job->par, err) == GP_OK)
        gp_mind(&whole.pass, cohort, limit, err);
    gp_whole_pass_free(&whole);
    return err->code;
}
