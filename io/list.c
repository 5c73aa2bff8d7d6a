#include "io/list.h"
#include "io/lines.h"
#include "io/sample_map.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- samples ---- */

typedef struct sample_list {
    const char *path;
    gp_lines lines;
    gp_sample_map map;
    gp_ids seen; /* ids listed so far */
    gp_text key;
    int with_fid;
    int header; /* the first line is one */
} sample_list;

/* Looks at a copy of the first line: what the lines hold. */
static int read_form(sample_list *list, char *line, gp_err *err) {
    char *copy = gp_mem_string(line, (int64_t)strlen(line), err), *rest = copy;
    if (copy == NULL)
        return err->code;
    const char *first = gp_lines_field(&list->lines, &rest);
    int iid = gp_sample_is_iid(first);
    int fid = gp_sample_is_fid(first);
    const char *second = gp_lines_field(&list->lines, &rest);
    list->header = iid || (fid && second != NULL && strcmp(second, "IID") == 0);
    list->with_fid = !iid && second != NULL;
    free(copy);
    return GP_OK;
}

static int wrong_form(const sample_list *list, gp_err *err) {
    return gp_err_set(err, GP_EINPUT, "%s:%lld: expected %s, as in the first line", list->path,
                      (long long)list->lines.number, list->with_fid ? "FID and IID" : "one IID");
}

static int mark_line(sample_list *list, char *line, uint8_t *mark, int64_t *unknown, gp_err *err) {
    char *rest = line;
    const char *fid = list->with_fid ? gp_lines_field(&list->lines, &rest) : NULL;
    const char *iid = gp_lines_field(&list->lines, &rest);
    if (iid == NULL || *iid == 0 || (fid != NULL && *fid == 0) ||
        (!list->with_fid && !list->header && rest != NULL &&
         gp_lines_field(&list->lines, &rest) != NULL))
        return wrong_form(list, err);
    int64_t number = 0, sample = 0;
    int fresh = 0;
    if (gp_sample_key(&list->key, fid, iid, err) != GP_OK ||
        gp_ids_add(&list->seen, list->key.bytes, list->key.length, &number, &fresh, err) != GP_OK ||
        gp_sample_map_find(&list->map, fid, iid, &sample, err) != GP_OK)
        return err->code;
    if (sample == GP_SAMPLE_SEVERAL)
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: several samples of the store have the IID '%.60s'; write FID "
                          "and IID",
                          list->path, (long long)list->lines.number, iid);
    if (sample >= 0)
        mark[sample] = 1;
    else
        *unknown += fresh;
    return GP_OK;
}

static int mark_lines(sample_list *list, uint8_t *mark, int64_t *unknown, gp_err *err) {
    char *line = gp_lines_next(&list->lines);
    if (line != NULL && read_form(list, line, err) != GP_OK)
        return err->code;
    if (gp_sample_map_init(&list->map, list->map.samples, list->with_fid, err) != GP_OK)
        return err->code;
    if (list->header)
        line = gp_lines_next(&list->lines);
    while (line != NULL && mark_line(list, line, mark, unknown, err) == GP_OK)
        line = gp_lines_next(&list->lines);
    if (err->code == GP_OK && list->seen.count == 0)
        gp_err_set(err, GP_EINPUT, "%s: the list is empty; expected lines of FID IID, or of IID",
                   list->path);
    return err->code;
}

int gp_list_samples(const char *path, gp_text *bytes, const gp_samples *samples, uint8_t *mark,
                    int64_t *listed, int64_t *unknown, gp_err *err) {
    sample_list list = {.path = path, .map.samples = samples};
    memset(mark, 0, (size_t)samples->n);
    *listed = *unknown = 0;
    if (gp_lines_start(&list.lines, path, bytes, err) == GP_OK)
        mark_lines(&list, mark, unknown, err);
    *listed = list.seen.count;
    gp_sample_map_free(&list.map);
    gp_ids_free(&list.seen);
    gp_text_free(&list.key);
    return err->code;
}

/* ---- variants ---- */

int gp_list_variants(const char *path, gp_text *bytes, gp_ids *ids, gp_err *err) {
    gp_lines lines;
    if (gp_lines_start(&lines, path, bytes, err) != GP_OK)
        return err->code;
    char *line;
    while ((line = gp_lines_next(&lines)) != NULL) {
        int64_t number = 0;
        const char *id = gp_lines_field(&lines, &line);
        if (*id == 0)
            return gp_err_set(err, GP_EINPUT, "%s:%lld: the variant id is empty; it comes first",
                              path, (long long)lines.number);
        if (gp_ids_add(ids, id, (int64_t)strlen(id), &number, NULL, err) != GP_OK)
            return err->code;
    }
    if (ids->count == 0)
        return gp_err_set(err, GP_EINPUT, "%s: the list is empty; expected a variant id per line",
                          path);
    return GP_OK;
}

