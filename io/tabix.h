/** The tabix index of a table, from what was noted while its lines were written. Local. */
#ifndef GP_IO_TABIX_H
#define GP_IO_TABIX_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

/** Appends a table's index, not yet compressed. It says what tabix -s 1 -b 2 -e 2 -S 1 (-C for csi)
 *  finds by reading the table back, with bins in ascending order; htslib writes them in the order
 * of its hash table. runs   in     messages of io/runs.h: those of all parts, in the table's order
 *    end    in     bytes of the table before its end-of-file marker
 *    csi    in     0 for .tbi; 1 for .csi, needed where a position is beyond 2^29
 *    index  inout  the bytes; to become a BGZF file
 *    lines  out    how many lines the runs tell of: to compare with what went in
 *  GP_EFAIL where the lines are not sorted, a position is too large, or memory is refused.
 *  Source: tabix specification; "Coordinate Sorted Index format specification", CSIv1. */
int gp_tabix_print(const gp_text *runs, int64_t end, int csi, gp_text *index, int64_t *lines,
                   gp_err *err);

#endif
