/* What a finished run says: training.tsv and TensorBoard's events of it; how good the predictions
 * of left-out samples are, beside covariates and ridge regression. */
#include "io/events.h"
#include "io/file.h"
#include "jobs/train.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const model_name[] = {"covariates", "ridge", "transformer"};
enum { MODELS = sizeof model_name / sizeof *model_name };

/* What rank 0 needs to measure. */
typedef struct tables {
    gp_train_run *run;
    double *observed, *guess; /* [n] of the samples that count */
    gp_text metrics, heritability, events;
    gp_accuracy *all; /* [traits x MODELS] of all folds together */
} tables;

/* ---- predictions ---- */

/* A prediction of a left-out sample, by the model of its fold. */
static double predicted(const gp_train_run *run, int which, int64_t t, int64_t i) {
    int64_t fold = run->folds.of[run->sample[i]], p = run->traits;
    int64_t cell = (fold * p + t) * run->ridge.n + run->row[i];
    if (which == 2)
        return run->output[(fold * run->n + i) * p + t];
    if (which == 1 && run->split && !isnan(run->ridge.cross[cell]))
        return run->ridge.cross[cell];
    return which == 1 ? run->ridge.value[cell] : run->ridge.covariates[cell];
}

static double observed(const gp_train_run *run, int64_t t, int64_t i) {
    return run->cohort.trait[run->trait[t]].value[run->sample[i]];
}

/* A trait's accuracy in one fold, or (-1) in all together. */
static int measure(tables *w, int64_t t, int which, int64_t fold, gp_accuracy *a, gp_err *err) {
    const gp_train_run *run = w->run;
    const gp_trait *trait = &run->cohort.trait[run->trait[t]];
    char name[GP_TRAIN_NAME];
    int64_t n = 0;
    for (int64_t i = 0; i < run->n; i++) {
        int64_t of = run->folds.of[run->sample[i]];
        if (of < 0 || (fold >= 0 && of != fold))
            continue;
        w->observed[n] = observed(run, t, i);
        w->guess[n++] = predicted(run, which, t, i);
    }
    gp_train_fold_name(run, fold, name);
    if (gp_accuracy_of(w->observed, w->guess, n, trait->binary, a, err) == GP_OK)
        gp_metrics_print(&w->metrics, trait->name, model_name[which], name, a, err);
    return err->code;
}

static int write_predictions(const gp_train_run *run, gp_err *err) {
    gp_predictions to = {0};
    gp_text path = {0};
    if (gp_text_print(&path, err, "%s/predictions.tsv", run->o->out) == GP_OK)
        gp_predictions_open(&to, path.bytes, model_name, MODELS, err);
    for (int64_t t = 0; t < run->traits; t++)
        for (int64_t i = 0; i < run->n && err->code == GP_OK; i++) {
            int64_t sample = run->sample[i];
            char fold[GP_TRAIN_NAME];
            double value[MODELS];
            if (run->folds.of[sample] < 0)
                continue;
            gp_train_fold_name(run, run->folds.of[sample], fold);
            for (int which = 0; which < MODELS; which++)
                value[which] = predicted(run, which, t, i);
            const gp_prediction line = {.fid = gp_samples_fid(&run->cohort.samples, sample),
                                        .iid = gp_samples_iid(&run->cohort.samples, sample),
                                        .trait = run->cohort.trait[run->trait[t]].name,
                                        .fold = fold,
                                        .observed = observed(run, t, i),
                                        .value = value};
            gp_predictions_add(&to, &line, err);
        }
    gp_predictions_finish(&to, err);
    gp_predictions_close(&to);
    gp_text_free(&path);
    return err->code;
}

/* ---- events ---- */

enum { COLUMNS = 16 };

/* Where a line's columns begin; the number of columns. */
static int cut(const char *line, const char *column[COLUMNS]) {
    int count = 0;
    column[count++] = line;
    for (; *line != 0 && *line != '\n' && count < COLUMNS; line++)
        if (*line == '\t')
            column[count++] = line + 1;
    return count;
}

/* The header's column of this name; -1 where there is none. */
static int find(const char *name) {
    const char *column[COLUMNS];
    int count = cut(gp_trainer_header, column);
    size_t n = strlen(name);
    for (int k = 0; k < count; k++)
        if (strncmp(column[k], name, n) == 0 && strchr("\t\n", column[k][n]) != NULL)
            return k;
    return -1;
}

