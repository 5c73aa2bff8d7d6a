/* Groups of traits, fold by fold, and what is written of them. */
#include "jobs/blup.h"
#include "jobs/traits.h"
#include "jobs/variance.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups ---- */

static int is_constant(const gp_cohort *cohort, const gp_trait *trait) {
    double first = NAN;
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        if (!gp_trait_uses(cohort, trait, i))
            continue;
        if (!isnan(first) && trait->value[i] != first)
            return 0;
        first = trait->value[i];
    }
    return 1;
}

static int place(gp_blup_run *run, int64_t t, gp_err *err) {
    const gp_cohort *cohort = &run->cohort;
    const gp_trait *trait = &cohort->trait[t];
    int64_t k = 0;
    while (k < run->groups &&
           !gp_trait_has_samples(cohort, trait, run->group[k].sample, run->group[k].n))
        k++;
    gp_blup_group *group = &run->group[k];
    if (k == run->groups) {
        run->groups++;
        group->sample = gp_mem_alloc(cohort->samples.n, sizeof *group->sample, err);
        group->trait = gp_mem_alloc(cohort->traits, sizeof *group->trait, err);
        if (err->code != GP_OK)
            return err->code;
        group->n = gp_trait_samples(cohort, trait, group->sample);
    }
    group->trait[group->traits++] = t;
    run->traits++;
    return GP_OK;
}

int gp_blup_group_traits(gp_blup_run *run, gp_err *err) {
    gp_cohort *cohort = &run->cohort;
    run->group = gp_mem_alloc(cohort->traits, sizeof *run->group, err);
    run->trait = gp_mem_alloc(cohort->traits, sizeof *run->trait, err);
    run->dropped = gp_mem_alloc(cohort->covariates, 1, err);
    for (int64_t t = 0; t < cohort->traits && err->code == GP_OK; t++) {
        gp_trait *trait = &cohort->trait[t];
        if (trait->skipped != NULL)
            continue;
        if (is_constant(cohort, trait))
            trait->skipped = "it is constant among the samples in use, or none has it";
        else if (gp_trait_samples(cohort, trait, NULL) < cohort->covariates + 3)
            trait->skipped = "too few samples have its value and all covariates";
        if (trait->skipped != NULL) {
            gp_say(run->job->sink, GP_WARN, "trait '%s' is skipped: %s", trait->name,
                   trait->skipped);
        } else {
            place(run, t, err);
        }
    }
    if (err->code == GP_OK && run->groups == 0)
        gp_err_set(err, GP_EINPUT, "trait '%s' cannot be fitted: %s; no trait is left",
                   cohort->trait[0].name, cohort->trait[0].skipped);
    return err->code;
}

/* ---- what was found ---- */

void gp_blup_fold_name(const gp_blup_run *run, int64_t fold, char name[GP_BLUP_FOLD_NAME]) {
    if (fold < 0)
        snprintf(name, GP_BLUP_FOLD_NAME, "all");
    else
        snprintf(name, GP_BLUP_FOLD_NAME, "%lld", (long long)run->folds.label[fold]);
}

static void report(gp_blup_run *run, const char *trait, int64_t fold, const gp_blup_found *found,
                   gp_err *err) {
    const gp_reml *f = &found->fit;
    char name[GP_BLUP_FOLD_NAME];
    gp_blup_fold_name(run, fold, name);
    const gp_variance line = {.trait = trait, .part = name, .n = found->n, .fit = *f};
    gp_variance_line(&run->variance, &line, err);
    if (f->end != GP_REML_INSIDE)
        gp_say(
            run->job->sink, GP_WARN,
            "trait '%s', fold %s: its heritability is estimated as %d (the likelihood is highest "
            "at the %s end of lambda)",
            trait, name, f->end == GP_REML_ALL, f->end == GP_REML_ALL ? "upper" : "lower");
    else if (fold < 0)
        gp_say(run->job->sink, GP_NOTE, "trait %s: heritability %.4f (standard error %.4f)", trait,
               f->h2, f->h2_se);
}

/* A trait's accuracy in one fold, or (-1) in all together. Scratch: observed, guess [group
 * samples]. */
static int measure(gp_blup_run *run, const gp_blup_group *group, int64_t t, int64_t fold,
                   const char *model_name, const double *from, double *scratch, gp_err *err) {
    const gp_trait *trait = &run->cohort.trait[group->trait[t]];
    double *observed = scratch, *guess = scratch + group->n;
    int64_t n = 0;
    char name[GP_BLUP_FOLD_NAME];
    gp_accuracy accuracy;
    for (int64_t i = 0; i < group->n; i++) {
        int64_t sample = group->sample[i];
        if (fold >= 0 && run->folds.of[sample] != fold)
            continue;
        observed[n] = trait->value[sample];
        guess[n++] = from[sample * group->traits + t];
    }
    gp_blup_fold_name(run, fold, name);
    if (gp_accuracy_of(observed, guess, n, trait->binary, &accuracy, err) != GP_OK)
        return err->code;
    if (fold < 0 && strcmp(model_name, "blup") == 0)
        gp_say(run->job->sink, GP_NOTE,
               "trait %s: predictions of left-out samples correlate %.4f with the trait (r2 %.4f)",
               trait->name, accuracy.r, accuracy.r2);
    return gp_metrics_print(&run->metrics, trait->name, model_name, name, &accuracy, err);
}

