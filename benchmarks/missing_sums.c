/* How fast missing calls are corrected for: of each variant, the samples without a call are listed,
 * and their rows of a table of integers added up. */
#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/count.h"
#include "src/geno/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct setting {
    cohort calls;
    uint8_t *mask;
    int64_t width;   /* of the table: columns, in whole lines of eight */
    int64_t *table;  /* [samples x width] */
    int64_t *sums;   /* [variants x width] */
    int32_t *sample; /* [threads x samples] */
    int64_t threads;
} setting;

static int prepare(setting *s, const bench_options *o, gp_err *err) {
    if (cohort_init(&s->calls, o->samples, o->variants, o->block, err) != GP_OK)
        return err->code;
    cohort_draw(&s->calls, o->missing);
    s->threads = o->threads;
    s->width = (o->columns + 7) / 8 * 8;
    s->mask = gp_mem_alloc(gp_geno_stride(o->samples), 1, err);
    s->table = gp_mem_alloc(o->samples * s->width, sizeof *s->table, err);
    s->sums = gp_mem_alloc(o->variants * s->width, sizeof *s->sums, err);
    s->sample = gp_mem_alloc(o->threads * o->samples, sizeof *s->sample, err);
    if (err->code != GP_OK)
        return err->code;
    uint64_t seed = 1;
    for (int64_t i = 0; i < o->samples; i++) {
        gp_mask_set(s->mask, i);
        for (int64_t k = 0; k < o->columns; k++)
            s->table[i * s->width + k] = (int64_t)(bench_bits(&seed) >> 20) - ((int64_t)1 << 43);
    }
    return GP_OK;
}

static void pass(void *context) {
    setting *s = context;
    const gp_kernel *kernel = gp_kernel_chosen();
    int64_t stride = gp_geno_stride(s->calls.n), share = (s->calls.m - 1) / s->threads + 1;
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < s->threads; t++) {
        int32_t *sample = s->sample + t * s->calls.n;
        for (int64_t j = t * share; j < (t + 1) * share && j < s->calls.m; j++) {
            const uint8_t *row = cohort_row(&s->calls, j);
            int64_t *sums = s->sums + j * s->width;
            memset(sums, 0, (size_t)s->width * sizeof *sums);
            int64_t count = kernel->list_missing(row, s->mask, stride, sample);
            kernel->add_rows(s->table, s->width, sample, count, sums);
        }
    }
}

static int check(setting *s, gp_err *err) {
    pass(s);
    for (int64_t j = 0; j < s->calls.m; j += s->calls.block) {
        int64_t k = j % s->width, want = 0, got = s->sums[j * s->width + k];
        for (int64_t i = 0; i < s->calls.n; i++)
            if (gp_geno_get(cohort_row(&s->calls, j), i) == GP_GENO_MISSING)
                want += s->table[i * s->width + k];
        if (got != want)
            return bench_wrong("missing sums", j, k, (double)got, (double)want, err);
    }
    return GP_OK;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 20000,
                       .variants = 16384,
                       .columns = 16,
                       .block = 61,
                       .missing = 0.01,
                       .threads = 1,
                       .rounds = 7,
                       .seconds = 0.2,
                       .buffer = 512};
    setting s = {0};
    gp_err err = {0};
    int status = 0;
    if (!bench_start(&o, argc, argv, &status))
        return status;
    if (prepare(&s, &o, &err) == GP_OK && check(&s, &err) == GP_OK) {
        bench_work work = {.name = "missing sums",
                           .pass = pass,
                           .context = &s,
                           .genotypes = (double)o.samples * (double)o.variants,
                           .operations = NAN,
                           .bytes = cohort_bytes(&s.calls)};
        bench_time(&o, &work, &err);
    }
    free(s.sample);
    free(s.sums);
    free(s.table);
    free(s.mask);
    cohort_free(&s.calls);
    return bench_end(&err);
}
