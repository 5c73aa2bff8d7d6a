/* train --offsets: for each trait the prediction of the samples that folds leave out, and the same
 * without each chromosome, by ridge regression and by the joined model: two tables that gp-dist
 * assoc --offset reads. Quantitative traits in their units, binary ones as log odds (the ridge's
 * numbers by the logistic regression of jobs/train_join.c). */
#include "io/file.h"
#include "io/metrics.h"
#include "io/part.h"
#include "jobs/train.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The fold that leaves a sample in use out; -1: none. */
static int64_t fold_of(const gp_train_run *run, int64_t i) {
    return run->folds.of[run->sample[i]];
}

static double *cells_of(const gp_train_run *run, int64_t chromosome) {
    return run->without + chromosome * run->n * run->traits;
}

/* ---- tables ---- */

/* A table under way. The last "chromosome" stands for all of them together. */
typedef struct table {
    const gp_train_run *run;
    const double *odds; /* [folds x traits x 2] log odds of what ridge predicts: from and by; NULL:
                           of the networks */
    gp_text text;
    gp_pack *pack;
    gp_part part;
} table;

static double ridge_value(const table *w, int64_t i, int64_t t, int64_t chromosome) {
    const gp_train_run *run = w->run;
    int64_t p = run->traits, fit = fold_of(run, i) * p + t;
    double value = run->ridge.value[fit * run->ridge.n + run->row[i]];
    if (chromosome < run->patches.chromosomes)
        value -= cells_of(run, chromosome)[i * p + t];
    return run->loss[t] == GP_NN_SQUARED ? value : w->odds[2 * fit] + w->odds[2 * fit + 1] * value;
}

static void add_value(table *w, int64_t i, int64_t t, int64_t chromosome, gp_err *err) {
    const gp_train_run *run = w->run;
    double value = fold_of(run, i) < 0 ? NAN
                   : w->odds != NULL   ? ridge_value(w, i, t, chromosome)
                                       : cells_of(run, chromosome)[i * run->traits + t];
    gp_metrics_number(&w->text, value, err);
}

static void add_header(table *w, gp_err *err) {
    const gp_train_run *run = w->run;
    gp_text_print(&w->text, err, "FID\tIID");
    for (int64_t t = 0; t < run->traits; t++) {
        const char *trait = run->cohort.trait[run->trait[t]].name;
        gp_text_print(&w->text, err, "\t%s", trait);
        for (int32_t k = 0; k < run->patches.chromosomes; k++)
            gp_text_print(&w->text, err, "\t%s@%s", trait,
                          gp_store_chromosome(run->store, run->patches.place[k])->name);
    }
    gp_text_add(&w->text, "\n", 1, err);
}

static void add_sample(table *w, int64_t i, gp_err *err) {
    const gp_train_run *run = w->run;
    const gp_samples *samples = &run->cohort.samples;
    int64_t all = run->patches.chromosomes;
    gp_text_print(&w->text, err, "%s\t%s", gp_samples_fid(samples, run->sample[i]),
                  gp_samples_iid(samples, run->sample[i]));
    for (int64_t t = 0; t < run->traits; t++) {
        add_value(w, i, t, all, err);
        for (int64_t k = 0; k < all; k++)
            add_value(w, i, t, k, err);
    }
    gp_text_add(&w->text, "\n", 1, err);
}

/* Text goes to the file in pieces of as many samples as a text block has variants. */
static int fill(table *w, const char *path, gp_err *err) {
    int64_t n = w->run->n;
    w->pack = gp_packs_new(1, err);
    if (err->code == GP_OK)
        gp_part_open(&w->part, path, 1, err);
    add_header(w, err);
    for (int64_t i = 0; i < n && err->code == GP_OK; i++) {
        add_sample(w, i, err);
        if (err->code == GP_OK && ((i + 1) % GP_TEXT_BLOCK == 0 || i + 1 == n))
            gp_part_add_header(&w->part, &w->text, w->pack, err); /* lines without a position */
    }
    return err->code == GP_OK ? gp_part_end(&w->part, err) : err->code;
}

