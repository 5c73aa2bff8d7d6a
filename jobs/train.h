/** What the parts of `gp-dist train` share: options and the state of a run; the models it trains;
 *  its directory and tables. For jobs/train*.c only. All functions are collective unless said. */
#ifndef GP_JOBS_TRAIN_H
#define GP_JOBS_TRAIN_H

#include "io/metrics.h"
#include "io/network.h"
#include "io/safetensors.h"
#include "jobs/folds.h"
#include "jobs/patches.h"
#include "jobs/ridge.h"
#include "jobs/trainer.h"

typedef struct gp_train_options {
    const char *store, *out, *init, *warm;
    gp_cohort_options cohort;
    gp_selection_options selection;
    gp_folds_options folds; /* folds -1: not said */
    double mind;
    int64_t patch, layers, channels, heads;
    double rotary; /* share of a head's channels */
    int causal;
    const char *objective, *linear, *precision; /* NULL: not said */
    gp_trainer_settings training;               /* but for its seed */
    double validation;                          /* share of the training samples */
    int64_t networks;                           /* whose outputs are averaged */
    int64_t shard;                              /* samples of a gradient shard, about */
    int64_t seed;
    int offsets, keep_folds;
    int restart, dry_run;
} gp_train_options;

extern gp_train_options gp_train_values;
extern const gp_option gp_train_option_table[];
extern const char gp_train_description[];

/** GP_EINPUT where something is needed, or does not go with something else. Settles what was not
 *  said. Local. */
int gp_train_check(gp_train_options *o, gp_err *err);

/** Settles what the user did not say, by the number of samples in use. Local. */
void gp_train_settle(gp_train_options *o, int64_t samples);

/** The same of steps, by the fewest and the most samples that a network is trained with. Local. */
void gp_train_settle_steps(gp_train_options *o, int64_t least, int64_t most);

/** Variants of a patch where the user did not say. Local. */
int64_t gp_train_patch(int64_t variants);

typedef struct gp_train_run {
    gp_job *job;
    gp_train_options settled;  /* what the user said; what was not said is settled by the data */
    const gp_train_options *o; /* the same */
    int masked;                /* --objective masked */
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    gp_folds folds; /* for --folds 0: fold 0 is the validation split */
    int split;      /* 1: that is so */
    int64_t traits;
    int64_t *trait; /* [traits] numbers in the cohort */
    int64_t models; /* a fold each, and the one of all samples */
    /* Made once for all models. */
    int64_t n;       /* samples in use */
    int64_t *sample; /* [n] of the store, ascending */
    gp_slots slots;
    gp_ridge ridge;
    int64_t *row;                        /* [n] their numbers among the ridge's samples */
    gp_kinship_variants counted;         /* without baselines */
    const gp_kinship_variants *variants; /* those, or the baselines' */
    double *mean, *scale;                /* [variants->total] */
    gp_patches patches;
    gp_nn_loss *loss;           /* [traits] */
    gp_io_covariate *covariate; /* [cohort.covariates] */
    double *z;                  /* [n x covariates] standardised */
    gp_resident calls;
    gp_nn_engine *engine;  /* of the training; */
    gp_nn_engine *float32; /* of predictions, as in gp-dist predict */
    gp_nn_model model;
    float *given; /* [given_networks x parameters] of --init, or of the model in hand with
                     --warm-start; or NULL */
    int64_t given_networks;
    int32_t *earlier; /* --warm-start: [models x n] what a sample was to the earlier run's model:
                         GP_EARLIER_..., or 1 + the network that it measured; or NULL */
    uint8_t *cold;    /* [models] 1 = starts anew all the same */
    uint8_t *taken;   /* [tensors] 1 = starts as given */
    uint8_t *frozen;  /* [tensors] 1 = is not trained */
    char digest[33];  /* of all that results depend on */
    gp_text begin;    /* run.txt, where the directory's run is to begin here */
    int fresh;        /* it has begun here; rank 0 */
    /* What is found. */
    uint8_t *done;   /* [models x networks] kept by an earlier run, or by this one */
    double *output;  /* [models x n x traits] predictions in the traits' units; rank 0 */
    gp_text *log;    /* [models x networks] lines of training.tsv; rank 0 */
    double *without; /* --offsets: [patches.chromosomes + 1][n x traits] of the samples that a fold
                        leaves out. First what each chromosome adds to the ridge's prediction, in
                        its units; once their model is done, predictions without each chromosome,
                        and with all: in the trait's units, or log odds. Rank 0 */
} gp_train_run;

