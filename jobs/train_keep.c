/* What lets an interrupted run continue: DIR/checkpoint. run.txt says what the run depends on,
 * model-FOLD-NETWORK.safetensors holds what a finished training gave, last.safetensors the training
 * in hand (jobs/trainer.h), and `finished` marks the end. Nothing in them depends on ranks. */
#include "io/file.h"
#include "io/md5.h"
#include "jobs/directory.h"
#include "jobs/train.h"
#include "src/base/mem.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int gp_train_path(const gp_train_run *run, const char *name, gp_text *path, gp_err *err) {
    return gp_text_print(path, err, "%s/checkpoint/%s", run->o->out, name);
}

int gp_train_write(gp_train_run *run, const char *name, const gp_text *text, gp_err *err) {
    gp_text path = {0};
    if (gp_par_rank(run->job->par) == 0 && err->code == GP_OK &&
        gp_text_print(&path, err, "%s/%s", run->o->out, name) == GP_OK)
        gp_io_write_file(path.bytes, text->bytes != NULL ? text->bytes : "", text->length, err);
    gp_text_free(&path);
    return gp_par_agree(run->job->par, err);
}

/* ---- what the run depends on ---- */

/* Options that change nothing, or whose content is looked at instead. */
static int matters(const gp_option *option) {
    static const char *const not [] = {"store",
                                       "pheno",
                                       "pheno-name",
                                       "covar",
                                       "covar-name",
                                       "cat-covar-name",
                                       "missing-code",
                                       "cc12",
                                       "keep",
                                       "remove",
                                       "mind",
                                       "chr",
                                       "extract",
                                       "exclude",
                                       "fold-file",
                                       "init",
                                       "warm-start",
                                       "out",
                                       "zero",
                                       "checkpoint-minutes",
                                       "checkpoint-steps",
                                       "restart",
                                       "dry-run"};
    for (size_t k = 0; k < sizeof not / sizeof *not ; k++)
        if (strcmp(not [k], option -> name) == 0)
            return 0;
    return option->type != GP_HEADING;
}

static void print_option(const gp_option *option, const void *values, gp_text *text, gp_err *err) {
    const char *at = (const char *)values + option->offset, *word;
    gp_text_print(text, err, "--%s\t", option->name);
    switch (option->type) {
    case GP_FLAG:
        gp_text_print(text, err, "%s", *(const int *)(const void *)at ? "yes" : "no");
        break;
    case GP_WHOLE:
        gp_text_print(text, err, "%lld", (long long)*(const int64_t *)(const void *)at);
        break;
    case GP_REAL:
        if (!isnan(*(const double *)(const void *)at))
            gp_text_print(text, err, "%.17g", *(const double *)(const void *)at);
        break;
    default:
        word = *(const char *const *)(const void *)at;
        gp_text_print(text, err, "%s", word != NULL ? word : "");
    }
    gp_text_add(text, "\n", 1, err);
}

static void take(gp_io_md5 *md5, const char *name, gp_text *text, gp_err *err) {
    char hex[33];
    gp_io_md5_take(md5, hex);
    gp_text_print(text, err, "%s\t%s\n", name, hex);
}

static void add_text(gp_io_md5 *md5, const char *s) {
    gp_io_md5_add(md5, s, (int64_t)strlen(s) + 1);
}

static void add_ids(gp_io_md5 *md5, const gp_ids *ids) {
    for (int64_t k = 0; k < ids->count; k++)
        add_text(md5, gp_ids_get(ids, k));
}

