#include "jobs/loadings.h"
#include "jobs/pass.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/gram.h"
#include "src/geno/product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 38, BATCH = 1024, ROWS_BYTES = 32 << 20 };

/* A pass under way. */
typedef struct work {
    gp_job *job;
    gp_projection *p;
    gp_plan plan;
    gp_pass pass;
    gp_operand b; /* of a batch of variants */
    gp_product *back;
    int64_t *y;        /* [store samples x count] */
    int64_t *missing;  /* [batch x count] */
    int64_t *constant; /* [count] what the means take away */
    int64_t *found;    /* [weights' variants] how often each was found; then differ, swapped */
    int64_t nothing[1];
} work;

/* 1 where the ALT allele is the major one, -1 where it is the other, 0 where alleles differ. */
static int side_of(const gp_pca_weights *w, int64_t i, const char *alt, const char *ref) {
    if (strcmp(alt, w->major[i]) == 0 && strcmp(ref, w->minor[i]) == 0)
        return 1;
    return strcmp(alt, w->minor[i]) == 0 && strcmp(ref, w->major[i]) == 0 ? -1 : 0;
}

/* Sets the weights of variant j of a batch; 0 where it has none. */
static int set_weights(work *w, const gp_variants *variants, int64_t j) {
    const gp_pca_weights *weights = w->p->weights;
    const char *id = variants->id[j];
    int64_t count = weights->count, i = gp_ids_find(&weights->id, id, (int64_t)strlen(id));
    int side = 0;
    if (i >= 0 && gp_selection_lists(w->p->selection, id)) {
        side = side_of(weights, i, variants->alt[j], variants->ref[j]);
        w->found[i] += side != 0;
        w->found[weights->variants] += side == 0;
        w->found[weights->variants + 1] += side < 0;
    }
    double f = side > 0 ? weights->frequency[i] : side < 0 ? 1.0 - weights->frequency[i] : 0.0;
    double unit = side * sqrt(gp_gram_weight(2.0 * f));
    for (int64_t k = 0; k < count; k++) {
        int64_t v =
            side == 0 ? 0 : gp_fixed_from(unit * weights->weight[i * count + k], w->b.exponent[k]);
        gp_operand_set(&w->b, j, k, v);
        w->missing[j * count + k] = gp_fixed_from(2.0 * f * (double)v, 0);
        w->constant[k] += w->missing[j * count + k];
    }
    return side != 0;
}

static int visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    work *w = context;
    int64_t any = 0;
    for (int64_t j = 0; batch != NULL && batch->has_calls && j < run->count; j++)
        any += set_weights(w, &batch->variants, j);
    if (any > 0)
        gp_product_across_variants(w->back, &batch->calls, w->missing, w->y);
    return gp_pass_sum(w->job, w->nothing, 0, err);
}

/* The same on all ranks: the largest that any variant can weigh. */
static void choose_exponents(work *w) {
    const gp_pca_weights *weights = w->p->weights;
    int bits = BITS;
    for (int64_t room = (int64_t)1 << 22; room < weights->variants; room *= 2)
        bits--;
    for (int64_t k = 0; k < weights->count; k++) {
        double most = 0.0;
        for (int64_t i = 0; i < weights->variants; i++)
            most = fmax(most, sqrt(gp_gram_weight(2.0 * weights->frequency[i])) *
                                  fabs(weights->weight[i * weights->count + k]));
        w->b.exponent[k] = gp_fixed_exponent(1.001 * most, bits);
    }
}

static int init(work *w, gp_err *err) {
    gp_projection *p = w->p;
    int64_t n = p->cohort->samples.n, count = p->weights->count, batch = BATCH;
    int64_t cell = count * (int64_t)sizeof(int64_t);
    int64_t least = gp_store_chunk_variants(p->store, err);
    while (batch > least && batch * gp_geno_stride(n) > ROWS_BYTES)
        batch /= 2;
    w->pass = (gp_pass){.job = w->job,
                        .store = p->store,
                        .plan = &w->plan,
                        .selection = p->selection,
                        .samples = n,
                        .batch = batch};
    p->sample = gp_mem_alloc(n, sizeof *p->sample, err);
    p->vector = gp_mem_alloc(n, cell, err);
    w->y = gp_mem_alloc(gp_round_up(n, GP_GENO_GROUP), cell, err);
    w->missing = gp_mem_alloc(batch, cell, err);
    w->constant = gp_mem_alloc(1, cell, err);
    w->found = gp_mem_alloc(p->weights->variants + 2, sizeof *w->found, err);
    gp_operand_init(&w->b, batch, count, BITS, err);
    gp_plan_init(&w->plan, p->selection->count, p->selection->chromosomes, gp_store_block(p->store),
                 gp_par_groups(w->job->par), err);
    if (err->code != GP_OK || (w->back = gp_product_new(&w->b, err)) == NULL)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        if (p->cohort->kept[i])
            p->sample[p->n++] = i;
    choose_exponents(w);
    return err->code;
}

static void work_free(work *w) {
    gp_product_free(w->back);
    gp_operand_free(&w->b);
    gp_plan_free(&w->plan);
    free(w->y);
    free(w->missing);
    free(w->constant);
    free(w->found);
}

static int count_found(work *w, gp_err *err) {
    gp_projection *p = w->p;
    const gp_pca_weights *weights = p->weights;
    for (int64_t i = 0; i < weights->variants; i++) {
        p->matched += w->found[i] > 0;
        if (w->found[i] > 1)
            return gp_err_set(
                err, GP_EINPUT,
                "%s: variant '%.60s' is there %lld times; leave it out with --exclude",
                gp_store_path(p->store), gp_ids_get(&weights->id, i), (long long)w->found[i]);
    }
    p->differ = w->found[weights->variants];
    p->swapped = w->found[weights->variants + 1];
    if (p->matched == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: none of its variants has an id and the alleles of one with "
                          "loadings (%lld have the id and other alleles); the loadings begin with "
                          "'%.60s' %.20s/%.20s",
                          gp_store_path(p->store), (long long)p->differ,
                          gp_ids_get(&weights->id, 0), weights->major[0], weights->minor[0]);
    return GP_OK;
}

int gp_projection_make(gp_job *job, gp_projection *p, gp_err *err) {
    work w = {.job = job, .p = p};
    int64_t n = p->cohort->samples.n, count = p->weights->count;
    init(&w, err);
    if (gp_par_agree(job->par, err) == GP_OK && gp_pass_walk(&w.pass, visit, &w, err) == GP_OK) {
        gp_par_sum(job->par, w.y, n * count, err);
        gp_par_sum(job->par, w.constant, count, err);
        gp_par_sum(job->par, w.found, p->weights->variants + 2, err);
        count_found(&w, err);
        for (int64_t k = 0; k < count && err->code == GP_OK; k++) {
            double unit =
                gp_power_of_two(-w.b.exponent[k]) / ((double)p->matched * sqrt(p->value[k]));
            for (int64_t i = 0; i < p->n; i++)
                p->vector[k * p->n + i] =
                    unit * (double)(w.y[p->sample[i] * count + k] - w.constant[k]);
        }
    }
    work_free(&w);
    return gp_par_agree(job->par, err);
}

void gp_projection_free(gp_projection *p) {
    free(p->sample);
    free(p->vector);
    p->sample = NULL;
    p->vector = NULL;
}