static const char *event_prefix(const gp_train_run *run, int64_t model, char name[GP_TRAIN_NAME]) {
    gp_train_fold_name(run, gp_train_fold(run, model), name);
    return gp_train_fold(run, model) < 0 ? "" : "fold-";
}

/* A training's lines; returns the last step. */
static int64_t add_training(tables *w, int64_t number, gp_err *err) {
    static const struct {
        const char *column, *tag;
    } scalar[] = {{"train_loss", "loss/train"},
                  {"validation_loss", "loss/validation"},
                  {"learning_rate", "learning_rate"},
                  {"gradient_norm", "gradient_norm"}};
    int64_t model = number / w->run->o->networks, network = number % w->run->o->networks;
    char fold[GP_TRAIN_NAME], part[GP_TRAIN_NAME] = "", tag[128];
    const char *prefix = event_prefix(w->run, model, fold), *line = w->run->log[number].bytes;
    const char *column[COLUMNS];
    int64_t step = 0;
    int at_step = find("step");
    if (w->run->o->networks > 1)
        snprintf(part, sizeof part, "/network-%lld", (long long)network + 1);
    for (; line != NULL && *line != 0 && err->code == GP_OK; line = strchr(line, '\n') + 1) {
        int count = cut(line, column);
        step = at_step >= 0 && at_step < count ? atoll(column[at_step]) : step;
        for (size_t k = 0; k < sizeof scalar / sizeof *scalar; k++) {
            int at = find(scalar[k].column);
            if (at < 0 || at >= count || strncmp(column[at], "NA", 2) == 0)
                continue;
            snprintf(tag, sizeof tag, "%s%s%s/%s", prefix, fold, part, scalar[k].tag);
            gp_events_scalar(&w->events, tag, step, strtod(column[at], NULL), err);
        }
        if (strchr(line, '\n') == NULL)
            break;
    }
    return step;
}

static void add_result(tables *w, int64_t fold, int64_t t, int64_t step, double r2, gp_err *err) {
    char name[GP_TRAIN_NAME];
    gp_text tag = {0};
    gp_train_fold_name(w->run, fold, name);
    if (isfinite(r2) && gp_text_print(&tag, err, "%s%s/r2/%s", w->run->split ? "" : "fold-", name,
                                      w->run->cohort.trait[w->run->trait[t]].name) == GP_OK)
        gp_events_scalar(&w->events, tag.bytes, step, r2, err);
    gp_text_free(&tag);
}

/* ---- metrics ---- */

static int measure_trait(tables *w, int64_t t, const int64_t *step, gp_err *err) {
    const gp_train_run *run = w->run;
    for (int which = 0; which < MODELS && err->code == GP_OK; which++) {
        gp_accuracy a = {0};
        for (int64_t f = 0; f < run->folds.count && err->code == GP_OK; f++) {
            measure(w, t, which, f, &a, err);
            if (which == MODELS - 1)
                add_result(w, f, t, step[f], a.r2, err);
        }
        if (!run->split)
            measure(w, t, which, -1, &a, err);
        w->all[t * MODELS + which] = a;
    }
    return err->code;
}

/* The closing table. */
static void show(const tables *w) {
    const gp_train_run *run = w->run;
    const gp_sink *sink = run->job->sink;
    gp_say(sink, GP_NOTE, "%s:", run->split ? "validation samples" : "left-out samples, all folds");
    gp_say(sink, GP_NOTE, "%-20s %4s %8s  %10s %10s %11s", "trait", "", "n", model_name[0],
           model_name[1], model_name[2]);
    for (int64_t t = 0; t < run->traits; t++) {
        const gp_trait *trait = &run->cohort.trait[run->trait[t]];
        const gp_accuracy *a = w->all + t * MODELS;
        if (trait->binary) {
            gp_say(sink, GP_NOTE, "%-20.20s %4s %8lld  %10.4f %10.4f %11.4f", trait->name, "auc",
                   (long long)a->n, a[0].auc, a[1].auc, a[2].auc);
            continue;
        }
        gp_say(sink, GP_NOTE, "%-20.20s %4s %8lld  %10.4f %10.4f %11.4f", trait->name, "r",
               (long long)a->n, a[0].r, a[1].r, a[2].r);
        gp_say(sink, GP_NOTE, "%-20s %4s %8s  %10.4f %10.4f %11.4f", "", "r2", "", a[0].r2, a[1].r2,
               a[2].r2);
    }
}

