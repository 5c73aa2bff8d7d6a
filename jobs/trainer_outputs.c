#include "jobs/trainer_inside.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

int gp_trainer_list_init(const gp_trainer *t, int role, gp_trainer_list *list, gp_err *err) {
    const gp_slots *slots = t->plan->slots;
    int64_t count = 0;
    list->number = gp_mem_alloc(slots->n, sizeof *list->number, err);
    list->from = gp_mem_alloc(slots->n + 1, sizeof *list->from, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t s = 0; s <= slots->slots; s++) {
        if (s == slots->first)
            list->first = list->shards;
        if (s == slots->last)
            list->last = list->shards;
        for (int64_t i = slots->begin[s], in = 0; s < slots->slots && i < slots->begin[s + 1]; i++)
            if (role < 0 || t->plan->role[i] == role) {
                if (in++ % t->listed == 0)
                    list->from[list->shards++] = count;
                list->number[count++] = i;
            }
    }
    list->from[list->shards] = count;
    return GP_OK;
}

void gp_trainer_list_free(gp_trainer_list *list) {
    free(list->number);
    free(list->from);
    *list = (gp_trainer_list){0};
}

/* Runs this rank's shards of a list.
 *   loss    out  [shards] of the shards run; or NULL
 *   output  out  [n x p] of the samples run; or NULL */
static void run_list(gp_trainer *t, const gp_trainer_list *list, gp_shard what, double *loss,
                     double *output) {
    int64_t p = t->plan->model->shape.traits;
#pragma omp parallel for schedule(dynamic) num_threads(t->runners)
    for (int64_t k = list->first; k < list->last; k++) {
        gp_lane *lane = &t->lane[omp_get_thread_num()];
        gp_shard shard = what;
        shard.number = list->number + list->from[k];
        shard.samples = list->from[k + 1] - list->from[k];
        gp_nn_batch batch = gp_lane_batch(t, lane, &shard);
        double of_shard =
            gp_nn_forward(t->plan->model, lane->work, &batch, output != NULL ? lane->output : NULL);
        if (loss != NULL)
            loss[k] = of_shard;
        for (int64_t i = 0; output != NULL && i < shard.samples; i++)
            for (int64_t j = 0; j < p; j++)
                output[shard.number[i] * p + j] = (double)lane->output[i * p + j];
    }
}

int gp_trainer_validate(gp_trainer *t, double *mean, gp_err *err) {
    const gp_trainer_list *list = &t->validation;
    double *loss = gp_mem_alloc(list->shards, sizeof *loss, err), sum = 0;
    if (gp_par_agree(t->par, err) != GP_OK)
        goto done;
    run_list(t, list, (gp_shard){.use = GP_SHARD_VALIDATE, .masked_chromosome = -1}, loss, NULL);
    if (gp_par_complete(t->par, loss, list->shards, err) != GP_OK)
        goto done;
    for (int64_t k = 0; k < list->shards; k++)
        sum += loss[k];
    *mean = sum / (double)list->from[list->shards];
    if (!isfinite(*mean))
        gp_trainer_not_a_number(t, "validation loss", t->count.steps, err);
done:
    free(loss);
    return err->code;
}

int gp_trainer_outputs(const gp_trainer_plan *plan, int32_t masked_chromosome, double *output,
                       gp_err *err) {
    return gp_trainer_outputs_of(plan, -1, masked_chromosome, output, err);
}

int gp_trainer_outputs_of(const gp_trainer_plan *plan, int role, int32_t masked_chromosome,
                          double *output, gp_err *err) {
    int64_t shard = gp_units(plan->settings->batch, plan->slots->slots);
    int64_t count = plan->slots->n * plan->model->shape.traits;
    gp_trainer t = {.plan = plan, .par = plan->job->par, .shard = shard, .listed = shard};
    gp_trainer_list all = {0};
    gp_trainer_list_init(&t, role, &all, err);
    gp_lanes_init(&t, 0, err);
    if (gp_par_agree(t.par, err) != GP_OK)
        goto done;
    memset(output, 0, (size_t)count * sizeof *output);
    run_list(&t, &all, (gp_shard){.use = GP_SHARD_PREDICT, .masked_chromosome = masked_chromosome},
             NULL, output);
    gp_par_complete(t.par, output, count, err);
done:
    gp_trainer_list_free(&all);
    gp_lanes_free(&t);
    return err->code;
}
