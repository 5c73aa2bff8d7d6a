/** Writes a PLINK binary set, PREFIX.bed .bim .fam, run by run. Local.
 *
 *  Files grow under PREFIX.*.tmp and appear by rename at the end. Source: PLINK 1.9 documentation,
 * file formats.
 */
#ifndef GP_IO_BFILE_WRITE_H
#define GP_IO_BFILE_WRITE_H

#include "io/store.h"
#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>
#include <stdio.h>

/** Starts zeroed. */
typedef struct gp_bfile_writer {
    FILE *bed, *bim;   /* NULL when not open */
    gp_text path[2];   /* final names of the two */
    gp_text during[2]; /* and those until then */
    gp_text line;      /* scratch */
    const gp_samples *samples;
    uint8_t *calls; /* [ceil(n / 4)] scratch */
} gp_bfile_writer;

/** Creates the temporary files; samples is borrowed. GP_EFAIL where they cannot be made. */
int gp_bfile_write_open(gp_bfile_writer *writer, const char *prefix, const gp_samples *samples,
                        gp_err *err);

/** Appends variants of one chromosome.
 *    v     in  morgan (centimorgans) NULL is written as 0
 *    rows  in  [v->count x gp_geno_stride(n)] */
int gp_bfile_write_append(gp_bfile_writer *writer, const char *chromosome, const gp_variants *v,
                          const uint8_t *rows, gp_err *err);

/** Completes the set: .bed and .bim by rename, and the .fam under PREFIX. The writer is freed in
 * any case. */
int gp_bfile_write_finish(gp_bfile_writer *writer, const char *prefix, gp_err *err);

/** Gives up: removes the temporary files and frees. Accepts a zeroed struct. */
void gp_bfile_write_discard(gp_bfile_writer *writer);

#endif
