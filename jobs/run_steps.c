/* The pipeline, step by step. */
#include "io/file.h"
#include "jobs/run_step.h"

#include <stdio.h>

extern const gp_command gp_command_grm, gp_command_pca, gp_command_assoc, gp_command_train,
    gp_command_report;

/* ---- principal components ---- */

static int do_components(gp_run *run, gp_err *err) {
    static const char *const names[] = {"pca.eigenvec", "pca.eigenval", NULL};
    static const char *const but[] = {"pheno", "pheno-name", "covar",  "covar-name",
                                      "out",   "components", "approx", NULL};
    gp_text arguments = {0};
    char components[32];
    gp_run_step s;
    if (run->components == 0)
        return GP_OK;
    gp_run_step_begin(&s, &gp_command_pca, NULL, err);
    gp_text_print(&s.basis, err, "people %s\ncomponents %lld\n", run->people,
                  (long long)run->components);
    gp_run_outputs(&s, err, "pca", names, "");
    if (gp_run_judge(run, &s, err) == GP_OK && s.stale) {
        snprintf(components, sizeof components, "%lld", (long long)run->components);
        gp_run_forward(s.command, but, &arguments, err);
        gp_run_argument(&arguments, err, "components", components);
        gp_run_argument(&arguments, err, "approx", NULL);
        gp_run_argument_path(run, &arguments, "out", "pca", err);
        gp_run_do(run, &s, 1, &arguments, err);
    }
    gp_text_free(&arguments);
    gp_run_step_free(&s);
    return err->code;
}

/* ---- relationships ---- */

static int do_relationships(gp_run *run, gp_err *err) {
    static const char *const names[] = {"grm.h5", NULL};
    static const char *const but[] = {"pheno", "pheno-name", "covar", "covar-name",
                                      "out",   "dry-run",    NULL};
    gp_text arguments = {0};
    gp_run_step s;
    if (!gp_run_mixed())
        return GP_OK;
    gp_run_step_begin(&s, &gp_command_grm, NULL, err);
    gp_text_print(&s.basis, err, "people %s\n", run->people);
    gp_run_outputs(&s, err, "grm", names, "");
    if (gp_run_judge(run, &s, err) == GP_OK && s.stale) {
        gp_run_forward(s.command, but, &arguments, err);
        if (run->autosomes > 1)
            gp_run_argument(&arguments, err, "loco", NULL);
        gp_run_argument_path(run, &arguments, "out", "grm", err);
        gp_run_do(run, &s, 1, &arguments, err);
    }
    gp_text_free(&arguments);
    gp_run_step_free(&s);
    return err->code;
}

/* ---- the report ---- */

static int add_option(void *context, const gp_option *option, const char *value, int file,
                      gp_err *err) {
    gp_run_step *s = context;
    (void)file;
    return gp_run_matters(option->name)
               ? gp_text_print(&s->basis, err, "option %s = %s\n", option->name, value)
               : err->code;
}

/* The page shows options as they were said; changes follow from the other run's files. */
static int depend_on_words(gp_run *run, gp_run_step *s, const char *compared, gp_err *err) {
    gp_text path = {0};
    char md5[33] = "";
    gp_run_options_each(add_option, s, err);
    if (compared != NULL && gp_par_rank(run->job->par) == 0 &&
        gp_text_print(&path, err, "%s/manifest.json", compared) == GP_OK)
        gp_io_md5_file(path.bytes, md5, err);
    gp_text_print(&s->basis, err, "compare %s\n", md5);
    gp_text_free(&path);
    return err->code;
}

static int do_report(gp_run *run, gp_err *err) {
    const char *compared = gp_run_text("compare");
    gp_text arguments = {0};
    gp_run_step s;
    gp_run_step_begin(&s, &gp_command_report, NULL, err);
    for (int64_t t = 0; t < run->traits; t++) {
        gp_run_depends(run, &s, "train", &run->trait[t], err);
        gp_run_depends(run, &s, "merge", &run->trait[t], err);
    }
    depend_on_words(run, &s, compared, err);
    gp_text_add(&s.outputs, "report.html", 12, err);
    gp_text_add(&s.outputs, "changes.tsv", 12, err);
    if (gp_run_judge(run, &s, err) == GP_OK && s.stale) {
        gp_run_forward(&gp_command_report, gp_run_own, &arguments, err);
        gp_run_argument(&arguments, err, "run", run->out);
        if (compared != NULL)
            gp_run_argument(&arguments, err, "compare", compared);
        gp_run_argument_path(run, &arguments, "out", "report.html", err);
        gp_run_do(run, &s, 1, &arguments, err);
    }
    gp_text_free(&arguments);
    gp_run_step_free(&s);
    return err->code;
}

