/* How fast the product across variants is: sums over variants of calls times dense columns, block
 * of variants by block of variants. */
#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "benchmarks/dense.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/product.h"

#include <stdlib.h>
#include <string.h>

/* The operand is the same for every block: what its numbers are costs nothing. */
typedef struct setting {
    cohort calls;
    dense y;          /* of the variants of a block */
    int64_t *missing; /* [block x columns] what a missing call counts, or NULL */
    int64_t *sums;    /* [samples x columns] */
    gp_product *product;
} setting;

static int prepare_missing(setting *s, const bench_options *o, gp_err *err) {
    if (o->missing == 0)
        return GP_OK;
    s->missing = gp_mem_alloc(o->block * o->columns, sizeof *s->missing, err);
    if (s->missing != NULL) /* a mean of 1 */
        memcpy(s->missing, s->y.value, (size_t)(o->block * o->columns) * sizeof *s->missing);
    return err->code;
}

static int prepare(setting *s, const bench_options *o, gp_err *err) {
    if (cohort_init(&s->calls, o->samples, o->variants, o->block, err) != GP_OK ||
        dense_init(&s->y, o, o->block, err) != GP_OK || prepare_missing(s, o, err) != GP_OK)
        return err->code;
    cohort_draw(&s->calls, o->missing);
    s->product = gp_product_new(&s->y.y, err);
    s->sums = gp_mem_alloc(o->samples * o->columns, sizeof *s->sums, err);
    return err->code;
}

static void pass(void *context) {
    setting *s = context;
    memset(s->sums, 0, (size_t)(s->calls.n * s->y.y.columns) * sizeof *s->sums);
    for (int64_t b = 0; b < s->calls.blocks; b++) {
        gp_calls calls = cohort_calls(&s->calls, b);
        gp_product_across_variants(s->product, &calls, s->missing, s->sums);
    }
}

static int64_t plain_sum(const setting *s, int64_t sample, int64_t column) {
    int64_t sum = 0;
    for (int64_t v = 0; v < s->calls.m; v++) {
        int64_t j = v % s->calls.block;
        int call = gp_geno_get(cohort_row(&s->calls, v), sample);
        if (call != GP_GENO_MISSING)
            sum += call * dense_value(&s->y, j, column);
        else if (s->missing != NULL)
            sum += s->missing[j * s->y.y.columns + column];
    }
    return sum;
}

static int check(setting *s, gp_err *err) {
    uint64_t seed = 2;
    pass(s);
    for (int spot = 0; spot < 64; spot++) {
        int64_t i = (int64_t)(bench_bits(&seed) % (uint64_t)s->calls.n);
        int64_t k = (int64_t)(bench_bits(&seed) % (uint64_t)s->y.y.columns);
        int64_t got = s->sums[i * s->y.y.columns + k], want = plain_sum(s, i, k);
        if (got != want)
            return bench_wrong("across variants", i, k, (double)got, (double)want, err);
    }
    return GP_OK;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 20000,
                       .variants = 16384,
                       .columns = 16, /* of 4 digits */
                       .bits = 30,
                       .block = 1024,
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
        bench_work work = {.name = "across variants",
                           .pass = pass,
                           .context = &s,
                           .genotypes = genotypes,
                           .operations = 2 * genotypes * (double)(o.columns * s.y.y.digits),
                           .bytes = cohort_bytes(&s.calls),
                           .digits = s.y.y.digits};
        bench_time(&o, &work, &err);
    }
    free(s.sums);
    free(s.missing);
    gp_product_free(s.product);
    dense_free(&s.y);
    cohort_free(&s.calls);
    return bench_end(&err);
}
