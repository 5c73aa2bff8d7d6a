/* gp-dist predict: traits of samples from a model. */
#include "jobs/predict.h"
#include "io/file.h"
#include "io/metrics.h"
#include "jobs/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static gp_predict_options values;

#define AT(field) offsetof(gp_predict_options, field)

static const gp_option option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    {"model", GP_TEXT, AT(model), "DIR", "the model: a directory that gp-dist train or blup wrote",
     0, 0, NULL},
    {"store", GP_TEXT, AT(store), "STORE.h5", "genotypes of the samples to predict", 0, 0, NULL},
    {"covar", GP_TEXT, AT(cohort.covar), "FILE,...",
     "tables of their covariates, with the columns that the model was made with", 0, 0, NULL},
    {"missing-code", GP_TEXT, AT(cohort.missing_code), "X,Y",
     "further values that mean missing, beside NA, nan and an empty field", 0, 0, NULL},
    {.name = "Samples", .type = GP_HEADING},
    {"keep", GP_TEXT, AT(cohort.keep), "FILE", "predict only the samples listed (FID IID lines)", 0,
     0, NULL},
    {"remove", GP_TEXT, AT(cohort.remove), "FILE", "leave out the samples listed", 0, 0, NULL},
    {.name = "Run", .type = GP_HEADING},
    {"loco", GP_FLAG, AT(loco), NULL,
     "leave one chromosome out: a column TRAIT@CHROMOSOME for each trait and chromosome of a "
     "network, with that chromosome masked",
     0, 0, NULL},
    {"log-odds", GP_FLAG, AT(log_odds), NULL,
     "a network's binary traits as log odds, which gp-dist assoc --offset takes, not as "
     "probabilities",
     0, 0, NULL},
    {"out", GP_TEXT, AT(out), "FILE.tsv", "table of predictions: FID, IID, a column per trait", 0,
     0, NULL},
    {0}};

static const char description[] =
    "Predicts the model's traits of the samples of a store. A model of effects of variants "
    "(gp-dist blup) joins them by id and alleles, a trained network (gp-dist train) by "
    "chromosome, position and alleles; where the two alleles are swapped, the calls are turned "
    "round. A variant of the model that the store does not have, and a missing call, count as "
    "the mean of the model's samples. Samples that lack a covariate get NA. A network predicts "
    "binary traits as probabilities, or, with --log-odds, as their log odds.\n"
    "\n"
    "With --loco a network predicts once for each of its chromosomes, in columns such as "
    "height@1 and height@X: that chromosome's variants are hidden from it (as in the predictions "
    "of REGENIE's step 1, for tests of the variants of that chromosome). It should be trained "
    "with --chromosome-dropout then.\n"
    "\n"
    "  gp-dist predict --model results --store new.h5 --covar new.covars.tsv \\\n"
    "      --out predicted.tsv";

/* What kinds of models there are, and the file that tells each. */
typedef struct kind {
    const char *file;
    int loco; /* can leave out a chromosome, and knows log odds */
    int (*predict)(gp_predict_run *run, gp_err *err);
} kind;

static const kind kinds[] = {
    {"model.safetensors", 1, gp_predict_network},
    {"effects.tsv.gz", 0, gp_predict_additive},
};

static int check(const gp_predict_options *o, gp_err *err) {
    const char *missing = o->model == NULL   ? "--model DIR"
                          : o->store == NULL ? "--store STORE.h5"
                          : o->out == NULL   ? "--out FILE.tsv"
                                             : NULL;
    if (missing != NULL)
        gp_err_set(err, GP_EINPUT, "command line: predict needs %s; see gp-dist predict --help",
                   missing);
    return err->code;
}

