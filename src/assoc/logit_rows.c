#include "src/assoc/logit_rows.h"
#include "src/assoc/logit_loops.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/count.h"
#include "src/geno/cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the rows ---- */

/* Every sum of n terms fits an int64, and GP_LOGIT_FLUSH groups' terms in a lane of a double. */
static int choose_bits(int64_t n) {
    int bits = 43;
    while (((int64_t)1 << (62 - bits)) < n)
        bits--;
    return bits;
}

/* The least e with |x| <= 2^e. */
static int exponent_of(const double *x, int64_t n, double scale) {
    double most = 0.0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i] * scale));
    int e = 0;
    double fraction = frexp(most, &e);
    return fraction == 0.5 ? e - 1 : e;
}

/* A column's places. */
static void set_column(gp_logit_rows *rows, const gp_logit_rows_input *in, int64_t column,
                       const double *value, double scale) {
    for (int64_t i = 0; i < in->n; i++) {
        int64_t at = in->sample[i] - in->first;
        if (at >= 0 && at < in->samples)
            rows->x[(at / GP_LOGIT_GROUP * rows->c + column) * GP_LOGIT_GROUP +
                    at % GP_LOGIT_GROUP] = value != NULL ? value[i] * scale : 1.0;
    }
}

int64_t gp_logit_rows_bytes(int64_t samples, int64_t c) {
    return gp_units(samples, GP_LOGIT_GROUP) * (8 * c * GP_LOGIT_GROUP + 16);
}

int gp_logit_rows_init(gp_logit_rows *rows, const gp_logit_rows_input *in, gp_err *err) {
    double scale = sqrt((double)in->n);
    *rows = (gp_logit_rows){.n = in->n,
                            .first = in->first,
                            .samples = in->samples,
                            .groups = gp_units(in->samples, GP_LOGIT_GROUP),
                            .c = in->covariates + 1,
                            .bits = choose_bits(in->n)};
    rows->x = gp_mem_alloc(rows->groups * rows->c, GP_LOGIT_GROUP * (int64_t)sizeof *rows->x, err);
    rows->exponent = gp_mem_alloc(rows->c, sizeof *rows->exponent, err);
    rows->mask = gp_mem_alloc(rows->groups, GP_GENO_GROUP_BYTES, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0; i < in->n; i++) {
        int64_t at = in->sample[i] - in->first;
        if (at >= 0 && at < in->samples)
            gp_mask_set(rows->mask, at);
    }
    set_column(rows, in, 0, NULL, 1.0);
    for (int64_t k = 1; k < rows->c; k++) {
        const double *basis = in->basis + (k - 1) * in->n;
        set_column(rows, in, k, basis, scale);
        rows->exponent[k] = exponent_of(basis, in->n, scale);
    }
    return GP_OK;
}

void gp_logit_rows_free(gp_logit_rows *rows) {
    free(rows->x);
    free(rows->exponent);
    free(rows->mask);
    *rows = (gp_logit_rows){0};
}

void gp_logit_rows_spread(const gp_logit_rows *rows, const int64_t *sample, const double *value,
                          double *to) {
    memset(to, 0, (size_t)(rows->groups * GP_LOGIT_GROUP) * sizeof *to);
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t at = sample[i] - rows->first;
        if (at >= 0 && at < rows->samples)
            to[at] = value[i];
    }
}

void gp_logit_odds(const gp_logit_rows *rows, const double *offset, const double *beta,
                   double *to) {
#pragma omp parallel for schedule(static)
    for (int64_t g = 0; g < rows->groups; g++)
        for (int64_t i = 0; i < GP_LOGIT_GROUP; i++) {
            double odds = offset[g * GP_LOGIT_GROUP + i];
            for (int64_t k = 0; k < rows->c; k++)
                odds += beta[k] * rows->x[(g * rows->c + k) * GP_LOGIT_GROUP + i];
            to[g * GP_LOGIT_GROUP + i] = odds;
        }
}

/* ---- what sums count in ---- */

/* A column's exponent; the variant's behind the others. */
static int column_exponent(const gp_logit_rows *rows, int64_t k) {
    return k < rows->c ? rows->exponent[k] : GP_LOGIT_GENOTYPE;
}

/* Exponents of what the sums of gp_logit_pass_all count in, in their order. */
static void all_units(const gp_logit_rows *rows, int64_t d, double *unit) {
    *unit++ = gp_power_of_two(GP_LOGIT_LOGLIK - rows->bits);
    for (int64_t k = 0; k < d; k++)
        *unit++ = gp_power_of_two(column_exponent(rows, k) + GP_LOGIT_RESIDUAL - rows->bits);
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = j; k < d; k++)
            *unit++ = gp_power_of_two(column_exponent(rows, j) + column_exponent(rows, k) +
                                      GP_LOGIT_WEIGHT - rows->bits);
}

