#include "benchmarks/bench.h"
#include "benchmarks/machine.h"
#include "src/base/mem.h"
#include "src/geno/cpu.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a round gives; the lines of a table of rounds, of which each has a median. */
enum { SECONDS, GENOTYPES, PEAK, PEAK_SHARE, READ, READ_SHARE, CORE_SHARE, FIGURES };

/* Below this share of the cores that its threads could fill, a figure says little. */
static const double CALM = 0.9;

static const char *const csv_header =
    "machine,cores,product,kernel,threads,samples,variants,columns,digits,missing,rounds,"
    "pass_seconds,genotypes_per_second,tops,gb_per_second,peak_tops,share_of_peak,"
    "read_gb_per_second,share_of_read,share_of_cores";

int bench_start(bench_options *options, int argc, char **argv, int *status) {
    gp_err err = {0};
    *status = GP_EINPUT;
    if (!bench_options_read(options, argc, argv))
        return 0;
    if (options->csv == 2) {
        puts(csv_header);
        *status = GP_OK;
        return 0;
    }
    if (gp_cpu_check(&err) != GP_OK) {
        *status = bench_end(&err);
        return 0;
    }
    omp_set_num_threads((int)options->threads);
    return 1;
}

static int ascending(const void *a, const void *b) {
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double median_of(double *v, int64_t n) {
    qsort(v, (size_t)n, sizeof *v, ascending);
    return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

typedef struct timing {
    double seconds; /* of a pass */
    double cores;   /* that this process had meanwhile */
} timing;

/* Passes until the round's time is over. */
static timing time_passes(const bench_work *work, double seconds) {
    double begin = machine_seconds(), now = begin;
    clock_t processor = clock();
    int64_t passes = 0;
    do {
        work->pass(work->context);
        passes++;
        now = machine_seconds();
    } while (now - begin < seconds);
    return (timing){(now - begin) / (double)passes,
                    (double)(clock() - processor) / CLOCKS_PER_SEC / (now - begin)};
}

static void run_rounds(const bench_options *o, const bench_work *work, const machine_memory *memory,
                       double *figure) {
    work->pass(work->context); /* pages and caches are warm from here on */
    for (int64_t r = 0; r < o->rounds; r++) {
        double peak = isnan(work->operations) ? NAN : machine_peak(o->seconds / 4);
        double read = machine_read(memory);
        timing t = time_passes(work, o->seconds);
        double value[FIGURES] = {[SECONDS] = t.seconds,
                                 [GENOTYPES] = work->genotypes / t.seconds,
                                 [PEAK] = peak,
                                 [PEAK_SHARE] = work->operations / t.seconds / peak,
                                 [READ] = read,
                                 [READ_SHARE] = work->bytes / t.seconds / read,
                                 [CORE_SHARE] = t.cores / (double)o->threads};
        for (int f = 0; f < FIGURES; f++)
            figure[f * o->rounds + r] = value[f];
    }
}

/* A number with so many digits, or NA. */
static void print_value(const char *before, double x, int digits) {
    if (isnan(x))
        printf("%sNA", before);
    else
        printf("%s%.*g", before, digits, x);
}

static void print_csv(const bench_options *o, const bench_work *work, const double *median) {
    char machine[128];
    machine_name(machine, sizeof machine);
    printf("%s,%d,%s,%s,%lld,%lld,%lld,%lld,%d,%g,%lld", machine, machine_cores(), work->name,
           gp_cpu_kernel(), (long long)o->threads, (long long)o->samples, (long long)o->variants,
           (long long)o->columns, work->digits, o->missing, (long long)o->rounds);
    double value[] = {median[SECONDS],
                      median[GENOTYPES],
                      work->operations / median[SECONDS] * 1e-12,
                      work->bytes / median[SECONDS] * 1e-9,
                      median[PEAK] * 1e-12,
                      median[PEAK_SHARE],
                      median[READ] * 1e-9,
                      median[READ_SHARE],
                      median[CORE_SHARE]};
    for (size_t k = 0; k < sizeof value / sizeof value[0]; k++)
        print_value(",", value[k], 4);
    putchar('\n');
}

static void print_text(const bench_options *o, const bench_work *work, const double *median) {
    printf("%s, kernel %s, %lld thread%s: %lld samples x %lld variants", work->name,
           gp_cpu_kernel(), (long long)o->threads, o->threads == 1 ? "" : "s",
           (long long)o->samples, (long long)o->variants);
    if (o->columns > 0)
        printf(" x %lld columns", (long long)o->columns);
    if (work->digits > 0)
        printf(", %d digits", work->digits);
    printf(", %g%% missing calls\n", 100 * o->missing);
    print_value("  seconds a pass        ", median[SECONDS], 4);
    print_value("\n  genotypes/s           ", median[GENOTYPES], 4);
    print_value("\n  TOPS                  ", work->operations / median[SECONDS] * 1e-12, 3);
    print_value(", share of the peak ", median[PEAK_SHARE], 3);
    print_value(" of ", median[PEAK] * 1e-12, 3);
    print_value("\n  GB/s of packed calls  ", work->bytes / median[SECONDS] * 1e-9, 3);
    print_value(", share of reading memory ", median[READ_SHARE], 3);
    print_value(" of ", median[READ] * 1e-9, 3);
    putchar('\n');
    if (median[CORE_SHARE] < CALM)
        printf("  the machine was busy: this process had %.0f%% of its cores\n",
               100 * median[CORE_SHARE]);
}

int bench_time(const bench_options *o, const bench_work *work, gp_err *err) {
    machine_memory memory = {0};
    double *figure = gp_mem_alloc(FIGURES * o->rounds, sizeof *figure, err), median[FIGURES];
    if (machine_memory_init(&memory, o->buffer << 20, err) == GP_OK) {
        run_rounds(o, work, &memory, figure);
        for (int f = 0; f < FIGURES; f++)
            median[f] = median_of(figure + f * o->rounds, o->rounds);
        (o->csv ? print_csv : print_text)(o, work, median);
    }
    machine_memory_free(&memory);
    free(figure);
    return err->code;
}

int bench_wrong(const char *what, int64_t row, int64_t column, double got, double want,
                gp_err *err) {
    return gp_err_set(err, GP_EFAIL,
                      "%s, kernel %s: sum %lld of column %lld is %.17g, not %.17g: the product is "
                      "wrong",
                      what, gp_cpu_kernel(), (long long)row, (long long)column, got, want);
}

int bench_end(const gp_err *err) {
    if (err->code != GP_OK)
        fprintf(stderr, "gp-dist: error: %s\n", err->text);
    return err->code;
}
