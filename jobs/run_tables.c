/* The steps of all traits together: regression, and the merged tables. What is stale of them is
 * done by one call. */
#include "jobs/directory.h"
#include "jobs/run_step.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

extern const gp_command gp_command_assoc, gp_command_merge;

/* Steps of all traits that one call of a command does. */
typedef struct group {
    gp_run *run;
    gp_run_step *step; /* [traits]; those of skipped traits stay zeroed */
    int64_t stale;
    gp_text names; /* of the stale ones, comma-separated */
} group;

static int add_name(gp_text *list, const char *name, gp_err *err) {
    return gp_text_print(list, err, "%s%s", list->length > 0 ? "," : "", name);
}

static int group_init(group *g, gp_run *run, gp_err *err) {
    *g = (group){.run = run};
    g->step = gp_mem_alloc(run->traits, sizeof *g->step, err);
    return err->code;
}

static void group_free(group *g) {
    for (int64_t t = 0; g->step != NULL && t < g->run->traits; t++)
        gp_run_step_free(&g->step[t]);
    gp_text_free(&g->names);
    free(g->step);
}

/* Looks at a trait's step, whose basis and outputs are there.
 *    all  in  every trait's step is done where one is */
static int group_judge(group *g, int all, gp_err *err) {
    gp_run *run = g->run;
    int64_t any = 0;
    gp_par_agree(run->job->par, err); /* steps are made on each rank */
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++)
        if (g->step[t].command != NULL && gp_run_judge(run, &g->step[t], err) == GP_OK)
            any |= g->step[t].stale;
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++) {
        gp_run_step *s = &g->step[t];
        if (s->command == NULL)
            continue;
        if (all && any && !s->stale) {
            s->stale = 1;
            run->fresh--;
        }
        g->stale += s->stale;
        if (s->stale)
            add_name(&g->names, run->trait[t].name, err);
    }
    return gp_par_agree(run->job->par, err);
}

static int group_do(group *g, gp_text *arguments, gp_err *err) {
    gp_run_step *packed = gp_mem_alloc(g->run->traits, sizeof *packed, err);
    int64_t n = 0;
    for (int64_t t = 0; packed != NULL && t < g->run->traits; t++)
        if (g->step[t].stale)
            packed[n++] = g->step[t];
    gp_run_do(g->run, packed, n, arguments, err);
    free(packed);
    return err->code;
}

static const char *const table_files[] = {".tsv.gz", ".tsv.gz.tbi", ".tsv.gz.csi",
                                          ".tsv.gz-meta.yaml", NULL};

static const char *offset_file(const gp_run_trait *trait) {
    return trait->offset == GP_OFFSET_RIDGE ? "/offsets.ridge.tsv.gz"
                                            : "/offsets.transformer.tsv.gz";
}

static int add_offsets(const group *g, gp_text *arguments, gp_err *err) {
    const gp_run *run = g->run;
    gp_text files = {0}, names = {0}, path = {0}, whole = {0};
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++) {
        const gp_run_trait *trait = &run->trait[t];
        if (!g->step[t].stale || trait->offset == GP_OFFSET_NONE)
            continue;
        gp_run_model_path(trait, offset_file(trait), &path, err);
        if (gp_run_path(run, path.bytes, &whole, err) == GP_OK &&
            add_name(&files, whole.bytes, err) == GP_OK)
            add_name(&names, trait->name, err);
    }
    if (files.length > 0) {
        gp_run_argument(arguments, err, "offset", files.bytes);
        gp_run_argument(arguments, err, "offset-name", names.bytes);
    }
    gp_text_free(&files);
    gp_text_free(&names);
    gp_text_free(&path);
    gp_text_free(&whole);
    return err->code;
}

/* Traits that the regression has skipped have no table. Collective. */
static int find_skipped(gp_run *run, gp_err *err) {
    int64_t *skipped = gp_mem_alloc(run->traits, sizeof *skipped, err);
    gp_text name = {0};
    for (int64_t t = 0; skipped != NULL && t < run->traits && gp_par_rank(run->job->par) == 0;
         t++) {
        name.length = 0;
        gp_text_print(&name, err, "assoc/%s.tsv.gz", run->trait[t].file);
        skipped[t] = err->code == GP_OK && !gp_directory_has(run->out, name.bytes);
    }
    if (gp_par_agree(run->job->par, err) == GP_OK)
        gp_par_sum(run->job->par, skipped, run->traits, err);
    for (int64_t t = 0; err->code == GP_OK && t < run->traits; t++)
        run->trait[t].skipped |= skipped[t] != 0;
    gp_text_free(&name);
    free(skipped);
    return err->code;
}

