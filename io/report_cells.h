/** The cells of a Manhattan plot, from a trait's summary. Local. */
#ifndef GP_IO_REPORT_CELLS_H
#define GP_IO_REPORT_CELLS_H

#include "src/base/err.h"
#include <stdint.h>

struct json_t;

/** Cells first to last of a column are occupied. */
typedef struct gp_cell_run {
    int32_t column, first, last;
} gp_cell_run;

typedef struct gp_cells {
    int64_t columns;
    double step; /* of -log10 p, from one cell to the next */
    int64_t count, capacity;
    gp_cell_run *run; /* [count] by column */
} gp_cells;

/** Takes the cells out of a summary, where they would need a hundred times the memory.
 *    cells  out  starts zeroed; freed in any case
 *  GP_EINPUT by the path where they are damaged. */
int gp_cells_take(gp_cells *cells, const char *path, struct json_t *summary, gp_err *err);
void gp_cells_free(gp_cells *cells);

#endif
