#include "io/file.h"
#include "jobs/ancestry.h"
#include "jobs/assoc_options.h"
#include "jobs/directory.h"
#include "jobs/input.h"
#include "jobs/mind.h"
#include "jobs/mixed.h"
#include "jobs/plan_report.h"
#include "jobs/relatives.h"
#include "jobs/scan_linear.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the run ---- */

/* All that a run holds; freed in one place. */
typedef struct state {
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    gp_patterns patterns;
    gp_plan plan;
    gp_tables tables;
    gp_scan scan;
    gp_scan_linear linear;
    gp_kinship kinship;
    int loco;
    gp_text components;       /* variance.tsv */
    const char **trait_names; /* [tables] */
    int64_t *trait_samples;   /* [tables] */
} state;

/* Without --model, a binary trait asks for a logistic model, which must not be replaced in silence.
 */
static int check_model(const gp_assoc_options *o, const gp_cohort *cohort, gp_err *err) {
    for (int64_t t = 0; o->model == NULL && t < cohort->traits; t++) {
        const gp_trait *trait = &cohort->trait[t];
        if (trait->skipped == NULL && trait->unclear != NULL)
            return gp_err_set(err, GP_EINPUT,
                              "%s: trait '%s' holds only %s, or --model linear to take all as "
                              "numbers",
                              o->cohort.pheno, trait->name, trait->unclear);
        if (trait->skipped == NULL && trait->binary)
            return gp_err_set(err, GP_EINPUT,
                              "%s: trait '%s' is binary, and this version has no logistic model; "
                              "--model linear tests it "
                              "as a number",
                              o->cohort.pheno, trait->name);
    }
    return GP_OK;
}

static int load(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    gp_input input = {.path = o->store,
                      .out = o->dry_run ? NULL : o->out,
                      .cohort_options = &o->cohort,
                      .selection_options = &o->selection,
                      .store = &s->store,
                      .cohort = &s->cohort,
                      .selection = &s->selection};
    if (gp_input_load(job, &input, err) != GP_OK)
        return err->code;
    check_model(o, &s->cohort, err);
    return gp_par_agree(job->par, err);
}

/* The grid of ranks, this rank's samples, and the plan. */
static int divide(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    int64_t n = s->cohort.samples.n, shards = o->sample_shards;
    if (shards == 0)
        shards = gp_assoc_is_mixed(o) ? gp_mixed_shards(n, gp_par_size(job->par)) : 1;
    /* A shard holds whole groups of 64 samples, at least one. */
    int64_t most = (n + GP_GENO_GROUP - 1) / GP_GENO_GROUP;
    if (most > gp_par_size(job->par))
        most = gp_par_size(job->par);
    if (shards > most) {
        gp_say(job->sink, GP_WARN,
               "--sample-shards %lld is more than these ranks and samples allow; %lld is used",
               (long long)shards, (long long)most);
        shards = most;
    }
    if (gp_par_set_shards(job->par, (int)shards, err) != GP_OK)
        return err->code;
    int left = gp_par_size(job->par) - gp_par_groups(job->par) * gp_par_shards(job->par);
    if (left > 0)
        gp_say(job->sink, GP_WARN,
               "%d ranks have no work: the number of ranks is no multiple of --sample-shards",
               left);
    int64_t shard = gp_par_shard(job->par) < 0 ? 0 : gp_par_shard(job->par);
    gp_pass *pass = &s->scan.pass;
    pass->first = gp_split_begin(n, GP_GENO_GROUP, shards, shard);
    pass->samples = gp_split_begin(n, GP_GENO_GROUP, shards, shard + 1) - pass->first;
    pass->batch = gp_scan_batch(gp_store_chunk_variants(s->store, err),
                                gp_geno_stride(gp_split_begin(n, GP_GENO_GROUP, shards, 1)),
                                s->cohort.covariates + o->pca, s->cohort.traits);
    gp_plan_init(&s->plan, s->selection.count, s->selection.chromosomes, gp_store_block(s->store),
                 gp_par_groups(job->par), err);
    gp_selection_masks(&s->selection, &s->cohort, pass->first, pass->samples, err);
    return gp_par_agree(job->par, err);
}

