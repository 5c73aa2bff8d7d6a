#include "io/report_cells.h"
#include "src/base/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum { MOST = 1 << 24 }; /* columns, and cells of one */

static int damaged(const char *path, const char *what, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: %s of 'manhattan' is none; the file is damaged: make it anew with "
                      "gp-dist merge",
                      path, what);
}

/* 0 where a value is no whole number from `low` up to `high`. */
static int read_whole(const json_t *value, int64_t low, int64_t high, int32_t *to) {
    int64_t whole = json_integer_value(value);
    *to = (int32_t)whole;
    return json_is_integer(value) && whole >= low && whole <= high;
}

static int take_column(gp_cells *c, const char *path, const json_t *cell, gp_err *err) {
    gp_cell_run run;
    const json_t *runs = json_array_get(cell, 1);
    if (!read_whole(json_array_get(cell, 0), 0, c->columns - 1, &run.column) ||
        !json_is_array(runs) || json_array_size(runs) % 2 != 0)
        return damaged(path, "a column", err);
    for (size_t k = 0; k < json_array_size(runs); k += 2) {
        if (!read_whole(json_array_get(runs, k), 0, MOST, &run.first) ||
            !read_whole(json_array_get(runs, k + 1), run.first, MOST, &run.last))
            return damaged(path, "a run of cells", err);
        if (gp_mem_grow(&c->run, &c->capacity, c->count + 1, sizeof run, err) != GP_OK)
            return err->code;
        c->run[c->count++] = run;
    }
    return GP_OK;
}

int gp_cells_take(gp_cells *c, const char *path, struct json_t *summary, gp_err *err) {
    json_t *plot = json_object_get(summary, "manhattan");
    const json_t *cells = json_object_get(plot, "cells"), *cell;
    size_t i;
    c->columns = json_integer_value(json_object_get(plot, "columns"));
    c->step = json_number_value(json_object_get(plot, "step"));
    if (c->columns < 1 || c->columns > MOST)
        return damaged(path, "the number of columns", err);
    if (!json_is_array(cells))
        return damaged(path, "the list of cells", err);
    if (json_array_size(cells) > 0 && !(c->step > 0.0 && isfinite(c->step)))
        return damaged(path, "the step", err);
    json_array_foreach(cells, i, cell) {
        if (take_column(c, path, cell, err) != GP_OK)
            return err->code;
    }
    json_object_del(plot, "cells");
    return GP_OK;
}

void gp_cells_free(gp_cells *c) {
    free(c->run);
    *c = (gp_cells){0};
}
