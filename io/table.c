#include "io/table.h"
#include "io/lines.h"
#include "io/sample_map.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- the header ---- */

typedef struct header {
    gp_table *table;
    gp_ids seen;
    int64_t line, capacity;
} header;

static int add_name(header *h, char *name, gp_err *err) {
    gp_table *table = h->table;
    long long line = h->line, column = table->columns + 2 + table->has_fid;
    int64_t number = 0;
    int fresh = 0;
    if (*name == 0)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: column %lld has no name; name it", table->path,
                          line, column);
    if (gp_sample_is_fid(name) || gp_sample_is_iid(name))
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: column %lld is called '%s'; ids come first: FID IID, or IID",
                          table->path, line, column, name);
    if (gp_ids_add(&h->seen, name, (int64_t)strlen(name), &number, &fresh, err) != GP_OK)
        return err->code;
    if (!fresh)
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: column %lld: '%.60s' names an earlier column too; rename one",
                          table->path, line, column, name);
    if (gp_mem_grow(&table->name, &h->capacity, table->columns + 1, sizeof *table->name, err) !=
        GP_OK)
        return err->code;
    table->name[table->columns++] = name;
    return GP_OK;
}

static int no_header(const gp_table *table, const gp_lines *lines, const char *id, gp_err *err) {
    int commas = id != NULL && strchr(id, ',') != NULL;
    return gp_err_set(err, GP_EINPUT,
                      "%s:%lld: no header that starts FID IID or IID was found, but '%.60s'; %s",
                      table->path, (long long)lines->number, id != NULL ? id : "",
                      commas ? "put tabs or blanks in place of commas" : "put one first");
}

static int cut_header(gp_table *table, gp_lines *lines, gp_err *err) {
    char *name, *rest = gp_lines_next(lines);
    if (rest == NULL)
        return gp_err_set(err, GP_EINPUT,
                          "%s: the file is empty; expected a header that starts FID IID or IID",
                          table->path);
    const char *id = gp_lines_field(lines, &rest);
    table->has_fid = gp_sample_is_fid(id);
    if (table->has_fid)
        id = gp_lines_field(lines, &rest);
    if (!gp_sample_is_iid(id))
        return no_header(table, lines, id, err);
    header h = {.table = table, .line = lines->number};
    while (err->code == GP_OK && (name = gp_lines_field(lines, &rest)) != NULL)
        add_name(&h, name, err);
    gp_ids_free(&h.seen);
    if (err->code == GP_OK && table->columns == 0)
        gp_err_set(err, GP_EINPUT,
                   "%s:%lld: the header names only ids; expected a column of values after IID",
                   table->path, (long long)lines->number);
    return err->code;
}

/* ---- the rows ---- */

/* Room for all rows. Every value stands behind a separator of its own, so honest rows hold fewer
 * values than the text bytes, and a ragged line is met before a dishonest count could be filled. */
static int make_room(gp_table *table, int64_t rows, int64_t bytes, gp_err *err) {
    int64_t cells = 0;
    if (__builtin_mul_overflow(rows, table->columns, &cells) || cells > bytes)
        cells = bytes;
    table->line = gp_mem_alloc(rows, sizeof *table->line, err);
    table->iid = gp_mem_alloc(rows, sizeof *table->iid, err);
    table->field = gp_mem_alloc(cells, sizeof *table->field, err);
    if (table->has_fid)
        table->fid = gp_mem_alloc(rows, sizeof *table->fid, err);
    return err->code;
}

static int cut_row(gp_table *table, const gp_lines *lines, char *line, gp_err *err) {
    int64_t row = table->rows, values = 0;
    char *field, *rest = line, **value = table->field + row * table->columns;
    char *fid = table->has_fid ? gp_lines_field(lines, &rest) : NULL;
    char *iid = gp_lines_field(lines, &rest);
    while ((field = gp_lines_field(lines, &rest)) != NULL) {
        if (values < table->columns)
            value[values] = field;
        values++;
    }
    if (values != table->columns) {
        int64_t ids = 1 + table->has_fid, found = iid == NULL ? 1 : values + ids;
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: %lld field%s, the header has %lld; a missing value is NA",
                          table->path, (long long)lines->number, (long long)found,
                          found == 1 ? "" : "s", (long long)(table->columns + ids));
    }
    if (*iid == 0 || (fid != NULL && *fid == 0))
        return gp_err_set(err, GP_EINPUT, "%s:%lld: column %d: the %s is empty; %s", table->path,
                          (long long)lines->number, *iid == 0 ? 1 + table->has_fid : 1,
                          *iid == 0 ? "IID" : "FID",
                          *iid == 0 ? "every line needs one" : "0 stands for no family");
    if (table->has_fid)
        table->fid[row] = fid;
    table->iid[row] = iid;
    table->line[row] = lines->number;
    table->rows++;
    return GP_OK;
}

static int check_ids(const gp_table *table, gp_err *err) {
    gp_ids seen = {0};
    gp_text key = {0};
    for (int64_t i = 0; i < table->rows; i++) {
        const char *fid = table->has_fid ? table->fid[i] : NULL;
        int64_t number = 0;
        int fresh = 0;
        if (gp_sample_key(&key, fid, table->iid[i], err) != GP_OK ||
            gp_ids_add(&seen, key.bytes, key.length, &number, &fresh, err) != GP_OK)
            break;
        if (!fresh) {
            gp_err_set(err, GP_EINPUT,
                       "%s:%lld: '%.60s%s%.60s' is there already, in line %lld; keep one of them",
                       table->path, (long long)table->line[i], fid ? fid : "", fid ? " " : "",
                       table->iid[i], (long long)table->line[number]);
            break;
        }
    }
    gp_ids_free(&seen);
    gp_text_free(&key);
    return err->code;
}

