/* How fast calls are counted: of each variant, how many samples have 0, 1, 2 copies, or none. */
#include "src/geno/count.h"
#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdlib.h>

typedef struct setting {
    cohort calls;
    uint8_t *mask;
    gp_counts *counts; /* [variants] */
} setting;

static int prepare(setting *s, const bench_options *o, gp_err *err) {
    int64_t stride = gp_geno_stride(o->samples);
    if (cohort_init(&s->calls, o->samples, o->variants, o->block, err) != GP_OK)
        return err->code;
    cohort_draw(&s->calls, o->missing);
    s->mask = gp_mem_alloc(stride, 1, err);
    s->counts = gp_mem_alloc(o->variants, sizeof *s->counts, err);
    for (int64_t i = 0; i < o->samples && s->mask != NULL; i++)
        gp_mask_set(s->mask, i);
    return err->code;
}

static void pass(void *context) {
    setting *s = context;
    int64_t stride = gp_geno_stride(s->calls.n);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < s->calls.m; j++)
        s->counts[j] = gp_geno_count(cohort_row(&s->calls, j), s->mask, stride);
}

static int check(setting *s, gp_err *err) {
    pass(s);
    for (int64_t j = 0; j < s->calls.m; j += s->calls.block) {
        int64_t want[4] = {0};
        for (int64_t i = 0; i < s->calls.n; i++)
            want[gp_geno_get(cohort_row(&s->calls, j), i)]++;
        for (int call = 0; call < 4; call++)
            if (s->counts[j].call[call] != want[call])
                return bench_wrong("count", j, call, (double)s->counts[j].call[call],
                                   (double)want[call], err);
    }
    return GP_OK;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 20000,
                       .variants = 50000,
                       .block = 512,
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
        bench_work work = {.name = "count",
                           .pass = pass,
                           .context = &s,
                           .genotypes = (double)o.samples * (double)o.variants,
                           .operations = NAN,
                           .bytes = cohort_bytes(&s.calls)};
        bench_time(&o, &work, &err);
    }
    free(s.counts);
    free(s.mask);
    cohort_free(&s.calls);
    return bench_end(&err);
}
