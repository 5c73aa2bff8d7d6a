#include "jobs/trainer.h"
#include "jobs/trainer_inside.h"
#include "src/base/split.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char gp_trainer_header[] =
    "step\tepoch\ttrain_loss\tvalidation_loss\tlearning_rate\tgradient_norm\tfold\n";

/* ---- opening and closing ---- */

static int open_training(gp_trainer *t, gp_err *err) {
    const gp_trainer_plan *plan = t->plan;
    const gp_trainer_settings *s = plan->settings;
    if (gp_epoch_init(&t->epoch, plan->slots, plan->role, s->batch, err) != GP_OK)
        return err->code;
    if (t->epoch.largest == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: no sample is left to train with; see --folds, --validation and the "
                          "traits' missing values",
                          plan->name);
    t->listed = gp_units(s->batch, plan->slots->slots);
    t->shard = gp_most(t->listed, t->epoch.largest);
    if (gp_trainer_list_init(t, GP_ROLE_VALIDATE, &t->validation, err) != GP_OK ||
        gp_lanes_init(t, 1, err) != GP_OK)
        return err->code;
    return gp_trainer_step_init(t, err);
}

static void close_training(gp_trainer *t) {
    gp_progress_close(&t->progress);
    gp_trainer_step_free(t);
    gp_lanes_free(t);
    gp_trainer_list_free(&t->validation);
    gp_epoch_free(&t->epoch);
}

static int64_t training_samples(const gp_trainer *t) {
    return t->epoch.begin[t->plan->slots->slots];
}

/* ---- best parameters ---- */

static void keep_best(gp_trainer *t, double loss) {
    const gp_nn_model *model = t->plan->model;
    memcpy(t->best, model->parameter, (size_t)model->table.parameters * sizeof *t->best);
    t->number.best_loss = loss;
    t->count.best_epoch = t->count.epoch;
    t->count.since_best = 0;
}

/* The network as it starts is the first that may be the best. */
static int begin(gp_trainer *t, gp_err *err) {
    double loss = 0;
    if (t->count.began)
        return GP_OK;
    t->count.began = 1;
    t->number.best_loss = NAN;
    if (t->validation.shards > 0 && gp_trainer_validate(t, &loss, err) == GP_OK)
        keep_best(t, loss);
    return err->code;
}

static void judge(gp_trainer *t, double loss) {
    int64_t patience = t->plan->settings->patience;
    if (loss < t->number.best_loss || patience == 0)
        keep_best(t, loss);
    else if (++t->count.since_best >= patience)
        t->count.stopped_early = 1;
}

/* ---- epochs ---- */

static int print_number(gp_text *log, double x, gp_err *err) {
    return isfinite(x) ? gp_text_print(log, err, "\t%.9g", x) : gp_text_print(log, err, "\tNA");
}

static int report(gp_trainer *t, double training, double validation, gp_err *err) {
    const gp_trainer_plan *plan = t->plan;
    char beside[64] = "";
    if (isfinite(validation))
        snprintf(beside, sizeof beside, ", validation loss %.6g", validation);
    gp_say(plan->job->sink, GP_NOTE, "%s: epoch %lld of %lld: training loss %.6g%s", plan->name,
           (long long)t->count.epoch, (long long)plan->settings->epochs, training, beside);
    gp_text_print(t->log, err, "%lld\t%lld", (long long)t->count.steps, (long long)t->count.epoch);
    print_number(t->log, training, err);
    print_number(t->log, validation, err);
    print_number(t->log, gp_trainer_rate(t, t->count.steps), err);
    print_number(t->log, t->number.norm, err);
    gp_text_print(t->log, err, "\t%s\n", plan->label);
    return gp_par_agree(t->par, err);
}

/* Whether it is time to save, by rank 0's clock. */
static int is_due(gp_trainer *t, gp_err *err) {
    double minutes = (gp_clock() - t->saved) / 60;
    int64_t due = gp_par_rank(t->par) == 0 && minutes >= t->plan->settings->checkpoint_minutes;
    gp_par_max(t->par, &due, 1, err);
    return due != 0;
}

static int end_epoch(gp_trainer *t, gp_err *err) {
    double training = t->number.loss / (double)training_samples(t), validation = NAN;
    if (t->validation.shards > 0 && gp_trainer_validate(t, &validation, err) != GP_OK)
        return err->code;
    t->count.epoch++;
    t->count.at = 0;
    t->number.loss = 0;
    if (t->validation.shards > 0)
        judge(t, validation);
    if (report(t, training, validation, err) == GP_OK && is_due(t, err))
        gp_trainer_save(t, err);
    return err->code;
}

