/* gp-dist import: other programs' genotypes into a store. */
#include "io/import.h"
#include "io/append.h"
#include "jobs/command.h"

#include <stdio.h>

static struct values {
    const char *bfile, *out, *append, *replace;
    int64_t compress, autosomes;
    int dry_run;
} values = {.compress = -1 /* not said */};

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
    {.name = "append",
     .type = GP_TEXT,
     .offset = offsetof(struct values, append),
     .argument = "OLD.h5",
     .help = "write this store's samples and, behind them, those of the sets, at the store's "
             "variants; --out may be the same name"},
    {.name = "replace",
     .type = GP_TEXT,
     .offset = offsetof(struct values, replace),
     .argument = "OLD.h5",
     .help = "write this store with the sets' chromosomes in place of its own, or added; --out may "
             "be the same name"},
    {.name = "compress",
     .type = GP_WHOLE,
     .offset = offsetof(struct values, compress),
     .argument = "N",
     .help = "deflate level; 0 stores calls as they are, which reads fastest (default; with "
             "--append and "
             "--replace: as the old store is)",
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
                          "command line: --bfile PREFIX is missing: what should be %s?",
                          values.append    ? "appended"
                          : values.replace ? "put in place"
                                           : "imported");
    if (values.append != NULL && values.replace != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --append adds samples and --replace chromosomes; give one "
                          "of them, then the other with the store that comes out");
    if (values.out == NULL && !values.dry_run)
        return gp_err_set(
            err, GP_EINPUT, "command line: --out STORE.h5 is missing: where should the store go?%s",
            values.append || values.replace ? " (the old one's name replaces it)" : "");
    return GP_OK;
}

static const char *ending(int64_t count) {
    return count == 1 ? "" : "s";
}

static void conclude(const gp_import_result *result, double seconds, const gp_sink *sink) {
    double rate = seconds > 0 ? 1e-6 * (double)result->bytes / seconds : 0;
    char what[100] = "imported";
    if (values.append != NULL)
        snprintf(what, sizeof what, "appended %lld sample%s:", (long long)result->more,
                 ending(result->more));
    else if (values.replace != NULL)
        snprintf(what, sizeof what, "put in %lld chromosome%s:", (long long)result->more,
                 ending(result->more));
    gp_say(sink, GP_NOTE,
           "%s %lld samples x %lld variants on %lld chromosome%s in %.1f s (%.1f MB/s): %s", what,
           (long long)result->samples, (long long)result->variants, (long long)result->chromosomes,
           ending(result->chromosomes), seconds, rate, values.out);
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
    if (values.append != NULL)
        gp_append_samples(&ask, values.append, &result, err);
    else if (values.replace != NULL)
        gp_append_chromosomes(&ask, values.replace, &result, err);
    else
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
    .summary = "make a genotype store from PLINK files, or add to one",
    .synopsis = "--bfile PREFIX[,PREFIX...] [--append OLD.h5 | --replace OLD.h5] --out STORE.h5 "
                "[options]",
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
        "A store that is there already gets new samples, or new data of some chromosomes; the "
        "store "
        "that comes out has the content and the digest of one import of everything:\n"
        "\n"
        "  gp-dist import --bfile newcomers --append cohort.h5 --out cohort.h5\n"
        "  gp-dist import --bfile chr5 --replace cohort.h5 --out cohort.h5\n"
        "\n"
        "--append keeps the store's samples and their order, and its variants. Those of the sets "
        "are "
        "found by chromosome, position and alleles (of several by id; where the position is 0, by "
        "id "
        "alone); alleles in the other order are turned round, an allele 0 agrees with any. A "
        "variant "
        "that the sets lack is missing in the new samples, one that only they have is left out; "
        "both "
        "are counted. A sample that is in both is an error. --replace takes all variants of a "
        "chromosome from the sets, whose samples must be the store's, in any order. The old store "
        "is "
        "only read; under its own name the new one appears at the end, whole.\n"
        "\n"
        "Memory stays small whatever the size (--append needs 8 bytes for each variant); an input "
        "that is not sorted by position needs 64 "
        "bytes for each variant of its largest chromosome. Started on several ranks, one of them "
        "works.",
    .options = options,
    .values = &values,
    .run = run};
