/** Relationship matrices of a run: made from the store into a file, and read from a file onto
 *  the grid of ranks.
 *
 *  All functions are collective, but for those that say local. Samples are joined by FID and
 *  IID (a matrix without ids: by the order of the store, which must then have as many samples
 *  as the matrix has rows).
 */
#ifndef GP_JOBS_KINSHIP_H
#define GP_JOBS_KINSHIP_H

#include "io/grm.h"
#include "jobs/cohort.h"
#include "jobs/command.h"
#include "jobs/selection.h"
#include "mpi/dense.h"

/** What to make. */
typedef struct gp_kinship_plan {
    const char *path; /* of the file */
    int keep;    /* a file that is there already is taken where it is that matrix, else refused */
    int centred; /* or standardised */
    int chromosomes; /* one matrix per chromosome too */
    gp_store *store;
    const gp_cohort *cohort; /* the kept samples become the matrix's */
    /* Variants that count: chromosomes, lists, filters; constant ones never do. Its masks are made
     * anew for the shards there are, where some samples are not kept. */
    gp_selection *selection;
} gp_kinship_plan;

/** Makes the file: the kept samples in the store's order, autosomes only (others are left
 *  out, with a note). GP_EINPUT where no variant or fewer than two samples are left; GP_ESTOP
 *  after a signal; nothing is then left behind. The same bytes on any number of ranks,
 *  threads and shards. Shows progress; a note says how many variants count. */
int gp_kinship_make(gp_job *job, const gp_kinship_plan *plan, gp_err *err);

/** Bytes that gp_kinship_make needs on a rank of a grid, at most, where n samples are kept: 8
 *  for each element that the rank holds, 16 with chromosomes, and room for genotypes. Local. */
int64_t gp_kinship_make_bytes(int64_t n, int rows, int columns, int chromosomes);

typedef struct gp_kinship {
    int chromosomes; /* in: whether matrices of chromosomes will be read: they are verified too */
    gp_grm *grm;     /* opened by every rank */
    int64_t *row;    /* [store samples] row of the matrix; -1 where it has none */
    int64_t missing; /* kept samples that the matrix does not have */
} gp_kinship;

/** Opens a matrix and joins it to the store's samples; kept samples without a row are un-kept
 *  in the cohort, with a warning that counts them and names some. Duplicated ids in the
 *  matrix, no sample in common (a few ids of either side are shown), a row count that does
 *  not fit (no ids): GP_EINPUT. The file's checks are verified (each rank reads a share).
 *  Comes zeroed, but for chromosomes; closed in any case. */
int gp_kinship_open(gp_job *job, const char *path, gp_cohort *cohort, gp_kinship *kinship,
                    gp_err *err);
void gp_kinship_close(gp_kinship *kinship);

/** The number of a chromosome's own matrix; GP_GRM_WHOLE where the file has none for that
 *  name (it then has nothing to leave out). Local. */
int64_t gp_kinship_chromosome(const gp_kinship *kinship, const char *name);

/** Reads the relationships of chosen samples, the whole or without one chromosome.
 *    sample  in     [a->layout.n] store samples, ascending, each with a row
 *    except  in     chromosome number, or GP_GRM_WHOLE: nothing is left out
 *    a       inout  initialised; its lower triangle (by place) is set
 *  GP_EINPUT where a value is not finite, or nothing is left without the chromosome. */
int gp_kinship_load(gp_job *job, const gp_kinship *kinship, const int64_t *sample, int64_t except,
                    gp_dense *a, gp_err *err);

/** The spectrum of the centred relationships of chosen samples, for models with an intercept.
 *    sample, except  in     as in gp_kinship_load
 *    vector          inout  initialised for the samples: their eigenvectors, as of gp_dense_eigen
 *    value           out    [n] global: eigenvalues, ascending, cleaned (gp_spectrum_clean)
 *  Memory: one more matrix of that size. */
int gp_kinship_spectrum(gp_job *job, const gp_kinship *kinship, const int64_t *sample,
                        int64_t except, gp_dense *vector, double *value, gp_err *err);

#endif
