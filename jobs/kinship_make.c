#include "jobs/job.h"
#include "jobs/kinship.h"
#include "jobs/kinship_calls.h"
#include "jobs/kinship_part.h"
#include "jobs/kinship_variants.h"
#include "jobs/parallel_file.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/gram.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEETINGS = 50 /* of all ranks while they multiply, at most */ };

/* A matrix in the making. */
typedef struct make {
    gp_job *job;
    const gp_kinship_plan *plan;
    gp_par_grid *grid;
    gp_layout layout;
    int64_t n;       /* samples kept */
    int64_t *sample; /* [n] of the store */
    gp_kinship_variants variants;
    gp_gram_plan gram_plan;
    gp_gram *gram;
    gp_kinship_calls calls;
    gp_kinship_part part;
    int64_t *whole; /* [part.size] with chromosomes: the sums of all so far; the part has one */
    gp_progress progress;
    int64_t done, met; /* variants; meetings */
    /* the file: */
    gp_grm_writer *writer;
    gp_grm_about about;
    gp_text filters;
    const char **fid, **iid, **chromosome;
    int64_t *variant_counts; /* [1 + about.chromosomes] */
    uint64_t *check;         /* [1 + about.chromosomes] local */
    int64_t access;
    int joined;
    int64_t writing; /* which matrix: GP_GRM_WHOLE or a chromosome's number in the file */
    double *line;    /* [longest class] */
} make;

/* ---- the file ---- */

static int describe_filters(make *k, gp_err *err) {
    const gp_selection *s = k->plan->selection;
    const char *const name[] = {"maf", "mac", "geno", "hwe"};
    const double value[] = {s->filter.maf, s->filter.mac, s->filter.geno, s->filter.hwe};
    gp_text *to = &k->filters;
    gp_text_print(to, err, "chromosomes");
    for (int64_t c = 0; c < k->variants.chromosomes; c++)
        if (k->variants.counting[c] > 0)
            gp_text_print(to, err, " %s", gp_store_chromosome(k->plan->store, c)->name);
    gp_text_print(to, err, "\n");
    if (s->has_extract)
        gp_text_print(to, err, "extract %lld ids\n", (long long)s->extract.count);
    if (s->exclude.count > 0)
        gp_text_print(to, err, "exclude %lld ids\n", (long long)s->exclude.count);
    for (int i = 0; i < 4; i++)
        if (!isnan(value[i]))
            gp_text_print(to, err, "%s %.17g\n", name[i], value[i]);
    return err->code;
}

static int describe_chromosomes(make *k, gp_err *err) {
    const gp_kinship_variants *v = &k->variants;
    int64_t *count = &k->about.chromosomes;
    k->chromosome = gp_mem_alloc(v->chromosomes, sizeof *k->chromosome, err);
    k->variant_counts = gp_mem_alloc(1 + v->chromosomes, sizeof *k->variant_counts, err);
    k->check = gp_mem_alloc(1 + v->chromosomes, sizeof *k->check, err);
    if (err->code != GP_OK)
        return err->code;
    k->variant_counts[0] = v->total;
    for (int64_t c = 0; k->plan->chromosomes && c < v->chromosomes; c++)
        if (v->counting[c] > 0) {
            k->chromosome[*count] = gp_store_chromosome(k->plan->store, c)->name;
            k->variant_counts[1 + (*count)++] = v->counting[c];
        }
    k->about.chromosome = k->chromosome;
    k->about.chromosome_variants = k->variant_counts + 1;
    return GP_OK;
}

/* Collective. */
static int describe(make *k, gp_err *err) {
    k->about = (gp_grm_about){.form = k->plan->centred ? "centred" : "standardised",
                              .store_digest = gp_store_digest(k->plan->store),
                              .n = k->n,
                              .fid = k->fid,
                              .iid = k->iid,
                              .variants = k->variants.total};
    if (describe_chromosomes(k, err) == GP_OK)
        describe_filters(k, err);
    k->about.filters = k->filters.bytes;
    return gp_par_agree(k->job->par, err);
}

