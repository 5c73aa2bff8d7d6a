#include "jobs/scan.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROWS_BYTES = 16 << 20,
    SUMS_BYTES = 64 << 20,
    LEAST_BATCH = 16,
    COUNTS = 8,   /* integers per variant for the filters */
    MEETINGS = 50 /* of all ranks in a pass, at most */
};

int64_t gp_scan_batch(int64_t stride, int64_t covariates, int64_t traits) {
    /* All traits may be in one pattern. */
    int64_t sums = 8 * gp_linear_sums_widest(covariates, traits);
    int64_t batch = GP_TEXT_BLOCK;
    while (batch > LEAST_BATCH &&
           (batch * stride > ROWS_BYTES ||
            batch > SUMS_BYTES / (sums + traits * (int64_t)sizeof(gp_result))))
        batch /= 2;
    return batch;
}

/* The buffers of a pass, for batches of up to scan->batch variants. */
typedef struct buffers {
    int64_t stride;
    gp_variants variants;
    uint8_t *rows;          /* [batch x stride] */
    int64_t *counts;        /* [batch x COUNTS + 1] for the filters, and how many shards failed */
    int64_t *chosen;        /* [batch] numbers of the selected variants in the batch */
    int64_t *sums;          /* [batch x widest pattern + 1], and how many shards failed */
    gp_result *result;      /* [batch x most traits of a pattern] */
    int64_t *missing;       /* [samples] for --mind: a row's missing samples */
    int64_t *missing_calls; /* [store samples + 2] for --mind: how many each has; then the variants
                               looked at elsewhere and on Y */
} buffers;

static int64_t widest(const gp_patterns *patterns) {
    int64_t width = 0;
    for (int64_t k = 0; k < patterns->count; k++) {
        int64_t w = gp_linear_sums_width(&patterns->pattern[k].model);
        width = w > width ? w : width;
    }
    return width;
}

static int64_t most_traits(const gp_patterns *patterns) {
    int64_t most = 0;
    for (int64_t k = 0; k < patterns->count; k++)
        most = patterns->pattern[k].traits > most ? patterns->pattern[k].traits : most;
    return most;
}

int64_t gp_scan_bytes(const gp_scan *scan) {
    int64_t batch = scan->batch, variants = 200; /* ids, alleles, positions: a guess */
    int64_t text = 2 * GP_TEXT_BLOCK * 160 * scan->patterns->traits;
    return batch * (gp_geno_stride(scan->samples) + 8 * (COUNTS + 1) + 8 * widest(scan->patterns) +
                    (int64_t)sizeof(gp_result) * most_traits(scan->patterns) + variants) +
           text;
}

static int buffers_init(buffers *b, const gp_scan *scan, gp_err *err) {
    int64_t batch = scan->batch;
    b->stride = gp_geno_stride(scan->samples);
    b->rows = gp_mem_alloc(batch, b->stride, err);
    b->counts = gp_mem_alloc(batch * COUNTS + 1, sizeof *b->counts, err);
    b->chosen = gp_mem_alloc(batch, sizeof *b->chosen, err);
    if (scan->patterns != NULL) {
        b->sums = gp_mem_alloc(batch * widest(scan->patterns) + 1, sizeof *b->sums, err);
        b->result =
            gp_mem_alloc(batch, most_traits(scan->patterns) * (int64_t)sizeof *b->result, err);
    }
    return err->code;
}

static void buffers_free(buffers *b) {
    gp_variants_free(&b->variants);
    free(b->rows);
    free(b->counts);
    free(b->chosen);
    free(b->sums);
    free(b->result);
    free(b->missing);
    free(b->missing_calls);
}

/* Adds sums over the shards of a group. The integer behind them tells how many shards failed, so
 * that all leave together: -1 then. */
static int sum_shards(const gp_scan *scan, int64_t *sums, int64_t count, gp_err *err) {
    gp_job_check_signals(err);
    sums[count] = err->code != GP_OK;
    gp_par_sum_shards(scan->job->par, sums, count + 1, err);
    return sums[count] != 0 ? -1 : GP_OK;
}

/* Reads a batch and its counts. -1 where a shard of the group failed. */
static int read_batch(gp_scan *scan, const gp_run *run, buffers *b, gp_err *err) {
    int64_t count = run->count * COUNTS;
    memset(b->counts, 0, (size_t)count * sizeof *b->counts);
    if (err->code == GP_OK && gp_store_read_variants(scan->store, run->chromosome, run->first,
                                                     run->count, &b->variants, err) == GP_OK)
        gp_store_read_genotypes(scan->store, run->chromosome, run->first, run->count, scan->first,
                                scan->samples, b->rows, err);
    if (err->code == GP_OK) {
#pragma omp parallel for schedule(static)
        for (int64_t j = 0; j < run->count; j++)
            gp_selection_count(scan->selection, b->rows + j * b->stride, b->counts + j * COUNTS);
    }
    return sum_shards(scan, b->counts, count, err);
}

