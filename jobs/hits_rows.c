#include "jobs/hits_rows.h"
#include "io/store_ahead.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

int gp_hit_rows_init(gp_hit_rows *rows, gp_store *store, int64_t most, int64_t bytes, gp_err *err) {
    rows->store = store;
    rows->samples = gp_store_sample_count(store);
    rows->stride = gp_geno_stride(rows->samples);
    rows->most = most;
    rows->chunk = gp_store_chunk_variants(store, err);
    if (err->code != GP_OK)
        return err->code;
    rows->slots = gp_most(rows->chunk, gp_least(most, bytes / gp_most(1, rows->stride)));
    rows->ld = gp_ld_new(1, GP_HIT_BLOCK, err);
    rows->read = gp_mem_alloc(rows->chunk, rows->stride, err);
    rows->panel = gp_mem_alloc(GP_HIT_BLOCK, rows->stride, err);
    rows->leader = gp_mem_alloc(1, rows->stride, err);
    rows->row = gp_mem_alloc(rows->slots, rows->stride, err);
    rows->held = gp_mem_alloc(rows->slots, sizeof *rows->held, err);
    rows->slot = gp_mem_alloc(most, sizeof *rows->slot, err);
    return err->code;
}

void gp_hit_rows_free(gp_hit_rows *rows) {
    gp_ld_free(rows->ld);
    free(rows->read);
    free(rows->panel);
    free(rows->leader);
    free(rows->row);
    free(rows->held);
    free(rows->slot);
    *rows = (gp_hit_rows){0};
}

void gp_hit_rows_set(gp_hit_rows *rows, int64_t chromosome, const int64_t *variant, int64_t count) {
    rows->chromosome = chromosome;
    rows->variant = variant;
    rows->count = count;
    rows->next = 0;
    for (int64_t k = 0; k < rows->slots; k++)
        rows->held[k] = -1;
    for (int64_t i = 0; i < count; i++)
        rows->slot[i] = -1;
}

/* Puts a candidate's row in place of the one that came first. */
static void hold(gp_hit_rows *rows, int64_t i, const uint8_t *row) {
    int64_t slot = rows->next;
    rows->next = slot + 1 < rows->slots ? slot + 1 : 0;
    if (rows->held[slot] >= 0)
        rows->slot[rows->held[slot]] = -1;
    rows->held[slot] = i;
    rows->slot[i] = slot;
    memcpy(rows->row + slot * rows->stride, row, (size_t)rows->stride);
}

/* Reads a candidate, and those that share its chunk: they are no more than there are slots. */
static int fetch(gp_hit_rows *rows, int64_t i, gp_err *err) {
    const int64_t *variant = rows->variant;
    int64_t begin = variant[i] / rows->chunk * rows->chunk, first = i, end = i + 1;
    while (first > 0 && variant[first - 1] >= begin)
        first--;
    while (end < rows->count && variant[end] < begin + rows->chunk)
        end++;
    if (gp_job_check_signals(err) != GP_OK ||
        gp_store_read_genotypes(rows->store, rows->chromosome, variant[first],
                                variant[end - 1] - variant[first] + 1, 0, rows->samples, rows->read,
                                err) != GP_OK)
        return err->code;
    for (int64_t j = first; j < end; j++)
        if (j == i || rows->slot[j] < 0)
            hold(rows, j, rows->read + (variant[j] - variant[first]) * rows->stride);
    return GP_OK;
}

static int copy_row(gp_hit_rows *rows, int64_t i, uint8_t *to, gp_err *err) {
    if (rows->slot[i] < 0 && fetch(rows, i, err) != GP_OK)
        return err->code;
    memcpy(to, rows->row + rows->slot[i] * rows->stride, (size_t)rows->stride);
    return GP_OK;
}

int gp_hit_rows_correlate(void *context, int64_t leader, const int64_t *with, int64_t count,
                          double *r2, gp_err *err) {
    gp_hit_rows *rows = context;
    const gp_piece one = {rows->leader, rows->stride, 0, rows->samples},
                   all = {rows->panel, rows->stride, 0, rows->samples};
    const gp_calls j = {1, 1, &one}, k = {count, 1, &all};
    if (copy_row(rows, leader, rows->leader, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < count; i++)
        if (copy_row(rows, with[i], rows->panel + i * rows->stride, err) != GP_OK)
            return err->code;
    if (gp_ld_set(rows->ld, &j, &k, NULL, err) != GP_OK)
        return err->code;
    gp_ld_correlations(rows->ld, r2);
    for (int64_t i = 0; i < count; i++)
        r2[i] *= r2[i];
    return GP_OK;
}