static int same_ids(const gp_grm_about *a, const gp_grm_about *b) {
    if (a->n != b->n || a->fid == NULL || b->fid == NULL)
        return 0;
    for (int64_t i = 0; i < a->n; i++)
        if (strcmp(a->fid[i], b->fid[i]) != 0 || strcmp(a->iid[i], b->iid[i]) != 0)
            return 0;
    return 1;
}

/* Whether a file is what would be made. More chromosomes than are wanted do no harm. */
static int is_same(const gp_grm_about *there, const gp_grm_about *wanted) {
    if (strcmp(there->form, wanted->form) != 0 || there->variants != wanted->variants ||
        strcmp(there->store_digest, wanted->store_digest) != 0 ||
        strcmp(there->filters, wanted->filters) != 0 ||
        (wanted->chromosomes > 0 && there->chromosomes != wanted->chromosomes))
        return 0;
    for (int64_t c = 0; c < wanted->chromosomes; c++)
        if (strcmp(there->chromosome[c], wanted->chromosome[c]) != 0)
            return 0;
    return same_ids(there, wanted);
}

/* Rank 0 looks whether the matrix is there already, whole; its finding becomes everybody's.
 * Collective. */
static int look(make *k, int64_t *there, gp_err *err) {
    const char *path = k->plan->path;
    gp_err not_one = {0};
    gp_grm *grm = NULL;
    *there = k->plan->keep && gp_par_rank(k->job->par) == 0 && access(path, F_OK) == 0;
    if (*there &&
        (gp_grm_open(&grm, path, &not_one) != GP_OK || !is_same(gp_grm_about_of(grm), &k->about)))
        gp_err_set(err, GP_EINPUT,
                   "%s: is there already, and not the matrix that is to be made (other samples, "
                   "variants or form); take it with --grm, or choose another --out",
                   path);
    gp_grm_close(grm);
    if (gp_par_agree(k->job->par, err) == GP_OK)
        gp_par_max(k->job->par, there, 1, err);
    if (*there && err->code == GP_OK)
        gp_say(k->job->sink, GP_NOTE, "%s: is there from an earlier run, and is taken", path);
    return err->code;
}

/* Collective. Made before the work that fills it: so that what stands against it is known at once.
 */
static int create(make *k, gp_err *err) {
    gp_grm_create(&k->writer, k->plan->path, &k->about, gp_par_rank(k->job->par) == 0, err);
    if (gp_par_agree(k->job->par, err) != GP_OK)
        return err->code;
    k->access = gp_parallel_access(k->job, err);
    if (gp_par_agree(k->job->par, err) != GP_OK)
        return err->code;
    gp_grm_join(k->writer, k->access, err);
    k->joined = gp_par_agree(k->job->par, err) == GP_OK;
    return err->code;
}

/* A gp_kinship_line. */
static int write_line(void *context, int64_t row, int64_t first, int64_t count, const int64_t *sums,
                      gp_err *err) {
    make *k = context;
    uint64_t check = 0;
#pragma omp parallel for schedule(static) reduction(+ : check) if (count > 16384)
    for (int64_t i = 0; i < count; i++) {
        k->line[i] = gp_gram_value(&k->gram_plan, sums[i]);
        check += gp_grm_check(row, first + i, k->line[i]);
    }
    k->check[1 + k->writing] += check;
    return gp_grm_write(k->writer, k->writing, row, first, count, k->line, err);
}

/* Collective. Closes what create opened. */
static int finish(make *k, gp_err *err) {
    int ok = err->code == GP_OK;
    if (ok)
        gp_par_sum(k->job->par, (int64_t *)k->check, 1 + k->about.chromosomes, err);
    if (k->joined)
        gp_grm_leave(k->writer, ok ? k->variant_counts : NULL, k->check, err);
    gp_par_agree(k->job->par, err);
    gp_grm_finish(k->writer, err->code == GP_OK, err);
    if (k->access > 0)
        gp_parallel_access_close(k->access);
    return gp_par_agree(k->job->par, err);
}

/* ---- the sums ---- */

static int multiply(make *k, gp_err *err) {
    gp_kinship_part_add(&k->part, k->gram, &k->calls, err);
    k->calls.m = 0;
    return err->code;
}

/* Adds a run of variants to the block that is being gathered; multiplies first where it does not
 * fit. */
