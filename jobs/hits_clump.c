/* The clumps of a rank's islands. */
#include "jobs/hits_private.h"
#include "jobs/hits_rows.h"
#include "src/assoc/clump.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>

static const int64_t cache_bytes = (int64_t)512 << 20;

/* The lines as arrays, all islands one behind the other. */
typedef struct islanders {
    const gp_hits_plan *plan;
    const gp_hit_lines *lines;
    int64_t *position, *variant, *leader;
    double *strength;
    uint8_t *leads;
    gp_hit *hit; /* of those that lead */
    gp_hit_rows rows;
} islanders;

static int64_t island_end(const gp_hit_lines *lines, int64_t first) {
    int64_t end = first;
    while (end < lines->count && lines->line[end].island == lines->line[first].island)
        end++;
    return end;
}

static int islanders_init(islanders *s, gp_err *err) {
    int64_t count = s->lines->count, most = 0;
    s->position = gp_mem_alloc(count, sizeof *s->position, err);
    s->variant = gp_mem_alloc(count, sizeof *s->variant, err);
    s->leader = gp_mem_alloc(count, sizeof *s->leader, err);
    s->strength = gp_mem_alloc(count, sizeof *s->strength, err);
    s->leads = gp_mem_alloc(count, sizeof *s->leads, err);
    s->hit = gp_mem_alloc(count, sizeof *s->hit, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0; i < count; i++) {
        const gp_hit_line *line = &s->lines->line[i];
        s->position[i] = line->position;
        s->variant[i] = line->variant;
        s->strength[i] = line->strength;
        s->leads[i] = line->leads != 0;
    }
    for (int64_t first = 0, end; first < count; first = end) {
        end = island_end(s->lines, first);
        most = gp_most(most, end - first);
    }
    int64_t bytes = s->plan->cache_bytes > 0 ? s->plan->cache_bytes : cache_bytes;
    return gp_hit_rows_init(&s->rows, s->plan->store, most, bytes, err);
}

static void islanders_free(islanders *s) {
    gp_hit_rows_free(&s->rows);
    free(s->position);
    free(s->variant);
    free(s->leader);
    free(s->strength);
    free(s->leads);
    free(s->hit);
}

static void count_up(islanders *s, int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i++)
        if (s->leader[i] == i - first)
            s->hit[i] = (gp_hit){.chromosome = s->lines->line[i].chromosome,
                                 .position = s->position[i],
                                 .variant = s->variant[i],
                                 .strength = s->strength[i],
                                 .first = s->position[i],
                                 .last = s->position[i],
                                 .length = s->lines->line[i].length};
    for (int64_t i = first; i < end; i++) {
        if (s->leader[i] < 0 || s->leader[i] == i - first)
            continue;
        gp_hit *hit = &s->hit[first + s->leader[i]];
        hit->clumped++;
        hit->first = gp_least(hit->first, s->position[i]);
        hit->last = gp_most(hit->last, s->position[i]);
    }
}

static int clump_island(islanders *s, int64_t first, int64_t end, gp_text *hits, gp_err *err) {
    const gp_hits_options *o = s->plan->options;
    const gp_clump_plan plan = {.count = end - first,
                                .position = s->position + first,
                                .strength = s->strength + first,
                                .leads = s->leads + first,
                                .reach = gp_hits_reach(o),
                                .r2 = o->clump_r2,
                                .block = GP_HIT_BLOCK,
                                .correlate = gp_hit_rows_correlate,
                                .context = &s->rows};
    gp_hit_rows_set(&s->rows, s->lines->line[first].chromosome, s->variant + first, end - first);
    if (gp_clump(&plan, s->leader + first, err) != GP_OK)
        return err->code;
    count_up(s, first, end);
    for (int64_t i = first; i < end; i++) {
        const gp_hit_line *line = &s->lines->line[i];
        if (s->leader[i] != i - first)
            continue;
        gp_text_add(hits, (const char *)&s->hit[i], sizeof s->hit[i], err);
        gp_text_add(hits, s->lines->text.bytes + line->at, line->length, err);
    }
    return err->code;
}

int gp_hits_clump(const gp_hits_plan *plan, const gp_hit_lines *lines, gp_text *hits, gp_err *err) {
    islanders s = {.plan = plan, .lines = lines};
    if (lines->count == 0)
        return GP_OK;
    if (islanders_init(&s, err) == GP_OK)
        for (int64_t first = 0, end; first < lines->count && err->code == GP_OK; first = end) {
            end = island_end(lines, first);
            clump_island(&s, first, end, hits, err);
        }
    islanders_free(&s);
    return err->code;
}
