#include "jobs/patterns.h"
#include "jobs/job.h"
#include "jobs/traits.h"
#include "src/assoc/design.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_BYTES = 32 << 20 /* of all models, to speed up missing calls */ };

/* Puts a trait into the pattern of its samples, or into a new one. */
static int place(gp_patterns *patterns, const gp_cohort *cohort, int64_t t, gp_err *err) {
    const gp_trait *trait = &cohort->trait[t];
    gp_pattern *pattern = patterns->pattern;
    for (; pattern < patterns->pattern + patterns->count; pattern++)
        if (gp_trait_has_samples(cohort, trait, pattern->sample, pattern->n))
            break;
    if (pattern == patterns->pattern + patterns->count) {
        pattern->sample = gp_mem_alloc(cohort->samples.n, sizeof *pattern->sample, err);
        pattern->trait = gp_mem_alloc(cohort->traits, sizeof *pattern->trait, err);
        patterns->count++;
        if (err->code != GP_OK)
            return err->code;
        pattern->n = gp_trait_samples(cohort, trait, pattern->sample);
    }
    pattern->trait[pattern->traits++] = t;
    return GP_OK;
}

static void gather(const gp_pattern *pattern, const double *value, double *to) {
    for (int64_t i = 0; i < pattern->n; i++)
        to[i] = value[pattern->sample[i]];
}

static int is_constant(const double *y, int64_t n) {
    for (int64_t i = 1; i < n; i++)
        if (y[i] != y[0])
            return 0;
    return 1;
}

/* The orthonormal covariates of a pattern; names each one that adds nothing, once over all
 * patterns. */
static double *make_basis(gp_patterns *patterns, gp_pattern *pattern, const gp_cohort *cohort,
                          const gp_sink *sink, gp_err *err) {
    int64_t n = pattern->n, c = cohort->covariates;
    double *basis = gp_mem_alloc(c, n * (int64_t)sizeof *basis, err);
    uint8_t *kept = gp_mem_alloc(c, 1, err);
    if (basis != NULL && kept != NULL) {
        for (int64_t k = 0; k < c; k++)
            gather(pattern, cohort->covariate[k].value, basis + k * n);
        pattern->rank = gp_design_basis(basis, n, c, kept);
        for (int64_t k = 0; k < c; k++)
            if (!kept[k] && !patterns->dropped[k]) {
                patterns->dropped[k] = 1;
                gp_trait_tell_dropped(sink, cohort, k, pattern->trait[0]);
            }
    }
    free(kept);
    return basis;
}

/* Fills the columns of the traits that can be tested; marks and forgets the others. Columns take
 * the place of values, which nobody needs any more: both would be twice the memory. */
static void make_residuals(gp_pattern *pattern, gp_cohort *cohort) {
    double *residual = pattern->residual, *length = pattern->length;
    int64_t n = pattern->n;
#pragma omp parallel for schedule(dynamic)
    for (int64_t k = 0; k < pattern->traits; k++) {
        gp_trait *trait = &cohort->trait[pattern->trait[k]];
        double *y = residual + k * n;
        gather(pattern, trait->value, y);
        free(trait->value);
        trait->value = NULL;
        if (is_constant(y, n))
            trait->skipped = "it is constant among the samples in use";
        else if ((length[k] = gp_design_residual(pattern->basis, n, pattern->rank, y)) == 0.0)
            trait->skipped = "the covariates determine it";
    }
    int64_t left = 0;
    for (int64_t k = 0; k < pattern->traits; k++) {
        if (cohort->trait[pattern->trait[k]].skipped != NULL)
            continue;
        if (left < k)
            memmove(residual + left * n, residual + k * n, (size_t)n * sizeof *residual);
        length[left] = length[k];
        pattern->trait[left++] = pattern->trait[k];
    }
    pattern->traits = left;
}

static int skip_all(gp_pattern *pattern, gp_cohort *cohort, const char *why) {
    for (int64_t k = 0; k < pattern->traits; k++)
        cohort->trait[pattern->trait[k]].skipped = why;
    pattern->traits = 0;
    return GP_OK;
}

/* The samples and columns of a pattern. */
static void free_columns(gp_pattern *pattern) {
    free(pattern->sample);
    free(pattern->basis);
    free(pattern->residual);
    free(pattern->length);
    pattern->sample = NULL;
    pattern->basis = pattern->residual = pattern->length = NULL;
}

