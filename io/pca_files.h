/** The files of principal components, in PLINK 2's forms.
 *
 *    pca.eigenval      one eigenvalue per line, the largest first
 *    pca.eigenvec      #FID IID PC1 ... PCK: unit vectors over the samples
 *    pca.eigenvec.var  #CHROM ID MAJ NONMAJ MAJ_FREQ PC1 ... PCK: a weight per copy of the major
 *                      allele's standardised count: PLINK 2's biallelic-var-wts, and the
 *                      frequency
 *
 *  Tab separated; numbers have 9 significant digits. Local. Source: PLINK 2.0 documentation,
 *  file formats .eigenval, .eigenvec, .eigenvec.var.
 */
#ifndef GP_IO_PCA_FILES_H
#define GP_IO_PCA_FILES_H

#include "io/store.h"
#include "src/base/err.h"
#include "src/base/ids.h"
#include "src/base/text.h"
#include <stdint.h>

/** Vectors over samples. */
typedef struct gp_pca_vectors {
    int64_t n, count;
    const gp_samples *samples;
    const int64_t *sample; /* [n] numbers in samples */
    const double *vector;  /* [count x n] */
} gp_pca_vectors;

/** Each appends to a text. GP_EFAIL where memory is refused. */
int gp_pca_print_vectors(gp_text *to, const gp_pca_vectors *vectors, gp_err *err);
int gp_pca_print_values(gp_text *to, const double *value, int64_t count, gp_err *err);

/** One line of weights. */
typedef struct gp_pca_variant {
    const char *chromosome, *id, *major, *minor;
    double frequency;     /* of the major allele */
    const double *weight; /* [count] */
} gp_pca_variant;

int gp_pca_print_weights_header(gp_text *to, int64_t count, gp_err *err);
int gp_pca_print_weights(gp_text *to, const gp_pca_variant *variant, int64_t count, gp_err *err);

/** What pca.eigenvec.var holds. Comes zeroed; freed in any case. */
typedef struct gp_pca_weights {
    int64_t variants, count;
    gp_ids id;             /* of variant i: number i */
    char **major, **minor; /* [variants] into the text */
    double *frequency;     /* [variants] of the major allele */
    double *weight;        /* [variants x count] row-major */
} gp_pca_weights;

/** Reads both from text in memory, which is cut in place, and kept by the caller as long as
 *  weights are used. GP_EINPUT "PATH:LINE: ..." for another header, a ragged line, a number that
 *  is not one, a frequency outside (0, 1), an id twice, values that are not positive. Variants
 *  without an id (".") are passed over. */
int gp_pca_read_weights(gp_pca_weights *weights, const char *path, gp_text *bytes, gp_err *err);
int gp_pca_read_values(double **value, int64_t *count, const char *path, gp_text *bytes,
                       gp_err *err);
void gp_pca_weights_free(gp_pca_weights *weights);

#endif
