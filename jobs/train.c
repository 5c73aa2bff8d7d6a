/* gp-dist train: a transformer from genotypes to traits, beside its baselines. */
#include "jobs/train.h"
#include "jobs/directory.h"
#include "jobs/job.h"
#include "jobs/times.h"

#include <string.h>

/* The variants that count: the baselines' where there are any. */
static int find_variants(gp_train_run *run, gp_err *err) {
    if (run->masked || run->o->dry_run) {
        const gp_kinship_plan plan = {
            .store = run->store, .cohort = &run->cohort, .selection = &run->selection};
        run->variants = &run->counted;
        return gp_kinship_variants_init(run->job, &plan, &run->counted, err);
    }
    gp_ridge_plan plan = gp_train_ridge_plan(run);
    run->variants = &run->ridge.variants;
    gp_times_phase(run->job, "ridge");
    return gp_ridge_fit(run->job, &plan, &run->ridge, err);
}

static void warn(const gp_train_run *run) {
    int ranks = gp_par_size(run->job->par);
    if (ranks > run->slots.slots)
        gp_say(run->job->sink, GP_WARN,
               "a batch has %lld shards: %lld of the %d ranks have nothing to do in training; "
               "larger batches (--batch-size) or smaller shards (--shard-size) would give them "
               "work, with other results",
               (long long)run->slots.slots, (long long)(ranks - run->slots.slots), ranks);
    if (run->o->offsets && run->o->training.chromosome_dropout == 0.0)
        gp_say(run->job->sink, GP_WARN,
               "--offsets without --chromosome-dropout: the networks do not learn to predict "
               "without a chromosome");
}

static int work(gp_train_run *run, gp_err *err) {
    if (find_variants(run, err) != GP_OK || gp_train_prepare(run, err) != GP_OK)
        return err->code;
    warn(run);
    gp_times_phase(run->job, "prepare");
    if (run->o->dry_run)
        return gp_train_report(run, err);
    if (gp_train_room(run, err) != GP_OK || gp_train_init(run, err) != GP_OK ||
        gp_train_begin(run, err) != GP_OK || gp_train_take(run, err) != GP_OK)
        return err->code;
    gp_say(run->job->sink, GP_NOTE,
           "%lld models of %lld networks of %lld tokens (patches of %lld variants), %lld samples",
           (long long)run->models, (long long)run->o->networks,
           (long long)gp_nn_tokens(&run->model.shape), (long long)run->o->patch, (long long)run->n);
    gp_times_phase(run->job, "train");
    if ((run->o->offsets && gp_train_offsets_begin(run, err) != GP_OK) ||
        gp_train_models(run, err) != GP_OK ||
        (run->o->offsets && gp_train_offsets_end(run, err) != GP_OK) ||
        (run->o->keep_folds && gp_train_folds_end(run, err) != GP_OK) ||
        gp_train_tables(run, err) != GP_OK)
        return err->code;
    return gp_train_close(run, err);
}

static int start(gp_job *job, gp_err *err) {
    gp_train_run run = {.job = job};
    int64_t there = 0;
    int made = 0, finished = 0;
    gp_train_check(&gp_train_values, err);
    run.settled = gp_train_values;
    run.o = &run.settled;
    run.masked =
        gp_train_values.objective != NULL && strcmp(gp_train_values.objective, "masked") == 0;
    gp_times_phase(job, "load");
    if (gp_par_agree(job->par, err) == GP_OK && gp_train_load(&run, err) == GP_OK) {
        if (run.o->dry_run) {
            work(&run, err);
        } else {
            if (gp_par_rank(job->par) == 0)
                made = gp_directory_make(run.o->out, &there, err) == GP_OK;
            if (gp_par_agree(job->par, err) == GP_OK &&
                gp_train_open(&run, &finished, err) == GP_OK) {
                if (finished)
                    gp_say(job->sink, GP_NOTE, "%s: is finished already", run.o->out);
                else
                    work(&run, err);
            }
        }
    }
    if (made && err->code != GP_OK && err->code != GP_ESTOP) {
        gp_train_drop(&run);
        gp_directory_unmake(run.o->out, there);
    }
    gp_train_free(&run);
    return err->code;
}

const gp_command gp_command_train = {.name = "train",
                                     .summary = "train a transformer that predicts traits",
                                     .synopsis =
                                         "--store STORE.h5 --pheno FILE --out DIR [options]",
                                     .description = gp_train_description,
                                     .options = gp_train_option_table,
                                     .values = &gp_train_values,
                                     .run = start};
