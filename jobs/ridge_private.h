/** What the files of the baselines share: columns of the regressions, and chunks of them. */
#ifndef GP_JOBS_RIDGE_PRIVATE_H
#define GP_JOBS_RIDGE_PRIVATE_H

#include "jobs/components_product.h"
#include "jobs/ridge.h"
#include "jobs/terminal.h"
#include "src/assoc/ridge.h"

enum {
    GP_RIDGE_ROOM = 64, /* columns of a product, at most */
    GP_RIDGE_MOST_PRODUCTS = 2000
};

/** One regression: a trait of a model, without one inner fold or none. */
typedef struct gp_ridge_column {
    int64_t model, trait; /* trait: number in the plan */
    int64_t like;         /* the plan's first trait with the same samples */
    int64_t inner;        /* fold that is left out; GP_RIDGE_INNER: none */
} gp_ridge_column;

/** Columns that are solved together, over this rank's rows. */
typedef struct gp_ridge_chunk {
    const gp_ridge_plan *plan;
    const int64_t *sample;     /* [n] of the store */
    int64_t n, first, rows;    /* kept samples; this rank's */
    int64_t covariates, basis; /* basis = 1 + covariates */
    const gp_ridge_column *column;
    int64_t count; /* of columns */
    int64_t designs;
    int64_t *design;       /* [columns] */
    uint8_t *mask, *asked; /* [designs x rows] */
    double *e;             /* [designs x basis x rows] */
    double *y;             /* [columns x rows] freed from covariates, of length 1, or all 0 */
    double *length;        /* [columns] that it had */
    double *fit;           /* [columns x basis] E' y: the covariates' part */
    int64_t *trained;      /* [designs] samples */
    uint8_t *kept;         /* [designs x covariates] 1 = added a direction */
    double *mean;          /* [designs x covariates] of the samples */
    double *turn;    /* [designs x covariates x covariates] centred covariate k = sum over b of
                        turn[b][k] E_(1 + b) */
    int64_t *list;   /* [n] scratch: a design's samples */
    double *q;       /* [covariates x n] scratch */
    double *scratch; /* [n] */
} gp_ridge_chunk;

/** Makes room for up to `room` columns. Local. Comes zeroed but for plan, sample, n, first, rows;
 *  freed in any case. */
int gp_ridge_chunk_init(gp_ridge_chunk *chunk, int64_t room, gp_err *err);
void gp_ridge_chunk_free(gp_ridge_chunk *chunk);
int64_t gp_ridge_chunk_bytes(int64_t n, int64_t rows, int64_t covariates, int64_t room);

/** Sets the columns' designs and traits. Asked for are the samples of the inner fold left out;
 * where none is left out, all samples with all covariates. Local; the same decisions on all ranks.
 */
void gp_ridge_chunk_set(gp_ridge_chunk *chunk, const gp_ridge_column *column, int64_t count);

/** What the covariates alone predict for a row of this rank. */
double gp_ridge_chunk_fitted(const gp_ridge_chunk *chunk, int64_t column, int64_t row);

/** Effects from coordinates along the basis.
 *    along  in   [basis]
 *    fixed  out  [1 + covariates] the intercept, then effects; 0 where one adds nothing */
void gp_ridge_chunk_effects(const gp_ridge_chunk *chunk, int64_t design, const double *along,
                            double *fixed);

/** Whether a sample of the store trains a trait of a model. */
int gp_ridge_trains(const gp_ridge_plan *plan, int64_t model, int64_t trait, int64_t sample);

/** Heritabilities of the grid, descending: penalties ascend. */
enum { GP_RIDGE_GRID = 12 };
extern const double gp_ridge_grid[GP_RIDGE_GRID];

/** The penalty of a heritability, for a mean of K's diagonal. */
double gp_ridge_penalty(double heritability, double diagonal);

/** The best penalty: the grid's, moved to the lowest point of the parabola through its squared
 *  error and its neighbours', over the logarithm of the penalty.
 *    error  in  [GP_RIDGE_GRID] */
double gp_ridge_choose(const double *error, double diagonal);

/** The regressions, under way. */
typedef struct gp_ridge_run {
    gp_job *job;
    gp_sink silent;
    gp_job quiet; /* of passes: each has a bar of its own, which nobody shall see */
    const gp_ridge_plan *plan;
    gp_ridge *ridge;
    gp_components_product product;
    gp_ridge_chunk chunk;
    int64_t room;            /* columns of a chunk, at most */
    gp_ridge_column *column; /* [models x traits x (1 + GP_RIDGE_INNER)] */
    double diagonal;         /* mean of K's */
    double *error;           /* [models x traits x GP_RIDGE_GRID] squared, of inner folds */
    double *penalty;         /* [models x traits] chosen */
    double *lambda;          /* [room x GP_RIDGE_GRID] */
    double *total;           /* [room x GP_RIDGE_GRID] */
    int64_t *like;           /* [traits] the first trait with the same samples */
    int64_t products, settled;
    int unsettled; /* chunks that have not settled in GP_RIDGE_MOST_PRODUCTS */
    gp_progress progress;
} gp_ridge_run;

/* ---- jobs/ridge_penalty.c ---- */

/** The mean of K's diagonal over the kept samples, by one look at the genotypes. Collective. */
int gp_ridge_find_diagonal(gp_ridge_run *run, gp_err *err);

/* ---- jobs/ridge_columns.c ---- */

/** Finds traits with the same samples. Local. */
void gp_ridge_find_alike(gp_ridge_run *run);

/** Lists the regressions without inner fold 0, 1, ... inners - 1 (GP_RIDGE_INNER: without none) of
 *  each fit; those of one design stand side by side. Local. Returns their number. */
int64_t gp_ridge_list_columns(gp_ridge_run *run, int64_t inners);

/** Counts training samples; GP_EINPUT where a trait of a model cannot be fitted. Collective. */
int gp_ridge_check_fits(const gp_ridge_run *run, gp_err *err);

/* ---- jobs/ridge_solve.c; collective ---- */

/** Finds the penalties, by inner folds. */
int gp_ridge_search(gp_ridge_run *run, gp_err *err);

/** Solves for them: this rank's rows of the results, and the effects of covariates. */
int gp_ridge_predict(gp_ridge_run *run, gp_err *err);

#endif