/* The same of gp_logit_pass_one: |v| <= 2 + sum of |gamma x|. */
static void one_units(const gp_logit_rows *rows, const double *gamma,
                      double unit[GP_LOGIT_ONE_WIDTH]) {
    double most = 2.0;
    int e = 0;
    for (int64_t k = 0; k < rows->c; k++)
        most += fabs(gamma[k]) * gp_power_of_two(rows->exponent[k]);
    frexp(most, &e);
    unit[0] = gp_power_of_two(GP_LOGIT_LOGLIK - rows->bits);
    unit[1] = gp_power_of_two(e - rows->bits);
    unit[2] = gp_power_of_two(2 * e + GP_LOGIT_WEIGHT - rows->bits);
    unit[3] = gp_power_of_two(3 * e + GP_LOGIT_SKEW - rows->bits);
}

/* ---- passes ---- */

static const gp_logit_loops *choose(void) {
#if defined(__x86_64__)
    const char *kernel = gp_cpu_kernel();
    if (strcmp(kernel, "avx2") == 0)
        return &gp_logit_loops_avx2;
    /* The kernel of tiles has the vectors of avx512 too. */
    if (strcmp(kernel, "avx512") == 0 || strcmp(kernel, "amx") == 0)
        return &gp_logit_loops_avx512;
#endif
    return &gp_logit_loops_portable;
}

/* Scratch: lanes, what a group needs, and the units of the sums. */
int64_t gp_logit_pass_scratch(const gp_logit_rows *rows) {
    int64_t width = gp_logit_all_width(rows->c + 1);
    return GP_LOGIT_LANES * width + GP_LOGIT_WORK + 2 * width;
}

/* Walks over groups [first, first + groups): runs that lie in one piece of the calls and that a
 * double sums exactly. units is what run->magic counts in. */
static void walk(gp_logit_run *run, int64_t groups, double *unit,
                 void (*loop)(const gp_logit_run *run, const uint8_t *calls), int64_t *sums) {
    const gp_logit_pass *pass = run->pass;
    double *magic = unit + run->width;
    for (int64_t k = 0; k < run->width; k++)
        magic[k] = 0x1.8p52 * unit[k];
    run->magic = magic;
    for (int64_t end = run->first + groups; run->first < end; run->first = run->end) {
        int64_t count = gp_least(end - run->first, GP_LOGIT_FLUSH);
        gp_span span = {0};
        if (pass->calls != NULL) {
            span = gp_calls_span(pass->calls, run->first, count);
            count = span.groups;
            span.row += pass->variant * span.pitch;
        }
        run->end = run->first + count;
        memset(run->lane, 0, (size_t)(GP_LOGIT_LANES * run->width) * sizeof *run->lane);
        loop(run, span.row);
        for (int64_t k = 0; k < run->width; k++)
            for (int l = 0; l < GP_LOGIT_LANES; l++)
                sums[k] += (int64_t)(run->lane[GP_LOGIT_LANES * k + l] / unit[k]);
    }
}

void gp_logit_pass_all(const gp_logit_rows *rows, const gp_logit_pass *pass, int64_t first,
                       int64_t groups, int64_t *sums) {
    int64_t d = rows->c + (pass->calls != NULL);
    gp_logit_run run = {.rows = rows,
                        .pass = pass,
                        .d = d,
                        .first = first,
                        .width = gp_logit_all_width(d),
                        .lane = pass->scratch};
    run.work = run.lane + GP_LOGIT_LANES * run.width;
    double *unit = run.work + GP_LOGIT_WORK;
    all_units(rows, d, unit);
    walk(&run, groups, unit, choose()->all, sums);
}

void gp_logit_pass_one(const gp_logit_rows *rows, const gp_logit_pass *pass, int64_t first,
                       int64_t groups, int64_t *sums) {
    gp_logit_run run = {.rows = rows,
                        .pass = pass,
                        .d = rows->c + 1,
                        .first = first,
                        .width = GP_LOGIT_ONE_WIDTH,
                        .lane = pass->scratch};
    run.work = run.lane + GP_LOGIT_LANES * run.width;
    double *unit = run.work + GP_LOGIT_WORK;
    one_units(rows, pass->gamma, unit);
    walk(&run, groups, unit, choose()->one, sums);
}

void gp_logit_all_values(const gp_logit_rows *rows, int with_variant, const int64_t *sums,
                         double *value) {
    int64_t d = rows->c + (with_variant != 0);
    all_units(rows, d, value);
    for (int64_t k = 0; k < gp_logit_all_width(d); k++)
        value[k] *= (double)sums[k];
}

double gp_logit_noise(const gp_logit_rows *rows) {
    double n = (double)rows->n;
    return 8.0 * gp_power_of_two(GP_LOGIT_LOGLIK - rows->bits) * sqrt(n / 6.0) + 1e-15 * n;
}

void gp_logit_one_values(const gp_logit_rows *rows, const gp_logit_pass *pass, const int64_t *sums,
                         double value[GP_LOGIT_ONE_WIDTH]) {
    one_units(rows, pass->gamma, value);
    for (int64_t k = 0; k < GP_LOGIT_ONE_WIDTH; k++)
        value[k] *= (double)sums[k];
}
