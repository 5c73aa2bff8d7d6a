#include "io/file.h"
#include "jobs/cohort.h"
#include "jobs/mind.h"
#include "jobs/plan_report.h"
#include "jobs/scan.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "src/geno/cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
    const char *store, *out, *model, *missing;
    gp_cohort_options cohort;
    gp_selection_options selection;
    double mind;
    int64_t sample_shards, seed;
    int dry_run;
} options;

static options values = {.missing = "exact",
                         .selection = {.filter = {NAN, NAN, NAN, NAN}},
                         .mind = NAN,
                         .sample_shards = 1,
                         .seed = 1};

#define AT(field) offsetof(options, field)

static const gp_option option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    {"store", GP_TEXT, AT(store), "STORE.h5", "the genotype store (made by gp-dist import)", 0, 0,
     NULL},
    {"pheno", GP_TEXT, AT(cohort.pheno), "FILE",
     "table of traits, with a header that starts FID IID or IID", 0, 0, NULL},
    {"pheno-name", GP_TEXT, AT(cohort.pheno_name), "A,B", "traits to test (default: every column)",
     0, 0, NULL},
    {"covar", GP_TEXT, AT(cohort.covar), "FILE",
     "table of covariates; the intercept is always in the model", 0, 0, NULL},
    {"covar-name", GP_TEXT, AT(cohort.covar_name), "A,B",
     "numeric covariates to use (default: every column not named by --cat-covar-name)", 0, 0, NULL},
    {"cat-covar-name", GP_TEXT, AT(cohort.cat_covar_name), "A,B", "categorical covariates to use",
     0, 0, NULL},
    {"missing-code", GP_TEXT, AT(cohort.missing_code), "X,Y",
     "further values that mean missing, beside NA, nan and an empty field", 0, 0, NULL},
    {"cc12", GP_FLAG, AT(cohort.cc12), NULL, "binary traits are coded 1 = control, 2 = case", 0, 0,
     NULL},
    {.name = "Samples and variants", .type = GP_HEADING},
    {"keep", GP_TEXT, AT(cohort.keep), "FILE", "use only the samples listed (FID IID lines)", 0, 0,
     NULL},
    {"remove", GP_TEXT, AT(cohort.remove), "FILE", "leave out the samples listed", 0, 0, NULL},
    {"mind", GP_REAL, AT(mind), "F", "leave out samples with a larger share of missing calls", 0, 1,
     NULL},
    {"chr", GP_TEXT, AT(selection.chr), "LIST", "chromosomes to test, e.g. 1-22,X", 0, 0, NULL},
    {"extract", GP_TEXT, AT(selection.extract), "FILE", "test only the variant ids listed", 0, 0,
     NULL},
    {"exclude", GP_TEXT, AT(selection.exclude), "FILE", "leave out the variant ids listed", 0, 0,
     NULL},
    {"maf", GP_REAL, AT(selection.filter.maf), "F",
     "leave out variants of smaller minor allele frequency among the samples kept", 0, 0.5, NULL},
    {"mac", GP_REAL, AT(selection.filter.mac), "N",
     "leave out variants of smaller minor allele count", 0, 1e15, NULL},
    {"geno", GP_REAL, AT(selection.filter.geno), "F",
     "leave out variants with a larger share of missing calls", 0, 1, NULL},
    {"hwe", GP_REAL, AT(selection.filter.hwe), "P",
     "leave out variants of smaller Hardy-Weinberg exact p (X: in females; Y and MT: no test)", 0,
     1, NULL},
    {.name = "Model", .type = GP_HEADING},
    {"model", GP_CHOICE, AT(model), "linear", "regression model (default: by trait)", 0, 0,
     "linear"},
    {"missing", GP_CHOICE, AT(missing), "exact|mean",
     "missing calls: leave the sample out for that variant (exact, the default), or impute the "
     "mean",
     0, 0, "exact|mean"},
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "DIR", "directory for the result tables", 0, 0, NULL},
    {"sample-shards", GP_WHOLE, AT(sample_shards), "S",
     "spread the samples over S ranks of a group; for cohorts whose samples x columns do not fit "
     "one rank (default 1)",
     1, 100000, NULL},
    {"seed", GP_WHOLE, AT(seed), "N", "random seed; linear regression draws no random numbers", 0,
     9e15, NULL},
    {"dry-run", GP_FLAG, AT(dry_run), NULL,
     "check the input, print samples, plan by chromosome and rank, memory, disk and work; then "
     "stop",
     0, 0, NULL},
    {0}};

static const char description[] =
    "Tests every variant of the store for association with every trait: linear regression of the "
    "trait on the number of copies of the effect allele (ALT: column 5 of a .bim) and the "
    "covariates. "
    "Traits with the same missing values share one pass over the genotypes. Males' calls on X "
    "count 0 or 2 as they are coded in the input.\n"
    "\n"
    "For each trait, DIR/TRAIT.tsv.gz holds one line per tested variant: chromosome, "
    "base_pair_location, "
    "effect_allele, other_allele, beta, standard_error, effect_allele_frequency, p_value, n, id, "
    "statistic, neg_log_10_p_value, status. It is tab separated, BGZF compressed, sorted, indexed "
    "by "
    "tabix (.tbi), and described by TRAIT.tsv.gz-meta.yaml. Status says OK, or why there is no "
    "number: CONSTANT, "
    "ALL_MISSING, COLLINEAR, FEW_SAMPLES.\n"
    "\n"
    "The result files are the same, byte for byte, for any number of ranks, threads and sample "
    "shards.\n"
    "\n"
    "  mpirun -n 64 gp-dist assoc --store cohort.h5 --pheno traits.tsv \\\n"
    "      --covar covars.tsv --maf 0.01 --out results";

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
    const char **trait_names; /* [tables] */
    int64_t *trait_samples;   /* [tables] */
} state;

