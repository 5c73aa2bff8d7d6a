#include "jobs/terms.h"
#include "jobs/joined.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The tables of covariates, joined to the store. */
typedef struct source {
    gp_job *job;
    const gp_terms *terms;
    gp_joined_list list;
    const gp_joined *joined; /* the table of the term in hand */
    gp_missing_codes codes;
    double *rows; /* [most rows of a table] a term's values */
    int64_t told; /* column of all whose levels were looked at last */
} source;

static void source_free(source *s) {
    gp_joined_list_free(&s->list);
    gp_missing_codes_free(&s->codes);
    free(s->rows);
}

/* Collective. */
static int source_load(source *s, gp_err *err) {
    gp_missing_codes_parse(&s->codes, s->terms->missing_code, err);
    if (gp_par_agree(s->job->par, err) == GP_OK &&
        gp_joined_list_load(s->job, s->terms->path, "--covar", s->terms->samples, NULL, &s->list,
                            err) == GP_OK)
        s->rows = gp_mem_alloc(s->list.most_rows, sizeof *s->rows, err);
    return gp_par_agree(s->job->par, err);
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
    const char *name = s->joined->table.name[column];
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
               s->joined->table.path, name, (long long)(levels->count - known));
}

/* 1 where a row has the level, else 0; NaN where it has none. Column number `all` of all tables is
 * `column` of its own. */
static int read_level(source *s, int64_t all, int64_t column, const char *level, gp_err *err) {
    const gp_table *table = &s->joined->table;
    gp_ids levels = {0};
    int64_t *of = gp_mem_alloc(table->rows, sizeof *of, err);
    if (of != NULL && gp_table_levels(table, column, &s->codes, of, &levels, err) == GP_OK) {
        int64_t wanted = gp_ids_find(&levels, level, (int64_t)strlen(level));
        if (all != s->told)
            tell_new_levels(s, column, &levels);
        s->told = all;
        for (int64_t r = 0; r < table->rows; r++)
            s->rows[r] = of[r] < 0 ? NAN : of[r] == wanted;
    }
    gp_ids_free(&levels);
    free(of);
    return err->code;
}

/* A term's values, by row: a column of numbers, or of a category with a level. */
static int read_term(source *s, const char *term, gp_err *err) {
    const gp_table *header = &s->list.header;
    int64_t all = find_column(header, term, (int64_t)strlen(term)), column = all;
    const char *equals = all < 0 ? strchr(term, '=') : NULL;
    for (; equals != NULL; equals = strchr(equals + 1, '='))
        if ((all = column = find_column(header, term, equals - term)) >= 0)
            break;
    if (all < 0)
        return gp_err_set(err, GP_EINPUT, "%s: has no column for the model's covariate '%s'",
                          header->path, term);
    s->joined = gp_joined_list_at(&s->list, &column);
    if (equals != NULL)
        return read_level(s, all, column, equals + 1, err);
    return gp_table_numbers(&s->joined->table, column, &s->codes, s->rows, err);
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
            gp_joined_spread(s.joined, s.rows, x, terms->samples->n);
            take(context, k, x);
        }
    source_free(&s);
    free(x);
    return gp_par_agree(job->par, err);
}
