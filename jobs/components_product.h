/** The standardised genotypes of a cohort as a matrix that is known by its products: what
 *  principal components without an n x n matrix need. For jobs/components.c and jobs/loadings.c.
 *
 *  Z is variants x kept samples: z = (g - mean) / sqrt(2 p (1 - p)), 0 where a call is missing.
 *  Every rank multiplies its part of the variants with all samples; integers are exact
 *  (src/geno/product.h) and added over ranks, so that results are the same bytes on any number
 *  of ranks and threads. A rank holds all samples for `columns` columns, of 13
 *  bytes each.
 */
#ifndef GP_JOBS_COMPONENTS_PRODUCT_H
#define GP_JOBS_COMPONENTS_PRODUCT_H

#include "jobs/components.h"
#include "jobs/kinship_variants.h"
#include "jobs/pass.h"
#include "src/geno/product.h"

enum { GP_COMPONENTS_BITS = 38 /* of columns in fixed point: 5 digits */ };

typedef struct gp_components_product {
    gp_job *job;
    gp_store *store;
    gp_kinship_variants variants; /* which count, and their means */
    gp_plan plan;
    gp_pass pass;
    int64_t n;           /* kept samples */
    int64_t *sample;     /* [n] of the store */
    int64_t first, rows; /* this rank's kept samples in thin matrices (src/pca/subspace.h) */
    int64_t columns;     /* room */
    gp_operand x, b;     /* over the store's samples; over the variants of a batch */
    gp_product *across, *back;
    int64_t *y;       /* [store samples x columns] exchanged between ranks */
    int64_t *sums;    /* [batch x columns] of a batch: calls times x; */
    int64_t *lost;    /* [batch x columns] x of the samples whose calls are missing; */
    int64_t *missing; /* [batch x columns] what a missing call counts on the way back */
    int64_t *list;    /* [batch] variants that count and have missing calls */
    double *c;        /* [batch x columns] Z x */
    int64_t *total;   /* [2 x columns] sums of x; constants of y */
} gp_components_product;

/** Chooses the variants (one look at their calls) and makes room. Collective; p comes zeroed,
 *  and is freed in any case. columns  in  of x, at most, in one product GP_EINPUT where no
 *  variant is left. */
int gp_components_product_init(gp_components_product *p, gp_job *job,
                               const gp_components_plan *plan, int64_t columns, gp_err *err);
void gp_components_product_free(gp_components_product *p);

/** Bytes of one on a rank, for n samples in the store and m variants. Local. */
int64_t gp_components_product_bytes(int64_t n, int64_t m, int64_t columns);

/** y = Z' Z x / m over this rank's kept samples: gp_subspace's product. Collective.
 *    x, y  [columns x rows]; x of length 1 over all ranks */
int gp_components_multiply(void *product, const double *x, int64_t columns, double *y, gp_err *err);

/** Is given Z x for the variants of a batch.
 *    c  in  [batch->run.count x p->columns] row-major; 0 where a variant does not count */
typedef int gp_components_take(void *context, const gp_ahead_batch *batch, const double *c,
                               gp_err *err);

/** Visits Z x in the order of this rank's part. Collective.
 *    x  in  [columns x n] global: the same on all ranks; columns <= p->columns */
int gp_components_visit(gp_components_product *p, const double *x, int64_t columns,
                        gp_components_take *take, void *context, gp_err *err);

#endif
