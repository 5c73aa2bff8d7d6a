/* Where clumps can be: stretches that know nothing of each other. */
#include "jobs/hits_private.h"
#include "mpi/gather.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <string.h>

static int touches(const gp_hit_island *a, const gp_hit_island *b) {
    return a->chromosome == b->chromosome && b->first <= a->last;
}

/* Appends a window that begins no earlier than those before it. */
static int add_window(gp_hit_islands *islands, const gp_hit_island *window, gp_err *err) {
    gp_hit_island *last = islands->count > 0 ? &islands->island[islands->count - 1] : NULL;
    if (last != NULL && touches(last, window)) {
        last->last = gp_most(last->last, window->last);
        return GP_OK;
    }
    if (gp_mem_grow(&islands->island, &islands->capacity, islands->count + 1,
                    sizeof *islands->island, err) == GP_OK)
        islands->island[islands->count++] = *window;
    return err->code;
}

static int add_own(gp_hit_islands *islands, const gp_hit_lines *lines, int64_t reach, gp_err *err) {
    for (int64_t i = 0; i < lines->count && err->code == GP_OK; i++) {
        const gp_hit_line *line = &lines->line[i];
        const gp_hit_island window = {line->chromosome, line->position - reach,
                                      line->position + reach};
        if (line->leads)
            add_window(islands, &window, err);
    }
    return err->code;
}

int gp_hits_find_islands(gp_job *job, const gp_hit_lines *lines, int64_t reach,
                         gp_hit_islands *islands, gp_err *err) {
    gp_text mine = {0}, whole = {0};
    if (add_own(islands, lines, reach, err) == GP_OK)
        gp_text_add(&mine, (const char *)islands->island,
                    islands->count * (int64_t)sizeof *islands->island, err);
    islands->count = 0;
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    gp_par_gather(job->par, &mine, &whole, 1, err); /* on rank 0, in the order of the table */
    if (gp_par_agree(job->par, err) != GP_OK || gp_par_share_text(job->par, &whole, err) != GP_OK)
        goto done;
    for (int64_t at = 0; at < whole.length && err->code == GP_OK;) {
        gp_hit_island window;
        memcpy(&window, whole.bytes + at, sizeof window);
        at += (int64_t)sizeof window;
        add_window(islands, &window, err);
    }
    gp_par_agree(job->par, err);
done:
    gp_text_free(&mine);
    gp_text_free(&whole);
    return err->code;
}

static int is_before(const gp_hit_island *island, const gp_hit_line *line) {
    return island->chromosome != line->chromosome ? island->chromosome < line->chromosome
                                                  : island->last < line->position;
}

void gp_hits_leave_islanders(const gp_hit_islands *islands, gp_hit_lines *lines) {
    int64_t to = 0, k = 0;
    for (int64_t i = 0; i < lines->count; i++) {
        gp_hit_line line = lines->line[i];
        while (k < islands->count && is_before(&islands->island[k], &line))
            k++;
        if (k == islands->count)
            break;
        if (islands->island[k].chromosome != line.chromosome ||
            islands->island[k].first > line.position)
            continue;
        line.island = k;
        lines->line[to++] = line;
    }
    lines->count = to;
}
