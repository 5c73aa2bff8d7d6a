/* How fast the product across samples is: sums over samples of calls times dense columns. */
#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "benchmarks/dense.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/product.h"

#include <stdlib.h>

typedef struct setting {
    cohort calls;
    dense y;
    gp_product *product;
    int64_t *sums; /* [block x columns] */
} setting;

static int prepare(setting *s, const bench_options *o, gp_err *err) {
    if (cohort_init(&s->calls, o->samples, o->variants, o->block, err) != GP_OK ||
        dense_init(&s->y, o, o->samples, err) != GP_OK)
        return err->code;
    cohort_draw(&s->calls, o->missing);
    s->product = gp_product_new(&s->y.y, err);
    s->sums = gp_mem_alloc(o->block * o->columns, sizeof *s->sums, err);
    return err->code;
}

static void multiply(setting *s, int64_t b) {
    gp_calls calls = cohort_calls(&s->calls, b);
    gp_product_across_samples(s->product, &calls, s->sums);
}

static void pass(void *context) {
    setting *s = context;
    for (int64_t b = 0; b < s->calls.blocks; b++)
        multiply(s, b);
}

static int64_t plain_sum(const setting *s, const uint8_t *row, int64_t column) {
    int64_t sum = 0;
    for (int64_t i = 0; i < s->calls.n; i++) {
        int call = gp_geno_get(row, i);
        if (call != GP_GENO_MISSING)
            sum += call * dense_value(&s->y, i, column);
    }
    return sum;
}

/* One sum of every block, at a place drawn at random. */
static int check(setting *s, gp_err *err) {
    uint64_t seed = 2;
    for (int64_t b = 0; b < s->calls.blocks; b++) {
        int64_t in_block = cohort_calls(&s->calls, b).m;
        int64_t j = (int64_t)(bench_bits(&seed) % (uint64_t)in_block);
        int64_t k = (int64_t)(bench_bits(&seed) % (uint64_t)s->y.y.columns);
        multiply(s, b);
        int64_t variant = b * s->calls.block + j, got = s->sums[j * s->y.y.columns + k];
        int64_t want = plain_sum(s, cohort_row(&s->calls, variant), k);
        if (got != want)
            return bench_wrong("across samples", variant, k, (double)got, (double)want, err);
    }
    return GP_OK;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 20000,
                       .variants = 16384,
                       .columns = 16, /* of 4 digits */
                       .bits = 30,
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
        double genotypes = (double)o.samples * (double)o.variants;
        bench_work work = {.name = "across samples",
                           .pass = pass,
                           .context = &s,
                           .genotypes = genotypes,
                           .operations = 2 * genotypes * (double)(o.columns * s.y.y.digits),
                           .bytes = cohort_bytes(&s.calls),
                           .digits = s.y.y.digits};
        bench_time(&o, &work, &err);
    }
    free(s.sums);
    gp_product_free(s.product);
    dense_free(&s.y);
    cohort_free(&s.calls);
    return bench_end(&err);
}
