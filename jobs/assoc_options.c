#include "jobs/assoc_options.h"
#include "jobs/option_rows.h"

#include <math.h>
#include <string.h>

gp_assoc_options gp_assoc_values = {.selection = {.filter = {NAN, NAN, NAN, NAN}},
                                    .mind = NAN,
                                    .firth_threshold = NAN,
                                    .ci = NAN,
                                    .seed = 1};

#define AT(field) offsetof(gp_assoc_options, field)

const gp_option gp_assoc_option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    GP_ROW_STORE(gp_assoc_options),
    GP_ROWS_TABLES(gp_assoc_options, "test"),
    {"pca", GP_WHOLE, AT(pca), "K",
     "add K principal components of the samples to the covariates (autosomal variants of frequency "
     "0.05 or more with at most 5% missing calls)",
     1, 1000, NULL},
    GP_ROWS_FILTERS(
        gp_assoc_options, "chromosomes to test, e.g. 1-22,X",
        "leave out variants of smaller Hardy-Weinberg exact p (X: in females; Y and MT: "
        "no test)"),
    {.name = "Model", .type = GP_HEADING},
    {"model", GP_CHOICE, AT(model), "linear|logistic|lmm",
     "regression model: linear (binary traits are numbers too), logistic (other traits are left "
     "out), or lmm, a mixed model for cohorts with relatives (default: logistic for binary traits, "
     "linear for the others)",
     0, 0, "linear|logistic|lmm"},
    {"missing", GP_CHOICE, AT(missing), "exact|mean",
     "missing calls: leave the sample out for that variant (exact, the default but for lmm), or "
     "impute the mean",
     0, 0, "exact|mean"},
    {"offset", GP_TEXT, AT(offset), "FILE,...",
     "tables of predictions to start from, with columns TRAIT@CHROMOSOME (for tests of the "
     "variants "
     "of that chromosome) or TRAIT: in the trait's units, of binary traits log odds, as gp-dist "
     "train --offsets writes them (and predict --loco --log-odds)",
     0, 0, NULL},
    {"offset-name", GP_TEXT, AT(offset_name), "A,B",
     "traits that have offsets (default: all); the others are tested without", 0, 0, NULL},
    {.name = "Binary traits", .type = GP_HEADING},
    {"test", GP_CHOICE, AT(test), "score|firth|spa|wald",
     "score: the score test for every variant; firth (the default): and Firth's penalised "
     "likelihood where its p is below --firth-threshold; spa: or the saddlepoint approximation "
     "there; wald: maximum likelihood for every variant",
     0, 0, "score|firth|spa|wald"},
    {"firth-threshold", GP_REAL, AT(firth_threshold), "P",
     "of the score test's p, for --test firth and spa (default 0.05; 1: every variant)", 0, 1,
     NULL},
    {"firth", GP_CHOICE, AT(firth), "approx|exact",
     "Firth's likelihood over the variant alone, with the covariates' effects held (approx, the "
     "default, as REGENIE's), or over the covariates too (exact, some ten times the work; "
     "PLINK 2's beta and standard error)",
     0, 0, "approx|exact"},
    {"ci", GP_REAL, AT(ci), "LEVEL",
     "columns odds_ratio, ci_lower, ci_upper: the interval of this level, e.g. 0.95, from beta and "
     "its standard error (Firth's p is the likelihood ratio's)",
     0.01, 1, NULL},
    {.name = "Mixed models (--model lmm)", .type = GP_HEADING},
    {"lmm", GP_CHOICE, AT(lmm), "exact|fixed",
     "ratio of variances: each variant's own (exact, the default), or the null model's for all "
     "(fixed, quicker)",
     0, 0, "exact|fixed"},
    {"grm", GP_TEXT, AT(grm), "FILE",
     "relationship matrix: from gp-dist grm, GCTA's binary form, or text as of GEMMA, of which the "
     "lower triangle is read (default: it "
     "is made from autosomal variants of frequency 0.01 or more with at most 5% missing calls, and "
     "kept as DIR/grm.h5)",
     0, 0, NULL},
    {"loco", GP_FLAG, AT(loco), NULL,
     "leave the tested chromosome out of the relationships (the default where there are several)",
     0, 0, NULL},
    {"no-loco", GP_FLAG, AT(no_loco), NULL, "the same relationships for all chromosomes", 0, 0,
     NULL},
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "DIR", "directory for the result tables", 0, 0, NULL},
    {"sample-shards", GP_WHOLE, AT(sample_shards), "S",
     "spread the samples over S ranks of a group; for cohorts whose samples x columns do not fit "
     "one rank (default 1; lmm: as many as keep the eigenvectors within 4 GiB on each)",
     1, 100000, NULL},
    {"seed", GP_WHOLE, AT(seed), "N", "random seed of --pca (default 1)", 0, 9e15, NULL},
    {"dry-run", GP_FLAG, AT(dry_run), NULL,
     "check the input, print samples, plan by chromosome and rank, memory, disk and work; then "
     "stop",
     0, 0, NULL},
    {0}};

