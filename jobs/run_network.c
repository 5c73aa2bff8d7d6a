/* The steps of one trait: its network, and what that says of the variants. */
#include "io/file.h"
#include "jobs/directory.h"
#include "jobs/run_step.h"

#include <string.h>

extern const gp_command gp_command_train, gp_command_explain;

const char gp_run_hide[] = "0.1";

const char *const gp_run_own[] = {"pheno-name", "covar", "covar-name", "out",     "offset",
                                  "model",      "pca",   "restart",    "dry-run", NULL};

void gp_run_model_path(const gp_run_trait *trait, const char *name, gp_text *path, gp_err *err) {
    path->length = 0;
    gp_text_print(path, err, "model/%s%s", trait->file, name);
}

/* Where the last run's network waits: no trait's directory begins with a dot. */
static void before_path(const gp_run_trait *trait, gp_text *path, gp_err *err) {
    path->length = 0;
    gp_text_print(path, err, "model/.before.%s", trait->file);
}

/* Puts the last run's network aside, to start from. Collective.
 *    found  out  1: there is one */
static int put_aside(gp_run *run, const gp_run_step *s, int *found, gp_err *err) {
    gp_text name = {0}, from = {0}, to = {0};
    int64_t there = 0;
    if (gp_par_rank(run->job->par) == 0) {
        gp_run_model_path(s->trait, "", &name, err);
        gp_run_path(run, name.bytes, &from, err);
        before_path(s->trait, &name, err);
        gp_run_path(run, name.bytes, &to, err);
        int last = err->code == GP_OK && s->fresh && !s->altered &&
                   gp_directory_has(from.bytes, "checkpoint/finished");
        if (last && !gp_directory_has(from.bytes, "folds"))
            gp_say(run->job->sink, GP_NOTE,
                   "trait %s: the last run kept no networks of folds to train on from; starts "
                   "cold. They are kept from now on",
                   s->trait->name);
        else if (last) {
            gp_directory_remove(to.bytes, err);
            gp_io_rename(from.bytes, to.bytes, err);
        }
        there = err->code == GP_OK && gp_directory_has(to.bytes, "model.safetensors");
    }
    gp_text_free(&name);
    gp_text_free(&from);
    gp_text_free(&to);
    if (gp_par_agree(run->job->par, err) == GP_OK)
        gp_par_sum(run->job->par, &there, 1, err);
    *found = there != 0;
    return err->code;
}

static int call_train(gp_run *run, gp_run_step *s, int warm, gp_err *err) {
    gp_text arguments = {0}, path = {0};
    gp_run_forward(s->command, gp_run_own, &arguments, err);
    gp_run_argument(&arguments, err, "pheno-name", s->trait->name);
    gp_run_argument_covariates(run, &arguments, 1, err);
    gp_run_argument(&arguments, err, "chromosome-dropout", gp_run_hide);
    gp_run_argument(&arguments, err, "offsets", NULL);
    if (gp_run_flag("warm-start"))
        gp_run_argument(&arguments, err, "keep-folds", NULL);
    before_path(s->trait, &path, err);
    if (warm)
        gp_run_argument_path(run, &arguments, "warm-start", path.bytes, err);
    if (s->fresh)
        gp_run_argument(&arguments, err, "restart", NULL);
    gp_run_model_path(s->trait, "", &path, err);
    gp_run_argument_path(run, &arguments, "out", path.bytes, err);
    gp_run_do(run, s, 1, &arguments, err);
    gp_text_free(&path);
    gp_text_free(&arguments);
    return err->code;
}

/* On rank 0. */
static void drop_before(const gp_run *run, const gp_run_step *s) {
    gp_text path = {0}, whole = {0};
    gp_err ignored = {0};
    before_path(s->trait, &path, &ignored);
    if (gp_par_rank(run->job->par) == 0 && gp_run_path(run, path.bytes, &whole, &ignored) == GP_OK)
        gp_directory_remove(whole.bytes, &ignored);
    gp_text_free(&path);
    gp_text_free(&whole);
}

