/* How fast relationship matrices are made: of random calls by default; of a PLINK .bed with --bed,
 * from opening the file to the finished matrix (benchmarks/gram_bed.h). */
#include "src/geno/gram.h"
#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "benchmarks/gram_bed.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct setting {
    cohort calls;
    double *mean, *weight; /* [variants] */
    gp_gram_plan plan;
    gp_gram *gram;
    int64_t *sums; /* [samples x samples] */
    gp_err *err;
} setting;

static void set_means(setting *s) {
    for (int64_t j = 0; j < s->calls.m; j++) {
        int64_t count[4] = {0};
        for (int64_t i = 0; i < s->calls.n; i++)
            count[gp_geno_get(cohort_row(&s->calls, j), i)]++;
        s->mean[j] = (double)(count[1] + 2 * count[2]) / (double)(count[0] + count[1] + count[2]);
        s->weight[j] = gp_gram_weight(s->mean[j]);
    }
}

static int prepare(setting *s, const bench_options *o, gp_err *err) {
    s->err = err;
    if (cohort_init(&s->calls, o->samples, o->variants, o->block, err) != GP_OK)
        return err->code;
    cohort_draw(&s->calls, o->missing);
    s->mean = gp_mem_alloc(o->variants, sizeof *s->mean, err);
    s->weight = gp_mem_alloc(o->variants, sizeof *s->weight, err);
    s->sums = gp_mem_alloc(o->samples * o->samples, sizeof *s->sums, err);
    if (err->code != GP_OK)
        return err->code;
    set_means(s);
    gp_gram_plan_init(&s->plan, o->variants, gp_gram_weight(1.0 / (double)o->samples), err);
    if (err->code == GP_OK)
        s->gram = gp_gram_new(&s->plan, o->samples, err);
    return err->code;
}

static void pass(void *context) {
    setting *s = context;
    int64_t n = s->calls.n;
    memset(s->sums, 0, (size_t)(n * n) * sizeof *s->sums);
    for (int64_t b = 0; b < s->calls.blocks; b++) {
        gp_calls calls = cohort_calls(&s->calls, b);
        gp_gram_block block = {.calls = &calls,
                               .mean = s->mean + b * s->calls.block,
                               .weight = s->weight + b * s->calls.block,
                               .a_count = n,
                               .b_count = n,
                               .sums = s->sums,
                               .pitch = n};
        gp_gram_add(s->gram, &block, s->err);
    }
}

static double plain_sum(const setting *s, int64_t a, int64_t b) {
    double sum = 0;
    for (int64_t j = 0; j < s->calls.m; j++) {
        const uint8_t *row = cohort_row(&s->calls, j);
        int ga = gp_geno_get(row, a), gb = gp_geno_get(row, b);
        if (ga != GP_GENO_MISSING && gb != GP_GENO_MISSING)
            sum += s->weight[j] * (ga - s->mean[j]) * (gb - s->mean[j]);
    }
    return sum;
}

/* Within the bound that src/geno/gram.h gives for 3 digits; a wrong product is far outside. */
static int check(setting *s, double missing, gp_err *err) {
    uint64_t seed = 2, n = (uint64_t)s->calls.n;
    pass(s);
    for (int spot = 0; spot < 64 && err->code == GP_OK; spot++) {
        int64_t b = (int64_t)(bench_bits(&seed) % n);
        int64_t a = (int64_t)(bench_bits(&seed) % (uint64_t)(b + 1));
        double got = gp_gram_value(&s->plan, s->sums[b * s->calls.n + a]);
        double want = plain_sum(s, a, b), most = sqrt(plain_sum(s, a, a) * plain_sum(s, b, b));
        if (!(fabs(got - want) <= (1e-5 + 0x1p-8 * missing) * most))
            bench_wrong("gram", b, a, got, want, err);
    }
    return err->code;
}

static int time_random(const bench_options *o, gp_err *err) {
    setting s = {0};
    if (prepare(&s, o, err) == GP_OK && check(&s, o->missing, err) == GP_OK) {
        double genotypes = (double)o->samples * (double)o->variants;
        int digits = gp_gram_planes(s.gram) + (o->missing > 0 ? s.plan.digits - 1 : 0);
        bench_work work = {.name = "gram",
                           .pass = pass,
                           .context = &s,
                           .genotypes = genotypes,
                           .operations = genotypes * (double)(o->samples + 1) * digits,
                           .bytes = cohort_bytes(&s.calls),
                           .digits = digits};
        bench_time(o, &work, err);
    }
    gp_gram_free(s.gram);
    free(s.sums);
    free(s.weight);
    free(s.mean);
    cohort_free(&s.calls);
    return err->code;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 4096,
                       .variants = 8192,
                       .block = GP_GRAM_STEP,
                       .threads = 1,
                       .rounds = 5,
                       .seconds = 0.2,
                       .buffer = 512};
    gp_err err = {0};
    int status = 0;
    if (!bench_start(&o, argc, argv, &status))
        return status;
    if (o.bed != NULL)
        gram_of_bed(&o, &err);
    else
        time_random(&o, &err);
    return bench_end(&err);
}
