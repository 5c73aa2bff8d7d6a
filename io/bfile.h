/** PLINK 1 binary sets: PREFIX.fam (samples), PREFIX.bim (variants), PREFIX.bed (calls).
 *
 *  Local. Source: PLINK 1.9 documentation, file formats .bed, .bim, .fam.
 *  Column 5 of a .bim (allele 1) is ALT, the effect allele; column 6 is REF.
 */
#ifndef GP_IO_BFILE_H
#define GP_IO_BFILE_H

#include "io/reader.h"
#include "io/store.h"
#include "src/base/err.h"
#include <stdint.h>

/** Reads the samples of a .fam into a zeroed struct. At least 5 fields a line; phenotypes are not
 * read. GP_EINPUT "FILE:LINE: …" for a short line or a sample listed twice, "FILE: …" for none. */
int gp_fam_read(const char *path, gp_samples *samples, gp_err *err);

/** Checks that another .fam lists the same FID and IID in the same order.
 *    first_path  in  where samples came from, for the message
 *  GP_EINPUT names the first difference. */
int gp_fam_compare(const char *path, const gp_samples *samples, const char *first_path,
                   gp_err *err);

/** One line of a .bim, as it stands there (slices into the line). */
typedef struct gp_bim_line {
    gp_slice chromosome, id, alt, ref;
    double centimorgan;
    int64_t position; /* negative: PLINK leaves such a variant out */
} gp_bim_line;

/** Cuts and checks the line that a reader gave last. GP_EINPUT "FILE:LINE: …" unless it has 6
 * fields, a finite genetic position and a whole position below 10^12. */
int gp_bim_parse(const gp_reader *reader, gp_slice line, gp_bim_line *bim, gp_err *err);

/** A .bed open for reading. Starts zeroed. */
typedef struct gp_bed {
    const char *path; /* borrowed */
    int fd;
    int64_t row; /* bytes of a variant: ceil(n / 4) */
    int64_t size;
} gp_bed;

/** Opens a .bed of n samples and checks its first three bytes. GP_EINPUT also where it is
 * sample-major. */
int gp_bed_open(gp_bed *bed, const char *path, int64_t n, gp_err *err);

/** GP_EINPUT, with both numbers, unless the file has the size that m variants of n samples need. */
int gp_bed_check_size(const gp_bed *bed, int64_t n, int64_t m, gp_err *err);

/** Reads count rows from row first on into to, [count x bed->row]. GP_EFAIL where they cannot be
 * read. */
int gp_bed_read(const gp_bed *bed, int64_t first, int64_t count, uint8_t *to, gp_err *err);

void gp_bed_close(gp_bed *bed);

#endif
