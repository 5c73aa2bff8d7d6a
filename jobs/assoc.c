#include "io/file.h"
#include "jobs/ancestry.h"
#include "jobs/assoc_filters.h"
#include "jobs/assoc_offsets.h"
#include "jobs/assoc_options.h"
#include "jobs/assoc_outcome.h"
#include "jobs/assoc_traits.h"
#include "jobs/directory.h"
#include "jobs/input.h"
#include "jobs/mind.h"
#include "jobs/mixed.h"
#include "jobs/null_models.h"
#include "jobs/plan_report.h"
#include "jobs/relatives.h"
#include "jobs/scan_linear.h"
#include "jobs/scan_logistic.h"
#include "jobs/times.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/base/tail.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    gp_scan_logistic logistic;
    gp_offsets offsets;
    gp_assoc_filters filters;
    gp_kinship kinship;
    int loco;
    gp_text components;     /* variance.tsv */
    gp_text tests;          /* of binary traits, in words */
    gp_tables_trait *trait; /* [tables] */
} state;

static int load(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    gp_input input = {.path = o->store,
                      .out = o->dry_run ? NULL : o->out,
                      .cohort_options = &o->cohort,
                      .selection_options = &o->selection,
                      .store = &s->store,
                      .cohort = &s->cohort,
                      .selection = &s->selection};
    gp_times_phase(job, "load");
    if (gp_input_load(job, &input, err) != GP_OK)
        return err->code;
    gp_assoc_choose(o, &s->cohort, job->sink, err);
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
    int binary = 0;
    for (int64_t t = 0; t < s->cohort.traits; t++)
        binary |= gp_assoc_is_logistic(o, &s->cohort.trait[t]);
    gp_pass *pass = &s->scan.pass;
    pass->first = gp_split_begin(n, GP_GENO_GROUP, shards, shard);
    pass->samples = gp_split_begin(n, GP_GENO_GROUP, shards, shard + 1) - pass->first;
    pass->batch = gp_scan_batch(gp_store_chunk_variants(s->store, err),
                                gp_geno_stride(gp_split_begin(n, GP_GENO_GROUP, shards, 1)),
                                s->cohort.covariates + o->pca, s->cohort.traits, binary);
    gp_plan_init(&s->plan, s->selection.count, s->selection.chromosomes, gp_store_block(s->store),
                 gp_par_groups(job->par), err);
    gp_selection_masks(&s->selection, &s->cohort, pass->first, pass->samples, err);
    return gp_par_agree(job->par, err);
}

/* What a trait's table is about: number t of a pattern. */
static gp_tables_trait describe(const gp_assoc_options *o, const state *s, const gp_pattern *p,
                                int64_t t) {
    int offset = gp_offset_of(&s->offsets, p->trait[t]) != NULL;
    gp_tables_trait about = {.name = s->cohort.trait[p->trait[t]].name,
                             .model = gp_assoc_is_mixed(o) ? "linear mixed"
                                      : offset             ? "linear, with offsets"
                                                           : "linear",
                             .samples = p->n};
    if (p->kind == GP_PATTERN_LOGISTIC) {
        about.model = offset ? "logistic, with offsets" : "logistic";
        about.test = s->tests.bytes;
        about.cases = p->binary[t].cases;
        about.form.binary = 1;
        if (!isnan(o->ci))
            about.form.deviate = gp_normal_deviate(-gp_log(1.0 - o->ci) / GP_LN10);
    }
    return about;
}