static int train(gp_run *run, gp_run_step *s, gp_err *err) {
    int warm = 0;
    if (gp_run_flag("warm-start") && put_aside(run, s, &warm, err) != GP_OK)
        return err->code;
    call_train(run, s, warm, err);
    if (warm && err->code == GP_EINPUT) {
        gp_say(run->job->sink, GP_WARN, "trait %s: %s; its training starts cold", s->trait->name,
               err->text);
        *err = (gp_err){0};
        s->fresh = 1;
        drop_before(run, s);
        call_train(run, s, 0, err);
    }
    if (err->code == GP_OK)
        drop_before(run, s);
    return err->code;
}

/* A training that was begun with networks kept, or without, goes on only likewise. Collective. */
static int check_begun(gp_run *run, gp_run_step *s, gp_err *err) {
    int64_t fresh = 0;
    if (gp_par_rank(run->job->par) == 0 && !s->fresh) {
        const gp_manifest_step *was = gp_manifest_find(&run->manifest, s->name.bytes);
        int kept = was != NULL && strstr(was->command, " --keep-folds") != NULL;
        fresh = kept != gp_run_flag("warm-start");
    }
    if (gp_par_max(run->job->par, &fresh, 1, err) == GP_OK)
        s->fresh |= fresh != 0;
    return err->code;
}

int gp_run_network(gp_run *run, gp_run_trait *trait, gp_err *err) {
    static const char *const names[] = {"config.json",
                                        "model.safetensors",
                                        "variants.tsv.gz",
                                        "training.tsv",
                                        "metrics.tsv",
                                        "predictions.tsv",
                                        "heritability.tsv",
                                        "offsets.ridge.tsv.gz",
                                        "offsets.transformer.tsv.gz",
                                        "tensorboard/events.out.tfevents.0.gp-dist",
                                        NULL};
    gp_text directory = {0};
    gp_run_step s;
    gp_run_step_begin(&s, &gp_command_train, trait, err);
    gp_run_model_path(trait, "", &directory, err);
    gp_text_print(&s.basis, err, "people %s\ncovariates %s\ntrait %s\n", run->people, run->terms,
                  trait->data);
    s.directory = directory.bytes;
    if (run->components > 0)
        gp_run_depends(run, &s, "pca", NULL, err);
    gp_run_outputs(&s, err, directory.bytes, names, "");
    if (gp_run_judge(run, &s, err) == GP_OK && s.stale) {
        if (check_begun(run, &s, err) == GP_OK)
            train(run, &s, err);
    }
    gp_text_free(&directory);
    gp_run_step_free(&s);
    return err->code;
}

int gp_run_attribution(gp_run *run, gp_run_trait *trait, gp_err *err) {
    static const char *const names[] = {"", ".tbi", ".csi", NULL};
    gp_text arguments = {0}, path = {0};
    gp_run_step s;
    gp_run_step_begin(&s, &gp_command_explain, trait, err);
    gp_run_model_path(trait, "", &path, err);
    gp_run_depends(run, &s, "train", trait, err);
    gp_run_outputs(&s, err, path.bytes, names, "attribution.tsv.gz");
    if (gp_run_judge(run, &s, err) == GP_OK && s.stale) {
        gp_run_forward(s.command, gp_run_own, &arguments, err);
        gp_run_argument_covariates(run, &arguments, 0, err);
        gp_run_argument_path(run, &arguments, "model", path.bytes, err);
        gp_run_model_path(trait, "/attribution.tsv.gz", &path, err);
        gp_run_argument_path(run, &arguments, "out", path.bytes, err);
        gp_run_do(run, &s, 1, &arguments, err);
    }
    gp_text_free(&path);
    gp_text_free(&arguments);
    gp_run_step_free(&s);
    return err->code;
}
