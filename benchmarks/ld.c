/* How fast linkage disequilibrium is measured: the sums of all pairs of variants of each block with
 * the next one. */
#include "src/geno/ld.h"
#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "src/geno/code.h"

#include <stdlib.h>
#include <string.h>

typedef struct setting {
    cohort calls;
    gp_ld *ld;
    gp_err *err;
} setting;

static int64_t next_block(const setting *s, int64_t b) {
    return (b + 1) % s->calls.blocks;
}

static void multiply(setting *s, int64_t b) {
    gp_calls j = cohort_calls(&s->calls, b), k = cohort_calls(&s->calls, next_block(s, b));
    gp_ld_set(s->ld, &j, &k, NULL, s->err);
}

static void pass(void *context) {
    setting *s = context;
    for (int64_t b = 0; b < s->calls.blocks; b++)
        multiply(s, b);
}

static gp_ld_sums plain_sums(const setting *s, int64_t j, int64_t k) {
    const uint8_t *row_j = cohort_row(&s->calls, j), *row_k = cohort_row(&s->calls, k);
    gp_ld_sums sums = {0};
    for (int64_t i = 0; i < s->calls.n; i++) {
        int a = gp_geno_get(row_j, i), b = gp_geno_get(row_k, i);
        if (a == GP_GENO_MISSING || b == GP_GENO_MISSING)
            continue;
        sums.n++;
        sums.a += a;
        sums.b += b;
        sums.aa += a * a;
        sums.bb += b * b;
        sums.ab += a * b;
    }
    return sums;
}

/* Eight pairs of every block, at places drawn at random. */
static int check(setting *s, gp_err *err) {
    uint64_t seed = 2;
    for (int64_t b = 0; b < s->calls.blocks; b++) {
        int64_t c = next_block(s, b);
        multiply(s, b);
        for (int spot = 0; spot < 8 && err->code == GP_OK; spot++) {
            int64_t j = (int64_t)(bench_bits(&seed) % (uint64_t)cohort_calls(&s->calls, b).m);
            int64_t k = (int64_t)(bench_bits(&seed) % (uint64_t)cohort_calls(&s->calls, c).m);
            gp_ld_sums got = gp_ld_get(s->ld, j, k);
            gp_ld_sums want = plain_sums(s, b * s->calls.block + j, c * s->calls.block + k);
            if (memcmp(&got, &want, sizeof got) != 0)
                bench_wrong("ld", j, k, (double)got.ab, (double)want.ab, err);
        }
    }
    return err->code;
}

/* Pairs of variants whose sums a pass makes. */
static double pairs(const setting *s) {
    double sum = 0;
    for (int64_t b = 0; b < s->calls.blocks; b++)
        sum += (double)cohort_calls(&s->calls, b).m *
               (double)cohort_calls(&s->calls, next_block(s, b)).m;
    return sum;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 20000,
                       .variants = 4096,
                       .block = 1024,
                       .threads = 1,
                       .rounds = 5,
                       .seconds = 0.2,
                       .buffer = 512};
    gp_err err = {0};
    setting s = {.err = &err};
    int status = 0;
    if (!bench_start(&o, argc, argv, &status))
        return status;
    if (cohort_init(&s.calls, o.samples, o.variants, o.block, &err) == GP_OK)
        s.ld = gp_ld_new(o.block, o.block, &err);
    if (err.code == GP_OK)
        cohort_draw(&s.calls, o.missing);
    if (err.code == GP_OK && check(&s, &err) == GP_OK) {
        /* Six sums of products where a call is missing, else one. */
        double operations = 2 * (double)o.samples * pairs(&s) * (o.missing > 0 ? 6 : 1);
        bench_work work = {.name = "ld",
                           .pass = pass,
                           .context = &s,
                           .genotypes = (double)o.samples * (double)o.variants,
                           .operations = operations,
                           .bytes = cohort_bytes(&s.calls)};
        bench_time(&o, &work, &err);
    }
    gp_ld_free(s.ld);
    cohort_free(&s.calls);
    return bench_end(&err);
}
