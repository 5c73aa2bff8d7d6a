/* A fold's networks without each chromosome: their outputs for the samples that the fold leaves
 * out, in DIR/checkpoint/hidden-FOLD-NETWORK.safetensors. */
#include "jobs/train.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 /* bytes of parameters in a message */ };

static int is_left_out(const gp_train_model *m, int64_t i) {
    return m->run->folds.of[m->run->sample[i]] == gp_train_fold(m->run, m->number);
}

static int64_t left_out(const gp_train_model *m) {
    int64_t count = 0;
    for (int64_t i = 0; i < m->run->n; i++)
        count += is_left_out(m, i);
    return count;
}

/* ---- files ---- */

static int hidden_path(const gp_train_model *m, int64_t network, gp_text *path, gp_err *err) {
    if (gp_train_path(m->run, "hidden-", path, err) == GP_OK)
        gp_text_print(path, err, "%s-%lld.safetensors", m->name, (long long)network + 1);
    return err->code;
}

static gp_io_tensor tensor_of(const gp_train_model *m, const double *output) {
    const gp_train_run *run = m->run;
    return (gp_io_tensor){.name = "output",
                          .type = GP_IO_F64,
                          .dimensions = 3,
                          .shape = {run->patches.chromosomes, left_out(m), run->traits},
                          .data = output};
}

static int write_hidden(const gp_train_model *m, int64_t network, const double *output,
                        gp_err *err) {
    gp_text path = {0}, digest = {0};
    const gp_io_tensor tensor = tensor_of(m, output);
    gp_train_digest(m->run, m->number, network, &digest, err);
    const gp_io_pair pair = {"digest", digest.bytes};
    if (hidden_path(m, network, &path, err) == GP_OK)
        gp_io_tensors_write(path.bytes, &tensor, 1, &pair, 1, err);
    gp_text_free(&path);
    gp_text_free(&digest);
    return err->code;
}

/* Opens it, and sees that it is this run's.
 *   there  out  0: there is no such file */
static int open_hidden(const gp_train_model *m, int64_t network, gp_io_tensors *file, int *there,
                       gp_err *err) {
    gp_text path = {0}, digest = {0};
    gp_train_digest(m->run, m->number, network, &digest, err);
    hidden_path(m, network, &path, err);
    *there = err->code == GP_OK && access(path.bytes, F_OK) == 0;
    if (*there && gp_io_tensors_read(path.bytes, file, err) == GP_OK) {
        const gp_io_tensor tensor = tensor_of(m, NULL);
        const char *is = gp_io_tensors_value(file, "digest");
        gp_io_tensors_get(file, path.bytes, &tensor, err);
        if (err->code == GP_OK && (is == NULL || strcmp(is, digest.bytes) != 0))
            gp_err_set(err, GP_EINPUT, "%s: is not of this run; remove it, or give --restart",
                       path.bytes);
    }
    gp_text_free(&path);
    gp_text_free(&digest);
    return err->code;
}

int gp_train_hidden(gp_train_run *run, const gp_train_model *m, double *mean, gp_err *err) {
    int64_t count = run->patches.chromosomes * left_out(m) * run->traits;
    memset(mean, 0, (size_t)count * sizeof *mean);
    for (int64_t k = 0; k < run->o->networks && err->code == GP_OK; k++) {
        gp_io_tensors file = {0};
        int there = 0;
        if (open_hidden(m, k, &file, &there, err) == GP_OK && !there)
            gp_err_set(err, GP_EFAIL,
                       "%s/checkpoint: predictions without chromosomes of model %s are gone; give "
                       "the same command again",
                       run->o->out, m->name);
        if (err->code == GP_OK) {
            const double *output = gp_io_tensors_find(&file, "output")->data;
            for (int64_t i = 0; i < count; i++)
                mean[i] += output[i] / (double)run->o->networks;
        }
        gp_io_tensors_free(&file);
    }
    return err->code;
}

/* ---- making them ---- */

