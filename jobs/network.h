/** A trained network at work on a store: its variants found there, samples run through it in fixed
 *  shards. What `predict` and `explain` share.
 *
 *  A model is a directory as gp-dist train writes it (io/network.h). Its variants are known by
 *  chromosome, position and alleles; ids do not matter, nor does "chr" before a chromosome's name.
 *  Shards are GP_NETWORK_SHARD samples, in the store's order, whatever the ranks and threads.
 */
#ifndef GP_JOBS_NETWORK_H
#define GP_JOBS_NETWORK_H

#include "io/network.h"
#include "jobs/cohort.h"
#include "jobs/resident.h"
#include "src/nn/model.h"

enum { GP_NETWORK_SHARD = 16 /* samples */ };

typedef struct gp_network {
    const char *directory; /* borrowed */
    gp_io_network about;   /* without the parameters */
    gp_nn_engine *engine;
    gp_nn_model *model; /* [about.networks] their outputs are averaged */
    /* After gp_network_match: as gp_resident_plan has them. */
    gp_store *store; /* borrowed */
    int64_t *count, *first, *column;
    uint8_t *swap;
    int64_t room; /* bytes of calls that a rank holds at once */
} gp_network;

/** Reads a model. Collective. GP_EINPUT where it is not whole, or has no traits. Comes zeroed;
 * freed in any case. */
int gp_network_open(gp_job *job, const char *directory, gp_network *network, gp_err *err);

/** Finds the model's variants in a store: a note tells how many are there, with alleles swapped,
 *  missing, and how many the store has beyond. Where several have one place and alleles, the first
 *  of the store is the model's first, and so on. Collective. GP_EINPUT where there is none, or
 *  variants.tsv.gz is not the model's. */
int gp_network_match(gp_job *job, gp_network *network, gp_store *store, gp_err *err);

void gp_network_free(gp_network *network);

/* ---- samples ---- */

/** What is known of the samples beside genotypes; borrowed. */
typedef struct gp_network_ask {
    const char *command; /* for messages */
    const gp_cohort *cohort;
    const char *covar, *missing_code; /* may be NULL */
    int64_t most;                     /* so many at most, evenly spread; 0: all */
} gp_network_ask;

/** Kept samples that have all covariates. The same on all ranks. */
typedef struct gp_network_people {
    int64_t n;
    int64_t *sample;    /* [n] of the store, ascending */
    gp_real *covariate; /* [n x c] standardised */
    gp_real *offset;    /* [n x p] */
    int64_t begin, end; /* this rank's: whole shards, but for the last of all */
} gp_network_people;

/** Collective. GP_EINPUT where a covariate has no column. Comes zeroed; freed in any case. */
int gp_network_people_init(gp_job *job, const gp_network *network, const gp_network_ask *ask,
                           gp_network_people *people, gp_err *err);
void gp_network_people_free(gp_network_people *people);

/** Is given a shard, by one of the threads (0 to omp_get_max_threads() - 1).
 *    first  in  its first sample's number among the people
 *    batch  in  without masks and targets */
typedef void gp_network_visit(void *context, int thread, int64_t first, const gp_nn_batch *batch);

/** Loads calls of this rank's samples, as many as there is room for at once, and visits their
 *  shards. Collective; a signal (GP_ESTOP) ends all ranks. Shows progress. */
int gp_network_walk(gp_job *job, const gp_network *network, const gp_network_people *people,
                    gp_network_visit *visit, void *context, gp_err *err);

/** A work for each thread (gp_nn_work_new for a shard); NULL with GP_EFAIL where memory is refused.
 *  Local. */
gp_nn_work **gp_network_works(const gp_network *network, int backward, gp_err *err);
void gp_network_works_free(gp_nn_work **work);

/** A trait's value from the network's output, in the trait's units, or a probability. Local. */
double gp_network_value(const gp_network *network, int64_t trait, double output);

#endif
