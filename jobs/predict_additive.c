/* Predictions from effects of variants: the exact product across variants, shared out over the
 * ranks. */
#include "io/effects.h"
#include "io/fixed_effects.h"
#include "jobs/job.h"
#include "jobs/predict.h"
#include "jobs/whole_pass.h"
#include "src/base/mem.h"
#include "src/geno/product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MATCHED, SWAPPED, TWICE, COUNTS };

typedef struct additive {
    gp_predict_run *run;
    gp_selection selection; /* everything */
    gp_whole_pass whole;
    gp_ids key;           /* of this rank's variants: id, REF, ALT */
    int64_t *variant;     /* [key.count] the first of this rank's variants with that key */
    int64_t key_capacity; /* of variant */
    int64_t variants;     /* of this rank */
    double *mean;         /* [variants] copies of ALT; NaN where the model does not have it */
    double *effect;       /* [variants x traits] of ALT */
    double *most;         /* [traits] largest effect of the model */
    int64_t lines;        /* of the model */
    int64_t count[COUNTS];
    gp_operand operand; /* [batch x traits] */
    gp_product *product;
    int64_t *missing; /* [batch x traits] */
    int64_t *sums;    /* [store samples x traits], then [traits] what means add up to */
    int64_t at;       /* variants visited */
} additive;

static void additive_free(additive *a) {
    gp_product_free(a->product);
    gp_operand_free(&a->operand);
    gp_ids_free(&a->key);
    gp_whole_pass_free(&a->whole);
    gp_selection_free(&a->selection);
    free(a->variant);
    free(a->mean);
    free(a->effect);
    free(a->most);
    free(a->missing);
    free(a->sums);
}

/* ---- this rank's variants ---- */

/* What a variant is joined by: its id, or its place where it has none; and both alleles. */
static int make_key(gp_text *key, const gp_effect *v, int swapped, gp_err *err) {
    const char *first = swapped ? v->effect_allele : v->other_allele,
               *second = swapped ? v->other_allele : v->effect_allele;
    key->length = 0;
    if (strcmp(v->id, ".") == 0)
        return gp_text_print(key, err, "%s:%lld\t%s\t%s", v->chromosome, (long long)v->position,
                             first, second);
    return gp_text_print(key, err, "%s\t%s\t%s", v->id, first, second);
}

static int list_run(additive *a, const gp_run *run, const gp_variants *variants, gp_text *key,
                    gp_err *err) {
    for (int64_t j = 0; j < run->count; j++) {
        const gp_effect v = {.chromosome =
                                 gp_store_chromosome(a->run->store, run->chromosome)->name,
                             .position = variants->position[j],
                             .id = variants->id[j],
                             .effect_allele = variants->alt[j],
                             .other_allele = variants->ref[j]};
        int64_t number = 0;
        int fresh = 0;
        if (make_key(key, &v, 0, err) != GP_OK ||
            gp_ids_add(&a->key, key->bytes, key->length, &number, &fresh, err) != GP_OK ||
            gp_mem_grow(&a->variant, &a->key_capacity, a->key.count, sizeof *a->variant, err) !=
                GP_OK)
            return err->code;
        if (fresh)
            a->variant[number] = a->variants;
        else
            a->count[TWICE]++;
        a->variants++;
    }
    return GP_OK;
}

/* Local. */
static int list_variants(additive *a, gp_err *err) {
    const gp_plan *plan = &a->whole.plan;
    int part = gp_par_group(a->run->job->par);
    int64_t at = part >= 0 ? plan->begin[part] : 0;
    gp_variants variants = {0};
    gp_text key = {0};
    gp_run run;
    while (part >= 0 && err->code == GP_OK && gp_job_check_signals(err) == GP_OK &&
           gp_plan_next(plan, part, a->whole.pass.batch, &at, &run))
        if (gp_store_read_variants(a->run->store, run.chromosome, run.first, run.count, &variants,
                                   err) == GP_OK)
            list_run(a, &run, &variants, &key, err);
    gp_variants_free(&variants);
    gp_text_free(&key);
    return err->code;
}

/* ---- their effects ---- */

/* This rank's variant of a line of the model; -1 if it has none. */
static int64_t find_variant(const additive *a, const gp_effect *line, gp_text *key, int *swapped,
                            gp_err *err) {
    for (*swapped = 0; *swapped < 2; ++*swapped) {
        if (make_key(key, line, *swapped, err) != GP_OK)
            return -1;
        int64_t number = gp_ids_find(&a->key, key->bytes, key->length);
        if (number >= 0)
            return a->variant[number];
    }
    return -1;
}