/* Gives all ranks what rank 0 reads of a finished network. Collective. */
static int load(gp_train_run *run, const gp_train_model *m, int64_t network, gp_err *err) {
    gp_par *par = run->job->par;
    char *to = (char *)run->model.parameter;
    int64_t bytes = run->model.table.parameters * (int64_t)sizeof *run->model.parameter;
    gp_io_tensors file = {0};
    gp_text text = {0};
    const char *from = NULL;
    if (gp_par_rank(par) == 0 && gp_train_kept(run, m->number, network, &file, err) == GP_OK)
        from = gp_io_tensors_find(&file, "parameter")->data;
    gp_par_agree(par, err);
    for (int64_t at = 0; at < bytes && err->code == GP_OK; at += PIECE) {
        int64_t here = gp_least(PIECE, bytes - at);
        text.length = 0;
        if (from != NULL)
            gp_text_add(&text, from + at, here, err);
        if (gp_par_agree(par, err) == GP_OK && gp_par_share_text(par, &text, err) == GP_OK)
            memcpy(to + at, text.bytes, (size_t)here);
    }
    gp_text_free(&text);
    gp_io_tensors_free(&file);
    return err->code;
}

static int stopped(const char *name, gp_err *err) {
    if (gp_signals_caught() != 0)
        gp_err_set(err, GP_ESTOP,
                   "stopped by a signal in the predictions of %s without each chromosome; the same "
                   "command continues from there",
                   name);
    return err->code;
}

/* Every rank runs its samples; rank 0 keeps them all. Collective.
 *   output  out  [chromosomes x left-out samples x traits] on rank 0; else NULL */
static int run_without(gp_train_run *run, gp_train_model *m, const char *name, double *output,
                       gp_err *err) {
    const gp_trainer_plan plan = {.job = run->job,
                                  .settings = &run->o->training,
                                  .model = &run->model,
                                  .slots = &run->slots,
                                  .calls = &run->calls,
                                  .role = m->role,
                                  .covariate = run->z,
                                  .offset = m->offset,
                                  .linear = m->linear};
    int64_t p = run->traits;
    size_t row = (size_t)p * sizeof *output;
    gp_progress progress = {0};
    gp_progress_open(&progress, run->job->sink, "chromosomes", run->patches.chromosomes);
    run->model.engine = run->float32;
    for (int32_t c = 0; c < run->patches.chromosomes; c++) {
        stopped(name, err);
        if (gp_par_agree(run->job->par, err) != GP_OK ||
            gp_trainer_outputs_of(&plan, GP_ROLE_NONE, c, m->output, err) != GP_OK)
            break;
        for (int64_t i = 0; output != NULL && i < run->n; i++)
            if (is_left_out(m, i)) {
                memcpy(output, m->output + i * p, row);
                output += p;
            }
        gp_progress_at(&progress, c + 1);
    }
    gp_progress_close(&progress);
    return err->code;
}

int gp_train_hide(gp_train_run *run, gp_train_model *m, int64_t network, int there, gp_err *err) {
    gp_par *par = run->job->par;
    int root = gp_par_rank(par) == 0, found = 0;
    gp_io_tensors file = {0};
    double *output = NULL;
    char name[3 * GP_TRAIN_NAME];
    if (root && !there)
        open_hidden(m, network, &file, &found, err);
    gp_io_tensors_free(&file);
    int64_t done = found;
    if (gp_par_agree(par, err) != GP_OK || gp_par_max(par, &done, 1, err) != GP_OK || done)
        return err->code;
    gp_train_name(m, network, name);
    gp_train_roles(run, m->number, network, m->role, err);
    if (root)
        output = gp_mem_alloc(run->patches.chromosomes,
                              left_out(m) * run->traits * (int64_t)sizeof *output, err);
    if (gp_par_agree(par, err) == GP_OK && (there || load(run, m, network, err) == GP_OK) &&
        run_without(run, m, name, output, err) == GP_OK) {
        if (root)
            write_hidden(m, network, output, err);
        gp_par_agree(par, err);
    }
    free(output);
    return err->code;
}
