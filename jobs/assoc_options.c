#include "jobs/assoc_options.h"
#include "jobs/option_rows.h"

#include <math.h>
#include <string.h>

gp_assoc_options gp_assoc_values = {.selection = {.filter = {NAN, NAN, NAN, NAN}},
                                    .mind = NAN,

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
    {"model", GP_CHOICE, AT(model), "linear|lmm",
     "regression model: linear (the default), or lmm, a mixed model for cohorts with relatives", 0,
     0, "linear|lmm"},
    {"missing", GP_CHOICE, AT(missing), "exact|mean",
     "missing calls: leave the sample out for that variant (exact, the default but for lmm), or "
     "impute the mean",
     0, 0, "exact|mean"},
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
    "covariates, or, with --model lmm, a linear mixed model whose samples are related. "
    "Traits with the same missing values share one pass over the genotypes. Males' calls on X "
    "count 0 or 2 as they are coded in the input.\n"
    "\n"
    "For each trait, DIR/TRAIT.tsv.gz holds one line per tested variant: chromosome, "
    "base_pair_location, "
    "effect_allele, other_allele, beta, standard_error, effect_allele_frequency, p_value, n, id, "
    "statistic, neg_log_10_p_value, status. It is tab separated, BGZF compressed, sorted, indexed "
    "by "
    "tabix (.tbi), and described by TRAIT.tsv.gz-meta.yaml. Status says OK, or why there is no "
    "number: CONSTANT, "
    "ALL_MISSING, COLLINEAR, FEW_SAMPLES, NO_CONVERGENCE.\n"
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

static int check_mixed(const gp_assoc_options *o, gp_err *err) {
    int mixed = gp_assoc_is_mixed(o);
    const char *only = o->lmm != NULL   ? "lmm"
                       : o->grm != NULL ? "grm"
                       : o->loco        ? "loco"
                       : o->no_loco     ? "no-loco"
                                        : NULL;
    if (!mixed && only != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: --%s goes with --model lmm", only);
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
    return check_mixed(o, err);
}
