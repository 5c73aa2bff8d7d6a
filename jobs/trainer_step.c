#include "jobs/trainer_inside.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Who may add to a bucket, and how many of this rank's shards have. */
struct gp_trainer_locks {
    int64_t buckets;
    omp_lock_t *bucket;  /* [buckets] */
    atomic_llong *added; /* [buckets] */
};

/* ---- room ---- */

static int locks_init(gp_trainer *t, gp_err *err) {
    int64_t buckets = t->sum.buckets;
    struct gp_trainer_locks *locks = t->locks = gp_mem_alloc(1, sizeof *locks, err);
    if (locks == NULL)
        return err->code;
    locks->bucket = gp_mem_alloc(buckets, sizeof *locks->bucket, err);
    locks->added = gp_mem_alloc(buckets, sizeof *locks->added, err);
    if (err->code != GP_OK)
        return err->code;
    for (; locks->buckets < buckets; locks->buckets++)
        omp_init_lock(&locks->bucket[locks->buckets]);
    return GP_OK;
}

static void locks_free(struct gp_trainer_locks *locks) {
    if (locks == NULL)
        return;
    for (int64_t b = 0; b < locks->buckets; b++)
        omp_destroy_lock(&locks->bucket[b]);
    free(locks->bucket);
    free(locks->added);
    free(locks);
}

/* With adapters only what reads them out is trained beside them. */
static int is_held(const gp_trainer *t, int64_t k) {
    const char *name = t->plan->model->table.tensor[k].name;
    if (t->plan->frozen != NULL && t->plan->frozen[k])
        return 1;
    return t->adapts && strncmp(name, "head.", 5) != 0 && strncmp(name, "decode.", 7) != 0 &&
           strncmp(name, "covariate.", 10) != 0;
}

static int adapters_init(gp_trainer *t, gp_err *err) {
    gp_trainer_adapters *a = &t->adapters;
    const gp_nn_model *model = t->plan->model;
    int64_t real = (int64_t)sizeof(gp_real);
    if (gp_nn_lora_init(&a->lora, &model->table, model->parameter, t->plan->settings->lora, t->seed,
                        err) != GP_OK)
        return err->code;
    a->whole = gp_mem_alloc(model->table.parameters, real, err);
    a->gradient = gp_mem_alloc(a->lora.table.parameters, real, err);
    a->m = gp_mem_alloc(a->lora.table.parameters, real, err);
    a->v = gp_mem_alloc(a->lora.table.parameters, real, err);
    return err->code;
}

/* Where buckets lie: in the sums, and those of this rank in the moments. */
static int places_init(gp_trainer *t, gp_err *err) {
    gp_nn_sum *sum = &t->sum;
    int64_t slots = t->plan->slots->slots, owned = 0, real = (int64_t)sizeof(gp_real);
    t->place = gp_mem_alloc(sum->buckets + 1, sizeof *t->place, err);
    t->own = gp_mem_alloc(sum->buckets, sizeof *t->own, err);
    t->next_exponent = gp_mem_alloc(sum->buckets, sizeof *t->next_exponent, err);
    t->shared = gp_mem_alloc(gp_most(slots + 2, 2 * sum->buckets), sizeof *t->shared, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t b = 0; b <= sum->buckets; b++)
        t->place[b] = sum->first[b] + b;
    if (gp_par_buckets_open(t->par, sum->value, t->place, sum->buckets, t->zero, &t->buckets,
                            err) != GP_OK)
        return err->code;
    for (int64_t b = 0; b < sum->buckets; b++) {
        t->own[b] = owned;
        owned += gp_par_bucket_mine(t->buckets, b) ? sum->first[b + 1] - sum->first[b] : 0;
    }
    t->m = gp_mem_alloc(owned, real, err);
    t->v = gp_mem_alloc(owned, real, err);
    return err->code;
}

