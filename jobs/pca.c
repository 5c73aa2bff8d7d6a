/* gp-dist pca: principal components of a cohort, and new samples on old ones. */
#include "io/file.h"
#include "jobs/components.h"
#include "jobs/directory.h"
#include "jobs/input.h"
#include "jobs/job.h"
#include "jobs/loadings.h"
#include "jobs/mind.h"
#include "jobs/option_rows.h"
#include "jobs/times.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct options {
    const char *store, *out, *grm, *project;
    gp_cohort_options cohort;
    gp_selection_options selection;
    double mind;
    int64_t components, seed;
    int approx, loadings, dry_run;
} options;

static options values = {
    .selection = {.filter = {NAN, NAN, NAN, NAN}}, .mind = NAN, .components = 10, .seed = 1};

#define AT(field) offsetof(options, field)

static const gp_option option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    GP_ROW_STORE(options),
    {"grm", GP_TEXT, AT(grm), "FILE",
     "take this relationship matrix (gp-dist grm, GCTA, text) in place of one made from the store",
     0, 0, NULL},
    {"project", GP_TEXT, AT(project), "DIR",
     "put the store's samples on the components in DIR, which pca --loadings wrote", 0, 0, NULL},
    GP_ROWS_AUTOSOMAL(options),
    {.name = "Components", .type = GP_HEADING},
    {"components", GP_WHOLE, AT(components), "K", "how many (default 10)", 1, 100000, NULL},
    {"approx", GP_FLAG, AT(approx), NULL,
     "find them from products with the genotypes, without an n x n matrix: for large cohorts", 0, 0,
     NULL},
    {"loadings", GP_FLAG, AT(loadings), NULL, "write DIR/pca.eigenvec.var too, for --project", 0, 0,
     NULL},
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "DIR", "directory for the results", 0, 0, NULL},
    {"seed", GP_WHOLE, AT(seed), "N", "random seed of --approx's start (default 1)", 0, 9e15, NULL},
    {"dry-run", GP_FLAG, AT(dry_run), NULL,
     "check the input, print samples, variants, memory, disk and work; then stop", 0, 0, NULL},
    {0}};

static const char description[] =
    "Finds the principal components of the samples kept: the eigenvectors of the standardised "
    "relationship matrix of all autosomal variants chosen (the one that gp-dist grm makes). "
    "Missing "
    "calls count as the mean. PLINK's advice holds: leave out rare variants (--maf 0.01 or more) "
    "and "
    "use a set in approximate linkage equilibrium.\n"
    "\n"
    "DIR/pca.eigenvec has a header #FID IID PC1 ... and a line per sample (each component has "
    "length 1; the entry of largest size is positive); DIR/pca.eigenval the eigenvalues. With "
    "--loadings, DIR/pca.eigenvec.var says for every variant what a copy of the major allele adds "
    "(PLINK 2's biallelic-var-wts), with that allele's frequency.\n"
    "\n"
    "  mpirun -n 16 gp-dist pca --store cohort.h5 --approx --loadings --out pcs\n"
    "\n"
    "Without --approx the matrix is spread over the ranks (8 n n / R bytes for n samples on R "
    "ranks, "
    "three times) and solved whole. With --approx every component settles to 1e-6 of its value by "
    "some ten to thirty passes over the genotypes; the files are then the same, byte for byte, "
    "for any number of ranks and threads, and so are those of --project. A solved matrix agrees "
    "between numbers of ranks to about 1e-10.\n"
    "\n"
    "New samples, whose genotypes are in another store, are put on the same components by their "
    "loadings: variants are joined by id and alleles, also where ALT and REF are swapped. DIR is "
    "where pca wrote, and the result is --out's pca.projected:\n"
    "\n"
    "  gp-dist pca --store new.h5 --project pcs --out new\n"
    "\n"
    "Samples that had no part in finding the components come out nearer to 0, the more so the "
    "fewer "
    "variants there are for a sample.";

/* ---- the run ---- */

