/* What train reads: samples in use, traits, covariates, variants; and who has which part. */
#include "jobs/input.h"
#include "jobs/mind.h"
#include "jobs/train.h"
#include "jobs/traits.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- traits and samples ---- */

static int list_traits(gp_train_run *run, gp_err *err) {
    const gp_cohort *cohort = &run->cohort;
    run->trait = gp_mem_alloc(cohort->traits, sizeof *run->trait, err);
    run->loss = gp_mem_alloc(cohort->traits, sizeof *run->loss, err);
    for (int64_t t = 0; t < cohort->traits && err->code == GP_OK && !run->masked; t++) {
        const gp_trait *trait = &cohort->trait[t];
        if (trait->skipped != NULL)
            continue;
        if (trait->unclear != NULL)
            gp_say(run->job->sink, GP_WARN, "trait '%s' is taken as a number: it holds only %s",
                   trait->name, trait->unclear);
        run->loss[run->traits] = trait->binary ? GP_NN_LOGISTIC : GP_NN_SQUARED;
        run->trait[run->traits++] = t;
    }
    if (err->code == GP_OK && run->traits == 0 && !run->masked)
        gp_err_set(err, GP_EINPUT, "%s: no trait is left: trait '%s' is skipped: %s",
                   run->o->cohort.pheno, cohort->trait[0].name, cohort->trait[0].skipped);
    return err->code;
}

static int is_used(const gp_train_run *run, int64_t i) {
    const gp_cohort *cohort = &run->cohort;
    for (int64_t t = 0; t < run->traits; t++)
        if (gp_trait_uses(cohort, &cohort->trait[run->trait[t]], i))
            return 1;
    return run->masked && cohort->kept[i] && cohort->complete[i];
}

static int list_samples(gp_train_run *run, gp_err *err) {
    run->sample = gp_mem_alloc(run->cohort.samples.n, sizeof *run->sample, err);
    for (int64_t i = 0; i < run->cohort.samples.n && err->code == GP_OK; i++)
        if (is_used(run, i))
            run->sample[run->n++] = i;
    if (err->code == GP_OK && run->n < 2)
        gp_err_set(err, GP_EINPUT,
                   "%s: %lld samples are kept that have %severy covariate; training needs more",
                   run->masked ? run->o->store : run->o->cohort.pheno, (long long)run->n,
                   run->masked ? "" : "a trait and ");
    return err->code;
}

/* ---- folds and sizes ---- */

/* With --folds 0 the samples that are measured make one fold: those of validation, which are all
 * where there are several networks. */
static int split(gp_train_run *run, uint8_t *role, gp_err *err) {
    if (!run->split || run->masked || (run->o->validation == 0.0 && run->o->networks == 1))
        return GP_OK;
    run->folds.of = gp_mem_alloc(run->cohort.samples.n, sizeof *run->folds.of, err);
    run->folds.label = gp_mem_alloc(1, sizeof *run->folds.label, err);
    if (err->code != GP_OK || gp_train_roles(run, 0, 0, role, err) != GP_OK)
        return err->code;
    run->folds.count = 1;
    for (int64_t i = 0; i < run->cohort.samples.n; i++)
        run->folds.of[i] = -1;
    for (int64_t i = 0; i < run->n; i++)
        if (role[i] == GP_ROLE_VALIDATE || run->o->networks > 1)
            run->folds.of[run->sample[i]] = 0;
    return GP_OK;
}

/* Sees that networks and batches fit. */
static int check_sizes(gp_train_run *run, uint8_t *role, gp_err *err) {
    gp_train_options *o = &run->settled;
    const char *where = run->split ? "" : " in a fold";
    int64_t least = INT64_MAX, most = 0;
    for (int64_t k = 0; k < run->models * o->networks; k++) {
        if (gp_train_roles(run, k / o->networks, k % o->networks, role, err) != GP_OK)
            return err->code;
        int64_t train = gp_train_count(run, role, GP_ROLE_TRAIN);
        int64_t others = gp_train_count(run, role, GP_ROLE_VALIDATE);
        most = gp_most(most, train);
        least = gp_least(least, train);
        if (train < 1 || (o->networks > 1 && others < 1))
            return gp_err_set(err, GP_EINPUT,
                              "command line: --networks %lld are too many for the %lld samples "
                              "that are there to train with%s",
                              (long long)o->networks, (long long)(train + others), where);
        if (o->training.batch > train)
            return gp_err_set(err, GP_EINPUT,
                              "command line: --batch-size %lld is more than the %lld samples that "
                              "are there to train with%s",
                              (long long)o->training.batch, (long long)train, where);
    }
    gp_train_settle_steps(o, least, most);
    return GP_OK;
}