static int gather(make *k, int64_t chromosome, int64_t first, int64_t count, gp_err *err) {
    gp_kinship_calls *calls = &k->calls;
    const int64_t *counts = k->variants.calls + k->variants.first[chromosome] + first;
    int64_t chosen = 0;
    for (int64_t j = 0; j < count; j++)
        chosen += counts[j] != 0;
    if (chosen == 0 || (calls->m + chosen > GP_GRAM_STEP && multiply(k, err) != GP_OK) ||
        gp_kinship_calls_read(calls, chromosome, first, count, counts, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < count; j++)
        if (counts[j] != 0) {
            calls->mean[calls->m] = gp_kinship_mean(counts[j]);
            calls->weight[calls->m] =
                k->plan->centred ? 1.0 : gp_gram_weight(calls->mean[calls->m]);
            calls->m++;
        }
    return GP_OK;
}

/* Where all ranks meet, at the same variants on each, so that an error or a signal on one of them
 * ends all. 1 where it does. */
static int meet(make *k, int64_t done, gp_err *err) {
    double all = (double)k->variants.first[k->variants.chromosomes];
    k->done += done;
    gp_progress_at(&k->progress, k->done);
    int64_t due = (int64_t)((double)k->done / all * MEETINGS);
    if (due == k->met)
        return 0;
    k->met = due;
    gp_job_check_signals(err);
    return gp_par_agree(k->job->par, err) != GP_OK;
}

/* A chromosome's variants. 1 where all ranks have met an error; one that they have not met yet
 * waits in err. */
static int add_chromosome(make *k, int64_t chromosome, gp_err *err) {
    int64_t count = k->variants.count[chromosome], unit = k->calls.unit;
    for (int64_t j = 0; j < count; j += GP_GRAM_STEP) {
        int64_t end = gp_least(j + GP_GRAM_STEP, count);
        for (int64_t at = j; at < end && err->code == GP_OK; at += unit)
            gather(k, chromosome, at, gp_least(unit, end - at), err);
        if (meet(k, end - j, err))
            return 1;
    }
    if (k->plan->chromosomes && err->code == GP_OK)
        multiply(k, err);
    return 0;
}

/* Writes what the part holds, and adds it to the whole. */
static int write_chromosome(make *k, gp_err *err) {
    int64_t *sums = k->part.sums, size = k->part.size;
    if (gp_kinship_part_lines(&k->part, write_line, k, err) != GP_OK)
        return err->code;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < size; i++) {
        k->whole[i] += sums[i];
        sums[i] = 0;
    }
    k->writing++;
    return GP_OK;
}

static int write_whole(make *k, gp_err *err) {
    if (k->plan->chromosomes) {
        int64_t *sums = k->part.sums;
        k->part.sums = k->whole;
        k->whole = sums;
    } else {
        multiply(k, err);
    }
    k->writing = GP_GRM_WHOLE;
    return err->code == GP_OK ? gp_kinship_part_lines(&k->part, write_line, k, err) : err->code;
}

/* Collective. */
static int fill(make *k, gp_err *err) {
    const gp_kinship_variants *v = &k->variants;
    gp_progress_open(&k->progress, k->job->sink, "variants", v->first[v->chromosomes]);
    for (int64_t c = 0; c < v->chromosomes; c++) {
        if (v->counting[c] > 0 && add_chromosome(k, c, err))
            break;
        if (v->counting[c] == 0)
            k->done += v->count[c];
        else if (k->plan->chromosomes && err->code == GP_OK)
            write_chromosome(k, err);
    }
    gp_progress_close(&k->progress);
    if (gp_par_agree(k->job->par, err) == GP_OK)
        write_whole(k, err);
    gp_job_check_signals(err);
    return gp_par_agree(k->job->par, err);
}

/* ---- all of it ---- */

