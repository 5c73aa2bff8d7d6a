#include "jobs/terms.h"
#include "io/table.h"
#include "jobs/job.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The table of covariates, joined to the store. */
typedef struct source {
    gp_job *job;
    const gp_terms *terms;
    gp_text text;
    gp_table table;
    gp_missing_codes codes;
    int64_t *sample; /* [rows] of the store; -1 = not in it */
    double *rows;    /* [rows] a term's values */
    int64_t told;    /* column whose levels were looked at last */
} source;

static void source_free(source *s) {
    gp_table_free(&s->table);
    gp_text_free(&s->text);
    gp_missing_codes_free(&s->codes);
    free(s->sample);
    free(s->rows);
}

/* Collective. */
static int source_load(source *s, gp_err *err) {
    gp_job *job = s->job;
    const char *path = s->terms->path;
    const gp_samples *samples = s->terms->samples;
    int64_t known = 0;
    gp_missing_codes_parse(&s->codes, s->terms->missing_code, err);
    if (gp_par_agree(job->par, err) != GP_OK ||
        gp_job_read_shared(job, path, &s->text, err) != GP_OK)
        return err->code;
    if (gp_table_parse(&s->table, path, &s->text, err) == GP_OK) {
        s->sample = gp_mem_alloc(s->table.rows, sizeof *s->sample, err);
        s->rows = gp_mem_alloc(s->table.rows, sizeof *s->rows, err);
    }
    if (err->code == GP_OK)
        gp_table_join(&s->table, samples, s->sample, err);
    for (int64_t r = 0; err->code == GP_OK && r < s->table.rows; r++)
        known += s->sample[r] >= 0;
    if (err->code == GP_OK && known == 0)
        gp_err_set(
            err, GP_EINPUT,
            "%s: no sample in common with the store: the table has %s%.60s%s%.60s, the store "
            "%.60s %.60s; FID and IID must match",
            path, s->table.has_fid ? s->table.fid[0] : "", "", s->table.has_fid ? " " : "",
            s->table.iid[0], gp_samples_fid(samples, 0), gp_samples_iid(samples, 0));
    return gp_par_agree(job->par, err);
}

static int64_t find_column(const gp_table *table, const char *name, int64_t length) {
    for (int64_t k = 0; k < table->columns; k++)
        if ((int64_t)strlen(table->name[k]) == length &&
            strncmp(table->name[k], name, (size_t)length) == 0)
            return k;
    return -1;
}

/* One level of a category has no term: the others count from it. More of them are news to the
 * model. */
static void tell_new_levels(const source *s, int64_t column, const gp_ids *levels) {
    const char *name = s->table.name[column];
    int64_t length = (int64_t)strlen(name), known = 0;
    for (int64_t k = 0; k < s->terms->count; k++) {
        const char *term = s->terms->name[k];
        if (strncmp(term, name, (size_t)length) == 0 && term[length] == '=')
            known +=
                gp_ids_find(levels, term + length + 1, (int64_t)strlen(term) - length - 1) >= 0;
    }
    if (levels->count > known + 1)
        gp_say(s->job->sink, GP_WARN,
               "%s: column '%s' has %lld levels that have no effect in the model; one is the level "
               "that it leaves out, and the others count as that",
               s->table.path, name, (long long)(levels->count - known));
}

/* 1 where a row has the level, else 0; NaN where it has none. */
static int read_level(source *s, int64_t column, const char *level, gp_err *err) {
    gp_ids levels = {0};
    int64_t *of = gp_mem_alloc(s->table.rows, sizeof *of, err);
    if (of != NULL && gp_table_levels(&s->table, column, &s->codes, of, &levels, err) == GP_OK) {
        int64_t wanted = gp_ids_find(&levels, level, (int64_t)strlen(level));
        if (column != s->told)
            tell_new_levels(s, column, &levels);
        s->told = column;
        for (int64_t r = 0; r < s->table.rows; r++)
            s->rows[r] = of[r] < 0 ? NAN : of[r] == wanted;
    }
    gp_ids_free(&levels);
    free(of);
    return err->code;
}

/* A term's values, by row: a column of numbers, or of a category with a level. */
static int read_term(source *s, const char *term, gp_err *err) {
    int64_t column = find_column(&s->table, term, (int64_t)strlen(term));
    if (column >= 0)
        return gp_table_numbers(&s->table, column, &s->codes, s->rows, err);
    for (const char *equals = strchr(term, '='); equals != NULL; equals = strchr(equals + 1, '='))
        if ((column = find_column(&s->table, term, equals - term)) >= 0)
            return read_level(s, column, equals + 1, err);
    return gp_err_set(err, GP_EINPUT, "%s: has no column for the model's covariate '%s'",
                      s->table.path, term);
}

/* The rows' values, sample by sample. */
static void spread(const source *s, double *x) {
    for (int64_t i = 0; i < s->terms->samples->n; i++)
        x[i] = NAN;
    for (int64_t r = 0; r < s->table.rows; r++)
        if (s->sample[r] >= 0)
            x[s->sample[r]] = s->rows[r];
}

int gp_terms_read(gp_job *job, const gp_terms *terms, gp_terms_take *take, void *context,
                  gp_err *err) {
    source s = {.job = job, .terms = terms, .told = -1};
    double *x = gp_mem_alloc(terms->samples->n, sizeof *x, err);
    if (err->code == GP_OK && terms->count > 0 && terms->path == NULL)
        gp_err_set(err, GP_EINPUT,
                   "command line: the model has covariates (%.200s%s): %s needs --covar FILE",
                   terms->name[0], terms->count > 1 ? ", ..." : "", terms->command);
    if (gp_par_agree(job->par, err) == GP_OK && terms->count > 0 && source_load(&s, err) == GP_OK)
        for (int64_t k = 0; k < terms->count && read_term(&s, terms->name[k], err) == GP_OK; k++) {
            spread(&s, x);
            take(context, k, x);
        }
    source_free(&s);
    free(x);
    return gp_par_agree(job->par, err);
}
