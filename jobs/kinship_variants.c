#include "jobs/kinship_variants.h"
#include "jobs/job.h"
#include "jobs/whole_pass.h"
#include "src/base/mem.h"
#include "src/geno/gram.h"

#include <stdlib.h>
#include <string.h>

enum {
    COUNTS = 8 /* integers of gp_selection_count */
};

/* The looking, under way. */
typedef struct look {
    gp_job *job;
    const gp_kinship_plan *plan;
    gp_kinship_variants *v;
    gp_whole_pass whole;
    int64_t *counts; /* [GP_WHOLE_PASS_BATCH x COUNTS + 1] */
} look;

/* Judges a variant by the calls of the kept samples. */
static void note(look *l, int64_t chromosome, int64_t variant, const char *id,
                 const int64_t *counts) {
    gp_kinship_variants *v = l->v;
    int reason = gp_selection_judge(l->plan->selection, GP_AUTOSOME, id, counts);
    v->sum[reason]++;
    if (reason != GP_KEPT)
        return;
    int64_t called = counts[0] + counts[1] + counts[2];
    if (counts[0] == called || counts[1] == called || counts[2] == called)
        v->constant++;
    else
        v->calls[v->first[chromosome] + variant] = (counts[1] + 2 * counts[2]) << 31 | called;
}

/* ---- where all samples are kept ---- */

static int look_at_run(look *l, const gp_run *run, gp_counts *stored, gp_variants *variants,
                       gp_err *err) {
    const gp_selection *selection = l->plan->selection;
    int lists = selection->has_extract || selection->exclude.count > 0;
    if (gp_store_read_counts(l->plan->store, run->chromosome, run->first, run->count, stored,
                             err) != GP_OK)
        return err->code;
    if (lists && gp_store_read_variants(l->plan->store, run->chromosome, run->first, run->count,
                                        variants, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < run->count; j++) {
        int64_t counts[COUNTS] = {0};
        memcpy(counts, stored[j].call, sizeof stored[j].call);
        note(l, run->chromosome, run->first + j, lists ? variants->id[j] : "", counts);
    }
    return GP_OK;
}

static int look_at_counts(look *l, gp_err *err) {
    int part = gp_par_shard(l->job->par) == 0 ? gp_par_group(l->job->par) : -1;
    gp_counts *stored = gp_mem_alloc(GP_WHOLE_PASS_BATCH, sizeof *stored, err);
    gp_variants variants = {0};
    gp_run run;
    int64_t at = part >= 0 ? l->whole.plan.begin[part] : 0;
    while (part >= 0 && err->code == GP_OK && gp_job_check_signals(err) == GP_OK &&
           gp_plan_next(&l->whole.plan, part, GP_WHOLE_PASS_BATCH, &at, &run))
        look_at_run(l, &run, stored, &variants, err);
    gp_variants_free(&variants);
    free(stored);
    return gp_par_agree(l->job->par, err);
}

/* ---- where some are not ---- */

static int visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    look *l = context;
    int64_t integers = run->count * COUNTS;
    if (batch != NULL && batch->has_calls)
        gp_selection_count(l->plan->selection, GP_AUTOSOME, &batch->calls, l->counts);
    else
        memset(l->counts, 0, (size_t)integers * sizeof *l->counts);
    if (gp_pass_sum(l->job, l->counts, integers, err) < 0)
        return -1;
    for (int64_t j = 0; gp_par_shard(l->job->par) == 0 && j < run->count; j++)
        note(l, run->chromosome, run->first + j, batch->variants.id[j], l->counts + j * COUNTS);
    return GP_OK;
}

static int look_at_genotypes(look *l, gp_err *err) {
    const gp_pass *pass = &l->whole.pass;
    gp_selection_masks(l->plan->selection, l->plan->cohort, pass->first, pass->samples, err);
    l->counts = gp_mem_alloc(GP_WHOLE_PASS_BATCH * COUNTS + 1, sizeof *l->counts, err);
    if (gp_par_agree(l->job->par, err) != GP_OK)
        return err->code;
    gp_say(l->job->sink, GP_NOTE, "relationship matrix: counting the kept samples' calls");
    return gp_pass_walk(pass, visit, l, err);
}

