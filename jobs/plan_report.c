#include "jobs/plan_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

enum { PACKED_LINE_BYTES = 50 /* of a result line, typically, compressed */ };

/* The most of three phases: tables are read (text, fields and values), models are made (columns
 * take the place of values), variants are tested. */
static int64_t rank_bytes(const gp_scan *scan, int64_t models) {
    enum {
        BASE = 25000000 /* MPI, HDF5 and the program itself */,
        ID = 120,
        ROW = 100,
        FIELD = 26
    };
    const gp_cohort *c = scan->cohort;
    int64_t reading = c->samples.n * (ROW + FIELD * c->traits + 8 * c->covariates);
    int64_t making = c->samples.n * 8 * (c->traits + 2 * c->covariates) + models;
    int64_t testing = models + gp_scan_bytes(scan);
    int64_t most = making > testing ? making : testing;
    return BASE + ID * c->samples.n + (most > reading ? most : reading);
}

/* "3:1-4096, 4" */
static void print_ranges(const gp_scan *scan, int64_t part) {
    const gp_plan *plan = scan->pass.plan;
    int64_t begin = plan->begin[part], end = plan->begin[part + 1];
    int first = 1;
    for (int64_t k = 0; k < plan->chromosomes; k++) {
        int64_t from = begin > plan->first[k] ? begin : plan->first[k];
        int64_t to = end < plan->first[k + 1] ? end : plan->first[k + 1];
        if (from >= to)
            continue;
        printf("%s%s", first ? "" : ", ", gp_store_chromosome(scan->pass.store, k)->name);
        if (to - from < plan->count[k])
            printf(":%lld-%lld", (long long)(from - plan->first[k] + 1),
                   (long long)(to - plan->first[k]));
        first = 0;
    }
    printf("\n");
}

static void print_plan(const gp_scan *scan) {
    const gp_plan *plan = scan->pass.plan;
    int64_t total = plan->begin[plan->parts], shards = gp_par_shards(scan->pass.job->par);
    double mean = (double)total / (double)plan->parts, low = INFINITY, high = 0.0;
    printf("plan: %lld groups of ranks x %lld sample shards, blocks of %lld variants\n",
           (long long)plan->parts, (long long)shards, (long long)plan->block);
    printf("%12s %12s %8s  chromosome:variants\n", "ranks", "variants", "of mean");
    for (int64_t k = 0; k < plan->parts; k++) {
        double count = (double)(plan->begin[k + 1] - plan->begin[k]),
               share = mean > 0.0 ? count / mean : 1.0;
        char ranks[48];
        low = fmin(low, share);
        high = fmax(high, share);
        snprintf(ranks, sizeof ranks, shards > 1 ? "%lld-%lld" : "%lld", (long long)(k * shards),
                 (long long)((k + 1) * shards - 1));
        printf("%12s %12.0f %7.1f%%  ", ranks, count, 100.0 * share);
        print_ranges(scan, k);
    }
    printf("shares: %.1f%% to %.1f%% of the mean\n", 100.0 * low, 100.0 * high);
}

static void print_samples(const gp_scan *scan) {
    const gp_cohort *c = scan->cohort;
    int64_t complete = 0;
    for (int64_t i = 0; i < c->samples.n; i++)
        complete += c->kept[i] && c->complete[i];
    printf("samples: %lld in the store, %lld kept, %lld of them with all %lld covariates\n",
           (long long)c->samples.n, (long long)gp_cohort_kept(c), (long long)complete,
           (long long)c->covariates);
    for (int64_t k = 0; k < scan->patterns->count; k++) {
        const gp_pattern *p = &scan->patterns->pattern[k];
        for (int64_t t = 0; t < p->traits; t++) {
            char cases[96] = "";
            if (p->kind == GP_PATTERN_LOGISTIC)
                snprintf(cases, sizeof cases, " (%lld cases, %lld controls)",
                         (long long)p->binary[t].cases, (long long)(p->n - p->binary[t].cases));
            printf("trait %s: %lld samples%s, %lld independent covariates\n",
                   c->trait[p->trait[t]].name, (long long)p->n, cases, (long long)p->rank);
        }
    }
}

static void print_disk(const gp_scan *scan, const gp_plan_needs *needs, double total) {
    double need = total * (double)scan->patterns->traits * PACKED_LINE_BYTES;
    struct statvfs fs;
    printf("disk: about %.3g MB of results, as much again while they are put together", need / 1e6);
    if (needs->disk > 0.0)
        printf("; %.3g MB of relationships", needs->disk / 1e6);
    if (needs->out != NULL && statvfs(needs->out, &fs) == 0)
        printf("; %.3g MB are free", (double)fs.f_bavail * (double)fs.f_frsize / 1e6);
    printf("\n");
}

int gp_plan_report(gp_scan *scan, const gp_plan_needs *needs, gp_err *err) {
    const gp_plan *plan = scan->pass.plan;
    int64_t memory = rank_bytes(scan, needs->model);
    gp_par_max(scan->pass.job->par, &memory, 1, err);
    if (gp_par_rank(scan->pass.job->par) == 0) {
        double total = (double)plan->begin[plan->parts], columns = 0.0;
        for (int64_t k = 0; k < scan->patterns->count; k++)
            columns +=
                (double)(scan->patterns->pattern[k].rank + scan->patterns->pattern[k].traits);
        print_samples(scan);
        if (needs->by_chromosome)
            printf(
                "plan: one chromosome after the other, each shared out over %lld groups of ranks "
                "x %d sample shards\n",
                (long long)plan->parts, gp_par_shards(scan->pass.job->par));
        else
            print_plan(scan);
        printf("memory: about %.3g MB on the largest rank\n", (double)memory / 1e6);
        print_disk(scan, needs, total);
        printf("work: %.3g variants x %lld samples x %.0f columns, reading %.3g MB of genotypes\n",
               total, (long long)scan->cohort->samples.n, columns,
               (double)needs->passes * total * (double)gp_store_sample_count(scan->pass.store) /
                   4.0 / 1e6);
    }
    return gp_par_agree(scan->pass.job->par, err);
}
