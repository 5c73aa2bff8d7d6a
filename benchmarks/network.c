/* How fast a network trains (src/nn): forward, backward, sum of gradients and AdamW, on random
 * packed calls in memory; beside it a large product of the same engine. */
#include "benchmarks/network.h"
#include "benchmarks/bench.h"
#include "benchmarks/machine.h"
#include "src/base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SQUARE = 1536 /* rows and columns of the large product */, CHECKED = 3 /* steps */ };

/* What a round measures. */
enum { RATE, WALL_RATE, PEAK, SHARE, PRODUCTS, REST, SUMS, UPDATE, FIGURES };

/* Seconds that the processor gave this process, through the threads. */
static double seconds_of(const network *n) {
    return (double)clock() / CLOCKS_PER_SEC / (double)n->options->threads;
}

/* Multiplications and additions of a large product per second, all threads together. */
static double peak_of(network *n, double seconds, gp_err *err) {
    int64_t size = (int64_t)SQUARE * SQUARE;
    gp_real *x = gp_mem_alloc((n->options->threads + 2) * size, sizeof *x, err);
    if (x == NULL)
        return NAN;
    for (int64_t k = 0; k < 2 * size; k++)
        x[k] = (gp_real)(k % 7) - 3;
    int64_t products = 0;
    double begin = seconds_of(n), end;
    do {
#pragma omp parallel num_threads((int)n->options->threads)
        gp_nn_multiply(n->engine, gp_nn_matrix(x, SQUARE, SQUARE),
                       gp_nn_matrix(x + size, SQUARE, SQUARE), 1, 0,
                       gp_nn_matrix(x + (2 + omp_get_thread_num()) * size, SQUARE, SQUARE));
        products += n->options->threads;
        end = seconds_of(n);
    } while (end - begin < seconds);
    free(x);
    return 2 * (double)products * SQUARE * (double)size / (end - begin);
}

static int same(const network *n, gp_real *kept) {
    size_t size = (size_t)n->model.table.parameters * sizeof *kept;
    for (int64_t k = 0; k < n->model.table.parameters; k++)
        if (!isfinite(n->model.parameter[k]))
            return 0;
    return memcmp(kept, n->model.parameter, size) == 0;
}

/* A few steps with one thread and with all: the same bytes. */
static int check(network *n, gp_err *err) {
    int64_t threads = n->options->threads;
    gp_real *kept = gp_mem_alloc(n->model.table.parameters, sizeof *kept, err);
    if (kept == NULL)
        return err->code;
    for (int run = 0; run < 2; run++) {
        network_restart(n);
        for (int k = 0; k < CHECKED && err->code == GP_OK; k++)
            network_step(n, run == 0 ? 1 : threads, err);
        if (run == 0)
            memcpy(kept, n->model.parameter, (size_t)n->model.table.parameters * sizeof *kept);
    }
    if (err->code == GP_OK && !same(n, kept))
        gp_err_set(err, GP_EFAIL, "network: %lld threads train another network than one",
                   (long long)threads);
    free(kept);
    return err->code;
}

static void round_of(network *n, double *figure, gp_err *err) {
    const bench_options *o = n->options;
    double threads = (double)o->threads, steps = 0;
    double peak = peak_of(n, o->seconds / 4, err);
    memset(&n->spent, 0, sizeof n->spent);
    double begin = machine_seconds(), work = seconds_of(n), wall = 0;
    while (err->code == GP_OK && (steps == 0 || wall < o->seconds)) {
        network_step(n, o->threads, err);
        steps++;
        wall = machine_seconds() - begin;
    }
    work = seconds_of(n) - work;
    double products = network_products(n, err) * steps / threads;
    figure[RATE] = steps * (double)o->batch / work;
    figure[WALL_RATE] = steps * (double)o->batch / wall;
    figure[PEAK] = peak;
    figure[SHARE] = network_operations(n) * figure[RATE] / peak;
    figure[PRODUCTS] = products / work;
    figure[SUMS] = n->spent.sums / threads / work;
    figure[REST] = (n->spent.pass / threads - products) / work - figure[SUMS];
    figure[UPDATE] = n->spent.update / threads / work;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *x, int64_t n) {
    qsort(x, (size_t)n, sizeof *x, ascending);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

static void print(const network *n, const double *m) {
    const bench_options *o = n->options;
    if (o->csv) {
        printf("%.5g,%.5g,%.4g,%.4g,%.3g\n", m[RATE], m[WALL_RATE],
               m[RATE] * network_operations(n) * 1e-9, m[PEAK] * 1e-9, m[SHARE]);
        return;
    }
    printf(
        "network, %s, %lld thread%s: %lld variants, patches of %lld, %lld channels, %lld layers, "
        "%lld heads; %lld parameters; batch %lld, shard %lld, dropout %g\n",
        o->precision, (long long)o->threads, o->threads == 1 ? "" : "s", (long long)o->variants,
        (long long)o->patch, (long long)o->channels, (long long)o->layers, (long long)o->heads,
        (long long)n->model.table.parameters, (long long)o->batch, (long long)o->shard, o->dropout);
    printf("  samples/s              %.5g by the clock; %.5g of processor time, as all below\n",
           m[WALL_RATE], m[RATE]);
    printf("  GFLOPS of products     %.4g, share of the peak %.3g of %.4g\n",
           m[RATE] * network_operations(n) * 1e-9, m[SHARE], m[PEAK] * 1e-9);
    printf("  share of the time      dense products %.2f (measured alone), the rest of the passes "
           "%.2f, sum of gradients %.2f, AdamW %.2f\n",
           m[PRODUCTS], m[REST], m[SUMS], m[UPDATE]);
}

static int measure(network *n, gp_err *err) {
    int64_t rounds = n->options->rounds;
    double *figure = gp_mem_alloc(FIGURES * rounds, sizeof *figure, err), median[FIGURES];
    for (int64_t r = 0; r < rounds && err->code == GP_OK; r++) {
        double value[FIGURES];
        round_of(n, value, err);
        for (int f = 0; f < FIGURES; f++)
            figure[f * rounds + r] = value[f];
    }
    if (err->code == GP_OK) {
        for (int f = 0; f < FIGURES; f++)
            median[f] = median_of(figure + f * rounds, rounds);
        print(n, median);
    }
    free(figure);
    return err->code;
}

int main(int argc, char **argv) {
    bench_options o = {.samples = 20000,
                       .variants = 100,
                       .patch = 10,
                       .channels = 64,
                       .layers = 2,
                       .heads = 2,
                       .batch = 64,
                       .shard = 16,
                       .dropout = 0.1,
                       .precision = "float32",
                       .threads = 1,
                       .rounds = 5,
                       .seconds = 1,
                       .buffer = 1};
    network n = {0};
    gp_err err = {0};
    int status = 0;
    if (!bench_start(&o, argc, argv, &status))
        return status;
    if (network_init(&n, &o, &err) == GP_OK && check(&n, &err) == GP_OK)
        measure(&n, &err);
    network_free(&n);
    return bench_end(&err);
}