/* ---- together ---- */

static int prepare(look *l, gp_err *err) {
    gp_kinship_variants *v = l->v;
    const gp_selection *selection = l->plan->selection;
    v->chromosomes = selection->chromosomes;
    v->count = gp_mem_alloc(v->chromosomes, sizeof *v->count, err);
    v->first = gp_mem_alloc(v->chromosomes + 1, sizeof *v->first, err);
    v->counting = gp_mem_alloc(v->chromosomes, sizeof *v->counting, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t k = 0; k < v->chromosomes; k++) {
        if (gp_store_chromosome(l->plan->store, k)->kind == GP_AUTOSOME)
            v->count[k] = selection->count[k];
        else
            v->elsewhere += selection->count[k];
        v->first[k + 1] = v->first[k] + v->count[k];
    }
    v->calls = gp_mem_alloc(v->first[v->chromosomes], sizeof *v->calls, err);
    return gp_whole_pass_init(&l->whole, l->job, l->plan->store, selection, v->count, err);
}

static void total(gp_kinship_variants *v) {
    for (int64_t k = 0; k < v->chromosomes; k++) {
        for (int64_t j = v->first[k]; j < v->first[k + 1]; j++) {
            if (v->calls[j] == 0)
                continue;
            double w = gp_gram_weight(gp_kinship_mean(v->calls[j]));
            v->counting[k]++;
            v->most_weight = w > v->most_weight ? w : v->most_weight;
        }
        v->total += v->counting[k];
    }
}

static int none_counts(const gp_kinship_plan *plan, const gp_kinship_variants *v, gp_err *err) {
    gp_text why = {0};
    if (v->elsewhere > 0)
        gp_text_print(&why, err, "; %lld are not on autosomes", (long long)v->elsewhere);
    for (int r = 1; r < GP_REASONS; r++)
        if (v->sum[r] > 0)
            gp_text_print(&why, err, "; %lld left out: %s", (long long)v->sum[r],
                          gp_selection_reason(r));
    if (v->constant > 0)
        gp_text_print(&why, err, "; %lld are the same in all samples kept", (long long)v->constant);
    gp_err_set(err, GP_EINPUT, "%s: no variant is left for a relationship matrix%s",
               gp_store_path(plan->store),
               why.bytes ? why.bytes : "; the chromosomes chosen have none");
    gp_text_free(&why);
    return err->code;
}

static void say(const gp_job *job, const gp_kinship_variants *v) {
    if (v->elsewhere > 0)
        gp_say(job->sink, GP_NOTE, "%lld variants left out: not on an autosome",
               (long long)v->elsewhere);
    for (int r = 1; r < GP_REASONS; r++)
        if (v->sum[r] > 0)
            gp_say(job->sink, GP_NOTE, "%lld variants left out: %s", (long long)v->sum[r],
                   gp_selection_reason(r));
    if (v->constant > 0)
        gp_say(job->sink, GP_NOTE, "%lld variants left out: the same in all samples kept",
               (long long)v->constant);
}

int gp_kinship_variants_init(gp_job *job, const gp_kinship_plan *plan, gp_kinship_variants *v,
                             gp_err *err) {
    look l = {.job = job, .plan = plan, .v = v};
    prepare(&l, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    if (gp_cohort_kept(plan->cohort) == plan->cohort->samples.n)
        look_at_counts(&l, err);
    else
        look_at_genotypes(&l, err);
    if (err->code != GP_OK)
        goto done;
    gp_par_sum(job->par, v->calls, v->first[v->chromosomes], err);
    gp_par_sum(job->par, v->sum, GP_REASONS, err);
    gp_par_sum(job->par, &v->constant, 1, err);
    total(v);
    if (v->total == 0)
        none_counts(plan, v, err);
    else
        say(job, v);
done:
    gp_whole_pass_free(&l.whole);
    free(l.counts);
    return gp_par_agree(job->par, err);
}

void gp_kinship_variants_free(gp_kinship_variants *v) {
    free(v->count);
    free(v->first);
    free(v->counting);
    free(v->calls);
    *v = (gp_kinship_variants){0};
}
