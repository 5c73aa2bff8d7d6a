#include "io/list.h"
#include "jobs/cohort_private.h"
#include "jobs/job.h"
#include "jobs/joined.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t gp_cohort_kept(const gp_cohort *cohort) {
    int64_t kept = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++)
        kept += cohort->kept[i];
    return kept;
}

/* ---- --keep and --remove ---- */

static int apply_list(gp_job *job, const char *path, int keep, gp_cohort *cohort, gp_err *err) {
    int64_t before = gp_cohort_kept(cohort);
    gp_text text = {0};
    uint8_t *mark = NULL;
    int64_t listed = 0, unknown = 0;
    if (path == NULL || gp_job_read_shared(job, path, &text, err) != GP_OK)
        goto done;
    mark = gp_mem_alloc(cohort->samples.n, 1, err);
    if (mark == NULL ||
        gp_list_samples(path, &text, &cohort->samples, mark, &listed, &unknown, err) != GP_OK)
        goto done;
    for (int64_t i = 0; i < cohort->samples.n; i++)
        cohort->kept[i] &= mark[i] == keep;
    *(keep ? &cohort->not_listed : &cohort->removed) = before - gp_cohort_kept(cohort);
    gp_say(job->sink, GP_NOTE,
           "%s: %lld samples listed, %lld of them not in the store; %lld samples remain", path,
           (long long)listed, (long long)unknown, (long long)gp_cohort_kept(cohort));
    if (gp_cohort_kept(cohort) == 0)
        gp_err_set(err, GP_EINPUT, "%s: no sample remains; %s", path,
                   keep ? "--keep takes FID IID lines of the store's samples"
                        : "--remove leaves out all that were left");
done:
    free(mark);
    gp_text_free(&text);
    return gp_par_agree(job->par, err);
}

/* ---- traits ---- */

gp_cohort_span gp_cohort_span_of(const gp_cohort *cohort, const double *value) {
    gp_cohort_span s = {.low = INFINITY, .high = -INFINITY};
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        double v = value[i];
        if (!cohort->kept[i] || isnan(v))
            continue;
        s.present++;
        s.minus_nine += v == -9.0;
        s.low = v != -9.0 ? fmin(s.low, v) : s.low;
        s.high = v != -9.0 ? fmax(s.high, v) : s.high;
    }
    for (int64_t i = 0; i < cohort->samples.n; i++)
        if (cohort->kept[i] && value[i] > s.low && value[i] < s.high) {
            s.between++;
            s.ones += value[i] == 1.0;
        }
    return s;
}

void gp_cohort_warn_of_minus_nine(const gp_job *job, const char *path, const char *what,
                                  const char *name, const gp_cohort_span *s) {
    if (s->minus_nine > 0)
        gp_say(job->sink, GP_WARN,
               "%s: %s '%s' holds -9 (%lld times) as a value; if it means missing, add "
               "--missing-code -9",
               path, what, name, (long long)s->minus_nine);
}

/* Whether all samples together, also those that are not kept, have just the values low and low + 1.
 */
static int has_two(const gp_cohort *cohort, const double *value, double low) {
    int64_t other = 0, count[2] = {0};
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        other += !isnan(value[i]) && value[i] != low && value[i] != low + 1.0;
        count[0] += value[i] == low;
        count[1] += value[i] == low + 1.0;
    }
    return other == 0 && count[0] > 0 && count[1] > 0;
}

/* Recognises binary coding, and what looks like it but for an option that was forgotten. */
static void inspect_trait(const gp_job *job, const gp_cohort_options *options,
                          const gp_cohort *cohort, gp_trait *trait) {
    gp_cohort_span s = gp_cohort_span_of(cohort, trait->value);
    gp_cohort_warn_of_minus_nine(job, options->pheno, "trait", trait->name, &s);
    if (s.present == 0)
        trait->skipped = "no sample in use has a value";
    int zero_one = s.between == 0 && s.low == 0.0 && s.high == 1.0;
    int one_two = s.between == 0 && s.low == 1.0 && s.high == 2.0;
    if ((zero_one || one_two) && s.minus_nine > 0)
        trait->unclear = "two values and -9; say --missing-code -9 if that means missing";
    else if (one_two && !options->cc12)
        trait->unclear = "the values 1 and 2; say --cc12 if they mean control and case";
    else if (options->cc12 && s.low == 0.0 && s.high == 2.0 && s.between == s.ones)
        trait->unclear =
            "the values 0, 1 and 2; say --missing-code 0 if 0 means missing (in covariates too)";
    else
        trait->binary = zero_one || one_two;
    if (!options->cc12 && s.low == 0.0 && s.high == 2.0 && s.between == s.ones)
        gp_say(
            job->sink, GP_WARN,
            "%s: trait '%s' holds 0, 1 and 2 alone and is taken as numbers; if 0 means missing, 1 "
            "control and 2 case, say --cc12 --missing-code 0",
            options->pheno, trait->name);
    if (s.low == s.high && s.minus_nine == 0) {
        one_two = options->cc12 && has_two(cohort, trait->value, 1.0);
        trait->one_class = one_two || has_two(cohort, trait->value, 0.0);
    }
    if ((trait->binary || trait->one_class) && one_two)
        for (int64_t i = 0; i < cohort->samples.n; i++)
            trait->value[i] -= 1.0;
}

