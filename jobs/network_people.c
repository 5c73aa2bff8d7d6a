/* Samples on their way through a network. */
#include "jobs/job.h"
#include "jobs/network.h"
#include "jobs/terms.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- who, and with which covariates ---- */

/* Raw covariates of the kept samples. */
typedef struct values {
    int64_t n, c;
    int64_t *sample; /* [n] */
    double *x;       /* [n x c] */
} values;

static void take(void *context, int64_t k, const double *x) {
    values *v = context;
    for (int64_t i = 0; i < v->n; i++)
        v->x[i * v->c + k] = x[v->sample[i]];
}

static int read_values(gp_job *job, const gp_network *network, const gp_network_ask *ask, values *v,
                       gp_err *err) {
    const gp_io_network *about = &network->about;
    gp_terms terms = {.command = ask->command,
                      .samples = &ask->cohort->samples,
                      .path = ask->covar,
                      .missing_code = ask->missing_code,
                      .count = about->shape.covariates};
    v->c = terms.count;
    v->sample = gp_mem_alloc(gp_cohort_kept(ask->cohort), sizeof *v->sample, err);
    terms.name = gp_mem_alloc(v->c, sizeof *terms.name, err);
    for (int64_t i = 0; err->code == GP_OK && i < ask->cohort->samples.n; i++)
        if (ask->cohort->kept[i])
            v->sample[v->n++] = i;
    for (int64_t k = 0; err->code == GP_OK && k < v->c; k++)
        terms.name[k] = about->covariate[k].name;
    if (err->code == GP_OK)
        v->x = gp_mem_alloc(v->n, v->c * (int64_t)sizeof *v->x + 1, err);
    if (gp_par_agree(job->par, err) == GP_OK)
        gp_terms_read(job, &terms, take, v, err);
    free(terms.name);
    return err->code;
}

/* Leaves out the samples that lack a covariate, then some of the others where that is asked for. */
static void choose(gp_job *job, values *v, const gp_network_ask *ask) {
    int64_t n = 0, c = v->c, most = ask->most;
    for (int64_t i = 0; i < v->n; i++) {
        int complete = 1;
        for (int64_t k = 0; k < c; k++)
            complete = complete && isfinite(v->x[i * c + k]);
        if (!complete)
            continue;
        v->sample[n] = v->sample[i];
        memmove(v->x + n * c, v->x + i * c, (size_t)c * sizeof *v->x);
        n++;
    }
    if (n < v->n)
        gp_say(job->sink, GP_NOTE, "%s: %lld of %lld samples lack a covariate of the model",
               ask->covar, (long long)(v->n - n), (long long)v->n);
    v->n = n;
    if (most == 0 || most >= n)
        return;
    for (int64_t k = 0; k < most; k++) {
        int64_t i = gp_split_begin(n, 1, most, k);
        v->sample[k] = v->sample[i];
        memmove(v->x + k * c, v->x + i * c, (size_t)c * sizeof *v->x);
    }
    v->n = most;
}

static void set_sample(const gp_io_network *about, const double *x, gp_real *covariate,
                       gp_real *offset) {
    int64_t c = about->shape.covariates;
    for (int64_t k = 0; k < c; k++) {
        const gp_io_covariate *of = &about->covariate[k];
        covariate[k] = (gp_real)(of->deviation > 0.0 ? (x[k] - of->mean) / of->deviation : 0.0);
    }
    for (int64_t t = 0; t < about->shape.traits; t++) {
        double sum = about->trait[t].intercept;
        for (int64_t k = 0; k < c; k++)
            sum += about->trait[t].effect[k] * x[k];
        offset[t] = (gp_real)sum;
    }
}

int gp_network_people_init(gp_job *job, const gp_network *network, const gp_network_ask *ask,
                           gp_network_people *people, gp_err *err) {
    const gp_io_network *about = &network->about;
    int64_t c = about->shape.covariates, p = about->shape.traits;
    int ranks = gp_par_size(job->par), rank = gp_par_rank(job->par);
    values v = {0};
    if (read_values(job, network, ask, &v, err) == GP_OK) {
        choose(job, &v, ask);
        people->covariate = gp_mem_alloc(v.n, c * (int64_t)sizeof *people->covariate + 1, err);
        people->offset = gp_mem_alloc(v.n, p * (int64_t)sizeof *people->offset, err);
    }
    if (gp_par_agree(job->par, err) == GP_OK) {
        people->n = v.n;
        people->sample = v.sample;
        v.sample = NULL;
        people->begin = gp_split_begin(v.n, GP_NETWORK_SHARD, ranks, rank);
        people->end = gp_split_begin(v.n, GP_NETWORK_SHARD, ranks, rank + 1);
        for (int64_t i = 0; i < v.n; i++)
            set_sample(about, v.x + i * c, people->covariate + i * c, people->offset + i * p);
    }
    free(v.sample);
    free(v.x);
    return err->code;
}