/* Numbers the traits that have a model, in the order of the table. */
static int number_traits(state *s, gp_err *err) {
    int64_t count = 0;
    s->trait_names = gp_mem_alloc(s->cohort.traits, sizeof *s->trait_names, err);
    s->trait_samples = gp_mem_alloc(s->cohort.traits, sizeof *s->trait_samples, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t t = 0; t < s->cohort.traits; t++) {
        gp_trait *trait = &s->cohort.trait[t];
        trait->table = trait->skipped == NULL ? count++ : -1;
        if (trait->table >= 0)
            s->trait_names[trait->table] = trait->name;
    }
    for (int64_t k = 0; k < s->patterns.count; k++)
        for (int64_t t = 0; t < s->patterns.pattern[k].traits; t++) {
            const gp_trait *trait = &s->cohort.trait[s->patterns.pattern[k].trait[t]];
            s->trait_samples[trait->table] = s->patterns.pattern[k].n;
        }
    s->patterns.traits = count;
    return GP_OK;
}

/* A dry run makes no matrix, but looks at one that is there. */
static int open_relatives(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    int64_t autosomes = 0;
    for (int64_t k = 0; k < gp_store_chromosome_count(s->store); k++)
        autosomes += gp_store_chromosome(s->store, k)->kind == GP_AUTOSOME;
    s->loco = o->loco || (!o->no_loco && autosomes > 1);
    gp_relatives relatives = {.grm = o->grm,
                              .directory = o->out,
                              .loco = s->loco,
                              .store = s->store,
                              .cohort = &s->cohort};
    if (o->dry_run && o->grm == NULL)
        return GP_OK;
    return gp_relatives_open(job, &relatives, &s->kinship, err);
}

static int prepare(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    s->scan = (gp_scan){
        .pass = {.job = job, .store = s->store, .plan = &s->plan, .selection = &s->selection},
        .cohort = &s->cohort,
        .selection = &s->selection,
        .tables = &s->tables};
    if (divide(job, o, s, err) != GP_OK)
        return err->code;
    if (!isnan(o->mind) && gp_mind(&s->scan.pass, &s->cohort, o->mind, err) != GP_OK)
        return err->code;
    gp_ancestry ancestry = {
        .store = s->store, .cohort = &s->cohort, .components = o->pca, .seed = (uint64_t)o->seed};
    if (o->pca > 0 && gp_ancestry_add(job, &ancestry, err) != GP_OK)
        return err->code;
    if (gp_assoc_is_mixed(o) && open_relatives(job, o, s, err) != GP_OK)
        return err->code;
    gp_selection_masks(&s->selection, &s->cohort, s->scan.pass.first, s->scan.pass.samples, err);
    gp_patterns_input input = {.first = s->scan.pass.first,
                               .samples = s->scan.pass.samples,
                               .mixed = gp_assoc_is_mixed(o),
                               .exact = strcmp(gp_assoc_missing(o), "exact") == 0};
    if (err->code == GP_OK &&
        gp_patterns_init(&s->patterns, &s->cohort, &input, job->sink, err) == GP_OK)
        number_traits(s, err);
    s->scan.patterns = &s->patterns;
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < s->patterns.count; k++) {
        const gp_pattern *p = &s->patterns.pattern[k];
        char others[48] = "";
        if (p->traits > 1)
            snprintf(others, sizeof others, " and %lld more", (long long)p->traits - 1);
        gp_say(job->sink, GP_NOTE, "trait %s%s: %lld samples, %lld covariates and an intercept",
               s->cohort.trait[p->trait[0]].name, others, (long long)p->n, (long long)p->rank);
    }
    return GP_OK;
}

/* The names of the covariates in use, comma-separated. */
static int covariate_names(const state *s, gp_text *names, gp_err *err) {
    for (int64_t k = 0; k < s->cohort.covariates; k++)
        gp_text_print(names, err, "%s%s", k ? "," : "", s->cohort.covariate[k].name);
    return err->code;
}

