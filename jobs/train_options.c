#include "jobs/option_rows.h"
#include "jobs/train.h"
#include "src/base/split.h"

#include <math.h>
#include <string.h>

/* Defaults that depend on the data: of small cohorts, and of others. */
static const struct {
    int64_t small; /* samples in use; fewer are a small cohort */
    int64_t layers[2], networks[2];
    double dropout[2];
    double epochs, samples; /* epochs + samples / n; */
    double again;           /* of these, where networks go on from an earlier run's, */
    int64_t least;          /* but at least so many */
    double warmup;          /* share of the steps */
    double validation;
    int64_t batch, shard;
    int64_t tokens, patch; /* patches are variants / tokens, but at least so many */
    int64_t folds;
    double mask;
} defaults = {.small = 5000,
              .layers = {1, 2},
              .networks = {5, 1},
              .dropout = {0.3, 0.1},
              .epochs = 10,
              .samples = 3000,
              .again = 1.0 / 3.0,
              .least = 3,
              .warmup = 0.1,
              .validation = 0.1,
              .batch = 64,
              .shard = 16,
              .tokens = 10,
              .patch = 5,
              .folds = 5,
              .mask = 0.15};

/* All others; 0, -1 and NaN: not said. */
gp_train_options gp_train_values = {.selection = {.filter = {NAN, NAN, NAN, NAN}},
                                    .folds = {.folds = -1},
                                    .mind = NAN,
                                    .channels = 64,
                                    .heads = 2,
                                    .rotary = 0.5,
                                    .training = {.warmup = -1,
                                                 .rate = 1e-3,
                                                 .decay = 0.1,
                                                 .clip = 1.0,
                                                 .dropout = NAN,
                                                 .mask = NAN,
                                                 .checkpoint_minutes = 10},
                                    .validation = NAN,
                                    .seed = 1};

#define AT(field) offsetof(gp_train_options, field)

