/* gp-dist grm: the relationship matrix of a cohort. */
#include "io/file.h"
#include "jobs/cohort.h"
#include "jobs/directory.h"
#include "jobs/input.h"
#include "jobs/kinship.h"
#include "jobs/mind.h"
#include "jobs/option_rows.h"
#include "jobs/times.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct options {
    const char *store, *out;
    gp_cohort_options cohort;
    gp_selection_options selection;
    double mind;
    int standardised, centred, loco, export_text, export_gcta, dry_run;
} options;

static options values = {.selection = {.filter = {NAN, NAN, NAN, NAN}}, .mind = NAN};

#define AT(field) offsetof(options, field)

static const gp_option option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    GP_ROW_STORE(options),
    GP_ROWS_AUTOSOMAL(options),
    {.name = "Matrix", .type = GP_HEADING},
    {"standardised", GP_FLAG, AT(standardised), NULL,
     "every variant has variance 1, as in GCTA and PLINK (the default)", 0, 0, NULL},
    {"centred", GP_FLAG, AT(centred), NULL, "variants keep their variance, as with GEMMA's -gk 1",
     0, 0, NULL},
    {"loco", GP_FLAG, AT(loco), NULL,
     "a matrix of each chromosome as well, so that any one can be left out later; needs as much "
     "room again for each",
     0, 0, NULL},
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "DIR", "directory for grm.h5", 0, 0, NULL},
    {"export-text", GP_FLAG, AT(export_text), NULL,
     "write DIR/grm.txt too: n rows of n numbers, as GEMMA reads them", 0, 0, NULL},
    {"export-gcta", GP_FLAG, AT(export_gcta), NULL,
     "write DIR/grm.grm.bin, .grm.id and .grm.N.bin too", 0, 0, NULL},
    {"dry-run", GP_FLAG, AT(dry_run), NULL,
     "check the input, print samples, grid of ranks, memory and disk; then stop", 0, 0, NULL},
    {0}};

static const char description[] =
    "Computes the genomic relationship matrix of the samples kept from all autosomal variants "
    "chosen, "
    "and writes DIR/grm.h5, for gp-dist pca --grm and gp-dist assoc --model lmm --grm.\n"
    "\n"
    "With g the copies of an allele, p its frequency among the samples kept, and m variants, "
    "samples j "
    "and k have\n"
    "\n"
    "  --standardised  sum of (g_j - 2p) (g_k - 2p) / (2p (1 - p)), divided by m\n"
    "  --centred       sum of (g_j - 2p) (g_k - 2p), divided by m\n"
    "\n"
    "Missing calls count as 2p. Variants that are the same in all samples do not count. Without "
    "filters, "
    "rare variants weigh much in the standardised form: --maf 0.01 is usual.\n"
    "\n"
    "The matrix is spread over the ranks: with n samples on R of them, each needs about 8 n n / R "
    "bytes, "
    "twice that with --loco. The file is the same, byte for byte, for any number of ranks and "
    "threads.\n"
    "\n"
    "  mpirun -n 16 gp-dist grm --store cohort.h5 --maf 0.01 --loco --out kinship";

/* ---- the run ---- */

/* All that a run holds; freed in one place. */
typedef struct state {
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    int64_t there; /* bytes of --out that name what was there before */
    int made;      /* 1: --out was made, or was there */
    gp_text path;  /* DIR/grm.h5 */
} state;

static int check_options(const options *o, gp_err *err) {
    const char *missing = o->store == NULL                ? "--store STORE.h5"
                          : o->out == NULL && !o->dry_run ? "--out DIR"
                                                          : NULL;
    if (missing != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: grm needs %s; see gp-dist grm --help",
                          missing);
    if (o->standardised && o->centred)
        return gp_err_set(
            err, GP_EINPUT,
            "command line: --standardised and --centred are two forms of a matrix; name one");
    return GP_OK;
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
    return gp_mind_alone(job, s->store, &s->selection, &s->cohort, o->mind, err);
}

/* ---- --dry-run ---- */

static void print_disk(const options *o, const state *s, double n) {
    int64_t matrices = 1;
    struct statvfs fs;
    for (int64_t k = 0; o->loco && k < s->selection.chromosomes; k++)
        matrices +=
            s->selection.count[k] > 0 && gp_store_chromosome(s->store, k)->kind == GP_AUTOSOME;
    double bytes = n * (n + 1) / 2 * 8 * (double)matrices;
    if (o->export_text)
        bytes += n * n * 16;
    if (o->export_gcta)
        bytes += n * (n + 1) / 2 * 8;
    printf("disk: about %.3g MB", bytes / 1e6);
    if (o->out != NULL && statvfs(o->out, &fs) == 0)
        printf("; %.3g MB are free", (double)fs.f_bavail * (double)fs.f_frsize / 1e6);
    printf("\n");
}

