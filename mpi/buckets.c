#include "mpi/buckets.h"
#include "mpi/par_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>

enum { SHARED_AT_ONCE = 32 /* messages of gp_par_buckets_share that are under way */ };

struct gp_par_buckets {
    gp_par *par;
    int64_t *value;       /* borrowed */
    const int64_t *first; /* borrowed */
    int64_t buckets;
    int owned;
    int64_t next;         /* bucket to be started */
    int64_t room, active; /* messages of all buckets; of those that were started */
    int64_t there;        /* messages that were seen to have come, all before the others */
    MPI_Request *request; /* [room] */
    double waited;
};

/* The elements from at that one message can take. */
static int piece(const gp_par *par, int64_t end, int64_t at) {
    return (int)gp_least(par->limit, end - at);
}

int gp_par_buckets_open(gp_par *par, int64_t *value, const int64_t *first, int64_t buckets,
                        int owned, gp_par_buckets **out, gp_err *err) {
    gp_par_buckets *b = *out = gp_mem_alloc(1, sizeof *b, err);
    if (b == NULL)
        return err->code;
    *b = (gp_par_buckets){
        .par = par, .value = value, .first = first, .buckets = buckets, .owned = owned};
    for (int64_t k = 0; k < buckets; k++)
        b->room += gp_units(first[k + 1] - first[k], par->limit);
    b->request = gp_mem_alloc(b->room, sizeof *b->request, err);
    if (b->request == NULL) {
        free(b);
        *out = NULL;
    }
    return err->code;
}

void gp_par_buckets_close(gp_par_buckets *b) {
    if (b == NULL)
        return;
    free(b->request);
    free(b);
}

static int owner_of(const gp_par_buckets *b, int64_t bucket) {
    return (int)(bucket % b->par->size);
}

int gp_par_bucket_mine(const gp_par_buckets *b, int64_t bucket) {
    return !b->owned || owner_of(b, bucket) == b->par->rank;
}

/* Unsigned addition wraps; signed overflow would be undefined inside the library. */
static int start_message(gp_par_buckets *b, int64_t *x, int count, int owner) {
    MPI_Request *request = &b->request[b->active++];
    MPI_Comm world = b->par->world;
    if (!b->owned)
        return MPI_Iallreduce(MPI_IN_PLACE, x, count, MPI_UINT64_T, MPI_SUM, world, request);
    if (owner == b->par->rank)
        return MPI_Ireduce(MPI_IN_PLACE, x, count, MPI_UINT64_T, MPI_SUM, owner, world, request);
    return MPI_Ireduce(x, NULL, count, MPI_UINT64_T, MPI_SUM, owner, world, request);
}

void gp_par_bucket_start(gp_par_buckets *b, int64_t bucket) {
    /* Another order than the other ranks' would add what does not belong together. */
    if (bucket != b->next || bucket >= b->buckets)
        gp_par_abort(b->par, GP_EFAIL, "buckets: one was started out of turn; report this fault");
    b->next++;
    int64_t end = b->first[bucket + 1];
    for (int64_t at = b->first[bucket]; at < end; at += piece(b->par, end, at)) {
        int count = piece(b->par, end, at);
        int rc = start_message(b, b->value + at, count, owner_of(b, bucket));
        gp_par_must(b->par, rc, "starting a sum");
        gp_par_sent(b->par, count * (int64_t)sizeof *b->value);
    }
}

/* In their order: what has come frees its room in the library, and the look costs the same however
 * many are under way. */
void gp_par_buckets_poke(gp_par_buckets *b) {
    for (int done = 1; done && b->there < b->active; b->there += done) {
        int rc = MPI_Test(&b->request[b->there], &done, MPI_STATUS_IGNORE);
        gp_par_must(b->par, rc, "going on with sums");
    }
}

void gp_par_buckets_wait(gp_par_buckets *b) {
    double from = MPI_Wtime();
    int rc = MPI_Waitall((int)b->active, b->request, MPI_STATUSES_IGNORE);
    gp_par_must(b->par, rc, "waiting for sums");
    b->active = b->there = b->next = 0;
    b->waited += MPI_Wtime() - from;
    gp_par_waited(b->par, from);
}

/* ---- what owners made ---- */

typedef struct sharing {
    const gp_par *par;
    MPI_Request request[SHARED_AT_ONCE];
    int active;
} sharing;

static void finish(sharing *s) {
    int rc = MPI_Waitall(s->active, s->request, MPI_STATUSES_IGNORE);
    gp_par_must(s->par, rc, "sharing what owners made");
    s->active = 0;
}

void gp_par_buckets_share(gp_par_buckets *b, float *x, const int64_t *at) {
    double from = MPI_Wtime();
    sharing s = {.par = b->par};
    for (int64_t k = 0; k < b->buckets; k++)
        for (int64_t i = at[k]; i < at[k + 1]; i += piece(b->par, at[k + 1], i)) {
            if (s.active == SHARED_AT_ONCE)
                finish(&s);
            int count = piece(b->par, at[k + 1], i), owner = owner_of(b, k);
            int rc =
                MPI_Ibcast(x + i, count, MPI_FLOAT, owner, b->par->world, &s.request[s.active++]);
            gp_par_must(b->par, rc, "sharing what owners made");
            gp_par_sent(b->par, owner == b->par->rank ? count * (int64_t)sizeof *x : 0);
        }
    finish(&s);
    b->waited += MPI_Wtime() - from;
    gp_par_waited(b->par, from);
}

double gp_par_buckets_waited(const gp_par_buckets *b) {
    return b->waited;
}
