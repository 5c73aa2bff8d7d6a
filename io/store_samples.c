#include "io/store_inside.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

typedef const char *(*text_of)(const gp_samples *, int64_t);

static int write_column(const gp_store_target *to, hid_t group, const gp_h5_plan *plan,
                        gp_h5_column *column, gp_err *err) {
    gp_h5_plan whole = *plan;
    whole.width = whole.chunk_width = 1;
    whole.compress = to->compress;
    int64_t bytes = plan->field->type == GP_H5_INT64 ? 8 : 1;
    whole.chunk_rows = plan->rows < GP_STORE_CHUNK / bytes ? plan->rows : GP_STORE_CHUNK / bytes;
    return gp_h5_column_create(column, to->path, group, &whole, err);
}

static int write_strings(const gp_store_target *to, hid_t group, int k, const gp_samples *s,
                         text_of get, gp_err *err) {
    gp_h5_column text = {0}, ends = {0};
    int64_t total = 0, end = 0;
    for (int64_t i = 0; i < s->n; i++)
        total += (int64_t)strlen(get(s, i)) + 1;
    gp_h5_plan texts = {.field = &gp_store_sample_columns[k], .rows = total};
    gp_h5_plan end_plan = {.field = &gp_store_sample_columns[k + 1], .rows = s->n};
    int code = write_column(to, group, &texts, &text, err);
    if (code == GP_OK)
        code = write_column(to, group, &end_plan, &ends, err);
    for (int64_t i = 0; i < s->n && code == GP_OK; i++) {
        const char *string = get(s, i);
        int64_t bytes = (int64_t)strlen(string) + 1;
        end += bytes;
        code = gp_h5_column_push(&text, string, bytes, err);
        if (code == GP_OK)
            code = gp_h5_column_push(&ends, &end, 1, err);
    }
    if (code == GP_OK)
        code = gp_h5_column_finish(&text, err);
    if (code == GP_OK)
        code = gp_h5_column_finish(&ends, err);
    gp_h5_column_free(&text);
    gp_h5_column_free(&ends);
    return code;
}

int gp_store_write_samples(hid_t file, const gp_store_target *to, const gp_samples *s,
                           gp_err *err) {
    static const struct {
        int column;
        text_of get;
    } text[] = {{GP_STORE_FID, gp_samples_fid},
                {GP_STORE_IID, gp_samples_iid},
                {GP_STORE_FATHER, gp_samples_father},
                {GP_STORE_MOTHER, gp_samples_mother}};
    gp_h5_plan plan = {.field = &gp_store_sample_columns[GP_STORE_SEX], .rows = s->n};
    gp_h5_column sex = {0};
    hid_t group = gp_h5_group(file, "samples", 0);
    if (group < 0)
        return gp_h5_write_failed(err, to->path);
    for (int k = 0; k < 4 && err->code == GP_OK; k++)
        write_strings(to, group, text[k].column, s, text[k].get, err);
    if (err->code == GP_OK && write_column(to, group, &plan, &sex, err) == GP_OK &&
        gp_h5_column_push(&sex, s->sex, s->n, err) == GP_OK)
        gp_h5_column_finish(&sex, err);
    gp_h5_column_free(&sex);
    gp_h5_release(&group);
    return err->code;
}

/* ---- reading ---- */

static int open_sample_columns(gp_store *s, hid_t group, gp_h5_column *column, gp_err *err) {
    for (int k = 0; k < GP_STORE_SAMPLE_COLUMNS; k++) {
        int is_text = gp_store_sample_columns[k].type == GP_H5_UINT8;
        gp_h5_plan plan = {
            .field = &gp_store_sample_columns[k], .rows = is_text ? -1 : s->n, .width = 1};
        if (gp_h5_column_open(&column[k], s->path, group, &plan, s->limit, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

static int fill_samples(const gp_store *s, const gp_strings *run, char *const *text,
                        const int8_t *sex, gp_samples *samples, gp_err *err) {
    for (int64_t i = 0; i < s->n; i++) {
        gp_sample one = {text[0] + run[0].end[i], text[1] + run[1].end[i], text[2] + run[2].end[i],
                         text[3] + run[3].end[i], sex[i]};
        if (gp_samples_add(samples, &one, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

int gp_store_read_samples(gp_store *s, gp_samples *samples, gp_err *err) {
    gp_h5_column column[GP_STORE_SAMPLE_COLUMNS] = {{0}};
    gp_strings run[4] = {{0}};
    char *text[4] = {NULL};
    int8_t *sex = NULL;
    gp_h5_part part = {0, s->n, 0, 1};
    hid_t group = H5Gopen2(s->file, "samples", H5P_DEFAULT);
    if (group < 0)
        gp_h5_read_failed(err, s->path, s->file, "samples");
    else
        open_sample_columns(s, group, column, err);
    for (int k = 0; k < 4 && err->code == GP_OK; k++) {
        run[k] = (gp_strings){&column[2 * k], &column[2 * k + 1], 0, s->n, NULL};
        run[k].end = gp_mem_alloc(s->n + 1, sizeof *run[k].end, err);
        if (run[k].end == NULL || gp_strings_read_ends(&run[k], err) != GP_OK)
            break;
        text[k] = gp_mem_alloc(gp_strings_bytes(&run[k]), 1, err);
        if (text[k] != NULL)
            gp_strings_read(&run[k], text[k], err);
    }
    if (err->code == GP_OK)
        sex = gp_mem_alloc(s->n, sizeof *sex, err);
    if (sex != NULL && gp_h5_column_read(&column[GP_STORE_SEX], &part, sex, err) == GP_OK)
        fill_samples(s, run, text, sex, samples, err);
    for (int k = 0; k < 4; k++) {
        free(run[k].end);
        free(text[k]);
    }
    for (int k = 0; k < GP_STORE_SAMPLE_COLUMNS; k++)
        gp_h5_column_free(&column[k]);
    free(sex);
    gp_h5_release(&group);
    return err->code;
}
