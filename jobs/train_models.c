/* The networks of a run, one after the other. */
#include "jobs/train.h"
#include "src/base/mem.h"
#include "src/base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START = 76 /* purpose of random numbers: src/base/rng.h */ };

gp_ridge_plan gp_train_ridge_plan(gp_train_run *run) {
    static const gp_folds none = {0};
    int whole = run->split && run->o->networks > 1;
    return (gp_ridge_plan){.store = run->store,
                           .cohort = &run->cohort,
                           .selection = &run->selection,
                           .folds = whole ? &none : &run->folds,
                           .trait = run->trait,
                           .traits = run->traits};
}

/* ---- one network ---- */

/* Every network has a start of its own, but for what --init or --warm-start gives. */
static void start(gp_train_run *run, uint32_t number) {
    gp_nn_model *model = &run->model;
    gp_rng rng = gp_rng_stream((uint64_t)run->o->seed, START, number, UINT32_MAX, 0);
    uint64_t high = gp_rng_next(&rng);
    gp_nn_start(&model->table, high << 32 | gp_rng_next(&rng), model->parameter);
    if (run->given == NULL)
        return;
    const float *given =
        run->given + (number % run->o->networks) % run->given_networks * model->table.parameters;
    for (int64_t k = 0; k < model->table.count; k++) {
        const gp_nn_tensor *t = &model->table.tensor[k];
        if (run->taken[k])
            memcpy(model->parameter + t->first, given + t->first,
                   (size_t)(t->rows * t->columns) * sizeof *model->parameter);
    }
}

static void tell(const gp_train_run *run, const char *name, const gp_trainer_result *r) {
    char loss[64] = "";
    if (isfinite(r->best_loss))
        snprintf(loss, sizeof loss, ", kept that of epoch %lld (validation loss %.4g)",
                 (long long)r->best_epoch, r->best_loss);
    gp_say(run->job->sink, GP_NOTE, "%s: %lld epochs%s%s; %.0f samples/s, %.1f s waiting for sums",
           name, (long long)r->epochs, r->stopped_early ? ", stopped early" : "", loss,
           r->seconds > 0.0 ? (double)r->samples / r->seconds : 0.0, r->waited);
}

void gp_train_name(const gp_train_model *m, int64_t network, char name[3 * GP_TRAIN_NAME]) {
    char part[GP_TRAIN_NAME] = "";
    int whole = gp_train_fold(m->run, m->number) < 0;
    if (m->run->o->networks > 1)
        snprintf(part, sizeof part, ", network %lld", (long long)network + 1);
    snprintf(name, 3 * GP_TRAIN_NAME, "%s%s%s", whole ? "" : "fold ",
             whole ? "all samples" : m->name, part);
}

static int train(gp_train_run *run, gp_train_model *m, int64_t network, gp_err *err) {
    gp_text path = {0}, digest = {0};
    gp_trainer_result result = {0};
    char name[3 * GP_TRAIN_NAME], label[3 * GP_TRAIN_NAME];
    int64_t number = m->number * run->o->networks + network;
    gp_train_name(m, network, name);
    /* The last two columns of training.tsv. */
    snprintf(label, sizeof label, "%s\t%lld", m->name, (long long)network + 1);
    gp_train_roles(run, m->number, network, m->role, err);
    gp_train_path(run, "last.safetensors", &path, err);
    gp_train_digest(run, m->number, network, &digest, err);
    const gp_trainer_plan plan = {.job = run->job,
                                  .settings = &run->o->training,
                                  .model = &run->model,
                                  .slots = &run->slots,
                                  .calls = &run->calls,
                                  .number = (uint32_t)number,
                                  .name = name,
                                  .label = label,
                                  .role = m->role,
                                  .covariate = run->z,
                                  .target = m->target,
                                  .offset = m->offset,
                                  .frozen = run->frozen,
                                  .linear = m->linear,
                                  .checkpoint = path.bytes,
                                  .digest = digest.bytes};
    if (gp_par_agree(run->job->par, err) == GP_OK) {
        start(run, (uint32_t)number);
        run->model.engine = run->engine;
        gp_trainer_run(&plan, &run->log[number], &result, err);
        run->model.engine = run->float32;
        if (err->code == GP_OK &&
            (run->traits == 0 || gp_trainer_outputs(&plan, -1, m->output, err) == GP_OK)) {
            tell(run, name, &result);
            gp_train_keep(run, m, network, err);
        }
    }
    gp_text_free(&digest);
    gp_text_free(&path);
    return err->code;
}

/* ---- models ---- */

static void tell_shares(const gp_train_model *m) {
    for (int64_t t = 0; t < m->run->traits; t++)
        gp_say(m->run->job->sink, GP_NOTE, "trait %s: %.0f%% network, %.0f%% ridge regression",
               m->trait[t].name, 100.0 * m->unit[t].gamma, 100.0 * (1.0 - m->unit[t].gamma));
}

/* What its networks become together. */
static int finish(gp_train_run *run, gp_train_model *m, gp_err *err) {
    gp_ridge_plan plan = gp_train_ridge_plan(run);
    int64_t cells = run->n * run->traits;
    int last = m->number == run->models - 1, ridge = strcmp(run->o->linear, "ridge") == 0;
    if (last && ridge && !run->masked &&
        gp_ridge_effects(run->job, &plan, &run->ridge, m->number, m->effect, err) != GP_OK)
        return err->code;
    if (gp_par_rank(run->job->par) == 0 && gp_train_read(run, m, err) == GP_OK) {
        if (run->o->keep_folds)
            gp_train_folds_add(run, m, err);
        gp_train_joined(m);
        if (run->o->offsets && gp_train_fold(run, m->number) >= 0)
            gp_train_offsets_add(run, m, err);
        if (ridge)
            tell_shares(m);
        memcpy(run->output + m->number * cells, m->mean, (size_t)cells * sizeof *m->mean);
        if (last)
            gp_train_network(run, m, err);
    }
    return gp_par_agree(run->job->par, err);
}

static int do_model(gp_train_run *run, int64_t number, gp_err *err) {
    gp_train_model m = {0};
    int warm = run->o->warm != NULL;
    if (gp_train_model_init(&m, run, number, err) == GP_OK && !run->masked)
        gp_train_join(&m, err);
    gp_par_agree(run->job->par, err);
    for (int64_t k = 0; k < run->o->networks && err->code == GP_OK; k++) {
        int trained = !run->done[number * run->o->networks + k];
        if (trained && (!warm || gp_train_warm_take(run, number, err) == GP_OK))
            train(run, &m, k, err);
        warm = warm && !trained; /* the model's networks are taken once */
        if (err->code == GP_OK && run->o->offsets && gp_train_fold(run, number) >= 0)
            gp_train_hide(run, &m, k, trained, err);
    }
    if (err->code == GP_OK)
        finish(run, &m, err);
    gp_train_model_free(&m);
    return err->code;
}

int gp_train_models(gp_train_run *run, gp_err *err) {
    for (int64_t k = 0; k < run->models && err->code == GP_OK; k++)
        do_model(run, k, err);
    return err->code;
}
