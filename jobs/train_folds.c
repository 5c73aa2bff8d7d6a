/* train --keep-folds: DIR/folds, which a later run goes on from (jobs/train_warm.c): the networks
 * of all models as their training left them, and who trained which. */
#include "io/file.h"
#include "jobs/directory.h"
#include "jobs/train.h"
#include "src/base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int gp_train_folds_add(const gp_train_run *run, const gp_train_model *m, gp_err *err) {
    gp_text path = {0};
    if (gp_text_print(&path, err, "%s/folds/%s", run->o->out, m->name) == GP_OK &&
        gp_io_make_directory(path.bytes, err) == GP_OK)
        gp_train_network_in(m, path.bytes, err);
    gp_text_free(&path);
    return err->code;
}

/* ---- who trained which ---- */

/* A model's column.
 *   what  out  [n] GP_EARLIER_..., or 1 + the network that a sample measured */
static int set_column(const gp_train_run *run, int64_t model, uint8_t *role, int32_t *what,
                      gp_err *err) {
    for (int64_t k = 0; k < run->o->networks && err->code == GP_OK; k++) {
        gp_train_roles(run, model, k, role, err);
        for (int64_t i = 0; i < run->n; i++) {
            if (k == 0)
                what[i] = role[i] == GP_ROLE_NONE ? GP_EARLIER_OUT : GP_EARLIER_TRAINED;
            if (role[i] == GP_ROLE_VALIDATE)
                what[i] = (int32_t)k + 1;
        }
    }
    return err->code;
}

static void print_samples(const gp_train_run *run, const int32_t *what, gp_text *text,
                          gp_err *err) {
    char name[GP_TRAIN_NAME];
    gp_text_print(text, err, "FID\tIID");
    for (int64_t k = 0; k < run->models; k++) {
        gp_train_fold_name(run, gp_train_fold(run, k), name);
        gp_text_print(text, err, "\t%s", name);
    }
    for (int64_t i = 0; i < run->n && err->code == GP_OK; i++) {
        gp_text_print(text, err, "\n%s\t%s", gp_samples_fid(&run->cohort.samples, run->sample[i]),
                      gp_samples_iid(&run->cohort.samples, run->sample[i]));
        for (int64_t k = 0; k < run->models; k++)
            if (what[k * run->n + i] == GP_EARLIER_OUT)
                gp_text_print(text, err, "\tNA");
            else
                gp_text_print(text, err, "\t%d", (int)what[k * run->n + i]);
    }
    gp_text_add(text, "\n", 1, err);
}

/* On rank 0. */
static int list_samples(const gp_train_run *run, gp_text *text, gp_err *err) {
    uint8_t *role = gp_mem_alloc(run->n, 1, err);
    int32_t *what = gp_mem_alloc(run->models, run->n * (int64_t)sizeof *what, err);
    for (int64_t k = 0; k < run->models && err->code == GP_OK; k++)
        set_column(run, k, role, what + k * run->n, err);
    if (err->code == GP_OK)
        print_samples(run, what, text, err);
    free(role);
    free(what);
    return err->code;
}

int gp_train_folds_end(gp_train_run *run, gp_err *err) {
    gp_text text = {0};
    if (gp_par_rank(run->job->par) == 0)
        list_samples(run, &text, err);
    if (gp_par_agree(run->job->par, err) == GP_OK)
        gp_train_write(run, "folds/samples.tsv", &text, err);
    gp_text_free(&text);
    return err->code;
}

/* ---- an earlier run's ---- */

void gp_train_folds_forget(const gp_train_run *run) {
    gp_err ignored = {0};
    gp_text path = {0};
    if (gp_text_print(&path, &ignored, "%s/folds", run->o->out) != GP_OK)
        return;
    gp_directory_forget(path.bytes, "samples.tsv");
    int64_t length = path.length;
    DIR *directory = opendir(path.bytes);
    for (struct dirent *d; directory != NULL && (d = readdir(directory)) != NULL;) {
        path.length = length;
        if (d->d_name[0] == '.' || gp_text_print(&path, &ignored, "/%s", d->d_name) != GP_OK)
            continue;
        gp_directory_forget(path.bytes, "config.json");
        gp_directory_forget(path.bytes, "model.safetensors");
        rmdir(path.bytes);
    }
    if (directory != NULL) {
        closedir(directory);
        path.bytes[length] = 0;
        rmdir(path.bytes);
    }
    gp_text_free(&path);
}