/* All that a run holds; freed in one place. */
typedef struct state {
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    gp_components_plan plan;
    int64_t there; /* bytes of --out that name what was there before */
    int made;      /* 1: --out was made, or was there */
} state;

/* A filter of variants that was asked for, or NULL. */
static const char *filter_name(const options *o) {
    const gp_filter *f = &o->selection.filter;
    return !isnan(f->maf)    ? "--maf"
           : !isnan(f->mac)  ? "--mac"
           : !isnan(f->geno) ? "--geno"
           : !isnan(f->hwe)  ? "--hwe"
                             : NULL;
}

static int check_project(const options *o, gp_err *err) {
    const char *other = o->grm != NULL ? "--grm"
                        : o->approx    ? "--approx"
                        : o->loadings  ? "--loadings"
                                       : filter_name(o);
    if (o->project != NULL && other != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: %s does not go with --project: components and variants "
                          "are those of its directory",
                          other);
    return GP_OK;
}

static int check_options(const options *o, gp_err *err) {
    const char *missing = o->store == NULL                ? "--store STORE.h5"
                          : o->out == NULL && !o->dry_run ? "--out DIR"
                                                          : NULL;
    if (missing != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: pca needs %s; see gp-dist pca --help",
                          missing);
    if (o->grm != NULL && o->approx)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --approx takes no --grm: it works without a matrix");
    if (o->grm != NULL && !o->loadings && filter_name(o) != NULL)
        return gp_err_set(
            err, GP_EINPUT,
            "command line: %s does not go with --grm: its variants are chosen already",
            filter_name(o));
    return check_project(o, err);
}

static int load(gp_job *job, const options *o, state *s, gp_err *err) {
    gp_input input = {.path = o->store,
                      .out = o->dry_run ? NULL : o->out,
                      .cohort_options = &o->cohort,
                      .selection_options = &o->selection,
                      .store = &s->store,
                      .cohort = &s->cohort,
                      .selection = &s->selection};
    gp_times_phase(job, "load");
    if (gp_input_load(job, &input, err) != GP_OK)
        return err->code;
    s->plan = (gp_components_plan){.store = s->store,
                                   .cohort = &s->cohort,
                                   .selection = &s->selection,
                                   .components = o->components,
                                   .approx = o->approx,
                                   .grm = o->grm,
                                   .directory = o->out,
                                   .seed = (uint64_t)o->seed};
    return gp_mind_alone(job, s->store, &s->selection, &s->cohort, o->mind, err);
}

/* ---- --dry-run ---- */

static int64_t autosomal(const state *s) {
    int64_t count = 0;
    for (int64_t k = 0; k < s->selection.chromosomes; k++)
        if (gp_store_chromosome(s->store, k)->kind == GP_AUTOSOME)
            count += s->selection.count[k];
    return count;
}

static double disk_bytes(const options *o, const state *s) {
    enum { NUMBER = 13, NAMES = 40 };
    double n = (double)gp_cohort_kept(&s->cohort), m = (double)autosomal(s);
    double line = (double)(NAMES + NUMBER * o->components), bytes = n * line;
    if (o->loadings)
        bytes += 2 * m * line;
    if (!o->approx && o->grm == NULL && o->project == NULL)
        bytes += 4.0 * n * (n + 1);
    return bytes;
}