typedef struct gp_train_model gp_train_model;

/** The number of the fold that a model leaves out; -1: none. Local. */
static inline int64_t gp_train_fold(const gp_train_run *run, int64_t model) {
    return run->split || model == run->folds.count ? -1 : model;
}

/** A sample that an earlier run did not have; that its model left out; that trained all its
 *  networks. */
enum { GP_EARLIER_NONE = -2, GP_EARLIER_OUT = -1, GP_EARLIER_TRAINED = 0 };

enum { GP_TRAIN_NAME = 32 /* bytes */ };

/** Files of --offsets. */
#define GP_TRAIN_RIDGE_OFFSETS "offsets.ridge.tsv.gz"
#define GP_TRAIN_OFFSETS "offsets.transformer.tsv.gz"

/** A fold's name, "all" for -1 ("validation" for the one of --folds 0). Local. */
void gp_train_fold_name(const gp_train_run *run, int64_t fold, char name[GP_TRAIN_NAME]);

/** ---- jobs/train_data.c ---- */

/** Reads the input: store, tables, folds; lists traits and samples in use. */
int gp_train_load(gp_train_run *run, gp_err *err);

/** Patches, covariates and slots of the variants that count; the shape of the network. */
int gp_train_prepare(gp_train_run *run, gp_err *err);

/** Room for the network's parameters; this rank's genotypes. */
int gp_train_room(gp_train_run *run, gp_err *err);

/** Frees everything. Local. */
void gp_train_free(gp_train_run *run);

/** ---- jobs/train_roles.c ---- */

/** Who trains a network, and who says when it was best: GP_ROLE_... of each sample in use. Of
 *  several networks, number k is measured on every K-th training sample from the k-th on; of one,
 *  on a share of them, those of the smallest random numbers. Where networks go on from those of an
 *  earlier run, a sample measures what it measured there, and never what it trained. Local.
 *    role  out  [n] */
int gp_train_roles(const gp_train_run *run, int64_t model, int64_t network, uint8_t *role,
                   gp_err *err);

/** How many samples have a role. Local. */
int64_t gp_train_count(const gp_train_run *run, const uint8_t *role, int which);

/** ---- jobs/train_init.c ---- */

/** Takes the tensors that a network to start from shares with this one: sets run->given and
 *  run->taken.
 *    heads  in  1: those of the traits too
 *  GP_EINPUT where shapes differ. Local. */
int gp_train_give(gp_train_run *run, const gp_io_network *from, const char *directory, int heads,
                  gp_err *err);

/** Reads --init, where there is one, and says which tensors are trained: sets run->given,
 *  run->taken, run->frozen. GP_EINPUT where its network is of another shape, or of other variants.
 */
int gp_train_init(gp_train_run *run, gp_err *err);

/** ---- jobs/train_folds.c: networks of all models, for runs that go on from them ---- */

/** Writes DIR/folds/FOLD: config.json, model.safetensors, the networks as the training left them.
 *  On rank 0, before gp_train_joined. Local. */
int gp_train_folds_add(const gp_train_run *run, const gp_train_model *m, gp_err *err);

/** Writes DIR/folds/samples.tsv: FID IID, then a column per model: NA where it left the sample out,
 *  0 where all its networks were trained on it, else the network that it measured, from 1. */
int gp_train_folds_end(gp_train_run *run, gp_err *err);