int gp_table_parse(gp_table *table, const char *path, gp_text *bytes, gp_err *err) {
    *table = (gp_table){.path = path};
    gp_lines lines;
    if (gp_lines_start(&lines, path, bytes, err) != GP_OK ||
        cut_header(table, &lines, err) != GP_OK)
        goto done;
    int64_t rows = gp_lines_count(&lines);
    if (rows == 0) {
        gp_err_set(err, GP_EINPUT, "%s: a header and no line after it; expected a line per sample",
                   path);
        goto done;
    }
    if (make_room(table, rows, bytes->length, err) != GP_OK)
        goto done;
    char *line;
    while ((line = gp_lines_next(&lines)) != NULL)
        if (cut_row(table, &lines, line, err) != GP_OK)
            goto done;
    check_ids(table, err);
done:
    if (err->code != GP_OK)
        gp_table_free(table);
    return err->code;
}

void gp_table_free(gp_table *table) {
    free(table->name);
    free(table->line);
    free(table->fid);
    free(table->iid);
    free(table->field);
    *table = (gp_table){0};
}

/* ---- choosing columns ---- */

static int choose_all(const gp_table *table, int64_t **chosen, int64_t *count, gp_err *err) {
    *chosen = gp_mem_alloc(table->columns, sizeof **chosen, err);
    if (*chosen == NULL)
        return err->code;
    for (int64_t k = 0; k < table->columns; k++)
        (*chosen)[k] = k;
    *count = table->columns;
    return GP_OK;
}

typedef struct choice {
    const gp_table *table;
    const char *option;
    gp_ids names;   /* the table's columns by name */
    uint8_t *taken; /* [columns] */
    int64_t *chosen, count, capacity;
} choice;

static int choice_init(choice *c, gp_err *err) {
    const gp_table *table = c->table;
    int64_t number = 0;
    c->taken = gp_mem_alloc(table->columns, 1, err);
    for (int64_t k = 0; k < table->columns && err->code == GP_OK; k++)
        gp_ids_add(&c->names, table->name[k], (int64_t)strlen(table->name[k]), &number, NULL, err);
    return err->code;
}

/* An error that lists the columns there are, as far as a line has room. */
static int unknown_name(const choice *c, const char *name, int length, gp_err *err) {
    enum { ROOM = 500 };
    const gp_table *table = c->table;
    gp_text list = {0};
    int64_t k = 0;
    for (; k < table->columns && list.length < ROOM && err->code == GP_OK; k++)
        gp_text_print(&list, err, "%s%.60s", k ? ", " : "", table->name[k]);
    if (k < table->columns)
        gp_text_print(&list, err, " and %lld more", (long long)(table->columns - k));
    gp_err_set(err, GP_EINPUT, "%s: '%.*s' is no column of %s; it has %s", c->option, length, name,
               table->path, list.bytes);
    gp_text_free(&list);
    return err->code;
}

static int choose_one(choice *c, const char *name, int64_t length, gp_err *err) {
    if (length == 0)
        return gp_err_set(err, GP_EINPUT, "%s: an empty name; expected names with a comma between",
                          c->option);
    int64_t column = gp_ids_find(&c->names, name, length);
    if (column < 0)
        return unknown_name(c, name, length < 60 ? (int)length : 60, err);
    if (c->taken[column])
        return gp_err_set(err, GP_EINPUT, "%s: '%.60s' is named twice; name it once", c->option,
                          c->table->name[column]);
    if (gp_mem_grow(&c->chosen, &c->capacity, c->count + 1, sizeof *c->chosen, err) != GP_OK)
        return err->code;
    c->taken[column] = 1;
    c->chosen[c->count++] = column;
    return GP_OK;
}

int gp_table_choose(const gp_table *table, const char *names, const char *option, int64_t **chosen,
                    int64_t *count, gp_err *err) {
    *chosen = NULL;
    *count = 0;
    if (names == NULL)
        return choose_all(table, chosen, count, err);
    choice c = {.table = table, .option = option};
    choice_init(&c, err);
    while (names != NULL && err->code == GP_OK) {
        const char *comma = strchr(names, ',');
        choose_one(&c, names, comma != NULL ? comma - names : (int64_t)strlen(names), err);
        names = comma != NULL ? comma + 1 : NULL;
    }
    gp_ids_free(&c.names);
    free(c.taken);
    if (err->code == GP_OK) {
        *chosen = c.chosen;
        *count = c.count;
    } else {
        free(c.chosen);
    }
    return err->code;
}

/* ---- joining with a store ---- */

int gp_table_join(const gp_table *table, const gp_samples *samples, int64_t *sample, gp_err *err) {
    gp_sample_map map = {0};
    gp_sample_map_init(&map, samples, table->has_fid, err);
    for (int64_t i = 0; i < table->rows && err->code == GP_OK; i++) {
        const char *fid = table->has_fid ? table->fid[i] : NULL;
        if (gp_sample_map_find(&map, fid, table->iid[i], &sample[i], err) == GP_OK &&
            sample[i] == GP_SAMPLE_SEVERAL)
            gp_err_set(err, GP_EINPUT,
                       "%s:%lld: several samples of the store have the IID '%.60s'; put a column "
                       "FID first",
                       table->path, (long long)table->line[i], table->iid[i]);
    }
    gp_sample_map_free(&map);
    return err->code;
}
