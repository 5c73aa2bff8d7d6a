/** PLINK sets with known calls, their import, and stores compared with them. */
#ifndef GP_TESTS_IO_BFILE_FIXTURE_H
#define GP_TESTS_IO_BFILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/import.h"
#include "io/store.h"
#include "tests/support/scratch.h"

/** Writes PREFIX.fam, .bim, .bed of n samples into the scratch folder.
 *    bim  in  the text of the .bim; the id "v<k>" of a line says which calls it has */
void write_set(const char *prefix, int64_t n, const char *bim);

/** The same with samples first to first + n - 1. A line that ends " C A" counts copies of the other
 * allele than one that ends " A C". */
void write_part(const char *prefix, int64_t first, int64_t n, const char *bim);

/** m variants "v<0>" on: five chromosomes in turn, positions backwards, three of each. */
void write_long_set(const char *prefix, int64_t n, int64_t m);

/** Three chromosomes, two of them in pieces and out of order; and how assert_store lists them. */
extern const char interleaved[], interleaved_listing[];

/** What the last import said: a line each, warnings with a '!' before them. */
extern char said[4096];
extern const gp_sink ear;

/** Names in the scratch folder, comma-separated, as paths. */
void set_paths(const char *prefixes, char list[2048]);

/** Imports prefixes (names in the scratch folder, comma-separated) into out.h5, unless ask->out is
 * given. */
int import_with(const char *prefixes, gp_import ask, gp_import_result *result, gp_err *err);

/** The same with nothing special asked; fails the test where it fails. */
void import(const char *prefixes);

/** Compares the calls and counts of a chromosome with what its ids promise. */
void check_calls(gp_store *store, int64_t k, const gp_variants *v);

/** Compares out.h5 with "1 autosome: v3@10 v4@12; X X: v5@1;", and every call. */
void assert_store(const char *listing, int64_t n);

#endif
