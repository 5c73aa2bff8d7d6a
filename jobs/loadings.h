/** What each variant adds to a principal component: written, and applied to new samples.
 *
 *  A loading is the sum over samples of the standardised count of the major allele times the
 *  component, divided by the root of its eigenvalue (PLINK 2's biallelic-var-wts). A sample's
 *  place on a component is the sum over variants of its standardised counts times the loadings,
 *  divided by the number of variants and the root of the eigenvalue: for the samples that the
 *  component was made from, the component itself.
 */
#ifndef GP_JOBS_LOADINGS_H
#define GP_JOBS_LOADINGS_H

#include "io/pca_files.h"
#include "jobs/components.h"

/** Writes the loadings of all variants that count, in the store's order, to a file. Collective;
 *  one pass over the genotypes. Every rank writes its own part: memory does not grow with the
 *  variants (but for 8 bytes each). The same bytes on any number of ranks and threads. */
int gp_loadings_write(gp_job *job, const gp_components_plan *plan, const gp_components *components,
                      const char *path, gp_err *err);

/** New samples on old components. */
typedef struct gp_projection {
    gp_store *store;
    const gp_cohort *cohort; /* the kept samples are projected */
    const gp_selection
        *selection; /* of variants: chromosomes and lists; other filters do not count */
    const gp_pca_weights *weights;
    const double *value; /* [weights->count] eigenvalues */
    /* out */
    int64_t n;
    int64_t *sample; /* [n] of the store */
    double *vector;  /* [weights->count x n] */
    int64_t matched; /* variants found, with the same alleles, and of those */
    int64_t swapped; /* the ones whose ALT is not the major allele */
    int64_t differ;  /* same id, other alleles */
} gp_projection;

/** Projects. Collective; one pass; the same bytes on any number of ranks and threads. Missing
 *  calls count as the old samples' mean. Outputs are allocated, and freed by gp_projection_free.
 *  GP_EINPUT where no variant is found, or one is there twice. Memory on a rank: 16 bytes a
 *  sample and component, 8 a weight. */
int gp_projection_make(gp_job *job, gp_projection *projection, gp_err *err);
void gp_projection_free(gp_projection *projection);

#endif
