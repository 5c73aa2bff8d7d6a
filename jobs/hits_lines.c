/* Which lines of a table may be in a clump. */
#include "io/number.h"
#include "io/sumstats_read.h"
#include "jobs/hits_private.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

const char *const gp_hit_column[GP_HIT_COLUMNS] = {
    "chromosome",   "base_pair_location",      "id",          "effect_allele",
    "other_allele", "effect_allele_frequency", "beta",        "standard_error",
    "p_value",      "neg_log_10_p_value",      "attribution", "attribution_rank"};

void gp_hit_lines_free(gp_hit_lines *lines) {
    free(lines->line);
    gp_text_free(&lines->text);
    *lines = (gp_hit_lines){0};
}

int gp_hit_lines_add(gp_hit_lines *lines, const gp_hit_line *line, const char *columns,
                     gp_err *err) {
    int64_t at = lines->text.length;
    if (gp_mem_grow(&lines->line, &lines->capacity, lines->count + 1, sizeof *lines->line, err) !=
            GP_OK ||
        gp_text_add(&lines->text, columns, line->length, err) != GP_OK)
        return err->code;
    lines->line[lines->count] = *line;
    lines->line[lines->count++].at = at;
    return GP_OK;
}

typedef struct collector {
    const gp_hits_plan *plan;
    gp_sumstats_reader *table;
    int64_t column[GP_HIT_COLUMNS]; /* of the table; -1 where it has none */
    gp_hit_lines *lines;
    gp_text text; /* scratch */
    int64_t reach;
    /* Of the chromosome at hand: */
    int64_t first;   /* where this rank's part begins */
    int64_t settled; /* the lines before this one stay */
    int64_t leader;  /* position of the last of them that may lead, or far away */
} collector;

/* ---- one line ---- */

static int find_columns(collector *c, gp_err *err) {
    for (int k = 0; k < GP_HIT_COLUMNS; k++) {
        c->column[k] = gp_sumstats_find(c->table, gp_hit_column[k]);
        if (c->column[k] < 0 && (k < GP_HIT_NAMES || k == GP_HIT_P || k == GP_HIT_STRENGTH))
            return gp_err_set(err, GP_EINPUT,
                              "%s: has no column '%s'; is this a table of association results?",
                              c->plan->table, gp_hit_column[k]);
    }
    return GP_OK;
}

/* Most lines end here: the p-value alone is looked at. 0 also where there is none. */
static int is_small(const collector *c, const gp_sumstats_line *line, double *p) {
    enum { LONGEST = 40 };
    char number[LONGEST + 1];
    const char *at = line->text;
    for (int64_t k = c->column[GP_HIT_P]; k > 0 && at != NULL; k--) {
        at = strchr(at, '\t');
        at += at != NULL;
    }
    if (at == NULL || *at == '#')
        return 0;
    size_t n = strcspn(at, "\t");
    if (n > LONGEST)
        return 0;
    memcpy(number, at, n);
    number[n] = 0;
    return gp_number_read(number, p) && *p <= c->plan->options->clump_p2;
}

static int add_line(collector *c, gp_hit_line *new, gp_err *err) {
    char *const *field = gp_sumstats_fields(c->table, err);
    if (field == NULL)
        return err->code;
    const char *strength = field[c->column[GP_HIT_STRENGTH]];
    if (!gp_number_read(strength, &new->strength))
        return gp_err_set(err, GP_EINPUT, "%s: %s at %s:%lld is '%.40s', beside a p_value",
                          c->plan->table, gp_hit_column[GP_HIT_STRENGTH], field[0],
                          (long long)new->position, strength);
    c->text.length = 0;
    for (int k = 0; k < (new->leads ? GP_HIT_COLUMNS : GP_HIT_NAMES); k++) {
        const char *value = c->column[k] >= 0 ? field[c->column[k]] : "#NA";
        if (k > 0)
            gp_text_add(&c->text, "\t", 1, err);
        gp_text_add(&c->text, value, (int64_t)strlen(value), err);
    }
    new->length = c->text.length;
    return err->code != GP_OK ? err->code : gp_hit_lines_add(c->lines, new, c->text.bytes, err);
}

/* ---- what no leader reaches ---- */

static int64_t next_leader(const gp_hit_lines *lines, int64_t i) {
    while (i < lines->count && !lines->line[i].leads)
        i++;
    return i;
}

/* Whether a leader that is known is within reach, or one that an earlier rank has may be. */
static int may_be_reached(const collector *c, int64_t i, int64_t next) {
    const gp_hit_line *line = &c->lines->line[i];
    int64_t begin = line->position - c->reach;
    return c->leader >= begin || (c->first > 0 && begin < c->first) ||
           (next < c->lines->count && c->lines->line[next].position - c->reach <= line->position);
}

/* All lines up to a position are there: those that it settles stay or go. So a part of which little
 * is near a leader takes little memory. */
static void settle(collector *c, int64_t known) {
    gp_hit_lines *lines = c->lines;
    int64_t to = c->settled, i = c->settled, next = i;
    int64_t end = lines->count > 0 && to < lines->count ? lines->line[to].at : lines->text.length;
    for (; i < lines->count; i++) {
        gp_hit_line line = lines->line[i];
        int open = line.position > known - c->reach;
        next = next_leader(lines, gp_most(next, i));
        if (!open && !may_be_reached(c, i, next))
            continue;
        if (!open)
            c->settled = to + 1;
        if (!open && line.leads)
            c->leader = line.position;
        memmove(lines->text.bytes + end, lines->text.bytes + line.at, (size_t)line.length);
        line.at = end;
        end += line.length;
        lines->line[to++] = line;
    }
    lines->count = to;
    lines->text.length = end;
}

/* ---- all ---- */

static int collect_region(collector *c, const gp_table_region *region, gp_err *err) {
    const char *name = gp_store_chromosome(c->plan->store, region->chromosome)->name;
    gp_sumstats_line line;
    double p;
    if (gp_sumstats_set_region(c->table, name, region->first, region->last, err) != GP_OK)
        return err->code;
    while (err->code == GP_OK && gp_sumstats_next(c->table, &line, err)) {
        gp_hit_line new = {.chromosome = region->chromosome, .position = line.position};
        if (!is_small(c, &line, &p))
            continue;
        new.leads = p <= c->plan->options->clump_p;
        add_line(c, &new, err);
    }
    if (err->code == GP_OK)
        settle(c, region->last);
    return err->code;
}

int gp_hits_collect(const gp_hits_plan *plan, gp_hit_lines *lines, gp_err *err) {
    const gp_table_parts *parts = plan->parts;
    collector c = {.plan = plan, .lines = lines, .reach = gp_hits_reach(plan->options)};
    if (gp_sumstats_open(&c.table, plan->table, err) == GP_OK)
        find_columns(&c, err);
    for (int64_t k = 0; k < parts->count && err->code == GP_OK; k++) {
        const gp_table_region *region = &parts->region[k];
        if (k == 0 || parts->region[k - 1].chromosome != region->chromosome) {
            c.first = region->first;
            c.settled = lines->count;
            c.leader = INT64_MIN;
        }
        if (collect_region(&c, region, err) == GP_OK)
            gp_job_check_signals(err);
    }
    gp_sumstats_close(c.table);
    gp_text_free(&c.text);
    return err->code;
}
