#include "io/store_ahead.h"
#include "io/store_calls.h"
#include "src/base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum {
    SLOTS = 2,   /* one with the caller, one being filled */
    NAMES = 2048 /* variants whose ids and alleles are read at once: far cheaper than by batches */
};

typedef struct slot {
    gp_ahead_batch batch;
    gp_store_calls room;
} slot;

/* Consecutive variants of a chromosome; batches hold views. */
typedef struct names {
    int64_t chromosome, first;
    gp_variants variants;
} names;

struct gp_ahead {
    gp_store *store;
    gp_ahead_plan plan;
    slot slot[SLOTS]; /* batch number i is in slot i % SLOTS */
    /* The last ones read are in names[reads % SLOTS]; a batch that is out has no older ones than
     * those of SLOTS - 1 reads before. */
    names names[SLOTS];
    int64_t reads;
    int has_thread;
    pthread_t thread;
    atomic_int stop;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    int64_t filled, freed; /* batches */
    int ended;             /* after the last one of filled */
    gp_err err;            /* why; GP_OK = the plan's end */
    int64_t taken;         /* the caller's own: batches it was given */
};

/* ---- a batch ---- */

static int read_names(gp_ahead *a, const gp_store_run *run, gp_err *err) {
    names *to = &a->names[++a->reads % SLOTS];
    int known = run->chromosome >= 0 && run->chromosome < a->store->chromosome_count;
    int64_t left = known ? a->store->chromosome[run->chromosome].count - run->first : 0;
    int64_t more = left < NAMES ? left : NAMES;
    gp_err ignored = {0};
    to->chromosome = run->chromosome;
    to->first = run->first;
    /* What lies behind the run may be damaged, and nobody's business yet. */
    if (more > run->count && gp_store_read_variants(a->store, run->chromosome, run->first, more,
                                                    &to->variants, &ignored) == GP_OK)
        return GP_OK;
    return gp_store_read_variants(a->store, run->chromosome, run->first, run->count, &to->variants,
                                  err);
}

static int use_names(gp_ahead *a, gp_ahead_batch *b, gp_err *err) {
    const gp_store_run *run = &b->run;
    const names *n = &a->names[a->reads % SLOTS];
    if (run->chromosome != n->chromosome || run->first < n->first ||
        run->first + run->count > n->first + n->variants.count) {
        if (read_names(a, run, err) != GP_OK)
            return err->code;
        n = &a->names[a->reads % SLOTS];
    }
    int64_t at = run->first - n->first;
    b->variants = (gp_variants){.count = run->count,
                                .position = n->variants.position + at,
                                .morgan = n->variants.morgan ? n->variants.morgan + at : NULL,
                                .id = n->variants.id + at,
                                .ref = n->variants.ref + at,
                                .alt = n->variants.alt + at};
    return GP_OK;
}

/* Reads the next batch. 0 at the plan's end or after an error. */
static int fill(gp_ahead *a, slot *s, gp_err *err) {
    gp_ahead_batch *b = &s->batch;
    const gp_ahead_plan *plan = &a->plan;
    if (!plan->next(plan->context, &b->run))
        return 0;
    gp_store_slice slice = {b->run.chromosome, b->run.first, b->run.count, plan->sample,
                            plan->samples};
    b->calls = (gp_calls){0};
    if (use_names(a, b, err) != GP_OK)
        return 0;
    b->has_calls = plan->wants == NULL || plan->wants(plan->context, &b->variants);
    return !b->has_calls || gp_store_read_calls(a->store, &slice, plan->most_variants, &a->stop,
                                                &s->room, &b->calls, err) == GP_OK;
}

/* ---- the thread ---- */

/* Waits for a slot that the caller has done with. 0 when told to stop. */
static int wait_for_room(gp_ahead *a) {
    pthread_mutex_lock(&a->lock);
    while (a->filled - a->freed == SLOTS && !atomic_load(&a->stop))
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
    return !atomic_load(&a->stop);
}

static void *read_ahead(void *context) {
    gp_ahead *a = context;
    int more = 1;
    gp_h5_quiet(); /* where HDF5 is built for threads, each has its own setting */
    while (more && wait_for_room(a)) {
        gp_err err = {0};
        more = fill(a, &a->slot[a->filled % SLOTS], &err);
        pthread_mutex_lock(&a->lock);
        a->filled += more;
        a->ended = !more;
        a->err = err;
        pthread_cond_signal(&a->changed);
        pthread_mutex_unlock(&a->lock);
    }
    return NULL;
}

/* Signals are for the caller's threads: the new one gets none. */
static int start_thread(gp_ahead *a) {
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return 0;
    int code = pthread_create(&a->thread, NULL, read_ahead, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0;
}

/* ---- the caller ---- */

gp_ahead *gp_ahead_open(gp_store *store, const gp_ahead_plan *plan, gp_err *err) {
    gp_ahead *a = gp_mem_alloc(1, sizeof *a, err);
    if (a == NULL)
        return NULL;
    a->store = store;
    a->plan = *plan;
    a->names[0].chromosome = -1;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    a->has_thread = start_thread(a);
    return a;
}

/* Without a thread (the system may refuse one) the caller reads for itself. */
static int fill_here(gp_ahead *a) {
    if (!a->ended && fill(a, &a->slot[0], &a->err))
        return 1;
    a->ended = 1;
    return 0;
}

const gp_ahead_batch *gp_ahead_next(gp_ahead *a, gp_err *err) {
    const gp_ahead_batch *batch = NULL;
    if (!a->has_thread) {
        batch = fill_here(a) ? &a->slot[0].batch : NULL;
    } else {
        pthread_mutex_lock(&a->lock);
        a->freed = a->taken;
        pthread_cond_signal(&a->changed);
        while (a->filled == a->taken && !a->ended)
            pthread_cond_wait(&a->changed, &a->lock);
        if (a->filled > a->taken)
            batch = &a->slot[a->taken++ % SLOTS].batch;
        pthread_mutex_unlock(&a->lock);
    }
    if (batch == NULL && a->err.code != GP_OK)
        gp_err_set(err, a->err.code, "%s", a->err.text);
    return batch;
}

void gp_ahead_close(gp_ahead *a) {
    if (a == NULL)
        return;
    if (a->has_thread) {
        pthread_mutex_lock(&a->lock);
        atomic_store(&a->stop, 1);
        pthread_cond_signal(&a->changed);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    for (int k = 0; k < SLOTS; k++) {
        gp_variants_free(&a->names[k].variants);
        gp_store_calls_free(&a->slot[k].room);
    }
    free(a);
}

/* ---- sizes ---- */

int64_t gp_store_chunk_variants(gp_store *store, gp_err *err) {
    gp_store_slice slice = {.samples = store->n};
    for (int64_t k = 1; k < store->chromosome_count; k++)
        if (store->chromosome[k].count > store->chromosome[slice.chromosome].count)
            slice.chromosome = k;
    if (gp_store_use_genotypes(store, &slice, err) != GP_OK)
        return 0;
    return store->column[GP_STORE_GENOTYPE].chunk_rows;
}

int64_t gp_ahead_bytes(int64_t samples, int64_t most_variants) {
    enum { BYTES = 128 /* of a variant: positions, pointers, ids and alleles of usual length */ };
    int64_t variants = most_variants > NAMES ? most_variants : NAMES;
    return SLOTS * (gp_store_calls_bytes(samples, most_variants) + variants * BYTES);
}
