/* What a finished training gave, in DIR/checkpoint: outputs of all samples in use, its lines of
 * training.tsv, and of the last model its parameters. */
#include "jobs/train.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "DIR/checkpoint/model-FOLD-NETWORK.safetensors" */
static int model_path(const gp_train_run *run, int64_t model, int64_t network, gp_text *path,
                      gp_err *err) {
    char name[GP_TRAIN_NAME];
    gp_train_fold_name(run, gp_train_fold(run, model), name);
    if (gp_train_path(run, "model-", path, err) == GP_OK)
        gp_text_print(path, err, "%s-%lld.safetensors", name, (long long)network + 1);
    return err->code;
}

int gp_train_digest(const gp_train_run *run, int64_t model, int64_t network, gp_text *digest,
                    gp_err *err) {
    return gp_text_print(digest, err, "%s-%lld-%lld", run->digest, (long long)model,
                         (long long)network);
}

/* The last model's networks are kept; those of folds predict without a chromosome, or are wanted.
 */
static int keeps_parameters(const gp_train_run *run, int64_t model) {
    return model == run->models - 1 || run->o->offsets || run->o->keep_folds;
}

int gp_train_kept(const gp_train_run *run, int64_t model, int64_t network, gp_io_tensors *file,
                  gp_err *err) {
    gp_text path = {0}, digest = {0};
    gp_train_digest(run, model, network, &digest, err);
    if (model_path(run, model, network, &path, err) == GP_OK &&
        gp_io_tensors_read(path.bytes, file, err) == GP_OK) {
        const gp_io_tensor output = {
            .name = "output", .type = GP_IO_F64, .dimensions = 2, .shape = {run->n, run->traits}};
        const gp_io_tensor parameter = {.name = "parameter",
                                        .type = GP_IO_F32,
                                        .dimensions = 1,
                                        .shape = {run->model.table.parameters}};
        const gp_io_tensor *log = gp_io_tensors_find(file, "log");
        const char *is = gp_io_tensors_value(file, "digest");
        gp_io_tensors_get(file, path.bytes, &output, err);
        if (err->code == GP_OK && keeps_parameters(run, model))
            gp_io_tensors_get(file, path.bytes, &parameter, err);
        if (err->code == GP_OK && (log == NULL || log->type != GP_IO_U8 || log->dimensions != 1 ||
                                   is == NULL || strcmp(is, digest.bytes) != 0))
            gp_err_set(err, GP_EINPUT, "%s: is not of this run; remove it, or give --restart",
                       path.bytes);
    }
    gp_text_free(&digest);
    gp_text_free(&path);
    return err->code;
}

/* A run that ended just after a network was finished left its training: not the next one's. */
static void forget_training(const gp_train_run *run) {
    gp_err ignored = {0};
    gp_text path = {0}, digest = {0};
    gp_io_tensors file = {0};
    int64_t networks = run->o->networks;
    int old = 0;
    if (gp_train_path(run, "last.safetensors", &path, &ignored) == GP_OK &&
        access(path.bytes, F_OK) == 0 && gp_io_tensors_read(path.bytes, &file, &ignored) == GP_OK)
        for (int64_t k = 0; k < run->models * networks; k++) {
            digest.length = 0;
            gp_train_digest(run, k / networks, k % networks, &digest, &ignored);
            for (int64_t v = 0; v < file.pairs && run->done[k]; v++)
                old |= digest.bytes != NULL && strcmp(file.pair[v].value, digest.bytes) == 0;
        }
    gp_io_tensors_free(&file);
    if (old)
        unlink(path.bytes);
    gp_text_free(&digest);
    gp_text_free(&path);
}

/* On rank 0. */
static int look_at_models(gp_train_run *run, int64_t *done, gp_err *err) {
    int64_t networks = run->o->networks;
    for (int64_t k = 0; k < run->models * networks && err->code == GP_OK; k++) {
        gp_text path = {0};
        gp_io_tensors file = {0};
        if (model_path(run, k / networks, k % networks, &path, err) == GP_OK &&
            access(path.bytes, F_OK) == 0 &&
            gp_train_kept(run, k / networks, k % networks, &file, err) == GP_OK)
            run->done[k] = done[k] = 1;
        gp_io_tensors_free(&file);
        gp_text_free(&path);
    }
    if (err->code == GP_OK)
        forget_training(run);
    return err->code;
}