/* ---- what the ridge's penalties say ---- */

static void list_heritability(tables *w, gp_err *err) {
    const gp_ridge *r = &w->run->ridge;
    gp_text_print(&w->heritability, err, "trait\tfold\tsamples\theritability\n");
    for (int64_t t = 0; t < r->traits; t++)
        for (int64_t k = 0; k < r->models; k++) {
            char fold[GP_TRAIN_NAME];
            int64_t at = k * r->traits + t;
            gp_train_fold_name(w->run, k == r->models - 1 ? -1 : k, fold);
            gp_text_print(&w->heritability, err, "%s\t%s\t%lld",
                          w->run->cohort.trait[w->run->trait[t]].name, fold,
                          (long long)r->trained[at]);
            gp_metrics_number(&w->heritability, r->heritability[at], err);
            gp_text_add(&w->heritability, "\n", 1, err);
        }
}

/* ---- together ---- */

static int make(tables *w, gp_err *err) {
    gp_train_run *run = w->run;
    int64_t *step = gp_mem_alloc(run->models, sizeof *step, err);
    w->observed = gp_mem_alloc(run->n, sizeof *w->observed, err);
    w->guess = gp_mem_alloc(run->n, sizeof *w->guess, err);
    w->all = gp_mem_alloc(run->traits * MODELS, sizeof *w->all, err);
    gp_text_print(&w->metrics, err, "%s", gp_metrics_header);
    gp_events_begin(&w->events, err);
    for (int64_t k = 0; k < run->models * run->o->networks && err->code == GP_OK; k++)
        step[k / run->o->networks] = add_training(w, k, err);
    for (int64_t t = 0; t < run->traits && run->folds.count > 0 && err->code == GP_OK; t++)
        measure_trait(w, t, step, err);
    if (err->code == GP_OK && run->folds.count > 0 && run->traits > 0) {
        write_predictions(run, err);
        show(w);
        if (run->o->warm != NULL)
            gp_train_warm_tell(run);
    }
    if (!run->masked)
        list_heritability(w, err);
    free(step);
    return err->code;
}

static int write_training(gp_train_run *run, gp_err *err) {
    gp_text text = {0};
    int64_t count = gp_par_rank(run->job->par) == 0 ? run->models * run->o->networks : 0;
    gp_text_print(&text, err, "%.*s\tnetwork\n", (int)strcspn(gp_trainer_header, "\n"),
                  gp_trainer_header);
    for (int64_t k = 0; k < count; k++)
        if (run->log[k].length > 0)
            gp_text_add(&text, run->log[k].bytes, run->log[k].length, err);
    gp_train_write(run, "training.tsv", &text, err);
    gp_text_free(&text);
    return err->code;
}

static int make_directory(const gp_train_run *run, gp_err *err) {
    gp_text path = {0};
    if (gp_text_print(&path, err, "%s/tensorboard", run->o->out) == GP_OK)
        gp_io_make_directory(path.bytes, err);
    gp_text_free(&path);
    return err->code;
}

int gp_train_tables(gp_train_run *run, gp_err *err) {
    tables w = {.run = run};
    if (gp_par_rank(run->job->par) == 0 && make_directory(run, err) == GP_OK)
        make(&w, err);
    if (gp_par_agree(run->job->par, err) == GP_OK && write_training(run, err) == GP_OK &&
        gp_train_write(run, "tensorboard/events.out.tfevents.0.gp-dist", &w.events, err) == GP_OK &&
        (run->masked || gp_train_write(run, "heritability.tsv", &w.heritability, err) == GP_OK) &&
        run->folds.count > 0 && run->traits > 0)
        gp_train_write(run, "metrics.tsv", &w.metrics, err);
    gp_text_free(&w.metrics);
    gp_text_free(&w.heritability);
    gp_text_free(&w.events);
    free(w.observed);
    free(w.guess);
    free(w.all);
    return err->code;
}