/* Every table's outcomes over all ranks, in one sum. Collective. */
static int sum_outcomes(gp_job *job, gp_tables *tables, gp_err *err) {
    int64_t count = tables->count;
    size_t bytes = sizeof tables->table->status;
    int64_t *all = gp_mem_alloc(count, (int64_t)bytes, err);
    if (gp_par_agree(job->par, err) == GP_OK) {
        for (int64_t t = 0; t < count; t++)
            memcpy(all + t * GP_STATUS_COUNT, tables->table[t].status, bytes);
        gp_par_sum(job->par, all, count * GP_STATUS_COUNT, err);
        for (int64_t t = 0; t < count; t++)
            memcpy(tables->table[t].status, all + t * GP_STATUS_COUNT, bytes);
    }
    free(all);
    return err->code;
}

/* Says what became of the variants; rank 0's copy of the sums over ranks. */
static int summarise(gp_job *job, const gp_assoc_options *o, state *s, double seconds,
                     gp_err *err) {
    gp_par_sum(job->par, s->selection.sum, GP_REASONS, err);
    const int64_t *sum = s->selection.sum;
    /* Every shard of a group counted the group's variants. */
    int64_t shards = gp_par_shards(job->par);
    for (int r = 1; r < GP_REASONS; r++)
        if (sum[r] > 0)
            gp_say(job->sink, GP_NOTE, "%lld variants left out: %s", (long long)(sum[r] / shards),
                   gp_selection_reason(r));
    if (sum_outcomes(job, &s->tables, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; t < s->tables.count; t++) {
        const gp_out_table *table = &s->tables.table[t];
        gp_text odd = {0};
        for (int k = 1; k < GP_STATUS_COUNT; k++)
            if (table->status[k] > 0)
                gp_text_print(&odd, err, ", %lld %s", (long long)table->status[k],
                              gp_status_name(k));
        gp_say(job->sink, GP_NOTE, "%s/%s: %lld variants%s", o->out, table->name,
               (long long)(sum[0] / shards), odd.bytes ? odd.bytes : "");
        gp_text_free(&odd);
    }
    if (sum[GP_KEPT] == 0)
        gp_say(job->sink, GP_WARN,
               "no variant was left to test; the tables hold their header alone");
    double tested = (double)(sum[GP_KEPT] / shards);
    gp_say(job->sink, GP_NOTE,
           "%.0f variants tested in %.2f s (kernel %s): %.3g variants/s, %.3g genotypes/s", tested,
           seconds, gp_cpu_kernel(), tested / seconds,
           tested / seconds * (double)s->cohort.samples.n);
    return gp_par_agree(job->par, err);
}

/* A list that names nothing of the store is a mistake, not a selection. Collective. */
static int check_listed(gp_job *job, const gp_assoc_options *o, const state *s, gp_err *err) {
    int64_t listed = 0;
    for (int r = 0; r < GP_NOT_LISTED; r++)
        listed += s->selection.sum[r];
    gp_par_sum(job->par, &listed, 1, err);
    if (o->selection.extract != NULL && listed == 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: none of its ids is a variant of the chosen chromosomes (or --exclude lists "
                   "them all); gp-dist info --variants %s lists the ids",
                   o->selection.extract, o->store);
    return gp_par_agree(job->par, err);
}

/* Tests all variants by the model that was asked for. Collective. */
static int test_all(const gp_assoc_options *o, state *s, gp_err *err) {
    if (gp_assoc_is_mixed(o)) {
        gp_mixed mixed = {.scan = &s->scan,
                          .kinship = &s->kinship,
                          .exact = o->lmm == NULL || strcmp(o->lmm, "exact") == 0,
                          .loco = s->loco};
        gp_mixed_tests(&mixed, &s->components, err);
    } else {
        gp_scan_linear_init(&s->linear, &s->scan, err);
        gp_scan_tests(&s->scan, err);
    }
    return err->code;
}

/* What the null models found, as DIR/variance.tsv. */
static int write_components(gp_job *job, const gp_assoc_options *o, const state *s, gp_err *err) {
    gp_text path = {0};
    if (!gp_assoc_is_mixed(o) && gp_par_rank(job->par) == 0)
        gp_directory_forget(o->out, "variance.tsv"); /* an earlier run's */
    if (s->components.length > 0 && gp_par_rank(job->par) == 0 &&
        gp_text_print(&path, err, "%s/variance.tsv", o->out) == GP_OK)
        gp_io_write_file(path.bytes, s->components.bytes, s->components.length, err);
    gp_text_free(&path);
    return gp_par_agree(job->par, err);
}

static int test(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    gp_text covariates = {0};
    double started = gp_clock();
    if (gp_tables_open(job, &s->tables, o->out, s->trait_names, s->patterns.traits, err) != GP_OK ||
        test_all(o, s, err) != GP_OK || check_listed(job, o, s, err) != GP_OK)
        return err->code;
    double seconds = gp_clock() - started;
    covariate_names(s, &covariates, err);
    gp_tables_meta meta = {.model = gp_assoc_is_mixed(o) ? "linear mixed" : "linear",
                           .missing = gp_assoc_missing(o),
                           .covariates = covariates.bytes ? covariates.bytes : "",
                           .store_digest = gp_store_digest(s->store),
                           .samples = s->trait_samples};
    int64_t lines = s->tables.writes ? s->selection.sum[GP_KEPT] : 0;
    if (gp_par_agree(job->par, err) == GP_OK && write_components(job, o, s, err) == GP_OK &&
        gp_tables_finish(job, &s->tables, lines, &meta, err) == GP_OK)
        summarise(job, o, s, seconds, err);
    gp_text_free(&covariates);
    return err->code;
}

/* Bytes of the matrices that would be made. */
static double matrix_bytes(const gp_assoc_options *o, const state *s) {
    double n = (double)gp_cohort_kept(&s->cohort), matrices = 1.0;
    for (int64_t k = 0; s->loco && k < gp_store_chromosome_count(s->store); k++)
        matrices += gp_store_chromosome(s->store, k)->kind == GP_AUTOSOME;
    return o->grm != NULL ? 0.0 : 4.0 * n * (n + 1.0) * matrices;
}

static int report_plan(const gp_assoc_options *o, state *s, gp_err *err) {
    gp_plan_needs needs = {.out = o->out, .passes = 1};
    if (gp_assoc_is_mixed(o)) {
        needs.model = gp_mixed_bytes(&s->scan, o->grm == NULL, s->loco);
        needs.disk = matrix_bytes(o, s);
        needs.passes = s->patterns.count + (o->grm == NULL);
        needs.by_chromosome = s->loco;
    } else {
        needs.model = gp_scan_linear_bytes(&s->scan);
    }
    return gp_plan_report(&s->scan, &needs, err);
}

static int run(gp_job *job, gp_err *err) {
    const gp_assoc_options *o = &gp_assoc_values;
    state s = {0};
    gp_assoc_check(o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(job, o, &s, err) == GP_OK &&
        prepare(job, o, &s, err) == GP_OK) {
        if (o->dry_run)
            report_plan(o, &s, err);
        else
            test(job, o, &s, err);
    }
    gp_tables_close(job, &s.tables);
    gp_scan_linear_free(&s.linear);
    gp_kinship_close(&s.kinship);
    gp_text_free(&s.components);
    gp_patterns_free(&s.patterns);
    gp_plan_free(&s.plan);
    gp_selection_free(&s.selection);
    gp_cohort_free(&s.cohort);
    gp_store_close(s.store);
    free(s.trait_names);
    free(s.trait_samples);
    return err->code;
}

const gp_command gp_command_assoc = {
    .name = "assoc",
    .summary = "test every variant for association with every trait",
    .synopsis = "--store STORE.h5 --pheno FILE --out DIR [options]",
    .description = gp_assoc_description,
    .options = gp_assoc_option_table,
    .values = &gp_assoc_values,
    .run = run};
