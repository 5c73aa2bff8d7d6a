#include "io/bim_map.h"
#include "io/chromosome.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16, WATCH_LINES = 4096 };

static int check_name(const gp_reader *reader, gp_slice name, gp_err *err) {
    if (gp_chromosome_name_fits(name.s, name.n))
        return GP_OK;
    return gp_err_set(err, GP_EINPUT,
                      "%s:%lld: '%.*s' cannot name a chromosome; use 0 where it is unknown, and no "
                      "'/'",
                      reader->path, (long long)reader->number, (int)(name.n < 40 ? name.n : 40),
                      name.s);
}

/* The span of a chromosome, made where it is new. */
static gp_bim_span *span_of(gp_bim_map *map, const gp_reader *reader, gp_slice chromosome,
                            gp_err *err) {
    int64_t k = 0;
    int fresh = 0;
    if (gp_mem_grow(&map->span, &map->capacity, map->name.count + 1, sizeof *map->span, err) !=
            GP_OK ||
        gp_ids_add(&map->name, chromosome.s, chromosome.n, &k, &fresh, err) != GP_OK)
        return NULL;
    if (fresh && check_name(reader, chromosome, err) != GP_OK)
        return NULL;
    if (fresh)
        map->span[k] = (gp_bim_span){0};
    return &map->span[k];
}

/* Counts one line into its span. */
static void extend(gp_bim_span *span, const gp_reader *reader, const gp_bim_line *bim, int64_t file,
                   int64_t row) {
    if (span->lines == 0) {
        *span = (gp_bim_span){.file = file,
                              .offset = reader->offset,
                              .number = reader->number,
                              .row = row,
                              .in_one_piece = 1,
                              .sorted = 1};
    } else {
        span->in_one_piece &= span->file == file && span->last_row + 1 == row;
        if (span->file != file)
            span->file = -1;
    }
    span->lines++;
    span->last_row = row;
    if (bim->position < 0) {
        span->skipped++;
        return;
    }
    span->sorted &= bim->position >= span->last_position;
    span->last_position = bim->position;
    span->has_morgan |= bim->centimorgan != 0;
}

static int add_lines(gp_bim_map *map, gp_reader *reader, int64_t file, int64_t *rows,
                     gp_io_watch watch, void *context, gp_err *err) {
    gp_slice line = {0};
    gp_bim_line bim = {0};
    int64_t told = 0;
    while (gp_reader_next(reader, &line, err) == GP_OK && line.s != NULL) {
        if (gp_bim_parse(reader, line, &bim, err) != GP_OK)
            return err->code;
        gp_bim_span *span = span_of(map, reader, bim.chromosome, err);
        if (span == NULL)
            return err->code;
        extend(span, reader, &bim, file, *rows);
        map->skipped += bim.position < 0;
        map->named += bim.id.n != 1 || bim.id.s[0] != '.';
        map->text += bim.id.n + bim.alt.n + bim.ref.n;
        if (++*rows % WATCH_LINES == 0 && watch != NULL) {
            if (watch(context, reader->offset - told))
                return gp_err_set(err, GP_ESTOP, "%s: stopped while reading it", reader->path);
            told = reader->offset;
        }
    }
    return err->code;
}

int gp_bim_map_add(gp_bim_map *map, const char *path, int64_t file, int64_t *rows,
                   gp_io_watch watch, void *context, gp_err *err) {
    gp_reader reader = {0};
    *rows = 0;
    if (gp_reader_open(&reader, path, CHUNK, err) != GP_OK)
        return err->code;
    if (add_lines(map, &reader, file, rows, watch, context, err) == GP_OK && *rows == 0)
        gp_err_set(err, GP_EINPUT, "%s: is empty; it should list the variants", path);
    gp_reader_close(&reader);
    return err->code;
}

void gp_bim_map_free(gp_bim_map *map) {
    gp_ids_free(&map->name);
    free(map->span);
    *map = (gp_bim_map){0};
}
