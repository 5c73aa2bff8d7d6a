/** Chromosome names, of any species: what kind each is, and the order in which people list them.
 *
 *  Names are kept as text everywhere; "1" and "chr1" are two names. Local, thread-safe.
 */
#ifndef GP_IO_CHROMOSOME_H
#define GP_IO_CHROMOSOME_H

#include "io/store.h"
#include <stdint.h>

enum { GP_HUMAN_AUTOSOMES = 22 };

/** The number that a name stands for: digits, with or without "chr" before them (any case). -1 for
 * any other name, and above 10^9. */
int64_t gp_chromosome_number(const char *name);

/** Whether n bytes can name a chromosome of a store, whose groups bear the names: not empty, not
 * "." or "..", and without '/'. */
int gp_chromosome_name_fits(const char *name, int64_t n);

/** The kind of a chromosome.
 *    name       in  X, Y, XY, PAR1, PAR2, M, MT, with or without "chr", any case, are known
 *    autosomes  in  numbers autosomes + 1, + 2, + 3, + 4 are X, Y, XY, MT as in PLINK; 0 = every
 *                   number is an autosome
 *  Every other name is an autosome's. */
gp_kind gp_chromosome_kind(const char *name, int64_t autosomes);

/** Karyotype order, like strcmp: autosomes by number, X, Y, XY, MT, then other names in natural
 * order ("scaffold2" before "scaffold10"). A total order: 0 only for equal names. */
int gp_chromosome_compare(const char *a, gp_kind kind_a, const char *b, gp_kind kind_b);

#endif
