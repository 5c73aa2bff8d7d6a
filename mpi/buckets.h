/** Sums of integers over all ranks that go on while their ranks compute: gradient buckets.
 *
 *  Bucket b is value[first[b] .. first[b + 1]). Every rank starts the buckets in the same order.
 * Two forms: all ranks get the sums (MPI_Iallreduce), or only the bucket's owner, rank b mod ranks,
 * does (MPI_Ireduce), and later gives what it made of them to all. One thread per rank calls these
 * functions.
 */
#ifndef GP_MPI_BUCKETS_H
#define GP_MPI_BUCKETS_H

#include "mpi/par.h"

typedef struct gp_par_buckets gp_par_buckets;

/** Local. Borrows value and first, which stay where they are. owned 1: sums go to the owners. */
int gp_par_buckets_open(gp_par *par, int64_t *value, const int64_t *first, int64_t buckets,
                        int owned, gp_par_buckets **b, gp_err *err);
void gp_par_buckets_close(gp_par_buckets *b);

/** Whether this rank gets the sums of a bucket. */
int gp_par_bucket_mine(const gp_par_buckets *b, int64_t bucket);

/** Starts the next bucket's sum: its values must not be touched until the wait. Nonblocking,
 *  collective in order. */
void gp_par_bucket_start(gp_par_buckets *b, int64_t bucket);

/** Lets what is under way go on; cheap, local. */
void gp_par_buckets_poke(gp_par_buckets *b);

/** Waits until all that was started is there. Collective. */
void gp_par_buckets_wait(gp_par_buckets *b);

/** Owners give their parts of an array of floats to all ranks: bucket b is
 *  x[at[b] .. at[b + 1]), owned by rank b mod ranks. Collective. */
void gp_par_buckets_share(gp_par_buckets *b, float *x, const int64_t *at);

/** Seconds this rank has spent waiting in gp_par_buckets_wait and _share since the opening. Local.
 */
double gp_par_buckets_waited(const gp_par_buckets *b);

#endif
