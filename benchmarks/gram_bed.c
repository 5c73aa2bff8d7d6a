#include "benchmarks/gram_bed.h"
#include "benchmarks/machine.h"
#include "io/bfile.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/count.h"
#include "src/geno/cpu.h"
#include "src/geno/gram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block of variants on its way from the file into the matrix. */
typedef struct reading {
    gp_bed bed;
    int64_t n;
    uint8_t *packed, *rows, *mask; /* [block x bed.row], [block x stride], [stride] */
    double *mean, *weight;         /* [block] */
    gp_gram_plan plan;
    gp_gram *gram;
    int64_t *sums; /* [n x n]; doubles once all is added */
} reading;

static int start(reading *r, const bench_options *o, gp_err *err) {
    int64_t n = o->samples, stride = gp_geno_stride(n);
    r->n = n;
    if (gp_bed_open(&r->bed, o->bed, n, err) != GP_OK ||
        gp_bed_check_size(&r->bed, n, o->variants, err) != GP_OK)
        return err->code;
    r->packed = gp_mem_alloc(o->block, r->bed.row, err);
    r->rows = gp_mem_alloc(o->block, stride, err);
    r->mask = gp_mem_alloc(stride, 1, err);
    r->mean = gp_mem_alloc(o->block, sizeof *r->mean, err);
    r->weight = gp_mem_alloc(o->block, sizeof *r->weight, err);
    r->sums = gp_mem_alloc(n * n, sizeof *r->sums, err);
    if (err->code != GP_OK ||
        gp_gram_plan_init(&r->plan, o->variants, gp_gram_weight(1.0 / (double)n), err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        gp_mask_set(r->mask, i);
    r->gram = gp_gram_new(&r->plan, n, err);
    return err->code;
}

static void stop(reading *r) {
    gp_gram_free(r->gram);
    free(r->sums);
    free(r->weight);
    free(r->mean);
    free(r->mask);
    free(r->rows);
    free(r->packed);
    gp_bed_close(&r->bed);
}

static int add_variants(reading *r, int64_t first, int64_t count, gp_err *err) {
    int64_t stride = gp_geno_stride(r->n);
    if (gp_bed_read(&r->bed, first, count, r->packed, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < count; j++) {
        uint8_t *row = r->rows + j * stride;
        gp_geno_from_bed(r->packed + j * r->bed.row, r->n, row);
        gp_counts counts = gp_geno_count(row, r->mask, stride);
        r->mean[j] = 2 * gp_counts_alt_frequency(&counts);
        r->weight[j] = gp_gram_weight(r->mean[j]);
    }
    gp_piece piece = {.row = r->rows, .pitch = stride, .samples = r->n};
    gp_calls calls = {count, 1, &piece};
    gp_gram_block block = {.calls = &calls,
                           .mean = r->mean,
                           .weight = r->weight,
                           .a_count = r->n,
                           .b_count = r->n,
                           .sums = r->sums,
                           .pitch = r->n};
    return gp_gram_add(r->gram, &block, err);
}

/* Sums of the lower triangle become relationships, where they lie. */
static void divide(reading *r, int64_t variants) {
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t b = 0; b < r->n; b++)
        for (int64_t *sum = r->sums + b * r->n, *end = sum + b + 1; sum < end; sum++) {
            double k = gp_gram_value(&r->plan, *sum) / (double)variants;
            memcpy(sum, &k, sizeof k);
        }
}

static int compare(const reading *r, const char *path, gp_err *err) {
    double *want = gp_mem_alloc(r->n, sizeof *want, err), largest = 0;
    FILE *file = want == NULL ? NULL : fopen(path, "rb");
    if (file == NULL)
        gp_err_set(err, GP_EINPUT, "%s: cannot be opened", path);
    for (int64_t b = 0; b < r->n && err->code == GP_OK; b++) {
        if (fread(want, sizeof *want, (size_t)r->n, file) != (size_t)r->n)
            gp_err_set(err, GP_EINPUT, "%s: ends before %lld rows of %lld doubles", path,
                       (long long)r->n, (long long)r->n);
        for (int64_t a = 0; a <= b; a++) {
            double got;
            memcpy(&got, r->sums + b * r->n + a, sizeof got);
            largest = fmax(largest, fabs(got - want[a]));
            if (isnan(got) || isnan(want[a]))
                largest = INFINITY;
        }
    }
    if (err->code == GP_OK)
        printf("largest difference %.3g\n", largest);
    if (err->code == GP_OK && !(largest <= 1e-6))
        gp_err_set(err, GP_EFAIL, "%s: differs by %.3g", path, largest);
    if (file != NULL)
        fclose(file);
    free(want);
    return err->code;
}

int gram_of_bed(const bench_options *o, gp_err *err) {
    reading r = {0};
    double begin = machine_seconds();
    start(&r, o, err);
    for (int64_t j = 0; j < o->variants && err->code == GP_OK; j += o->block) {
        int64_t left = o->variants - j;
        add_variants(&r, j, left < o->block ? left : o->block, err);
    }
    if (err->code == GP_OK) {
        divide(&r, o->variants);
        double seconds = machine_seconds() - begin;
        printf("%lld x %lld relationships of %lld variants, %d digits, kernel %s: %.3f s\n",
               (long long)r.n, (long long)r.n, (long long)o->variants, r.plan.digits,
               gp_cpu_kernel(), seconds);
        if (o->expect != NULL)
            compare(&r, o->expect, err);
    }
    stop(&r);
    return err->code;
}
