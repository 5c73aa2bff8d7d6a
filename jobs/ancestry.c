#include "jobs/ancestry.h"
#include "jobs/components.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A covariate of n values, unknown at first, behind the others; NULL on failure. Local. */
static double *add_covariate(gp_cohort *cohort, const char *name, gp_err *err) {
    int64_t n = cohort->samples.n, count = cohort->covariates;
    for (int64_t k = 0; k < count; k++)
        if (strcmp(cohort->covariate[k].name, name) == 0) {
            gp_err_set(err, GP_EINPUT,
                       "command line: --pca makes a covariate '%s', and the table has one of that "
                       "name; choose others with --covar-name",
                       name);
            return NULL;
        }
    gp_covariate *all = gp_mem_alloc(count + 1, sizeof *all, err);
    if (all == NULL)
        return NULL;
    if (count > 0)
        memcpy(all, cohort->covariate, (size_t)count * sizeof *all);
    free(cohort->covariate);
    cohort->covariate = all;
    all[count] = (gp_covariate){.name = gp_mem_string(name, (int64_t)strlen(name), err),
                                .value = gp_mem_alloc(n, sizeof *all->value, err)};
    cohort->covariates++;
    for (int64_t i = 0; err->code == GP_OK && i < n; i++)
        all[count].value[i] = NAN;
    return err->code == GP_OK ? all[count].value : NULL;
}

int gp_ancestry_add(gp_job *job, const gp_ancestry *ancestry, gp_err *err) {
    gp_store *store = ancestry->store;
    gp_cohort *cohort = ancestry->cohort;
    int64_t components = ancestry->components;
    gp_selection selection = {0};
    gp_components found = {0};
    const gp_selection_options options = {
        .filter = {.maf = 0.05, .mac = NAN, .geno = 0.05, .hwe = NAN}};
    gp_components_plan plan = {.store = store,
                               .cohort = cohort,
                               .selection = &selection,
                               .components = components,
                               .approx = 1,
                               .seed = ancestry->seed};
    if (gp_selection_load(job, &options, store, &selection, err) == GP_OK &&
        gp_components_make(job, &plan, &found, err) == GP_OK)
        gp_say(job->sink, GP_NOTE, "--pca %lld: components of %lld samples are covariates",
               (long long)components, (long long)found.n);
    for (int64_t k = 0; err->code == GP_OK && k < components; k++) {
        char name[32];
        snprintf(name, sizeof name, "PC%lld", (long long)k + 1);
        double *value = add_covariate(cohort, name, err);
        for (int64_t i = 0; value != NULL && i < found.n; i++)
            value[found.sample[i]] = found.vector[k * found.n + i];
    }
    gp_components_free(&found);
    gp_selection_free(&selection);
    return gp_par_agree(job->par, err);
}
