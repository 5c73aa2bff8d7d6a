#include "jobs/components_product.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/gram.h"
#include "src/pca/subspace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1024, ROWS_BYTES = 32 << 20 };

/* What a variant adds to y passes through the sums of all variants, and through as large a sum
 * of what its mean takes away: the bits that keep both within an int64. */
static int back_bits(int64_t variants) {
    int bits = GP_COMPONENTS_BITS;
    for (int64_t room = (int64_t)1 << 22; room < variants; room *= 2)
        bits--;
    return bits;
}

static int64_t batch_of(int64_t least, int64_t stride) {
    int64_t batch = BATCH;
    while (batch > least && batch * stride > ROWS_BYTES)
        batch /= 2;
    return batch;
}

int64_t gp_components_product_bytes(int64_t n, int64_t m, int64_t columns) {
    int64_t batch = batch_of(1, gp_geno_stride(n));
    return gp_operand_bytes(n, columns, GP_COMPONENTS_BITS) +
           gp_operand_bytes(batch, columns, GP_COMPONENTS_BITS) + 2 * gp_product_bytes() +
           8 * (n * (columns + 1) + batch * (4 * columns + 1) + m) + gp_ahead_bytes(n, batch);
}

/* The largest that a coefficient of a column of length 1 can be on the way back, by Cauchy and
 * Schwarz: calls are farthest from their mean where none is 1. */
static double largest(const gp_kinship_variants *v) {
    double most = 0.0;
    for (int64_t j = 0; j < v->first[v->chromosomes]; j++) {
        if (v->calls[j] == 0)
            continue;
        double w = gp_gram_weight(gp_kinship_mean(v->calls[j]));
        double size = sqrt(2.0 * w * (double)(v->calls[j] & INT32_MAX));
        most = fmax(most, size);
    }
    return 1.001 * most;
}

static int divide(gp_components_product *p, const gp_components_plan *plan, gp_err *err) {
    gp_par *par = p->job->par;
    int64_t n = plan->cohort->samples.n, ranks = gp_par_size(par), rank = gp_par_rank(par);
    for (int64_t i = 0; i < n; i++)
        if (plan->cohort->kept[i])
            p->sample[p->n++] = i;
    p->first = gp_split_begin(p->n, GP_SUBSPACE_ROWS, ranks, rank);
    p->rows = gp_split_begin(p->n, GP_SUBSPACE_ROWS, ranks, rank + 1) - p->first;
    p->pass =
        (gp_pass){.job = p->job,
                  .store = plan->store,
                  .plan = &p->plan,
                  .selection = plan->selection,
                  .samples = n,
                  .batch = batch_of(gp_store_chunk_variants(plan->store, err), gp_geno_stride(n))};
    return gp_plan_init(&p->plan, p->variants.count, p->variants.chromosomes,
                        gp_store_block(plan->store), gp_par_groups(par), err);
}

static int make_room(gp_components_product *p, int64_t n, gp_err *err) {
    int64_t cells = p->columns * (int64_t)sizeof(int64_t), batch = p->pass.batch;
    gp_operand_init(&p->x, n, p->columns, GP_COMPONENTS_BITS, err);
    gp_operand_init(&p->b, batch, p->columns, GP_COMPONENTS_BITS, err);
    p->y = gp_mem_alloc(gp_round_up(n, GP_GENO_GROUP), cells, err);
    p->sums = gp_mem_alloc(batch, cells, err);
    p->lost = gp_mem_alloc(batch, cells, err);
    p->missing = gp_mem_alloc(batch, cells, err);
    p->c = gp_mem_alloc(batch, cells, err);
    p->list = gp_mem_alloc(batch, sizeof *p->list, err);
    p->total = gp_mem_alloc(2, cells, err);
    if (err->code != GP_OK)
        return err->code;
    p->across = gp_product_new(&p->x, err);
    p->back = gp_product_new(&p->b, err);
    return err->code;
}