int gp_train_take(gp_train_run *run, gp_err *err) {
    gp_par *par = run->job->par;
    int64_t count = run->models * run->o->networks, all = 0;
    int64_t *done = gp_mem_alloc(count, sizeof *done, err);
    if (gp_par_rank(par) == 0) {
        run->output = gp_mem_alloc(run->models * run->n * run->traits, sizeof(double), err);
        if (err->code == GP_OK)
            look_at_models(run, done, err);
    }
    if (gp_par_agree(par, err) == GP_OK && gp_par_max(par, done, count, err) == GP_OK)
        for (int64_t k = 0; k < count; k++) {
            run->done[k] = (uint8_t)done[k];
            all += done[k];
        }
    if (err->code == GP_OK && all > 0)
        gp_say(run->job->sink, GP_NOTE, "%s: %lld of %lld trainings are done already", run->o->out,
               (long long)all, (long long)count);
    free(done);
    return err->code;
}

int gp_train_keep(gp_train_run *run, const gp_train_model *m, int64_t network, gp_err *err) {
    int64_t number = m->number * run->o->networks + network;
    const gp_text *log = &run->log[number];
    const gp_io_tensor tensor[] = {{.name = "log",
                                    .type = GP_IO_U8,
                                    .dimensions = 1,
                                    .shape = {log->length},
                                    .data = log->bytes},
                                   {.name = "output",
                                    .type = GP_IO_F64,
                                    .dimensions = 2,
                                    .shape = {run->n, run->traits},
                                    .data = m->output},
                                   {.name = "parameter",
                                    .type = GP_IO_F32,
                                    .dimensions = 1,
                                    .shape = {run->model.table.parameters},
                                    .data = run->model.parameter}};
    gp_text path = {0}, last = {0}, digest = {0};
    gp_train_digest(run, m->number, network, &digest, err);
    const gp_io_pair pair = {"digest", digest.bytes};
    if (gp_par_rank(run->job->par) == 0 &&
        model_path(run, m->number, network, &path, err) == GP_OK &&
        gp_train_path(run, "last.safetensors", &last, err) == GP_OK &&
        gp_io_tensors_write(path.bytes, tensor, keeps_parameters(run, m->number) ? 3 : 2, &pair, 1,
                            err) == GP_OK)
        unlink(last.bytes);
    gp_text_free(&last);
    gp_text_free(&path);
    gp_text_free(&digest);
    run->done[number] = 1;
    return gp_par_agree(run->job->par, err);
}

/* ---- reading ---- */

static int read_one(gp_train_run *run, gp_train_model *m, int64_t network, gp_err *err) {
    int64_t p = run->traits, cells = run->n * p, size = run->model.table.parameters;
    gp_text *log = &run->log[m->number * run->o->networks + network];
    gp_io_tensors file = {0};
    if (gp_train_roles(run, m->number, network, m->role, err) == GP_OK &&
        gp_train_kept(run, m->number, network, &file, err) == GP_OK) {
        const gp_io_tensor *lines = gp_io_tensors_find(&file, "log");
        const double *output = gp_io_tensors_find(&file, "output")->data;
        for (int64_t i = 0; i < cells; i++) {
            m->mean[i] += output[i] / (double)run->o->networks;
            if (m->role[i / p] == GP_ROLE_VALIDATE)
                m->blind[i] = output[i];
        }
        if (m->parameter != NULL)
            memcpy(m->parameter + network * size, gp_io_tensors_find(&file, "parameter")->data,
                   (size_t)size * sizeof *m->parameter);
        log->length = 0;
        gp_text_add(log, lines->data, lines->shape[0], err);
    }
    gp_io_tensors_free(&file);
    return err->code;
}

int gp_train_read(gp_train_run *run, gp_train_model *m, gp_err *err) {
    int64_t cells = run->n * run->traits, networks = run->o->networks;
    for (int64_t i = 0; i < cells; i++) {
        m->mean[i] = 0.0;
        m->blind[i] = NAN;
    }
    if (m->number == run->models - 1 || run->o->keep_folds)
        m->parameter = gp_mem_alloc(run->model.table.parameters,
                                    networks * (int64_t)sizeof *m->parameter, err);
    for (int64_t k = 0; k < networks && err->code == GP_OK; k++)
        read_one(run, m, k, err);
    return err->code;
}