int gp_run_regression(gp_run *run, gp_err *err) {
    static const char *const but[] = {"pheno-name", "covar",   "covar-name", "out", "offset",
                                      "pca",        "restart", "dry-run",    NULL},
                             *const all[] = {"filters.tsv", NULL},
                             *const mixed[] = {"filters.tsv", "variance.tsv", NULL};
    gp_text arguments = {0};
    group g;
    group_init(&g, run, err);
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++) {
        const gp_run_trait *trait = &run->trait[t];
        gp_run_step *s = &g.step[t];
        gp_run_step_begin(s, &gp_command_assoc, trait, err);
        gp_text_print(&s->basis, err, "people %s\ncovariates %s\ntrait %s\noffset %d\n",
                      run->people, run->terms, trait->data, (int)trait->offset);
        if (run->components > 0)
            gp_run_depends(run, s, "pca", NULL, err);
        if (gp_run_mixed())
            gp_run_depends(run, s, "grm", NULL, err);
        if (trait->offset != GP_OFFSET_NONE)
            gp_run_depends(run, s, "train", trait, err);
        gp_run_outputs(s, err, "assoc", table_files, trait->file);
        gp_run_outputs(s, err, "assoc", gp_run_mixed() ? mixed : all, "");
    }
    if (group_judge(&g, gp_run_mixed(), err) == GP_OK && g.stale > 0) {
        gp_run_forward(&gp_command_assoc, but, &arguments, err);
        gp_run_argument(&arguments, err, "pheno-name", g.names.bytes);
        gp_run_argument_covariates(run, &arguments, 1, err);
        add_offsets(&g, &arguments, err);
        if (gp_run_mixed())
            gp_run_argument_path(run, &arguments, "grm", "grm/grm.h5", err);
        gp_run_argument_path(run, &arguments, "out", "assoc", err);
        group_do(&g, &arguments, err);
    }
    gp_text_free(&arguments);
    group_free(&g);
    return err->code == GP_OK ? find_skipped(run, err) : err->code;
}

static int add_attributions(const group *g, gp_text *arguments, gp_err *err) {
    const gp_run *run = g->run;
    gp_text files = {0}, path = {0}, whole = {0};
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++) {
        if (!g->step[t].stale || !run->trait[t].network)
            continue;
        gp_run_model_path(&run->trait[t], "/attribution.tsv.gz", &path, err);
        if (gp_run_path(run, path.bytes, &whole, err) == GP_OK)
            add_name(&files, whole.bytes, err);
    }
    if (files.length > 0)
        gp_run_argument(arguments, err, "attribution", files.bytes);
    gp_text_free(&files);
    gp_text_free(&path);
    gp_text_free(&whole);
    return err->code;
}

int gp_run_merge(gp_run *run, gp_err *err) {
    static const char *const names[] = {
        ".tsv.gz",   ".tsv.gz.tbi",   ".tsv.gz.csi", ".tsv.gz-meta.yaml",
        ".hits.tsv", ".summary.json", NULL};
    gp_text arguments = {0};
    group g;
    group_init(&g, run, err);
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++) {
        const gp_run_trait *trait = &run->trait[t];
        gp_run_step *s = &g.step[t];
        if (trait->skipped)
            continue;
        gp_run_step_begin(s, &gp_command_merge, trait, err);
        gp_run_depends(run, s, "assoc", trait, err);
        if (trait->network)
            gp_run_depends(run, s, "explain", trait, err);
        gp_run_outputs(s, err, "merged", names, trait->file);
    }
    if (group_judge(&g, 0, err) == GP_OK && g.stale > 0) {
        gp_run_forward(&gp_command_merge, gp_run_own, &arguments, err);
        gp_run_argument_path(run, &arguments, "assoc", "assoc", err);
        gp_run_argument(&arguments, err, "trait", g.names.bytes);
        add_attributions(&g, &arguments, err);
        gp_run_argument_path(run, &arguments, "out", "merged", err);
        group_do(&g, &arguments, err);
    }
    gp_text_free(&arguments);
    group_free(&g);
    return err->code;
}