/* On rank 0. */
static int write_table(const gp_train_run *run, const char *name, const double *odds, gp_err *err) {
    table w = {.run = run, .odds = odds};
    gp_text path = {0}, temporary = {0};
    gp_text_print(&path, err, "%s/%s", run->o->out, name);
    gp_text_print(&temporary, err, "%s/.%s.tmp", run->o->out, name);
    if (err->code == GP_OK && fill(&w, temporary.bytes, err) == GP_OK)
        gp_io_commit(temporary.bytes, path.bytes, err);
    gp_part_discard(&w.part);
    gp_packs_free(w.pack, 1);
    gp_text_free(&w.text);
    gp_text_free(&temporary);
    gp_text_free(&path);
    return err->code;
}

/* ---- ridge ---- */

/* Chromosomes come in the order of the patches'. */
typedef struct taker {
    gp_train_run *run;
    int64_t at;
} taker;

static void take(void *context, int64_t chromosome, const double *part) {
    taker *w = context;
    const gp_train_run *run = w->run;
    (void)chromosome;
    if (run->without == NULL || w->at == run->patches.chromosomes)
        return;
    double *to = cells_of(run, w->at++);
    for (int64_t i = 0; i < run->n; i++)
        for (int64_t t = 0; t < run->traits; t++)
            to[i * run->traits + t] = part[t * run->ridge.n + run->row[i]];
}

/* How each fold's model makes log odds of what ridge predicts. Local. */
static int find_odds(const gp_train_run *run, double *odds, gp_err *err) {
    int64_t p = run->traits;
    for (int64_t k = 0; k < run->folds.count && err->code == GP_OK; k++) {
        gp_train_model m = {0};
        if (gp_train_model_init(&m, run, k, err) == GP_OK && gp_train_join(&m, err) == GP_OK)
            for (int64_t t = 0; t < p; t++) {
                odds[2 * (k * p + t)] = m.unit[t].ridge_from;
                odds[2 * (k * p + t) + 1] = m.unit[t].ridge_by;
            }
        gp_train_model_free(&m);
    }
    return err->code;
}

static int write_ridge(const gp_train_run *run, gp_err *err) {
    double *odds = gp_mem_alloc(run->folds.count, 2 * run->traits * (int64_t)sizeof *odds, err);
    if (odds != NULL && find_odds(run, odds, err) == GP_OK)
        write_table(run, GP_TRAIN_RIDGE_OFFSETS, odds, err);
    free(odds);
    return err->code;
}

int gp_train_offsets_begin(gp_train_run *run, gp_err *err) {
    gp_par *par = run->job->par;
    const gp_ridge_plan plan = gp_train_ridge_plan(run);
    taker to = {.run = run};
    if (gp_par_rank(par) == 0)
        run->without = gp_mem_alloc(run->patches.chromosomes + 1,
                                    run->n * run->traits * (int64_t)sizeof *run->without, err);
    if (gp_par_agree(par, err) != GP_OK ||
        gp_ridge_parts(run->job, &plan, &run->ridge, take, &to, err) != GP_OK)
        return err->code;
    if (gp_par_rank(par) == 0)
        write_ridge(run, err);
    return gp_par_agree(par, err);
}

/* ---- networks ---- */

int gp_train_offsets_add(gp_train_run *run, const gp_train_model *m, gp_err *err) {
    int64_t p = run->traits, all = run->patches.chromosomes, count = 0, at = 0;
    int64_t fold = gp_train_fold(run, m->number);
    for (int64_t i = 0; i < run->n; i++)
        count += fold_of(run, i) == fold;
    double *mean = gp_mem_alloc(all, count * p * (int64_t)sizeof *mean, err);
    if (mean == NULL || gp_train_hidden(run, m, mean, err) != GP_OK)
        goto done;
    for (int64_t i = 0; i < run->n; i++) {
        if (fold_of(run, i) != fold)
            continue;
        for (int64_t t = 0; t < p; t++) {
            double ridge = run->ridge.value[(fold * p + t) * run->ridge.n + run->row[i]];
            for (int64_t k = 0; k < all; k++) {
                double *cell = &cells_of(run, k)[i * p + t];
                *cell = gp_train_predict(m, t, i, mean[(k * count + at) * p + t], ridge - *cell);
            }
            cells_of(run, all)[i * p + t] = m->output[i * p + t];
        }
        at++;
    }
done:
    free(mean);
    return err->code;
}

int gp_train_offsets_end(gp_train_run *run, gp_err *err) {
    if (gp_par_rank(run->job->par) == 0)
        write_table(run, GP_TRAIN_OFFSETS, NULL, err);
    return gp_par_agree(run->job->par, err);
}
