/* The pipeline, step by step. */
#include "jobs/run_step.h"

#include <stdio.h>

extern const gp_command gp_command_pca, gp_command_assoc, gp_command_train, gp_command_report;

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
    } else if (err->code == GP_OK) {
        run->fresh++;
    }
    gp_text_free(&arguments);
    gp_run_step_free(&s);
    return err->code;
}

/* ---- the report ---- */

static int do_report(gp_run *run, gp_err *err) {
    const char *compared = gp_run_text("compare");
    gp_text arguments = {0};
    gp_run_step s;
    gp_run_step_begin(&s, &gp_command_report, NULL, err);
    for (int64_t t = 0; t < run->traits; t++) {
        gp_run_depends(run, &s, "train", &run->trait[t], err);
        gp_run_depends(run, &s, "merge", &run->trait[t], err);
    }
    gp_text_print(&s.basis, err, "compare %s\n", compared != NULL ? compared : "");
    gp_text_add(&s.outputs, "report.html", 12, err);
    if (compared != NULL)
        gp_text_add(&s.outputs, "changes.tsv", 12, err);
    if (gp_run_judge(run, &s, err) == GP_OK && s.stale) {
        gp_run_forward(&gp_command_report, gp_run_own, &arguments, err);
        gp_run_argument(&arguments, err, "run", run->out);
        if (compared != NULL)
            gp_run_argument(&arguments, err, "compare", compared);
        gp_run_argument_path(run, &arguments, "out", "report.html", err);
        gp_run_do(run, &s, 1, &arguments, err);
    } else if (err->code == GP_OK) {
        run->fresh++;
    }
    gp_text_free(&arguments);
    gp_run_step_free(&s);
    return err->code;
}

/* ---- all ---- */

int gp_run_steps(gp_run *run, gp_err *err) {
    do_components(run, err);
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++) {
        gp_run_trait *trait = &run->trait[t];
        if (trait->network && gp_run_network(run, trait, err) == GP_OK &&
            gp_run_attribution(run, trait, err) == GP_OK)
            gp_run_choose_offset(run, trait, err);
    }
    if (err->code == GP_OK && gp_run_regression(run, err) == GP_OK &&
        gp_run_merge(run, err) == GP_OK)
        do_report(run, err);
    return err->code;
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
        gp_run_argument(&arguments, err, "offsets", NULL);
        gp_run_argument(&arguments, err, "dry-run", NULL);
        gp_run_call(run->job, &gp_command_train, &arguments, err);
    }
    gp_text_free(&arguments);
    return err->code;
}