int gp_trainer_step_init(gp_trainer *t, gp_err *err) {
    const gp_nn_table *table = &t->plan->model->table;
    t->adapts = t->plan->settings->lora > 0;
    /* Adapters' gradients are made of the whole network's, so all ranks need those. */
    t->zero = t->plan->settings->zero && !t->adapts;
    t->held = gp_mem_alloc(table->count, 1, err);
    if (t->held == NULL || gp_nn_sum_init(&t->sum, table, t->plan->slots->slots, err) != GP_OK ||
        places_init(t, err) != GP_OK || locks_init(t, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < table->count; k++)
        t->held[k] = (uint8_t)is_held(t, k);
    if (t->validation.shards > 0)
        t->best = gp_mem_alloc(table->parameters, sizeof *t->best, err);
    return t->adapts ? adapters_init(t, err) : err->code;
}

void gp_trainer_step_free(gp_trainer *t) {
    gp_trainer_adapters *a = &t->adapters;
    gp_par_buckets_close(t->buckets);
    gp_nn_sum_free(&t->sum);
    locks_free(t->locks);
    gp_nn_lora_free(&a->lora);
    free(a->whole);
    free(a->gradient);
    free(a->m);
    free(a->v);
    free(t->place);
    free(t->own);
    free(t->next_exponent);
    free(t->shared);
    free(t->m);
    free(t->v);
    free(t->held);
    free(t->best);
}

/* ---- words ---- */

int gp_trainer_not_a_number(const gp_trainer *t, const char *what, int64_t step, gp_err *err) {
    return gp_err_set(
        err, GP_EFAIL,
        "%s: the %s is not a number at step %lld (epoch %lld); what was saved before is kept; see "
        "that covariates and traits have no extreme values, or take a lower --lr or --clip and "
        "--restart",
        t->plan->name, what, (long long)step,
        (long long)gp_least(t->count.epoch + 1, t->plan->settings->epochs));
}

int gp_trainer_check(const gp_trainer *t, gp_err *err) {
    const gp_nn_model *model = t->plan->model;
    for (int64_t k = 0; k < model->table.parameters; k++)
        if (!isfinite(model->parameter[k]))
            return gp_trainer_not_a_number(t, "network", t->count.steps, err);
    return GP_OK;
}

double gp_trainer_rate(const gp_trainer *t, int64_t step) {
    const gp_trainer_settings *s = t->plan->settings;
    /* The step after the last would be the first without a rate. */
    return gp_nn_rate(s->rate, step, s->warmup, s->epochs * t->epoch.steps + 1);
}

/* ---- forward and backward ---- */

/* A step's shards on this rank. */
typedef struct sweep {
    gp_trainer *t;
    int64_t shards;    /* of this rank that are not empty */
    atomic_llong next; /* slot that nobody has taken */
    int64_t started;   /* buckets */
    int64_t misfits;   /* shards and buckets of this rank */
    int64_t *loss;     /* [slots] bits */
} sweep;

/* A thread in its backward pass. */
typedef struct pass {
    sweep *s;
    int calls; /* this thread alone talks to the other ranks */
} pass;

/* Starts the sums of those next buckets that all shards have been added to. */
static void advance(sweep *s) {
    gp_trainer *t = s->t;
    while (s->started < t->sum.buckets && atomic_load(&t->locks->added[s->started]) == s->shards) {
        /* Behind a bucket's sums stands how many shards did not fit; soon it is all ranks'. */
        s->misfits += t->sum.value[t->place[s->started + 1] - 1];
        gp_par_bucket_start(t->buckets, s->started++);
    }
    gp_par_buckets_poke(t->buckets);
}

static void add_group(void *context, int64_t group, const gp_real *gradient) {
    const pass *p = context;
    gp_trainer *t = p->s->t;
    for (int64_t b = t->sum.group_bucket[group]; b < t->sum.group_bucket[group + 1]; b++) {
        omp_set_lock(&t->locks->bucket[b]);
        gp_nn_sum_add(&t->sum, b, gradient);
        omp_unset_lock(&t->locks->bucket[b]);
        atomic_fetch_add(&t->locks->added[b], 1);
    }
    if (p->calls)
        advance(p->s);
}

static void run_shard(pass *p, gp_lane *lane, int64_t slot) {
    gp_trainer *t = p->s->t;
    int64_t from, to;
    gp_epoch_shard(&t->epoch, t->count.at, slot, &from, &to);
    if (from == to)
        return;
    gp_shard shard = {.number = t->epoch.order + from,
                      .samples = to - from,
                      .use = GP_SHARD_TRAIN,
                      .step = (uint32_t)(t->count.steps + 1),
                      .masked_chromosome = -1};
    gp_nn_batch batch = gp_lane_batch(t, lane, &shard);
    double loss = gp_nn_forward(t->plan->model, lane->work, &batch, NULL);
    memcpy(&p->s->loss[slot], &loss, sizeof loss);
    gp_nn_backward(t->plan->model, lane->work, &batch, add_group, p);
}

/* The other threads' last shards: their sums are started as they come. */
static void start_rest(sweep *s) {
    const struct timespec moment = {.tv_nsec = 20000};
    for (advance(s); s->started < s->t->sum.buckets; advance(s))
        nanosleep(&moment, NULL);
}

static void run_shards(sweep *s) {
    gp_trainer *t = s->t;
    int64_t last = t->plan->slots->last;
#pragma omp parallel num_threads(t->runners)
    {
        pass p = {.s = s, .calls = omp_get_thread_num() == 0};
        gp_lane *lane = &t->lane[omp_get_thread_num()];
        for (int64_t slot; (slot = atomic_fetch_add(&s->next, 1)) < last;)
            run_shard(&p, lane, slot);
        if (p.calls)
            start_rest(s);
    }
    gp_par_buckets_wait(t->buckets);
}

static int64_t count_shards(const gp_trainer *t) {
    int64_t shards = 0, from, to;
    for (int64_t s = t->plan->slots->first; s < t->plan->slots->last; s++) {
        gp_epoch_shard(&t->epoch, t->count.at, s, &from, &to);
        shards += from < to;
    }
    return shards;
}

/* What all ranks know of a step. */
typedef struct outcome {
    double loss; /* sum over samples */
    int64_t misfits, stop;
} outcome;

/* Adds up all shards' gradients, and what goes with them. */
static int sweep_once(gp_trainer *t, outcome *o, gp_err *err) {
    int64_t slots = t->plan->slots->slots;
    sweep s = {.t = t, .shards = count_shards(t), .loss = t->shared};
    atomic_init(&s.next, t->plan->slots->first);
    memset(t->shared, 0, (size_t)(slots + 2) * sizeof *t->shared);
    gp_nn_sum_clear(&t->sum);
    for (int64_t b = 0; b < t->sum.buckets; b++)
        atomic_store(&t->locks->added[b], 0);
    run_shards(&s);
    t->shared[slots] = s.misfits;
    t->shared[slots + 1] = gp_signals_caught() != 0;
    if (gp_par_sum(t->par, t->shared, slots + 2, err) != GP_OK)
        return err->code;
    *o = (outcome){.misfits = t->shared[slots], .stop = t->shared[slots + 1]};
    for (int64_t k = 0; k < slots; k++) {
        double loss;
        memcpy(&loss, &t->shared[k], sizeof loss);
        o->loss += loss;
    }
    return isfinite(o->loss) ? GP_OK : gp_trainer_not_a_number(t, "loss", t->count.steps + 1, err);
}

/* Exponents of the largest numbers that any rank met. */
static int refit(gp_trainer *t, gp_err *err) {
    int64_t buckets = t->sum.buckets;
    int finite = 1;
    /* Numbers that are not negative are in the order of their bits. */
    memcpy(t->shared, t->sum.largest, (size_t)buckets * sizeof *t->shared);
    if (gp_par_max(t->par, t->shared, buckets, err) != GP_OK)
        return err->code;
    memcpy(t->sum.largest, t->shared, (size_t)buckets * sizeof *t->shared);
    for (int64_t b = 0; b < buckets; b++)
        finite &= isfinite(t->sum.largest[b]) != 0;
    if (!finite)
        return gp_trainer_not_a_number(t, "gradient", t->count.steps + 1, err);
    gp_nn_sum_refit(&t->sum);
    return GP_OK;
}

static int add_gradients(gp_trainer *t, outcome *o, gp_err *err) {
    if (sweep_once(t, o, err) != GP_OK || o->misfits == 0)
        return err->code;
    if (refit(t, err) != GP_OK || sweep_once(t, o, err) != GP_OK || o->misfits == 0)
        return err->code;
    return gp_trainer_not_a_number(t, "gradient", t->count.steps + 1, err);
}

int gp_trainer_step(gp_trainer *t, int *stop, gp_err *err) {
    outcome o = {0};
    if (add_gradients(t, &o, err) != GP_OK || gp_trainer_update(t, err) != GP_OK)
        return err->code;
    int64_t samples = gp_epoch_samples(&t->epoch, t->count.at);
    t->number.loss += o.loss;
    t->count.samples += samples;
    t->count.steps++;
    t->count.at++;
    *stop = o.stop != 0;
    gp_progress_at(&t->progress, t->count.samples);
    return GP_OK;
}