void gp_train_fold_name(const gp_train_run *run, int64_t fold, char name[GP_TRAIN_NAME]) {
    if (fold < 0)
        snprintf(name, GP_TRAIN_NAME, "all");
    else if (run->split)
        snprintf(name, GP_TRAIN_NAME, "validation");
    else
        snprintf(name, GP_TRAIN_NAME, "%lld", (long long)run->folds.label[fold]);
}

int gp_train_load(gp_train_run *run, gp_err *err) {
    const gp_train_options *o = run->o;
    gp_input input = {.path = o->store,
                      .out = o->dry_run ? NULL : o->out,
                      .cohort_options = &o->cohort,
                      .selection_options = &o->selection,
                      .store = &run->store,
                      .cohort = &run->cohort,
                      .selection = &run->selection};
    uint8_t *role = NULL;
    if (gp_input_load(run->job, &input, err) != GP_OK ||
        gp_mind_alone(run->job, run->store, &run->selection, &run->cohort, o->mind, err) != GP_OK)
        return err->code;
    if (list_traits(run, err) == GP_OK)
        list_samples(run, err);
    int said = !isnan(o->validation);
    if (gp_par_agree(run->job->par, err) != GP_OK ||
        (o->warm != NULL && gp_train_warm_settle(run, err) != GP_OK))
        return err->code;
    gp_train_settle(&run->settled, run->n);
    if (said && o->networks > 1)
        gp_say(run->job->sink, GP_WARN,
               "--validation is not used: each of %lld networks is measured on a part of its own "
               "(--networks 1 uses it)",
               (long long)o->networks);
    if (gp_par_agree(run->job->par, err) != GP_OK ||
        gp_folds_init(run->job, &o->folds, &run->cohort, &run->folds, err) != GP_OK)
        return err->code;
    run->split = run->folds.count == 0;
    run->models = run->split ? 1 : run->folds.count + 1;
    if (o->warm != NULL && gp_train_warm_load(run, err) != GP_OK)
        return err->code;
    role = gp_mem_alloc(run->n, 1, err);
    if (role != NULL && split(run, role, err) == GP_OK)
        check_sizes(run, role, err);
    free(role);
    return gp_par_agree(run->job->par, err);
}

/* ---- variants ---- */

static int set_levels(gp_train_run *run, gp_err *err) {
    const gp_kinship_variants *v = run->variants;
    int64_t at = 0;
    run->mean = gp_mem_alloc(v->total, sizeof *run->mean, err);
    run->scale = gp_mem_alloc(v->total, sizeof *run->scale, err);
    for (int64_t j = 0; j < v->first[v->chromosomes] && err->code == GP_OK; j++) {
        if (v->calls[j] == 0)
            continue;
        double mean = gp_kinship_mean(v->calls[j]), p = mean / 2.0;
        run->mean[at] = mean;
        run->scale[at++] = 1.0 / sqrt(2.0 * p * (1.0 - p));
    }
    return err->code;
}

static int cut_patches(gp_train_run *run, gp_err *err) {
    gp_train_options *o = &run->settled;
    int64_t m = run->variants->total;
    if (o->patch > m)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --patch %lld is more than the %lld variants in use",
                          (long long)o->patch, (long long)m);
    if (o->patch == 0)
        o->patch = gp_train_patch(m);
    return gp_patches_init(&run->patches, run->store, run->variants, o->patch, err);
}

/* ---- samples ---- */

/* Covariates in their own standard deviations; one that is constant becomes 0. */
static int standardise(gp_train_run *run, gp_err *err) {
    int64_t c = run->cohort.covariates;
    run->covariate = gp_mem_alloc(c, sizeof *run->covariate, err);
    run->z = gp_mem_alloc(run->n * c, sizeof *run->z, err);
    for (int64_t k = 0; k < c && err->code == GP_OK; k++) {
        const double *value = run->cohort.covariate[k].value;
        double mean = 0.0, squares = 0.0;
        for (int64_t i = 0; i < run->n; i++)
            mean += value[run->sample[i]];
        mean /= (double)run->n;
        for (int64_t i = 0; i < run->n; i++)
            squares += (value[run->sample[i]] - mean) * (value[run->sample[i]] - mean);
        double deviation = sqrt(squares / (double)run->n);
        if (!isfinite(deviation))
            return gp_err_set(err, GP_EINPUT,
                              "covariate '%s': its values are too large to be squared; give it in "
                              "a larger unit",
                              run->cohort.covariate[k].name);
        if (!(deviation > 1e-12 * fabs(mean)))
            deviation = 1.0;
        run->covariate[k] = (gp_io_covariate){run->cohort.covariate[k].name, mean, deviation};
        for (int64_t i = 0; i < run->n; i++)
            run->z[i * c + k] = (value[run->sample[i]] - mean) / deviation;
    }
    return err->code;
}

