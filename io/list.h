/** Lists that choose samples, variants and chromosomes. Parsed from text in memory. Local. */
#ifndef GP_IO_LIST_H
#define GP_IO_LIST_H

#include "io/store.h"
#include "src/base/err.h"
#include "src/base/ids.h"
#include "src/base/text.h"
#include <stdint.h>

/** --keep/--remove: a list of FID IID lines, or of IIDs alone; which of the two its first line
 * says, a header (FID IID, #FID IID, IID, #IID) or not. More columns are ignored behind FID IID or
 * a header.
 *    mark               out  [samples->n] 1 where listed, else 0
 *    *listed, *unknown  out  distinct ids, and how many of them name no sample of the store
 *  Duplicated lines are fine. GP_EINPUT for an empty list, a line of another form, an IID alone
 * that several samples bear. */
int gp_list_samples(const char *path, gp_text *bytes, const gp_samples *samples, uint8_t *mark,
                    int64_t *listed, int64_t *unknown, gp_err *err);

/** --extract/--exclude: variant ids, one per line (first field), into a zeroed set. GP_EINPUT for
 * an empty list. */
int gp_list_variants(const char *path, gp_text *bytes, gp_ids *ids, gp_err *err);

/** --chr: "1-22,X" marks chromosomes. A number or range matches names with or without "chr"; X, Y,
 * XY, MT match by kind too; anything else matches a name as written, or but for "chr".
 *    mark  out  [count] 0/1
 *  GP_EINPUT for an empty item, a range that runs backwards, or a list that matches nothing (says
 * what the store has). */
int gp_list_chromosomes(const char *list, const gp_chromosome *const *chromosome, int64_t count,
                        uint8_t *mark, gp_err *err);

/** Whether a text is a chromosome's name, as --chr would take it (no ranges). */
int gp_list_names(const char *text, const gp_chromosome *chromosome);

#endif