/* Collective. */
static int report(gp_job *job, const options *o, const state *s, gp_err *err) {
    enum { BASE = 25000000 /* MPI, HDF5 and the program itself */, ID = 120 };
    int64_t n = gp_cohort_kept(&s->cohort), m = autosomal(s), bytes = 0;
    struct statvfs fs;
    if (gp_components_bytes(job, &s->plan, m, &bytes, err) != GP_OK || gp_par_rank(job->par) != 0)
        return gp_par_agree(job->par, err);
    printf("samples: %lld in the store, %lld kept\n", (long long)s->cohort.samples.n, (long long)n);
    printf("variants: %lld on autosomes, before filters\n", (long long)m);
    printf("components: %lld, %s\n", (long long)o->components,
           o->approx ? "matrix-free" : "from the relationship matrix");
    printf("memory: about %.3g MB on the largest rank\n",
           (double)(BASE + ID * s->cohort.samples.n + bytes) / 1e6);
    printf("disk: about %.3g MB", disk_bytes(o, s) / 1e6);
    if (o->out != NULL && statvfs(o->out, &fs) == 0)
        printf("; %.3g MB are free", (double)fs.f_bavail * (double)fs.f_frsize / 1e6);
    if (o->approx)
        printf("\nwork: ten to thirty passes over %.3g MB of genotypes\n",
               (double)m * (double)s->cohort.samples.n / 4e6);
    else
        printf("\nwork: %.3g variants x %.3g pairs of samples, and %.3g operations to solve\n",
               o->grm == NULL ? (double)m : 0.0, (double)n * (double)(n + 1) / 2,
               9.0 * (double)n * (double)n * (double)n);
    return gp_par_agree(job->par, err);
}

/* ---- the files ---- */

/* Rank 0 writes DIR/NAME. Collective. */
static int write_file(gp_job *job, const char *name, const gp_text *bytes, gp_err *err) {
    gp_text path = {0};
    if (gp_par_rank(job->par) == 0 && err->code == GP_OK &&
        gp_text_print(&path, err, "%s/%s", values.out, name) == GP_OK)
        gp_io_write_file(path.bytes, bytes->bytes, bytes->length, err);
    gp_text_free(&path);
    return gp_par_agree(job->par, err);
}

static int write_vectors(gp_job *job, const gp_pca_vectors *vectors, const char *name,
                         gp_err *err) {
    gp_text text = {0};
    if (gp_par_rank(job->par) == 0)
        gp_pca_print_vectors(&text, vectors, err);
    write_file(job, name, &text, err);
    gp_text_free(&text);
    return err->code;
}

static int write_values(gp_job *job, const gp_components *c, gp_err *err) {
    gp_text text = {0};
    if (gp_par_rank(job->par) == 0)
        gp_pca_print_values(&text, c->value, c->count, err);
    write_file(job, "pca.eigenval", &text, err);
    gp_text_free(&text);
    return err->code;
}

static int write_loadings(gp_job *job, state *s, const gp_components *c, gp_err *err) {
    gp_text path = {0};
    gp_text_print(&path, err, "%s/pca.eigenvec.var", values.out);
    if (gp_par_agree(job->par, err) == GP_OK)
        gp_loadings_write(job, &s->plan, c, path.bytes, err);
    gp_text_free(&path);
    return err->code;
}

static int make(gp_job *job, const options *o, state *s, gp_err *err) {
    gp_components c = {0};
    double started = gp_clock();
    gp_times_phase(job, "components");
    if (gp_components_make(job, &s->plan, &c, err) == GP_OK &&
        (!o->loadings || write_loadings(job, s, &c, err) == GP_OK)) {
        if (!o->loadings && gp_par_rank(job->par) == 0) /* those of an earlier run */
            gp_directory_forget(o->out, "pca.eigenvec.var");
        gp_times_phase(job, "write");
        const gp_pca_vectors vectors = {.n = c.n,
                                        .count = c.count,
                                        .samples = &s->cohort.samples,
                                        .sample = c.sample,
                                        .vector = c.vector};
        if (write_vectors(job, &vectors, "pca.eigenvec", err) == GP_OK &&
            write_values(job, &c, err) == GP_OK)
            gp_say(job->sink, GP_NOTE, "%s/pca.eigenvec, pca.eigenval%s: %lld components in %.2f s",
                   o->out, o->loadings ? ", pca.eigenvec.var" : "", (long long)c.count,
                   gp_clock() - started);
    }
    gp_components_free(&c);
    return err->code;
}

/* ---- --project ---- */