/* Finds the samples in use among the ridge's. */
static int find_rows(gp_train_run *run, gp_err *err) {
    int64_t at = 0;
    run->row = gp_mem_alloc(run->n, sizeof *run->row, err);
    for (int64_t i = 0; i < run->n && err->code == GP_OK && !run->masked; i++) {
        while (at < run->ridge.n && run->ridge.sample[at] < run->sample[i])
            at++;
        if (at == run->ridge.n || run->ridge.sample[at] != run->sample[i])
            return gp_err_set(err, GP_EFAIL, "baselines: a sample in use has no prediction");
        run->row[i] = at;
    }
    return err->code;
}

/* ---- the network's shape ---- */

static int set_shape(gp_train_run *run, gp_err *err) {
    const gp_train_options *o = run->o;
    const gp_patches *p = &run->patches;
    int64_t width = o->channels / gp_most(o->heads, 1);
    run->model.shape = (gp_nn_shape){.variants = p->variants,
                                     .patches = p->count,
                                     .first = p->first,
                                     .position = p->position,
                                     .chromosome = p->chromosome,
                                     .chromosomes = p->chromosomes,
                                     .covariates = run->cohort.covariates,
                                     .traits = run->traits,
                                     .loss = run->loss,
                                     .channels = o->channels,
                                     .layers = o->layers,
                                     .heads = o->heads,
                                     .rotary = 2 * (int64_t)floor(o->rotary * (double)width / 2.0),
                                     .causal = o->causal,
                                     .decodes = run->masked};
    return gp_nn_shape_check(&run->model.shape, err);
}

int gp_train_prepare(gp_train_run *run, gp_err *err) {
    gp_par *par = run->job->par;
    if (set_levels(run, err) == GP_OK && cut_patches(run, err) == GP_OK &&
        standardise(run, err) == GP_OK && set_shape(run, err) == GP_OK)
        gp_slots_init(&run->slots, run->sample, run->n,
                      gp_units(run->o->training.batch, run->o->shard), gp_par_size(par),
                      gp_par_rank(par), err);
    if (err->code == GP_OK && !run->o->dry_run)
        find_rows(run, err);
    return gp_par_agree(par, err);
}

/* ---- room ---- */

static int load_calls(gp_train_run *run, gp_err *err) {
    const gp_kinship_variants *v = run->variants;
    const gp_slots *s = &run->slots;
    int64_t all = v->first[v->chromosomes], number = 0;
    int64_t begin = s->begin[s->first], end = s->begin[s->last];
    int64_t *column = gp_mem_alloc(all, sizeof *column, err);
    for (int64_t j = 0; column != NULL && j < all; j++)
        column[j] = v->calls[j] != 0 ? number++ : -1;
    const gp_resident_plan plan = {.store = run->store,
                                   .count = v->count,
                                   .first = v->first,
                                   .column = column,
                                   .variants = v->total,
                                   .begin = begin < end ? s->sample[begin] : 0,
                                   .end = begin < end ? s->sample[end - 1] + 1 : 0};
    if (gp_par_agree(run->job->par, err) == GP_OK)
        gp_resident_load(run->job, &plan, &run->calls, err);
    free(column);
    return err->code;
}

int gp_train_room(gp_train_run *run, gp_err *err) {
    int bf16 = strcmp(run->o->precision, "bf16") == 0;
    gp_nn_engine_open(&run->engine, bf16 ? GP_NN_BFLOAT16 : GP_NN_FLOAT32, err);
    gp_nn_engine_open(&run->float32, GP_NN_FLOAT32, err);
    run->model.mean = run->mean;
    run->model.scale = run->scale;
    run->model.engine = run->engine;
    if (err->code == GP_OK)
        gp_nn_model_init(&run->model, err);
    if (err->code == GP_OK)
        run->frozen = gp_mem_alloc(run->model.table.count, 1, err);
    if (gp_par_agree(run->job->par, err) != GP_OK)
        return err->code;
    return load_calls(run, err);
}

void gp_train_free(gp_train_run *run) {
    for (int64_t k = 0; run->log != NULL && k < run->models * run->o->networks; k++)
        gp_text_free(&run->log[k]);
    free(run->log);
    gp_text_free(&run->begin);
    free(run->output);
    free(run->without);
    free(run->done);
    free(run->frozen);
    free(run->given);
    free(run->taken);
    free(run->earlier);
    free(run->cold);
    gp_nn_model_free(&run->model);
    gp_nn_engine_close(run->engine);
    gp_nn_engine_close(run->float32);
    gp_resident_free(&run->calls);
    free(run->z);
    free(run->covariate);
    free(run->loss);
    gp_patches_free(&run->patches);
    free(run->scale);
    free(run->mean);
    free(run->row);
    gp_ridge_free(&run->ridge);
    gp_kinship_variants_free(&run->counted);
    gp_slots_free(&run->slots);
    free(run->sample);
    free(run->trait);
    gp_folds_free(&run->folds);
    gp_selection_free(&run->selection);
    gp_cohort_free(&run->cohort);
    gp_store_close(run->store);
}
