/** What imports, --append and --replace share. Private to io/import*.c and io/append*.c. */
#ifndef GP_IO_IMPORT_INSIDE_H
#define GP_IO_IMPORT_INSIDE_H

#include "io/bfile_list.h"
#include "io/import.h"
#include "io/karyotype.h"

/** Progress of one piece of work. */
typedef struct gp_import_tally {
    const gp_import *ask;
    const char *what;
    int64_t done, total;
} gp_import_tally;

/** A gp_io_watch; its context is a gp_import_tally. */
int gp_import_tell(void *context, int64_t more);

/** Whoever stopped, the user reads one and the same message. */
void gp_import_explain_stop(gp_err *err);

/** Warns of variant ids that occur twice: they are allowed; the user shall know of them.
 *    t  inout  its total is the bytes of all .bim files; becomes this work's */
int gp_import_warn_of_repeats(const gp_bfile_list *list, gp_import_tally *t, gp_err *err);

/** Warns of chromosomes that have to be sorted, and of variants left out. */
void gp_import_warn_of_order(const gp_bim_map *map, const gp_karyotype *karyotype,
                             const gp_sink *sink);

/** Adds a provenance line for each file: its name without directories, size and MD5. */
int gp_import_describe(const gp_bfile_list *list, gp_import_tally *t, gp_text *text, gp_err *err);

#endif
