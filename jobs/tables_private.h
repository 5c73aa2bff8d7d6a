/** What stands behind gp_tables, for jobs/tables*.c only. */
#ifndef GP_JOBS_TABLES_PRIVATE_H
#define GP_JOBS_TABLES_PRIVATE_H

#include "jobs/tables.h"

/** Suffix of a table's own file before it is finished. */
#define GP_TABLES_WHOLE ".tmp"

/** DIRECTORY/[.]NAME[SUFFIX], the leading dot for files that are not finished; to be freed. NULL on
 *  failure. Local. */
char *gp_tables_path(const gp_tables *tables, int64_t t, int finished, const char *suffix,
                     gp_err *err);

#endif