/** Removes DIR/folds. Local. */
void gp_train_folds_forget(const gp_train_run *run);

/** ---- jobs/train_warm.c: --warm-start ---- */

/** Takes layers and networks from the earlier run where the user did not say. */
int gp_train_warm_settle(gp_train_run *run, gp_err *err);

/** Reads who trained what there: sets run->earlier and run->cold. GP_EINPUT where its folds are
 *  others. A model that has seen a sample which it shall leave out starts anew: a warning. */
int gp_train_warm_load(gp_train_run *run, gp_err *err);

/** Takes the model's networks of the earlier run: sets run->given. GP_EINPUT where they have other
 *  traits, or another shape. */
int gp_train_warm_take(gp_train_run *run, int64_t model, gp_err *err);

/** Says beside the closing table what the earlier run's was. On rank 0. Local. */
void gp_train_warm_tell(const gp_train_run *run);

/** ---- jobs/train_join.c: how the additive path and the networks are joined ---- */

/** What one trait's numbers are in the networks' units: from + by * value. */
typedef struct gp_train_unit {
    double ridge_from, ridge_by; /* of what ridge predicts */
    double alone_from, alone_by; /* of what covariates alone predict */
    double scale;                /* of the stacks, so that they fit best beside the covariates */
    double gamma;                /* the share of the networks in the prediction */
} gp_train_unit;

/** A model on its way: of a fold, or of all samples. Arrays are [n x traits]. */
struct gp_train_model {
    const gp_train_run *run;
    int64_t number;           /* in the run, and among the ridge's models */
    char name[GP_TRAIN_NAME]; /* of its fold, or "all" */
    uint8_t *role;            /* [n] of the network in hand */
    double *target;           /* what the networks are trained on, in their units; NaN: missing */
    double *offset;           /* added to their outputs in training */
    double *output;           /* of the network in hand, offset included; then as mean, but log
                                 odds of binary traits */
    double *mean;             /* over the networks; then predictions in the traits' units */
    double *blind;            /* of the network that was not trained on a sample; else NaN */
    double *effect; /* [variants x traits] the ridge's, per standardised dosage; NULL but in the
                       last model */
    gp_train_unit *unit; /* [traits] */
    gp_io_trait *trait;  /* [traits] how a trait follows from the networks */
    double *fixed;       /* [traits x covariates] their effects */
    float *parameter;    /* [networks x parameters] of the last model; rank 0; or NULL */
    int linear;          /* the linear path is part of the outputs in training */
};

int gp_train_model_init(gp_train_model *m, const gp_train_run *run, int64_t number, gp_err *err);
void gp_train_model_free(gp_train_model *m);

/** Sets targets and offsets for the training. Local. GP_EFAIL where memory is refused. */
int gp_train_join(gp_train_model *m, gp_err *err);

/** After the training: makes predictions of mean and blind, and of the parameters those of networks
 *  that predict alone. Local. */
void gp_train_joined(gp_train_model *m);

/** The prediction of a sample from the networks' mean output and what ridge predicts: in the
 *  trait's units, or log odds. After gp_train_joined. Local. */
double gp_train_predict(const gp_train_model *m, int64_t t, int64_t i, double output, double ridge);

/** ---- jobs/train_models.c ---- */

/** What the baselines are asked for. Local. */
gp_ridge_plan gp_train_ridge_plan(gp_train_run *run);

/** Trains every network that is not done yet, and predicts. */
int gp_train_models(gp_train_run *run, gp_err *err);

/** "fold 2, network 3", for notes. Local. */
void gp_train_name(const gp_train_model *m, int64_t network, char name[3 * GP_TRAIN_NAME]);

/** ---- jobs/train_hidden.c: a fold's networks without each chromosome ---- */

/** Outputs of one of the model's networks, for the samples that its fold leaves out, with each
 *  chromosome masked in turn: in DIR/checkpoint, unless an earlier run left them there. GP_ESTOP
 *  after a signal.
 *    there  in  1: run->model is the network in hand; 0: what was kept of it is read */