/* Rank 0 looks; all know. Collective. */
static const kind *find_kind(gp_job *job, const gp_predict_options *o, gp_err *err) {
    enum { KINDS = sizeof kinds / sizeof *kinds };
    const char *directory = o->model;
    int64_t found = 0; /* 1 + the kind */
    gp_text path = {0};
    for (int64_t k = 0; gp_par_rank(job->par) == 0 && found == 0 && k < KINDS; k++) {
        path.length = 0;
        if (gp_text_print(&path, err, "%s/%s", directory, kinds[k].file) == GP_OK &&
            access(path.bytes, F_OK) == 0)
            found = 1 + k;
    }
    if (gp_par_rank(job->par) == 0 && found == 0)
        gp_err_set(err, GP_EINPUT,
                   access(directory, F_OK) == 0
                       ? "%s: holds no model (neither %s nor %s is there); gp-dist train, and "
                         "gp-dist blup without --folds, make one"
                       : "%s: is not there, and should be the directory of a model (with %s or "
                         "%s)",
                   directory, kinds[0].file, kinds[1].file);
    gp_text_free(&path);
    if (gp_par_agree(job->par, err) != GP_OK || gp_par_max(job->par, &found, 1, err) != GP_OK)
        return NULL;
    if ((o->loco || o->log_odds) && !kinds[found - 1].loco) {
        gp_err_set(err, GP_EINPUT,
                   "command line: --%s is for networks (made by gp-dist train); %s is a model "
                   "of effects of variants",
                   o->loco ? "loco" : "log-odds", o->model);
        return NULL;
    }
    return &kinds[found - 1];
}

static int load(gp_predict_run *run, gp_err *err) {
    const gp_predict_options *o = run->o;
    gp_cohort_options people = o->cohort;
    people.covar = NULL; /* the model says which columns, and how */
    people.missing_code = NULL;
    if (gp_par_rank(run->job->par) == 0)
        gp_io_check_new_file(o->out, err);
    gp_store_open(&run->store, o->store, err);
    if (gp_par_agree(run->job->par, err) != GP_OK)
        return err->code;
    gp_say(run->job->sink, GP_NOTE, "%s: %lld samples, %lld variants, %lld chromosomes", o->store,
           (long long)gp_store_sample_count(run->store),
           (long long)gp_store_variant_count(run->store),
           (long long)gp_store_chromosome_count(run->store));
    return gp_cohort_load(run->job, &people, run->store, &run->cohort, err);
}

/* On rank 0. */
static int write_table(const gp_predict_run *run, gp_err *err) {
    const gp_samples *samples = &run->cohort.samples;
    gp_text text = {0};
    gp_text_print(&text, err, "FID\tIID");
    for (int64_t t = 0; t < run->traits; t++)
        gp_text_print(&text, err, "\t%s", run->trait[t]);
    gp_text_add(&text, "\n", 1, err);
    for (int64_t i = 0; i < samples->n && err->code == GP_OK; i++) {
        if (!run->cohort.kept[i])
            continue;
        gp_text_print(&text, err, "%s\t%s", gp_samples_fid(samples, i), gp_samples_iid(samples, i));
        for (int64_t t = 0; t < run->traits; t++)
            gp_metrics_number(&text, run->value[i * run->traits + t], err);
        gp_text_add(&text, "\n", 1, err);
    }
    if (err->code == GP_OK)
        gp_io_write_file(run->o->out, text.bytes, text.length, err);
    gp_text_free(&text);
    return err->code;
}

static int start(gp_job *job, gp_err *err) {
    gp_predict_run run = {.job = job, .o = &values};
    const kind *model = NULL;
    check(run.o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(&run, err) == GP_OK &&
        (model = find_kind(job, run.o, err)) != NULL && model->predict(&run, err) == GP_OK) {
        if (gp_par_rank(job->par) == 0)
            write_table(&run, err);
        if (gp_par_agree(job->par, err) == GP_OK)
            gp_say(job->sink, GP_NOTE, "%s: %lld samples, %lld traits", run.o->out,
                   (long long)gp_cohort_kept(&run.cohort), (long long)run.traits);
    }
    for (int64_t t = 0; run.trait != NULL && t < run.traits; t++)
        free(run.trait[t]);
    free(run.trait);
    free(run.value);
    gp_cohort_free(&run.cohort);
    gp_store_close(run.store);
    return err->code;
}

const gp_command gp_command_predict = {.name = "predict",
                                       .summary = "predict traits of samples from a model",
                                       .synopsis =
                                           "--model DIR --store STORE.h5 --out FILE.tsv [options]",
                                       .description = description,
                                       .options = option_table,
                                       .values = &values,
                                       .run = start};