int gp_components_product_init(gp_components_product *p, gp_job *job,
                               const gp_components_plan *plan, int64_t columns, gp_err *err) {
    const gp_kinship_plan variants = {
        .store = plan->store, .cohort = plan->cohort, .selection = plan->selection};
    int64_t n = plan->cohort->samples.n;
    p->job = job;
    p->store = plan->store;
    p->columns = columns;
    if (gp_kinship_variants_init(job, &variants, &p->variants, err) != GP_OK)
        return err->code;
    p->sample = gp_mem_alloc(n, sizeof *p->sample, err);
    if (err->code == GP_OK && divide(p, plan, err) == GP_OK && make_room(p, n, err) == GP_OK) {
        int e = gp_fixed_exponent(largest(&p->variants), back_bits(p->variants.total));
        for (int64_t k = 0; k < columns; k++)
            p->b.exponent[k] = e;
    }
    return gp_par_agree(job->par, err);
}

void gp_components_product_free(gp_components_product *p) {
    gp_product_free(p->across);
    gp_product_free(p->back);
    gp_operand_free(&p->x);
    gp_operand_free(&p->b);
    gp_kinship_variants_free(&p->variants);
    gp_plan_free(&p->plan);
    free(p->sample);
    free(p->y);
    free(p->sums);
    free(p->lost);
    free(p->missing);
    free(p->c);
    free(p->list);
    free(p->total);
    *p = (gp_components_product){0};
}

/* ---- columns in fixed point, the same on all ranks ---- */

/* One exponent per column, by its largest entry over all ranks. Collective. */
static int choose_exponents(gp_components_product *p, const double *x, int64_t columns,
                            gp_err *err) {
    for (int64_t k = 0; k < columns; k++) {
        double most = 0.0;
        for (int64_t i = 0; i < p->rows; i++)
            most = fmax(most, fabs(x[k * p->rows + i]));
        /* Bits of doubles that are not negative are ordered as they are. */
        memcpy(p->total + k, &most, sizeof most);
    }
    gp_par_max(p->job->par, p->total, columns, err);
    for (int64_t k = 0; k < columns; k++) {
        double most;
        memcpy(&most, p->total + k, sizeof most);
        p->x.exponent[k] = gp_fixed_exponent(most, GP_COMPONENTS_BITS);
    }
    return err->code;
}

/* Collective: every rank gets all samples of x. */
static int set_columns(gp_components_product *p, const double *x, int64_t columns, gp_err *err) {
    int64_t wide = p->columns;
    if (choose_exponents(p, x, columns, err) != GP_OK)
        return err->code;
    memset(p->y, 0, (size_t)(p->n * wide) * sizeof *p->y);
    for (int64_t k = 0; k < columns; k++)
        for (int64_t i = 0; i < p->rows; i++)
            p->y[(p->first + i) * wide + k] = gp_fixed_from(x[k * p->rows + i], p->x.exponent[k]);
    if (gp_par_sum(p->job->par, p->y, p->n * wide, err) != GP_OK)
        return err->code;
    memset(p->total, 0, (size_t)(2 * wide) * sizeof *p->total);
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = 0; k < wide; k++)
            p->total[k] += p->y[i * wide + k];
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = 0; k < wide; k++)
            gp_operand_set(&p->x, p->sample[i], k, p->y[i * wide + k]);
    return GP_OK;
}

/* ---- batches of variants ---- */

static const int64_t *calls_of(const gp_components_product *p, const gp_store_run *run) {
    return p->variants.calls + p->variants.first[run->chromosome] + run->first;
}

/* c = Z x for a batch. Returns how many variants of the batch count. */
static int64_t coefficients(gp_components_product *p, const gp_ahead_batch *batch) {
    const int64_t *calls = calls_of(p, &batch->run);
    int64_t m = batch->run.count, wide = p->columns, count = 0, listed = 0;
    for (int64_t j = 0; j < m; j++) {
        count += calls[j] != 0;
        if (calls[j] != 0 && (calls[j] & INT32_MAX) < p->n)
            p->list[listed++] = j;
    }
    memset(p->missing, 0, (size_t)(m * wide) * sizeof *p->missing);
    if (count == 0)
        return 0;
    gp_product_across_samples(p->across, &batch->calls, p->sums);
    if (listed > 0)
        gp_product_of_missing(p->across, &batch->calls, p->list, listed, p->lost);
    for (int64_t k = 0; k < listed; k++)
        memcpy(p->missing + p->list[k] * wide, p->lost + k * wide,
               (size_t)wide * sizeof *p->missing);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < m; j++) {
        double mean = calls[j] != 0 ? gp_kinship_mean(calls[j]) : 0.0;
        double unit = calls[j] != 0 ? sqrt(gp_gram_weight(mean)) : 0.0;
        for (int64_t k = 0; k < wide; k++) {
            double called = (double)(p->total[k] - p->missing[j * wide + k]);
            p->c[j * wide + k] = unit * ((double)p->sums[j * wide + k] - mean * called) *
                                 gp_power_of_two(-p->x.exponent[k]);
        }
    }
    return count;
}