/* Chooses the variants to test and closes ranks: their rows move together. */
static int64_t choose(gp_scan *scan, const gp_run *run, buffers *b) {
    gp_kind kind = gp_store_chromosome(scan->store, run->chromosome)->kind;
    int64_t chosen = 0;
    for (int64_t j = 0; j < run->count; j++) {
        int reason =
            gp_selection_judge(scan->selection, kind, b->variants.id[j], b->counts + j * COUNTS);
        scan->selection->sum[reason]++;
        if (reason != GP_KEPT)
            continue;
        if (chosen < j)
            memcpy(b->rows + chosen * b->stride, b->rows + j * b->stride, (size_t)b->stride);
        b->chosen[chosen++] = j;
    }
    return chosen;
}

/* The lines of one trait of a pattern: column k of its results. */
static int write_trait(gp_scan *scan, const gp_run *run, const buffers *b, int64_t chosen,
                       const gp_pattern *pattern, int64_t k, gp_err *err) {
    const char *chromosome = gp_store_chromosome(scan->store, run->chromosome)->name;
    int64_t table = scan->cohort->trait[pattern->trait[k]].table;
    for (int64_t i = 0; i < chosen; i++) {
        int64_t j = b->chosen[i];
        const gp_result *r = &b->result[i * pattern->traits + k];
        gp_sumstat line = {.chromosome = chromosome,
                           .position = b->variants.position[j],
                           .effect_allele = b->variants.alt[j],
                           .other_allele = b->variants.ref[j],
                           .id = b->variants.id[j],
                           .beta = r->beta,
                           .se = r->se,
                           .frequency = r->frequency,
                           .statistic = r->statistic,
                           .neglog10p = r->neglog10p,
                           .n = r->n,
                           .status = gp_status_name(r->status)};
        if (gp_tables_add(scan->tables, table, &line, r->status, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

static int write_pattern(gp_scan *scan, const gp_run *run, const buffers *b, int64_t chosen,
                         const gp_pattern *pattern, gp_err *err) {
#pragma omp parallel for schedule(dynamic)
    for (int64_t k = 0; k < pattern->traits; k++) {
        gp_err mine = {0};
        if (write_trait(scan, run, b, chosen, pattern, k, &mine) != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return err->code;
}

/* Tests a batch. An error here waits for the shards' next sum, where all of them learn of it. */
static void test_batch(gp_scan *scan, const gp_run *run, buffers *b, gp_err *err) {
    int64_t chosen = choose(scan, run, b);
    gp_tables_begin(scan->tables, run->first);
    for (int64_t k = 0; k < scan->patterns->count && chosen > 0; k++) {
        gp_pattern *pattern = &scan->patterns->pattern[k];
        gp_linear_sums(&pattern->model, b->rows, chosen, b->sums);
        if (sum_shards(scan, b->sums, chosen * gp_linear_sums_width(&pattern->model), err) != GP_OK)
            return;
        if (!scan->tables->writes)
            continue;
        gp_linear_test(&pattern->model, b->sums, chosen, b->result);
        write_pattern(scan, run, b, chosen, pattern, err);
    }
    for (int64_t i = 0; i < chosen; i++)
        if (b->variants.position[b->chosen[i]] >= (int64_t)1 << 29)
            scan->tables->csi = 1;
    int64_t end = run->first + run->count;
    if (scan->tables->writes && err->code == GP_OK &&
        (end % GP_TEXT_BLOCK == 0 || end == scan->selection->count[run->chromosome]))
        gp_tables_end_block(scan->tables, err);
}

typedef void visitor(gp_scan *scan, const gp_run *run, buffers *b, gp_err *err);

/* A pass under way over this rank's part; a rank without a group has none. */
typedef struct pass {
    gp_scan *scan;
    visitor *visit;
    buffers *b;
    int64_t begin, count, at; /* work indices of the plan; where to go on */
    gp_progress progress;
} pass;

static pass begin_pass(gp_scan *scan, visitor *visit, buffers *b) {
    pass p = {.scan = scan, .visit = visit, .b = b};
    int part = gp_par_group(scan->job->par);
    if (part >= 0) {
        p.begin = p.at = scan->plan->begin[part];
        p.count = scan->plan->begin[part + 1] - p.begin;
    }
    return p;
}

/* Visits batches to the first that ends at `until` or later. An error ends it early. */
static void walk_to(pass *p, int64_t until, gp_err *err) {
    gp_scan *scan = p->scan;
    gp_run run;
    while (p->at < until &&
           gp_plan_next(scan->plan, gp_par_group(scan->job->par), scan->batch, &p->at, &run)) {
        if (read_batch(scan, &run, p->b, err) != GP_OK)
            return;
        p->visit(scan, &run, p->b, err);
        gp_progress_at(&p->progress, p->at - p->begin);
    }
}

/* How often all ranks meet in a pass: the same number everywhere. Meetings are far enough apart
 * to cost nothing. */
static int64_t count_meetings(const gp_scan *scan) {
    enum { BATCHES = 2 /* between two meetings, at least */ };
    const gp_plan *plan = scan->plan;
    int64_t meetings = plan->begin[plan->parts] / plan->parts / (BATCHES * scan->batch);
    return meetings < 1 ? 1 : meetings > MEETINGS ? MEETINGS : meetings;
}

/* Walks this rank's part. Collective: the ranks meet now and then, so that an error or a signal on
 * one of them soon ends all. */
static int walk(gp_scan *scan, visitor *visit, buffers *b, gp_err *err) {
    int64_t meetings = count_meetings(scan);
    pass p = begin_pass(scan, visit, b);
    gp_progress_open(&p.progress, scan->job->sink, "variants", p.count);
    for (int64_t k = 1; k <= meetings; k++) {
        walk_to(&p, p.begin + gp_split_begin(p.count, 1, meetings, k), err);
        if (gp_par_agree(scan->job->par, err) != GP_OK)
            break;
    }
    gp_progress_close(&p.progress);
    return err->code;
}

int gp_scan_tests(gp_scan *scan, gp_err *err) {
    buffers b = {0};
    buffers_init(&b, scan, err);
    if (gp_par_agree(scan->job->par, err) == GP_OK)
        walk(scan, test_batch, &b, err);
    buffers_free(&b);
    return err->code;
}

/* ---- --mind ---- */

/* Adds a batch's missing calls to the samples that have them. */
static void count_missing(gp_scan *scan, const gp_run *run, buffers *b, gp_err *err) {
    (void)err;
    const gp_samples *samples = &scan->cohort->samples;
    int on_y = gp_store_chromosome(scan->store, run->chromosome)->kind == GP_Y;
    int counts = gp_par_shard(scan->job->par) == 0;
    for (int64_t j = 0; j < run->count; j++) {
        if (!gp_selection_lists(scan->selection, b->variants.id[j]))
            continue;
        b->missing_calls[samples->n + on_y] += counts;
        int64_t count = gp_geno_list_missing(b->rows + j * b->stride, scan->selection->all,
                                             b->stride, b->missing);
        for (int64_t i = 0; i < count; i++)
            if (!on_y || samples->sex[scan->first + b->missing[i]] == 1)
                b->missing_calls[scan->first + b->missing[i]]++;
    }
}

/* Drops samples by their missing calls; returns how many. */
static int64_t drop(gp_cohort *cohort, const int64_t *missing_calls, double limit) {
    int64_t n = cohort->samples.n, dropped = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t total = missing_calls[n] + (cohort->samples.sex[i] == 1 ? missing_calls[n + 1] : 0);
        /* 0 of 0 is NaN: no reason to drop. */
        if (cohort->kept[i] && (double)missing_calls[i] / (double)total > limit) {
            cohort->kept[i] = 0;
            dropped++;
        }
    }
    return dropped;
}

int gp_scan_mind(gp_scan *scan, double limit, gp_err *err) {
    buffers b = {0};
    gp_cohort *cohort = scan->cohort;
    int64_t n = cohort->samples.n;
    buffers_init(&b, scan, err);
    b.missing = gp_mem_alloc(scan->samples, sizeof *b.missing, err);
    b.missing_calls = gp_mem_alloc(n + 2, sizeof *b.missing_calls, err);
    if (gp_par_agree(scan->job->par, err) != GP_OK)
        goto done;
    gp_say(scan->job->sink, GP_NOTE, "--mind: counting the samples' missing calls");
    if (walk(scan, count_missing, &b, err) != GP_OK)
        goto done;
    gp_par_sum(scan->job->par, b.missing_calls, n + 2, err);
    int64_t dropped = drop(cohort, b.missing_calls, limit);
    gp_say(scan->job->sink, GP_NOTE, "--mind %g: %lld samples dropped, %lld remain", limit,
           (long long)dropped, (long long)gp_cohort_kept(cohort));
    if (gp_cohort_kept(cohort) == 0)
        gp_err_set(err, GP_EINPUT, "command line: --mind %g leaves no sample", limit);
done:
    buffers_free(&b);
    return gp_par_agree(scan->job->par, err);
}
