#include "jobs/patterns.h"
#include "jobs/job.h"
#include "jobs/traits.h"
#include "src/assoc/design.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_CASES = 10 /* or controls, that a logistic model is made for */ };

gp_pattern_kind gp_patterns_kind(const gp_patterns_input *input, const gp_trait *trait) {
    int logistic = !input->numbers && !input->mixed && (trait->binary || trait->one_class);
    return logistic ? GP_PATTERN_LOGISTIC : GP_PATTERN_LINEAR;
}

/* Puts a trait into the pattern of its samples and kind, or into a new one. */
static int place(gp_patterns *patterns, const gp_cohort *cohort, int64_t t, gp_pattern_kind kind,
                 gp_err *err) {
    const gp_trait *trait = &cohort->trait[t];
    gp_pattern *pattern = patterns->pattern;
    for (; pattern < patterns->pattern + patterns->count; pattern++)
        if (pattern->kind == kind &&
            gp_trait_has_samples(cohort, trait, pattern->sample, pattern->n))
            break;
    if (pattern == patterns->pattern + patterns->count) {
        pattern->kind = kind;
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

static int64_t count_cases(const double *y, int64_t n) {
    int64_t cases = 0;
    for (int64_t i = 0; i < n; i++)
        cases += y[i] == 1.0;
    return cases;
}

/* Why a binary trait with so few of a class has no model; NULL: it may have one. */
static const char *few(gp_trait *trait, int64_t count, const char *what) {
    if (count >= LEAST_CASES)
        return NULL;
    if (count == 0)
        snprintf(trait->why, sizeof trait->why, "it has no %s among the samples in use", what);
    else
        snprintf(trait->why, sizeof trait->why,
                 "it has %lld %s among the samples in use, fewer than %d", (long long)count, what,
                 LEAST_CASES);
    return trait->why;
}

/* Makes the column of a trait, or marks it skipped. */
static void make_column(const gp_pattern *pattern, gp_trait *trait, double *y, double *length) {
    int64_t n = pattern->n;
    *length = 1.0;
    if (pattern->kind == GP_PATTERN_LOGISTIC) {
        int64_t cases = count_cases(y, n);
        trait->skipped = few(trait, cases, "cases");
        if (trait->skipped == NULL)
            trait->skipped = few(trait, n - cases, "controls");
    } else if (is_constant(y, n))
        trait->skipped = "it is constant among the samples in use";
    else if ((*length = gp_design_residual(pattern->basis, n, pattern->rank, y)) == 0.0)
        trait->skipped = "the covariates determine it";
}

/* Takes the skipped traits' columns out. */
static void close_up(gp_pattern *pattern, const gp_cohort *cohort) {
    int64_t left = 0, n = pattern->n;
    double *residual = pattern->residual;
    for (int64_t k = 0; k < pattern->traits; k++) {
        if (cohort->trait[pattern->trait[k]].skipped != NULL)
            continue;
        if (left < k) {
            memmove(residual + left * n, residual + k * n, (size_t)n * sizeof *residual);
            pattern->length[left] = pattern->length[k];
        }
        pattern->trait[left++] = pattern->trait[k];
    }
    pattern->traits = left;
}

static void free_value(gp_trait *trait) {
    free(trait->value);
    trait->value = NULL;
}

static gp_offset *offset_of(const gp_pattern *pattern, const gp_patterns_input *input,
                            int64_t trait) {
    int linear = pattern->kind == GP_PATTERN_LINEAR && input->offsets != NULL;
    return linear ? gp_offset_of(input->offsets, trait) : NULL;
}

/* Fills the columns of the traits that can be tested; marks and forgets the others. Columns take
 * the place of values, which nobody needs any more: both would be twice the memory. Offsets will
 * need them. */
static void make_residuals(gp_pattern *pattern, gp_cohort *cohort, const gp_patterns_input *input) {
#pragma omp parallel for schedule(dynamic)
    for (int64_t k = 0; k < pattern->traits; k++) {
        gp_trait *trait = &cohort->trait[pattern->trait[k]];
        double *y = pattern->residual + k * pattern->n;
        gather(pattern, trait->value, y);
        if (offset_of(pattern, input, pattern->trait[k]) == NULL)
            free_value(trait);
        make_column(pattern, trait, y, &pattern->length[k]);
    }
    close_up(pattern, cohort);
}

/* The binary traits of a pattern, still without null models. */
static int make_binary(gp_pattern *pattern, gp_err *err) {
    pattern->binary = gp_mem_alloc(pattern->traits, sizeof *pattern->binary, err);
    for (int64_t k = 0; pattern->binary != NULL && k < pattern->traits; k++)
        pattern->binary[k] = (gp_binary){
            .cases = count_cases(pattern->residual + k * pattern->n, pattern->n), .at = -1};
    return err->code;
}

static int skip_all(gp_pattern *pattern, gp_cohort *cohort, const char *why) {
    for (int64_t k = 0; k < pattern->traits; k++)
        cohort->trait[pattern->trait[k]].skipped = why;
    pattern->traits = 0;
    return GP_OK;
}

void gp_pattern_free_columns(gp_pattern *pattern) {
    free(pattern->sample);
    free(pattern->basis);
    free(pattern->residual);
    free(pattern->length);
    pattern->sample = NULL;
    pattern->basis = pattern->residual = pattern->length = NULL;
}

/* The traits less their offsets. Their values go. */
static int shift(gp_pattern *pattern, gp_cohort *cohort, const gp_patterns_input *input,
                 const gp_linear_input *in, gp_err *err) {
    int64_t traits = pattern->traits, shifted = 0;
    const double **value = gp_mem_alloc(traits, sizeof *value, err);
    gp_offset **offset = gp_mem_alloc(traits, sizeof *offset, err);
    for (int64_t t = 0; err->code == GP_OK && t < traits; t++) {
        value[t] = cohort->trait[pattern->trait[t]].value;
        offset[t] = offset_of(pattern, input, pattern->trait[t]);
        shifted += offset[t] != NULL;
    }
    if (shifted > 0)
        gp_shift_init(&pattern->shift, in, value, offset, err);
    for (int64_t t = 0; t < traits; t++)
        free_value(&cohort->trait[pattern->trait[t]]);
    free(value);
    free(offset);
    return err->code;
}

static int make_linear(gp_pattern *pattern, gp_cohort *cohort, const gp_patterns_input *input,
                       int64_t patterns, gp_err *err) {
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
                          .keep = GP_PATTERNS_KEEP / patterns};
    if (gp_linear_init(&pattern->model, &in, err) == GP_OK)
        shift(pattern, cohort, input, &in, err);
    gp_pattern_free_columns(pattern);
    return err->code;
}

static int make_columns(gp_patterns *patterns, gp_pattern *pattern, gp_cohort *cohort,
                        const gp_patterns_input *input, const gp_sink *sink, gp_err *err) {
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
    make_residuals(pattern, cohort, input);
    return GP_OK;
}

/* Takes out pattern k, which has no model. Models never move: they hold pointers into
 * themselves. */
static void forget(gp_patterns *patterns, int64_t k) {
    gp_pattern *pattern = &patterns->pattern[k];
    gp_pattern_free_columns(pattern);
    free(pattern->binary);
    free(pattern->trait);
    patterns->count--;
    memmove(pattern, pattern + 1, (size_t)(patterns->count - k) * sizeof *pattern);
    patterns->pattern[patterns->count] = (gp_pattern){0};
}

/* Says which traits were skipped and were not spoken of; an error where none is left. */
static int tell(const gp_patterns *patterns, const gp_cohort *cohort, const gp_sink *sink,
                gp_err *err) {
    int64_t first = 0; /* that was not spoken of */
    while (first < cohort->traits - 1 &&
           (cohort->trait[first].skipped == NULL || patterns->told[first]))
        first++;
    if (patterns->count == 0)
        return gp_err_set(err, GP_EINPUT, "trait '%s' cannot be tested: %s; no trait is left",
                          cohort->trait[first].name, cohort->trait[first].skipped);
    for (int64_t t = 0; t < cohort->traits; t++) {
        if (cohort->trait[t].skipped != NULL && !patterns->told[t])
            gp_say(sink, GP_WARN, "trait '%s' is skipped: %s", cohort->trait[t].name,
                   cohort->trait[t].skipped);
        patterns->told[t] = cohort->trait[t].skipped != NULL;
    }
    return GP_OK;
}

/* Each trait's pattern. Linear models, which cannot move, come first: only the patterns of
 * binary traits may still go when there are models. */
static int place_all(gp_patterns *patterns, const gp_cohort *cohort, const gp_patterns_input *input,
                     gp_err *err) {
    for (int kind = 0; kind < GP_PATTERN_KINDS; kind++)
        for (int64_t t = 0; t < cohort->traits; t++) {
            const gp_trait *trait = &cohort->trait[t];
            patterns->told[t] = trait->skipped != NULL;
            if (trait->skipped == NULL && (int)gp_patterns_kind(input, trait) == kind &&
                place(patterns, cohort, t, (gp_pattern_kind)kind, err) != GP_OK)
                return err->code;
        }
    return GP_OK;
}

/* Columns, and the model where it is linear. */
static int make_pattern(gp_patterns *patterns, int64_t k, gp_cohort *cohort,
                        const gp_patterns_input *input, const gp_sink *sink, gp_err *err) {
    gp_pattern *pattern = &patterns->pattern[k];
    if (gp_job_check_signals(err) != GP_OK ||
        make_columns(patterns, pattern, cohort, input, sink, err) != GP_OK || pattern->traits == 0)
        return err->code;
    if (pattern->kind == GP_PATTERN_LOGISTIC)
        return make_binary(pattern, err);
    return input->mixed ? GP_OK : make_linear(pattern, cohort, input, patterns->count, err);
}

int gp_patterns_init(gp_patterns *patterns, gp_cohort *cohort, const gp_patterns_input *input,
                     const gp_sink *sink, gp_err *err) {
    int logistic = 0;
    patterns->told = gp_mem_alloc(cohort->traits, 1, err);
    patterns->pattern = gp_mem_alloc(cohort->traits, sizeof *patterns->pattern, err);
    patterns->dropped = gp_mem_alloc(cohort->covariates, 1, err);
    if (err->code != GP_OK || place_all(patterns, cohort, input, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < patterns->count;) {
        if (make_pattern(patterns, k, cohort, input, sink, err) != GP_OK)
            return err->code;
        if (patterns->pattern[k].traits == 0)
            forget(patterns, k);
        else
            logistic |= patterns->pattern[k++].kind == GP_PATTERN_LOGISTIC;
    }
    tell(patterns, cohort, sink, err);
    for (int64_t k = 0; !logistic && k < cohort->covariates; k++) {
        free(cohort->covariate[k].value);
        cohort->covariate[k].value = NULL;
    }
    return err->code;
}

static void free_binary(gp_binary *binary) {
    for (int64_t k = 0; k < binary->nulls && binary->null != NULL; k++)
        gp_logit_null_free(&binary->null[k]);
    gp_logit_free(binary->model);
    free(binary->null);
    free(binary->y);
    free(binary->offset);
    *binary = (gp_binary){0};
}

int gp_patterns_drop(gp_patterns *patterns, const gp_cohort *cohort, const gp_sink *sink,
                     gp_err *err) {
    for (int64_t k = 0; k < patterns->count;) {
        gp_pattern *pattern = &patterns->pattern[k];
        int64_t left = 0;
        for (int64_t t = 0; pattern->kind == GP_PATTERN_LOGISTIC && t < pattern->traits; t++) {
            gp_binary binary = pattern->binary[t];
            pattern->binary[t] = (gp_binary){0};
            if (cohort->trait[pattern->trait[t]].skipped != NULL)
                free_binary(&binary);
            else
                pattern->binary[left++] = binary;
        }
        if (pattern->kind == GP_PATTERN_LOGISTIC)
            close_up(pattern, cohort);
        if (pattern->traits == 0)
            forget(patterns, k);
        else
            k++;
    }
    return tell(patterns, cohort, sink, err);
}

static void free_pattern(gp_pattern *pattern) {
    for (int64_t t = 0; pattern->binary != NULL && t < pattern->traits; t++)
        free_binary(&pattern->binary[t]);
    gp_logit_rows_free(&pattern->rows);
    gp_linear_free(&pattern->model);
    gp_shift_free(&pattern->shift);
    gp_pattern_free_columns(pattern);
    free(pattern->binary);
    free(pattern->trait);
}

void gp_patterns_free(gp_patterns *patterns) {
    for (int64_t k = 0; k < patterns->count; k++)
        free_pattern(&patterns->pattern[k]);
    free(patterns->pattern);
    free(patterns->dropped);
    free(patterns->told);
    *patterns = (gp_patterns){0};
}
