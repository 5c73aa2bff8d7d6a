/* Columns of a table as numbers and as categories. */
#include "io/number.h"
#include "io/table.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what is missing ---- */

static int is_na(const char *s) {
    return *s == 0 || strcasecmp(s, "NA") == 0 || strcasecmp(s, "nan") == 0;
}

static int is_code(const gp_missing_codes *codes, const char *s, int numeric, double number) {
    for (int64_t k = 0; k < codes->count; k++)
        if ((numeric && codes->number[k] == number) || strcmp(codes->code[k], s) == 0)
            return 1;
    return 0;
}

static int add_code(gp_missing_codes *codes, const char *item, int64_t length, gp_err *err) {
    if (length == 0)
        return gp_err_set(err, GP_EINPUT,
                          "--missing-code: an empty code; an empty field is missing by itself");
    char *code = gp_mem_string(item, length, err);
    if (code == NULL)
        return err->code;
    codes->code[codes->count] = code;
    if (!gp_number_read(code, &codes->number[codes->count]))
        codes->number[codes->count] = NAN;
    codes->count++;
    return GP_OK;
}

int gp_missing_codes_parse(gp_missing_codes *codes, const char *list, gp_err *err) {
    *codes = (gp_missing_codes){0};
    if (list == NULL || *list == 0)
        return GP_OK;
    int64_t count = 1;
    for (const char *c = list; *c != 0; c++)
        count += *c == ',';
    codes->code = gp_mem_alloc(count, sizeof *codes->code, err);
    codes->number = gp_mem_alloc(count, sizeof *codes->number, err);
    while (list != NULL && err->code == GP_OK) {
        const char *comma = strchr(list, ',');
        add_code(codes, list, comma != NULL ? comma - list : (int64_t)strlen(list), err);
        list = comma != NULL ? comma + 1 : NULL;
    }
    if (err->code != GP_OK)
        gp_missing_codes_free(codes);
    return err->code;
}

void gp_missing_codes_free(gp_missing_codes *codes) {
    for (int64_t k = 0; k < codes->count; k++)
        free(codes->code[k]);
    free(codes->code);
    free(codes->number);
    *codes = (gp_missing_codes){0};
}

/* ---- columns ---- */

int gp_table_numbers(const gp_table *table, int64_t column, const gp_missing_codes *codes,
                     double *value, gp_err *err) {
    enum { AHEAD = 16 }; /* a column's fields lie rows apart: memory would be waited for */
    for (int64_t i = 0; i < table->rows; i++) {
        const char *s = table->field[i * table->columns + column];
        if (i + AHEAD < table->rows)
            __builtin_prefetch(table->field[(i + AHEAD) * table->columns + column]);
        int numeric = gp_number_read(s, &value[i]);
        if (numeric && (codes->count == 0 || !is_code(codes, s, 1, value[i])))
            continue;
        if (!numeric && !is_na(s) && !is_code(codes, s, 0, 0))
            return gp_err_set(err, GP_EINPUT,
                              "%s:%lld: column '%.60s': '%.40s' is not a number (column %lld); "
                              "missing is NA; --missing-code adds a code for it",
                              table->path, (long long)table->line[i], table->name[column], s,
                              (long long)(column + 2 + table->has_fid));
        value[i] = NAN;
    }
    return GP_OK;
}

static int by_bytes(const void *a, const void *b) {
    const char *const *s = a, *const *t = b;
    return strcmp(*s, *t);
}

/* Adds the strings of `found` to `levels` in byte order. rank out [found->count] their numbers
 * there. */
static int sort_levels(const gp_ids *found, gp_ids *levels, int64_t *rank, gp_err *err) {
    const char **name = gp_mem_alloc(found->count, sizeof *name, err);
    if (name == NULL)
        return err->code;
    for (int64_t k = 0; k < found->count; k++)
        name[k] = gp_ids_get(found, k);
    qsort(name, (size_t)found->count, sizeof *name, by_bytes);
    for (int64_t k = 0; k < found->count && err->code == GP_OK; k++) {
        int64_t length = (int64_t)strlen(name[k]), number = 0;
        if (gp_ids_add(levels, name[k], length, &number, NULL, err) == GP_OK)
            rank[gp_ids_find(found, name[k], length)] = number;
    }
    free(name);
    return err->code;
}

int gp_table_levels(const gp_table *table, int64_t column, const gp_missing_codes *codes,
                    int64_t *level, gp_ids *levels, gp_err *err) {
    gp_ids found = {0};
    int64_t *rank = NULL;
    for (int64_t i = 0; i < table->rows; i++) {
        const char *s = table->field[i * table->columns + column];
        double number = 0;
        int numeric = codes->count > 0 && gp_number_read(s, &number);
        level[i] = -1;
        if (is_na(s) || is_code(codes, s, numeric, number))
            continue;
        if (gp_ids_add(&found, s, (int64_t)strlen(s), &level[i], NULL, err) != GP_OK)
            goto done;
    }
    rank = gp_mem_alloc(found.count, sizeof *rank, err);
    if (rank == NULL || sort_levels(&found, levels, rank, err) != GP_OK)
        goto done;
    for (int64_t i = 0; i < table->rows; i++)
        if (level[i] >= 0)
            level[i] = rank[level[i]];
done:
    gp_ids_free(&found);
    free(rank);
    return err->code;
}
