/* gp-dist info: what is in a genotype store, and whether it is whole. */
#include "io/store.h"
#include "jobs/command.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/geno/hwe.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct values {
    const char *store;
    int verify, variants, samples;
} values;

static const gp_option options[] = {
    {.name = "STORE.h5",
     .type = GP_OPERAND,
     .offset = offsetof(struct values, store),
     .help = "the genotype store"},
    {.name = "verify",
     .type = GP_FLAG,
     .offset = offsetof(struct values, verify),
     .help = "read every byte against its checksum and the whole against its digest"},
    {.name = "variants",
     .type = GP_FLAG,
     .offset = offsetof(struct values, variants),
     .help = "print a table of the variants: alleles, counts, frequency, missingness, "
             "Hardy-Weinberg p"},
    {.name = "samples",
     .type = GP_FLAG,
     .offset = offsetof(struct values, samples),
     .help = "print a table of the samples: ids, sex, parents, missing calls"},
    {0}};

/* ---- summary ---- */

static int print_samples_line(gp_store *store, gp_err *err) {
    gp_samples samples = {0};
    long long sex[3] = {0};
    if (gp_store_read_samples(store, &samples, err) == GP_OK) {
        for (int64_t i = 0; i < samples.n; i++)
            sex[samples.sex[i]]++;
        printf("samples      %lld (%lld male, %lld female, %lld of unknown sex)\n",
               (long long)samples.n, sex[1], sex[2], sex[0]);
    }
    gp_samples_free(&samples);
    return err->code;
}

static int print_chromosome(gp_store *store, int64_t k, gp_variants *v, gp_err *err) {
    const gp_chromosome *c = gp_store_chromosome(store, k);
    if (gp_store_read_variants(store, k, 0, 1, v, err) != GP_OK)
        return err->code;
    long long first = v->position[0];
    if (gp_store_read_variants(store, k, c->count - 1, 1, v, err) != GP_OK)
        return err->code;
    const char *digest = gp_store_chromosome_digest(store, k);
    printf("%-12s %-9s %11lld %13lld %13lld  %-32s%s\n", c->name, gp_kind_name(c->kind),
           (long long)c->count, first, (long long)v->position[0], digest ? digest : "NA",
           v->morgan ? "  with genetic positions" : "");
    return GP_OK;
}

static void print_provenance(const char *text) {
    printf("\nprovenance\n");
    while (*text) {
        int length = (int)strcspn(text, "\n");
        printf("  %.*s\n", length, text);
        text += length + (text[length] != 0);
    }
}

static int print_summary(gp_store *store, gp_err *err) {
    gp_variants v = {0};
    printf("store        %s\n", gp_store_path(store));
    print_samples_line(store, err);
    printf("variants     %lld\n", (long long)gp_store_variant_count(store));
    printf("genotypes    %.3g MB packed\n", (double)gp_geno_stride(gp_store_sample_count(store)) *
                                                (double)gp_store_variant_count(store) / 1e6);
    printf("block        %lld variants\n", (long long)gp_store_block(store));
    printf("digest       %s\n", gp_store_digest(store));
    printf("\n%-12s %-9s %11s %13s %13s  %s\n", "chromosome", "kind", "variants", "first", "last",
           "digest");
    for (int64_t k = 0; k < gp_store_chromosome_count(store) && err->code == GP_OK; k++)
        print_chromosome(store, k, &v, err);
    if (err->code == GP_OK)
        print_provenance(gp_store_provenance(store));
    gp_variants_free(&v);
    return err->code;
}

/* ---- tables ---- */

enum { RUN = 4096 /* variants read at once */ };

static void print_number(double x) {
    if (isnan(x))
        fputs("\tNA", stdout);
    else
        printf("\t%.8g", x);
}

/* Samples of haploid chromosomes are no sample of diploids. */
static double hardy_weinberg(gp_kind kind, const gp_counts *c) {
    int diploid = kind == GP_AUTOSOME || kind == GP_XY;
    if (!diploid || c->call[0] + c->call[1] + c->call[2] == 0)
        return NAN;
    return gp_hwe_exact(c->call[0], c->call[1], c->call[2]);
}