static int check_required(const options *o, gp_err *err) {
    const char *missing = o->store == NULL                ? "--store STORE.h5"
                          : o->cohort.pheno == NULL       ? "--pheno FILE"
                          : o->out == NULL && !o->dry_run ? "--out DIR"
                                                          : NULL;
    if (missing != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: assoc needs %s; see gp-dist assoc --help",
                          missing);
    if (o->cohort.covar == NULL &&
        (o->cohort.covar_name != NULL || o->cohort.cat_covar_name != NULL))
        return gp_err_set(err, GP_EINPUT,
                          "command line: --covar-name and --cat-covar-name need --covar FILE");
    return GP_OK;
}

/* Without --model, a binary trait asks for a logistic model, which must not be replaced in silence.
 */
static int check_model(const options *o, const gp_cohort *cohort, gp_err *err) {
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

static int load(gp_job *job, const options *o, state *s, gp_err *err) {
    /* Where results cannot go shall be known before the work; a new directory is made after it. */
    if (gp_par_rank(job->par) == 0 && !o->dry_run && access(o->out, F_OK) == 0)
        gp_io_check_writable(o->out, err);
    gp_store_open(&s->store, o->store, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    gp_say(job->sink, GP_NOTE, "%s: %lld samples, %lld variants, %lld chromosomes", o->store,
           (long long)gp_store_sample_count(s->store), (long long)gp_store_variant_count(s->store),
           (long long)gp_store_chromosome_count(s->store));
    if (gp_cohort_load(job, &o->cohort, s->store, &s->cohort, err) != GP_OK)
        return err->code;
    check_model(o, &s->cohort, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    return gp_selection_load(job, &o->selection, s->store, &s->selection, err);
}

/* The grid of ranks, this rank's samples, and the plan. */
static int divide(gp_job *job, const options *o, state *s, gp_err *err) {
    int64_t n = s->cohort.samples.n, shards = o->sample_shards;
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
                                s->cohort.covariates, s->cohort.traits);
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

static int prepare(gp_job *job, const options *o, state *s, gp_err *err) {
    s->scan = (gp_scan){
        .pass = {.job = job, .store = s->store, .plan = &s->plan, .selection = &s->selection},
        .cohort = &s->cohort,
        .selection = &s->selection,
        .tables = &s->tables};
    if (divide(job, o, s, err) != GP_OK)
        return err->code;
    if (!isnan(o->mind) && gp_mind(&s->scan.pass, &s->cohort, o->mind, err) != GP_OK)
        return err->code;
    gp_selection_masks(&s->selection, &s->cohort, s->scan.pass.first, s->scan.pass.samples, err);
    gp_patterns_input input = {.first = s->scan.pass.first,
                               .samples = s->scan.pass.samples,
                               .exact = strcmp(o->missing, "exact") == 0};
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
static int summarise(gp_job *job, const options *o, state *s, double seconds, gp_err *err) {
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
static int check_listed(gp_job *job, const options *o, const state *s, gp_err *err) {
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

static int test(gp_job *job, const options *o, state *s, gp_err *err) {
    gp_text covariates = {0};
    double started = gp_clock();
    if (gp_tables_open(job, &s->tables, o->out, s->trait_names, s->patterns.traits, err) != GP_OK ||
        gp_scan_tests(&s->scan, err) != GP_OK || check_listed(job, o, s, err) != GP_OK)
        return err->code;
    double seconds = gp_clock() - started;
    covariate_names(s, &covariates, err);
    gp_tables_meta meta = {.model = "linear",
                           .missing = o->missing,
                           .covariates = covariates.bytes ? covariates.bytes : "",
                           .store_digest = gp_store_digest(s->store),
                           .samples = s->trait_samples};
    int64_t lines = s->tables.writes ? s->selection.sum[GP_KEPT] : 0;
    if (gp_par_agree(job->par, err) == GP_OK &&
        gp_tables_finish(job, &s->tables, lines, &meta, err) == GP_OK)
        summarise(job, o, s, seconds, err);
    gp_text_free(&covariates);
    return err->code;
}

static int run(gp_job *job, gp_err *err) {
    const options *o = &values;
    state s = {0};
    check_required(o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(job, o, &s, err) == GP_OK &&
        prepare(job, o, &s, err) == GP_OK) {
        if (o->dry_run)
            gp_plan_report(&s.scan, o->out, err);
        else
            test(job, o, &s, err);
    }
    gp_tables_close(job, &s.tables);
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
    .description = description,
    .options = option_table,
    .values = &values,
    .run = run};
