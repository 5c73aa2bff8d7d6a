/* train --dry-run: what would be trained, and what a rank needs for it. */
#include "jobs/train.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BASE = 25000000, /* MPI, HDF5 and the program itself */
    BLAS = 40000000, /* its buffers */
    ID = 120,
    CALLS = 4, /* in a byte */
    ROW = 64   /* bytes that rows of calls are rounded to */
};

/* Bytes of the largest rank, by what they are for. */
typedef struct bytes {
    int64_t people, baselines, calls, parameters, training;
    int64_t joining; /* on rank 0, when the networks of all samples are put together */
} bytes;

static bytes count_bytes(gp_train_run *run, const gp_nn_model *model) {
    const gp_slots *s = &run->slots;
    int64_t ranks = gp_par_size(run->job->par), samples = 0;
    int64_t columns = run->cohort.covariates + run->traits;
    gp_ridge_plan ridge;
    for (int64_t k = 0; k < ranks; k++) {
        int64_t from = s->begin[gp_split_begin(s->slots, 1, ranks, k)];
        int64_t to = s->begin[gp_split_begin(s->slots, 1, ranks, k + 1)];
        if (from < to)
            samples = gp_most(samples, s->sample[to - 1] + 1 - s->sample[from]);
    }
    bytes b = {.people = BASE + BLAS + run->cohort.samples.n * (ID + 8 * columns) +
                         8 * run->n * (run->cohort.covariates + (5 + run->models) * run->traits)};
    int64_t row = gp_round_up(gp_units(run->variants->total, CALLS), ROW);
    b.calls = samples * row + 24 * run->variants->first[run->variants->chromosomes];
    b.parameters = model->table.parameters * (int64_t)sizeof(gp_real);
    b.training =
        gp_trainer_bytes(&run->o->training, model, gp_units(run->o->training.batch, s->slots) + 1,
                         omp_get_max_threads(), ranks);
    if (ranks > 1) /* MPI's own room for sums on their way */
        b.training += model->table.parameters * (int64_t)sizeof(int64_t);
    b.joining = (run->o->networks + 1) * b.parameters;
    if (run->o->offsets) /* without each chromosome; and of one fold's samples again */
        b.people += 8 * run->traits *
                    (run->n * (run->patches.chromosomes + 1) +
                     gp_units(run->n, run->folds.count) * run->patches.chromosomes);
    if (run->o->init != NULL || run->o->warm != NULL)
        b.parameters += run->o->networks * b.parameters;
    if (!run->masked) {
        ridge = gp_train_ridge_plan(run);
        b.baselines = gp_ridge_bytes(&ridge, run->variants->total, ranks);
    }
    return b;
}

static void print_samples(const gp_train_run *run, const uint8_t *role) {
    printf("samples: %lld in the store, %lld kept, %lld in use\n", (long long)run->cohort.samples.n,
           (long long)gp_cohort_kept(&run->cohort), (long long)run->n);
    if (!run->masked)
        printf("traits: %lld\n", (long long)run->traits);
    if (run->split)
        printf("folds: none, %lld samples to train with, %lld for validation\n",
               (long long)gp_train_count(run, role, GP_ROLE_TRAIN),
               (long long)gp_train_count(run, role, GP_ROLE_VALIDATE));
    else
        printf("folds: %lld; of the first %lld samples to train with, %lld for validation, %lld "
               "left out\n",
               (long long)run->folds.count, (long long)gp_train_count(run, role, GP_ROLE_TRAIN),
               (long long)gp_train_count(run, role, GP_ROLE_VALIDATE),
               (long long)gp_train_count(run, role, GP_ROLE_NONE));
}

static void print_network(const gp_train_run *run, const gp_nn_model *model) {
    const gp_nn_shape *s = &model->shape;
    int64_t numbers = 0;
    for (int64_t k = 0; k < model->table.count; k++)
        numbers += model->table.tensor[k].rows * model->table.tensor[k].columns;
    printf("variants: %lld, in %lld patches of up to %lld (positions: %s)\n",
           (long long)s->variants, (long long)s->patches, (long long)run->o->patch,
           run->patches.from);
    printf("network: %lld tokens (%lld covariates), %lld layers, %lld channels, %lld heads, %lld "
           "parameters\n",
           (long long)gp_nn_tokens(s), (long long)s->covariates, (long long)s->layers,
           (long long)s->channels, (long long)s->heads, (long long)numbers);
}

static void print_work(const gp_train_run *run, const gp_epoch *epoch) {
    const gp_train_options *o = run->o;
    int64_t ranks = gp_par_size(run->job->par), slots = run->slots.slots;
    printf(
        "training: %lld models of %lld networks, each %lld epochs of %lld steps at most, batches "
        "of %lld\n",
        (long long)run->models, (long long)o->networks, (long long)o->training.epochs,
        (long long)epoch->steps, (long long)o->training.batch);
    printf("shards: %lld a step, of up to %lld samples: they keep %lld of %lld ranks busy\n",
           (long long)slots, (long long)epoch->largest, (long long)gp_least(slots, ranks),
           (long long)ranks);
}

static void print_bytes(const bytes *b) {
    printf(
        "memory: about %.3g MB on the largest rank: calls %.3g, parameters %.3g, optimizer, sums "
        "and activations %.3g, baselines %.3g (before the training), the rest %.3g\n",
        (double)(b->people + gp_most(b->calls + b->parameters + gp_most(b->training, b->joining),
                                     b->baselines)) /
            1e6,
        (double)b->calls / 1e6, (double)b->parameters / 1e6, (double)b->training / 1e6,
        (double)b->baselines / 1e6, (double)b->people / 1e6);
}

int gp_train_report(gp_train_run *run, gp_err *err) {
    gp_par *par = run->job->par;
    gp_nn_model model = {.shape = run->model.shape};
    gp_epoch epoch = {0};
    uint8_t *role = gp_mem_alloc(run->n, 1, err);
    if (role != NULL && gp_train_roles(run, 0, 0, role, err) == GP_OK &&
        gp_nn_table_init(&model.table, &model.shape, err) == GP_OK)
        gp_epoch_init(&epoch, &run->slots, role, run->o->training.batch, err);
    if (err->code == GP_OK && gp_par_rank(par) == 0) {
        bytes b = count_bytes(run, &model);
        print_samples(run, role);
        print_network(run, &model);
        print_work(run, &epoch);
        print_bytes(&b);
    }
    gp_epoch_free(&epoch);
    gp_nn_table_free(&model.table);
    free(role);
    return gp_par_agree(par, err);
}
