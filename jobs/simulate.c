/* gp-dist simulate: a cohort with known truth. */
#include "jobs/simulation.h"

#include <stdio.h>

static gp_simulation_options values = {.samples = 2000,
                                       .variants = 20000,
                                       .chromosomes = 22,
                                       .populations = 3,
                                       .relatives = 0.1,
                                       .missing_rate = 0.01,
                                       .missing_pheno = 0.02,
                                       .traits = 2,
                                       .causal = 100,
                                       .heritability = 0.5,
                                       .dominance = 0.05,
                                       .epistasis = 0.05,
                                       .prevalence = 0.1,
                                       .seed = 1};

/* clang-format off */
#define AT(field) .offset = offsetof(gp_simulation_options, field)
#define WHOLE(typed, field, letter, least, most, text) \
    {.name = typed, .type = GP_WHOLE, AT(field), .argument = letter, .help = text, .low = least, .high = most}
#define SHARE(typed, field, letter, most, text) \
    {.name = typed, .type = GP_REAL, AT(field), .argument = letter, .help = text, .low = 0, .high = most}

static const gp_option options[] = {
    {.name = "out", .type = GP_TEXT, AT(out), .argument = "PREFIX",
     .help = "beginning of the files' names; older ones are replaced once the new ones are whole"},
    {.name = "Genotypes", .type = GP_HEADING},
    WHOLE("samples", samples, "N", 2, 10000000, "samples (default 2000)"),
    WHOLE("variants", variants, "M", 1, 28000000, "variants in all (default 20000)"),
    WHOLE("chromosomes", chromosomes, "K", 1, GP_GENOME_MOST,
          "chromosomes, as long as the human ones (default 22)"),
    WHOLE("populations", populations, "N", 1, GP_PANEL_POPULATIONS,
          "populations that parted some generations ago (default 3)"),
    SHARE("relatives", relatives, "R", 0.4,
          "share of samples that are children of two others; some are siblings (default 0.1)"),
    SHARE("missing-rate", missing_rate, "R", 0.2,
          "share of calls that are missing; it varies from variant to variant (default 0.01)"),
    {.name = "Traits", .type = GP_HEADING},
    WHOLE("traits", traits, "P", 1, 100000, "traits (default 2)"),
    WHOLE("binary", binary, "B", 0, 100000, "how many of them, the last ones, are 0/1 (default 0)"),
    SHARE("prevalence", prevalence, "Q", 1, "share of cases of a binary trait (default 0.1)"),
    WHOLE("causal", causal, "C", 1, 1000000, "causal variants per trait (default 100)"),
    SHARE("heritability", heritability, "H", 1,
          "share of a trait's or liability's variance by additive effects (default 0.5)"),
    SHARE("dominance", dominance, "D", 1,
          "share of variance by heterozygotes off the middle (default 0.05)"),
    SHARE("epistasis", epistasis, "E", 1,
          "share of variance by pairs of causal variants (default 0.05)"),
    SHARE("missing-pheno", missing_pheno, "R", 0.9,
          "share of samples without a value of a trait (default 0.02)"),
    {.name = "Other", .type = GP_HEADING},
    WHOLE("seed", seed, "S", 0, 9007199254740992, "another seed, another cohort (default 1)"),
    {.name = "plink", .type = GP_FLAG, AT(plink), .help = "write PREFIX.bed, .bim, .fam as well"},
    WHOLE("compress", compress, "N", 0, 9,
          "deflate level of the store; 0 (default) reads fastest"),
    {.name = "dry-run", .type = GP_FLAG, AT(dry_run),
     .help = "print chromosomes, predicted sizes and memory, and stop"},
    {0}};
/* clang-format on */

static void conclude(const gp_simulation *s, double seconds, const gp_sink *sink) {
    double calls = (double)values.samples * (double)values.variants;
    gp_say(
        sink, GP_NOTE,
        "simulated %lld samples (%lld of them children of others) x %lld variants and %lld "
        "trait%s in %.1f s (%.0f million calls/s): %s.h5, %s.pheno.tsv, .covar.tsv, .truth.tsv%s",
        (long long)s->people.n, (long long)s->people.children, (long long)values.variants,
        (long long)values.traits, values.traits == 1 ? "" : "s", seconds,
        seconds > 0 ? 1e-6 * calls / seconds : 0, values.out, values.out,
        values.plink ? ", .bed, .bim, .fam" : "");
}

static int simulate(const gp_job *job, gp_err *err) {
    gp_simulation s = {.ask = &values, .sink = job->sink};
    gp_text report = {0};
    double started = gp_clock();
    if (gp_simulation_check(&s, err) == GP_OK && values.dry_run) {
        if (gp_simulation_predict(&s, &report, err) == GP_OK)
            fputs(report.bytes, stdout);
    } else if (err->code == GP_OK && gp_simulation_write(&s, err) == GP_OK) {
        conclude(&s, gp_clock() - started, job->sink);
    }
    gp_simulation_free(&s);
    gp_text_free(&report);
    return err->code;
}

/* One rank works; the others wait for its outcome. */
static int run(gp_job *job, gp_err *err) {
    if (values.out == NULL && !values.dry_run)
        gp_err_set(err, GP_EINPUT,
                   "command line: --out PREFIX is missing: where should the files go?");
    else if (gp_par_rank(job->par) == 0)
        simulate(job, err);
    return gp_par_agree(job->par, err);
}

const gp_command gp_command_simulate = {
    .name = "simulate",
    .summary = "make a cohort with known truth",
    .synopsis = "--out PREFIX [options]",
    .description =
        "Makes genotypes, traits and covariates, and writes PREFIX.h5 (store), PREFIX.pheno.tsv, "
        "PREFIX.covar.tsv and PREFIX.truth.tsv:\n"
        "\n"
        "  gp-dist simulate --samples 2000 --variants 20000 --traits 2 --out cohort\n"
        "\n"
        "Genotypes: each population has 64 founder haplotypes, which descend from each other by a "
        "coalescent with recombination; so there is linkage disequilibrium over some hundred "
        "kilobases, and populations differ (Fst about 0.05). Each sample's haplotypes are mosaics "
        "of its population's founders; one sample in ten stems from two populations. Children "
        "inherit from two samples of the cohort, with crossovers. The map is 1 cM/Mb.\n"
        "\n"
        "Traits have variance 1 and mean 0: the shares asked for by additive, dominance and "
        "epistatic effects; of the rest covariates (age; sex, 1 = male; exposure; batch) make 20%, "
        "ancestry 5%, noise the remainder. A binary trait is 1 where such a sum is above the "
        "threshold that gives the prevalence.\n"
        "\n"
        "The truth file has one line per effect: per copy of the effect allele (additive), of a "
        "heterozygote beyond the middle of the homozygotes (dominance), or of the product of both "
        "variants' copies, less their means (epistasis); of a binary trait on the scale of "
        "liability.\n"
        "\n"
        "The same options give the same bytes, whatever the machine and the number of threads. "
        "Started on several ranks, one of them works.",
    .options = options,
    .values = &values,
    .run = run};
