/** The baselines of a prediction: covariates alone, and ridge regression on all variants, for the
 *  same folds. Matrix-free on the exact products: the same bytes on any number of ranks and
 *  threads. All functions are collective.
 *
 *  A model is the training samples of an outer fold (those in use that the fold does not hold), or
 *  all samples in use: model `folds->count` is the one of all. Each trait of each model is fitted
 *  on its training samples that have its value and all covariates. The penalty is chosen by inner
 *  cross-validation: of the samples that a trait of a model is fitted on, number i, in the store's
 *  order, is in inner fold i mod GP_RIDGE_INNER; the penalty is where the squared error is smallest
 *  on a grid of heritabilities, moved to the lowest point of a parabola through its neighbours. The
 *  predictions of the inner folds with that penalty are kept: each training sample's from models
 *  without it. Binary traits are numbers here. One product with K serves the columns of all folds,
 *  inner folds, traits and penalties (in chunks of 64 regressions).
 */
#ifndef GP_JOBS_RIDGE_H
#define GP_JOBS_RIDGE_H

#include "jobs/components.h"
#include "jobs/folds.h"
#include "jobs/kinship_variants.h"

enum { GP_RIDGE_INNER = 5 };

/** What is asked for; borrowed. */
typedef struct gp_ridge_plan {
    gp_store *store;
    gp_cohort *cohort;       /* kept samples */
    gp_selection *selection; /* of variants: autosomes */
    const gp_folds *folds;   /* count may be 0 */
    const int64_t *trait;    /* [traits] numbers in the cohort */
    int64_t traits;
} gp_ridge_plan;

/** Everything is global: the same on all ranks. Samples are the cohort's kept ones, in order. */
typedef struct gp_ridge {
    int64_t n, traits, models; /* models = folds + 1 */
    int64_t *sample;           /* [n] of the store */
    /* What intercept and covariates alone predict; NaN where a covariate is missing. */
    double *covariates; /* [models x traits x n] */
    /* Covariates and variants; likewise. */
    double *value; /* [models x traits x n] */
    /* For training samples, from models without them: without their inner fold; or, where a sample
     * in use lacks the trait, as in value. Else NaN. */
    double *cross; /* [models x traits x n] */
    /* The intercept, then effects of covariates: of the ridge model, so that value is fixed times
     * (1, covariates) + sum of x b; and of covariates alone. */
    double *fixed, *alone; /* [models x traits x (1 + covariates)] */
    /* Of the penalty: lambda = mean of K's diagonal * (1 - h2) / h2. */
    double *heritability;         /* [models x traits] */
    double *alpha;                /* [models x traits x n] effects b = Z alpha / variants.total */
    int64_t *trained;             /* [models x traits] samples */
    gp_kinship_variants variants; /* which count, and their means */
    uint8_t *dropped; /* [cohort covariates] 1 = adds nothing in some model; not yet told */
} gp_ridge;

/** Fits. GP_EINPUT where a trait is constant, or has too few samples, among the training samples of
 *  a model: the message names trait and fold. Comes zeroed; freed in any case. Shows progress, and
 *  warns where it has not settled. Makes the selection's masks anew. */
int gp_ridge_fit(gp_job *job, const gp_ridge_plan *plan, gp_ridge *ridge, gp_err *err);
void gp_ridge_free(gp_ridge *ridge);

/** Effects of the variants of one model, all traits, on all ranks: b per standardised dosage
 *  x = (g - mean) / sqrt(2 p (1 - p)).
 *    effect  out  [variants.total x traits] in order of the variants that count */
int gp_ridge_effects(gp_job *job, const gp_ridge_plan *plan, const gp_ridge *ridge, int64_t model,
                     double *effect, gp_err *err);

/** Is given what a chromosome's variants add to the predictions of samples that models left out.
 *    chromosome  in  of the store
 *    part        in  [traits x n] by the model of the sample's own fold, in the trait's units; 0
 * for a sample in none; the same on all ranks */
typedef void gp_ridge_take_part(void *context, int64_t chromosome, const double *part);

/** Visits the chromosomes that have variants which count, in the store's order. A sample's value of
 *  its fold's model is that without the chromosome, plus the part. One pass over the genotypes for
 *  each 64 columns (folds x traits). Memory: as gp_components_product_bytes for so many columns,
 *  and 8 bytes a sample and trait. */
int gp_ridge_parts(gp_job *job, const gp_ridge_plan *plan, const gp_ridge *ridge,
                   gp_ridge_take_part *take, void *context, gp_err *err);

/** Bytes of gp_ridge_fit on a rank, results included, for so many variants. Local. Results are 32
 *  bytes a sample, model and trait, on every rank. For a chunk of up to 64 regressions, products
 *  take 64 * 13 bytes a sample, and the solution about 64 * (100 + 8 covariates) bytes a sample of
 *  the rank's share. */
int64_t gp_ridge_bytes(const gp_ridge_plan *plan, int64_t variants, int64_t ranks);

#endif
