/* A step of the pipeline: what it depends on, whether it is to be done, and doing it. */
#include "jobs/run_step.h"
#include "io/file.h"
#include "io/md5.h"
#include "jobs/directory.h"

#include <string.h>

extern const gp_command gp_command_assoc;

void gp_run_step_free(gp_run_step *s) {
    gp_text_free(&s->name);
    gp_text_free(&s->basis);
    gp_text_free(&s->outputs);
}

int gp_run_step_name(gp_text *name, gp_err *err, const char *command, const gp_run_trait *trait) {
    return trait != NULL ? gp_text_print(name, err, "%s %s", command, trait->name)
                         : gp_text_print(name, err, "%s", command);
}

void gp_run_step_begin(gp_run_step *s, const gp_command *command, const gp_run_trait *trait,
                       gp_err *err) {
    *s = (gp_run_step){.command = command, .trait = trait};
    gp_run_step_name(&s->name, err, command->name, trait);
}

/* ---- what a step depends on, on rank 0 ---- */

/* What the digests of samples and traits hold is not looked at again. */
static int is_digested(const char *name) {
    static const char *const names[] = {
        "store",   "pheno",   "pheno-name", "covar", "covar-name",   "keep",          "remove",
        "extract", "exclude", "chr",        "cc12",  "missing-code", "cat-covar-name"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(names[k], name) == 0)
            return 1;
    return 0;
}

static int add_option(void *context, const gp_option *option, const char *value, int file,
                      gp_err *err) {
    gp_run_step *s = context;
    char md5[33] = "";
    if (!gp_run_knows(s->command, option->name) || !gp_run_matters(option->name) ||
        is_digested(option->name) || strcmp(option->name, "offset") == 0)
        return err->code;
    if (file && gp_io_md5_file(value, md5, err) != GP_OK)
        return err->code;
    return gp_text_print(&s->basis, err, "--%s %s\n", option->name, file ? md5 : value);
}

static int take_digest(gp_run_step *s, gp_err *err) {
    gp_io_md5 *md5 = gp_io_md5_new(err);
    gp_text_print(&s->basis, err, "gp-dist %s %s\n", gp_version, s->command->name);
    gp_run_options_each(add_option, s, err);
    if (err->code == GP_OK) {
        gp_io_md5_add(md5, s->basis.bytes, s->basis.length);
        gp_io_md5_take(md5, s->digest);
    }
    gp_io_md5_free(md5);
    return err->code;
}

/* What is made from a step's results depends on the files themselves: a network that was trained on
 * from another one is not known by its input alone. */
void gp_run_depends(const gp_run *run, gp_run_step *s, const char *command,
                    const gp_run_trait *trait, gp_err *err) {
    gp_text name = {0};
    gp_run_step_name(&name, err, command, trait);
    const gp_manifest_step *other =
        err->code == GP_OK ? gp_manifest_find(&run->manifest, name.bytes) : NULL;
    gp_text_print(&s->basis, err, "%s %s\n", command,
                  other != NULL && other->finished ? other->digest : "none");
    for (int64_t k = 0; other != NULL && k < other->outputs; k++)
        gp_text_print(&s->basis, err, "%s %s\n", other->output[k].path, other->output[k].md5);
    gp_text_free(&name);
}

static void look(gp_run *run, gp_run_step *s, gp_err *err) {
    gp_manifest_step *was = gp_manifest_find(&run->manifest, s->name.bytes);
    const char *altered;
    int gone = 0;
    s->stale = s->fresh = 1;
    if (was == NULL || strcmp(was->digest, s->digest) != 0)
        return;
    if (!was->finished) {
        s->fresh = 0;
        return;
    }
    altered = gp_manifest_altered(was, run->out, &gone, err);
    s->stale = s->altered = altered != NULL;
    if (altered != NULL)
        gp_say(run->job->sink, GP_WARN, "%s/%s was %s since it was made; '%s' is done again",
               run->out, altered, gone ? "removed" : "changed", s->name.bytes);
}

/* ---- doing ---- */

int gp_run_argument(gp_text *arguments, gp_err *err, const char *name, const char *value) {
    gp_text_print(arguments, err, value != NULL ? "--%s=%s" : "--%s", name, value);
    return gp_text_add(arguments, "", 1, err);
}

int gp_run_argument_path(const gp_run *run, gp_text *arguments, const char *name, const char *path,
                         gp_err *err) {
    gp_text whole = {0};
    if (gp_run_path(run, path, &whole, err) == GP_OK)
        gp_run_argument(arguments, err, name, whole.bytes);
    gp_text_free(&whole);
    return err->code;
}

/* The user's covariates, and the components behind them. */
int gp_run_argument_covariates(const gp_run *run, gp_text *arguments, int names, gp_err *err) {
    const char *chosen = gp_run_text("covar-name");
    gp_text list = {0};
    if (run->covariates.length > 0)
        gp_run_argument(arguments, err, "covar", run->covariates.bytes);
    if (names && chosen != NULL) {
        gp_text_print(&list, err, "%s", chosen);
        for (int64_t k = 0; k < run->components; k++)
            gp_text_print(&list, err, ",PC%lld", (long long)k + 1);
        if (err->code == GP_OK)
            gp_run_argument(arguments, err, "covar-name", list.bytes);
    }
    gp_text_free(&list);
    return err->code;
}

