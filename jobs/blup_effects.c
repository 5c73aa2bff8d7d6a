/* From predicted samples to effects of variants. With K = sum over variants of
 * w (g - mean) (g - mean)' / M,
 *
 *   u_i = lambda (K alpha)_i = sum over variants of (g_i - mean) effect
 *   effect = lambda w / M times the sum over samples k of (g_k - mean) alpha_k
 *
 * and a missing call adds nothing on either side. Source: Stranden and Garrick 2009, J Dairy Sci
 * 92:2971. */
#include "io/effects.h"
#include "io/file.h"
#include "io/fixed_effects.h"
#include "io/part.h"
#include "jobs/blup.h"
#include "jobs/job.h"
#include "jobs/kinship_variants.h"
#include "jobs/whole_pass.h"
#include "src/base/mem.h"
#include "src/geno/gram.h"
#include "src/geno/product.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The effects, under way. */
typedef struct effects {
    gp_blup_run *run;
    int centred;
    gp_kinship_variants variants;
    gp_whole_pass whole;
    gp_operand operand; /* [samples x traits] alpha */
    gp_product *product;
    int64_t *total; /* [traits] sum of alpha's integers: next to 0 */
    int64_t *sums;  /* [batch x traits] */
    int64_t
        *missing; /* [batch x traits] sums over missing calls, of those variants that have any */
    int64_t *lacking; /* [batch] those variants */
    double *value;    /* [traits] of one variant */
    gp_text text;
    gp_pack *pack;
    int threads;
    gp_part part;
    gp_text temporary, path;
} effects;

static void effects_free(effects *e) {
    gp_part_discard(&e->part);
    gp_packs_free(e->pack, e->threads);
    gp_kinship_variants_free(&e->variants);
    gp_whole_pass_free(&e->whole);
    gp_product_free(e->product);
    gp_operand_free(&e->operand);
    free(e->total);
    free(e->sums);
    free(e->missing);
    free(e->lacking);
    free(e->value);
    gp_text_free(&e->text);
    gp_text_free(&e->temporary);
    gp_text_free(&e->path);
}

/* ---- alpha as integers ---- */

static void set_column(effects *e, int64_t t, int bits) {
    const gp_blup_run *run = e->run;
    int64_t n = run->cohort.samples.n, p = run->traits;
    double most = 0.0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(run->alpha[i * p + t]));
    int exponent = gp_fixed_exponent(most, bits);
    e->operand.exponent[t] = exponent;
    for (int64_t i = 0; i < n; i++) {
        int64_t v = gp_fixed_from(run->alpha[i * p + t], exponent);
        e->total[t] += v;
        if (v != 0)
            gp_operand_set(&e->operand, i, t, v);
    }
}

/* Local. */
static int make_room(effects *e, gp_err *err) {
    const gp_blup_run *run = e->run;
    int64_t n = run->cohort.samples.n, p = run->traits, batch = e->whole.pass.batch;
    int64_t row = p * (int64_t)sizeof(int64_t);
    int bits = gp_fixed_bits(n);
    e->total = gp_mem_alloc(p, sizeof *e->total, err);
    e->sums = gp_mem_alloc(batch, row, err);
    e->missing = gp_mem_alloc(batch, row, err);
    e->lacking = gp_mem_alloc(batch, sizeof *e->lacking, err);
    e->value = gp_mem_alloc(p, sizeof *e->value, err);
    e->threads = omp_get_max_threads();
    e->pack = gp_packs_new(e->threads, err);
    if (err->code != GP_OK || gp_operand_init(&e->operand, n, p, bits, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; t < p; t++)
        set_column(e, t, bits);
    e->product = gp_product_new(&e->operand, err);
    return err->code;
}

/* ---- the pass ---- */

static int64_t calls_of(const effects *e, const gp_store_run *run, int64_t j) {
    return e->variants.calls[e->variants.first[run->chromosome] + run->first + j];
}

static void set_values(effects *e, const int64_t *sums, const int64_t *missing, double mean) {
    double weight = (e->centred ? 1.0 : gp_gram_weight(mean)) / (double)e->variants.total;
    for (int64_t t = 0; t < e->run->traits; t++) {
        int64_t called = e->total[t] - (missing != NULL ? missing[t] : 0);
        int exponent = e->operand.exponent[t];
        e->value[t] =
            weight * (gp_fixed_to(sums[t], exponent) - mean * gp_fixed_to(called, exponent));
    }
}

static int visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    effects *e = context;
    int64_t p = e->run->traits, kept = gp_cohort_kept(&e->run->cohort), lacking = 0, at = 0;
    if (gp_job_check_signals(err) != GP_OK || batch == NULL)
        return -1;
    if (!batch->has_calls)
        return GP_OK;
    for (int64_t j = 0; j < run->count; j++) {
        int64_t calls = calls_of(e, run, j);
        if (calls != 0 && (calls & INT32_MAX) < kept)
            e->lacking[lacking++] = j;
    }
    gp_product_across_samples(e->product, &batch->calls, e->sums);
    gp_product_of_missing(e->product, &batch->calls, e->lacking, lacking, e->missing);
    for (int64_t j = 0; j < run->count && err->code == GP_OK; j++) {
        int64_t calls = calls_of(e, run, j);
        if (calls == 0)
            continue;
        int some = at < lacking && e->lacking[at] == j;
        gp_effect line = {.chromosome = gp_store_chromosome(e->run->store, run->chromosome)->name,
                          .position = batch->variants.position[j],
                          .id = batch->variants.id[j],
                          .effect_allele = batch->variants.alt[j],
                          .other_allele = batch->variants.ref[j],
                          .mean = gp_kinship_mean(calls),
                          .value = e->value};
        set_values(e, e->sums + j * p, some ? e->missing + at * p : NULL, line.mean);
        at += some;
        gp_effects_print(&e->text, &line, p, err);
    }
    if (err->code == GP_OK)
        gp_part_append(&e->part, &e->text, e->pack, e->threads, err);
    return err->code == GP_OK ? GP_OK : -1;
}

