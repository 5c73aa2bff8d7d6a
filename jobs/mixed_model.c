#include "jobs/mixed_model.h"
#include "jobs/job.h"
#include "jobs/traits.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 32 << 20, MOST_BLOCK = 512, LEAST_BLOCK = 16 };

int64_t gp_mixed_block(int64_t columns) {
    int64_t most = BLOCK_BYTES / (8 * (columns > 0 ? columns : 1)) / LEAST_BLOCK * LEAST_BLOCK;
    return most > MOST_BLOCK ? MOST_BLOCK : most < LEAST_BLOCK ? LEAST_BLOCK : most;
}

/* ---- making ---- */

/* A panel of eigenvectors becomes columns of the rotation. */
static int take(void *context, const int64_t *number, int64_t count, const double *panel,
                gp_err *err) {
    gp_mixed_model *m = context;
    (void)err;
    for (int64_t k = 0; k < count; k++) {
        for (int64_t i = 0; i < m->n; i++)
            m->u[m->pattern->sample[i]] = panel[k * m->n + i];
        gp_rotation_set(&m->rotation, m->taken, m->u);
        m->eigenvalue[m->taken++] = number[k];
    }
    return GP_OK;
}

/* What a block needs while it is tested. Local. */
static int make_room(gp_mixed_model *m, gp_err *err) {
    const gp_scan *scan = m->mixed->scan;
    gp_par *par = scan->pass.job->par;
    int64_t samples = scan->cohort->samples.n, shards = gp_par_shards(par);
    m->columns =
        gp_par_shard(par) < 0 ? 0 : gp_dense_columns_count(m->n, (int)shards, gp_par_shard(par));
    m->most = gp_mixed_block(gp_dense_columns_count(m->n, (int)shards, 0));
    m->eigenvalue = gp_mem_alloc(m->columns, sizeof *m->eigenvalue, err);
    m->value = gp_mem_alloc(m->n, sizeof *m->value, err);
    m->u = gp_mem_alloc(samples, sizeof *m->u, err);
    m->mask = gp_mem_alloc(gp_geno_stride(samples), 1, err);
    m->piece = gp_mem_alloc(shards, sizeof *m->piece, err);
    m->bytes = gp_mem_alloc(shards, sizeof *m->bytes, err);
    m->count = gp_mem_alloc(m->most, 4 * (int64_t)sizeof *m->count, err);
    m->mean = gp_mem_alloc(m->most, sizeof *m->mean, err);
    m->site = gp_mem_alloc(m->most, sizeof *m->site, err);
    m->x = gp_mem_alloc(m->most, m->columns * (int64_t)sizeof *m->x + 8, err);
    m->result = gp_mem_alloc(m->most, m->pattern->traits * (int64_t)sizeof *m->result, err);
    if (shards > 1) {
        m->mine = gp_mem_alloc(m->most, gp_geno_stride(scan->pass.samples), err);
        m->all = gp_mem_alloc(m->most, gp_geno_stride(samples) + GP_GENO_GROUP_BYTES, err);
    }
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0; i < m->n; i++)
        gp_mask_set(m->mask, m->pattern->sample[i]);
    return GP_OK;
}

/* Collective. */
static int make_rotation(gp_mixed_model *m, gp_err *err) {
    const gp_scan *scan = m->mixed->scan;
    gp_rotation_init(&m->rotation, scan->cohort->samples.n, m->columns, m->most, m->mask, err);
    return gp_par_agree(scan->pass.job->par, err);
}

/* The fixed effects and traits, by sample: [n x (1 + rank + traits)], the intercept first. */
static double *thin_columns(const gp_pattern *p, int64_t n, gp_err *err) {
    int64_t k = 1 + p->rank + p->traits;
    double *x = gp_mem_alloc(n, k * (int64_t)sizeof *x, err);
    for (int64_t i = 0; x != NULL && i < n; i++) {
        x[i * k] = 1.0 / sqrt((double)n);
        for (int64_t c = 0; c < p->rank; c++)
            x[i * k + 1 + c] = p->basis[c * n + i];
        for (int64_t t = 0; t < p->traits; t++)
            x[i * k + 1 + p->rank + t] = p->residual[t * n + i];
    }
    return x;
}