/* ---- all ---- */

static int add_name(gp_text *names, gp_err *err, const char *command, const gp_run_trait *trait) {
    gp_run_step_name(names, err, command, trait);
    return gp_text_add(names, "", 1, err);
}

/* What is there of other traits, or of all where that was asked for, goes. Collective. */
static int clear(gp_run *run, gp_err *err) {
    gp_text names = {0};
    int64_t some = 0;
    if (run->components > 0)
        add_name(&names, err, "pca", NULL);
    for (int64_t t = 0; t < run->traits; t++) {
        const gp_run_trait *trait = &run->trait[t];
        if (trait->network) {
            add_name(&names, err, "train", trait);
            add_name(&names, err, "explain", trait);
        }
        add_name(&names, err, "assoc", trait);
        add_name(&names, err, "merge", trait);
    }
    if (gp_run_mixed())
        add_name(&names, err, "grm", NULL);
    add_name(&names, err, "report", NULL);
    if (gp_par_rank(run->job->par) == 0 && err->code == GP_OK)
        some = gp_run_clear(run, &names, 1, err);
    if (gp_par_agree(run->job->par, err) == GP_OK &&
        gp_par_max(run->job->par, &some, 1, err) == GP_OK && some &&
        gp_run_look_ahead(run, err) == GP_OK) {
        if (gp_par_rank(run->job->par) == 0)
            gp_run_clear(run, &names, 0, err);
        gp_par_agree(run->job->par, err);
    }
    gp_text_free(&names);
    return err->code;
}

/* Times of files that were copied, say, but are the same: they need not be read again. */
static int keep_times(gp_run *run, gp_err *err) {
    int touched = 0;
    for (int64_t k = 0; k < run->manifest.steps; k++)
        touched |= run->manifest.step[k].touched;
    if (touched)
        gp_manifest_write(&run->manifest, run->out, err);
    return gp_par_agree(run->job->par, err);
}

int gp_run_steps(gp_run *run, gp_err *err) {
    if (clear(run, err) == GP_OK)
        do_components(run, err);
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++) {
        gp_run_trait *trait = &run->trait[t];
        if (trait->network && gp_run_network(run, trait, err) == GP_OK &&
            gp_run_attribution(run, trait, err) == GP_OK)
            gp_run_choose_offset(run, trait, err);
    }
    if (err->code == GP_OK && do_relationships(run, err) == GP_OK &&
        gp_run_regression(run, err) == GP_OK && gp_run_merge(run, err) == GP_OK)
        do_report(run, err);
    return err->code == GP_OK ? keep_times(run, err) : err->code;
}

/* The partition, and what the regression and the first network need; printed by the steps. */
int gp_run_plan(gp_run *run, gp_err *err) {
    static const char *const but[] = {"out", "pheno-name", "restart", "dry-run", NULL};
    gp_text arguments = {0};
    int64_t t = 0;
    gp_run_plan_arguments(&arguments, err);
    gp_run_call(run->job, &gp_command_assoc, &arguments, err);
    while (t < run->traits && !run->trait[t].network)
        t++;
    arguments.length = 0;
    if (err->code == GP_OK && t < run->traits) {
        gp_run_forward(&gp_command_train, but, &arguments, err);
        gp_run_argument(&arguments, err, "pheno-name", run->trait[t].name);
        gp_run_argument(&arguments, err, "chromosome-dropout", gp_run_hide);
        gp_run_argument(&arguments, err, "offsets", NULL);
        gp_run_argument(&arguments, err, "dry-run", NULL);
        gp_run_call(run->job, &gp_command_train, &arguments, err);
    }
    gp_text_free(&arguments);
    return err->code;
}
