/* gp-dist blup: best linear unbiased prediction of traits from relationships. */
#include "jobs/blup.h"
#include "io/file.h"
#include "jobs/directory.h"
#include "jobs/input.h"
#include "jobs/job.h"
#include "jobs/mind.h"
#include "jobs/relatives.h"
#include "jobs/times.h"
#include "jobs/variance.h"
#include "jobs/whole_pass.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int load(gp_blup_run *run, gp_err *err) {
    const gp_blup_options *o = run->o;
    gp_job *job = run->job;
    gp_input input = {.path = o->store,
                      .out = o->dry_run ? NULL : o->out,
                      .cohort_options = &o->cohort,
                      .selection_options = &o->selection,
                      .store = &run->store,
                      .cohort = &run->cohort,
                      .selection = &run->selection};
    gp_times_phase(job, "load");
    if (gp_input_load(job, &input, err) != GP_OK ||
        gp_mind_alone(job, run->store, &run->selection, &run->cohort, o->mind, err) != GP_OK)
        return err->code;
    return gp_folds_init(job, &o->folds, &run->cohort, &run->folds, err);
}

/* The user's matrix, or one made for the run. A dry run makes none. */
static int open_matrix(gp_blup_run *run, gp_err *err) {
    const gp_blup_options *o = run->o;
    const gp_relatives relatives = {.grm = o->grm,
                                    .directory = o->out,
                                    .centred = !o->standardised,
                                    .selection = &run->selection,
                                    .store = run->store,
                                    .cohort = &run->cohort};
    if (o->dry_run && o->grm == NULL)
        return GP_OK;
    return gp_relatives_open(run->job, &relatives, &run->kinship, err);
}

static int report(gp_blup_run *run, gp_err *err) {
    enum {
        BASE = 25000000, /* MPI, HDF5 and the program itself */
        BLAS = 40000000, /* its buffers */
        MADE = 40000000, /* what making a matrix leaves behind: buffers of MPI and HDF5 */
        ID = 120
    };
    int rows = gp_par_grid_rows(run->grid), columns = gp_par_grid_columns(run->grid);
    int64_t n = gp_cohort_kept(&run->cohort), stored = run->cohort.samples.n;
    int64_t bytes = gp_blup_bytes(run, rows, columns);
    if (run->o->grm == NULL && gp_kinship_make_bytes(n, rows, columns, 0) > bytes)
        bytes = gp_kinship_make_bytes(n, rows, columns, 0);
    bytes += BASE + BLAS + (run->o->grm == NULL ? MADE : 0) +
             stored * (ID + 8 * (run->cohort.traits + run->cohort.covariates));
    if (gp_par_rank(run->job->par) == 0) {
        printf("samples: %lld in the store, %lld kept\n", (long long)stored, (long long)n);
        for (int64_t k = 0; k < run->groups; k++) {
            const gp_blup_group *g = &run->group[k];
            printf("model: %lld traits (%s%s) of %lld samples, %lld spectra\n",
                   (long long)g->traits, run->cohort.trait[g->trait[0]].name,
                   g->traits > 1 ? ", ..." : "", (long long)g->n,
                   (long long)(run->folds.count > 0 ? run->folds.count : 1));
        }
        printf("grid: %d x %d of %d ranks\n", rows, columns, gp_par_size(run->job->par));
        printf("memory: about %.3g MB on the largest rank\n", (double)bytes / 1e6);
    }
    return gp_par_agree(run->job->par, err);
}

/* A table as a file of --out. */
static int write_table(const gp_blup_run *run, const char *name, const gp_text *text, gp_err *err) {
    gp_text path = {0};
    if (gp_text_print(&path, err, "%s/%s", run->o->out, name) == GP_OK)
        gp_io_write_file(path.bytes, text->bytes, text->length, err);
    gp_text_free(&path);
    return err->code;
}

static int open_tables(gp_blup_run *run, gp_err *err) {
    static const char *const model[] = {"covariates", "blup"};
    gp_text path = {0};
    gp_variance_header(&run->variance, "fold", err);
    gp_text_print(&run->metrics, err, "%s", gp_metrics_header);
    if (gp_par_rank(run->job->par) == 0 &&
        gp_text_print(&path, err, "%s/predictions.tsv", run->o->out) == GP_OK)
        gp_predictions_open(&run->predictions, path.bytes, model, 2, err);
    gp_text_free(&path);
    return gp_par_agree(run->job->par, err);
}

