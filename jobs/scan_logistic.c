#include "jobs/scan_logistic.h"
#include "jobs/null_models.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <stdlib.h>

static int is_logistic(const gp_patterns *patterns, int64_t k) {
    return patterns->pattern[k].kind == GP_PATTERN_LOGISTIC;
}

/* Patterns of as many columns share a batch: the first of them has it. */
static int64_t first_like(const gp_patterns *patterns, int64_t k) {
    int64_t j = 0;
    while (!is_logistic(patterns, j) || patterns->pattern[j].rank != patterns->pattern[k].rank)
        j++;
    return j;
}

static int is_wald(const gp_scan_logistic_options *o) {
    return o->kind == GP_LOGIT_WALD;
}

/* The kind that needs the most room of those that may come. */
static gp_logit_kind room_of(const gp_scan_logistic_options *o) {
    return o->exact ? GP_LOGIT_FIRTH : o->kind;
}

/* ---- a block ---- */

/* The column of offsets that a trait has for a chromosome: its null model's number. */
static int64_t null_of(const gp_scan_logistic *l, int64_t trait, int64_t chromosome) {
    const gp_offset *offset = gp_offset_of(l->offsets, trait);
    return offset != NULL ? offset->of[chromosome] : 0;
}

/* Gives the model the null model of the chromosome at hand. */
static int set_null(const gp_scan_logistic *l, gp_pattern *pattern, int64_t t, int64_t chromosome,
                    gp_err *err) {
    gp_binary *binary = &pattern->binary[t];
    int64_t trait = pattern->trait[t], k = null_of(l, trait, chromosome);
    if (binary->at == k)
        return GP_OK;
    const gp_offset *offset = gp_offset_of(l->offsets, trait);
    gp_null_models_place(&pattern->rows,
                         offset != NULL ? offset->value[k] + pattern->rows.first : NULL,
                         binary->offset);
    if (gp_logit_set(binary->model, &binary->null[k], binary->offset, err) == GP_OK)
        binary->at = k;
    return err->code;
}

/* Lists the variants that want the full model, apart or not: every shard finds the same ones. */
static int64_t list_full(gp_scan_logistic *l, const gp_scan_block *block, int apart,
                         gp_result *result) {
    int64_t count = 0, step = block->pattern->traits;
    int all = is_wald(&l->o) || l->o.threshold >= 1.0;
    for (int64_t i = 0; i < block->count; i++) {
        gp_result *r = &result[i * step];
        if (r->status != GP_STATUS_OK || (r->apart && !is_wald(&l->o)) != apart)
            continue;
        if (!apart && !all && !(r->neglog10p > l->least))
            continue;
        l->chosen[count] = block->chosen[i];
        l->result[count++] = r;
    }
    return count;
}

/* The full models of listed variants, a batch after the other. -1 where the shards have
 * parted. */
static int test_listed(gp_scan_logistic *l, const gp_scan_block *block, gp_logit *model,
                       gp_logit_kind kind, int64_t count, gp_err *err) {
    const gp_patterns *patterns = l->scan->patterns;
    gp_logit_batch *batch = l->batches[first_like(patterns, block->pattern - patterns->pattern)];
    const gp_calls *calls = &block->batch->calls;
    int64_t m = block->batch->run.count, width;
    for (int64_t first = 0; first < count; first += GP_LOGIT_BATCH) {
        gp_logit_batch_begin(batch, model, kind, calls, l->sums, m, l->chosen + first,
                             gp_least(GP_LOGIT_BATCH, count - first), l->result + first);
        while ((width = gp_logit_batch_width(batch)) > 0) {
            gp_logit_batch_sum(batch, l->round);
            if (gp_pass_sum(l->scan->pass.job, l->round, width, err) < 0)
                return -1;
            gp_logit_batch_take(batch, l->round);
        }
    }
    return GP_OK;
}

/* Full models: Firth's over all coefficients where the null model is not that of the variant's
 * samples, and elsewhere what was asked for. */
static int test_full(gp_scan_logistic *l, const gp_scan_block *block, gp_logit *model,
                     gp_result *result, gp_err *err) {
    int64_t count = list_full(l, block, 1, result);
    if (test_listed(l, block, model, GP_LOGIT_FIRTH, count, err) < 0)
        return -1;
    count = list_full(l, block, 0, result);
    return test_listed(l, block, model, l->o.kind, count, err);
}

/* Tests a block against trait t of its pattern. */
static int test_trait(gp_scan_logistic *l, const gp_scan_block *block, int64_t t, gp_result *result,
                      gp_err *err) {
    gp_pattern *pattern = block->pattern;
    gp_logit *model = pattern->binary[t].model;
    int64_t m = block->batch->run.count;
    if (set_null(l, pattern, t, block->batch->run.chromosome, err) == GP_OK)
        gp_logit_score_sums(model, &block->batch->calls, l->sums);
    if (gp_pass_sum(l->scan->pass.job, l->sums, m * gp_logit_score_width(model), err) < 0)
        return -1;
    gp_logit_score(model, l->sums, m, block->chosen, block->count, result + t, pattern->traits);
    return l->o.score ? GP_OK : test_full(l, block, model, result + t, err);
}

static int test(void *context, const gp_scan_block *block, gp_result *result, gp_err *err) {
    for (int64_t t = 0; t < block->pattern->traits; t++)
        if (test_trait(context, block, t, result, err) < 0)
            return -1;
    return GP_OK;
}

/* ---- models and room ---- */