/* Marks steps as begun, on rank 0: what is half there is known to be from them. */
static int mark(gp_run *run, gp_run_step *steps, int64_t count, const gp_text *arguments,
                gp_err *err) {
    gp_text words = {0};
    if (gp_par_rank(run->job->par) == 0 && err->code == GP_OK) {
        gp_run_words(steps[0].command, arguments, &words, err);
        for (int64_t k = 0; k < count && err->code == GP_OK; k++)
            if (steps[k].stale)
                gp_manifest_begin(&run->manifest, steps[k].name.bytes, words.bytes, steps[k].digest,
                                  err);
        if (err->code == GP_OK)
            gp_manifest_write(&run->manifest, run->out, err);
        if (err->code == GP_OK)
            gp_say(run->job->sink, GP_NOTE, "== %s", words.bytes);
    }
    gp_text_free(&words);
    return gp_par_agree(run->job->par, err);
}

/* The options of the regression's plan. */
int gp_run_plan_arguments(gp_text *arguments, gp_err *err) {
    static const char *const but[] = {"out", "offset", "pca", "restart", "dry-run", NULL};
    gp_run_forward(&gp_command_assoc, but, arguments, err);
    return gp_run_argument(arguments, err, "dry-run", NULL);
}

/* Before anything is done: looks at what the regression, the last of the long steps, would refuse,
 * and writes its plan to the log. */
int gp_run_look_ahead(gp_run *run, gp_err *err) {
    gp_text arguments = {0}, answer = {0};
    if (run->planned)
        return GP_OK;
    run->planned = 1;
    gp_run_plan_arguments(&arguments, err);
    gp_run_ask(run->job, &gp_command_assoc, &arguments, &answer, err);
    if (err->code == GP_OK)
        gp_run_say(run, GP_NOTE, &answer);
    gp_text_free(&answer);
    gp_text_free(&arguments);
    return err->code;
}

int gp_run_judge(gp_run *run, gp_run_step *s, gp_err *err) {
    int64_t found[3] = {0, 0, 0};
    if (gp_par_rank(run->job->par) == 0 && err->code == GP_OK && take_digest(s, err) == GP_OK)
        look(run, s, err);
    found[0] = s->stale;
    found[1] = s->fresh;
    found[2] = s->altered;
    if (gp_par_agree(run->job->par, err) != GP_OK ||
        gp_par_sum(run->job->par, found, 3, err) != GP_OK)
        return err->code;
    s->stale = found[0] != 0;
    s->fresh = found[1] != 0;
    s->altered = found[2] != 0;
    run->fresh += !s->stale;
    return s->stale ? gp_run_look_ahead(run, err) : GP_OK;
}

/* A stop leaves all that is finished; an error, too. Collective. */
static int stop(const gp_run *run, gp_err *err) {
    int64_t caught = gp_signals_caught();
    if (err->code != GP_ESTOP || gp_par_max(run->job->par, &caught, 1, err) != GP_OK)
        return err->code;
    *err = (gp_err){0};
    return gp_err_set(err, GP_ESTOP,
                      "stopped by signal %lld before the end; what is finished is kept, and the "
                      "same command%s continues",
                      (long long)caught, gp_run_flag("restart") ? " without --restart" : "");
}

/* What is there of a step that begins anew goes first: what is there afterwards is new. On rank
 * 0. */
static int remove_old(const gp_run *run, const gp_run_step *s, gp_err *err) {
    const char *end = s->outputs.bytes + s->outputs.length;
    gp_text path = {0};
    if (s->directory != NULL && gp_run_path(run, s->directory, &path, err) == GP_OK)
        gp_directory_remove(path.bytes, err);
    for (const char *name = s->outputs.bytes; name < end; name += strlen(name) + 1)
        gp_directory_forget(run->out, name);
    gp_text_free(&path);
    return err->code;
}

static int begin(gp_run *run, gp_run_step *steps, int64_t count, const gp_text *arguments,
                 gp_err *err) {
    for (int64_t k = 0; gp_par_rank(run->job->par) == 0 && k < count && err->code == GP_OK; k++)
        if (steps[k].stale && steps[k].fresh)
            remove_old(run, &steps[k], err);
    return mark(run, steps, count, arguments, err);
}

static int finish(gp_run *run, const gp_run_step *steps, int64_t count, double seconds,
                  gp_err *err) {
    for (int64_t k = 0; k < count && err->code == GP_OK; k++)
        if (steps[k].stale) {
            gp_run_keep(run, steps[k].name.bytes, &steps[k].outputs, seconds, err);
            run->done++;
        }
    if (err->code == GP_OK && gp_par_rank(run->job->par) == 0)
        gp_manifest_write(&run->manifest, run->out, err);
    return gp_par_agree(run->job->par, err);
}

int gp_run_do(gp_run *run, gp_run_step *steps, int64_t count, const gp_text *arguments,
              gp_err *err) {
    double started = gp_clock();
    int64_t caught = gp_signals_caught() != 0;
    gp_par_agree(run->job->par, err);
    if (err->code == GP_OK && gp_par_max(run->job->par, &caught, 1, err) == GP_OK && caught)
        gp_err_set(err, GP_ESTOP, "stopped");
    if (err->code != GP_OK || begin(run, steps, count, arguments, err) != GP_OK ||
        gp_run_call(run->job, steps[0].command, arguments, err) != GP_OK)
        return stop(run, err);
    double seconds = gp_clock() - started;
    if (finish(run, steps, count, seconds, err) == GP_OK)
        gp_say(run->job->sink, GP_NOTE, "== %s: %.2f s", steps[0].command->name, seconds);
    return err->code;
}

int gp_run_outputs(gp_run_step *s, gp_err *err, const char *directory, const char *const *names,
                   const char *stem) {
    for (; *names != NULL; names++) {
        gp_text_print(&s->outputs, err, "%s/%s%s", directory, stem, *names);
        gp_text_add(&s->outputs, "", 1, err);
    }
    return err->code;
}