static int take_line(additive *a, const gp_effect *line, gp_text *key, gp_err *err) {
    int64_t p = a->run->traits;
    int swapped = 0;
    a->lines++;
    for (int64_t t = 0; t < p; t++)
        a->most[t] = fmax(a->most[t], fabs(line->value[t]));
    int64_t v = find_variant(a, line, key, &swapped, err);
    if (v < 0)
        return err->code;
    if (!isnan(a->mean[v]))
        return gp_err_set(
            err, GP_EINPUT,
            "%s/effects.tsv.gz: variant '%.60s' with alleles %.20s and %.20s is there "
            "twice",
            a->run->o->model, line->id, line->effect_allele, line->other_allele);
    a->count[MATCHED]++;
    a->count[SWAPPED] += swapped;
    a->mean[v] = swapped ? 2.0 - line->mean : line->mean;
    for (int64_t t = 0; t < p; t++)
        a->effect[v * p + t] = swapped ? -line->value[t] : line->value[t];
    return GP_OK;
}

/* Every rank reads the file by itself and keeps what is its own. Local. */
static int read_effects(additive *a, gp_effects *file, gp_err *err) {
    gp_effect line;
    gp_text key = {0};
    int64_t real = (int64_t)sizeof(double);
    a->mean = gp_mem_alloc(a->variants, real, err);
    a->effect = gp_mem_alloc(a->variants, a->run->traits * real, err);
    a->most = gp_mem_alloc(a->run->traits, real, err);
    for (int64_t v = 0; err->code == GP_OK && v < a->variants; v++)
        a->mean[v] = NAN;
    while (err->code == GP_OK && gp_effects_next(file, &line, err))
        if (take_line(a, &line, &key, err) == GP_OK && a->lines % 4096 == 0)
            gp_job_check_signals(err);
    gp_text_free(&key);
    return err->code;
}

/* Collective. */
static int tell_matches(additive *a, gp_err *err) {
    const gp_predict_run *run = a->run;
    if (gp_par_sum(run->job->par, a->count, COUNTS, err) != GP_OK)
        return err->code;
    int64_t found = a->count[MATCHED];
    if (found == 0)
        return gp_err_set(
            err, GP_EINPUT,
            "%s: has none of the %lld variants of the model %s; they are joined by id "
            "and alleles",
            run->o->store, (long long)a->lines, run->o->model);
    gp_say(run->job->sink, GP_NOTE,
           "%s: %lld of the model's %lld variants are in the store, %lld of them with alleles "
           "swapped",
           run->o->model, (long long)found, (long long)a->lines, (long long)a->count[SWAPPED]);
    if (found < a->lines)
        gp_say(run->job->sink, GP_WARN,
               "%s: %lld of the model's %lld variants are not in the store; they count as their "
               "mean",
               run->o->store, (long long)(a->lines - found), (long long)a->lines);
    if (a->count[TWICE] > 0)
        gp_say(run->job->sink, GP_WARN,
               "%s: %lld variants have the id and alleles of another; the first of each is used",
               run->o->store, (long long)a->count[TWICE]);
    return GP_OK;
}

/* ---- the product ---- */

/* Local. */
static int make_room(additive *a, gp_err *err) {
    const gp_predict_run *run = a->run;
    int64_t n = run->cohort.samples.n, p = run->traits, batch = a->whole.pass.batch;
    /* Every rank's sums have the same unit; there are no more terms than the model has lines. */
    int bits = gp_fixed_bits(a->lines);
    a->missing = gp_mem_alloc(batch, p * (int64_t)sizeof *a->missing, err);
    a->sums = gp_mem_alloc(n + 1, p * (int64_t)sizeof *a->sums, err);
    if (err->code != GP_OK || gp_operand_init(&a->operand, batch, p, bits, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; t < p; t++)
        a->operand.exponent[t] = gp_fixed_exponent(a->most[t], bits);
    a->product = gp_product_new(&a->operand, err);
    return err->code;
}

static int visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    additive *a = context;
    int64_t p = a->run->traits, *means = a->sums + a->run->cohort.samples.n * p;
    if (gp_job_check_signals(err) != GP_OK || batch == NULL)
        return -1;
    for (int64_t j = 0; j < a->operand.terms; j++) {
        int64_t v = a->at + j;
        int used = j < run->count && !isnan(a->mean[v]);
        for (int64_t t = 0; t < p; t++) {
            int exponent = a->operand.exponent[t];
            double effect = used ? a->effect[v * p + t] : 0.0;
            int64_t whole = used ? gp_fixed_from(effect * a->mean[v], exponent) : 0;
            gp_operand_set(&a->operand, j, t, gp_fixed_from(effect, exponent));
            a->missing[j * p + t] = whole;
            means[t] += whole;
        }
    }
    a->at += run->count;
    if (batch->has_calls)
        gp_product_across_variants(a->product, &batch->calls, a->missing, a->sums);
    return GP_OK;
}