static void describe_people(const gp_train_run *run, gp_io_md5 *md5, gp_text *text, gp_err *err) {
    const gp_cohort *c = &run->cohort;
    int64_t n = c->samples.n, column = n * (int64_t)sizeof(double);
    gp_io_md5_add(md5, c->kept, n);
    take(md5, "samples", text, err);
    for (int64_t t = 0; t < run->traits; t++) {
        const gp_trait *trait = &c->trait[run->trait[t]];
        add_text(md5, trait->name);
        add_text(md5, trait->binary ? "binary" : "quantitative");
        gp_io_md5_add(md5, trait->value, column);
    }
    take(md5, "traits", text, err);
    for (int64_t k = 0; k < c->covariates; k++) {
        add_text(md5, c->covariate[k].name);
        gp_io_md5_add(md5, c->covariate[k].value, column);
    }
    take(md5, "covariates", text, err);
    gp_io_md5_add(md5, run->folds.of, run->folds.of != NULL ? n * (int64_t)sizeof(int64_t) : 0);
    gp_io_md5_add(md5, run->folds.label, run->folds.count * (int64_t)sizeof(int64_t));
    take(md5, "folds", text, err);
}

static void describe_variants(const gp_train_run *run, gp_io_md5 *md5, gp_text *text, gp_err *err) {
    const gp_selection *s = &run->selection;
    gp_io_md5_add(md5, s->count, s->chromosomes * (int64_t)sizeof *s->count);
    add_text(md5, s->has_extract ? "extract" : "");
    add_ids(md5, &s->extract);
    add_text(md5, "exclude");
    add_ids(md5, &s->exclude);
    take(md5, "variants", text, err);
}

/* A file's content. */
static void add_file(const char *directory, const char *name, gp_text *text, gp_err *err) {
    gp_text path = {0};
    char hex[33] = "";
    if (gp_text_print(&path, err, "%s/%s", directory, name) == GP_OK &&
        gp_io_md5_file(path.bytes, hex, err) == GP_OK)
        gp_text_print(text, err, "%s", hex);
    gp_text_free(&path);
}

static void describe_start(const gp_train_run *run, gp_text *text, gp_err *err) {
    gp_text_print(text, err, "--init\t");
    if (run->o->init != NULL)
        add_file(run->o->init, "model.safetensors", text, err);
    gp_text_print(text, err, "\n--warm-start\t");
    for (int64_t k = 0; run->o->warm != NULL && k < run->models && err->code == GP_OK; k++) {
        char fold[GP_TRAIN_NAME], name[GP_TRAIN_NAME + 40];
        gp_train_fold_name(run, gp_train_fold(run, k), fold);
        snprintf(name, sizeof name, "folds/%s/model.safetensors", fold);
        add_file(run->o->warm, name, text, err);
    }
    if (run->o->warm != NULL)
        add_file(run->o->warm, "folds/samples.tsv", text, err);
    gp_text_print(text, err, "\n");
}

/* A line each: name, tab, value. Sets the digest. Local. */
static int describe(gp_train_run *run, gp_text *text, gp_err *err) {
    gp_io_md5 *md5 = gp_io_md5_new(err);
    gp_text_print(text, err, "gp-dist\t%s\nstore\t%s\n", gp_version, gp_store_digest(run->store));
    describe_people(run, md5, text, err);
    describe_variants(run, md5, text, err);
    for (const gp_option *o = gp_train_option_table; o->name != NULL; o++)
        if (matters(o))
            print_option(o, run->o, text, err);
    describe_start(run, text, err);
    if (err->code == GP_OK) {
        gp_io_md5_add(md5, text->bytes, text->length);
        gp_io_md5_take(md5, run->digest);
    }
    gp_io_md5_free(md5);
    return err->code;
}

/* ---- the directory, on rank 0 ---- */

enum { FRESH, CONTINUE, FINISHED };