/* Collective: the grid is made to be asked. */
static int report(gp_job *job, const options *o, const state *s, gp_err *err) {
    enum { BASE = 36000000 /* MPI, HDF5 on several ranks, and the program itself */, ID = 120 };
    gp_par_grid *grid = NULL;
    if (gp_par_grid_open(job->par, &grid, err) != GP_OK)
        return err->code;
    int rows = gp_par_grid_rows(grid), columns = gp_par_grid_columns(grid);
    gp_par_grid_close(grid);
    if (gp_par_rank(job->par) != 0)
        return gp_par_agree(job->par, err);
    int64_t n = gp_cohort_kept(&s->cohort), autosomal = 0, others = 0;
    for (int64_t k = 0; k < s->selection.chromosomes; k++)
        *(gp_store_chromosome(s->store, k)->kind == GP_AUTOSOME ? &autosomal : &others) +=
            s->selection.count[k];
    int64_t bytes = BASE + ID * s->cohort.samples.n + 8 * autosomal +
                    gp_kinship_make_bytes(n, rows, columns, o->loco);
    printf("samples: %lld in the store, %lld kept\n", (long long)s->cohort.samples.n, (long long)n);
    printf("variants: %lld on autosomes, before filters", (long long)autosomal);
    if (others > 0)
        printf("; %lld on other chromosomes are left out", (long long)others);
    printf("\ngrid: %d x %d of %d ranks\n", rows, columns, gp_par_size(job->par));
    printf("memory: about %.3g MB on the largest rank\n", (double)bytes / 1e6);
    print_disk(o, s, (double)n);
    printf("work: %.3g variants x %.3g pairs of samples, reading %.3g MB of genotypes\n",
           (double)autosomal, (double)n * (double)(n + 1) / 2,
           (double)autosomal * (double)n / 4e6 * (rows == 1 && columns == 1 ? 1 : rows + columns));
    return gp_par_agree(job->par, err);
}

/* ---- the files ---- */

/* Rank 0 has read back what was written. */
static int export(gp_job *job, const options *o, state *s, gp_err *err) {
    gp_grm *grm = NULL;
    gp_text name = {0};
    if (gp_par_rank(job->par) != 0 || !(o->export_text || o->export_gcta))
        return gp_par_agree(job->par, err);
    gp_grm_open(&grm, s->path.bytes, err);
    if (err->code == GP_OK && o->export_text &&
        gp_text_print(&name, err, "%s/grm.txt", o->out) == GP_OK &&
        gp_grm_export_text(grm, name.bytes, err) == GP_OK)
        gp_say(job->sink, GP_NOTE, "%s: the matrix as text", name.bytes);
    name.length = 0;
    if (err->code == GP_OK && o->export_gcta &&
        gp_text_print(&name, err, "%s/grm", o->out) == GP_OK &&
        gp_grm_export_gcta(grm, name.bytes, err) == GP_OK)
        gp_say(job->sink, GP_NOTE, "%s.grm.bin, .grm.id, .grm.N.bin: the matrix for GCTA",
               name.bytes);
    gp_grm_close(grm);
    gp_text_free(&name);
    return gp_par_agree(job->par, err);
}

static int make(gp_job *job, const options *o, state *s, gp_err *err) {
    if (gp_par_rank(job->par) == 0)
        s->made = gp_directory_make(o->out, &s->there, err) == GP_OK;
    gp_times_phase(job, "matrix");
    gp_text_print(&s->path, err, "%s/grm.h5", o->out);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    gp_kinship_plan plan = {.path = s->path.bytes,
                            .centred = o->centred,
                            .chromosomes = o->loco,
                            .store = s->store,
                            .cohort = &s->cohort,
                            .selection = &s->selection};
    if (gp_kinship_make(job, &plan, err) == GP_OK)
        export(job, o, s, err);
    return err->code;
}

static int run(gp_job *job, gp_err *err) {
    const options *o = &values;
    state s = {0};
    check_options(o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(job, o, &s, err) == GP_OK) {
        if (o->dry_run)
            report(job, o, &s, err);
        else
            make(job, o, &s, err);
    }
    if (s.made && err->code != GP_OK)
        gp_directory_unmake(o->out, s.there);
    gp_text_free(&s.path);
    gp_selection_free(&s.selection);
    gp_cohort_free(&s.cohort);
    gp_store_close(s.store);
    return err->code;
}

const gp_command gp_command_grm = {.name = "grm",
                                   .summary = "compute the relationship matrix of the samples",
                                   .synopsis = "--store STORE.h5 --out DIR [options]",
                                   .description = description,
                                   .options = option_table,
                                   .values = &values,
                                   .run = run};
