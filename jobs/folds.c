#include "jobs/folds.h"
#include "io/table.h"
#include "jobs/job.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether a sample takes part: it is kept, complete, and has a trait. */
static int takes_part(const gp_cohort *cohort, int64_t i) {
    int has = cohort->kept[i] && cohort->complete[i];
    if (!has)
        return 0;
    for (int64_t t = 0; t < cohort->traits; t++)
        if (cohort->trait[t].skipped == NULL && !isnan(cohort->trait[t].value[i]))
            return 1;
    return 0;
}

static int check_number(const gp_folds_options *o, const gp_folds *folds, const gp_cohort *cohort,
                        gp_err *err) {
    const char *what = o->file != NULL ? o->file : "command line: --folds";
    int64_t samples = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++)
        samples += takes_part(cohort, i);
    if (folds->count < 2)
        return gp_err_set(err, GP_EINPUT,
                          "%s: all samples are in one fold; cross-validation needs two or more",
                          what);
    if (folds->count > samples)
        return gp_err_set(err, GP_EINPUT,
                          "%s: %lld folds are more than the %lld samples with a trait", what,
                          (long long)folds->count, (long long)samples);
    return GP_OK;
}

static int by_number(gp_folds *folds, int64_t count, int64_t samples, gp_err *err) {
    folds->count = count;
    folds->label = gp_mem_alloc(count, sizeof *folds->label, err);
    if (folds->label == NULL)
        return err->code;
    for (int64_t k = 0; k < count; k++)
        folds->label[k] = k;
    for (int64_t i = 0; i < samples; i++)
        folds->of[i] = i % count;
    return GP_OK;
}

/* ---- the file ---- */

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The distinct labels of the samples, which then get their numbers. */
static int number_labels(gp_folds *folds, int64_t samples, gp_err *err) {
    int64_t count = 0, distinct = 0;
    folds->label = gp_mem_alloc(samples, sizeof *folds->label, err);
    if (folds->label == NULL)
        return err->code;
    for (int64_t i = 0; i < samples; i++)
        if (folds->of[i] >= 0)
            folds->label[count++] = folds->of[i];
    qsort(folds->label, (size_t)count, sizeof *folds->label, ascending);
    for (int64_t k = 0; k < count; k++)
        if (distinct == 0 || folds->label[distinct - 1] != folds->label[k])
            folds->label[distinct++] = folds->label[k];
    folds->count = distinct;
    for (int64_t i = 0; i < samples; i++)
        if (folds->of[i] >= 0) {
            const int64_t *at = bsearch(&folds->of[i], folds->label, (size_t)distinct,
                                        sizeof *folds->label, ascending);
            folds->of[i] = at - folds->label;
        }
    return GP_OK;
}

/* Puts a table's column of whole numbers into folds->of, by sample. */
static int spread(const gp_table *table, int64_t column, const gp_cohort *cohort, gp_folds *folds,
                  gp_err *err) {
    gp_missing_codes none = {0};
    int64_t *sample = gp_mem_alloc(table->rows, sizeof *sample, err);
    double *value = gp_mem_alloc(table->rows, sizeof *value, err);
    if (err->code == GP_OK && gp_table_join(table, &cohort->samples, sample, err) == GP_OK)
        gp_table_numbers(table, column, &none, value, err);
    for (int64_t r = 0; err->code == GP_OK && r < table->rows; r++) {
        if (isnan(value[r]))
            continue;
        if (value[r] < 0 || value[r] > 1e15 || value[r] != floor(value[r]))
            gp_err_set(err, GP_EINPUT,
                       "%s:%lld: column '%s': a fold is a whole number from 0, not %g", table->path,
                       (long long)table->line[r], table->name[column], value[r]);
        else if (sample[r] >= 0)
            folds->of[sample[r]] = (int64_t)value[r];
    }
    free(sample);
    free(value);
    return err->code;
}

static int read_file(gp_job *job, const char *path, const gp_cohort *cohort, gp_folds *folds,
                     gp_err *err) {
    gp_text text = {0};
    gp_table table = {0};
    int64_t *column = NULL, columns = 0;
    if (gp_job_read_shared(job, path, &text, err) == GP_OK &&
        gp_table_parse(&table, path, &text, err) == GP_OK &&
        gp_table_choose(&table, table.columns == 1 ? NULL : "fold", "--fold-file", &column,
                        &columns, err) == GP_OK &&
        spread(&table, column[0], cohort, folds, err) == GP_OK)
        number_labels(folds, cohort->samples.n, err);
    free(column);
    gp_table_free(&table);
    gp_text_free(&text);
    return gp_par_agree(job->par, err);
}

/* Every sample that takes part needs a fold. */
static int check_lacking(const char *path, const gp_cohort *cohort, const gp_folds *folds,
                         gp_err *err) {
    gp_text some = {0};
    int64_t lacking = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++)
        if (folds->of[i] < 0 && takes_part(cohort, i) && lacking++ < 3)
            gp_text_print(&some, err, "%s%.60s %.60s", some.length > 0 ? ", " : "",
                          gp_samples_fid(&cohort->samples, i), gp_samples_iid(&cohort->samples, i));
    if (lacking > 0)
        gp_err_set(
            err, GP_EINPUT,
            "%s: %lld samples with a trait have no fold (%s%s); give them one, or leave them "
            "out with --remove",
            path, (long long)lacking, some.bytes ? some.bytes : "", lacking > 3 ? " ..." : "");
    gp_text_free(&some);
    return err->code;
}

int gp_folds_init(gp_job *job, const gp_folds_options *o, const gp_cohort *cohort, gp_folds *folds,
                  gp_err *err) {
    int64_t samples = cohort->samples.n;
    if (o->folds > 0 && o->file != NULL)
        gp_err_set(err, GP_EINPUT,
                   "command line: --folds and --fold-file both say who is in which fold; name one");
    if (err->code == GP_OK && (o->folds > 0 || o->file != NULL))
        folds->of = gp_mem_alloc(samples, sizeof *folds->of, err);
    if (gp_par_agree(job->par, err) != GP_OK || folds->of == NULL)
        return err->code;
    for (int64_t i = 0; i < samples; i++)
        folds->of[i] = -1;
    if (o->file != NULL && read_file(job, o->file, cohort, folds, err) == GP_OK)
        check_lacking(o->file, cohort, folds, err);
    else if (o->file == NULL)
        by_number(folds, o->folds, samples, err);
    if (err->code == GP_OK)
        check_number(o, folds, cohort, err);
    return gp_par_agree(job->par, err);
}

void gp_folds_free(gp_folds *folds) {
    free(folds->label);
    free(folds->of);
    *folds = (gp_folds){0};
}
