/* Training over ranks and threads: the same bytes however it is spread or interrupted, against
 * steps that are taken one by one. */
#include "jobs/trainer_inside.h"
#include "mpi/par_private.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "src/nn/adamw.h"
#include "src/nn/lora.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <omp.h>
#include <signal.h>

enum {
    N = 150, /* samples in use: every second of the store */
    M = 24,
    PATCH = 4,
    PATCHES = M / PATCH,
    TRAITS = 2,
    COVARIATES = 1,
    STRIDE = 64,
    ROOM = 1 << 20
};

static gp_par *world;
static char folder[300];

/* ---- the cohort: the same on all ranks ---- */

static uint8_t calls[2 * N * STRIDE];
static int64_t sample[N], first_of[PATCHES + 1];
static int32_t chromosome[PATCHES];
static double position[PATCHES], mean[M], scale[M];
static double covariate[N * COVARIATES], target[N * TRAITS], offset[N * TRAITS];
static uint8_t role[N];
static const gp_nn_loss loss_of[TRAITS] = {GP_NN_SQUARED, GP_NN_LOGISTIC};

static double uniform(int64_t a, int64_t b, int64_t c) {
    return (double)(number_of(7, a, b, c) >> 11) * 0x1p-53;
}

static void make_cohort(void) {
    for (int64_t j = 0; j <= PATCHES; j++)
        first_of[j] = j * PATCH;
    for (int64_t j = 0; j < PATCHES; j++) {
        chromosome[j] = (int32_t)(j / 2);
        position[j] = (double)(j * j);
    }
    for (int64_t v = 0; v < M; v++) {
        mean[v] = 1;
        scale[v] = sqrt(2);
    }
    for (int64_t i = 0; i < N; i++) {
        uint8_t *row = calls + 2 * i * STRIDE;
        sample[i] = 2 * i;
        role[i] = (uint8_t)(i % 5 == 3 ? GP_ROLE_VALIDATE : i % 11 == 7 ? 0 : GP_ROLE_TRAIN);
        for (int64_t v = 0; v < M; v++) {
            int call = (uniform(1, i, v) < 0.5) + (uniform(2, i, v) < 0.5);
            gp_geno_set(row, v, uniform(3, i, v) < 0.05 ? GP_GENO_MISSING : call);
        }
        covariate[i] = 2 * uniform(4, i, 0) - 1;
        double x = gp_geno_get(row, 2) - 1.0, y = gp_geno_get(row, 13) - 1.0;
        target[i * TRAITS] = x + 0.5 * y + 0.5 * covariate[i];
        target[i * TRAITS + 1] = i % 13 == 0 ? NAN : x + y + uniform(5, i, 0) > 0.5;
        offset[i * TRAITS] = 0.1 * covariate[i];
    }
}

/* ---- a training on some of the ranks ---- */

typedef struct setup {
    int ranks, threads;
    gp_trainer_settings settings;
    int decodes, linear;
    const uint8_t *frozen;
    const char *checkpoint, *digest;
    int64_t spoil_after; /* epochs after which a target becomes infinite; 0: never */
    int64_t grow_after;  /* ... targets become 1000000 times as large */
    int64_t fail_at;     /* allocation that fails on the last rank */
} setup;

/* What came out: the same on all ranks of the world. */
typedef struct outcome {
    gp_trainer_result result;
    gp_err err;
    int64_t parameters, log_length;
    float parameter[ROOM / 64];
    char log[ROOM / 64];
    double output[4 * N * TRAITS]; /* plain; with a chromosome masked; plain, with one thread; as
                                      the second, of the samples that have no role */
} outcome;

static const setup usual = {.ranks = 1,
                            .threads = 1,
                            .linear = 1,
                            .digest = "usual",
                            .settings = {.epochs = 4,
                                         .batch = 24,
                                         .patience = 0,
                                         .warmup = 3,
                                         .rate = 5e-3,
                                         .decay = 0.01,
                                         .l1 = 1e-4,
                                         .clip = 1.0,
                                         .dropout = 0.1,
                                         .chromosome_dropout = 0.1,
                                         .mask = 0.3,
                                         .seed = 11,
                                         .checkpoint_minutes = 1e9}};

static const setup *current;
static double kept_target[N * TRAITS];

/* Told at the end of an epoch. */
static void listen(void *context, int level, const char *line) {
    int64_t *epochs = context;
    if (level != GP_NOTE || strstr(line, "training loss") == NULL)
        return;
    ++*epochs;
    if (*epochs == current->spoil_after)
        target[0] = INFINITY;
    for (int64_t k = 0; *epochs == current->grow_after && k < N * TRAITS; k += TRAITS)
        target[k] *= 1e6;
}