const char gp_assoc_description[] =
    "Tests every variant of the store for association with every trait: linear regression of the "
    "trait on the number of copies of the effect allele (ALT: column 5 of a .bim) and the "
    "covariates, logistic regression where the trait is binary (0/1, or 1/2 with --cc12), or, with "
    "--model lmm, a linear mixed model whose samples are related. "
    "Traits with the same missing values share one pass over the genotypes. Males' calls on X "
    "count 0 or 2 as they are coded in the input.\n"
    "\n"
    "For each trait, DIR/TRAIT.tsv.gz holds one line per tested variant: chromosome, "
    "base_pair_location, "
    "effect_allele, other_allele, beta, standard_error, effect_allele_frequency, p_value, n, id, "
    "statistic, neg_log_10_p_value, status. It is tab separated, BGZF compressed, sorted, indexed "
    "by "
    "tabix (.tbi), and described by TRAIT.tsv.gz-meta.yaml. DIR/filters.tsv counts the samples and "
    "variants that were left out, by reason. Status says OK, or why there is no "
    "number: CONSTANT, "
    "ALL_MISSING, COLLINEAR, FEW_SAMPLES, NO_CONVERGENCE, SEPARATION.\n"
    "\n"
    "Of a binary trait beta is the log of the odds ratio per copy, and the columns n_cases, "
    "n_controls, effect_allele_frequency_cases, effect_allele_frequency_controls and test (SCORE, "
    "FIRTH, SPA, WALD) follow, then those of --ci. Firth's p is that of the penalised likelihood "
    "ratio; with --missing exact, a variant whose missing calls go with the trait goes to its "
    "exact "
    "form. Betas of SCORE and SPA are one step from none. A binary trait with fewer than 10 cases "
    "or controls is left out, with a warning.\n"
    "\n"
    "--offset takes predictions of each trait that were made without the variants of the tested "
    "chromosome: a quantitative trait is tested less its prediction, a binary one has it as log "
    "odds in every model. They may stand in several tables, and the best column of all is taken: "
    "TRAIT@CHROMOSOME, or else TRAIT. Samples without any are left out of the trait.\n"
    "\n"
    "The result files are the same, byte for byte, for any number of ranks, threads and sample "
    "shards; those of mixed models agree to 1e-8.\n"
    "\n"
    "Mixed models also write DIR/variance.tsv: for each trait, and each chromosome left out, the "
    "variance components by restricted maximum likelihood, the heritability and its standard "
    "error. "
    "Missing calls count as the variant's mean.\n"
    "\n"
    "  mpirun -n 64 gp-dist assoc --store cohort.h5 --pheno traits.tsv \\\n"
    "      --covar covars.tsv --maf 0.01 --out results";

int gp_assoc_is_mixed(const gp_assoc_options *o) {
    return o->model != NULL && strcmp(o->model, "lmm") == 0;
}

const char *gp_assoc_missing(const gp_assoc_options *o) {
    if (o->missing != NULL)
        return o->missing;
    return gp_assoc_is_mixed(o) ? "mean" : "exact";
}

int gp_assoc_is_linear(const gp_assoc_options *o) {
    return o->model != NULL && strcmp(o->model, "linear") == 0;
}

/* ---- binary traits ---- */

const char *gp_assoc_binary_option(const gp_assoc_options *o) {
    return o->test != NULL              ? "test"
           : !isnan(o->firth_threshold) ? "firth-threshold"
           : o->firth != NULL           ? "firth"
           : !isnan(o->ci)              ? "ci"
                                        : NULL;
}

static const char *test_of(const gp_assoc_options *o) {
    return o->test != NULL ? o->test : "firth";
}

static int is_approximate(const gp_assoc_options *o) {
    return o->firth == NULL || strcmp(o->firth, "approx") == 0;
}

