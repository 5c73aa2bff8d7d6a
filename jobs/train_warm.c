/* train --warm-start DIR: every model goes on from the same model's networks in DIR/folds
 * (jobs/train_folds.c). A fold's networks never start from ones that have seen a sample which the
 * fold leaves out, and a sample measures only networks that were not trained on it: so predictions
 * stay those of unseen samples. */
#include "io/file.h"
#include "io/table.h"
#include "jobs/job.h"
#include "jobs/train.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void model_name(const gp_train_run *run, int64_t model, char name[GP_TRAIN_NAME]) {
    gp_train_fold_name(run, gp_train_fold(run, model), name);
}

/* ---- sizes ---- */

/* What is started from would be removed. Local. */
static int check_directory(const gp_train_run *run, gp_err *err) {
    struct stat from, to;
    const gp_train_options *o = run->o;
    if (o->out != NULL && stat(o->warm, &from) == 0 && stat(o->out, &to) == 0 &&
        from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        gp_err_set(err, GP_EINPUT,
                   "command line: --warm-start and --out are one directory; name another --out");
    return err->code;
}

int gp_train_warm_settle(gp_train_run *run, gp_err *err) {
    gp_train_options *o = &run->settled;
    gp_io_network from = {0};
    gp_text path = {0};
    if (check_directory(run, err) == GP_OK &&
        gp_text_print(&path, err, "%s/folds/samples.tsv", o->warm) == GP_OK) {
        struct stat there;
        if (stat(path.bytes, &there) != 0)
            gp_err_set(err, GP_EINPUT,
                       "%s: is not there; --warm-start goes on from a finished gp-dist train "
                       "--keep-folds",
                       path.bytes);
        path.length = 0;
        if (err->code == GP_OK && gp_text_print(&path, err, "%s/folds/all", o->warm) == GP_OK &&
            gp_io_network_read_config(&from, path.bytes, err) == GP_OK) {
            o->layers = o->layers == 0 ? from.shape.layers : o->layers;
            o->networks = o->networks == 0 ? from.networks : o->networks;
        }
    }
    gp_io_network_free(&from);
    gp_text_free(&path);
    return gp_par_agree(run->job->par, err);
}

/* ---- who trained which ---- */

typedef struct members {
    gp_train_run *run;
    gp_table table;
    gp_missing_codes none;
    int64_t *sample; /* [rows] of the store, or -1 */
    int64_t *use;    /* [samples of the store] their numbers among those in use, or -1 */
    double *value;   /* [rows] */
} members;

static int find_column(const members *w, int64_t model, int64_t *column, gp_err *err) {
    const gp_train_run *run = w->run;
    char name[GP_TRAIN_NAME];
    model_name(run, model, name);
    for (*column = 0; *column < w->table.columns; ++*column)
        if (strcmp(w->table.name[*column], name) == 0)
            break;
    if (*column == w->table.columns || w->table.columns != run->models)
        gp_err_set(err, GP_EINPUT,
                   "%s: has models of %lld folds, and here are %lld%s%s%s; --warm-start needs the "
                   "same --folds, or --fold-file",
                   w->table.path, (long long)w->table.columns - 1,
                   (long long)(run->split ? 0 : run->folds.count),
                   *column == w->table.columns ? " (it has no '" : "",
                   *column == w->table.columns ? name : "",
                   *column == w->table.columns ? "')" : "");
    return err->code;
}

/* One model's column; a value that no file of ours holds counts as trained. */
static int take_column(members *w, int64_t model, gp_err *err) {
    gp_train_run *run = w->run;
    int32_t *to = run->earlier + model * run->n;
    int64_t column = 0;
    if (find_column(w, model, &column, err) != GP_OK ||
        gp_table_numbers(&w->table, column, &w->none, w->value, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < run->n; i++)
        to[i] = GP_EARLIER_NONE;
    for (int64_t r = 0; r < w->table.rows; r++) {
        int64_t i = w->sample[r] >= 0 ? w->use[w->sample[r]] : -1;
        double x = w->value[r];
        if (i >= 0)
            to[i] = isnan(x)                                    ? GP_EARLIER_OUT
                    : x >= 1.0 && x <= (double)run->o->networks ? (int32_t)x
                                                                : GP_EARLIER_TRAINED;
    }
    return GP_OK;
}

/* A model that has seen samples which it shall leave out starts anew. Local; the same on all ranks.
 */
static void look_for_seen(gp_train_run *run, int64_t model) {
    int64_t fold = gp_train_fold(run, model), seen = 0, one = 0;
    const gp_samples *samples = &run->cohort.samples;
    char name[GP_TRAIN_NAME];
    for (int64_t i = 0; i < run->n && fold >= 0; i++)
        if (run->folds.of[run->sample[i]] == fold &&
            run->earlier[model * run->n + i] >= GP_EARLIER_TRAINED && seen++ == 0)
            one = run->sample[i];
    run->cold[model] = seen > 0;
    model_name(run, model, name);
    if (seen > 0)
        gp_say(run->job->sink, GP_WARN,
               "fold %s starts anew: the networks of %s/folds/%s have seen %lld samples that it "
               "leaves out (%s %s was the first); a --fold-file can keep everyone's fold",
               name, run->o->warm, name, (long long)seen, gp_samples_fid(samples, one),
               gp_samples_iid(samples, one));
}

static int make_room(members *w, gp_err *err) {
    gp_train_run *run = w->run;
    int64_t all = run->cohort.samples.n, at = 0;
    w->sample = gp_mem_alloc(w->table.rows, sizeof *w->sample, err);
    w->value = gp_mem_alloc(w->table.rows, sizeof *w->value, err);
    w->use = gp_mem_alloc(all, sizeof *w->use, err);
    run->earlier = gp_mem_alloc(run->models, run->n * (int64_t)sizeof *run->earlier, err);
    run->cold = gp_mem_alloc(run->models, 1, err);
    for (int64_t i = 0; err->code == GP_OK && i < all; i++)
        w->use[i] = at < run->n && run->sample[at] == i ? at++ : -1;
    return err->code;
}

/* Local. */
static int read_members(members *w, const char *path, gp_text *text, gp_err *err) {
    gp_train_run *run = w->run;
    int64_t known = 0, cold = 0;
    if (gp_table_parse(&w->table, path, text, err) != GP_OK || make_room(w, err) != GP_OK ||
        gp_table_join(&w->table, &run->cohort.samples, w->sample, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < run->models && err->code == GP_OK; k++)
        if (take_column(w, k, err) == GP_OK) {
            look_for_seen(run, k);
            cold += run->cold[k];
        }
    for (int64_t i = 0; i < run->n && err->code == GP_OK; i++)
        known += run->earlier[(run->models - 1) * run->n + i] != GP_EARLIER_NONE;
    if (err->code == GP_OK)
        gp_say(run->job->sink, GP_NOTE,
               "warm start: %lld of %lld models go on from %s, which had %lld of the %lld samples "
               "in use",
               (long long)(run->models - cold), (long long)run->models, run->o->warm,
               (long long)known, (long long)run->n);
    return err->code;
}

int gp_train_warm_load(gp_train_run *run, gp_err *err) {
    members w = {.run = run};
    gp_text path = {0}, text = {0};
    gp_text_print(&path, err, "%s/folds/samples.tsv", run->o->warm);
    if (gp_par_agree(run->job->par, err) == GP_OK &&
        gp_job_read_shared(run->job, path.bytes, &text, err) == GP_OK) {
        read_members(&w, path.bytes, &text, err);
        gp_par_agree(run->job->par, err);
    }
    gp_table_free(&w.table);
    gp_text_free(&text);
    gp_text_free(&path);
    free(w.sample);
    free(w.use);
    free(w.value);
    return err->code;
}

/* ---- networks ---- */

static int check_network(const gp_train_run *run, const gp_io_network *from, const char *directory,
                         gp_err *err) {
    if (from->networks != run->o->networks)
        return gp_err_set(err, GP_EINPUT,
                          "%s: its model has %lld networks, and this one %lld; give --networks "
                          "%lld",
                          directory, (long long)from->networks, (long long)run->o->networks,
                          (long long)from->networks);
    int same = from->shape.traits == run->traits;
    for (int64_t t = 0; same && t < run->traits; t++)
        same = from->loss[t] == run->loss[t] &&
               strcmp(from->trait[t].name, run->cohort.trait[run->trait[t]].name) == 0;
    if (!same)
        gp_err_set(err, GP_EINPUT,
                   "%s: its network knows other traits, from '%s' on, than this one; give the same "
                   "--pheno-name, or --init instead of --warm-start",
                   directory, from->shape.traits > 0 ? from->trait[0].name : "");
    return err->code;
}

int gp_train_warm_take(gp_train_run *run, int64_t model, gp_err *err) {
    gp_io_network from = {0};
    gp_text path = {0};
    char name[GP_TRAIN_NAME];
    model_name(run, model, name);
    free(run->given);
    run->given = NULL;
    if (!run->cold[model] &&
        gp_text_print(&path, err, "%s/folds/%s", run->o->warm, name) == GP_OK &&
        gp_io_network_read(&from, path.bytes, err) == GP_OK &&
        check_network(run, &from, path.bytes, err) == GP_OK)
        gp_train_give(run, &from, path.bytes, 1, err);
    gp_io_network_free(&from);
    gp_text_free(&path);
    return gp_par_agree(run->job->par, err);
}

/* ---- what was found before ---- */

enum { TRAIT, MODEL, FOLD, SAMPLES, R2, R, MSE, AUC, COLUMNS };

/* Cuts a line of metrics.tsv in place. Returns where the next one begins; NULL at the end. */
static char *cut_line(char *line, char *field[COLUMNS]) {
    for (int k = 0; k < COLUMNS; k++) {
        size_t n = strcspn(line, "\t\n");
        char end = line[n];
        field[k] = line;
        line[n] = 0;
        line += n + (end != 0);
        if (end != '\t')
            return k == COLUMNS - 1 && end != 0 ? line : NULL;
    }
    return NULL;
}

/* One trait's line, of the numbers in a column. */
static void tell_trait(const gp_train_run *run, const gp_trait *trait, char *lines, int column) {
    static const char *const models[] = {"covariates", "ridge", "transformer"};
    double found[3] = {NAN, NAN, NAN};
    char *field[COLUMNS], samples[24] = "";
    gp_text copy = {0};
    gp_err ignored = {0};
    if (gp_text_print(&copy, &ignored, "%s", lines) != GP_OK)
        return;
    for (char *at = copy.bytes; at != NULL && *at != 0;) {
        at = cut_line(at, field);
        if (at == NULL || strcmp(field[TRAIT], trait->name) != 0 ||
            strcmp(field[FOLD], run->split ? "validation" : "all") != 0)
            continue;
        snprintf(samples, sizeof samples, "%.20s", field[SAMPLES]);
        for (int k = 0; k < 3; k++)
            if (strcmp(field[MODEL], models[k]) == 0)
                found[k] = strcmp(field[column], "NA") == 0 ? NAN : atof(field[column]);
    }
    gp_say(run->job->sink, GP_NOTE, "%-20.20s %4s %8s  %10.4f %10.4f %11.4f", trait->name,
           column == AUC ? "auc"
           : column == R ? "r"
                         : "r2",
           samples, found[0], found[1], found[2]);
    gp_text_free(&copy);
}

void gp_train_warm_tell(const gp_train_run *run) {
    gp_text path = {0}, text = {0};
    gp_err ignored = {0}; /* the table is there to be looked at, no more */
    if (gp_text_print(&path, &ignored, "%s/metrics.tsv", run->o->warm) == GP_OK &&
        gp_io_read_text(path.bytes, &text, &ignored) == GP_OK && text.bytes != NULL) {
        gp_say(run->job->sink, GP_NOTE, "the same in %s, which it went on from:", run->o->warm);
        for (int64_t t = 0; t < run->traits; t++) {
            const gp_trait *trait = &run->cohort.trait[run->trait[t]];
            tell_trait(run, trait, text.bytes, trait->binary ? AUC : R);
            if (!trait->binary)
                tell_trait(run, trait, text.bytes, R2);
        }
    }
    gp_text_free(&path);
    gp_text_free(&text);
}
