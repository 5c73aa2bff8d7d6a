#include "jobs/merge_attribution.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

static int find_columns(gp_attribution *a, gp_err *err) {
    static const char *const name[] = {"id",    "effect_allele", "other_allele",
                                       "trait", "attribution",   "rank"};
    int64_t *const column[] = {&a->id,    &a->effect,       &a->other,
                               &a->trait, &a->value_column, &a->rank};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        *column[k] = gp_sumstats_find(a->reader, name[k]);
        if (*column[k] < 0)
            return gp_err_set(err, GP_EINPUT,
                              "%s: has no column %s; gp-dist explain writes tables that have it",
                              a->path, name[k]);
    }
    return GP_OK;
}

/* The table has a line for each trait of a variant: those of its first one tell all traits. */
static int find_traits(gp_attribution *a, gp_err *err) {
    gp_text first = {0}, here = {0};
    gp_sumstats_line line;
    while (gp_sumstats_next(a->reader, &line, err)) {
        char *const *field = gp_sumstats_fields(a->reader, err);
        int64_t number = 0;
        int fresh = 0;
        here.length = 0;
        if (field == NULL ||
            gp_text_print(&here, err, "%s\t%s\t%s\t%s\t%s", field[0], field[1], field[a->id],
                          field[a->effect], field[a->other]) != GP_OK)
            break;
        if (first.length == 0)
            gp_text_add(&first, here.bytes, here.length, err);
        if (err->code != GP_OK || strcmp(first.bytes, here.bytes) != 0)
            break;
        const char *trait = field[a->trait];
        if (strcmp(trait, "#NA") == 0)
            gp_err_set(err, GP_EINPUT,
                       "%s: does not tell of traits (attention rollout); merge takes gp-dist "
                       "explain's --method gradient or integrated",
                       a->path);
        else
            gp_ids_add(&a->traits, trait, (int64_t)strlen(trait), &number, &fresh, err);
        if (err->code != GP_OK || !fresh)
            break;
    }
    gp_text_free(&first);
    gp_text_free(&here);
    return err->code;
}

int gp_attribution_open(gp_attribution *a, const char *path, gp_err *err) {
    a->path = path;
    if (gp_sumstats_open(&a->reader, path, err) == GP_OK && find_columns(a, err) == GP_OK)
        find_traits(a, err);
    return err->code;
}

void gp_attribution_close(gp_attribution *a) {
    gp_sumstats_close(a->reader);
    gp_ids_free(&a->traits);
    gp_text_free(&a->text);
    free(a->site);
    free(a->value);
    *a = (gp_attribution){0};
}

/* ---- a stretch ---- */

static int64_t keep(gp_attribution *a, const char *s, gp_err *err) {
    int64_t at = a->text.length;
    gp_text_add(&a->text, s, (int64_t)strlen(s) + 1, err); /* with its zero */
    return at;
}

static int same_allele(const char *a, const char *b) {
    int no_a = strcmp(a, ".") == 0 || strcmp(a, "#NA") == 0;
    int no_b = strcmp(b, ".") == 0 || strcmp(b, "#NA") == 0;
    return no_a || no_b ? no_a && no_b : strcmp(a, b) == 0;
}

static int is_named(const gp_attribution *a, const gp_attribution_site *site,
                    const gp_attribution_name *name) {
    return site->position == name->position && strcmp(a->text.bytes + site->id, name->id) == 0 &&
           same_allele(a->text.bytes + site->effect, name->effect) &&
           same_allele(a->text.bytes + site->other, name->other);
}

static int add_site(gp_attribution *a, const gp_attribution_name *name, gp_err *err) {
    int64_t traits = a->traits.count;
    if (gp_mem_grow(&a->site, &a->site_capacity, a->count + 1, sizeof *a->site, err) != GP_OK ||
        gp_mem_grow(&a->value, &a->value_capacity, (a->count + 1) * traits, sizeof *a->value,
                    err) != GP_OK)
        return err->code;
    a->site[a->count] =
        (gp_attribution_site){name->position, keep(a, name->id, err), keep(a, name->effect, err),
                              keep(a, name->other, err)};
    for (int64_t t = 0; t < traits; t++)
        a->value[a->count * traits + t] = (gp_attribution_value){.text = -1};
    a->count++;
    return err->code;
}

static int bad_line(const gp_attribution *a, int64_t position, const char *what, const char *field,
                    gp_err *err) {
    return gp_err_set(err, GP_EINPUT, "%s: position %lld: %s '%.60s'", a->path, (long long)position,
                      what, field);
}

/* A line of another variant than the one before, or once more of its trait, begins a new one. */
static int add_line(gp_attribution *a, int64_t position, char *const *field, gp_err *err) {
    const gp_attribution_name name = {position, field[a->id], field[a->effect], field[a->other]};
    const char *trait = field[a->trait];
    int64_t t = gp_ids_find(&a->traits, trait, (int64_t)strlen(trait)), traits = a->traits.count;
    if (t < 0)
        return bad_line(a, position, "tells of a trait that its first variant has not:", trait,
                        err);
    if ((a->count == 0 || !is_named(a, &a->site[a->count - 1], &name) ||
         a->value[(a->count - 1) * traits + t].text >= 0) &&
        add_site(a, &name, err) != GP_OK)
        return err->code;
    char *end = NULL;
    const char *rank = field[a->rank];
    gp_attribution_value *value = &a->value[(a->count - 1) * traits + t];
    *value = (gp_attribution_value){keep(a, field[a->value_column], err), strtoull(rank, &end, 10)};
    if (rank[0] < '1' || rank[0] > '9' || *end != 0)
        return bad_line(a, position, "is no rank:", rank, err);
    return err->code;
}

int gp_attribution_load(gp_attribution *a, const char *chromosome, int64_t first, int64_t last,
                        gp_err *err) {
    gp_sumstats_line line;
    a->count = a->text.length = 0;
    gp_sumstats_set_region(a->reader, chromosome, first, last, err);
    while (err->code == GP_OK && gp_sumstats_next(a->reader, &line, err)) {
        char *const *field = gp_sumstats_fields(a->reader, err);
        if (field != NULL)
            add_line(a, line.position, field, err);
    }
    return err->code;
}

int64_t gp_attribution_find(const gp_attribution *a, gp_attribution_place *place,
                            const gp_attribution_name *name) {
    int64_t first = place->first;
    while (first < a->count && a->site[first].position < name->position)
        first++;
    if (first > place->first)
        place->next = first;
    place->first = first;
    for (int64_t k = place->next; k < a->count && a->site[k].position == name->position; k++)
        if (is_named(a, &a->site[k], name))
            return place->next = k + 1, k;
    for (int64_t k = first; k < place->next && a->site[k].position == name->position; k++)
        if (is_named(a, &a->site[k], name))
            return place->next = k + 1, k;
    return -1;
}
