#include "jobs/joined.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one ---- */

static int no_common(const gp_joined *j, const gp_samples *samples, gp_err *err) {
    const gp_table *t = &j->table;
    gp_text examples = {0};
    for (int64_t r = 0; r < t->rows && r < 3; r++)
        gp_text_print(&examples, err, "%s%.60s%s%.60s", r ? ", " : "", t->has_fid ? t->fid[r] : "",
                      t->has_fid ? " " : "", t->iid[r]);
    gp_text_print(&examples, err, "; the store has ");
    for (int64_t i = 0; i < samples->n && i < 3; i++)
        gp_text_print(&examples, err, "%s%.60s %.60s", i ? ", " : "", gp_samples_fid(samples, i),
                      gp_samples_iid(samples, i));
    gp_err_set(err, GP_EINPUT,
               "%s: no sample in common with the store: the table has %s; FID and IID must match "
               "(a table without FID is joined by IID alone)",
               t->path, examples.bytes ? examples.bytes : "");
    gp_text_free(&examples);
    return err->code;
}

static int join(const gp_sink *sink, const gp_samples *samples, const uint8_t *kept, gp_joined *j,
                gp_err *err) {
    int64_t common = 0, extra = 0;
    j->sample = gp_mem_alloc(j->table.rows, sizeof *j->sample, err);
    if (j->sample == NULL || gp_table_join(&j->table, samples, j->sample, err) != GP_OK)
        return err->code;
    for (int64_t r = 0; r < j->table.rows; r++) {
        extra += j->sample[r] < 0;
        common += j->sample[r] >= 0 && (kept == NULL || kept[j->sample[r]]);
    }
    if (extra == j->table.rows)
        return no_common(j, samples, err);
    if (kept != NULL)
        gp_say(sink, GP_NOTE,
               "%s: %lld samples, %lld of them kept in the store, %lld not in it (ignored)",
               j->table.path, (long long)j->table.rows, (long long)common, (long long)extra);
    return GP_OK;
}

int gp_joined_load(gp_job *job, const char *path, const gp_samples *samples, const uint8_t *kept,
                   gp_joined *joined, gp_err *err) {
    if (gp_job_read_shared(job, path, &joined->text, err) == GP_OK &&
        gp_table_parse(&joined->table, path, &joined->text, err) == GP_OK)
        join(job->sink, samples, kept, joined, err);
    return gp_par_agree(job->par, err);
}

void gp_joined_free(gp_joined *joined) {
    gp_table_free(&joined->table);
    gp_text_free(&joined->text);
    free(joined->sample);
    *joined = (gp_joined){0};
}

void gp_joined_spread(const gp_joined *joined, const double *rows, double *value, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        value[i] = NAN;
    for (int64_t r = 0; r < joined->table.rows; r++)
        if (joined->sample[r] >= 0)
            value[joined->sample[r]] = rows[r];
}

/* ---- several ---- */

/* Names the columns of all; those of two tables must differ. */
static int name_columns(gp_joined_list *list, gp_err *err) {
    gp_ids names = {0};
    gp_table *header = &list->header;
    int64_t columns = 0;
    for (int64_t k = 0; k < list->path.count; k++)
        columns += list->joined[k].table.columns;
    header->name = gp_mem_alloc(columns, sizeof *header->name, err);
    for (int64_t k = 0; k < list->path.count && err->code == GP_OK; k++) {
        const gp_table *table = &list->joined[k].table;
        for (int64_t c = 0; c < table->columns && err->code == GP_OK; c++) {
            int64_t number = 0;
            int fresh = 0;
            char *name = header->name[header->columns] = table->name[c];
            if (gp_ids_add(&names, name, (int64_t)strlen(name), &number, &fresh, err) == GP_OK &&
                !fresh)
                gp_err_set(err, GP_EINPUT,
                           "%.300s:1: column '%.200s' stands in %.300s too; leave it out of one of "
                           "them, or give it another name",
                           table->path, name, gp_joined_list_at(list, &number)->table.path);
            header->columns++;
        }
    }
    gp_ids_free(&names);
    return err->code;
}

int gp_joined_list_load(gp_job *job, const char *paths, const char *option,
                        const gp_samples *samples, const uint8_t *kept, gp_joined_list *list,
                        gp_err *err) {
    list->header.path = paths;
    if (gp_words_cut(&list->path, paths, option, err) == GP_OK)
        list->joined = gp_mem_alloc(list->path.count, sizeof *list->joined, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < list->path.count; k++) {
        gp_joined *joined = &list->joined[k];
        if (gp_joined_load(job, list->path.word[k], samples, kept, joined, err) != GP_OK)
            return err->code;
        list->most_rows = gp_most(list->most_rows, joined->table.rows);
    }
    name_columns(list, err);
    return gp_par_agree(job->par, err);
}

void gp_joined_list_free(gp_joined_list *list) {
    for (int64_t k = 0; list->joined != NULL && k < list->path.count; k++)
        gp_joined_free(&list->joined[k]);
    free(list->joined);
    free(list->header.name);
    gp_words_free(&list->path);
    *list = (gp_joined_list){0};
}

const gp_joined *gp_joined_list_at(const gp_joined_list *list, int64_t *column) {
    const gp_joined *joined = list->joined;
    while (*column >= joined->table.columns)
        *column -= joined++->table.columns;
    return joined;
}