int gp_train_hide(gp_train_run *run, gp_train_model *m, int64_t network, int there, gp_err *err);

/** Reads them: the mean over the networks. Rank 0. Local.
 *    mean  out  [chromosomes x left-out samples x traits] */
int gp_train_hidden(gp_train_run *run, const gp_train_model *m, double *mean, gp_err *err);

/** ---- jobs/train_offsets.c: leave-one-chromosome-out predictions of left-out samples ---- */

/** Finds what each chromosome adds to the ridge's predictions, and writes the ridge's table. */
int gp_train_offsets_begin(gp_train_run *run, gp_err *err);

/** Takes a fold's model, joined (gp_train_joined): sets its left-out samples in run->without. Rank
 *  0. Local. */
int gp_train_offsets_add(gp_train_run *run, const gp_train_model *m, gp_err *err);

/** Writes the networks' table. */
int gp_train_offsets_end(gp_train_run *run, gp_err *err);

/** ---- jobs/train_network.c ---- */

/** Writes config.json, model.safetensors and variants.tsv.gz, on rank 0. Local. */
int gp_train_network(const gp_train_run *run, const gp_train_model *m, gp_err *err);

/** The first two alone, of parameters as they are, into a directory. Local. */
int gp_train_network_in(const gp_train_model *m, const char *directory, gp_err *err);

/** ---- jobs/train_keep.c: the directory of an interrupted run ---- */

/** Compares the directory with what is asked for, and changes nothing in it. GP_EINPUT where it
 *  holds another run, or another command's results, without --restart.
 *    finished  out  1: there is nothing left to do */
int gp_train_open(gp_train_run *run, int *finished, gp_err *err);

/** Unless an interrupted run continues: removes what the directory holds, and marks it as this
 *  run's. To be called when all that the user can get wrong is known to be right. */
int gp_train_begin(gp_train_run *run, gp_err *err);

/** Removes what a run that failed before any training has left, on rank 0. Local. */
void gp_train_drop(const gp_train_run *run);

/** Marks the run as finished, and removes what only an interrupted one needs. */
int gp_train_close(gp_train_run *run, gp_err *err);

/** DIR/checkpoint/NAME. Local. */
int gp_train_path(const gp_train_run *run, const char *name, gp_text *path, gp_err *err);

/** Bytes of DIR/NAME, written by rank 0. Collective. */
int gp_train_write(gp_train_run *run, const char *name, const gp_text *text, gp_err *err);

/** ---- jobs/train_kept.c: finished networks in it ---- */

/** Looks which networks are finished in the directory: only the others remain to be trained. */
int gp_train_take(gp_train_run *run, gp_err *err);

/** Keeps a finished network's outputs and log (of the last model its parameters too), and forgets
 *  its training. */
int gp_train_keep(gp_train_run *run, const gp_train_model *m, int64_t network, gp_err *err);

/** Reads what was kept of a model's networks into mean, blind and parameter, on rank 0. Local. */
int gp_train_read(gp_train_run *run, gp_train_model *m, gp_err *err);

/** Opens what was kept of a finished network, and sees that it is this run's. Local. */
int gp_train_kept(const gp_train_run *run, int64_t model, int64_t network, gp_io_tensors *file,
                  gp_err *err);

/** What a network's training in hand is known by. Local. */
int gp_train_digest(const gp_train_run *run, int64_t model, int64_t network, gp_text *digest,
                    gp_err *err);

/** ---- jobs/train_tables.c ---- */

/** Writes training.tsv, TensorBoard's events, metrics.tsv, heritability.tsv and predictions.tsv;
 *  shows the closing table. */
int gp_train_tables(gp_train_run *run, gp_err *err);

/** ---- jobs/train_report.c ---- */

/** What --dry-run prints. */
int gp_train_report(gp_train_run *run, gp_err *err);

#endif
