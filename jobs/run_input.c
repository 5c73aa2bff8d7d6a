/* What a run is made from, and the digests that tell whether it has changed. */
#include "io/file.h"
#include "io/md5.h"
#include "jobs/input.h"
#include "jobs/job.h"
#include "jobs/run.h"
#include "jobs/traits.h"
#include "src/base/mem.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LEAST = 50,      /* samples of a network */
    LEAST_CLASS = 10 /* cases, and controls, of a binary trait's tests */
};

int gp_run_path(const gp_run *run, const char *name, gp_text *path, gp_err *err) {
    path->length = 0;
    return gp_text_print(path, err, "%s/%s", run->out, name);
}

/* ---- digests, on rank 0 ---- */

static void add_word(gp_io_md5 *md5, const char *s) {
    gp_io_md5_add(md5, s != NULL ? s : "", s != NULL ? (int64_t)strlen(s) + 1 : 1);
}

static void add_ids(gp_io_md5 *md5, const gp_ids *ids) {
    for (int64_t k = 0; k < ids->count; k++)
        add_word(md5, gp_ids_get(ids, k));
    add_word(md5, "");
}

static int take_digests(gp_run *run, gp_err *err) {
    const gp_cohort *c = &run->cohort;
    const gp_selection *s = &run->selection;
    int64_t n = c->samples.n, column = n * (int64_t)sizeof(double);
    gp_io_md5 *md5 = gp_io_md5_new(err);
    if (md5 == NULL)
        return err->code;
    add_word(md5, gp_store_digest(run->store));
    gp_io_md5_add(md5, c->kept, n);
    gp_io_md5_add(md5, s->count, s->chromosomes * (int64_t)sizeof *s->count);
    add_word(md5, s->has_extract ? "extract" : "");
    add_ids(md5, &s->extract);
    add_ids(md5, &s->exclude);
    gp_io_md5_take(md5, run->people);
    for (int64_t k = 0; k < c->covariates; k++) {
        add_word(md5, c->covariate[k].name);
        gp_io_md5_add(md5, c->covariate[k].value, column);
    }
    gp_io_md5_take(md5, run->terms);
    for (int64_t t = 0; t < run->traits; t++) {
        const gp_trait *trait = &c->trait[run->trait[t].number];
        add_word(md5, trait->name);
        add_word(md5, trait->binary ? "binary" : "quantitative");
        gp_io_md5_add(md5, trait->value, column);
        gp_io_md5_take(md5, run->trait[t].data);
    }
    gp_io_md5_free(md5);
    return err->code;
}

/* ---- traits ---- */

/* Why a trait is left out, as the regression would leave it out, or NULL. */
static const char *why_not(const gp_trait *trait, int constant, int64_t cases, int64_t controls) {
    const char *model = gp_run_text("model");
    int logistic = model == NULL ? trait->binary : strcmp(model, "logistic") == 0;
    return constant                             ? "it has one value only"
           : logistic && !trait->binary         ? "it is not binary, and --model logistic was said"
           : logistic && cases < LEAST_CLASS    ? "it has fewer than 10 cases"
           : logistic && controls < LEAST_CLASS ? "it has fewer than 10 controls"
                                                : NULL;
}

/* Whether a trait is tested, and a network trained on it. */
static int judge(gp_run *run, gp_run_trait *trait, gp_err *err) {
    const gp_trait *t = &run->cohort.trait[trait->number];
    double low = INFINITY, high = -INFINITY;
    int64_t used = 0, class[2] = {0, 0};
    for (int64_t i = 0; i < run->cohort.samples.n; i++) {
        if (!gp_trait_uses(&run->cohort, t, i))
            continue;
        used++;
        low = fmin(low, t->value[i]);
        high = fmax(high, t->value[i]);
        class[0] += t->value[i] == 0.0;
        class[1] += t->value[i] == 1.0;
    }
    const char *why = why_not(t, !(low < high), class[1], class[0]);
    trait->skipped = why != NULL;
    trait->network = why == NULL && used >= LEAST && run->autosomes > 0 &&
                     (!t->binary || (class[0] >= LEAST_CLASS && class[1] >= LEAST_CLASS));
    if (why != NULL)
        gp_text_print(&run->notes, err, "trait '%s' is skipped: %s\n", t->name, why);
    else if (!trait->network && run->autosomes > 0)
        gp_text_print(&run->notes, err,
                      "trait '%s': too few samples, cases or controls for a network; it is tested "
                      "without predictions\n",
                      t->name);
    if (strchr(t->name, ',') != NULL)
        gp_err_set(err, GP_EINPUT,
                   "%s: trait '%s': its name stands in lists of traits, which have commas between; "
                   "give it one without",
                   gp_run_text("pheno"), t->name);
    return err->code;
}

/* Networks and components know autosomes alone. */
static void count_autosomes(gp_run *run, gp_err *err) {
    for (int64_t k = 0; k < run->selection.chromosomes; k++)
        run->autosomes +=
            run->selection.count[k] > 0 && gp_store_chromosome(run->store, k)->kind == GP_AUTOSOME;
    if (run->autosomes > 0)
        return;
    run->components = 0;
    gp_text_print(&run->notes, err,
                  "no variant of an autosome is chosen: there are no components and no networks\n");
}