/* ---- chromosomes ---- */

/* One item of --chr, borrowed from the list. */
typedef struct item {
    const char *text;
    int64_t length;
    int64_t first, last; /* a number or a range of them; first is -1 where the item is neither */
} item;

static int64_t bare(const char *name, int64_t length) {
    return length > 3 && strncasecmp(name, "chr", 3) == 0 ? 3 : 0;
}

/* The number that n bytes spell; -1 if they spell none, or one too long for a chromosome. */
static int64_t to_count(const char *s, int64_t n) {
    int64_t value = 0;
    if (n < 1 || n > 15)
        return -1;
    for (int64_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

static void read_range(item *it) {
    const char *s = it->text;
    int64_t n = it->length, skip = bare(s, n);
    it->first = it->last = to_count(s + skip, n - skip);
    const char *dash = memchr(s, '-', (size_t)n);
    if (dash == NULL)
        return;
    int64_t left = dash - s, right = n - left - 1, skip_right = bare(dash + 1, right);
    it->first = to_count(s + skip, left - skip);
    it->last = to_count(dash + 1 + skip_right, right - skip_right);
    if (it->last < 0)
        it->first = -1;
}

static int is_kind(const item *it, gp_kind kind) {
    static const struct {
        const char *name;
        gp_kind kind;
    } word[] = {{"X", GP_X}, {"Y", GP_Y}, {"XY", GP_XY}, {"MT", GP_MT}, {"M", GP_MT}};
    int64_t skip = bare(it->text, it->length), n = it->length - skip;
    for (size_t k = 0; k < sizeof word / sizeof word[0]; k++)
        if (word[k].kind == kind && (int64_t)strlen(word[k].name) == n &&
            strncasecmp(word[k].name, it->text + skip, (size_t)n) == 0)
            return 1;
    return 0;
}

static int matches(const item *it, const gp_chromosome *chromosome) {
    const char *name = chromosome->name;
    int64_t n = (int64_t)strlen(name), skip = bare(name, n), from = bare(it->text, it->length);
    if (n - skip == it->length - from &&
        memcmp(name + skip, it->text + from, (size_t)(n - skip)) == 0)
        return 1;
    if (is_kind(it, chromosome->kind))
        return 1;
    int64_t number = to_count(name + skip, n - skip);
    return it->first >= 0 && number >= it->first && number <= it->last;
}

int gp_list_names(const char *text, const gp_chromosome *chromosome) {
    item it = {.text = text, .length = (int64_t)strlen(text)};
    it.first = it.last = to_count(text + bare(text, it.length), it.length - bare(text, it.length));
    return it.length > 0 && matches(&it, chromosome);
}

static int no_match(const item *it, const gp_chromosome *const *chromosome, int64_t count,
                    gp_err *err) {
    enum { ROOM = 500 };
    gp_text names = {0};
    int64_t k = 0;
    for (; k < count && names.length < ROOM && err->code == GP_OK; k++)
        gp_text_print(&names, err, "%s%.60s", k ? ", " : "", chromosome[k]->name);
    if (k < count)
        gp_text_print(&names, err, " and %lld more", (long long)(count - k));
    gp_err_set(err, GP_EINPUT, "--chr: '%.*s' is no chromosome of the store; it has %s",
               it->length < 60 ? (int)it->length : 60, it->text,
               names.length ? names.bytes : "none");
    gp_text_free(&names);
    return err->code;
}

int gp_list_chromosomes(const char *list, const gp_chromosome *const *chromosome, int64_t count,
                        uint8_t *mark, gp_err *err) {
    int64_t found = 0;
    item missed = {0};
    memset(mark, 0, (size_t)count);
    while (list != NULL) {
        const char *comma = strchr(list, ',');
        item it = {.text = list};
        it.length = comma != NULL ? comma - list : (int64_t)strlen(list);
        list = comma != NULL ? comma + 1 : NULL;
        if (it.length == 0)
            return gp_err_set(err, GP_EINPUT,
                              "--chr: an empty item; expected something like 1-22,X");
        read_range(&it);
        if (it.first > it.last)
            return gp_err_set(err, GP_EINPUT, "--chr: '%.*s' runs backwards; write %lld-%lld",
                              it.length < 60 ? (int)it.length : 60, it.text, (long long)it.last,
                              (long long)it.first);
        for (int64_t k = 0; k < count; k++)
            if (matches(&it, chromosome[k])) {
                mark[k] = 1;
                found++;
            }
        if (found == 0)
            missed = it;
    }
    return found == 0 ? no_match(&missed, chromosome, count, err) : GP_OK;
}
