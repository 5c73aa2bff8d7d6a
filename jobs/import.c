/* gp-dist import: other programs' genotypes into a store. */
#include "io/import.h"
#include "jobs/command.h"

#include <stdio.h>

static struct values {
    const char *bfile, *out;
    int64_t compress, autosomes;
    int dry_run;
} values;

static const gp_option options[] = {
    {.name = "bfile",
     .type = GP_TEXT,
     .offset = offsetof(struct values, bfile),
     .argument = "PREFIX[,PREFIX...]",
     .help = "PLINK sets PREFIX.bed, .bim, .fam to import, all with the same samples"},
    {.name = "out",
     .type = GP_TEXT,
     .offset = offsetof(struct values, out),
     .argument = "STORE.h5",
     .help = "the store to write; one of that name is replaced once the new one is whole"},
    {.name = "compress",
     .type = GP_WHOLE,
     .offset = offsetof(struct values, compress),
     .argument = "N",
     .help = "deflate level; 0 (default) stores calls as they are, which reads fastest",
     .low = 0,
     .high = 9},
    {.name = "autosome-num",
     .type = GP_WHOLE,
     .offset = offsetof(struct values, autosomes),
     .argument = "N",
     .help = "chromosomes N+1, N+2, N+3, N+4 are X, Y, XY, MT; by default 22, or all numbers are "
             "autosomes where one is above 26",
     .low = 1,
     .high = 1000000},
    {.name = "dry-run",
     .type = GP_FLAG,
     .offset = offsetof(struct values, dry_run),
     .help = "check everything, print the chromosomes and the store's size, and stop"},
    {0}};

/* Progress of one piece of work after the other. */
typedef struct view {
    gp_progress progress;
    const gp_sink *sink;
} view;

static int watch(void *context, const char *what, int64_t done, int64_t total) {
    view *v = context;
    if (v->progress.what != what) {
        gp_progress_close(&v->progress);
        gp_progress_open(&v->progress, v->sink, what, total);
    }
    gp_progress_at(&v->progress, done);
    return gp_signals_caught();
}

static int check_values(gp_err *err) {
    if (values.bfile == NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --bfile PREFIX is missing: what should be imported?");
    if (values.out == NULL && !values.dry_run)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --out STORE.h5 is missing: where should the store go?");
    return GP_OK;
}

static void conclude(const gp_import_result *result, double seconds, const gp_sink *sink) {
    double rate = seconds > 0 ? 1e-6 * (double)result->bytes / seconds : 0;
    gp_say(sink, GP_NOTE,
           "imported %lld samples x %lld variants on %lld chromosome%s in %.1f s (%.1f MB/s): %s",
           (long long)result->samples, (long long)result->variants, (long long)result->chromosomes,
           result->chromosomes == 1 ? "" : "s", seconds, rate, values.out);
}

static int import_here(const gp_job *job, gp_err *err) {
    char program[64];
    view v = {.sink = job->sink};
    gp_import_result result = {0};
    gp_import ask = {.bfile = values.bfile,
                     .out = values.out,
                     .autosomes = values.autosomes,
                     .compress = (int)values.compress,
                     .dry_run = values.dry_run,
                     .program = program,
                     .sink = job->sink,
                     .watch = watch,
                     .context = &v};
    double started = gp_clock();
    snprintf(program, sizeof program, "gp-dist %s", gp_version);
    gp_import_bfile(&ask, &result, err);
    gp_progress_close(&v.progress);
    if (err->code == GP_OK && values.dry_run)
        fputs(result.report.bytes, stdout);
    else if (err->code == GP_OK)
        conclude(&result, gp_clock() - started, job->sink);
    gp_import_result_free(&result);
    return err->code;
}

/* One rank imports; the others wait for its outcome. */
static int run(gp_job *job, gp_err *err) {
    if (check_values(err) == GP_OK && gp_par_rank(job->par) == 0)
        import_here(job, err);
    return gp_par_agree(job->par, err);
}

const gp_command gp_command_import = {
    .name = "import",
    .summary = "make a genotype store from PLINK files",
    .synopsis = "--bfile PREFIX[,PREFIX...] --out STORE.h5 [options]",
    .description =
        "Reads PLINK 1 binary sets and writes them as one genotype store, which every other "
        "command reads. Give one prefix, or several with the same samples in the same order "
        "(one per chromosome):\n"
        "\n"
        "  gp-dist import --bfile cohort --out cohort.h5\n"
        "  gp-dist import --bfile chr1,chr2,chrX --out cohort.h5\n"
        "\n"
        "ALT, the effect allele, is allele 1 (column 5) of the .bim; REF is column 6. Chromosomes "
        "keep their names and may be of any species; they are stored as numbers, X, Y, XY, MT, "
        "then "
        "other names, and variants by position. Variants with a negative position are left out, as "
        "in PLINK; 0 means unplaced. Variant ids that occur twice are kept, with a warning.\n"
        "\n"
        "Memory stays small whatever the size; an input that is not sorted by position needs 64 "
        "bytes for each variant of its largest chromosome. Started on several ranks, one of them "
        "works.",
    .options = options,
    .values = &values,
    .run = run};