const gp_option gp_train_option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    GP_ROW_STORE(gp_train_options),
    GP_ROWS_TABLES(gp_train_options, "predict"),
    GP_ROWS_AUTOSOMAL(gp_train_options),
    {.name = "Cross-validation", .type = GP_HEADING},
    {"folds", GP_WHOLE, AT(folds.folds), "K",
     "leave out every K-th sample in turn, and predict it from the others (default 5; 0: none, "
     "metrics are then those of the validation samples)",
     0, 1e9, NULL},
    {"fold-file", GP_TEXT, AT(folds.file), "FILE",
     "leave out samples by this table instead: FID IID fold, folds being whole numbers", 0, 0,
     NULL},
    {"networks", GP_WHOLE, AT(networks), "K",
     "networks of a model, whose outputs are averaged; each leaves out every K-th training sample, "
     "and is measured on those (default 5; 1 from 5,000 samples on)",
     1, 1000, NULL},
    {"validation", GP_REAL, AT(validation), "F",
     "with one network: share of the training samples that it is measured on instead (default 0.1)",
     0, 0.9, NULL},
    {"offsets", GP_FLAG, AT(offsets), NULL,
     "also predict left-out samples without each chromosome in turn, for gp-dist assoc --offset; "
     "train with --chromosome-dropout then (0.1 will do)",
     0, 0, NULL},
    {.name = "Network", .type = GP_HEADING},
    {"patch", GP_WHOLE, AT(patch), "N",
     "consecutive variants that make a token (default: a tenth of all, at least 5)", 1, 1e9, NULL},
    {"layers", GP_WHOLE, AT(layers), "N", "blocks of attention (default 2; 1 below 5,000 samples)",
     1, 1000, NULL},
    {"channels", GP_WHOLE, AT(channels), "N", "numbers that stand for a token (default 64)", 1, 1e6,
     NULL},
    {"heads", GP_WHOLE, AT(heads), "N",
     "parts of a token that attend on their own; divides --channels (default 2)", 1, 1e6, NULL},
    {"rotary", GP_REAL, AT(rotary), "F",
     "share of a head's channels that know the distance between tokens (default 0.5)", 0, 1, NULL},
    {"causal", GP_FLAG, AT(causal), NULL, "a token sees only those before it", 0, 0, NULL},
    {"linear", GP_CHOICE, AT(linear), NULL,
     "additive effects of all variants beside the stack: those of ridge regression (the default), "
     "trained with it, or none",
     0, 0, "ridge|free|none"},
    {.name = "Training", .type = GP_HEADING},
    {"objective", GP_CHOICE, AT(objective), NULL,
     "what to learn: traits (the default), or the genotypes of masked patches from the others, "
     "which needs no --pheno and makes a network for --init",
     0, 0, "traits|masked"},
    {"init", GP_TEXT, AT(init), "DIR",
     "start from the network in DIR, of the same variants and sizes; its heads start anew", 0, 0,
     NULL},
    {"warm-start", GP_TEXT, AT(warm), "DIR",
     "go on from the networks of an earlier run on fewer or other data, which were kept with "
     "--keep-folds: each fold's from the same fold's, which have not seen the samples left out",
     0, 0, NULL},
    {"lora", GP_WHOLE, AT(training.lora), "R",
     "train only updates of rank R of the attention and MLP matrices, and the heads; with --init",
     1, 10000, NULL},
    {"epochs", GP_WHOLE, AT(training.epochs), "N",
     "times that every training sample is seen, at most (default: 10, and 3,000 divided by the "
     "samples; a third of that with --warm-start, at least 3)",
     1, 1e6, NULL},
    {"batch-size", GP_WHOLE, AT(training.batch), "N",
     "samples of a step (default: 64, or all where there are fewer)", 1, 1e9, NULL},
    {"shard-size", GP_WHOLE, AT(shard), "N",
     "samples of a batch that one thread takes at a time; a batch keeps at most --batch-size / N "
     "ranks busy, and results depend on it (default 16)",
     1, 1e9, NULL},
    {"lr", GP_REAL, AT(training.rate), "X", "highest learning rate (default 1e-3)", 0, 10, NULL},
    {"warmup", GP_WHOLE, AT(training.warmup), "N",
     "steps until it is reached; it then falls to 0 as half a cosine (default: a tenth of the "
     "steps)",
     0, 1e9, NULL},
    {"clip", GP_REAL, AT(training.clip), "X",
     "longest gradient; longer ones are shortened to it (default 1; 0: as they are)", 0, 1e9, NULL},
    {"dropout", GP_REAL, AT(training.dropout), "P",
     "chance that a number inside the network is left out in a step (default 0.1; 0.3 below 5,000 "
     "samples)",
     0, 0.99, NULL},
    {"chromosome-dropout", GP_REAL, AT(training.chromosome_dropout), "P",
     "chance that a sample's chromosome is masked in a step: predictions without a chromosome need "
     "it (default 0)",
     0, 0.99, NULL},
    {"mask-rate", GP_REAL, AT(training.mask), "P",
     "share of patches masked with --objective masked (default 0.15)", 0.001, 0.999, NULL},
    {"l2", GP_REAL, AT(training.decay), "X", "decay of weights, times the rate (default 0.1)", 0,
     100, NULL},
    {"l1", GP_REAL, AT(training.l1), "X",
     "pull of the patches' weights to 0, times the rate (default 0)", 0, 100, NULL},
    {"patience", GP_WHOLE, AT(training.patience), "N",
     "stop after so many epochs without a better validation loss, and keep the best one (default "
     "0: train all epochs, and keep the last)",
     0, 1e6, NULL},
    {"seed", GP_WHOLE, AT(seed), "N", "random seed (default 1)", 0, 9e15, NULL},
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "DIR", "directory for the results", 0, 0, NULL},
    {"keep-folds", GP_FLAG, AT(keep_folds), NULL,
     "keep the networks of every fold in DIR/folds, for --warm-start of a later run", 0, 0, NULL},
    {"precision", GP_CHOICE, AT(precision), NULL,
     "numbers of the matrix products (default float32); bf16 is faster where the CPU has it", 0, 0,
     "float32|bf16"},
    {"zero", GP_FLAG, AT(training.zero), NULL,
     "spread the optimizer's memory over the ranks; results are the same", 0, 0, NULL},
    {"checkpoint-minutes", GP_REAL, AT(training.checkpoint_minutes), "X",
     "save the training that often, beside the end of every epoch (default 10)", 0, 1e6, NULL},
    {"checkpoint-steps", GP_WHOLE, AT(training.checkpoint_steps), "N",
     "save it after so many steps instead", 1, 1e9, NULL},
    {"restart", GP_FLAG, AT(restart), NULL,
     "start afresh in a directory that holds another run, or an unfinished one", 0, 0, NULL},
    {"dry-run", GP_FLAG, AT(dry_run), NULL,
     "check the input, print samples, tokens, parameters, memory and steps; then stop", 0, 0, NULL},
    {0}};

