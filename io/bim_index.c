#include "io/bim_index.h"
#include "src/base/mem.h"

#include <stdlib.h>

enum { CHUNK = 1 << 16, WATCH_LINES = 4096 };

int gp_bim_changed(const char *path, gp_err *err) {
    return gp_err_set(err, GP_EFAIL, "%s: changed while it was read; run the same command again",
                      path);
}

int gp_bim_index_init(gp_bim_index *index, int64_t room, gp_err *err) {
    index->entry = gp_mem_alloc(room, sizeof *index->entry, err);
    index->room = room;
    return err->code;
}

static int add_lines(gp_bim_index *index, const gp_bim_map *map, const int32_t *rank,
                     gp_reader *reader, int64_t file, gp_io_watch watch, void *context,
                     gp_err *err) {
    gp_slice line = {0};
    gp_bim_line bim = {0};
    int64_t told = 0;
    for (int64_t row = 0; gp_reader_next(reader, &line, err) == GP_OK && line.s != NULL; row++) {
        if (gp_bim_parse(reader, line, &bim, err) != GP_OK)
            return err->code;
        int64_t k = gp_ids_find(&map->name, bim.chromosome.s, bim.chromosome.n);
        if (k < 0 || (rank[k] >= 0 && bim.position >= 0 && index->count == index->room))
            return gp_bim_changed(reader->path, err);
        if (rank[k] >= 0 && bim.position >= 0)
            index->entry[index->count++] = (gp_bim_entry){.position = bim.position,
                                                          .offset = reader->offset,
                                                          .row = row,
                                                          .file = (int32_t)file,
                                                          .rank = rank[k]};
        if (row % WATCH_LINES == 0 && watch != NULL) {
            if (watch(context, reader->offset - told))
                return gp_err_set(err, GP_ESTOP, "%s: stopped while reading it", reader->path);
            told = reader->offset;
        }
    }
    return err->code;
}

int gp_bim_index_add(gp_bim_index *index, const gp_bim_map *map, const int32_t *rank,
                     const char *path, int64_t file, gp_io_watch watch, void *context,
                     gp_err *err) {
    gp_reader reader = {0};
    if (gp_reader_open(&reader, path, CHUNK, err) == GP_OK)
        add_lines(index, map, rank, &reader, file, watch, context, err);
    gp_reader_close(&reader);
    return err->code;
}

static int compare_whole(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* File and row at the end make the order total, so any sort is a stable one. */
static int compare_entries(const void *a, const void *b) {
    const gp_bim_entry *x = a, *y = b;
    int order = compare_whole(x->rank, y->rank);
    if (order == 0)
        order = compare_whole(x->position, y->position);
    if (order == 0)
        order = compare_whole(x->file, y->file);
    return order != 0 ? order : compare_whole(x->row, y->row);
}

void gp_bim_index_sort(gp_bim_index *index) {
    qsort(index->entry, (size_t)index->count, sizeof *index->entry, compare_entries);
}

void gp_bim_index_free(gp_bim_index *index) {
    free(index->entry);
    *index = (gp_bim_index){0};
}
