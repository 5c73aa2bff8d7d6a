#include "benchmarks/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One option; one of the three pointers says where its value goes. */
typedef struct option {
    const char *name, *help;
    double least, most;
    int64_t *whole;
    double *real;
    const char **text;
} option;

enum { OPTIONS = 21 };

static int set(const option *o, const char *value) {
    if (o->text != NULL) {
        *o->text = value;
        return 1;
    }
    char *end = NULL;
    double x = strtod(value, &end);
    if (end == value || *end != 0 || !(x >= o->least && x <= o->most) ||
        (o->whole != NULL && x != floor(x))) {
        fprintf(stderr, "gp-dist: error: --%s %s: a number from %g to %g is expected\n", o->name,
                value, o->least, o->most);
        return 0;
    }
    if (o->whole != NULL)
        *o->whole = (int64_t)x;
    else
        *o->real = x;
    return 1;
}

static void print_help(const option *list, const char *program) {
    printf("%s [--OPTION VALUE]...\n", program);
    for (int k = 0; k < OPTIONS; k++) {
        const option *o = &list[k];
        printf("  --%-9s %s", o->name, o->help);
        if (o->whole != NULL)
            printf(" (%lld)\n", (long long)*o->whole);
        else if (o->real != NULL)
            printf(" (%g)\n", *o->real);
        else
            printf("\n");
    }
}

static int read_pairs(const option *list, int argc, char **argv) {
    for (int a = 1; a < argc; a += 2) {
        int k = 0;
        while (k < OPTIONS &&
               (strncmp(argv[a], "--", 2) != 0 || strcmp(argv[a] + 2, list[k].name) != 0))
            k++;
        if (k == OPTIONS || a + 1 == argc) {
            fprintf(stderr, "gp-dist: error: %s: %s\n", argv[a],
                    k == OPTIONS ? "no such option; see --help" : "a value is expected");
            return 0;
        }
        if (!set(&list[k], argv[a + 1]))
            return 0;
    }
    return 1;
}

int bench_options_read(bench_options *options, int argc, char **argv) {
    bench_options *o = options;
    const option list[OPTIONS] = {
        {"samples", "samples", 1, 1e7, &o->samples, NULL, NULL},
        {"variants", "variants", 1, 1e8, &o->variants, NULL, NULL},
        {"columns", "dense columns (across_samples, across_variants)", 1, 1e5, &o->columns, NULL,
         NULL},
        {"bits", "of the columns' integers (as columns)", 7, 55, &o->bits, NULL, NULL},
        {"block", "variants at once", 1, 1e6, &o->block, NULL, NULL},
        {"missing", "share of missing calls", 0, 1, NULL, &o->missing, NULL},
        {"threads", "threads", 1, 4096, &o->threads, NULL, NULL},
        {"rounds", "rounds, of which the median counts", 1, 1e4, &o->rounds, NULL, NULL},
        {"seconds", "that a round lasts at least", 0, 1e4, NULL, &o->seconds, NULL},
        {"buffer", "MiB to measure the reading of memory with", 1, 1e6, &o->buffer, NULL, NULL},
        {"csv", "1: a line of comma-separated values; 2: their header", 0, 2, &o->csv, NULL, NULL},
        {"patch", "variants of a token (network)", 1, 1e6, &o->patch, NULL, NULL},
        {"channels", "of a token (network)", 1, 1e5, &o->channels, NULL, NULL},
        {"layers", "of the network", 0, 1e4, &o->layers, NULL, NULL},
        {"heads", "of a layer (network)", 1, 1e4, &o->heads, NULL, NULL},
        {"batch", "samples of a step (network)", 1, 1e6, &o->batch, NULL, NULL},
        {"shard", "samples that go through the network together", 1, 1e6, &o->shard, NULL, NULL},
        {"dropout", "share of numbers (network)", 0, 0.9, NULL, &o->dropout, NULL},
        {"precision", "float32 or bfloat16 (network)", 0, 0, NULL, NULL, &o->precision},
        {"bed", "PLINK .bed to take the calls from (gram)", 0, 0, NULL, NULL, &o->bed},
        {"expect", "matrix of doubles to compare with (gram)", 0, 0, NULL, NULL, &o->expect},
    };
    for (int a = 1; a < argc; a++)
        if (strcmp(argv[a], "--help") == 0) {
            print_help(list, argv[0]);
            return 0;
        }
    return read_pairs(list, argc, argv);
}