/* Adds Z' c to y. */
static void go_back(gp_components_product *p, const gp_ahead_batch *batch) {
    const int64_t *calls = calls_of(p, &batch->run);
    int64_t m = batch->run.count, wide = p->columns;
    int any = 0;
#pragma omp parallel for schedule(static) reduction(| : any)
    for (int64_t j = 0; j < m; j++) {
        double mean = calls[j] != 0 ? gp_kinship_mean(calls[j]) : 0.0;
        double unit = calls[j] != 0 ? sqrt(gp_gram_weight(mean)) : 0.0;
        any |= calls[j] != 0 && (calls[j] & INT32_MAX) < p->n;
        for (int64_t k = 0; k < wide; k++) {
            int64_t v = gp_fixed_from(unit * p->c[j * wide + k], p->b.exponent[k]);
            gp_operand_set(&p->b, j, k, v);
            p->missing[j * wide + k] = gp_fixed_from(mean * (double)v, 0);
        }
    }
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < wide; k++)
            p->total[wide + k] += p->missing[j * wide + k];
    gp_product_across_variants(p->back, &batch->calls, any ? p->missing : NULL, p->y);
}

/* A pass under way. */
typedef struct visitor {
    gp_components_product *p;
    gp_components_take *take; /* NULL: y is wanted */
    void *context;
    int64_t nothing[1]; /* no sums, but ranks hear of failures and signals */
} visitor;

static int visit(void *context, const gp_store_run *run, const gp_ahead_batch *batch, gp_err *err) {
    visitor *v = context;
    (void)run;
    if (batch != NULL && batch->has_calls && coefficients(v->p, batch) > 0) {
        if (v->take == NULL)
            go_back(v->p, batch);
        else
            v->take(v->context, batch, v->p->c, err);
    }
    return gp_pass_sum(v->p->job, v->nothing, 0, err);
}

int gp_components_multiply(void *product, const double *x, int64_t columns, double *y,
                           gp_err *err) {
    gp_components_product *p = product;
    gp_par *par = p->job->par;
    visitor v = {.p = p};
    int64_t wide = p->columns, n = p->pass.samples;
    if (set_columns(p, x, columns, err) != GP_OK)
        return err->code;
    memset(p->y, 0, (size_t)(n * wide) * sizeof *p->y);
    if (gp_pass_walk(&p->pass, visit, &v, err) != GP_OK ||
        gp_par_sum(par, p->y, n * wide, err) != GP_OK ||
        gp_par_sum(par, p->total + wide, wide, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < columns; k++) {
        double unit = gp_power_of_two(-p->b.exponent[k]) / (double)p->variants.total;
        for (int64_t i = 0; i < p->rows; i++) {
            int64_t sum = p->y[p->sample[p->first + i] * wide + k] - p->total[wide + k];
            y[k * p->rows + i] = (double)sum * unit;
        }
    }
    return GP_OK;
}

int gp_components_visit(gp_components_product *p, const double *x, int64_t columns,
                        gp_components_take *take, void *context, gp_err *err) {
    visitor v = {.p = p, .take = take, .context = context};
    double *own = gp_mem_alloc(p->rows, columns * (int64_t)sizeof *own, err);
    if (gp_par_agree(p->job->par, err) == GP_OK) {
        for (int64_t k = 0; k < columns; k++)
            memcpy(own + k * p->rows, x + k * p->n + p->first, (size_t)p->rows * sizeof *own);
        if (set_columns(p, own, columns, err) == GP_OK)
            gp_pass_walk(&p->pass, visit, &v, err);
    }
    free(own);
    return err->code;
}
