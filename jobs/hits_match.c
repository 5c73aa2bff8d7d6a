/* Which variant of the store a line of a table is about. */
#include "io/part.h"
#include "jobs/hits_private.h"
#include "src/base/split.h"

#include <string.h>

enum { BEFORE = 64 /* variants looked at in one step back */ };

typedef struct matcher {
    const gp_hits_plan *plan;
    gp_variants v; /* variants [first, first + v.count) of the chromosome */
    int64_t chromosome, first;
    int64_t next; /* the first variant that no line has been matched with */
} matcher;

static int load(matcher *m, int64_t first, int64_t count, gp_err *err) {
    m->first = first;
    return gp_store_read_variants(m->plan->store, m->chromosome, first, count, &m->v, err);
}

static int64_t count_of(const matcher *m) {
    return gp_store_chromosome(m->plan->store, m->chromosome)->count;
}

/* A field of a line's columns. */
typedef struct field {
    const char *s;
    int64_t n;
} field;

static field find_field(const gp_hit_lines *lines, const gp_hit_line *line, int column) {
    const char *at = lines->text.bytes + line->at, *end = at + line->length, *stop;
    for (;; at = stop + 1, column--) {
        stop = memchr(at, '\t', (size_t)(end - at));
        if (stop == NULL || column == 0)
            return (field){at, (stop != NULL ? stop : end) - at};
    }
}

/* Whether a field is a name; #NA stands for what is unknown. */
static int is_name(field f, const char *name) {
    int64_t n = (int64_t)strlen(name);
    return (f.n == n && memcmp(f.s, name, (size_t)n) == 0) ||
           (f.n == 3 && memcmp(f.s, "#NA", 3) == 0 && strcmp(name, ".") == 0);
}

/* Variants of a region's first position may stand before the region's first block. */
static int step_back(matcher *m, int64_t position, int64_t *variant, gp_err *err) {
    while (*variant > 0) {
        int64_t begin = gp_most(0, *variant - BEFORE);
        if (load(m, begin, *variant - begin, err) != GP_OK)
            return err->code;
        while (*variant > begin && m->v.position[*variant - 1 - begin] == position)
            --*variant;
        if (*variant > begin)
            break;
    }
    return GP_OK;
}

/* Goes to the first variant that a line of a region may be about. */
static int enter(matcher *m, const gp_table_region *region, int64_t position, gp_err *err) {
    int64_t variant = region->variant;
    if (m->chromosome != region->chromosome) {
        m->chromosome = region->chromosome;
        m->next = m->first = m->v.count = 0;
    }
    if (position == region->first && step_back(m, position, &variant, err) != GP_OK)
        return err->code;
    m->next = gp_most(m->next, variant);
    return GP_OK;
}

static int is_missing(const matcher *m, const gp_hit_line *line, field id, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: variant '%.*s' at %s:%lld is not in %s, under these alleles; a table "
                      "goes with the store it was made of",
                      m->plan->table, (int)gp_least(60, id.n), id.s,
                      gp_store_chromosome(m->plan->store, line->chromosome)->name,
                      (long long)line->position, gp_store_path(m->plan->store));
}

/* Lines stand in the order of the store, so the search goes on where it ended. */
static int match_line(matcher *m, const gp_hit_lines *lines, gp_hit_line *line, gp_err *err) {
    int64_t count = count_of(m);
    field id = find_field(lines, line, GP_HIT_ID), effect = find_field(lines, line, GP_HIT_EFFECT),
          other = find_field(lines, line, GP_HIT_OTHER);
    for (; m->next < count; m->next++) {
        int64_t j = m->next - m->first;
        if ((j < 0 || j >= m->v.count) &&
            load(m, m->next, gp_least(GP_TEXT_BLOCK, count - m->next), err) != GP_OK)
            return err->code;
        j = m->next - m->first;
        if (m->v.position[j] > line->position)
            break;
        if (m->v.position[j] == line->position && is_name(id, m->v.id[j]) &&
            is_name(effect, m->v.alt[j]) && is_name(other, m->v.ref[j])) {
            line->variant = m->next++;
            return GP_OK;
        }
    }
    return is_missing(m, line, id, err);
}

static int holds(const gp_table_region *region, const gp_hit_line *line) {
    return region->chromosome == line->chromosome && region->first <= line->position &&
           line->position <= region->last;
}

int gp_hits_match(const gp_hits_plan *plan, gp_hit_lines *lines, gp_err *err) {
    const gp_table_parts *parts = plan->parts;
    matcher m = {.plan = plan, .chromosome = -1};
    for (int64_t i = 0, k = -1; i < lines->count && err->code == GP_OK; i++) {
        gp_hit_line *line = &lines->line[i];
        int entered = k >= 0 && holds(&parts->region[k], line);
        while (!entered && !holds(&parts->region[++k], line))
            ;
        if (entered || enter(&m, &parts->region[k], line->position, err) == GP_OK)
            match_line(&m, lines, line, err);
    }
    gp_variants_free(&m.v);
    return err->code;
}