static int make_lmm(gp_mixed_model *m, const double *thin, gp_err *err) {
    int64_t n = m->n, c = 1 + m->pattern->rank, p = m->pattern->traits;
    double *turned = gp_mem_alloc(c + p, n * (int64_t)sizeof *turned, err);
    if (turned == NULL)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < c + p; k++)
            turned[k * n + i] = thin[i * (c + p) + k];
    gp_lmm_input input = {.n = n,
                          .c = c,
                          .p = p,
                          .value = m->value,
                          .w = turned,
                          .y = turned + c * n,
                          .mine = m->eigenvalue,
                          .columns = m->columns,
                          .exact = m->mixed->exact};
    m->lmm = gp_lmm_new(&input, err);
    gp_trait_name_error(m->mixed->scan->cohort, m->pattern->trait, p, "", err);
    if (m->lmm != NULL)
        m->batch = gp_lmm_batch_new(m->lmm, m->most, err);
    free(turned);
    return err->code;
}

/* ---- testing ---- */

/* A view of variants [first, first + count) of the whole rows: this shard's own where there is one
 * shard, else joined. */
static gp_calls whole_rows(gp_mixed_model *m, const gp_calls *calls, gp_err *err) {
    gp_par *par = m->mixed->scan->pass.job->par;
    int64_t shards = gp_par_shards(par), n = m->mixed->scan->cohort->samples.n, at = 0;
    if (shards == 1)
        return *calls;
    int64_t mine = gp_geno_stride(m->mixed->scan->pass.samples);
    for (int64_t p = 0; p < calls->pieces; p++) {
        const gp_piece *piece = &calls->piece[p];
        for (int64_t j = 0; j < calls->m; j++)
            memcpy(m->mine + j * mine + piece->first / 4, piece->row + j * piece->pitch,
                   (size_t)gp_geno_stride(piece->samples));
    }
    for (int64_t s = 0; s < shards; s++) {
        int64_t first = gp_split_begin(n, GP_GENO_GROUP, shards, s),
                samples = gp_split_begin(n, GP_GENO_GROUP, shards, s + 1) - first;
        m->bytes[s] = calls->m * gp_geno_stride(samples);
        m->piece[s] = (gp_piece){m->all + at, gp_geno_stride(samples), first, samples};
        at += m->bytes[s];
    }
    gp_par_join_shards(par, m->mine, m->bytes, m->all, err);
    return (gp_calls){calls->m, shards, m->piece};
}

static void describe(gp_mixed_model *m, const gp_calls *calls) {
    int64_t groups = gp_geno_stride(m->mixed->scan->cohort->samples.n) / GP_GENO_GROUP_BYTES;
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < calls->m; j++) {
        gp_counts c = gp_calls_count(calls, j, 0, groups, m->mask);
        int64_t called = c.call[0] + c.call[1] + c.call[2];
        memcpy(m->count + 4 * j, c.call, sizeof c.call);
        m->site[j] = (gp_lmm_site){.called = called,
                                   .frequency = gp_counts_alt_frequency(&c),
                                   .constant = c.call[0] == called || c.call[1] == called ||
                                               c.call[2] == called};
        m->mean[j] = called > 0 ? 2.0 * m->site[j].frequency : 0.0;
    }
}

/* Nobody asks for the others: they need no rounds. */
static void skip_others(gp_mixed_model *m, int64_t count, const int64_t *chosen,
                        int64_t chosen_count, int64_t first) {
    for (int64_t j = 0, k = 0; j < count; j++) {
        if (k < chosen_count && chosen[k] == first + j)
            k++;
        else
            m->site[j].constant = 1;
    }
}

/* Round by round, until every variant has its maximum. -1 where the shards have parted. */
static int settle(gp_mixed_model *m, gp_err *err) {
    gp_job *job = m->mixed->scan->pass.job;
    int64_t nothing[1], width;
    while ((width = gp_lmm_width(m->batch)) > 0) {
        gp_mem_grow(&m->sums, &m->sums_capacity, width, sizeof *m->sums, err);
        if (gp_par_shards(job->par) > 1 && gp_pass_sum(job, nothing, 0, err) < 0)
            return -1;
        if (err->code != GP_OK)
            return -1;
        gp_lmm_sum(m->batch, m->x, m->sums);
        gp_par_add_shards(job->par, m->sums, width, err);
        gp_lmm_take(m->batch, m->sums);
    }
    return GP_OK;
}