static void print_variant(const gp_chromosome *chromosome, const gp_variants *v, int64_t i,
                          const gp_counts *c) {
    double all = (double)(c->call[0] + c->call[1] + c->call[2] + c->call[3]);
    printf("%s\t%lld\t%s\t%s\t%s\t%lld\t%lld\t%lld\t%lld", chromosome->name,
           (long long)v->position[i], v->id[i], v->ref[i], v->alt[i], (long long)c->call[0],
           (long long)c->call[1], (long long)c->call[2], (long long)c->call[3]);
    print_number(gp_counts_alt_frequency(c));
    print_number((double)c->call[3] / all);
    print_number(hardy_weinberg(chromosome->kind, c));
    putchar('\n');
}

static int print_variants(gp_store *store, gp_err *err) {
    gp_variants v = {0};
    gp_counts *counts = gp_mem_alloc(RUN, sizeof *counts, err);
    puts("chromosome\tposition\tid\tref\talt\tn_ref\tn_het\tn_alt\tn_missing\talt_frequency\t"
         "missing_rate\thwe_p");
    for (int64_t k = 0; k < gp_store_chromosome_count(store); k++) {
        const gp_chromosome *c = gp_store_chromosome(store, k);
        for (int64_t first = 0; first < c->count && err->code == GP_OK; first += RUN) {
            int64_t count = c->count - first < RUN ? c->count - first : RUN;
            if (gp_store_read_variants(store, k, first, count, &v, err) != GP_OK ||
                gp_store_read_counts(store, k, first, count, counts, err) != GP_OK)
                break;
            for (int64_t i = 0; i < count; i++)
                print_variant(c, &v, i, &counts[i]);
        }
    }
    gp_variants_free(&v);
    free(counts);
    return err->code;
}

/* Scratch for counting the samples' missing calls. */
typedef struct missing_scan {
    int64_t run; /* variants read at once: a few MiB */
    uint8_t *rows, *mask;
    int64_t *list;  /* samples missing in one row */
    int64_t *calls; /* missing calls of each sample */
} missing_scan;

static int count_missing(gp_store *store, missing_scan *s, gp_progress *progress, gp_err *err) {
    int64_t n = gp_store_sample_count(store), stride = gp_geno_stride(n), done = 0;
    for (int64_t k = 0; k < gp_store_chromosome_count(store); k++) {
        int64_t all = gp_store_chromosome(store, k)->count;
        for (int64_t first = 0; first < all; first += s->run) {
            int64_t count = all - first < s->run ? all - first : s->run;
            if (gp_store_read_genotypes(store, k, first, count, 0, n, s->rows, err) != GP_OK)
                return err->code;
            for (int64_t i = 0; i < count; i++) {
                int64_t missing =
                    gp_geno_list_missing(s->rows + i * stride, s->mask, stride, s->list);
                for (int64_t j = 0; j < missing; j++)
                    s->calls[s->list[j]]++;
            }
            gp_progress_at(progress, done += count);
        }
    }
    return GP_OK;
}

static void print_sample(const gp_samples *s, int64_t i, int64_t missing, int64_t variants) {
    static const char *const sex[] = {"NA", "1", "2"};
    printf("%s\t%s\t%s\t%s\t%s\t%lld", gp_samples_fid(s, i), gp_samples_iid(s, i), sex[s->sex[i]],
           gp_samples_father(s, i), gp_samples_mother(s, i), (long long)missing);
    print_number((double)missing / (double)variants);
    putchar('\n');
}