/* Collective: sums of all ranks, added to the covariates' part. */
static int add_up(additive *a, gp_err *err) {
    gp_predict_run *run = a->run;
    int64_t n = run->cohort.samples.n, p = run->traits;
    if (gp_par_sum(run->job->par, a->sums, (n + 1) * p, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        for (int64_t t = 0; t < p; t++)
            run->value[i * p + t] +=
                gp_fixed_to(a->sums[i * p + t] - a->sums[n * p + t], a->operand.exponent[t]);
    return GP_OK;
}

static int multiply(additive *a, gp_effects *file, gp_err *err) {
    gp_job *job = a->run->job;
    const gp_selection_options all = {.filter = {NAN, NAN, NAN, NAN}};
    if (gp_selection_load(job, &all, a->run->store, &a->selection, err) != GP_OK)
        return err->code;
    gp_whole_pass_init(&a->whole, job, a->run->store, &a->selection, a->selection.count, err);
    if (err->code == GP_OK && list_variants(a, err) == GP_OK)
        read_effects(a, file, err);
    if (gp_par_agree(job->par, err) != GP_OK || tell_matches(a, err) != GP_OK)
        return err->code;
    make_room(a, err);
    if (gp_par_agree(job->par, err) == GP_OK &&
        gp_pass_walk(&a->whole.pass, visit, a, err) == GP_OK)
        add_up(a, err);
    return err->code;
}

/* ---- the model's files ---- */

/* Collective. */
static int read_fixed(gp_predict_run *run, gp_fixed_effects *fixed, gp_err *err) {
    gp_text path = {0}, text = {0};
    gp_text_print(&path, err, "%s/model.tsv", run->o->model);
    if (gp_par_agree(run->job->par, err) == GP_OK &&
        gp_job_read_shared(run->job, path.bytes, &text, err) == GP_OK) {
        gp_fixed_effects_parse(fixed, path.bytes, &text, err);
        gp_par_agree(run->job->par, err);
    }
    gp_text_free(&path);
    gp_text_free(&text);
    return err->code;
}

/* Names the traits, as both files must have them. Local. */
static int name_traits(gp_predict_run *run, const gp_effects *file, const gp_fixed_effects *fixed,
                       gp_err *err) {
    int64_t p = gp_effects_traits(file);
    if (p != fixed->trait.count)
        return gp_err_set(err, GP_EINPUT,
                          "%s: effects.tsv.gz has %lld traits and model.tsv %lld; both must come "
                          "from one run",
                          run->o->model, (long long)p, (long long)fixed->trait.count);
    run->trait = gp_mem_alloc(p, sizeof *run->trait, err);
    run->value = gp_mem_alloc(run->cohort.samples.n, p * (int64_t)sizeof *run->value, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t t = 0; t < p; t++) {
        const char *name = gp_effects_trait(file, t);
        if (strcmp(name, gp_ids_get(&fixed->trait, t)) != 0)
            return gp_err_set(
                err, GP_EINPUT,
                "%s: effects.tsv.gz has trait '%s' where model.tsv has '%s'; both must "
                "come from one run",
                run->o->model, name, gp_ids_get(&fixed->trait, t));
        run->traits = t + 1;
        run->trait[t] = gp_mem_string(name, (int64_t)strlen(name), err);
    }
    return err->code;
}

static int add_fixed(gp_predict_run *run, const gp_fixed_effects *fixed, gp_err *err) {
    gp_predict_terms terms = {.terms = fixed->term.count - 1, .effect = fixed->effect};
    terms.term = gp_mem_alloc(fixed->term.count, sizeof *terms.term, err);
    for (int64_t k = 0; terms.term != NULL && k < terms.terms; k++)
        terms.term[k] = gp_ids_get(&fixed->term, k + 1);
    if (gp_par_agree(run->job->par, err) == GP_OK)
        gp_predict_covariates(run, &terms, err);
    free(terms.term);
    return err->code;
}

int gp_predict_additive(gp_predict_run *run, gp_err *err) {
    additive a = {.run = run};
    gp_fixed_effects fixed = {0};
    gp_effects *file = NULL;
    gp_text path = {0};
    if (read_fixed(run, &fixed, err) == GP_OK) {
        if (gp_text_print(&path, err, "%s/effects.tsv.gz", run->o->model) == GP_OK &&
            gp_effects_open(&file, path.bytes, err) == GP_OK)
            name_traits(run, file, &fixed, err);
        if (gp_par_agree(run->job->par, err) == GP_OK && add_fixed(run, &fixed, err) == GP_OK)
            multiply(&a, file, err);
    }
    gp_effects_close(file);
    gp_fixed_effects_free(&fixed);
    gp_text_free(&path);
    additive_free(&a);
    return err->code;
}