const char gp_train_description[] =
    "Trains a transformer that predicts traits from genotypes. A sample is a sequence of tokens: "
    "patches of consecutive variants (autosomes), each with its own weights, and a token per "
    "covariate. Quantitative traits are fitted by squared error, binary ones by cross-entropy; a "
    "sample without a trait still counts for the others. Beside the stack of attention runs an "
    "additive path, ridge regression on all variants.\n"
    "\n"
    "Every training is measured on samples that it has not seen, next to covariates alone and to "
    "ridge regression on the same folds, and the table at the end shows them side by side. After "
    "the folds the network is trained once more, on all samples: that one is kept, for gp-dist "
    "predict and explain.\n"
    "\n"
    "DIR/metrics.tsv\ttrait model fold n r2 r mse auc, for each fold and for all together\n"
    "DIR/predictions.tsv\tFID IID trait fold observed covariates ridge transformer, of left-out "
    "samples\n"
    "DIR/heritability.tsv\ttrait fold samples heritability, that of ridge regression's penalty\n"
    "DIR/offsets.ridge.tsv.gz, DIR/offsets.transformer.tsv.gz\twith --offsets: FID IID, then for "
    "each trait the prediction of left-out samples, and TRAIT@CHROMOSOME without each chromosome; "
    "log odds of binary traits\n"
    "DIR/training.tsv\tlosses, learning rate and gradient of every epoch; "
    "DIR/tensorboard the same for TensorBoard\n"
    "DIR/config.json, DIR/model.safetensors\tthe network, its tensors by name\n"
    "DIR/variants.tsv.gz\tthe variants it reads, and their additive effects\n"
    "DIR/checkpoint\twhat an interrupted run continues from\n"
    "\n"
    "  mpirun -n 16 gp-dist train --store cohort.h5 --pheno traits.tsv \\\n"
    "      --covar covars.tsv --folds 5 --out model\n"
    "\n"
    "A signal (SIGTERM, SIGUSR1) ends it with status 75 and the training saved; the same command "
    "continues, on any number of ranks. All files are the same, byte for byte, for any number of "
    "ranks and threads and any interruption.\n"
    "\n"
    "First learn from genotypes alone, then fine-tune on few samples with a trait:\n"
    "\n"
    "  gp-dist train --store cohort.h5 --objective masked --out pretrained\n"
    "  gp-dist train --store cohort.h5 --pheno traits.tsv --init pretrained \\\n"
    "      --lora 8 --out tuned";

/* ---- what goes with what ---- */

static int check_masked(const gp_train_options *o, gp_err *err) {
    const char *other = o->folds.folds > 0        ? "--folds"
                        : o->folds.file != NULL   ? "--fold-file"
                        : o->linear != NULL       ? "--linear"
                        : o->validation == 0.0    ? "--validation 0"
                        : o->networks > 1         ? "--networks"
                        : o->cohort.pheno != NULL ? "--pheno"
                        : o->offsets              ? "--offsets"
                        : o->keep_folds           ? "--keep-folds"
                        : o->warm != NULL         ? "--warm-start"
                                                  : NULL;
    if (other != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: %s does not go with --objective masked, which learns from "
                          "genotypes and is measured on its validation samples",
                          other);
    return GP_OK;
}