static int print_samples(gp_store *store, const gp_sink *sink, gp_err *err) {
    int64_t n = gp_store_sample_count(store), stride = gp_geno_stride(n);
    int64_t variants = gp_store_variant_count(store);
    gp_samples samples = {0};
    gp_progress progress = {0};
    missing_scan s = {.run = (4 << 20) / stride + 1};
    s.run = s.run > RUN ? RUN : s.run;
    s.rows = gp_mem_alloc(s.run, stride, err);
    s.mask = gp_mem_alloc(stride, 1, err);
    s.list = gp_mem_alloc(n, sizeof *s.list, err);
    s.calls = gp_mem_alloc(n, sizeof *s.calls, err);
    if (err->code != GP_OK || gp_store_read_samples(store, &samples, err) != GP_OK)
        goto done;
    for (int64_t i = 0; i < n; i++)
        gp_mask_set(s.mask, i);
    gp_progress_open(&progress, sink, "variants", variants);
    count_missing(store, &s, &progress, err);
    gp_progress_close(&progress);
    if (err->code != GP_OK)
        goto done;
    puts("FID\tIID\tsex\tfather\tmother\tmissing_calls\tmissing_rate");
    for (int64_t i = 0; i < n; i++)
        print_sample(&samples, i, s.calls[i], variants);
done:
    gp_samples_free(&samples);
    free(s.rows);
    free(s.mask);
    free(s.list);
    free(s.calls);
    return err->code;
}

/* ---- verifying ---- */

static void show_progress(void *context, int64_t done, int64_t total) {
    (void)total;
    gp_progress_at(context, done);
}

static int verify(gp_store *store, const gp_sink *sink, gp_err *err) {
    gp_progress progress = {0};
    int64_t bytes = gp_store_variant_count(store) * gp_geno_stride(gp_store_sample_count(store));
    gp_progress_open(&progress, sink, "bytes of genotypes", bytes);
    gp_store_verify(values.store, show_progress, &progress, err);
    gp_progress_close(&progress);
    if (err->code == GP_OK)
        printf("%s: whole: %lld chromosomes, %lld variants, %lld samples, digest %s\n",
               values.store, (long long)gp_store_chromosome_count(store),
               (long long)gp_store_variant_count(store), (long long)gp_store_sample_count(store),
               gp_store_digest(store));
    return err->code;
}

static int answer(const gp_sink *sink, gp_err *err) {
    gp_store *store = NULL;
    if (gp_store_open(&store, values.store, err) != GP_OK)
        return err->code;
    if (values.verify)
        verify(store, sink, err);
    else if (values.variants)
        print_variants(store, err);
    else if (values.samples)
        print_samples(store, sink, err);
    else
        print_summary(store, err);
    gp_store_close(store);
    if (fflush(stdout) != 0 || ferror(stdout))
        gp_err_set(err, GP_EFAIL, "standard output: cannot be written: %s", strerror(errno));
    return err->code;
}

/* One rank answers; the others wait for its outcome. */
static int run(gp_job *job, gp_err *err) {
    if (values.verify + values.variants + values.samples > 1)
        gp_err_set(
            err, GP_EINPUT,
            "command line: --verify, --variants and --samples answer one question each; give "
            "one of them");
    else if (gp_par_rank(job->par) == 0)
        answer(job->sink, err);
    return gp_par_agree(job->par, err);
}

const gp_command gp_command_info = {
    .name = "info",
    .summary = "say what is in a genotype store, and check it",
    .synopsis = "STORE.h5 [--verify | --variants | --samples]",
    .description =
        "Prints a summary of a store: samples, variants, chromosomes, digests of its content, "
        "whole "
        "and by chromosome, and where it came from. With an option it answers one question "
        "instead:\n"
        "\n"
        "  gp-dist info cohort.h5 --verify\n"
        "  gp-dist info cohort.h5 --variants > variants.tsv\n"
        "  gp-dist info cohort.h5 --samples > samples.tsv\n"
        "\n"
        "The digest is the same for the same samples, variants and calls, compressed or not. "
        "Tables "
        "are tab separated; NA stands where a number is not defined: frequencies where nobody is "
        "called, and the Hardy-Weinberg p on X, Y and MT, where calls are not all diploid.",
    .options = options,
    .values = &values,
    .run = run,
    .only_answers = 1};