static int list_traits(gp_run *run, gp_err *err) {
    const gp_cohort *c = &run->cohort;
    run->trait = gp_mem_alloc(c->traits, sizeof *run->trait, err);
    for (int64_t t = 0; t < c->traits && err->code == GP_OK; t++) {
        gp_text file = {0};
        gp_run_trait trait = {.name = c->trait[t].name, .number = t};
        if (c->trait[t].skipped != NULL) {
            gp_text_print(&run->notes, err, "trait '%s' is skipped: %s\n", trait.name,
                          c->trait[t].skipped);
            continue;
        }
        if (judge(run, &trait, err) != GP_OK || trait.skipped)
            continue;
        if (gp_io_safe_name(&file, trait.name, err) != GP_OK) {
            gp_text_free(&file);
            break;
        }
        trait.file = file.bytes;
        run->trait[run->traits++] = trait;
    }
    if (run->traits == 0 && err->code == GP_OK)
        gp_err_set(err, GP_EINPUT, "%s: no trait is left to be tested: %.*s", gp_run_text("pheno"),
                   (int)strcspn(run->notes.bytes != NULL ? run->notes.bytes : "", "\n"),
                   run->notes.bytes != NULL ? run->notes.bytes : "all are without values");
    return err->code;
}

/* The tables of covariates, once components are there. */
static int list_covariates(gp_run *run, gp_err *err) {
    const char *own = gp_run_text("covar");
    char name[32];
    for (int64_t k = 0; k < run->cohort.covariates; k++)
        for (int64_t c = 1; c <= run->components; c++) {
            snprintf(name, sizeof name, "PC%lld", (long long)c);
            if (strcmp(run->cohort.covariate[k].name, name) == 0)
                return gp_err_set(err, GP_EINPUT,
                                  "%s: column '%s' has the name of a component that run makes; say "
                                  "--pca 0 to use your own, or --covar-name to leave them out",
                                  own, name);
        }
    if (own != NULL)
        gp_text_print(&run->covariates, err, "%s", own);
    if (run->components > 0)
        gp_text_print(&run->covariates, err, "%s%s/pca/pca.eigenvec", own != NULL ? "," : "",
                      run->out);
    return err->code;
}

/* Files that steps will read are there, on rank 0. */
static int look_at_file(void *context, const gp_option *option, const char *value, int file,
                        gp_err *err) {
    int64_t size;
    (void)context;
    if (file && strchr(option->argument, ',') == NULL && access(value, R_OK) != 0)
        gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s (--%s)", value, strerror(errno),
                   option->name);
    else if (strcmp(option->name, "compare") == 0) {
        gp_text path = {0};
        if (gp_text_print(&path, err, "%s/manifest.json", value) == GP_OK)
            gp_io_file_size(path.bytes, &size, err);
        gp_text_free(&path);
    }
    return err->code;
}

int gp_run_load(gp_run *run, gp_err *err) {
    const gp_cohort_options people = {.pheno = gp_run_text("pheno"),
                                      .pheno_name = gp_run_text("pheno-name"),
                                      .covar = gp_run_text("covar"),
                                      .covar_name = gp_run_text("covar-name"),
                                      .cat_covar_name = gp_run_text("cat-covar-name"),
                                      .missing_code = gp_run_text("missing-code"),
                                      .keep = gp_run_text("keep"),
                                      .remove = gp_run_text("remove"),
                                      .cc12 = gp_run_flag("cc12")};
    const gp_selection_options variants = {.chr = gp_run_text("chr"),
                                           .extract = gp_run_text("extract"),
                                           .exclude = gp_run_text("exclude"),
                                           .filter = {NAN, NAN, NAN, NAN}};
    /* What there is to say the steps will say. */
    gp_job silent = *run->job;
    silent.sink = NULL;
    const gp_input input = {.path = gp_run_text("store"),
                            .out = run->out,
                            .cohort_options = &people,
                            .selection_options = &variants,
                            .store = &run->store,
                            .cohort = &run->cohort,
                            .selection = &run->selection};
    run->components = gp_run_whole("pca", 10);
    if (gp_par_rank(run->job->par) == 0)
        gp_run_options_each(look_at_file, NULL, err);
    if (gp_par_agree(run->job->par, err) != GP_OK)
        return err->code;
    if (gp_input_load(&silent, &input, err) != GP_OK)
        return err->code;
    count_autosomes(run, err);
    if (list_traits(run, err) == GP_OK && list_covariates(run, err) == GP_OK &&
        gp_par_rank(run->job->par) == 0)
        take_digests(run, err);
    return gp_par_agree(run->job->par, err);
}

void gp_run_unload(gp_run *run) {
    for (int64_t t = 0; t < run->traits; t++)
        free(run->trait[t].file);
    free(run->trait);
    gp_text_free(&run->covariates);
    gp_text_free(&run->notes);
    gp_manifest_free(&run->manifest);
    gp_selection_free(&run->selection);
    gp_cohort_free(&run->cohort);
    gp_store_close(run->store);
}
