/** The C names of ScaLAPACK, and what the files of dense matrices share; for mpi/ and its tests. */
#ifndef GP_MPI_DENSE_PRIVATE_H
#define GP_MPI_DENSE_PRIVATE_H

#include "mpi/dense.h"
#include "mpi/grid_private.h"

/** ScaLAPACK's descriptor of a matrix. Local. */
typedef struct gp_desc {
    int type, context, m, n, mb, nb, source_row, source_column, lead;
} gp_desc;

gp_desc gp_dense_desc(const gp_dense *a);

/** The first local row, the first local column, whose place is at least `place`. Local. */
int64_t gp_dense_row_from(const gp_layout *layout, int64_t place);
int64_t gp_dense_column_from(const gp_layout *layout, int64_t place);

/** ELPA, in a program built with it: whether it can, and eigenvalues and vectors as gp_dense_eigen
 *  gives them, to the ranks of the grid; the lower triangle is read. Collective; errors may differ
 *  between ranks. */
int gp_dense_elpa_can(const gp_layout *layout);
void gp_dense_elpa(gp_dense *a, double *value, gp_dense *vector, gp_err *err);

void pdtran_(const int *m, const int *n, const double *alpha, const double *a, const int *ia,
             const int *ja, const gp_desc *desca, const double *beta, double *c, const int *ic,
             const int *jc, const gp_desc *descc);
void pdsytrd_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
              const gp_desc *desc, double *d, double *e, double *tau, double *work,
              const int *lwork, int *info);
void pdsyntrd_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
               const gp_desc *desc, double *d, double *e, double *tau, double *work,
               const int *lwork, int *info);
void pdlared1d_(const int *n, const int *ia, const int *ja, const gp_desc *desc, const double *part,
                double *all, double *work, const int *lwork);
void pdstedc_(const char *compz, const int *n, double *d, double *e, double *q, const int *iq,
              const int *jq, const gp_desc *descq, double *work, const int *lwork, int *iwork,
              const int *liwork, int *info);
void pdormtr_(const char *side, const char *uplo, const char *trans, const int *m, const int *n,
              const double *a, const int *ia, const int *ja, const gp_desc *desca,
              const double *tau, double *c, const int *ic, const int *jc, const gp_desc *descc,
              double *work, const int *lwork, int *info);
void Cpdgemr2d(int m, int n, double *a, int ia, int ja, gp_desc *desca, double *b, int ib, int jb,
               gp_desc *descb, int context);

void dsterf_(const int *n, double *d, double *e, int *info);
void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc);
void dsymm_(const char *side, const char *uplo, const int *m, const int *n, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta,
            double *c, const int *ldc);

#endif