static int write_tables(gp_blup_run *run, gp_err *err) {
    if (gp_par_rank(run->job->par) == 0) {
        write_table(run, "variance.tsv", &run->variance, err);
        if (err->code == GP_OK && run->folds.count > 0)
            write_table(run, "metrics.tsv", &run->metrics, err);
        gp_predictions_finish(&run->predictions, err);
    }
    return gp_par_agree(run->job->par, err);
}

/* What an earlier run left beside the tables must not be taken for this one's. */
static void forget_others(const gp_blup_run *run) {
    static const char *const name[] = {"effects.tsv.gz", "model.tsv", "metrics.tsv"};
    for (size_t k = 0; gp_par_rank(run->job->par) == 0 && k < sizeof name / sizeof *name; k++)
        gp_directory_forget(run->o->out, name[k]);
}

/* A network beside the tables would be taken for this run's, and may be the work of days. Local. */
static int look_for_network(const gp_blup_run *run, gp_err *err) {
    static const char *const name[] = {"checkpoint/run.txt", "model.safetensors"};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++)
        if (gp_directory_has(run->o->out, name[k]))
            return gp_err_set(err, GP_EINPUT,
                              "%s: holds results of gp-dist train (%s); name another --out",
                              run->o->out, name[k]);
    return GP_OK;
}

static int work(gp_blup_run *run, gp_err *err) {
    gp_times_phase(run->job, "relationships");
    if (open_matrix(run, err) != GP_OK)
        return err->code;
    gp_blup_group_traits(run, err);
    if (gp_par_agree(run->job->par, err) != GP_OK ||
        gp_par_grid_open(run->job->par, &run->grid, err) != GP_OK)
        return err->code;
    if (run->o->dry_run)
        return report(run, err);
    gp_say(run->job->sink, GP_NOTE, "%lld traits in %lld groups of samples: %s on %d x %d ranks",
           (long long)run->traits, (long long)run->groups, gp_dense_solver(),
           gp_par_grid_rows(run->grid), gp_par_grid_columns(run->grid));
    gp_times_phase(run->job, "models");
    if (open_tables(run, err) != GP_OK || gp_blup_models(run, err) != GP_OK)
        return err->code;
    forget_others(run);
    if (run->folds.count == 0 && gp_blup_effects(run, err) != GP_OK)
        return err->code;
    gp_times_phase(run->job, "write");
    return write_tables(run, err);
}

static void free_run(gp_blup_run *run) {
    gp_predictions_close(&run->predictions);
    gp_par_grid_close(run->grid);
    for (int64_t k = 0; k < run->groups; k++) {
        free(run->group[k].sample);
        free(run->group[k].trait);
    }
    free(run->group);
    free(run->trait);
    free(run->dropped);
    free(run->alpha);
    free(run->effect);
    gp_text_free(&run->variance);
    gp_text_free(&run->metrics);
    gp_kinship_close(&run->kinship);
    gp_folds_free(&run->folds);
    gp_selection_free(&run->selection);
    gp_cohort_free(&run->cohort);
    gp_store_close(run->store);
}

static int start(gp_job *job, gp_err *err) {
    gp_blup_run run = {.job = job, .o = &gp_blup_values};
    int64_t there = 0;
    int made = 0;
    gp_blup_check(run.o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(&run, err) == GP_OK) {
        if (gp_par_rank(job->par) == 0 && !run.o->dry_run)
            made = gp_directory_make(run.o->out, &there, err) == GP_OK &&
                   look_for_network(&run, err) == GP_OK;
        if (gp_par_agree(job->par, err) == GP_OK)
            work(&run, err);
    }
    free_run(&run);
    if (made && err->code != GP_OK)
        gp_directory_unmake(run.o->out, there);
    return err->code;
}

const gp_command gp_command_blup = {.name = "blup",
                                    .summary = "predict traits from relationships, and check it",
                                    .synopsis = "--store STORE.h5 --pheno FILE --out DIR [options]",
                                    .description = gp_blup_description,
                                    .options = gp_blup_option_table,
                                    .values = &gp_blup_values,
                                    .run = start};
