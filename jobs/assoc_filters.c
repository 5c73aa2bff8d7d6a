#include "jobs/assoc_filters.h"
#include "io/file.h"
#include "src/base/text.h"

#include <string.h>
#include <unistd.h>

#define NAME "filters.tsv"
#define UNFINISHED ".filters.tsv.tmp"

static int add(gp_text *text, const char *what, const char *more, int64_t count, gp_err *err) {
    return gp_text_print(text, err, "%s%s\t%lld\n", what, more, (long long)count);
}

/* Samples: each is counted once, at the first reason. */
static void add_samples(const gp_assoc_filters *f, gp_text *text, gp_err *err) {
    const gp_cohort *c = f->cohort;
    int64_t incomplete = 0, kept = 0;
    for (int64_t i = 0; i < c->samples.n; i++) {
        incomplete += c->kept[i] && !c->complete[i];
        kept += c->kept[i] && c->complete[i];
    }
    add(text, "samples in the store", "", c->samples.n, err);
    add(text, "samples left out by --keep", "", c->not_listed, err);
    add(text, "samples left out by --remove", "", c->removed, err);
    add(text, "samples left out by --mind", "", f->mind, err);
    add(text, "samples left out: ", "a covariate is missing", incomplete, err);
    add(text, "samples kept", "", kept, err);
}

static void add_variants(const gp_assoc_filters *f, const int64_t *sum, gp_text *text,
                         gp_err *err) {
    int64_t all = gp_store_variant_count(f->store), chosen = 0;
    for (int64_t k = 0; k < f->selection->chromosomes; k++)
        chosen += f->selection->count[k];
    add(text, "variants in the store", "", all, err);
    add(text, "variants left out by --chr", "", all - chosen, err);
    for (int r = 0; r < GP_REASONS; r++)
        if (r != GP_KEPT)
            add(text, "variants left out: ", gp_selection_reason(r), sum[r], err);
    add(text, "variants tested", "", sum[GP_KEPT], err);
}

int gp_assoc_filters_write(gp_job *job, const gp_assoc_filters *f, gp_err *err) {
    int64_t sum[GP_REASONS];
    gp_text text = {0}, path = {0};
    memcpy(sum, f->selection->sum, sizeof sum);
    gp_par_sum(job->par, sum, GP_REASONS, err);
    /* Every shard of a group counted the group's variants. */
    for (int r = 0; r < GP_REASONS; r++)
        sum[r] /= gp_par_shards(job->par);
    if (gp_par_rank(job->par) == 0 && err->code == GP_OK) {
        gp_text_print(&text, err, "what\tcount\n");
        add_samples(f, &text, err);
        add_variants(f, sum, &text, err);
        if (gp_text_print(&path, err, "%s/" UNFINISHED, f->out) == GP_OK &&
            gp_io_fill_file(path.bytes, text.bytes, text.length, err) == GP_OK)
            gp_io_sync(path.bytes, err);
    }
    gp_text_free(&text);
    gp_text_free(&path);
    return gp_par_agree(job->par, err);
}

int gp_assoc_filters_finish(gp_job *job, const gp_assoc_filters *f, int keep, gp_err *err) {
    gp_text from = {0}, to = {0};
    gp_err mine = {0};
    if (gp_par_rank(job->par) == 0 &&
        gp_text_print(&from, &mine, "%s/" UNFINISHED, f->out) == GP_OK &&
        gp_text_print(&to, &mine, "%s/" NAME, f->out) == GP_OK && keep)
        gp_io_commit(from.bytes, to.bytes, &mine);
    if (from.bytes != NULL && (!keep || mine.code != GP_OK))
        unlink(from.bytes);
    gp_text_free(&from);
    gp_text_free(&to);
    if (mine.code != GP_OK)
        gp_err_set(err, mine.code, "%s", mine.text);
    return gp_par_agree(job->par, err);
}