/* What pca --loadings wrote. */
typedef struct loadings {
    gp_text path, values_text, weights_text;
    double *value;
    int64_t values;
    gp_pca_weights weights;
} loadings;

static int read_loadings(gp_job *job, const char *directory, loadings *l, gp_err *err) {
    gp_text_print(&l->path, err, "%s/pca.eigenval", directory);
    if (gp_par_agree(job->par, err) != GP_OK ||
        gp_job_read_shared(job, l->path.bytes, &l->values_text, err) != GP_OK)
        return err->code;
    gp_pca_read_values(&l->value, &l->values, l->path.bytes, &l->values_text, err);
    l->path.length = 0;
    gp_text_print(&l->path, err, "%s/pca.eigenvec.var", directory);
    if (gp_par_agree(job->par, err) != GP_OK ||
        gp_job_read_shared(job, l->path.bytes, &l->weights_text, err) != GP_OK)
        return err->code;
    if (gp_pca_read_weights(&l->weights, l->path.bytes, &l->weights_text, err) == GP_OK &&
        l->weights.count != l->values)
        gp_err_set(
            err, GP_EINPUT,
            "%s: has %lld components, and pca.eigenval beside it %lld; they must be of one run",
            l->path.bytes, (long long)l->weights.count, (long long)l->values);
    return gp_par_agree(job->par, err);
}

static int project(gp_job *job, const options *o, state *s, gp_err *err) {
    loadings l = {0};
    gp_projection p = {
        .store = s->store, .cohort = &s->cohort, .selection = &s->selection, .weights = &l.weights};
    if (read_loadings(job, o->project, &l, err) == GP_OK) {
        p.value = l.value;
        gp_projection_make(job, &p, err);
    }
    if (err->code == GP_OK) {
        gp_say(job->sink, GP_NOTE,
               "%lld of the %lld variants with loadings are in %s with the same alleles (%lld of "
               "them count the other one), %lld have other alleles",
               (long long)p.matched, (long long)l.weights.variants, o->store, (long long)p.swapped,
               (long long)p.differ);
        if (2 * p.matched < l.weights.variants)
            gp_say(job->sink, GP_WARN,
                   "fewer than half of the variants with loadings were found: the components of "
                   "these samples are rough");
        const gp_pca_vectors vectors = {.n = p.n,
                                        .count = l.weights.count,
                                        .samples = &s->cohort.samples,
                                        .sample = p.sample,
                                        .vector = p.vector};
        if (write_vectors(job, &vectors, "pca.projected", err) == GP_OK)
            gp_say(job->sink, GP_NOTE, "%s/pca.projected: %lld samples on %lld components", o->out,
                   (long long)p.n, (long long)l.weights.count);
    }
    gp_projection_free(&p);
    gp_pca_weights_free(&l.weights);
    gp_text_free(&l.path);
    gp_text_free(&l.values_text);
    gp_text_free(&l.weights_text);
    free(l.value);
    return err->code;
}

static int work(gp_job *job, const options *o, state *s, gp_err *err) {
    if (gp_par_rank(job->par) == 0)
        s->made = gp_directory_make(o->out, &s->there, err) == GP_OK;
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    return o->project != NULL ? project(job, o, s, err) : make(job, o, s, err);
}

static int run(gp_job *job, gp_err *err) {
    const options *o = &values;
    state s = {0};
    check_options(o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(job, o, &s, err) == GP_OK) {
        if (o->dry_run)
            report(job, o, &s, err);
        else
            work(job, o, &s, err);
    }
    if (s.made && err->code != GP_OK)
        gp_directory_unmake(o->out, s.there);
    gp_selection_free(&s.selection);
    gp_cohort_free(&s.cohort);
    gp_store_close(s.store);
    return err->code;
}

const gp_command gp_command_pca = {.name = "pca",
                                   .summary = "find principal components of the samples",
                                   .synopsis = "--store STORE.h5 --out DIR [options]",
                                   .description = description,
                                   .options = option_table,
                                   .values = &values,
                                   .run = run};