gp_scan_logistic_options gp_assoc_tests(const gp_assoc_options *o) {
    const char *test = test_of(o);
    gp_logit_kind firth = is_approximate(o) ? GP_LOGIT_APPROX : GP_LOGIT_FIRTH;
    return (gp_scan_logistic_options){.score = strcmp(test, "score") == 0,
                                      .kind = strcmp(test, "wald") == 0  ? GP_LOGIT_WALD
                                              : strcmp(test, "spa") == 0 ? GP_LOGIT_SPA
                                                                         : firth,
                                      .threshold =
                                          isnan(o->firth_threshold) ? 0.05 : o->firth_threshold,
                                      .exact = strcmp(gp_assoc_missing(o), "exact") == 0};
}

int gp_assoc_test_words(const gp_assoc_options *o, gp_text *words, gp_err *err) {
    gp_scan_logistic_options tests = gp_assoc_tests(o);
    const char *full = tests.kind == GP_LOGIT_SPA      ? "saddlepoint approximation"
                       : tests.kind == GP_LOGIT_APPROX ? "approximate Firth likelihood ratio"
                                                       : "Firth likelihood ratio";
    if (tests.score || !(tests.threshold > 0.0))
        return gp_text_print(words, err, "score");
    if (tests.kind == GP_LOGIT_WALD)
        return gp_text_print(words, err, "Wald");
    if (tests.threshold >= 1.0)
        return gp_text_print(words, err, "%s", full);
    return gp_text_print(words, err, "score, where its p is below %g %s", tests.threshold, full);
}

static int check_binary(const gp_assoc_options *o, gp_err *err) {
    const char *only = gp_assoc_binary_option(o), *test = test_of(o);
    if (only != NULL && (gp_assoc_is_mixed(o) || gp_assoc_is_linear(o)))
        return gp_err_set(err, GP_EINPUT,
                          "command line: --%s is for binary traits in logistic models, not for "
                          "--model %s",
                          only, o->model);
    if (o->firth != NULL && strcmp(test, "firth") != 0)
        return gp_err_set(err, GP_EINPUT, "command line: --firth does not go with --test %s", test);
    if (!isnan(o->firth_threshold) && strcmp(test, "firth") != 0 && strcmp(test, "spa") != 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --firth-threshold goes with --test firth or spa; %s takes "
                          "every variant",
                          test);
    if (o->ci <= 0.0 || o->ci >= 1.0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --ci: a level lies between 0 and 1, e.g. 0.95");
    return GP_OK;
}

/* ---- all ---- */

static int check_mixed(const gp_assoc_options *o, gp_err *err) {
    int mixed = gp_assoc_is_mixed(o);
    const char *not = o->offset_name != NULL ? "offset-name" : o->offset != NULL ? "offset" : NULL;
    const char *only = o->lmm != NULL   ? "lmm"
                       : o->grm != NULL ? "grm"
                       : o->loco        ? "loco"
                       : o->no_loco     ? "no-loco"
                                        : NULL;
    if (!mixed && only != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: --%s goes with --model lmm", only);
    if (mixed && not != NULL)
        return gp_err_set(
            err, GP_EINPUT,
            "command line: --%s does not go with --model lmm, which has the relatives' "
            "share in the model already",
            not );
    if (o->offset_name != NULL && o->offset == NULL)
        return gp_err_set(err, GP_EINPUT, "command line: --offset-name needs --offset FILE");
    if (o->loco && o->no_loco)
        return gp_err_set(err, GP_EINPUT, "command line: --loco and --no-loco exclude each other");
    if (mixed && o->missing != NULL && strcmp(o->missing, "exact") == 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: a mixed model cannot leave samples out for one variant; "
                          "with --model lmm missing calls are the mean (--missing mean)");
    return GP_OK;
}

int gp_assoc_check(const gp_assoc_options *o, gp_err *err) {
    const char *missing = o->store == NULL                ? "--store STORE.h5"
                          : o->cohort.pheno == NULL       ? "--pheno FILE"
                          : o->out == NULL && !o->dry_run ? "--out DIR"
                                                          : NULL;
    if (missing != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: assoc needs %s; see gp-dist assoc --help",
                          missing);
    if (o->cohort.covar == NULL &&
        (o->cohort.covar_name != NULL || o->cohort.cat_covar_name != NULL))
        return gp_err_set(err, GP_EINPUT,
                          "command line: --covar-name and --cat-covar-name need --covar FILE");
    if (check_mixed(o, err) == GP_OK)
        check_binary(o, err);
    return err->code;
}