static int list_samples(make *k, gp_err *err) {
    const gp_cohort *cohort = k->plan->cohort;
    k->n = gp_cohort_kept(cohort);
    if (k->n < 2)
        return gp_err_set(err, GP_EINPUT,
                          "%s: %lld sample is left; a relationship matrix needs two or more",
                          gp_store_path(k->plan->store), (long long)k->n);
    k->sample = gp_mem_alloc(k->n, sizeof *k->sample, err);
    k->fid = gp_mem_alloc(k->n, sizeof *k->fid, err);
    k->iid = gp_mem_alloc(k->n, sizeof *k->iid, err);
    for (int64_t i = 0, at = 0; err->code == GP_OK && i < cohort->samples.n; i++)
        if (cohort->kept[i]) {
            k->sample[at] = i;
            k->fid[at] = gp_samples_fid(&cohort->samples, i);
            k->iid[at++] = gp_samples_iid(&cohort->samples, i);
        }
    return err->code;
}

static int make_room(make *k, gp_err *err) {
    const gp_kinship_variants *v = &k->variants;
    int64_t longest = 0;
    gp_gram_plan_init(&k->gram_plan, v->total, k->plan->centred ? 1.0 : v->most_weight, err);
    if (err->code != GP_OK || gp_layout_init(&k->layout, k->n, k->grid, err) != GP_OK ||
        gp_kinship_part_init(&k->part, &k->layout, err) != GP_OK ||
        gp_kinship_calls_init(&k->calls, k->plan->store, &k->layout, k->sample, err) != GP_OK)
        return err->code;
    for (int c = 0; c < k->layout.classes; c++)
        longest = k->layout.count[c] > longest ? k->layout.count[c] : longest;
    k->line = gp_mem_alloc(longest, sizeof *k->line, err);
    k->gram = gp_gram_new(&k->gram_plan, longest, err);
    if (k->plan->chromosomes)
        k->whole = gp_mem_alloc(k->part.size, sizeof *k->whole, err);
    return err->code;
}

int64_t gp_kinship_make_bytes(int64_t n, int rows, int columns, int chromosomes) {
    enum { GRAM_BYTES = 12 << 20, THREAD_BYTES = 7 << 19, SAMPLE_BYTES = 60 };
    gp_err ignored = {0};
    gp_layout layout;
    if (gp_layout_init_as(&layout, n, rows, columns, 0, 0, &ignored) != GP_OK)
        return 0;
    int64_t r = layout.local_rows, c = layout.local_columns;
    gp_layout_free(&layout);
    return (chromosomes ? 16 : 8) * r * c + gp_kinship_calls_bytes(r + c) + SAMPLE_BYTES * n +
           GRAM_BYTES + THREAD_BYTES * omp_get_max_threads();
}

/* Collective. */
static int make_file(make *k, gp_err *err) {
    const gp_kinship_plan *plan = k->plan;
    gp_say(k->job->sink, GP_NOTE, "%s: %s, %lld samples, %lld variants, %lld x %lld ranks",
           plan->path, plan->centred ? "centred" : "standardised", (long long)k->n,
           (long long)k->variants.total, (long long)gp_par_grid_rows(k->grid),
           (long long)gp_par_grid_columns(k->grid));
    make_room(k, err);
    if (gp_par_agree(k->job->par, err) == GP_OK && create(k, err) == GP_OK)
        fill(k, err);
    return finish(k, err);
}

int gp_kinship_make(gp_job *job, const gp_kinship_plan *plan, gp_err *err) {
    make k = {.job = job, .plan = plan};
    int64_t there = 0;
    list_samples(&k, err);
    if (gp_par_agree(job->par, err) == GP_OK &&
        gp_kinship_variants_init(job, plan, &k.variants, err) == GP_OK &&
        gp_par_grid_open(job->par, &k.grid, err) == GP_OK && describe(&k, err) == GP_OK &&
        look(&k, &there, err) == GP_OK && !there)
        make_file(&k, err);
    gp_progress_close(&k.progress);
    gp_gram_free(k.gram);
    gp_kinship_calls_free(&k.calls);
    gp_kinship_part_free(&k.part);
    gp_kinship_variants_free(&k.variants);
    gp_layout_free(&k.layout);
    gp_par_grid_close(k.grid);
    gp_text_free(&k.filters);
    free(k.whole);
    free(k.sample);
    free(k.fid);
    free(k.iid);
    free(k.chromosome);
    free(k.variant_counts);
    free(k.check);
    free(k.line);
    return err->code;
}
