/* Which regressions the baselines are made of, and whether each can be fitted. */
#include "jobs/ridge_private.h"
#include "src/base/split.h"

#include <math.h>
#include <stdio.h>

static int same_samples(const gp_ridge_plan *plan, const gp_ridge *r, int64_t a, int64_t b) {
    int64_t i = 0, all = plan->folds->count;
    while (i < r->n && gp_ridge_trains(plan, all, a, r->sample[i]) ==
                           gp_ridge_trains(plan, all, b, r->sample[i]))
        i++;
    return i == r->n;
}

void gp_ridge_find_alike(gp_ridge_run *w) {
    for (int64_t t = 0; t < w->ridge->traits; t++) {
        int64_t k = 0;
        while (k < t && (w->like[k] != k || !same_samples(w->plan, w->ridge, k, t)))
            k++;
        w->like[t] = k;
    }
}

/* Regressions without one of the first inner folds, up to `inners`; those of one design stand side
 * by side. Returns their number. */
int64_t gp_ridge_list_columns(gp_ridge_run *w, int64_t inners) {
    const gp_ridge *r = w->ridge;
    int64_t count = 0;
    for (int64_t like = 0; like < r->traits; like++)
        for (int64_t model = 0; w->like[like] == like && model < r->models; model++)
            for (int64_t inner = 0; inner < inners; inner++)
                for (int64_t t = like; t < r->traits; t++)
                    if (w->like[t] == like)
                        w->column[count++] = (gp_ridge_column){model, t, like, inner};
    return count;
}

/* Local; the same on all ranks. */
static int check_fit(const gp_ridge_run *w, int64_t model, int64_t t, gp_err *err) {
    const gp_ridge_plan *plan = w->plan;
    const gp_trait *trait = &plan->cohort->trait[plan->trait[t]];
    int64_t n = 0, c = plan->cohort->covariates;
    double first = NAN;
    int varies = 0;
    char fold[32] = "all";
    if (plan->folds->count == 1) /* no cross-validation: samples are left out to measure */
        snprintf(fold, sizeof fold, "%s", model == 0 ? "validation" : "all");
    else if (model < plan->folds->count)
        snprintf(fold, sizeof fold, "%lld", (long long)plan->folds->label[model]);
    for (int64_t i = 0; i < w->ridge->n; i++) {
        int64_t sample = w->ridge->sample[i];
        if (!gp_ridge_trains(plan, model, t, sample))
            continue;
        first = n++ == 0 ? trait->value[sample] : first;
        varies |= trait->value[sample] != first;
    }
    w->ridge->trained[model * w->ridge->traits + t] = n;
    /* Without an inner fold there must still be more samples than directions. */
    if (n - gp_units(n, GP_RIDGE_INNER) < c + 3)
        return gp_err_set(err, GP_EINPUT,
                          "trait '%s', fold %s: %lld samples to train with are too few for %lld "
                          "covariates and an intercept",
                          trait->name, fold, (long long)n, (long long)c);
    if (!varies)
        return gp_err_set(err, GP_EINPUT,
                          "trait '%s', fold %s: it is constant among the samples to train with",
                          trait->name, fold);
    return GP_OK;
}

int gp_ridge_check_fits(const gp_ridge_run *w, gp_err *err) {
    for (int64_t t = 0; t < w->ridge->traits; t++)
        for (int64_t model = 0; model < w->ridge->models && err->code == GP_OK; model++)
            check_fit(w, model, t, err);
    return gp_par_agree(w->job->par, err);
}