/* Results in the trait's own units. */
static void hand_over(const gp_mixed_model *m, int64_t j, gp_result *to) {
    int64_t p = m->pattern->traits;
    for (int64_t t = 0; t < p; t++) {
        to[t] = m->result[j * p + t];
        to[t].beta *= m->pattern->length[t];
        to[t].se *= m->pattern->length[t];
    }
}

static int test(void *context, const gp_scan_block *block, gp_result *result, gp_err *err) {
    gp_mixed_model *m = context;
    const gp_calls *calls = &block->batch->calls;
    gp_piece *piece = gp_mem_alloc(calls->pieces, sizeof *piece, err);
    int64_t nothing[1], at = 0;
    int rc = gp_pass_sum(m->mixed->scan->pass.job, nothing, 0, err);
    for (int64_t j = 0; rc == GP_OK && j < calls->m; j += m->most) {
        int64_t count = gp_least(m->most, calls->m - j), from = at;
        while (at < block->count && block->chosen[at] < j + count)
            at++;
        if (at == from)
            continue;
        for (int64_t p = 0; p < calls->pieces; p++) {
            piece[p] = calls->piece[p];
            piece[p].row += j * piece[p].pitch;
        }
        gp_calls part = {count, calls->pieces, piece};
        gp_calls rows = whole_rows(m, &part, err);
        describe(m, &rows);
        skip_others(m, count, block->chosen + from, at - from, j);
        gp_rotate(&m->rotation, &rows, m->count, m->mean, m->x);
        gp_lmm_begin(m->batch, m->site, count);
        rc = settle(m, err);
        gp_lmm_results(m->batch, m->result);
        for (int64_t k = from; k < at; k++)
            hand_over(m, block->chosen[k] - j, result + k * m->pattern->traits);
    }
    free(piece);
    return rc;
}

int gp_mixed_model_init(gp_mixed_model *model, const gp_mixed *mixed, const gp_par_grid *grid,
                        int64_t pattern, int64_t except, gp_err *err) {
    gp_job *job = mixed->scan->pass.job;
    gp_dense vector = {0};
    double *thin = NULL, *turned = NULL;
    model->mixed = mixed;
    model->pattern = &mixed->scan->patterns->pattern[pattern];
    model->n = model->pattern->n;
    int64_t k = 1 + model->pattern->rank + model->pattern->traits;
    make_room(model, err);
    thin = thin_columns(model->pattern, model->n, err);
    turned = gp_mem_alloc(model->n, k * (int64_t)sizeof *turned, err);
    /* The rotation takes its memory when the matrix has given its own back. */
    if (gp_par_agree(job->par, err) == GP_OK &&
        gp_dense_init(&vector, job->par, grid, model->n, err) == GP_OK &&
        gp_kinship_spectrum(job, mixed->kinship, model->pattern->sample, except, &vector,
                            model->value, err) == GP_OK &&
        make_rotation(model, err) == GP_OK &&
        gp_dense_times_turned(&vector, thin, k, turned, err) == GP_OK &&
        gp_dense_columns(&vector, take, model, err) == GP_OK) {
        gp_dense_free(&vector);
        free(thin);
        thin = NULL;
        make_lmm(model, turned, err);
        gp_par_agree(job->par, err);
    }
    gp_dense_free(&vector);
    free(thin);
    free(turned);
    mixed->scan->model[GP_PATTERN_LINEAR] = (gp_scan_model){test, model};
    return err->code;
}

void gp_mixed_model_free(gp_mixed_model *m) {
    gp_rotation_free(&m->rotation);
    gp_lmm_batch_free(m->batch);
    gp_lmm_free(m->lmm);
    free(m->eigenvalue);
    free(m->value);
    free(m->u);
    free(m->mask);
    free(m->mine);
    free(m->all);
    free(m->piece);
    free(m->bytes);
    free(m->count);
    free(m->mean);
    free(m->site);
    free(m->x);
    free(m->sums);
    free(m->result);
    *m = (gp_mixed_model){0};
}