void gp_network_people_free(gp_network_people *people) {
    free(people->sample);
    free(people->covariate);
    free(people->offset);
    *people = (gp_network_people){0};
}

/* ---- the walk ---- */

/* One, and its progress. */
typedef struct walk {
    gp_job *job;
    const gp_network *network;
    const gp_network_people *people;
    gp_network_visit *visit;
    void *context;
    gp_progress progress;
} walk;

/* Where the samples end that are loaded together with number `begin`: whole shards that there is
 * room for, one at least. */
static int64_t load_end(const walk *w, int64_t begin) {
    const gp_network_people *people = w->people;
    int64_t bytes = gp_round_up(gp_units(w->network->about.shape.variants, 4), 64);
    int64_t room = gp_most(w->network->room / bytes, 1), end = begin;
    while (end < people->end) {
        int64_t next = gp_least(end + GP_NETWORK_SHARD, people->end);
        if (end > begin && people->sample[next - 1] - people->sample[begin] >= room)
            break;
        end = next;
    }
    return end;
}

static void visit_shard(const walk *w, const gp_resident *calls, int64_t first, int64_t end) {
    const gp_network_people *people = w->people;
    const gp_nn_shape *shape = &w->network->about.shape;
    const uint8_t *row[GP_NETWORK_SHARD];
    gp_nn_batch batch = {.samples = gp_least(end - first, GP_NETWORK_SHARD),
                         .calls = row,
                         .covariate = people->covariate + first * shape->covariates,
                         .offset = people->offset + first * shape->traits,
                         .sample = people->sample + first,
                         .linear = w->network->about.linear};
    for (int64_t i = 0; i < batch.samples; i++)
        row[i] = gp_resident_row(calls, people->sample[first + i]);
    w->visit(w->context, omp_get_thread_num(), first, &batch);
}

/* Local: samples [begin, end), whose calls are there. */
static int visit_some(const walk *w, const gp_resident *calls, int64_t begin, int64_t end,
                      gp_err *err) {
    int64_t shards = gp_units(end - begin, GP_NETWORK_SHARD);
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t k = 0; k < shards; k++)
        if (gp_signals_caught() == 0)
            visit_shard(w, calls, begin + k * GP_NETWORK_SHARD, end);
    return gp_job_check_signals(err);
}

/* Collective: samples [begin, end) of this rank, which meets the others now and then. */
static int load_and_visit(walk *w, int64_t begin, int64_t end, gp_err *err) {
    enum { ROUND = 64 * GP_NETWORK_SHARD /* samples between two meetings */ };
    const gp_network *network = w->network;
    const int64_t *sample = w->people->sample;
    gp_resident calls = {0};
    gp_resident_plan plan = {.store = network->store,
                             .count = network->count,
                             .first = network->first,
                             .column = network->column,
                             .swap = network->swap,
                             .variants = network->about.shape.variants};
    int64_t rounds = gp_units(end - begin, ROUND);
    if (begin < end) {
        plan.begin = sample[begin];
        plan.end = sample[end - 1] + 1;
    }
    if (gp_resident_load(w->job, &plan, &calls, err) == GP_OK &&
        gp_par_max(w->job->par, &rounds, 1, err) == GP_OK) {
        gp_progress_open(&w->progress, w->job->sink, "samples", w->people->end - w->people->begin);
        for (int64_t k = 0; k < rounds && err->code == GP_OK; k++) {
            int64_t from = gp_least(begin + k * ROUND, end), to = gp_least(from + ROUND, end);
            visit_some(w, &calls, from, to, err);
            gp_progress_at(&w->progress, to - w->people->begin);
            gp_par_agree(w->job->par, err);
        }
        gp_progress_close(&w->progress);
    }
    gp_resident_free(&calls);
    return err->code;
}

int gp_network_walk(gp_job *job, const gp_network *network, const gp_network_people *people,
                    gp_network_visit *visit, void *context, gp_err *err) {
    walk w = {job, network, people, visit, context, {0}};
    int64_t loads = 0, begin = people->begin;
    for (int64_t at = begin; at < people->end; at = load_end(&w, at))
        loads++;
    if (gp_par_max(job->par, &loads, 1, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < loads && err->code == GP_OK; k++) {
        int64_t end = load_end(&w, begin);
        load_and_visit(&w, begin, end, err);
        begin = end;
    }
    return err->code;
}