static int measure_all(gp_blup_run *run, const gp_blup_group *group, const gp_blup_predicted *from,
                       gp_err *err) {
    double *scratch = gp_mem_alloc(2 * group->n, sizeof *scratch, err);
    for (int64_t t = 0; scratch != NULL && t < group->traits; t++)
        for (int m = 0; m < 2; m++)
            for (int64_t f = 0; f <= run->folds.count && err->code == GP_OK; f++)
                measure(run, group, t, f < run->folds.count ? f : -1, m ? "blup" : "covariates",
                        m ? from->blup : from->covariates, scratch, err);
    free(scratch);
    return err->code;
}

/* On rank 0: all samples that have a prediction. */
static int write_predictions(gp_blup_run *run, const gp_blup_group *group,
                             const gp_blup_predicted *from, gp_err *err) {
    const gp_cohort *cohort = &run->cohort;
    int64_t p = group->traits;
    for (int64_t t = 0; t < p; t++)
        for (int64_t i = 0; i < cohort->samples.n && err->code == GP_OK; i++) {
            const gp_trait *trait = &cohort->trait[group->trait[t]];
            double value[] = {from->covariates[i * p + t], from->blup[i * p + t]};
            char fold[GP_BLUP_FOLD_NAME];
            if (isnan(value[1]))
                continue;
            if (run->folds.count > 0)
                snprintf(fold, sizeof fold, "%lld", (long long)run->folds.label[run->folds.of[i]]);
            gp_prediction line = {.fid = gp_samples_fid(&cohort->samples, i),
                                  .iid = gp_samples_iid(&cohort->samples, i),
                                  .trait = trait->name,
                                  .fold = run->folds.count > 0 ? fold : NULL,
                                  .observed = trait->value[i],
                                  .value = value};
            gp_predictions_add(&run->predictions, &line, err);
        }
    return err->code;
}

static int do_group(gp_blup_run *run, const gp_blup_group *group, gp_err *err) {
    int64_t p = group->traits, cells = run->cohort.samples.n * p;
    int64_t models = run->folds.count > 0 ? run->folds.count : 1;
    int one = run->folds.count == 0;
    gp_blup_predicted to = {.covariates = gp_mem_alloc(cells, sizeof(double), err),
                            .blup = gp_mem_alloc(cells, sizeof(double), err),
                            .found = gp_mem_alloc(models, p * (int64_t)sizeof *to.found, err)};
    if (gp_par_agree(run->job->par, err) == GP_OK) {
        for (int64_t i = 0; i < cells; i++)
            to.covariates[i] = to.blup[i] = NAN;
        for (int64_t k = 0; k < models && err->code == GP_OK; k++)
            gp_blup_model(run, group, one ? -1 : k, &to, err);
    }
    if (err->code == GP_OK) {
        for (int64_t t = 0; t < p; t++)
            for (int64_t k = 0; k < models; k++)
                report(run, run->cohort.trait[group->trait[t]].name, one ? -1 : k,
                       &to.found[k * p + t], err);
        if (!one)
            measure_all(run, group, &to, err);
        if (gp_par_rank(run->job->par) == 0)
            write_predictions(run, group, &to, err);
        for (int64_t t = 0; t < p; t++)
            run->trait[run->fitted++] = run->cohort.trait[group->trait[t]].name;
        gp_par_agree(run->job->par, err);
    }
    free(to.covariates);
    free(to.blup);
    free(to.found);
    return err->code;
}

int gp_blup_models(gp_blup_run *run, gp_err *err) {
    int64_t real = (int64_t)sizeof(double);
    if (run->folds.count == 0) {
        run->alpha = gp_mem_alloc(run->cohort.samples.n, run->traits * real, err);
        run->effect = gp_mem_alloc(run->traits, (1 + run->cohort.covariates) * real, err);
    }
    if (gp_par_agree(run->job->par, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < run->groups && err->code == GP_OK; k++)
        do_group(run, &run->group[k], err);
    return err->code;
}

int64_t gp_blup_bytes(const gp_blup_run *run, int rows, int columns) {
    int64_t kept = gp_cohort_kept(&run->cohort), most = 0;
    for (int64_t k = 0; k < run->groups; k++) {
        const gp_blup_group *g = &run->group[k];
        int64_t n = g->n, width = 1 + run->cohort.covariates + g->traits;
        int64_t fitting = 2 * gp_dense_bytes(n, rows, columns) +
                          gp_dense_eigen_bytes(n, rows, columns) + 8 * n * (4 * width + 4);
        int64_t m = run->folds.count > 0 ? n : kept;
        int64_t relating = gp_dense_bytes(m, rows, columns) + 8 * m * (6 * g->traits + 2 * width);
        int64_t bytes = fitting > relating ? fitting : relating;
        bytes += 16 * run->cohort.samples.n * g->traits;
        most = bytes > most ? bytes : most;
    }
    return most + (run->folds.count > 0 ? 0 : 8 * run->cohort.samples.n * run->traits);
}
