#include "jobs/blup.h"
#include "jobs/option_rows.h"

#include <math.h>

gp_blup_options gp_blup_values = {.selection = {.filter = {NAN, NAN, NAN, NAN}}, .mind = NAN};

#define AT(field) offsetof(gp_blup_options, field)

const gp_option gp_blup_option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    GP_ROW_STORE(gp_blup_options),
    GP_ROWS_TABLES(gp_blup_options, "predict"),
    GP_ROWS_AUTOSOMAL(gp_blup_options),
    {.name = "Relationships", .type = GP_HEADING},
    {"grm", GP_TEXT, AT(grm), "FILE",
     "relationship matrix: from gp-dist grm, GCTA's binary form, or text as of GEMMA, of which the "
     "lower triangle is read (default: it "
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
    "DIR/predictions.tsv\tFID IID trait fold observed, then what covariates alone predict, and "
    "blup\n"
    "DIR/metrics.tsv\ttrait model fold n r2 r mse auc, for each fold and for all together (with "
    "folds)\n"
    "DIR/variance.tsv\tvariance components and heritability of each model\n"
    "DIR/effects.tsv.gz, DIR/model.tsv\teffects of variants, and of covariates (without folds)\n"
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
