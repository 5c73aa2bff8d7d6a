/** Relationship matrices on disk: written in parallel, read back in runs of a row.
 *
 *  Layout of DIR/grm.h5, format version 1: an HDF5 file in the format of HDF5 1.10.
 *    /  attributes  format         text   "gp-dist relationship matrix"
 *                   format_version int64  1
 *                   form           text   "standardised" or "centred"
 *                   samples        int64  n
 *                   store_digest   text   of the store that it was made from
 *                   filters        text   lines: which variants count; may be empty
 *    /samples/fid iid                      strings, as in the store (io/store_h5.h)
 *    /matrix        attributes  variants (int64: how many count), check (int64, see below)
 *      sum          float64 [n (n + 1) / 2]  rows of the lower triangle, one behind the other:
 *                   element (i, j), j <= i, at i (i + 1) / 2 + j; sums over variants, so that
 *                   relationship = sum / variants. Contiguous: every rank writes its own runs.
 *    /chromosomes/<name>/sum, with the same attributes: of one chromosome alone, where asked for.
 *
 *  check is the sum modulo 2^64 of gp_grm_check over the elements, which ranks can add up in any
 *  order. The same matrix gives the same bytes on any number of ranks. Functions are local, but for
 *  those that parallel HDF5 makes collective, which say so.
 */
#ifndef GP_IO_GRM_H
#define GP_IO_GRM_H

#include "io/store.h"
#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

/** What is said of a matrix. Strings are borrowed when it is written; when it is read they live as
 *  long as the file is open. */
typedef struct gp_grm_about {
    const char *form;         /* "standardised", "centred", or "unknown" (foreign files) */
    const char *store_digest; /* or "" */
    const char *filters;      /* or "" */
    int64_t n;
    const char **fid, **iid;      /* [n]; NULL in foreign files without ids */
    int64_t chromosomes;          /* with a matrix of their own; 0 = none */
    const char **chromosome;      /* [chromosomes] */
    int64_t variants;             /* of the whole */
    int64_t *chromosome_variants; /* [chromosomes] */
} gp_grm_about;

enum { GP_GRM_WHOLE = -1 /* in place of a chromosome's number: the whole matrix */ };

/** What element (i, j), j <= i, adds to a matrix's check. Never the same for another value in its
 *  place, and for another place only by accident of 2^-64. */
uint64_t gp_grm_check(int64_t i, int64_t j, double value);

/* ---- writing: create, join, write, leave, finish ----
 *
 *  The ranks agree (gp_par_agree) after each of these steps but write. */

typedef struct gp_grm_writer gp_grm_writer;

/** Begins a file. Local: every rank that will write calls it, with the same path and about
 *  (borrowed until it returns).
 *    makes  in  1 on one rank, 0 on the others: that rank makes PATH.tmp, whole but for the
 *               elements, for which it takes room on the disk where the file system can
 *  Nothing appears under path before gp_grm_finish. GP_EINPUT where no file can be made there;
 *  GP_EFAIL where the disk is too small (told before any work is done), or memory is refused.
 *  *writer is then NULL, and nothing is left. */
int gp_grm_create(gp_grm_writer **writer, const char *path, const gp_grm_about *about, int makes,
                  gp_err *err);

/** Opens what was made, for writing. Collective over the ranks that access joins, once all of them
 *  have created.
 *    access  in  an hid_t, borrowed: file access properties of parallel HDF5; 0 = this process
 *                alone */
int gp_grm_join(gp_grm_writer *writer, int64_t access, gp_err *err);

/** Writes elements (row, first .. first + count) of a matrix (GP_GRM_WHOLE or a chromosome's
 *  number), first + count <= row + 1. Local: any rank, any order; each element once in all. */
int gp_grm_write(gp_grm_writer *writer, int64_t chromosome, int64_t row, int64_t first,
                 int64_t count, const double *value, gp_err *err);

/** Sets variants and check ([1 + chromosomes], the whole's first; the same on all ranks), brings
 *  all bytes to the disk and closes. Collective like gp_grm_join. variants NULL: only closes, for
 *  ranks that give up together. */
int gp_grm_leave(gp_grm_writer *writer, const int64_t *variants, const uint64_t *check,
                 gp_err *err);

/** Frees; PATH.tmp becomes PATH (ok = 1: all ranks have left without an error) or is removed, by
 *  the rank that made it. Local. NULL is accepted, and so is a writer that was never joined. */
int gp_grm_finish(gp_grm_writer *writer, int ok, gp_err *err);

/* ---- reading ---- */

typedef struct gp_grm gp_grm;

/** Opens a matrix for reading, by its content, whatever its name:
 *    - a file of this format;
 *    - GCTA's binary form: PREFIX.grm.bin (float32, lower triangle), .grm.id (FID IID, or PLINK 2's
 *      headers), .grm.N.bin (may be missing; is not used); PATH is any of the three, or the prefix;
 *    - text: n rows of n numbers, blanks or tabs (GEMMA's .cXX.txt, .sXX.txt), gz allowed; no ids:
 *      about->fid is NULL, and rows are the store's samples in order.
 *  GP_EINPUT with the reason where it is none of them, cut short, or of a newer version. Of a text
 *  only the first row is looked at: what is wrong below it is told by gp_grm_read. */
int gp_grm_open(gp_grm **grm, const char *path, gp_err *err);
void gp_grm_close(gp_grm *grm);

const gp_grm_about *gp_grm_about_of(const gp_grm *grm);
const char *gp_grm_path(const gp_grm *grm);

/** Reads elements (row, first .. first + count), first + count <= row + 1, of a matrix of *sums*:
 *  foreign matrices have variants = 1. Any order; but a text is passed through once for rows that
 *  ascend, and again from its beginning for each step down. Further runs of the same row cost
 *  little. GP_EINPUT where a text has no number (named with line and column), or too few or too
 *  many numbers or rows; GP_EFAIL where the disk fails. */
int gp_grm_read(gp_grm *grm, int64_t chromosome, int64_t row, int64_t first, int64_t count,
                double *value, gp_err *err);

/** The check that the file holds; 1, or 0 for foreign files, which have none. */
int gp_grm_stored_check(const gp_grm *grm, int64_t chromosome, uint64_t *check);

/* ---- other programs' forms ---- */

/** Writes relationships (sum / variants) of an open matrix in GCTA's three files PREFIX.grm.bin
 *  (float32), .grm.id, .grm.N.bin; or as text: n rows of n numbers of 10 significant digits,
 *  tab-separated, as GEMMA reads it. Local. Temporary names, then rename: on failure nothing is
 *  left. Memory: some rows; as text at most 64 MiB of them, or one. GP_EINPUT where GCTA's form is
 *  asked for and the matrix has no ids. */
int gp_grm_export_gcta(gp_grm *grm, const char *prefix, gp_err *err);
int gp_grm_export_text(gp_grm *grm, const char *path, gp_err *err);

#endif
