/** A store made anew from an older one and PLINK sets: new samples behind the old ones, or new
 *  variants of some chromosomes.
 *
 *  Local: one process does it. Memory is bounded as that of an import (io/import.h), and 8 bytes
 *  a variant more where samples are appended. The older store is only read; ask->out may be its
 *  name: the new one then takes its place, whole, at the end. Its content, and so its digest, is
 *  that of an import of everything at once.
 */
#ifndef GP_IO_APPEND_H
#define GP_IO_APPEND_H

#include "io/import.h"

/** The store's samples, then those of ask->bfile; the store's variants. A variant that the sets
 *  lack is missing in the new samples; one that only they have is left out; both are said with
 *  their number. io/append_match.h says which variants are the same.
 *    store         in  the older store's path
 *    ask           in  compress below 0: as the older store is
 *    result->more  out how many samples are new
 *  GP_EINPUT also where a sample is in both, and where no variant is. */
int gp_append_samples(const gp_import *ask, const char *store, gp_import_result *result,
                      gp_err *err);

/** The store with the chromosomes of ask->bfile in place of its own, or beside them where it has
 *  none of that name. The sets' samples are the store's, in any order.
 *    result->more  out how many chromosomes come from the sets */
int gp_append_chromosomes(const gp_import *ask, const char *store, gp_import_result *result,
                          gp_err *err);

#endif
