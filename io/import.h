/** PLINK binary sets into a genotype store.
 *
 *  Local: one process does it. Memory is bounded whatever the number of variants: about 16 MiB, the
 * samples, a table of up to 128 MiB while variant ids are compared, and for those chromosomes that
 * have to be sorted 32 bytes a variant, twice that while sorting: at most 64 MiB, or what the
 * largest of them needs.
 */
#ifndef GP_IO_IMPORT_H
#define GP_IO_IMPORT_H

#include "src/base/err.h"
#include "src/base/say.h"
#include "src/base/text.h"
#include <stdint.h>

/** What is asked for. Zeroed fields are defaults. */
typedef struct gp_import {
    const char *bfile;   /* PREFIX[,PREFIX...]; all with the same samples */
    const char *out;     /* the store; replaced by rename at the end; may be NULL with dry_run */
    int64_t autosomes;   /* PLINK's --autosome-num; 0 = not given */
    int compress;        /* 0 none, 1-9 deflate level; below 0 not said: 0 */
    int dry_run;         /* check everything, make the report, write nothing */
    const char *program; /* name and version, for the store's provenance */
    const gp_sink *sink; /* notes and warnings */
    /** (may be NULL) Told how far the work is; non-zero asks to stop. what: "bytes checked" … */
    int (*watch)(void *context, const char *what, int64_t done, int64_t total);
    void *context;
} gp_import;

/** What was found. Starts zeroed. */
typedef struct gp_import_result {
    int64_t samples, variants, chromosomes;
    int64_t bytes;  /* of genotypes: of the .bed files, or of the new store (io/append.h) */
    int64_t more;   /* (io/append.h) new samples, or chromosomes from the sets */
    gp_text report; /* with dry_run: chromosomes, counts and the store's size; owned */
} gp_import_result;

/** Reads the sets, checks them and writes the store.
 *  GP_EINPUT, naming file and place, for bad input; GP_ESTOP where watch asked to stop. On any
 * failure nothing is left behind and an older store is as it was.
 *  Variants are written in karyotype order (io/chromosome.h) and by position, equal positions in
 * the order of the input. Those with a negative position are left out, as in PLINK, with a warning.
 *  The same bytes wherever it runs. Source: PLINK 1.9 documentation, file formats. */
int gp_import_bfile(const gp_import *ask, gp_import_result *result, gp_err *err);

void gp_import_result_free(gp_import_result *result);

#endif