static int check_others(const gp_train_options *o, gp_err *err) {
    if (o->cohort.covar == NULL &&
        (o->cohort.covar_name != NULL || o->cohort.cat_covar_name != NULL))
        return gp_err_set(err, GP_EINPUT,
                          "command line: --covar-name and --cat-covar-name need --covar FILE");
    if (o->folds.folds >= 0 && o->folds.file != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --folds and --fold-file both say who is in which fold; "
                          "name one");
    if (o->folds.folds == 1)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --folds 1 leaves nobody to train with; 2 or more, or 0");
    if (o->offsets && o->folds.folds == 0 && o->folds.file == NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --offsets are predictions of samples that folds leave "
                          "out; --folds 0 leaves out none");
    if (o->warm != NULL && o->init != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --warm-start and --init both say what to start from; name "
                          "one");
    if (o->training.lora > 0 && o->init == NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --lora updates a network that is there; name it with "
                          "--init DIR");
    if (o->training.batch > 0 && o->shard > o->training.batch)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --shard-size %lld is more than --batch-size %lld",
                          (long long)o->shard, (long long)o->training.batch);
    return GP_OK;
}

int gp_train_check(gp_train_options *o, gp_err *err) {
    int masked = o->objective != NULL && strcmp(o->objective, "masked") == 0;
    const char *missing = o->store == NULL                     ? "--store STORE.h5"
                          : o->cohort.pheno == NULL && !masked ? "--pheno FILE"
                          : o->out == NULL && !o->dry_run      ? "--out DIR"
                                                               : NULL;
    if (missing != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: train needs %s; see gp-dist train --help",
                          missing);
    if (!masked && !isnan(o->training.mask))
        return gp_err_set(err, GP_EINPUT, "command line: --mask-rate is for --objective masked");
    if (masked && check_masked(o, err) != GP_OK)
        return err->code;
    if (check_others(o, err) != GP_OK)
        return err->code;
    if (o->folds.folds < 0)
        o->folds.folds = o->folds.file != NULL || masked ? 0 : defaults.folds;
    if (isnan(o->training.mask))
        o->training.mask = masked ? defaults.mask : 0.0;
    o->objective = masked ? "masked" : "traits";
    o->linear = o->linear == NULL ? "ridge" : o->linear;
    o->precision = o->precision == NULL ? "float32" : o->precision;
    return GP_OK;
}

/* ---- what was not said ---- */

void gp_train_settle(gp_train_options *o, int64_t samples) {
    int large = samples >= defaults.small, masked = strcmp(o->objective, "masked") == 0;
    if (isnan(o->validation))
        o->validation = defaults.validation;
    if (isnan(o->training.dropout))
        o->training.dropout = defaults.dropout[large];
    if (o->training.epochs == 0) {
        double epochs = defaults.epochs + defaults.samples / (double)gp_most(samples, 1);
        o->training.epochs = (int64_t)(epochs + 0.5);
        if (o->warm != NULL)
            o->training.epochs = gp_most((int64_t)(epochs * defaults.again + 0.5), defaults.least);
    }
    if (o->layers == 0)
        o->layers = defaults.layers[large];
    if (o->networks == 0)
        o->networks =
            masked || samples < 10 * defaults.networks[large] ? 1 : defaults.networks[large];
    o->training.seed = (uint64_t)o->seed;
}

void gp_train_settle_steps(gp_train_options *o, int64_t least, int64_t most) {
    if (o->training.batch == 0)
        o->training.batch = gp_least(gp_most(defaults.batch, o->shard), least);
    if (o->shard == 0)
        o->shard = gp_least(defaults.shard, o->training.batch);
    if (o->training.warmup < 0)
        o->training.warmup = (int64_t)(defaults.warmup * (double)o->training.epochs *
                                       (double)gp_units(most, o->training.batch));
}

int64_t gp_train_patch(int64_t variants) {
    return gp_least(gp_most(gp_units(variants, defaults.tokens), defaults.patch), variants);
}