/* Numbers the traits that have a model, in the order of the table. */
static int number_traits(const gp_assoc_options *o, state *s, gp_err *err) {
    int64_t count = 0;
    gp_assoc_test_words(o, &s->tests, err);
    s->trait = gp_mem_alloc(s->cohort.traits, sizeof *s->trait, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t t = 0; t < s->cohort.traits; t++) {
        gp_trait *trait = &s->cohort.trait[t];
        trait->table = trait->skipped == NULL ? count++ : -1;
    }
    for (int64_t k = 0; k < s->patterns.count; k++) {
        const gp_pattern *p = &s->patterns.pattern[k];
        for (int64_t t = 0; t < p->traits; t++)
            s->trait[s->cohort.trait[p->trait[t]].table] = describe(o, s, p, t);
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
    gp_times_phase(job, "relationships");
    return gp_relatives_open(job, &relatives, &s->kinship, err);
}

/* Patterns and null models: which traits are tested, and on whom. */
static int make_patterns(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    gp_patterns_input input = gp_assoc_models(o);
    input.first = s->scan.pass.first;
    input.samples = s->scan.pass.samples;
    input.offsets = &s->offsets;
    gp_times_phase(job, "models");
    gp_patterns_init(&s->patterns, &s->cohort, &input, job->sink, err);
    gp_scan_logistic_options tests = gp_assoc_tests(o);
    s->patterns.firth = tests.kind == GP_LOGIT_APPROX && !tests.score;
    if (gp_par_agree(job->par, err) == GP_OK &&
        gp_null_models_fit(job, &s->patterns, &s->cohort, &s->offsets, err) == GP_OK)
        number_traits(o, s, err);
    s->scan.patterns = &s->patterns;
    return gp_par_agree(job->par, err);
}

static void tell_patterns(const gp_job *job, const state *s) {
    for (int64_t k = 0; k < s->patterns.count; k++) {
        const gp_pattern *p = &s->patterns.pattern[k];
        if (p->kind == GP_PATTERN_LOGISTIC) {
            for (int64_t t = 0; t < p->traits; t++)
                gp_say(job->sink, GP_NOTE,
                       "trait %s: %lld samples (%lld cases, %lld controls), %lld covariates and an "
                       "intercept",
                       s->cohort.trait[p->trait[t]].name, (long long)p->n,
                       (long long)p->binary[t].cases, (long long)(p->n - p->binary[t].cases),
                       (long long)p->rank);
            continue;
        }
        char others[48] = "";
        if (p->traits > 1)
            snprintf(others, sizeof others, " and %lld more", (long long)p->traits - 1);
        gp_say(job->sink, GP_NOTE, "trait %s%s: %lld samples, %lld covariates and an intercept",
               s->cohort.trait[p->trait[0]].name, others, (long long)p->n, (long long)p->rank);
    }
}

/* Components as `gp-dist pca` finds them: without shards, whose samples would be added up in
 * another order. */
static int add_ancestry(gp_job *job, const gp_ancestry *ancestry, gp_err *err) {
    int shards = gp_par_shards(job->par);
    gp_times_phase(job, "pca");
    if (gp_par_set_shards(job->par, 1, err) == GP_OK &&
        gp_ancestry_add(job, ancestry, err) == GP_OK)
        gp_par_set_shards(job->par, shards, err);
    return err->code;
}

static int prepare(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    s->scan = (gp_scan){
        .pass = {.job = job, .store = s->store, .plan = &s->plan, .selection = &s->selection},
        .cohort = &s->cohort,
        .selection = &s->selection,
        .tables = &s->tables};
    if (divide(job, o, s, err) != GP_OK)
        return err->code;
    s->filters = (gp_assoc_filters){.out = o->out,
                                    .store = s->store,
                                    .cohort = &s->cohort,
                                    .selection = &s->selection,
                                    .mind = gp_cohort_kept(&s->cohort)};
    if (!isnan(o->mind) && gp_mind(&s->scan.pass, &s->cohort, o->mind, err) != GP_OK)
        return err->code;
    s->filters.mind -= gp_cohort_kept(&s->cohort);
    gp_ancestry ancestry = {
        .store = s->store, .cohort = &s->cohort, .components = o->pca, .seed = (uint64_t)o->seed};
    if (o->pca > 0 && add_ancestry(job, &ancestry, err) != GP_OK)
        return err->code;
    if (gp_assoc_is_mixed(o) && open_relatives(job, o, s, err) != GP_OK)
        return err->code;
    if (gp_assoc_offsets_load(o, &s->scan.pass, &s->cohort, &s->offsets, err) != GP_OK)
        return err->code;
    gp_selection_masks(&s->selection, &s->cohort, s->scan.pass.first, s->scan.pass.samples, err);
    if (gp_par_agree(job->par, err) == GP_OK && make_patterns(job, o, s, err) == GP_OK)
        tell_patterns(job, s);
    return err->code;
}

/* The names of the covariates in use, comma-separated. */
static int covariate_names(const state *s, gp_text *names, gp_err *err) {
    for (int64_t k = 0; k < s->cohort.covariates; k++)
        gp_text_print(names, err, "%s%s", k ? "," : "", s->cohort.covariate[k].name);
    return err->code;
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

/* Linear and logistic models, in one pass. Collective. */
static int test_by_trait(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    gp_scan_logistic_options tests = gp_assoc_tests(o);
    gp_scan_linear_init(&s->linear, &s->scan, err);
    gp_scan_logistic_init(&s->logistic, &s->scan, &tests, &s->offsets, err);
    if (gp_par_agree(job->par, err) == GP_OK)
        gp_scan_tests(&s->scan, err);
    return err->code;
}

/* Tests all variants by the models that were asked for. Collective. */
static int test_all(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    if (gp_assoc_is_mixed(o)) {
        gp_mixed mixed = {.scan = &s->scan,
                          .kinship = &s->kinship,
                          .exact = o->lmm == NULL || strcmp(o->lmm, "exact") == 0,
                          .loco = s->loco};
        gp_mixed_tests(&mixed, &s->components, err);
    } else {
        test_by_trait(job, o, s, err);
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

/* The tables and what was left out get their names together. Collective. */
static int finish(gp_job *job, state *s, const gp_tables_meta *meta, gp_err *err) {
    int64_t lines = s->tables.writes ? s->selection.sum[GP_KEPT] : 0;
    int ready = gp_assoc_filters_write(job, &s->filters, err) == GP_OK &&
                gp_tables_finish(job, &s->tables, lines, meta, err) == GP_OK;
    return gp_assoc_filters_finish(job, &s->filters, ready, err);
}

static int test(gp_job *job, const gp_assoc_options *o, state *s, gp_err *err) {
    gp_text covariates = {0};
    double started = gp_clock();
    gp_times_phase(job, "scan");
    if (gp_tables_open(job, &s->tables, o->out, s->trait, s->patterns.traits, err) != GP_OK ||
        test_all(job, o, s, err) != GP_OK || check_listed(job, o, s, err) != GP_OK)
        return err->code;
    gp_outcome outcome = {.job = job,
                          .out = o->out,
                          .cohort = &s->cohort,
                          .selection = &s->selection,
                          .tables = &s->tables,
                          .seconds = gp_clock() - started};
    gp_times_phase(job, "tables");
    covariate_names(s, &covariates, err);
    gp_tables_meta meta = {.missing = gp_assoc_missing(o),
                           .covariates = covariates.bytes ? covariates.bytes : "",
                           .store_digest = gp_store_digest(s->store)};
    if (gp_par_agree(job->par, err) == GP_OK && write_components(job, o, s, err) == GP_OK &&
        finish(job, s, &meta, err) == GP_OK)
        gp_outcome_tell(&outcome, err);
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
        gp_scan_logistic_options tests = gp_assoc_tests(o);
        needs.model = gp_scan_linear_bytes(&s->scan) + gp_scan_logistic_bytes(&s->scan, &tests) +
                      gp_offsets_bytes(&s->offsets);
        needs.model = gp_most(needs.model, s->offsets.peak);
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
    gp_scan_logistic_free(&s.logistic);
    gp_offsets_free(&s.offsets);
    gp_kinship_close(&s.kinship);
    gp_text_free(&s.components);
    gp_patterns_free(&s.patterns);
    gp_plan_free(&s.plan);
    gp_selection_free(&s.selection);
    gp_cohort_free(&s.cohort);
    gp_store_close(s.store);
    gp_text_free(&s.tests);
    free(s.trait);
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
