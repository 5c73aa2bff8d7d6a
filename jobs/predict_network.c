/* Predictions of a trained network: ranks share out the samples. */
#include "jobs/job.h"
#include "jobs/network.h"
#include "jobs/predict.h"
#include "mpi/gather.h"
#include "src/base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

typedef struct predictor {
    gp_predict_run *run;
    gp_network network;
    gp_network_people people;
    gp_nn_work **work;
    int64_t forms;   /* of the network: 1, or one for each chromosome that is masked */
    uint8_t *masked; /* [forms x GP_NETWORK_SHARD x patches], or NULL */
    gp_real *output; /* [threads x GP_NETWORK_SHARD x traits] of one network */
    double *mean;    /* [threads x GP_NETWORK_SHARD x traits] of all */
    gp_text value;   /* doubles: [this rank's samples x traits x forms] */
} predictor;

static void predictor_free(predictor *p) {
    gp_network_works_free(p->work);
    gp_network_people_free(&p->people);
    gp_network_free(&p->network);
    free(p->masked);
    free(p->output);
    free(p->mean);
    gp_text_free(&p->value);
}

/* ---- a shard ---- */

/* Means over the networks: [S x traits]. */
static const double *run_networks(predictor *p, int thread, const gp_nn_batch *batch) {
    const gp_io_network *about = &p->network.about;
    int64_t row = GP_NETWORK_SHARD * about->shape.traits;
    int64_t count = batch->samples * about->shape.traits;
    gp_real *output = p->output + thread * row;
    double *mean = p->mean + thread * row;
    memset(mean, 0, (size_t)count * sizeof *mean);
    for (int64_t k = 0; k < about->networks; k++) {
        gp_nn_forward(&p->network.model[k], p->work[thread], batch, output);
        for (int64_t i = 0; i < count; i++)
            mean[i] += (double)output[i];
    }
    for (int64_t i = 0; i < count; i++)
        mean[i] /= (double)about->networks;
    return mean;
}

/* What the table holds of a trait, given the network's output. */
static double value_of(const predictor *p, int64_t trait, double output) {
    int logistic = p->network.about.shape.loss[trait] == GP_NN_LOGISTIC;
    return logistic && p->run->o->log_odds ? output : gp_network_value(&p->network, trait, output);
}

static void visit(void *context, int thread, int64_t first, const gp_nn_batch *batch) {
    predictor *p = context;
    const gp_nn_shape *shape = &p->network.about.shape;
    gp_nn_batch each = *batch;
    double *to = (double *)p->value.bytes + (first - p->people.begin) * shape->traits * p->forms;
    for (int64_t k = 0; k < p->forms; k++) {
        if (p->masked != NULL)
            each.masked = p->masked + k * GP_NETWORK_SHARD * shape->patches;
        const double *mean = run_networks(p, thread, &each);
        for (int64_t i = 0; i < each.samples; i++)
            for (int64_t t = 0; t < shape->traits; t++)
                to[(i * shape->traits + t) * p->forms + k] =
                    value_of(p, t, mean[i * shape->traits + t]);
    }
}

/* ---- before and after ---- */

/* Names the columns. Local. */
static int name_columns(predictor *p, gp_err *err) {
    gp_predict_run *run = p->run;
    const gp_io_network *about = &p->network.about;
    gp_text name = {0};
    run->trait = gp_mem_alloc(about->shape.traits, p->forms * (int64_t)sizeof *run->trait, err);
    for (int64_t t = 0; err->code == GP_OK && t < about->shape.traits; t++)
        for (int64_t k = 0; err->code == GP_OK && k < p->forms; k++) {
            name.length = 0;
            gp_text_print(&name, err, "%s", about->trait[t].name);
            if (run->o->loco)
                gp_text_print(&name, err, "@%s", about->chromosome[k]);
            if (err->code == GP_OK)
                run->trait[run->traits++] = gp_mem_string(name.bytes, name.length, err);
        }
    gp_text_free(&name);
    return err->code;
}

/* Local. */
static int mask_chromosomes(predictor *p, gp_err *err) {
    const gp_nn_shape *shape = &p->network.about.shape;
    p->masked = gp_mem_alloc(p->forms * GP_NETWORK_SHARD, shape->patches, err);
    for (int64_t k = 0; p->masked != NULL && k < p->forms * GP_NETWORK_SHARD; k++)
        for (int64_t j = 0; j < shape->patches; j++)
            p->masked[k * shape->patches + j] = shape->chromosome[j] == k / GP_NETWORK_SHARD;
    return err->code;
}

/* Local. */
static int make_room(predictor *p, gp_err *err) {
    gp_predict_run *run = p->run;
    const gp_nn_shape *shape = &p->network.about.shape;
    int64_t mine = p->people.end - p->people.begin;
    p->forms = run->o->loco ? shape->chromosomes : 1;
    if (name_columns(p, err) != GP_OK || (run->o->loco && mask_chromosomes(p, err) != GP_OK))
        return err->code;
    int64_t row = run->traits * (int64_t)sizeof(double);
    int64_t shard = GP_NETWORK_SHARD * shape->traits;
    p->output = gp_mem_alloc(omp_get_max_threads(), shard * (int64_t)sizeof *p->output, err);
    p->mean = gp_mem_alloc(omp_get_max_threads(), shard * (int64_t)sizeof *p->mean, err);
    p->work = gp_network_works(&p->network, 0, err);
    if (gp_par_rank(run->job->par) == 0)
        run->value = gp_mem_alloc(run->cohort.samples.n, row, err);
    if (err->code == GP_OK && gp_text_room(&p->value, mine * row + 1, err) != NULL)
        p->value.length = mine * row;
    return err->code;
}

/* Collective: brings all values to rank 0, where samples that were not predicted get none. */
static int gather(predictor *p, gp_err *err) {
    gp_predict_run *run = p->run;
    int64_t columns = run->traits, row = columns * (int64_t)sizeof(double);
    gp_text all = {0};
    gp_par_gather(run->job->par, &p->value, &all, 1, err);
    if (gp_par_agree(run->job->par, err) == GP_OK && run->value != NULL) {
        for (int64_t k = 0; k < run->cohort.samples.n * columns; k++)
            run->value[k] = NAN;
        for (int64_t i = 0; i < p->people.n; i++)
            memcpy(run->value + p->people.sample[i] * columns, all.bytes + i * row, (size_t)row);
    }
    gp_text_free(&all);
    return err->code;
}

static void warn(const predictor *p) {
    const gp_predict_run *run = p->run;
    if (run->o->loco && !(p->network.about.chromosome_dropout > 0.0))
        gp_say(run->job->sink, GP_WARN,
               "%s: was trained without --chromosome-dropout; it never met a masked chromosome, "
               "and its predictions with --loco may be poor",
               run->o->model);
}

int gp_predict_network(gp_predict_run *run, gp_err *err) {
    predictor p = {.run = run};
    const gp_network_ask ask = {.command = "predict",
                                .cohort = &run->cohort,
                                .covar = run->o->cohort.covar,
                                .missing_code = run->o->cohort.missing_code};
    if (gp_network_open(run->job, run->o->model, &p.network, err) == GP_OK &&
        gp_network_match(run->job, &p.network, run->store, err) == GP_OK &&
        gp_network_people_init(run->job, &p.network, &ask, &p.people, err) == GP_OK) {
        warn(&p);
        make_room(&p, err);
        if (gp_par_agree(run->job->par, err) == GP_OK &&
            gp_network_walk(run->job, &p.network, &p.people, visit, &p, err) == GP_OK)
            gather(&p, err);
    }
    predictor_free(&p);
    return err->code;
}