/* Names the first line that differs, and what an option was and is. */
static int differs(const gp_train_run *run, const char *was, const char *is, gp_err *err) {
    int old, new;
    for (;; was += old + 1, is += new + 1) {
        old = (int)strcspn(was, "\n");
        new = (int)strcspn(is, "\n");
        if (old != new || strncmp(was, is, (size_t)old) != 0 || was[old] == 0 || is[new] == 0)
            break;
    }
    int name = (int)strcspn(is, "\t\n"), same = strncmp(was, is, (size_t)name + 1) == 0;
    gp_text values = {0};
    if (same && strncmp(is, "--", 2) == 0 && strncmp(is, "--init", 6) != 0 &&
        strncmp(is, "--warm-start", 12) != 0)
        gp_text_print(&values, err, " (%.*s then, now %.*s)", old - name - 1, was + name + 1,
                      new - name - 1, is + name + 1);
    gp_err_set(err, GP_EINPUT,
               "%s: holds a run that differs in %.*s%s; give --restart to start afresh, or another "
               "--out",
               run->o->out, name, is, values.bytes != NULL ? values.bytes : "");
    gp_text_free(&values);
    return err->code;
}

/* Removes what only an interrupted run needs. */
static void forget_models(const gp_train_run *run) {
    gp_err ignored = {0};
    gp_text path = {0};
    DIR *directory = gp_train_path(run, "", &path, &ignored) == GP_OK ? opendir(path.bytes) : NULL;
    for (struct dirent *d; directory != NULL && (d = readdir(directory)) != NULL;)
        if (strncmp(d->d_name, "model-", 6) == 0 || strncmp(d->d_name, "last.", 5) == 0 ||
            strncmp(d->d_name, "hidden-", 7) == 0)
            gp_directory_forget(path.bytes, d->d_name);
    if (directory != NULL)
        closedir(directory);
    gp_text_free(&path);
}

/* Removes what earlier runs left, of this command and of those whose results look like models. The
 * marks go first: a directory that is half empty is nobody's. */
static void forget(const gp_train_run *run) {
    static const char *const name[] = {
        "checkpoint/finished", "checkpoint/run.txt",   "metrics.tsv",
        "heritability.tsv",    GP_TRAIN_RIDGE_OFFSETS, GP_TRAIN_OFFSETS,
        "predictions.tsv",     "training.tsv",         "config.json",
        "model.safetensors",   "variants.tsv.gz",      "effects.tsv.gz",
        "model.tsv",           "variance.tsv",         "tensorboard/events.out.tfevents.0.gp-dist"};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++)
        gp_directory_forget(run->o->out, name[k]);
    gp_train_folds_forget(run);
    forget_models(run);
}

/* Results that no run.txt tells of are not this command's to remove. */
static int look_for_others(const gp_train_run *run, gp_err *err) {
    static const char *const other[][2] = {
        {"effects.tsv.gz", "results of gp-dist blup"},
        {"model.tsv", "results of gp-dist blup"},
        {"variance.tsv", "results of gp-dist blup or assoc"},
        {"model.safetensors", "a network whose checkpoint/run.txt is gone"}};
    for (size_t k = 0; k < sizeof other / sizeof *other; k++)
        if (gp_directory_has(run->o->out, other[k][0]))
            return gp_err_set(err, GP_EINPUT,
                              "%s: holds %s (%s); name another --out, or give --restart to "
                              "replace them",
                              run->o->out, other[k][1], other[k][0]);
    return GP_OK;
}

static int has_all(const gp_train_run *run, const char *const *name, size_t count) {
    size_t there = 0;
    while (there < count && gp_directory_has(run->o->out, name[there]))
        there++;
    return there == count;
}

/* What is marked as finished may have lost a file since: then it is done again. */
static int is_whole(const gp_train_run *run) {
    static const char *const always[] = {"checkpoint/finished", "training.tsv", "config.json",
                                         "model.safetensors", "variants.tsv.gz"};
    static const char *const fitted[] = {"heritability.tsv"};
    static const char *const measured[] = {"metrics.tsv", "predictions.tsv"};
    static const char *const folds[] = {"folds/samples.tsv"};
    static const char *const offsets[] = {GP_TRAIN_RIDGE_OFFSETS, GP_TRAIN_OFFSETS};
    return has_all(run, always, sizeof always / sizeof *always) &&
           (run->masked || has_all(run, fitted, sizeof fitted / sizeof *fitted)) &&
           (run->masked || run->folds.count == 0 ||
            has_all(run, measured, sizeof measured / sizeof *measured)) &&
           (!run->o->keep_folds || has_all(run, folds, 1)) &&
           (!run->o->offsets || has_all(run, offsets, sizeof offsets / sizeof *offsets));
}