static const char *in_folder(const char *name) {
    static char path[4][400];
    static int turn;
    char *to = path[turn++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static gp_nn_shape shape_of(const setup *s) {
    return (gp_nn_shape){.variants = M,
                         .patches = PATCHES,
                         .first = first_of,
                         .position = position,
                         .chromosome = chromosome,
                         .chromosomes = 3,
                         .covariates = COVARIATES,
                         .traits = TRAITS,
                         .loss = loss_of,
                         .channels = 16,
                         .layers = 2,
                         .heads = 2,
                         .rotary = 4,
                         .decodes = s->decodes};
}

static int model_open(gp_nn_model *model, const setup *s, gp_nn_engine **engine, gp_err *err) {
    *model = (gp_nn_model){.shape = shape_of(s), .mean = mean, .scale = scale};
    if (gp_nn_engine_open(engine, GP_NN_FLOAT32, err) != GP_OK)
        return err->code;
    model->engine = *engine;
    if (gp_nn_model_init(model, err) == GP_OK)
        gp_nn_start(&model->table, 3, model->parameter);
    return err->code;
}

static void train_here(gp_par *par, const setup *s, outcome *out) {
    gp_err *err = &out->err;
    int64_t epochs = 0;
    gp_sink sink = {listen, &epochs};
    gp_job job = {.par = par, .sink = &sink};
    gp_nn_engine *engine = NULL;
    gp_nn_model model = {0};
    gp_slots slots = {0};
    gp_text log = {0};
    omp_set_num_threads(s->threads);
    model_open(&model, s, &engine, err);
    gp_slots_init(&slots, sample, N, 8, par->size, par->rank, err);
    gp_resident resident = {.variants = M, .stride = STRIDE};
    if (slots.first < slots.last) {
        resident.first = slots.sample[slots.begin[slots.first]];
        resident.calls = calls + resident.first * STRIDE;
    }
    gp_trainer_plan plan = {.job = &job,
                            .settings = &s->settings,
                            .model = &model,
                            .slots = &slots,
                            .calls = &resident,
                            .number = 1,
                            .name = "fold 2",
                            .label = "2",
                            .role = role,
                            .covariate = covariate,
                            .target = s->decodes ? NULL : target,
                            .offset = offset,
                            .frozen = s->frozen,
                            .linear = s->linear,
                            .checkpoint = s->checkpoint,
                            .digest = s->digest};
    if (gp_par_agree(par, err) != GP_OK)
        goto done;
    if (s->fail_at > 0 && par->rank == par->size - 1)
        gp_mem_fail_at(s->fail_at);
    int code = gp_trainer_run(&plan, &log, &out->result, err);
    if (code == GP_OK)
        code = gp_trainer_outputs(&plan, -1, out->output, err);
    gp_mem_fail_at(0);
    if (code == GP_OK)
        code = gp_trainer_outputs(&plan, 1, out->output + N * TRAITS, err);
    omp_set_num_threads(1);
    if (code == GP_OK)
        code = gp_trainer_outputs(&plan, -1, out->output + 2 * N * TRAITS, err);
    if (code == GP_OK)
        code = gp_trainer_outputs_of(&plan, GP_ROLE_NONE, 1, out->output + 3 * N * TRAITS, err);
    out->parameters = model.table.parameters;
    memcpy(out->parameter, model.parameter, (size_t)out->parameters * sizeof *out->parameter);
    out->log_length = log.length;
    memcpy(out->log, log.bytes != NULL ? log.bytes : "", (size_t)log.length);
done:
    gp_text_free(&log);
    gp_slots_free(&slots);
    gp_nn_model_free(&model);
    gp_nn_engine_close(engine);
}

/* Trains on the first s->ranks ranks. Collective over the world; 1 where all those ranks have the
 * same outcome, but for times. */
static int train(const setup *s, outcome *out) {
    gp_par part = *world;
    int takes_part = world->rank < s->ranks;
    *out = (outcome){0};
    memcpy(kept_target, target, sizeof target);
    current = s;
    MPI_Comm_split(MPI_COMM_WORLD, !takes_part, world->rank, &part.world);
    MPI_Comm_rank(part.world, &part.rank);
    MPI_Comm_size(part.world, &part.size);
    part.limit = 100; /* messages are split */
    if (takes_part)
        train_here(&part, s, out);
    MPI_Comm_free(&part.world);
    memcpy(target, kept_target, sizeof target);
    out->result.seconds = out->result.waited = 0;
    if (out->err.code != GP_OK) { /* what else there is may be half done */
        const gp_err err = out->err;
        *out = (outcome){.err = err};
    }
    static outcome of_rank_0;
    of_rank_0 = *out;
    MPI_Bcast(&of_rank_0, (int)sizeof of_rank_0, MPI_BYTE, 0, MPI_COMM_WORLD);
    int same = !takes_part || memcmp(&of_rank_0, out, sizeof *out) == 0;
    *out = of_rank_0;
    return same;
}

static int trains(const setup *s, outcome *out) {
    int same = train(s, out);
    if (out->err.code != GP_OK)
        print_error("%s\n", out->err.text);
    return same && out->err.code == GP_OK;
}

static int are_equal(const outcome *a, const outcome *b) {
    return memcmp(&a->result, &b->result, sizeof a->result) == 0 &&
           a->parameters == b->parameters && a->log_length == b->log_length &&
           memcmp(a->parameter, b->parameter, sizeof a->parameter) == 0 &&
           memcmp(a->log, b->log, sizeof a->log) == 0 &&
           memcmp(a->output, b->output, sizeof a->output) == 0;
}

static outcome one, other; /* too large for a stack */

/* Whether a setup gives the same on any number of ranks and threads. */
static int is_the_same_everywhere(const setup *s) {
    int ok = trains(s, &one);
    for (int ranks = 1; ranks <= world->size; ranks++)
        for (int zero = 0; zero < 2; zero++) {
            setup spread = *s;
            spread.ranks = ranks;
            spread.threads = 1 + (ranks + zero) % 2;
            spread.settings.zero = zero;
            ok &= trains(&spread, &other) && are_equal(&one, &other);
        }
    return ok;
}

/* The training loss of an epoch, or another column of the log. */
static double from_log(const outcome *o, int64_t epoch, int column) {
    const char *at = o->log;
    for (int64_t e = 1; at != NULL && e < epoch; e++)
        at = strchr(at, '\n') + 1;
    for (int c = 0; at != NULL && c < column; c++)
        at = strchr(at, '\t') + 1;
    return at != NULL ? atof(at) : NAN;
}

enum { STEP, EPOCH, TRAINING, VALIDATION, RATE, NORM };

/* The mean over the samples to validate with. */
static double validation_loss_of(const double *output) {
    double sum = 0, n = 0;
    for (int64_t i = 0; i < N; i++) {
        double error = output[i * TRAITS] - target[i * TRAITS];
        double logit = output[i * TRAITS + 1], affected = target[i * TRAITS + 1];
        if (role[i] != GP_ROLE_VALIDATE)
            continue;
        n++;
        sum += error * error / 2;
        if (!isnan(affected))
            sum += log1p(exp(logit)) - affected * logit;
    }
    return sum / n;
}

/* ---- tests ---- */

static void training_lowers_the_loss_and_says_so(void **state) {
    (void)state;
    setup s = usual;
    s.settings.epochs = s.settings.patience = 30; /* the best is kept, without an early stop */
    s.settings.dropout = s.settings.chromosome_dropout = 0;
    assert_all(trains(&s, &one));
    int64_t training = 0;
    for (int64_t i = 0; i < N; i++)
        training += role[i] == GP_ROLE_TRAIN;
    assert_all(one.result.epochs == 30 && one.result.samples == 30 * training);
    assert_all(one.result.steps == 30 * ((training + 23) / 24));
    /* Squared error of a variance of about 0.7, and a coin toss: 0.35 + 0.69 at first. */
    assert_all(from_log(&one, 1, TRAINING) > 0.6);
    assert_all(from_log(&one, 30, TRAINING) < 0.3 * from_log(&one, 1, TRAINING));
    /* 109 samples are soon known by heart. */
    assert_all(one.result.best_epoch >= 1 && one.result.best_epoch < 20);
    assert_all(one.result.best_loss < from_log(&one, 1, VALIDATION));
    double loss = validation_loss_of(one.output);
    assert_all(fabs(loss - one.result.best_loss) < 1e-5 * loss); /* float */
    assert_all(fabs(from_log(&one, one.result.best_epoch, VALIDATION) - one.result.best_loss) <
               1e-8 * one.result.best_loss /* 9 digits */);
    assert_all(from_log(&one, 30, EPOCH) == 30 &&
               from_log(&one, 30, STEP) == (double)one.result.steps);
    assert_all(from_log(&one, 30, RATE) > 0 && from_log(&one, 30, NORM) > 0);
    assert_all(strcmp(one.log + one.log_length - 3, "\t2\n") == 0);
}

static void a_training_is_the_same_on_any_ranks_and_threads(void **state) {
    (void)state;
    assert_all(is_the_same_everywhere(&usual));
    setup s = usual;
    s.linear = 0;
    s.settings.batch = 7; /* fewer than there are slots */
    s.settings.epochs = 1;
    assert_all(is_the_same_everywhere(&s));
}

static void gradients_that_outgrow_their_exponent_are_added_again(void **state) {
    (void)state;
    setup s = usual;
    s.grow_after = 2;
    s.settings.clip = 0;
    assert_all(is_the_same_everywhere(&s));
    /* Squares of what is a million times as large, but for steps of the other trait. */
    assert_all(from_log(&one, 3, TRAINING) > 1e10 * from_log(&one, 2, TRAINING));
}

static void outputs_are_those_of_samples_that_go_alone(void **state) {
    (void)state;
    gp_err err = {0};
    setup s = usual;
    gp_nn_engine *engine = NULL;
    gp_nn_model model = {0};
    double worst = 0, masked_moves = 0;
    assert_all(trains(&s, &one));
    assert_all(memcmp(one.output, one.output + 2 * N * TRAITS, N * TRAITS * sizeof *one.output) ==
               0);
    for (int64_t i = 0; i < N * TRAITS; i++) {
        double some = one.output[3 * N * TRAITS + i], all = one.output[N * TRAITS + i];
        /* other shards: roundings of float32 */
        assert_all(role[i / TRAITS] == GP_ROLE_NONE ? fabs(some - all) < 1e-5 : some == 0.0);
    }
    assert_all(model_open(&model, &s, &engine, &err) == GP_OK);
    memcpy(model.parameter, one.parameter, (size_t)one.parameters * sizeof *one.parameter);
    gp_nn_work *work = gp_nn_work_new(&model, 1, 0, &err);
    for (int64_t i = 0; i < N; i++) {
        const uint8_t *row = calls + sample[i] * STRIDE;
        const uint8_t mask[PATCHES] = {0, 0, 1, 1, 0, 0};
        float z = (float)covariate[i], add[TRAITS] = {(float)offset[i * TRAITS], 0};
        gp_nn_batch batch = {.samples = 1,
                             .calls = &row,
                             .covariate = &z,
                             .offset = add,
                             .sample = &sample[i],
                             .linear = 1};
        for (int m = 0; m < 2; m++) {
            float y[TRAITS];
            batch.masked = m == 1 ? mask : NULL;
            gp_nn_forward(&model, work, &batch, y);
            for (int64_t t = 0; t < TRAITS; t++) {
                double theirs = one.output[(m * N + i) * TRAITS + t];
                worst = fmax(worst, fabs(theirs - (double)y[t]));
                masked_moves += m == 1 ? fabs(theirs - one.output[i * TRAITS + t]) : 0;
            }
        }
    }
    assert_all(worst < 1e-5); /* float; another shape of products */
    assert_all(masked_moves > 1);
    gp_nn_work_free(work);
    gp_nn_model_free(&model);
    gp_nn_engine_close(engine);
}

/* Steps on all training samples at once: what steps over shards must come to. The norm and the
 * loss are those of the last. */
static int steps_by_hand(const setup *s, float *parameter, double *norm, double *loss,
                         gp_err *err) {
    gp_nn_engine *engine = NULL;
    gp_nn_model model = {0};
    static const uint8_t *rows[N];
    static float z[N], add[N * TRAITS], aim[N * TRAITS], gradient[ROOM / 64], m[ROOM / 64],
        v[ROOM / 64];
    static int64_t store[N];
    gp_nn_batch batch = {.calls = rows,
                         .covariate = z,
                         .offset = add,
                         .target = aim,
                         .sample = store,
                         .linear = s->linear};
    for (int64_t i = 0; i < N; i++) {
        if (role[i] != GP_ROLE_TRAIN)
            continue;
        int64_t k = batch.samples++;
        rows[k] = calls + sample[i] * STRIDE;
        store[k] = sample[i];
        z[k] = (float)covariate[i];
        for (int64_t t = 0; t < TRAITS; t++) {
            add[k * TRAITS + t] = (float)offset[i * TRAITS + t];
            aim[k * TRAITS + t] = (float)target[i * TRAITS + t];
        }
    }
    model_open(&model, s, &engine, err);
    gp_nn_work *work = gp_nn_work_new(&model, N, 1, err);
    for (int64_t step = 1; step <= s->settings.epochs; step++) {
        *loss = gp_nn_forward(&model, work, &batch, NULL) / (double)batch.samples;
        const float *sum = gp_nn_backward(&model, work, &batch, NULL, NULL);
        double squares = 0;
        for (int64_t k = 0; k < model.table.parameters; k++) {
            double g = (double)sum[k] / (double)batch.samples;
            squares += g * g;
            gradient[k] = (float)g;
        }
        *norm = sqrt(squares);
        for (int64_t k = 0; *norm > s->settings.clip && k < model.table.parameters; k++)
            gradient[k] *= (float)(s->settings.clip / *norm);
        gp_nn_adamw adamw = {
            .rate = gp_nn_rate(s->settings.rate, step, s->settings.warmup, s->settings.epochs + 1),
            .beta1 = 0.9,
            .beta2 = 0.999,
            .epsilon = 1e-8,
            .decay = s->settings.decay,
            .l1 = s->settings.l1,
            .step = step};
        gp_nn_adamw_step(&adamw, &model.table, 0, model.table.parameters, gradient, m, v,
                         model.parameter);
    }
    memcpy(parameter, model.parameter, (size_t)model.table.parameters * sizeof *parameter);
    gp_nn_work_free(work);
    gp_nn_model_free(&model);
    gp_nn_engine_close(engine);
    return err->code;
}

static void steps_over_shards_are_those_on_all_samples_together(void **state) {
    (void)state;
    static float parameter[ROOM / 64];
    gp_err err = {0};
    double norm = 0, loss = 0;
    uint8_t kept[N];
    setup s = usual;
    s.ranks = world->size;
    s.settings.dropout = s.settings.chromosome_dropout = 0;
    s.settings.epochs = 4;
    s.settings.batch = N;
    s.settings.warmup = 1;
    s.settings.clip = 0.2;
    memcpy(kept, role, sizeof role);
    for (int64_t i = 0; i < N; i++)
        role[i] = role[i] == GP_ROLE_TRAIN;
    int ok = trains(&s, &one);
    assert_all(ok && steps_by_hand(&s, parameter, &norm, &loss, &err) == GP_OK);
    memcpy(role, kept, sizeof role);
    assert_all(one.result.steps == 4 && isnan(one.result.best_loss) && one.result.best_epoch == 4);
    assert_all(norm > 0.2);                                             /* it was clipped */
    assert_all(fabs(from_log(&one, 4, NORM) - norm) < 1e-4 * norm);     /* float, four steps */
    assert_all(fabs(from_log(&one, 4, TRAINING) - loss) < 1e-4 * loss); /* float, four steps */
    assert_all(strstr(one.log, "\tNA\t") != NULL);
    int64_t far = 0;
    for (int64_t k = 0; k < one.parameters; k++)
        far += fabs((double)(one.parameter[k] - parameter[k])) > 1e-5;
    /* AdamW moves by the rate, 5e-3, whatever the size of a gradient: where that is rounding alone,
     * the two may differ by all of it. */
    assert_all(far < one.parameters / 100);
}

static int64_t file_bytes(const char *path, unsigned char *to, int64_t room) {
    FILE *f = fopen(path, "rb");
    int64_t n = f != NULL ? (int64_t)fread(to, 1, (size_t)room, f) : -1;
    if (f != NULL)
        fclose(f);
    return n;
}

static void remove_checkpoint(void) {
    MPI_Barrier(MPI_COMM_WORLD);
    if (world->rank == 0)
        unlink(in_folder("c.safetensors"));
    MPI_Barrier(MPI_COMM_WORLD);
}

/* Runs s into an error in its third epoch, on some ranks, and goes on with others. */
static int goes_on(const setup *s, int ranks_before, int ranks_after) {
    static unsigned char before[ROOM], after[ROOM];
    setup first = *s, second = *s;
    remove_checkpoint();
    first.checkpoint = second.checkpoint = in_folder("c.safetensors");
    first.ranks = ranks_before;
    second.ranks = ranks_after;
    first.settings.zero = ranks_before % 2;
    second.settings.zero = ranks_after % 3 == 1;
    first.threads = 2;
    first.settings.checkpoint_steps = 4;
    first.spoil_after = 2;
    int ok = train(&first, &other) && other.err.code == GP_EFAIL &&
             strstr(other.err.text, "fold 2: the loss is not a number at step 1") != NULL &&
             strstr(other.err.text, "(epoch 3)") != NULL;
    int64_t n = file_bytes(first.checkpoint, before, ROOM);
    ok &= n > 0 && n < ROOM;
    /* Nothing that fails before its first new step touches it. */
    first.digest = "of another run";
    ok &= train(&first, &other) && other.err.code == GP_EINPUT &&
          strstr(other.err.text, "--restart") != NULL;
    ok &= file_bytes(first.checkpoint, after, ROOM) == n && memcmp(before, after, (size_t)n) == 0;
    ok &= trains(&second, &other);
    remove_checkpoint();
    return ok;
}

static void an_interrupted_training_goes_on_to_the_same_bytes(void **state) {
    (void)state;
    setup s = usual;
    assert_all(trains(&s, &one));
    for (int before = 1; before <= world->size; before++)
        for (int after = 1; after <= world->size; after++) {
            int ok = goes_on(&s, before, after);
            assert_all(ok && are_equal(&one, &other));
        }
}

static void a_checkpoint_is_the_same_on_any_ranks(void **state) {
    (void)state;
    static unsigned char first[ROOM], next[ROOM];
    int64_t n = 0;
    for (int ranks = 1; ranks <= world->size; ranks++) {
        setup s = usual;
        s.ranks = ranks;
        s.settings.zero = 1;
        s.settings.epochs = 2;
        s.settings.checkpoint_minutes = 0;
        s.checkpoint = in_folder("c.safetensors");
        remove_checkpoint();
        assert_all(trains(&s, &one));
        int64_t bytes = file_bytes(s.checkpoint, ranks == 1 ? first : next, ROOM);
        assert_all(bytes > 0 && bytes < ROOM);
        assert_all(ranks == 1 || (bytes == n && memcmp(first, next, (size_t)n) == 0));
        n = bytes;
        /* It is finished: read again, nothing is left to do. */
        assert_all(trains(&s, &other) && are_equal(&one, &other));
    }
    remove_checkpoint();
}

static void a_checkpoint_of_another_shape_is_refused(void **state) {
    (void)state;
    setup s = usual;
    s.settings.epochs = 1;
    s.settings.checkpoint_minutes = 0;
    s.checkpoint = in_folder("c.safetensors");
    remove_checkpoint();
    assert_all(trains(&s, &one));
    s.decodes = 1;
    assert_all(train(&s, &other) && other.err.code == GP_EINPUT);
    assert_all(strstr(other.err.text, "'parameter'") != NULL &&
               strstr(other.err.text, "--restart") != NULL);
    s.decodes = 0;
    s.settings.lora = 2;
    assert_all(train(&s, &other) && other.err.code == GP_EINPUT);
    assert_all(strstr(other.err.text, "'adapter.parameter'") != NULL);
    s.settings.lora = 0;
    if (world->rank == 0 && truncate(s.checkpoint, 3000) != 0)
        abort();
    assert_all(train(&s, &other) && other.err.code == GP_EINPUT);
    assert_all(strstr(other.err.text, "c.safetensors") != NULL &&
               strstr(other.err.text, "--restart") != NULL);
    remove_checkpoint();
}

/* Whether a tensor of two outcomes is the same. */
static int tensor_is_equal(const setup *s, const char *name, const float *a, const float *b) {
    gp_nn_shape shape = shape_of(s);
    gp_nn_table table = {0};
    gp_err err = {0};
    gp_nn_table_init(&table, &shape, &err);
    const gp_nn_tensor *t = gp_nn_table_find(&table, name);
    int same = t != NULL &&
               memcmp(a + t->first, b + t->first, (size_t)(t->rows * t->columns) * sizeof *a) == 0;
    gp_nn_table_free(&table);
    return same;
}

static const float *start_of(const setup *s) {
    static float start[ROOM / 64];
    gp_err err = {0};
    gp_nn_shape shape = shape_of(s);
    gp_nn_table table = {0};
    gp_nn_table_init(&table, &shape, &err);
    gp_nn_start(&table, 3, start);
    gp_nn_table_free(&table);
    return start;
}

static void adapters_and_heads_alone_are_trained_with_lora(void **state) {
    (void)state;
    setup s = usual;
    s.settings.lora = 2;
    assert_all(is_the_same_everywhere(&s));
    const float *start = start_of(&s);
    static const char *const held[] = {"norm.weight",         "linear.weight", "block.0.up.bias",
                                       "block.1.norm.weight", "patch.weight",  "mask.token"};
    static const char *const moves[] = {"head.weight", "head.bias", "block.0.qkv.weight",
                                        "block.1.down.weight", "covariate.weight"};
    for (size_t k = 0; k < sizeof held / sizeof *held; k++)
        assert_all(tensor_is_equal(&s, held[k], start, one.parameter));
    for (size_t k = 0; k < sizeof moves / sizeof *moves; k++)
        assert_all(!tensor_is_equal(&s, moves[k], start, one.parameter));
    int ok = goes_on(&s, world->size, 1);
    assert_all(ok && are_equal(&one, &other));
    s.settings.lora = 17; /* channels are 16 */
    assert_all(train(&s, &other) && other.err.code == GP_EINPUT);
}

static void frozen_tensors_stay_and_do_not_count_in_the_norm(void **state) {
    (void)state;
    gp_nn_shape shape = shape_of(&usual);
    gp_nn_table table = {0};
    gp_err err = {0};
    static uint8_t frozen[100];
    setup s = usual;
    gp_nn_table_init(&table, &shape, &err);
    for (int64_t k = 0; k < table.count; k++)
        frozen[k] = strcmp(table.tensor[k].name, "head.bias") != 0;
    gp_nn_table_free(&table);
    s.frozen = frozen;
    s.settings.epochs = 1;
    s.settings.batch = N;
    assert_all(is_the_same_everywhere(&s));
    assert_all(!tensor_is_equal(&s, "head.bias", start_of(&s), one.parameter));
    assert_all(tensor_is_equal(&s, "head.weight", start_of(&s), one.parameter));
    assert_all(tensor_is_equal(&s, "patch.weight", start_of(&s), one.parameter));
    /* Heads are 0 at first: the gradient of the bias is the mean of output - target. */
    double sum[TRAITS] = {0}, n = 0;
    for (int64_t i = 0; i < N; i++) {
        if (role[i] != GP_ROLE_TRAIN)
            continue;
        n++;
        sum[0] += offset[i * TRAITS] - target[i * TRAITS];
        if (!isnan(target[i * TRAITS + 1]))
            sum[1] += 0.5 - target[i * TRAITS + 1];
    }
    double norm = sqrt(sum[0] * sum[0] + sum[1] * sum[1]) / n;
    assert_all(fabs(from_log(&one, 1, NORM) - norm) < 1e-5 * norm); /* float */
}

static void masked_patches_are_learnt(void **state) {
    (void)state;
    setup s = usual;
    s.decodes = 1;
    s.settings.chromosome_dropout = 0;
    assert_all(is_the_same_everywhere(&s));
    /* Independent variants: there is nothing to learn but their variance, 1 or less. */
    assert_all(from_log(&one, 4, TRAINING) > 0.3 && from_log(&one, 4, TRAINING) < 0.7);
    s.settings.mask = 0; /* one patch each, even so */
    assert_all(trains(&s, &other) && from_log(&other, 1, TRAINING) > 0.3);
}

/* Counts masks over many steps: of patches, of whole chromosomes, of samples without any. */
static void count_masks(const setup *s, gp_shard_use use, int64_t count[3]) {
    static uint8_t masked[N * PATCHES];
    static const uint8_t *rows[N];
    static int64_t numbers[N], store[N];
    static float z[N], y[N * TRAITS];
    const gp_slots slots = {.n = N, .sample = sample};
    const gp_resident resident = {.variants = M, .stride = STRIDE, .calls = calls};
    gp_nn_model model = {.shape = shape_of(s)};
    gp_trainer_plan plan = {.settings = &s->settings,
                            .model = &model,
                            .slots = &slots,
                            .calls = &resident,
                            .covariate = covariate};
    const gp_trainer t = {.plan = &plan, .seed = 5};
    gp_lane lane = {.masked = masked, .calls = rows, .sample = store, .covariate = z, .target = y};
    count[0] = count[1] = count[2] = 0;
    for (int64_t i = 0; i < N; i++)
        numbers[i] = i;
    for (uint32_t step = 1; step <= 100; step++) {
        const gp_shard shard = {numbers, N, use, step, use == GP_SHARD_PREDICT ? 2 : -1};
        gp_nn_batch batch = gp_lane_batch(&t, &lane, &shard);
        for (int64_t i = 0; i < N; i++) {
            int64_t some = 0, whole = 0;
            for (int64_t k = 0; batch.masked != NULL && k < PATCHES; k++)
                some += batch.masked[i * PATCHES + k];
            for (int64_t k = 0; batch.masked != NULL && k < PATCHES; k += 2)
                whole += batch.masked[i * PATCHES + k] && batch.masked[i * PATCHES + k + 1];
            count[0] += some;
            count[1] += whole;
            count[2] += some == 0;
        }
    }
}

static int is_near(int64_t count, double expected, double p) {
    return fabs((double)count - expected) <= 5 * sqrt(expected * (1 - p)); /* deviations */
}

static void masks_come_as_often_as_is_asked_for(void **state) {
    (void)state;
    enum { SAMPLES = 100 * N, CHROMOSOMES = 3 };
    int64_t count[3];
    setup s = usual;
    count_masks(&s, GP_SHARD_TRAIN, count);
    assert_all(is_near(count[1], 0.1 * CHROMOSOMES * SAMPLES, 0.1));
    assert_all(count[0] == 2 * count[1]); /* of two patches each */
    count_masks(&s, GP_SHARD_VALIDATE, count);
    assert_all(count[0] == 0);
    count_masks(&s, GP_SHARD_PREDICT, count);
    assert_all(count[0] == 2 * SAMPLES && count[1] == SAMPLES);
    s.decodes = 1;
    s.settings.chromosome_dropout = 0;
    count_masks(&s, GP_SHARD_VALIDATE, count);
    assert_all(count[2] == 0);
    /* And one where chance masks none. */
    double none = pow(0.7, PATCHES) * SAMPLES;
    assert_all(is_near(count[0] - (int64_t)none, 0.3 * PATCHES * SAMPLES, 0.3));
    assert_all(is_near(count[1], 0.09 * CHROMOSOMES * SAMPLES, 0.09));
    s.settings.mask = 0;
    count_masks(&s, GP_SHARD_TRAIN, count);
    assert_all(count[0] == SAMPLES && count[2] == 0);
}

static void training_stops_when_patience_is_at_its_end(void **state) {
    (void)state;
    setup s = usual;
    s.settings.rate = 1e-30; /* moves nothing */
    s.settings.l1 = 0;
    s.settings.epochs = 50;
    s.settings.patience = 3;
    s.ranks = world->size;
    assert_all(trains(&s, &one));
    assert_all(one.result.stopped_early && one.result.epochs == 3 && one.result.best_epoch == 0);
    assert_all(memcmp(one.parameter, start_of(&s), (size_t)one.parameters * sizeof(float)) == 0);
}

static void no_sample_to_train_with_is_an_error(void **state) {
    (void)state;
    uint8_t kept[N];
    memcpy(kept, role, sizeof role);
    memset(role, GP_ROLE_VALIDATE, sizeof role);
    setup s = usual;
    s.ranks = world->size;
    int same = train(&s, &one);
    memcpy(role, kept, sizeof role);
    assert_all(same && one.err.code == GP_EINPUT);
    assert_all(strstr(one.err.text, "fold 2: no sample is left to train with") != NULL);
}

static void memory_that_is_refused_on_one_rank_ends_all(void **state) {
    (void)state;
    setup s = usual;
    s.ranks = world->size;
    s.settings.epochs = 1;
    s.settings.lora = world->size == 2 ? 2 : 0;
    s.settings.zero = 1;
    s.settings.checkpoint_minutes = 0;
    s.checkpoint = in_folder("c.safetensors");
    const int64_t step = world->size > 2 ? 2 : 1; /* a round of three ranks takes its time */
    for (s.fail_at = 1;; s.fail_at += step) {
        remove_checkpoint();
        assert_all(train(&s, &one));
        if (one.err.code == GP_OK)
            break;
        assert_all(one.err.code == GP_EFAIL && strstr(one.err.text, "memory") != NULL);
        assert_all(s.fail_at < 1000);
    }
    /* And while it is read. */
    for (s.fail_at = 1;; s.fail_at += step) {
        assert_all(train(&s, &one));
        if (one.err.code == GP_OK)
            break;
        assert_all(one.err.code == GP_EFAIL && strstr(one.err.text, "memory") != NULL);
        assert_all(s.fail_at < 1000);
    }
    remove_checkpoint();
}

/* The last test: a signal that was caught stays caught, so each run takes one step. */
static void a_training_that_is_stopped_at_every_step_gives_the_same_bytes(void **state) {
    (void)state;
    setup s = usual;
    int64_t runs = 0;
    s.settings.epochs = 2;
    assert_all(trains(&s, &one));
    s.ranks = world->size;
    s.checkpoint = in_folder("c.safetensors");
    remove_checkpoint();
    gp_signals_catch();
    if (world->rank == world->size - 1)
        raise(SIGUSR1);
    do {
        s.settings.zero = runs % 2 == 0;
        assert_all(train(&s, &other));
        assert_all(other.err.code == GP_OK || other.err.code == GP_ESTOP);
        assert_all(++runs < 100);
    } while (other.err.code == GP_ESTOP);
    assert_all(runs == one.result.steps + 1 && are_equal(&one, &other));
    remove_checkpoint();
}

static int set_up(gp_err *err) {
    gp_text name = {0};
    if (world->rank == 0 && scratch_make(NULL) == 0)
        gp_text_print(&name, err, "%s", scratch_folder);
    if (gp_par_agree(world, err) == GP_OK && gp_par_share_text(world, &name, err) == GP_OK)
        snprintf(folder, sizeof folder, "%s", name.bytes);
    gp_text_free(&name);
    make_cohort();
    return err->code;
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&world, &argc, &argv, &err) != GP_OK)
        return 1;
    if (!only_rank_0_reports(world->rank) || set_up(&err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_lowers_the_loss_and_says_so),
        cmocka_unit_test(a_training_is_the_same_on_any_ranks_and_threads),
        cmocka_unit_test(gradients_that_outgrow_their_exponent_are_added_again),
        cmocka_unit_test(outputs_are_those_of_samples_that_go_alone),
        cmocka_unit_test(steps_over_shards_are_those_on_all_samples_together),
        cmocka_unit_test(an_interrupted_training_goes_on_to_the_same_bytes),
        cmocka_unit_test(a_checkpoint_is_the_same_on_any_ranks),
        cmocka_unit_test(a_checkpoint_of_another_shape_is_refused),
        cmocka_unit_test(adapters_and_heads_alone_are_trained_with_lora),
        cmocka_unit_test(frozen_tensors_stay_and_do_not_count_in_the_norm),
        cmocka_unit_test(masked_patches_are_learnt),
        cmocka_unit_test(masks_come_as_often_as_is_asked_for),
        cmocka_unit_test(training_stops_when_patience_is_at_its_end),
        cmocka_unit_test(no_sample_to_train_with_is_an_error),
        cmocka_unit_test(memory_that_is_refused_on_one_rank_ends_all),
        cmocka_unit_test(a_training_that_is_stopped_at_every_step_gives_the_same_bytes),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    gp_par_agree(world, &err);
    if (world->rank == 0)
        scratch_remove(NULL);
    gp_par_close(world);
    return failures;
}