/* ---- the file ---- */

/* The first group's part becomes the table; a rank without a group has none. */
static int open_part(effects *e, gp_err *err) {
    gp_blup_run *run = e->run;
    int group = gp_par_group(run->job->par);
    gp_text name = {0};
    gp_text_print(&e->path, err, "%s/effects.tsv.gz", run->o->out);
    gp_text_print(&e->temporary, err, "%s/.effects.tsv.gz.tmp", run->o->out);
    if (group == 0)
        gp_text_print(&name, err, "%s", e->temporary.bytes);
    else
        gp_text_print(&name, err, "%s/.effects.tsv.gz.part%d", run->o->out, group);
    if (err->code == GP_OK && group >= 0)
        gp_part_open(&e->part, name.bytes, group == 0, err);
    if (err->code == GP_OK && group == 0 &&
        gp_effects_header(&e->text, run->trait, run->traits, err) == GP_OK)
        gp_part_add_header(&e->part, &e->text, e->pack, err);
    gp_text_free(&name);
    return gp_par_agree(run->job->par, err);
}

/* Collective. */
static int join_parts(effects *e, gp_err *err) {
    gp_par *par = e->run->job->par;
    int group = gp_par_group(par);
    int64_t before = 0;
    if (group >= 0 && group == gp_par_groups(par) - 1)
        gp_part_end(&e->part, err);
    if (gp_par_agree(par, err) != GP_OK ||
        gp_par_sum_before(par, &e->part.size, &before, 1, err) != GP_OK)
        return err->code;
    if (group > 0)
        gp_part_place(&e->part, e->temporary.bytes, before, err);
    if (gp_par_agree(par, err) == GP_OK && gp_par_rank(par) == 0)
        gp_io_commit(e->temporary.bytes, e->path.bytes, err);
    return gp_par_agree(par, err);
}

static int write_fixed(const gp_blup_run *run, gp_err *err) {
    gp_text text = {0}, path = {0};
    int64_t c = run->cohort.covariates;
    const char **term = gp_mem_alloc(c, sizeof *term, err);
    for (int64_t k = 0; term != NULL && k < c; k++)
        term[k] = run->cohort.covariate[k].name;
    gp_fixed_effects_header(&text, err);
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++)
        gp_fixed_effects_print(&text, run->trait[t], term, run->effect + t * (1 + c), 1 + c, err);
    if (err->code == GP_OK && gp_text_print(&path, err, "%s/model.tsv", run->o->out) == GP_OK)
        gp_io_write_file(path.bytes, text.bytes, text.length, err);
    free(term);
    gp_text_free(&text);
    gp_text_free(&path);
    return err->code;
}

/* ---- together ---- */

/* Why the matrix's variants are not those chosen here; NULL where they are. */
static const char *unlike(const effects *e) {
    const gp_blup_run *run = e->run;
    const gp_grm_about *about = gp_grm_about_of(run->kinship.grm);
    if (strcmp(about->store_digest, gp_store_digest(run->store)) != 0)
        return "it was not made from this store";
    if (about->n != gp_cohort_kept(&run->cohort))
        return "it has other samples than are kept here";
    if (e->variants.total != 0 && about->variants != e->variants.total)
        return "it was made from other variants than are chosen here (give the filters it was made "
               "with)";
    return NULL;
}

static int give_up(const effects *e, const char *why) {
    gp_say(e->run->job->sink, GP_WARN,
           "%s: no effects of variants, and no model to predict with: %s",
           gp_grm_path(e->run->kinship.grm), why);
    return GP_OK;
}

static int find_variants(effects *e, gp_err *err) {
    gp_blup_run *run = e->run;
    const gp_kinship_plan plan = {.centred = e->centred,
                                  .store = run->store,
                                  .cohort = &run->cohort,
                                  .selection = &run->selection};
    memset(run->selection.sum, 0, sizeof run->selection.sum);
    return gp_kinship_variants_init(run->job, &plan, &e->variants, err);
}

static int make(effects *e, gp_err *err) {
    gp_blup_run *run = e->run;
    gp_whole_pass_init(&e->whole, run->job, run->store, &run->selection, e->variants.count, err);
    if (err->code == GP_OK)
        make_room(e, err);
    if (gp_par_agree(run->job->par, err) != GP_OK || open_part(e, err) != GP_OK ||
        gp_pass_walk(&e->whole.pass, visit, e, err) != GP_OK || join_parts(e, err) != GP_OK)
        return err->code;
    if (gp_par_rank(run->job->par) == 0)
        write_fixed(run, err);
    gp_say(run->job->sink, GP_NOTE, "%s: effects of %lld variants on %lld traits", e->path.bytes,
           (long long)e->variants.total, (long long)run->traits);
    return gp_par_agree(run->job->par, err);
}

int gp_blup_effects(gp_blup_run *run, gp_err *err) {
    effects e = {.run = run};
    const char *form = gp_grm_about_of(run->kinship.grm)->form, *why;
    e.centred = strcmp(form, "centred") == 0;
    why = !e.centred && strcmp(form, "standardised") != 0 ? "it does not say how it was made"
                                                          : unlike(&e);
    if (why == NULL && find_variants(&e, err) == GP_OK)
        why = unlike(&e);
    if (why != NULL)
        give_up(&e, why);
    else if (err->code == GP_OK)
        make(&e, err);
    effects_free(&e);
    return err->code;
}
