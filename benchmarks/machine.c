#include "benchmarks/machine.h"
#include "benchmarks/peak.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/cpu.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

enum { STREAMS = 4, PASSES = 3, PEAK_LOOPS = 2000, LINE_WORDS = 8 };

double machine_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A field of a table of commas. */
static void make_plain(char *text) {
    for (char *c = text; *c != 0; c++)
        if (*c == ',' || *c == '"' || *c == '\n')
            *c = ' ';
    for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
        text[n - 1] = 0;
}

void machine_name(char *text, int64_t room) {
    struct utsname system;
    snprintf(text, (size_t)room, "%s", uname(&system) == 0 ? system.machine : "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
            snprintf(text, (size_t)room, "%s", strchr(line, ':') + 2);
            break;
        }
    if (file != NULL)
        fclose(file);
    make_plain(text);
}

int machine_cores(void) {
    return omp_get_num_procs();
}

typedef int64_t peak_loop(int64_t loops);

static peak_loop *loop_of_kernel(const char *name) {
#if defined(__x86_64__)
    if (strcmp(name, "amx") == 0)
        return bench_peak_amx;
    if (strcmp(name, "avx512") == 0)
        return bench_peak_avx512;
    if (strcmp(name, "avx2") == 0)
        return bench_peak_avx2;
#endif
    (void)name;
    return NULL;
}

double machine_peak(double seconds) {
    peak_loop *loop = loop_of_kernel(gp_cpu_kernel());
    if (loop == NULL)
        return NAN;
    double rate = 0;
#pragma omp parallel reduction(+ : rate)
    {
        loop(PEAK_LOOPS); /* the core's clock settles */
        double begin = machine_seconds(), now = begin;
        int64_t operations = 0;
        do {
            operations += loop(PEAK_LOOPS);
            now = machine_seconds();
        } while (now - begin < seconds);
        rate += (double)operations / (now - begin);
    }
    return rate;
}

int machine_memory_init(machine_memory *memory, int64_t bytes, gp_err *err) {
    memory->words = bytes / (int64_t)sizeof *memory->word / (STREAMS * LINE_WORDS);
    memory->words *= STREAMS * LINE_WORDS;
    memory->word = gp_mem_alloc(memory->words, sizeof *memory->word, err);
    for (int64_t k = 0; k < memory->words && memory->word != NULL; k++)
        memory->word[k] = (uint64_t)k; /* pages of zeros could all be one */
    return err->code;
}

void machine_memory_free(machine_memory *memory) {
    free(memory->word);
    *memory = (machine_memory){0};
}

/* Four streams of cache lines: a processor's prefetchers follow each by itself. */
static uint64_t sum_streams(const uint64_t *word, int64_t words) {
    uint64_t sum[LINE_WORDS] = {0};
    int64_t part = words / STREAMS / LINE_WORDS * LINE_WORDS;
    for (int64_t k = 0; k < part; k += LINE_WORDS)
        for (int s = 0; s < STREAMS; s++) {
            const uint64_t *line = word + s * part + k;
            __builtin_prefetch(line + 64 * LINE_WORDS);
            for (int i = 0; i < LINE_WORDS; i++)
                sum[i] += line[i];
        }
    for (int i = 1; i < LINE_WORDS; i++)
        sum[0] += sum[i];
    return sum[0];
}

double machine_read(const machine_memory *memory) {
    double best = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = machine_seconds();
        uint64_t sum = 0;
#pragma omp parallel reduction(+ : sum)
        {
            int64_t unit = STREAMS * LINE_WORDS, me = omp_get_thread_num();
            int64_t threads = omp_get_num_threads();
            int64_t from = gp_split_begin(memory->words, unit, threads, me);
            int64_t to = gp_split_begin(memory->words, unit, threads, me + 1);
            sum += sum_streams(memory->word + from, to - from);
        }
        __asm__ volatile("" : : "r"(sum)); /* wanted, as far as the compiler knows */
        double rate = (double)memory->words * 8.0 / (machine_seconds() - begin);
        best = rate > best ? rate : best;
    }
    return best;
}
