/* The intercept and covariates' part of predictions. */
#include "jobs/predict.h"
#include "jobs/terms.h"

/* Predictions under way, and the effects to add. */
typedef struct sum {
    gp_predict_run *run;
    const gp_predict_terms *terms;
} sum;

static void add_term(void *context, int64_t k, const double *x) {
    const sum *s = context;
    const gp_predict_run *run = s->run;
    for (int64_t i = 0; i < run->cohort.samples.n; i++)
        for (int64_t t = 0; t < run->traits; t++)
            run->value[i * run->traits + t] +=
                s->terms->effect[t * (1 + s->terms->terms) + 1 + k] * x[i];
}

int gp_predict_covariates(gp_predict_run *run, const gp_predict_terms *terms, gp_err *err) {
    sum s = {run, terms};
    const gp_terms ask = {.command = "predict",
                          .samples = &run->cohort.samples,
                          .path = run->o->cohort.covar,
                          .missing_code = run->o->cohort.missing_code,
                          .count = terms->terms,
                          .name = terms->term};
    for (int64_t i = 0; i < run->cohort.samples.n; i++)
        for (int64_t t = 0; t < run->traits; t++)
            run->value[i * run->traits + t] = terms->effect[t * (1 + terms->terms)];
    return gp_terms_read(run->job, &ask, add_term, &s, err);
}