static int load_traits(gp_job *job, const gp_cohort_options *options, const gp_missing_codes *codes,
                       gp_cohort *cohort, gp_err *err) {
    gp_joined j = {0};
    int64_t *chosen = NULL, count = 0, n = cohort->samples.n;
    double *rows = NULL;
    if (gp_joined_load(job, options->pheno, &cohort->samples, cohort->kept, &j, err) != GP_OK ||
        gp_table_choose(&j.table, options->pheno_name, "--pheno-name", &chosen, &count, err) !=
            GP_OK)
        goto done;
    rows = gp_mem_alloc(j.table.rows, sizeof *rows, err);
    cohort->trait = gp_mem_alloc(count, sizeof *cohort->trait, err);
    if (rows == NULL || cohort->trait == NULL)
        goto done;
    for (int64_t t = 0; t < count; t++) {
        gp_trait *trait = &cohort->trait[cohort->traits++];
        const char *name = j.table.name[chosen[t]];
        trait->name = gp_mem_string(name, (int64_t)strlen(name), err);
        trait->value = gp_mem_alloc(n, sizeof *trait->value, err);
        if (trait->name == NULL || trait->value == NULL ||
            gp_table_numbers(&j.table, chosen[t], codes, rows, err) != GP_OK)
            goto done;
        gp_joined_spread(&j, rows, trait->value, n);
        inspect_trait(job, options, cohort, trait);
    }
done:
    free(rows);
    free(chosen);
    gp_joined_free(&j);
    return err->code;
}

/* ---- all ---- */

static void mark_complete(const gp_job *job, gp_cohort *cohort) {
    int64_t without = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        cohort->complete[i] = 1;
        for (int64_t k = 0; k < cohort->covariates; k++)
            cohort->complete[i] &= !isnan(cohort->covariate[k].value[i]);
    }
    for (int64_t i = 0; i < cohort->samples.n; i++)
        without += cohort->kept[i] && !cohort->complete[i];
    if (without > 0)
        gp_say(job->sink, GP_NOTE, "%lld samples lack a covariate and are left out of every model",
               (long long)without);
}

/* Complains where no trait is left; says so of single ones. */
static int check_traits(gp_job *job, const gp_cohort_options *options, const gp_cohort *cohort,
                        gp_err *err) {
    int64_t usable = 0;
    for (int64_t t = 0; t < cohort->traits; t++)
        usable += cohort->trait[t].skipped == NULL;
    if (usable == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: trait '%s': %s%s; check the table's ids and missing codes",
                          options->pheno, cohort->trait[0].name, cohort->trait[0].skipped,
                          cohort->traits > 1 ? " (nor of the others)" : "");
    for (int64_t t = 0; t < cohort->traits; t++)
        if (cohort->trait[t].skipped != NULL)
            gp_say(job->sink, GP_WARN, "%s: trait '%s' is skipped: %s", options->pheno,
                   cohort->trait[t].name, cohort->trait[t].skipped);
    return GP_OK;
}

int gp_cohort_load(gp_job *job, const gp_cohort_options *options, gp_store *store,
                   gp_cohort *cohort, gp_err *err) {
    gp_missing_codes codes = {0};
    int64_t n = gp_store_sample_count(store);
    cohort->kept = gp_mem_alloc(n, 1, err);
    cohort->complete = gp_mem_alloc(n, 1, err);
    if (err->code == GP_OK)
        gp_store_read_samples(store, &cohort->samples, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    memset(cohort->kept, 1, (size_t)n);
    if (apply_list(job, options->keep, 1, cohort, err) != GP_OK ||
        apply_list(job, options->remove, 0, cohort, err) != GP_OK)
        return err->code;
    gp_missing_codes_parse(&codes, options->missing_code, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    if (options->pheno != NULL)
        load_traits(job, options, &codes, cohort, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    if (options->covar != NULL)
        gp_cohort_load_covariates(job, options, &codes, cohort, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    mark_complete(job, cohort);
    if (options->pheno != NULL)
        check_traits(job, options, cohort, err);
done:
    gp_missing_codes_free(&codes);
    return gp_par_agree(job->par, err);
}

void gp_cohort_free(gp_cohort *cohort) {
    for (int64_t t = 0; t < cohort->traits; t++) {
        free(cohort->trait[t].name);
        free(cohort->trait[t].value);
    }
    for (int64_t k = 0; k < cohort->covariates; k++) {
        free(cohort->covariate[k].name);
        free(cohort->covariate[k].value);
    }
    free(cohort->trait);
    free(cohort->covariate);
    free(cohort->kept);
    free(cohort->complete);
    gp_samples_free(&cohort->samples);
    *cohort = (gp_cohort){0};
}