static int make_linear(gp_pattern *pattern, const gp_patterns_input *input, int64_t patterns,
                       gp_err *err) {
    gp_linear_input in = {.n = pattern->n,
                          .sample = pattern->sample,
                          .covariates = pattern->rank,
                          .traits = pattern->traits,
                          .basis = pattern->basis,
                          .residual = pattern->residual,
                          .length = pattern->length,
                          .first = input->first,
                          .samples = input->samples,
                          .exact = input->exact,
                          .keep = KEEP_BYTES / patterns};
    gp_linear_init(&pattern->model, &in, err);
    free_columns(pattern);
    return err->code;
}

static int make_columns(gp_patterns *patterns, gp_pattern *pattern, gp_cohort *cohort,
                        const gp_sink *sink, gp_err *err) {
    if (pattern->n <= cohort->covariates + 1)
        return skip_all(pattern, cohort,
                        "the samples with its value and all covariates are too few, or no more "
                        "than the covariates");
    pattern->basis = make_basis(patterns, pattern, cohort, sink, err);
    pattern->residual =
        gp_mem_alloc(pattern->traits, pattern->n * (int64_t)sizeof *pattern->residual, err);
    pattern->length = gp_mem_alloc(pattern->traits, sizeof *pattern->length, err);
    if (err->code != GP_OK)
        return err->code;
    if (pattern->n < pattern->rank + 3)
        skip_all(pattern, cohort, "too few samples have its value and all covariates");
    make_residuals(pattern, cohort);
    return GP_OK;
}

/* Takes out pattern k, which has no model. Models never move: they hold pointers into themselves.
 */
static void forget(gp_patterns *patterns, int64_t k) {
    gp_pattern *pattern = &patterns->pattern[k];
    free_columns(pattern);
    free(pattern->trait);
    patterns->count--;
    memmove(pattern, pattern + 1, (size_t)(patterns->count - k) * sizeof *pattern);
    patterns->pattern[patterns->count] = (gp_pattern){0};
}

/* Says which traits were skipped since told was made; an error where none is left. */
static int tell(const gp_patterns *patterns, const gp_cohort *cohort, const uint8_t *told,
                const gp_sink *sink, gp_err *err) {
    if (patterns->count == 0)
        return gp_err_set(err, GP_EINPUT, "trait '%s' cannot be tested: %s; no trait is left",
                          cohort->trait[0].name, cohort->trait[0].skipped);
    for (int64_t t = 0; t < cohort->traits; t++)
        if (cohort->trait[t].skipped != NULL && !told[t])
            gp_say(sink, GP_WARN, "trait '%s' is skipped: %s", cohort->trait[t].name,
                   cohort->trait[t].skipped);
    return GP_OK;
}

int gp_patterns_init(gp_patterns *patterns, gp_cohort *cohort, const gp_patterns_input *input,
                     const gp_sink *sink, gp_err *err) {
    uint8_t *told = gp_mem_alloc(cohort->traits, 1, err);
    patterns->pattern = gp_mem_alloc(cohort->traits, sizeof *patterns->pattern, err);
    patterns->dropped = gp_mem_alloc(cohort->covariates, 1, err);
    if (err->code != GP_OK)
        goto done;
    for (int64_t t = 0; t < cohort->traits; t++) {
        told[t] = cohort->trait[t].skipped != NULL;
        if (!told[t] && place(patterns, cohort, t, err) != GP_OK)
            goto done;
    }
    for (int64_t k = 0; k < patterns->count;) {
        if (gp_job_check_signals(err) != GP_OK ||
            make_columns(patterns, &patterns->pattern[k], cohort, sink, err) != GP_OK)
            goto done;
        if (patterns->pattern[k].traits == 0)
            forget(patterns, k);
        else if (!input->mixed &&
                 make_linear(&patterns->pattern[k], input, patterns->count, err) != GP_OK)
            goto done;
        else
            k++;
    }
    tell(patterns, cohort, told, sink, err);
    for (int64_t k = 0; k < cohort->covariates; k++) {
        free(cohort->covariate[k].value);
        cohort->covariate[k].value = NULL;
    }
done:
    free(told);
    return err->code;
}

void gp_patterns_free(gp_patterns *patterns) {
    for (int64_t k = 0; k < patterns->count; k++) {
        gp_linear_free(&patterns->pattern[k].model);
        free_columns(&patterns->pattern[k]);
        free(patterns->pattern[k].trait);
    }
    free(patterns->pattern);
    free(patterns->dropped);
    *patterns = (gp_patterns){0};
}
