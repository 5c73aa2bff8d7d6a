#include "jobs/kinship_part.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>

enum {
    TILE = GP_GRID_BLOCK,
    STRIP_LEAST =
        512,          /* later samples that are multiplied at a time: more do needless work along */
    STRIP_MOST = 2048 /* the diagonal, fewer unpack the same calls more often */
};

_Static_assert((int)GP_GRID_BLOCK == (int)GP_GRAM_GROUP,
               "blocks of the grid are groups of the product");

int gp_kinship_part_init(gp_kinship_part *p, const gp_layout *layout, gp_err *err) {
    int64_t classes = layout->classes;
    gp_layout_run row, column;
    p->pair =
        gp_mem_alloc(classes / layout->rows * (classes / layout->columns), sizeof *p->pair, err);
    for (int r = 0; p->pair != NULL && gp_layout_row_run(layout, r, &row); r++)
        for (int c = 0; gp_layout_column_run(layout, c, &column); c++) {
            int late_is_row = row.begin >= column.begin;
            p->pair[p->pairs++] = (gp_kinship_pair){.early = late_is_row ? column : row,
                                                    .late = late_is_row ? row : column,
                                                    .late_is_row = late_is_row,
                                                    .at = p->size};
            p->size += row.count * column.count;
        }
    p->sums = gp_mem_alloc(p->size, sizeof *p->sums, err);
    return err->code;
}

void gp_kinship_part_free(gp_kinship_part *p) {
    free(p->pair);
    free(p->sums);
    *p = (gp_kinship_part){0};
}

/* A run of early samples, counted within their class. */
typedef struct range {
    int64_t begin, end;
} range;

/* The early samples that make used elements with later samples [first, last], or with some of them.
 * Places of the grid's order are dealt out to the classes in blocks, so classes part in whole
 * blocks. */
static range partners(const gp_kinship_pair *pair, int64_t first, int64_t last) {
    if (pair->early.class == pair->late.class)
        return (range){0, last + 1};
    if (pair->late_is_row) {
        int64_t blocks = last / TILE + (pair->late.class > pair->early.class);
        return (range){0, gp_least(blocks * TILE, pair->early.count)};
    }
    int64_t blocks = first / TILE + (pair->early.class < pair->late.class);
    return (range){gp_least(blocks * TILE, pair->early.count), pair->early.count};
}

/* ---- products ---- */

static int add_class(gp_kinship_part *p, gp_gram *gram, const gp_kinship_calls *calls,
                     const gp_kinship_pair *pair, gp_err *err) {
    gp_piece piece = gp_kinship_calls_piece(calls, pair->late.class, 0);
    gp_calls one = {.m = calls->m, .pieces = 1, .piece = &piece};
    gp_gram_block block = {.calls = &one,
                           .mean = calls->mean,
                           .weight = calls->weight,
                           .a_count = pair->late.count,
                           .b_count = pair->late.count,
                           .sums = p->sums + pair->at,
                           .pitch = pair->late.count};
    return gp_gram_add(gram, &block, err);
}

/* Strips of later samples, each with all the earlier ones that any of it needs. */
static int add_classes(gp_kinship_part *p, gp_gram *gram, const gp_kinship_calls *calls,
                       const gp_kinship_pair *pair, gp_err *err) {
    int64_t behind = gp_round_up(pair->early.count, TILE), count = pair->late.count;
    gp_piece pieces[2] = {gp_kinship_calls_piece(calls, pair->early.class, 0),
                          gp_kinship_calls_piece(calls, pair->late.class, behind)};
    gp_calls both = {.m = calls->m, .pieces = 2, .piece = pieces};
    int64_t strip = gp_round_up(count / 4, TILE);
    strip = strip < STRIP_LEAST ? STRIP_LEAST : gp_least(strip, STRIP_MOST);
    for (int64_t at = 0; at < count && err->code == GP_OK; at += strip) {
        int64_t rows = gp_least(strip, count - at);
        range early = partners(pair, at, at + rows - 1);
        gp_gram_block block = {.calls = &both,
                               .mean = calls->mean,
                               .weight = calls->weight,
                               .a_first = early.begin,
                               .a_count = early.end - early.begin,
                               .b_first = behind + at,
                               .b_count = rows,
                               .sums = p->sums + pair->at + at * pair->early.count + early.begin,
                               .pitch = pair->early.count};
        if (block.a_count > 0)
            gp_gram_add(gram, &block, err);
    }
    return err->code;
}

int gp_kinship_part_add(gp_kinship_part *p, gp_gram *gram, const gp_kinship_calls *calls,
                        gp_err *err) {
    for (int64_t k = 0; calls->m > 0 && k < p->pairs && err->code == GP_OK; k++) {
        if (p->pair[k].early.class == p->pair[k].late.class)
            add_class(p, gram, calls, &p->pair[k], err);
        else
            add_classes(p, gram, calls, &p->pair[k], err);
    }
    return err->code;
}

/* ---- lines ---- */

int gp_kinship_part_lines(const gp_kinship_part *p, gp_kinship_line *line, void *context,
                          gp_err *err) {
    for (int64_t k = 0; k < p->pairs; k++) {
        const gp_kinship_pair *pair = &p->pair[k];
        for (int64_t i = 0; i < pair->late.count && err->code == GP_OK; i++) {
            range early = partners(pair, i, i);
            if (early.begin < early.end)
                line(context, pair->late.begin + i, pair->early.begin + early.begin,
                     early.end - early.begin,
                     p->sums + pair->at + i * pair->early.count + early.begin, err);
        }
    }
    return err->code;
}
