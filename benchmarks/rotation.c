/* How fast calls are rotated by many dense columns (src/assoc/rotation.h), missing calls imputed.
 */
#include "src/assoc/rotation.h"
#include "benchmarks/bench.h"
#include "benchmarks/cohort.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct setting {
    cohort calls;
    uint8_t *mask; /* all samples */
    double *u;     /* [columns x samples] */
    int64_t *count;
    double *mean, *x; /* [variants], [block x columns] */
    gp_rotation rotation;
} setting;

/* The values of a column, whose squares add up to about 1. */
static void draw_columns(setting *s, int64_t columns) {
    uint64_t seed = 3;
    int64_t n = s->calls.n;
    double most = sqrt(3.0 / (double)n);
    for (int64_t k = 0; k < columns; k++) {
        for (int64_t i = 0; i < n; i++)
            s->u[k * n + i] = most * (0x1p-52 * (double)(bench_bits(&seed) >> 11) - 1.0);
        gp_rotation_set(&s->rotation, k, s->u + k * n);
    }
}

static void count_calls(setting *s) {
    for (int64_t j = 0; j < s->calls.m; j++) {
        int64_t *count = s->count + 4 * j;
        gp_counts c = gp_geno_count(cohort_row(&s->calls, j), s->mask, gp_geno_stride(s->calls.n));
        memcpy(count, c.call, sizeof c.call);
        s->mean[j] = (double)(count[1] + 2 * count[2]) / (double)(count[0] + count[1] + count[2]);
    }
}

static int prepare(setting *s, const bench_options *o, gp_err *err) {
    if (cohort_init(&s->calls, o->samples, o->variants, o->block, err) != GP_OK)
        return err->code;
    cohort_draw(&s->calls, o->missing);
    s->mask = gp_mem_alloc(gp_geno_stride(o->samples), 1, err);
    s->u = gp_mem_alloc(o->columns * o->samples, sizeof *s->u, err);
    s->count = gp_mem_alloc(4 * o->variants, sizeof *s->count, err);
    s->mean = gp_mem_alloc(o->variants, sizeof *s->mean, err);
    s->x = gp_mem_alloc(o->block * o->columns, sizeof *s->x, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0; i < o->samples; i++)
        gp_mask_set(s->mask, i);
    if (gp_rotation_init(&s->rotation, o->samples, o->columns, o->block, s->mask, err) != GP_OK)
        return err->code;
    draw_columns(s, o->columns);
    count_calls(s);
    return GP_OK;
}

static void rotate(setting *s, int64_t b) {
    gp_calls calls = cohort_calls(&s->calls, b);
    int64_t first = b * s->calls.block;
    gp_rotate(&s->rotation, &calls, s->count + 4 * first, s->mean + first, s->x);
}

static void pass(void *context) {
    setting *s = context;
    for (int64_t b = 0; b < s->calls.blocks; b++)
        rotate(s, b);
}

static double plain_sum(const setting *s, int64_t variant, int64_t column) {
    const uint8_t *row = cohort_row(&s->calls, variant);
    const double *u = s->u + column * s->calls.n;
    double max = 0.0;
    for (int64_t i = 0; i < s->calls.n; i++)
        max = fmax(max, fabs(u[i]));
    double unit = gp_rotation_unit(max);
    int64_t sum = 0, missing = 0;
    for (int64_t i = 0; i < s->calls.n; i++) {
        int call = gp_geno_get(row, i);
        int64_t v = llrint(u[i] / unit);
        if (call == GP_GENO_MISSING)
            missing += v;
        else
            sum += call * v;
    }
    return ((double)sum + s->mean[variant] * (double)missing) * unit;
}

/* Some of every block, at places drawn at random. */
static int check(setting *s, gp_err *err) {
    uint64_t seed = 2;
    for (int64_t b = 0; b < s->calls.blocks; b++) {
        int64_t in_block = cohort_calls(&s->calls, b).m;
        rotate(s, b);
        for (int spot = 0; spot < 16; spot++) {
            int64_t j = (int64_t)(bench_bits(&seed) % (uint64_t)in_block);
            int64_t k = (int64_t)(bench_bits(&seed) % (uint64_t)s->rotation.columns);
            double got = s->x[j * s->rotation.columns + k];
            double want = plain_sum(s, b * s->calls.block + j, k);
            if (got != want)
                return bench_wrong("rotation", b * s->calls.block + j, k, got, want, err);
        }
    }
    return GP_OK;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 4000,
                       .variants = 4096,
                       .columns = 4000, /* of 5 digits */
                       .block = 4096,
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
        int digits = s.rotation.u.digits;
        bench_work work = {.name = "rotation",
                           .pass = pass,
                           .context = &s,
                           .genotypes = genotypes,
                           .operations = 2 * genotypes * (double)(o.columns * digits),
                           .bytes = cohort_bytes(&s.calls),
                           .digits = digits};
        bench_time(&o, &work, &err);
    }
    gp_rotation_free(&s.rotation);
    free(s.x);
    free(s.mean);
    free(s.count);
    free(s.u);
    free(s.mask);
    cohort_free(&s.calls);
    return bench_end(&err);
}
