#include "jobs/scan.h"
#include "io/sumstats.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROWS_BYTES = 16 << 20,
    SUMS_BYTES = 64 << 20,
    COUNTS = 8 /* integers per variant for the filters */
};

int64_t gp_scan_batch(int64_t least, int64_t stride, int64_t covariates, int64_t traits,
                      int binary) {
    /* All traits may be in one pattern; binary ones are tested one after the other. */
    int64_t sums = 8 * gp_linear_sums_widest(covariates, traits);
    if (binary)
        sums = gp_most(sums, 8 * gp_logit_score_widest(1 + covariates));
    int64_t batch = GP_TEXT_BLOCK;
    while (batch > least && (batch * stride > ROWS_BYTES ||
                             batch > SUMS_BYTES / (sums + traits * (int64_t)sizeof(gp_result))))
        batch /= 2;
    return batch;
}

/* The buffers of a pass, for batches of up to pass->batch variants. */
typedef struct buffers {
    gp_scan *scan;
    int64_t *counts;   /* [batch x COUNTS + 1] for the filters; the last is gp_pass_sum's */
    int64_t *chosen;   /* [batch] numbers of the selected variants in the batch */
    gp_result *result; /* [batch x most traits of a pattern] */
    gp_sumstat_sites sites;
} buffers;

static int64_t most_traits(const gp_patterns *patterns) {
    int64_t most = 0;
    for (int64_t k = 0; k < patterns->count; k++)
        most = patterns->pattern[k].traits > most ? patterns->pattern[k].traits : most;
    return most;
}

int64_t gp_scan_bytes(const gp_scan *scan) {
    int64_t batch = scan->pass.batch, site = 100; /* a variant's printed names: a guess */
    int64_t text = 2 * GP_TEXT_BLOCK * 230 * scan->patterns->traits;
    return gp_ahead_bytes(scan->pass.samples, batch) +
           batch * (8 * (COUNTS + 1) + (int64_t)sizeof(gp_result) * most_traits(scan->patterns) +
                    site) +
           text;
}

static int buffers_init(buffers *b, gp_scan *scan, gp_err *err) {
    int64_t batch = scan->pass.batch;
    b->scan = scan;
    b->counts = gp_mem_alloc(batch * COUNTS + 1, sizeof *b->counts, err);
    b->chosen = gp_mem_alloc(batch, sizeof *b->chosen, err);
    b->result = gp_mem_alloc(batch, most_traits(scan->patterns) * (int64_t)sizeof *b->result, err);
    return err->code;
}

static void buffers_free(buffers *b) {
    free(b->counts);
    free(b->chosen);
    free(b->result);
    gp_sumstat_sites_free(&b->sites);
}

/* Counts a batch for the filters, over all shards. The shards meet here for every run, whatever
 * each has to say. */
static int count(buffers *b, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    gp_scan *scan = b->scan;
    int64_t integers = gp_selection_counts(scan->selection) ? run->count * COUNTS : 0;
    if (integers > 0 && batch != NULL && batch->has_calls)
        gp_selection_count(scan->selection,
                           gp_store_chromosome(scan->pass.store, run->chromosome)->kind,
                           &batch->calls, b->counts);
    else
        memset(b->counts, 0, (size_t)integers * sizeof *b->counts);
    return gp_pass_sum(scan->pass.job, b->counts, integers, err);
}

/* Chooses the variants to test. */
static int64_t choose(buffers *b, const gp_ahead_batch *batch) {
    gp_selection *selection = b->scan->selection;
    gp_kind kind = gp_store_chromosome(b->scan->pass.store, batch->run.chromosome)->kind;
    static const int64_t none[COUNTS];
    int counted = gp_selection_counts(selection);
    int64_t chosen = 0;
    for (int64_t j = 0; j < batch->run.count; j++) {
        int reason = gp_selection_judge(selection, kind, batch->variants.id[j],
                                        counted ? b->counts + j * COUNTS : none);
        selection->sum[reason]++;
        if (reason == GP_KEPT)
            b->chosen[chosen++] = j;
    }
    return chosen;
}

/* The lines of one trait of a pattern: column k of its results. */
static int write_trait(buffers *b, int64_t chosen, const gp_pattern *pattern, int64_t k,
                       gp_err *err) {
    gp_scan *scan = b->scan;
    int64_t number = scan->cohort->trait[pattern->trait[k]].table;
    gp_out_table *table = &scan->tables->table[number];
    gp_sumstat_trait lines = {
        .result = b->result + k, .step = pattern->traits, .form = table->trait->form};
    for (int64_t i = 0; i < chosen; i++) {
        const gp_result *result = &lines.result[i * lines.step];
        table->status[result->status]++;
        table->test[result->test] += result->status == GP_STATUS_OK;
    }
    return gp_sumstat_print(&b->sites, &lines, gp_tables_text(scan->tables, number), err);
}

static int write_pattern(buffers *b, int64_t chosen, const gp_pattern *pattern, gp_err *err) {
#pragma omp parallel for schedule(dynamic)
    for (int64_t k = 0; k < pattern->traits; k++) {
        gp_err mine = {0};
        if (write_trait(b, chosen, pattern, k, &mine) != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return err->code;
}

/* Tests and writes one pattern's traits. An error here waits for the shards' next meeting, where
 * all of them learn of it; -1 where they have. */
static int test_pattern(buffers *b, const gp_ahead_batch *batch, int64_t chosen,
                        gp_pattern *pattern, gp_err *err) {
    gp_scan *scan = b->scan;
    gp_scan_block block = {batch, b->chosen, chosen, pattern};
    const gp_scan_model *model = &scan->model[pattern->kind];
    if (model->test(model->context, &block, b->result, err) < 0)
        return -1;
    if (scan->tables->writes && err->code == GP_OK)
        write_pattern(b, chosen, pattern, err);
    return GP_OK;
}

static int visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    buffers *b = context;
    gp_scan *scan = b->scan;
    if (count(b, run, batch, err) < 0)
        return -1;
    int64_t chosen = choose(b, batch), end = run->first + run->count;
    gp_tables_begin(scan->tables, run->first);
    if (chosen > 0 && scan->tables->writes)
        gp_sumstat_sites_set(&b->sites,
                             gp_store_chromosome(scan->pass.store, run->chromosome)->name,
                             &batch->variants, b->chosen, chosen, err);
    for (int64_t k = 0; k < scan->patterns->count && chosen > 0; k++)
        if (test_pattern(b, batch, chosen, &scan->patterns->pattern[k], err) < 0)
            return -1;
    for (int64_t i = 0; i < chosen; i++)
        if (batch->variants.position[b->chosen[i]] >= (int64_t)1 << 29)
            scan->tables->csi = 1;
    if (scan->tables->writes && err->code == GP_OK &&
        (end % GP_TEXT_BLOCK == 0 || end == scan->selection->count[run->chromosome]))
        gp_tables_end_block(scan->tables, err);
    return GP_OK;
}

int gp_scan_tests(gp_scan *scan, gp_err *err) {
    buffers b = {0};
    buffers_init(&b, scan, err);
    if (gp_par_agree(scan->pass.job->par, err) == GP_OK)
        gp_pass_walk(&scan->pass, visit, &b, err);
    buffers_free(&b);
    return err->code;
}
