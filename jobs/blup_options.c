#include "jobs/blup.h"

#include <math.h>

gp_blup_options gp_blup_values = {.selection = {.filter = {NAN, NAN, NAN, NAN}}, .mind = NAN};

#define AT(field) offsetof(gp_blup_options, field)

const gp_option gp_blup_option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    {"store", GP_TEXT, AT(store), "STORE.h5", "the genotype store (made by gp-dist import)", 0, 0,
     NULL},
    {"pheno", GP_TEXT, AT(cohort.pheno), "FILE",
     "table of traits, with a header that starts FID IID or IID", 0, 0, NULL},
    {"pheno-name", GP_TEXT, AT(cohort.pheno_name), "A,B",
     "traits to predict (default: every column)", 0, 0, NULL},
    {"covar", GP_TEXT, AT(cohort.covar), "FILE",
     "table of covariates; the intercept is always in the model", 0, 0, NULL},
    {"covar-name", GP_TEXT, AT(cohort.covar_name), "A,B",
     "numeric covariates to use (default: every column not named by --cat-covar-name)", 0, 0, NULL},
    {"cat-covar-name", GP_TEXT, AT(cohort.cat_covar_name), "A,B", "categorical covariates to use",
     0, 0, NULL},
    {"missing-code", GP_TEXT, AT(cohort.missing_code), "X,Y",
     "further values that mean missing, beside NA, nan and an empty field", 0, 0, NULL},
    {"cc12", GP_FLAG, AT(cohort.cc12), NULL, "binary traits are coded 1 = control, 2 = case", 0, 0,
     NULL},
    {.name = "Samples and variants", .type = GP_HEADING},
    {"keep", GP_TEXT, AT(cohort.keep), "FILE", "use only the samples listed (FID IID lines)", 0, 0,
     NULL},
    {"remove", GP_TEXT, AT(cohort.remove), "FILE", "leave out the samples listed", 0, 0, NULL},
    {"mind", GP_REAL, AT(mind), "F", "leave out samples with a larger share of missing calls", 0, 1,
     NULL},
    {"chr", GP_TEXT, AT(selection.chr), "LIST", "autosomes to use, e.g. 1-22 (default: all)", 0, 0,
     NULL},
    {"extract", GP_TEXT, AT(selection.extract), "FILE", "use only the variant ids listed", 0, 0,
     NULL},
    {"exclude", GP_TEXT, AT(selection.exclude), "FILE", "leave out the variant ids listed", 0, 0,
     NULL},
    {"maf", GP_REAL, AT(selection.filter.maf), "F",
     "leave out variants of smaller minor allele frequency among the samples kept", 0, 0.5, NULL},
    {"mac", GP_REAL, AT(selection.filter.mac), "N",
     "leave out variants of smaller minor allele count", 0, 1e15, NULL},
    {"geno", GP_REAL, AT(selection.filter.geno), "F",
     "leave out variants with a larger share of missing calls", 0, 1, NULL},
    {"hwe", GP_REAL, AT(selection.filter.hwe), "P",
     "leave out variants of smaller Hardy-Weinberg exact p", 0, 1, NULL},
    {.name = "Relationships", .type = GP_HEADING},
    {"grm", GP_TEXT, AT(grm), "FILE",
     "relationship matrix: from gp-dist grm, GCTA's binary form, or text as of GEMMA (default: it "
     "is made, and kept as DIR/grm.h5)",
     0, 0, NULL},
    {"centred", GP_FLAG, AT(centred), NULL,
     "make the matrix from variants that keep their variance, as in GBLUP (the default)", 0, 0,
     NULL},
    {"standardised", GP_FLAG, AT(standardised), NULL,
     "make it from variants of variance 1: rare ones then weigh more", 0, 0, NULL},
    {.name = "Cross-validation", .type = GP_HEADING},
    {"folds", GP_WHOLE, AT(folds.folds), "K",
     "leave out every K-th sample in turn, and predict it from the others", 2, 1e9, NULL},
    {"fold-file", GP_TEXT, AT(folds.file), "FILE",
     "leave out samples by this table instead: FID IID fold, folds being whole numbers", 0, 0,
     NULL},
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "DIR", "directory for the results", 0, 0, NULL},
    {"dry-run", GP_FLAG, AT(dry_run), NULL,
     "check the input, print samples, models and memory; then stop", 0, 0, NULL},
    {0}};

const char gp_blup_description[] =
    "Predicts traits from relationships: the trait is covariates + genetic value + rest, where "
    "genetic values vary together as the relationship matrix says; the variances are estimated by "
    "restricted maximum likelihood, and genetic values by best linear unbiased prediction (GBLUP). "
    "Binary traits are predicted as numbers.\n"
    "\n"
    "With --folds or --fold-file it is cross-validation: each sample is predicted from a model "
    "of the samples of the other folds. Without, all samples with a trait make one model, and all "
    "samples kept are predicted; DIR then also holds that model as effects of variants, for "
    "gp-dist "
    "predict.\n"
    "\n"
    "DIR/predictions.tsv  FID IID trait fold observed, then what covariates alone predict, and "
    "blup\n"
    "DIR/metrics.tsv  trait model fold n r2 r mse auc, for each fold and for all together (with "
    "folds)\n"
    "DIR/variance.tsv  variance components and heritability of each model\n"
    "DIR/effects.tsv.gz, DIR/model.tsv  effects of variants, and of covariates (without folds)\n"
    "\n"
    "The matrix is spread over the ranks: with n samples on R of them, each needs about 24 n n / R "
    "bytes. Results on different numbers of ranks agree to 1e-8.\n"
    "\n"
    "  mpirun -n 16 gp-dist blup --store cohort.h5 --pheno traits.tsv \\\n"
    "      --covar covars.tsv --folds 5 --out cross-validation";

int gp_blup_check(const gp_blup_options *o, gp_err *err) {
    const char *missing = o->store == NULL                ? "--store STORE.h5"
                          : o->cohort.pheno == NULL       ? "--pheno FILE"
                          : o->out == NULL && !o->dry_run ? "--out DIR"
                                                          : NULL;
    if (missing != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: blup needs %s; see gp-dist blup --help",
                          missing);
    if (o->cohort.covar == NULL &&
        (o->cohort.covar_name != NULL || o->cohort.cat_covar_name != NULL))
        return gp_err_set(err, GP_EINPUT,
                          "command line: --covar-name and --cat-covar-name need --covar FILE");
    if (o->standardised && o->centred)
        return gp_err_set(
            err, GP_EINPUT,
            "command line: --standardised and --centred are two forms of a matrix; name one");
    if (o->grm != NULL && (o->standardised || o->centred))
        return gp_err_set(err, GP_EINPUT,
                          "command line: --%s says how to make a matrix, and --grm names one that "
                          "is made",
                          o->centred ? "centred" : "standardised");
    if (o->folds.folds > 0 && o->folds.file != NULL)
        return gp_err_set(
            err, GP_EINPUT,
            "command line: --folds and --fold-file both say who is in which fold; name "
            "one");
    return GP_OK;
}