/* Saved, so that nothing is lost. */
static int stop_here(gp_trainer *t, gp_err *err) {
    if (gp_trainer_save(t, err) != GP_OK)
        return err->code;
    return gp_err_set(err, GP_ESTOP, "stopped by a signal at step %lld of %s; %s",
                      (long long)t->count.steps, t->plan->name,
                      t->plan->checkpoint != NULL ? "the same command continues from there"
                                                  : "the same command starts over");
}

static int run_epoch(gp_trainer *t, gp_err *err) {
    const gp_trainer_settings *s = t->plan->settings;
    int stop = 0;
    gp_epoch_shuffle(&t->epoch, s->seed, t->plan->number, (uint32_t)t->count.epoch);
    while (t->count.at < t->epoch.steps) {
        if (gp_trainer_step(t, &stop, err) != GP_OK)
            return err->code;
        if (stop)
            return stop_here(t, err);
        if (s->checkpoint_steps > 0 && t->count.steps % s->checkpoint_steps == 0 &&
            gp_trainer_save(t, err) != GP_OK)
            return err->code;
    }
    return end_epoch(t, err);
}

static int train(gp_trainer *t, gp_err *err) {
    const gp_trainer_plan *plan = t->plan;
    int found = 0;
    t->saved = gp_clock();
    if (gp_trainer_resume(t, &found, err) != GP_OK || begin(t, err) != GP_OK)
        return err->code;
    if (found)
        gp_say(plan->job->sink, GP_NOTE, "%s: goes on after step %lld", plan->name,
               (long long)t->count.steps);
    gp_progress_open(&t->progress, plan->job->sink, "samples",
                     plan->settings->epochs * training_samples(t));
    while (t->count.epoch < plan->settings->epochs && !t->count.stopped_early)
        if (run_epoch(t, err) != GP_OK)
            return err->code;
    if (t->best != NULL)
        memcpy(plan->model->parameter, t->best,
               (size_t)plan->model->table.parameters * sizeof *t->best);
    else
        t->count.best_epoch = t->count.epoch;
    return gp_trainer_check(t, err);
}

int gp_trainer_run(const gp_trainer_plan *plan, gp_text *log, gp_trainer_result *result,
                   gp_err *err) {
    double begun = gp_clock();
    gp_trainer t = {.plan = plan,
                    .par = plan->job->par,
                    /* Networks of one run differ in their masks. */
                    .seed = plan->settings->seed + 0x9E3779B97F4A7C15u * plan->number,
                    .log = log,
                    .log_begin = log->length};
    open_training(&t, err);
    if (gp_par_agree(t.par, err) == GP_OK)
        train(&t, err);
    *result =
        (gp_trainer_result){.steps = t.count.steps,
                            .epochs = t.count.epoch,
                            .best_epoch = t.count.best_epoch,
                            .best_loss = t.validation.shards > 0 ? t.number.best_loss : NAN,
                            .stopped_early = t.count.stopped_early != 0,
                            .seconds = gp_clock() - begun,
                            .waited = t.buckets != NULL ? gp_par_buckets_waited(t.buckets) : 0,
                            .samples = t.count.samples};
    close_training(&t);
    return err->code;
}

int64_t gp_trainer_bytes(const gp_trainer_settings *settings, const gp_nn_model *model,
                         int64_t shard, int64_t threads, int64_t ranks) {
    const gp_nn_shape *shape = &model->shape;
    int64_t parameters = model->table.parameters, real = (int64_t)sizeof(gp_real);
    int64_t owners = settings->zero && settings->lora == 0 ? ranks : 1;
    int64_t sample = real * (shape->covariates + 3 * shape->traits) + shape->patches + 16;
    int64_t lane = gp_nn_work_bytes(shape, &model->table, shard, 1) + shard * sample +
                   real * gp_least(GP_NN_BUCKET, parameters);
    /* Sums, best parameters, moments; adapters' base and the network's whole gradient. */
    int64_t rest = parameters * ((int64_t)sizeof(int64_t) + real) +
                   gp_units(2 * real * parameters, owners) +
                   (settings->lora > 0 ? 2 * real * parameters : 0);
    return threads * lane + rest;
}
