#include "jobs/network.h"
#include "src/base/mem.h"
#include "src/base/real.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 30 };

/* ---- the model ---- */

/* Local. */
static int make_models(gp_network *network, gp_err *err) {
    gp_io_network *about = &network->about;
    network->model = gp_mem_alloc(about->networks, sizeof *network->model, err);
    for (int64_t k = 0; k < about->networks && err->code == GP_OK; k++) {
        gp_nn_model *model = &network->model[k];
        *model = (gp_nn_model){.shape = about->shape,
                               .mean = about->mean,
                               .scale = about->scale,
                               .engine = network->engine};
        if (gp_nn_model_init(model, err) != GP_OK)
            break;
        int64_t count = model->table.parameters;
        for (int64_t i = 0; i < count; i++)
            model->parameter[i] = (gp_real)about->parameter[k * count + i];
    }
    free(about->parameter);
    about->parameter = NULL;
    return err->code;
}

int gp_network_open(gp_job *job, const char *directory, gp_network *network, gp_err *err) {
    network->directory = directory;
    network->room = ROOM;
    if (gp_io_network_read(&network->about, directory, err) == GP_OK &&
        network->about.shape.traits == 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: is pre-trained on genotypes alone and knows no trait; gp-dist train --init "
                   "makes a model of traits from it",
                   directory);
    if (err->code == GP_OK && gp_nn_engine_open(&network->engine, GP_NN_FLOAT32, err) == GP_OK)
        make_models(network, err);
    return gp_par_agree(job->par, err);
}

void gp_network_free(gp_network *network) {
    for (int64_t k = 0; network->model != NULL && k < network->about.networks; k++)
        gp_nn_model_free(&network->model[k]);
    free(network->model);
    gp_nn_engine_close(network->engine);
    gp_io_network_free(&network->about);
    free(network->count);
    free(network->first);
    free(network->column);
    free(network->swap);
    *network = (gp_network){0};
}

double gp_network_value(const gp_network *network, int64_t trait, double output) {
    const gp_io_trait *t = &network->about.trait[trait];
    if (network->about.shape.loss[trait] == GP_NN_LOGISTIC)
        return 1.0 / (1.0 + gp_exp(-output));
    return t->base + t->deviation * output;
}

/* ---- works ---- */

gp_nn_work **gp_network_works(const gp_network *network, int backward, gp_err *err) {
    int threads = omp_get_max_threads();
    gp_nn_work **work = gp_mem_alloc(threads + 1, sizeof *work, err); /* NULL ends them */
    for (int k = 0; work != NULL && k < threads; k++)
        if ((work[k] = gp_nn_work_new(network->model, GP_NETWORK_SHARD, backward, err)) == NULL) {
            gp_network_works_free(work);
            return NULL;
        }
    return work;
}

void gp_network_works_free(gp_nn_work **work) {
    for (int k = 0; work != NULL && work[k] != NULL; k++)
        gp_nn_work_free(work[k]);
    free(work);
}
