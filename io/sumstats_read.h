/** Reading a finished table of association results, or any other that is sorted by chromosome and
 *  position and has its tabix index beside it: stretch by stretch of the genome, in bounded memory.
 *  Local; a reader belongs to one thread.
 */
#ifndef GP_IO_SUMSTATS_READ_H
#define GP_IO_SUMSTATS_READ_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_sumstats_reader gp_sumstats_reader;

/** Opens a table: a BGZF file whose first line names its columns, the first two of them chromosome
 *  and base_pair_location, and its index (.tbi or .csi). GP_EINPUT, naming the file, where one of
 *  them is missing, cut short or something else. *reader is NULL on failure. */
int gp_sumstats_open(gp_sumstats_reader **reader, const char *path, gp_err *err);

/** Accepts NULL. */
void gp_sumstats_close(gp_sumstats_reader *reader);

/** The header's columns, and the number of the one of a name: -1 where there is none. */
int64_t gp_sumstats_columns(const gp_sumstats_reader *reader);
const char *gp_sumstats_column(const gp_sumstats_reader *reader, int64_t k);
int64_t gp_sumstats_find(const gp_sumstats_reader *reader, const char *name);

/** The header line as it stands, without its newline. */
const char *gp_sumstats_header(const gp_sumstats_reader *reader);

/** The next lines will be those of a chromosome with first <= position <= last: none where the
 *  table does not have the chromosome. A stretch that goes on where the last one ended (its last +
 *  1) is read on without looking it up.
 *    chromosome  in  as the table names it */
int gp_sumstats_set_region(gp_sumstats_reader *reader, const char *chromosome, int64_t first,
                           int64_t last, gp_err *err);

/** A line. Borrowed until the next call. */
typedef struct gp_sumstats_line {
    int64_t position;
    const char *text; /* [length] zero-terminated, without its newline */
    int64_t length;
} gp_sumstats_line;

/** The region's next line: 1, or 0 at its end or on failure. Before the first region is set: the
 *  table's lines from its first one on. GP_EINPUT where the file is damaged,
 *  not sorted, or a line has no position. */
int gp_sumstats_next(gp_sumstats_reader *reader, gp_sumstats_line *line, gp_err *err);

/** The fields of the line that gp_sumstats_next gave last, each zero-terminated: as many as there
 *  are columns. Borrowed until the next line. NULL with GP_EINPUT where the line has more or fewer.
 */
char *const *gp_sumstats_fields(gp_sumstats_reader *reader, gp_err *err);

#endif