static int64_t count_models(const gp_patterns *patterns) {
    int64_t models = 0;
    for (int64_t k = 0; k < patterns->count; k++)
        models += is_logistic(patterns, k) ? patterns->pattern[k].traits : 0;
    return models;
}

static int make_model(gp_pattern *pattern, int64_t t, const gp_logit_input *shared, gp_err *err) {
    gp_binary *binary = &pattern->binary[t];
    int64_t places = pattern->rows.groups * GP_GENO_GROUP;
    gp_logit_input input = *shared;
    binary->y = gp_mem_alloc(places, sizeof *binary->y, err);
    binary->offset = gp_mem_alloc(places, sizeof *binary->offset, err);
    if (err->code != GP_OK)
        return err->code;
    gp_logit_rows_spread(&pattern->rows, pattern->sample, pattern->residual + t * pattern->n,
                         binary->y);
    input.rows = &pattern->rows;
    input.y = binary->y;
    binary->model = gp_logit_new(&input, err);
    return err->code;
}

static int make_models(gp_pattern *pattern, const gp_scan *scan, const gp_logit_input *shared,
                       gp_err *err) {
    gp_logit_rows_input rows = {.n = pattern->n,
                                .sample = pattern->sample,
                                .covariates = pattern->rank,
                                .basis = pattern->basis,
                                .first = scan->pass.first,
                                .samples = scan->pass.samples};
    if (gp_logit_rows_init(&pattern->rows, &rows, err) == GP_OK)
        for (int64_t t = 0; t < pattern->traits && err->code == GP_OK; t++)
            make_model(pattern, t, shared, err);
    gp_pattern_free_columns(pattern);
    return err->code;
}

/* The most integers of a block, and of a round of full models. */
static int64_t widest(const gp_scan *scan, int64_t *round) {
    int64_t width = 0;
    *round = 0;
    for (int64_t k = 0; k < scan->patterns->count; k++) {
        int64_t c = 1 + scan->patterns->pattern[k].rank;
        if (!is_logistic(scan->patterns, k))
            continue;
        width = gp_most(width, gp_logit_score_widest(c));
        *round = gp_most(*round, gp_logit_batch_widest(c));
    }
    return scan->pass.batch * width;
}

static int make_room(gp_scan_logistic *l, gp_err *err) {
    const gp_scan *scan = l->scan;
    int64_t round = 0, sums = widest(scan, &round), batch = scan->pass.batch;
    l->sums = gp_mem_alloc(sums + 1, sizeof *l->sums, err);
    l->round = gp_mem_alloc(round + 1, sizeof *l->round, err);
    l->chosen = gp_mem_alloc(batch, sizeof *l->chosen, err);
    l->result = gp_mem_alloc(batch, sizeof *l->result, err);
    l->batches = gp_mem_alloc(scan->patterns->count, sizeof *l->batches, err);
    return err->code;
}

int gp_scan_logistic_init(gp_scan_logistic *logistic, gp_scan *scan,
                          const gp_scan_logistic_options *options, const gp_offsets *offsets,
                          gp_err *err) {
    int64_t models = count_models(scan->patterns);
    if (models == 0)
        return err->code;
    *logistic = (gp_scan_logistic){.o = *options,
                                   .scan = scan,
                                   .offsets = offsets,
                                   .least = -gp_log(options->threshold) / GP_LN10};
    scan->model[GP_PATTERN_LOGISTIC] = (gp_scan_model){test, logistic};
    const gp_logit_input shared = {.exact = options->exact, .keep = GP_PATTERNS_KEEP / models};
    make_room(logistic, err);
    for (int64_t k = 0; k < scan->patterns->count && err->code == GP_OK; k++) {
        if (!is_logistic(scan->patterns, k))
            continue;
        gp_pattern *pattern = &scan->patterns->pattern[k];
        if (make_models(pattern, scan, &shared, err) == GP_OK && !options->score &&
            first_like(scan->patterns, k) == k)
            logistic->batches[k] = gp_logit_batch_new(1 + pattern->rank, room_of(options), err);
    }
    return err->code;
}

void gp_scan_logistic_free(gp_scan_logistic *logistic) {
    for (int64_t k = 0; logistic->batches != NULL && k < logistic->scan->patterns->count; k++)
        gp_logit_batch_free(logistic->batches[k]);
    free(logistic->sums);
    free(logistic->round);
    free(logistic->chosen);
    free(logistic->result);
    free(logistic->batches);
    *logistic = (gp_scan_logistic){0};
}

int64_t gp_scan_logistic_bytes(const gp_scan *scan, const gp_scan_logistic_options *options) {
    int64_t models = count_models(scan->patterns), samples = scan->pass.samples, round = 0;
    if (models == 0)
        return 0;
    int64_t bytes = 8 * (widest(scan, &round) + 2 * scan->pass.batch), places = samples + 64;
    bytes += 8 * round + (options->exact ? GP_PATTERNS_KEEP : 0);
    for (int64_t k = 0; k < scan->patterns->count; k++) {
        const gp_pattern *p = &scan->patterns->pattern[k];
        int64_t c = 1 + p->rank;
        if (!is_logistic(scan->patterns, k))
            continue;
        bytes += gp_logit_rows_bytes(samples, c) +
                 p->traits * (gp_logit_bytes(p->n, samples, c, options->exact) + 16 * places);
        if (!options->score && first_like(scan->patterns, k) == k)
            bytes += gp_logit_batch_bytes(c, room_of(options));
    }
    return bytes;
}