static int look(const gp_train_run *run, int64_t *state, gp_err *err) {
    gp_text path = {0}, was = {0};
    const char *now = run->begin.bytes;
    *state = FRESH;
    if (run->o->restart)
        return GP_OK;
    if (!gp_directory_has(run->o->out, "checkpoint/run.txt"))
        return look_for_others(run, err);
    if (gp_train_path(run, "run.txt", &path, err) == GP_OK &&
        gp_io_read_text(path.bytes, &was, err) == GP_OK) {
        if (strcmp(was.bytes != NULL ? was.bytes : "", now) != 0)
            differs(run, was.bytes != NULL ? was.bytes : "", now, err);
        *state = is_whole(run) ? FINISHED : CONTINUE;
    }
    gp_text_free(&was);
    gp_text_free(&path);
    return err->code;
}

static int begin(gp_train_run *run, gp_err *err) {
    gp_text path = {0};
    run->fresh = 1;
    forget(run);
    if (gp_train_path(run, "", &path, err) == GP_OK &&
        gp_io_make_directory(path.bytes, err) == GP_OK &&
        gp_text_print(&path, err, "run.txt") == GP_OK)
        gp_io_write_file(path.bytes, run->begin.bytes, run->begin.length, err);
    gp_text_free(&path);
    return err->code;
}

int gp_train_open(gp_train_run *run, int *finished, gp_err *err) {
    gp_par *par = run->job->par;
    int64_t state = 0;
    describe(run, &run->begin, err);
    run->done = gp_mem_alloc(run->models * run->o->networks, sizeof *run->done, err);
    run->log = gp_mem_alloc(run->models * run->o->networks, sizeof *run->log, err);
    if (gp_par_agree(par, err) == GP_OK && gp_par_rank(par) == 0)
        look(run, &state, err);
    if (gp_par_agree(par, err) != GP_OK || gp_par_sum(par, &state, 1, err) != GP_OK)
        return err->code;
    *finished = state == FINISHED;
    if (state != FRESH)
        gp_text_free(&run->begin);
    if (state == CONTINUE)
        gp_say(run->job->sink, GP_NOTE, "%s: continues an interrupted run", run->o->out);
    return err->code;
}

int gp_train_begin(gp_train_run *run, gp_err *err) {
    if (gp_par_rank(run->job->par) == 0 && run->begin.length > 0)
        begin(run, err);
    return gp_par_agree(run->job->par, err);
}

/* ---- the end ---- */

void gp_train_drop(const gp_train_run *run) {
    gp_err ignored = {0};
    gp_text path = {0};
    for (int64_t k = 0; run->done != NULL && k < run->models * run->o->networks; k++)
        if (run->done[k])
            return;
    if (!run->fresh || gp_directory_has(run->o->out, "checkpoint/last.safetensors"))
        return;
    if (gp_train_path(run, "", &path, &ignored) == GP_OK) {
        gp_directory_forget(path.bytes, "run.txt");
        rmdir(path.bytes);
    }
    gp_text_free(&path);
}

int gp_train_close(gp_train_run *run, gp_err *err) {
    gp_text text = {0};
    gp_text_print(&text, err, "%s\n", run->digest);
    gp_train_write(run, "checkpoint/finished", &text, err);
    gp_text_free(&text);
    if (err->code == GP_OK && gp_par_rank(run->job->par) == 0)
        forget_models(run);
    return err->code;
}
