/* A network made by hand, on a store: how variants are joined; predictions and explanations against
 * the same shards run by one thread; wrong input; refused memory. */
#include "io/effects.h"
#include "io/file.h"
#include "jobs/network.h"
#include "jobs/simulation.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/geno/fixed.h"
#include "src/nn/attribution.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

#include <math.h>

enum {
    N = 53,
    M = 150,
    CHROMOSOMES = 2,
    C = 2,
    P = 2,
    K = 2,
    PATCH = 6,
    MOST = M + 8,
    STRIDE = 64
};

extern const gp_command gp_command_predict, gp_command_explain;

static gp_par *par;
static gp_sink sink;
static gp_common common;
static gp_job job = {.sink = &sink, .common = &common};
static char folder[300]; /* one for all ranks */
static char said[4000];  /* notes and warnings */

static const char *in_folder(const char *name) {
    static char path[8][400];
    static int turn;
    char *to = path[turn++ % 8];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static void remember(void *context, int level, const char *line) {
    size_t used = strlen(said);
    (void)context;
    snprintf(said + used, sizeof said - used, "%s%s\n", level == GP_WARN ? "warning: " : "", line);
}

/* ---- the store, and one with the same variants told otherwise ---- */

static gp_samples samples;
static gp_variants variants[CHROMOSOMES];
static int8_t calls[M][N];
static int64_t first_of[CHROMOSOMES + 1];

static void simulate(gp_err *err) {
    char prefix[320];
    snprintf(prefix, sizeof prefix, "%s/c", folder);
    gp_simulation_options ask = {.out = prefix,
                                 .samples = N,
                                 .variants = M,
                                 .chromosomes = CHROMOSOMES,
                                 .populations = 1,
                                 .missing_rate = 0.05,
                                 .traits = 1,
                                 .causal = 10,
                                 .heritability = 0.5,
                                 .prevalence = 0.5,
                                 .seed = 4};
    gp_sink quiet = {0};
    gp_simulation s = {.ask = &ask, .sink = &quiet};
    if (gp_simulation_check(&s, err) == GP_OK)
        gp_simulation_write(&s, err);
    gp_simulation_free(&s);
}

static void read_store(gp_err *err) {
    gp_store *store = NULL;
    int64_t stride = gp_geno_stride(N), at = 0;
    uint8_t *rows = gp_mem_alloc(M, stride, err);
    if (err->code == GP_OK && gp_store_open(&store, in_folder("c.h5"), err) == GP_OK)
        gp_store_read_samples(store, &samples, err);
    for (int64_t k = 0; err->code == GP_OK && k < CHROMOSOMES; k++) {
        int64_t count = gp_store_chromosome(store, k)->count;
        gp_store_read_genotypes(store, k, 0, count, 0, N, rows, err);
        gp_store_read_variants(store, k, 0, count, &variants[k], err);
        for (int64_t j = 0; err->code == GP_OK && j < count; j++, at++)
            for (int64_t i = 0; i < N; i++)
                calls[at][i] = (int8_t)gp_geno_get(rows + j * stride, i);
        first_of[k + 1] = at;
    }
    free(rows);
    gp_store_close(store);
}

/* Every third variant with swapped alleles, other ids, "chr" before chromosomes' names, and behind
 * each tenth variant one of the same place and alleles whose calls are all 0. */
static void write_turned(gp_err *err) {
    gp_store_writer *writer = NULL;
    int64_t stride = gp_geno_stride(N);
    uint8_t row[2 * ((N + 63) / 64 * 16)];
    char name[40];
    int64_t extra = 0;
    for (int64_t v = 0; v < M; v++)
        extra += v % 10 == 0;
    gp_store_plan plan = {.samples = &samples, .variants = M + extra, .provenance = "a test\n"};
    gp_store_create(&writer, in_folder("turned.h5"), &plan, err);
    for (int64_t k = 0; err->code == GP_OK && k < CHROMOSOMES; k++) {
        snprintf(name, sizeof name, "chr%d", (int)k + 1);
        gp_chromosome c = {name, GP_AUTOSOME, first_of[k + 1] - first_of[k]};
        for (int64_t v = first_of[k]; v < first_of[k + 1]; v++)
            c.count += v % 10 == 0;
        gp_store_begin_chromosome(writer, &c, 0, err);
        for (int64_t v = first_of[k]; err->code == GP_OK && v < first_of[k + 1]; v++) {
            int64_t j = v - first_of[k], position[2];
            int swap = v % 3 == 0;
            char *id[2] = {"x", "x"}, *ref[2], *alt[2];
            memset(row, 0, sizeof row);
            for (int64_t i = 0; i < N; i++)
                gp_geno_set(row, i,
                            swap && calls[v][i] != GP_GENO_MISSING ? 2 - calls[v][i] : calls[v][i]);
            for (int copy = 0; copy < 2; copy++) {
                position[copy] = variants[k].position[j];
                ref[copy] = swap ? variants[k].alt[j] : variants[k].ref[j];
                alt[copy] = swap ? variants[k].ref[j] : variants[k].alt[j];
            }
            gp_variants some = {
                .count = 1 + (v % 10 == 0), .position = position, .id = id, .ref = ref, .alt = alt};
            assert_true(sizeof row == (size_t)(2 * stride));
            gp_store_append(writer, &some, row, err);
        }
    }
    if (err->code == GP_OK)
        gp_store_finish(writer, err);
    else
        gp_store_discard(writer);
}

/* ---- the network ---- */

typedef struct entry {
    int64_t variant; /* of the store; -1 = a stranger */
    int swapped;     /* its effect allele is the store's REF */
} entry;

static entry list[MOST];
static int64_t m, patches, first[MOST + 1];
static double position[MOST], mean[MOST], scale[MOST];
static int32_t place[MOST];
static const gp_nn_loss loss[P] = {GP_NN_SQUARED, GP_NN_LOGISTIC};

static void list_variants(void) {
    for (int32_t k = 0; k < CHROMOSOMES; k++) {
        for (int64_t v = first_of[k]; v < first_of[k + 1]; v++)
            if (v % 7 != 3)
                list[m++] = (entry){v, v % 5 == 1};
        list[m++] = (entry){-1, 0};
        while (first[patches] < m) {
            int64_t end = first[patches] + PATCH;
            position[patches] = (double)(patches + 10 * k);
            place[patches++] = k;
            first[patches] = end < m ? end : m;
        }
    }
    for (int64_t j = 0; j < m; j++) {
        mean[j] = 0.1 + (double)number_of(7, j, 0, 0) * 0x1p-64;
        scale[j] = 1.0 + (double)number_of(7, j, 1, 0) * 0x1p-64;
    }
}

static gp_nn_shape shape_of_network(void) {
    return (gp_nn_shape){.variants = m,
                         .patches = patches,
                         .first = first,
                         .position = position,
                         .chromosome = place,
                         .chromosomes = CHROMOSOMES,
                         .covariates = C,
                         .traits = P,
                         .loss = loss,
                         .channels = 8,
                         .layers = 2,
                         .heads = 2,
                         .rotary = 2};
}

static char *copy(const char *s, gp_err *err) {
    return gp_mem_string(s, (int64_t)strlen(s), err);
}

static int is_plain(const char *name) {
    return strcmp(name, "linear.weight") == 0 || strcmp(name, "head.weight") == 0 ||
           strcmp(name, "patch.bias") == 0 || strcmp(name, "mask.token") == 0;
}

static void set_parameters(gp_io_network *network, gp_err *err) {
    gp_nn_table table = {0};
    gp_nn_table_init(&table, &network->shape, err);
    for (int64_t n = 0; err->code == GP_OK && n < K; n++) {
        float *parameter = network->parameter + n * table.parameters;
        gp_nn_start(&table, 5 + (uint64_t)n, parameter);
        for (int64_t k = 0; k < table.count; k++) {
            const gp_nn_tensor *t = &table.tensor[k];
            for (int64_t i = 0; is_plain(t->name) && i < t->rows * t->columns; i++)
                parameter[t->first + i] = (float)((double)number_of(9, k, i, n) * 0x1p-64 - 0.5);
        }
    }
    gp_nn_table_free(&table);
}

static void print_variants(const char *path, gp_err *err) {
    static const char *const trait[P] = {"height", "case"};
    gp_text text = {0};
    double value[P] = {0};
    gp_effects_header(&text, trait, P, err);
    for (int64_t j = 0; j < m; j++) {
        int k = j >= m / 2 && (list[j].variant >= first_of[1] || j == m - 1);
        gp_effect line = {.chromosome = k ? "chr2" : "1",
                          .position = 900000000,
                          .id = "own",
                          .effect_allele = "A",
                          .other_allele = "G",
                          .mean = mean[j],
                          .value = value};
        if (list[j].variant >= 0) {
            const gp_variants *v = &variants[k];
            int64_t at = list[j].variant - first_of[k];
            line.position = v->position[at];
            line.effect_allele = list[j].swapped ? v->ref[at] : v->alt[at];
            line.other_allele = list[j].swapped ? v->alt[at] : v->ref[at];
        }
        gp_effects_print(&text, &line, P, err);
    }
    if (err->code == GP_OK)
        gp_io_write_file(path, text.bytes, text.length, err);
    gp_text_free(&text);
}

static void write_network(gp_err *err) {
    gp_io_network network = {.networks = K};
    gp_nn_shape shape = shape_of_network();
    char path[400];
    gp_io_make_directory(in_folder("model"), err);
    if (gp_io_network_init(&network, &shape, err) == GP_OK) {
        network.chromosome[0] = copy("1", err);
        network.chromosome[1] = copy("chr2", err);
        network.covariate[0] = (gp_io_covariate){copy("x", err), 1.0, 2.0};
        network.covariate[1] = (gp_io_covariate){copy("g=b", err), 0.25, 0.4};
        network.trait[0].name = copy("height", err);
        network.trait[0].base = 170.0;
        network.trait[0].deviation = 10.0;
        network.trait[0].intercept = 0.3;
        network.trait[0].effect[0] = 0.5;
        network.trait[1].name = copy("case", err);
        network.trait[1].deviation = 1.0;
        network.trait[1].intercept = -0.5;
        network.trait[1].effect[1] = 0.7;
        network.objective = copy("traits", err);
        network.linear = 1;
        network.samples = 100;
        memcpy(network.mean, mean, (size_t)m * sizeof *mean);
        memcpy(network.scale, scale, (size_t)m * sizeof *scale);
        set_parameters(&network, err);
        if (err->code == GP_OK)
            gp_io_network_write(&network, in_folder("model"), err);
    }
    gp_io_network_free(&network);
    snprintf(path, sizeof path, "%s/model/variants.tsv.gz", folder);
    print_variants(path, err);
}

/* Sample 10 has no x, sample 20 no line. */
static double x_of(int64_t i) {
    return i == 10 || i == 20 ? NAN : (double)(i % 5);
}

static void write_covariates(gp_err *err) {
    gp_text text = {0};
    gp_text_print(&text, err, "FID\tIID\tx\tg\n");
    for (int64_t i = N - 1; i >= 0; i--)
        if (i == 10)
            gp_text_print(&text, err, "%s\t%s\tNA\ta\n", gp_samples_fid(&samples, i),
                          gp_samples_iid(&samples, i));
        else if (i != 20)
            gp_text_print(&text, err, "%s\t%s\t%g\t%s\n", gp_samples_fid(&samples, i),
                          gp_samples_iid(&samples, i), x_of(i), i % 3 == 0 ? "b" : "a");
    if (err->code == GP_OK)
        gp_io_write_file(in_folder("covar.tsv"), text.bytes, text.length, err);
    gp_text_free(&text);
}

/* ---- the same by hand: all shards on this rank ---- */

typedef struct hand {
    gp_io_network about;
    gp_nn_engine *engine;
    gp_nn_model model[K];
    int64_t n;
    int64_t sample[N];
    uint8_t row[N][STRIDE];
    const uint8_t *rows[N];
    gp_real covariate[N * C], offset[N * P];
} hand;

static void hand_free(hand *h) {
    for (int k = 0; k < K; k++)
        gp_nn_model_free(&h->model[k]);
    gp_nn_engine_close(h->engine);
    gp_io_network_free(&h->about);
    free(h);
}

static hand *by_hand(gp_err *err) {
    hand *h = calloc(1, sizeof *h);
    if (gp_io_network_read(&h->about, in_folder("model"), err) != GP_OK ||
        gp_nn_engine_open(&h->engine, GP_NN_FLOAT32, err) != GP_OK)
        return h;
    for (int k = 0; k < K; k++) {
        h->model[k] = (gp_nn_model){
            .shape = h->about.shape, .mean = mean, .scale = scale, .engine = h->engine};
        if (gp_nn_model_init(&h->model[k], err) != GP_OK)
            return h;
        int64_t count = h->model[k].table.parameters;
        memcpy(h->model[k].parameter, h->about.parameter + k * count,
               (size_t)count * sizeof(float));
    }
    for (int64_t i = 0; i < N; i++) {
        if (isnan(x_of(i)))
            continue;
        for (int64_t j = 0; j < m; j++) {
            int call = list[j].variant < 0 ? GP_GENO_MISSING : calls[list[j].variant][i];
            int swap = list[j].swapped && call != GP_GENO_MISSING;
            gp_geno_set(h->row[h->n], j, swap ? 2 - call : call);
        }
        h->covariate[h->n * C] = (gp_real)((x_of(i) - 1.0) / 2.0);
        h->covariate[h->n * C + 1] = (gp_real)((double)((i % 3 == 0) - 0.25) / 0.4);
        h->offset[h->n * P] = (gp_real)(0.3 + 0.5 * x_of(i));
        h->offset[h->n * P + 1] = (gp_real)(-0.5 + (i % 3 == 0 ? 0.7 : 0.0));
        h->sample[h->n++] = i;
    }
    for (int64_t i = 0; i < N; i++)
        h->rows[i] = h->row[i];
    return h;
}

static gp_nn_batch shard(const hand *h, int64_t from) {
    int64_t left = h->n - from;
    return (gp_nn_batch){.samples = left < GP_NETWORK_SHARD ? left : GP_NETWORK_SHARD,
                         .calls = h->rows + from,
                         .covariate = h->covariate + from * C,
                         .offset = h->offset + from * P,
                         .sample = h->sample + from,
                         .linear = 1};
}

/* Predictions as a table; masked: one column for each chromosome. */
static void print_predictions(hand *h, int loco, gp_text *text, gp_err *err) {
    gp_nn_work *work = gp_nn_work_new(h->model, GP_NETWORK_SHARD, 0, err);
    double value[N][P][CHROMOSOMES];
    int forms = loco ? CHROMOSOMES : 1;
    int64_t at = 0;
    for (int64_t from = 0; from < h->n; from += GP_NETWORK_SHARD)
        for (int k = 0; k < forms; k++) {
            gp_nn_batch batch = shard(h, from);
            gp_real output[K][GP_NETWORK_SHARD * P];
            uint8_t masked[GP_NETWORK_SHARD * MOST] = {0};
            for (int64_t q = 0; loco && q < batch.samples * patches; q++)
                masked[q] = place[q % patches] == k;
            batch.masked = loco ? masked : NULL;
            for (int n = 0; n < K; n++)
                gp_nn_forward(&h->model[n], work, &batch, output[n]);
            for (int64_t i = 0; i < batch.samples; i++) {
                double y[P];
                for (int64_t t = 0; t < P; t++)
                    y[t] = ((double)output[0][i * P + t] + (double)output[1][i * P + t]) / K;
                value[from + i][0][k] = 170.0 + 10.0 * y[0];
                value[from + i][1][k] = 1.0 / (1.0 + gp_exp(-y[1]));
            }
        }
    gp_text_print(text, err, "FID\tIID%s\n",
                  loco ? "\theight@1\theight@chr2\tcase@1\tcase@chr2" : "\theight\tcase");
    for (int64_t i = 0; i < N; i++) {
        gp_text_print(text, err, "%s\t%s", gp_samples_fid(&samples, i),
                      gp_samples_iid(&samples, i));
        for (int t = 0; t < P; t++)
            for (int k = 0; k < forms; k++)
                if (isnan(x_of(i)))
                    gp_text_print(text, err, "\tNA");
                else
                    gp_text_print(text, err, "\t%.12g", value[at][t][k]);
        gp_text_print(text, err, "\n");
        at += !isnan(x_of(i));
    }
    gp_nn_work_free(work);
}

/* ---- running commands ---- */

static void forget_options(const gp_command *command) {
    for (const gp_option *o = command->options; o->name != NULL; o++) {
        char *at = (char *)command->values + o->offset;
        if (o->type == GP_FLAG)
            memset(at, 0, sizeof(int));
        else if (o->type != GP_HEADING)
            memset(at, 0, o->type == GP_WHOLE ? sizeof(int64_t) : sizeof(char *));
    }
}

/* Runs a command with words parted by blanks; names that begin with @ are of the folder. */
/* The allocation of a run that fails on this rank; 0: none. */
static int64_t fail_at;

static int run(const gp_command *command, const char *words, gp_err *err) {
    char line[2000];
    char *argv[40];
    gp_parse parse = {
        .options = command->options, .values = command->values, .common = &common, .argv = argv};
    char *to = line;
    for (const char *w = words; *w != 0; w++)
        to += *w == '@' ? sprintf(to, "%s/", folder) : sprintf(to, "%c", *w);
    for (char *w = strtok(line, " "); w != NULL; w = strtok(NULL, " "))
        argv[parse.argc++] = w;
    forget_options(command);
    said[0] = 0;
    if (gp_options_parse(&parse, err) == GP_OK) {
        gp_mem_fail_at(fail_at);
        command->run(&job, err);
        gp_mem_fail_at(0);
    }
    return err->code;
}

#define MODEL "--model @model --store @c.h5 --covar @covar.tsv "
#define TURNED "--model @model --store @turned.h5 --covar @covar.tsv "

static int holds(const char *name, const gp_text *expected) {
    gp_text text = {0};
    gp_err err = {0};
    gp_io_read_text(in_folder(name), &text, &err);
    int same = err.code == GP_OK && text.length == expected->length &&
               memcmp(text.bytes, expected->bytes, (size_t)text.length) == 0;
    if (!same)
        print_error("%s: %s\n---- expected\n%.600s\n---- found\n%.600s\n", name, err.text,
                    expected->bytes, text.bytes);
    gp_text_free(&text);
    return same;
}

static void expect_predictions(int loco, const char *words) {
    gp_err err = {0};
    gp_text expected = {0};
    assert_all(run(&gp_command_predict, words, &err) == GP_OK);
    hand *h = by_hand(&err);
    print_predictions(h, loco, &expected, &err);
    assert_all(err.code == GP_OK && holds("p.tsv", &expected));
    hand_free(h);
    gp_text_free(&expected);
}

static void predictions_are_those_of_the_shards(void **state) {
    (void)state;
    expect_predictions(0, MODEL "--out @p.tsv");
}

static void a_chromosome_is_masked_at_a_time(void **state) {
    (void)state;
    expect_predictions(1, MODEL "--loco --out @p.tsv");
    assert_all(gp_par_rank(par) > 0 || strstr(said, "warning: ") != NULL);
    assert_all(gp_par_rank(par) > 0 || strstr(said, "without --chromosome-dropout") != NULL);
}

static int is_ambiguous(const char *a, const char *b) {
    return strlen(a) == 1 && strlen(b) == 1 && strchr("ATCG", *a) != NULL &&
           "TAGC"[strchr("ATCG", *a) - "ATCG"] == *b;
}

static void variants_are_known_by_place_and_alleles_and_counted(void **state) {
    (void)state;
    char words[200];
    int64_t found = 0, swapped = 0, ambiguous = 0;
    expect_predictions(0, TURNED "--out @p.tsv");
    for (int64_t j = 0; j < m; j++) {
        int64_t v = list[j].variant, k = v >= first_of[1];
        int swap = v >= 0 && list[j].swapped != (v % 3 == 0);
        found += v >= 0;
        swapped += swap;
        ambiguous += swap && is_ambiguous(variants[k].ref[v - first_of[k]],
                                          variants[k].alt[v - first_of[k]]);
    }
    snprintf(words, sizeof words,
             "%d of the model's %d variants are in the store, %d of them with alleles swapped (%d "
             "of these",
             (int)found, (int)m, (int)swapped, (int)ambiguous);
    assert_all(gp_par_rank(par) > 0 || strstr(said, words) != NULL);
    assert_all(gp_par_rank(par) > 0 || strstr(said, "warning: ") != NULL);
    assert_all(gp_par_rank(par) > 0 || strstr(said, "2 of the model's") != NULL);
    assert_all(gp_par_rank(par) > 0 || strstr(said, "the first of each is used") != NULL);
}

/* ---- room ---- */

typedef struct seen {
    const gp_network *network;
    const gp_network_people *people;
    gp_nn_work **work;
    gp_real *output; /* [N x P] */
} seen;

static void look(void *context, int thread, int64_t from, const gp_nn_batch *batch) {
    seen *s = context;
    gp_nn_forward(s->network->model, s->work[thread], batch, s->output + from * P);
}

static void it_does_not_matter_how_many_samples_there_is_room_for(void **state) {
    (void)state;
    gp_real output[2][N * P] = {{0}};
    for (int turn = 0; turn < 2; turn++) {
        gp_err err = {0};
        gp_network network = {0};
        gp_network_people people = {0};
        gp_store *store = NULL;
        gp_cohort cohort = {0};
        const gp_cohort_options all = {0};
        const gp_network_ask ask = {
            .command = "predict", .cohort = &cohort, .covar = in_folder("covar.tsv")};
        gp_store_open(&store, in_folder("c.h5"), &err);
        assert_all(gp_cohort_load(&job, &all, store, &cohort, &err) == GP_OK);
        assert_all(gp_network_open(&job, in_folder("model"), &network, &err) == GP_OK);
        assert_all(gp_network_match(&job, &network, store, &err) == GP_OK);
        assert_all(gp_network_people_init(&job, &network, &ask, &people, &err) == GP_OK);
        assert_all(people.n == N - 2);
        if (turn == 1)
            network.room = 1;
        seen s = {&network, &people, gp_network_works(&network, 0, &err), output[turn]};
        assert_all(gp_network_walk(&job, &network, &people, look, &s, &err) == GP_OK);
        gp_network_works_free(s.work);
        gp_network_people_free(&people);
        gp_network_free(&network);
        gp_cohort_free(&cohort);
        gp_store_close(store);
    }
    assert_all(memcmp(output[0], output[1], sizeof output[0]) == 0);
}

/* ---- explanations ---- */

static const char *name_of(int64_t t) {
    return t == 0 ? "height" : "case";
}

/* What explain writes, from the shards last to first. */
static void print_explanation(hand *h, int64_t steps, gp_text *text, gp_err *err) {
    gp_nn_explainer e = {.models = K, .model = h->model};
    gp_nn_attributions a = {0};
    gp_effects *file = NULL;
    gp_effect line;
    char path[400];
    gp_nn_explainer_init(&e, GP_NETWORK_SHARD, steps, err);
    gp_nn_attributions_init(&a, m, P, h->n, err);
    for (int64_t from = (h->n - 1) / GP_NETWORK_SHARD * GP_NETWORK_SHARD; from >= 0;
         from -= GP_NETWORK_SHARD) {
        gp_nn_batch batch = shard(h, from);
        gp_nn_explainer_begin(&e, &batch);
        for (int64_t t = 0; t < P; t++)
            gp_nn_attributions_add(&a, &e, &batch, t);
    }
    snprintf(path, sizeof path, "%s/model/variants.tsv.gz", folder);
    gp_effects_open(&file, path, err);
    gp_text_print(text, err,
                  "chromosome\tbase_pair_location\tid\teffect_allele\tother_allele\ttrait\t"
                  "attribution\timportance\trank\n");
    for (int64_t j = 0; gp_effects_next(file, &line, err); j++)
        for (int64_t t = 0; t < P; t++) {
            const int64_t *importance = a.importance + t * m;
            double unit = t == 0 ? 10.0 : 1.0;
            int64_t rank = 1;
            for (int64_t i = 0; i < m; i++)
                rank += importance[i] > importance[j] || (importance[i] == importance[j] && i < j);
            gp_text_print(
                text, err, "%s\t%d\t%s\t%s\t%s\t%s\t%.9g\t%.9g\t%d\n", line.chromosome,
                (int)line.position, line.id, line.effect_allele, line.other_allele, name_of(t),
                gp_fixed_to(a.effect[t * m + j], a.exponent) / (double)h->n * scale[j] * unit,
                gp_fixed_to(importance[j], a.exponent) / (double)h->n * unit, (int)rank);
        }
    gp_effects_close(file);
    gp_nn_explainer_free(&e);
    gp_nn_attributions_free(&a);
}

static void expect_explanation(int64_t steps, const char *words) {
    gp_err err = {0};
    gp_text expected = {0};
    assert_all(run(&gp_command_explain, words, &err) == GP_OK);
    hand *h = by_hand(&err);
    print_explanation(h, steps, &expected, &err);
    assert_all(err.code == GP_OK && holds("e.tsv.gz", &expected));
    hand_free(h);
    gp_text_free(&expected);
}

static void explanations_are_sums_over_the_shards(void **state) {
    (void)state;
    expect_explanation(0, MODEL "--out @e.tsv.gz");
    expect_explanation(0, TURNED "--method gradient --out @e.tsv.gz");
    expect_explanation(5, MODEL "--method integrated --steps 5 --out @e.tsv.gz");
    expect_explanation(32, TURNED "--method integrated --out @e.tsv.gz");
}

static void attention_has_no_trait_and_adds_up_to_at_most_1(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    double sum = 0.0;
    int64_t lines = 0;
    assert_all(run(&gp_command_explain, MODEL "--method attention --out @e.tsv.gz", &err) == GP_OK);
    assert_all(gp_io_read_text(in_folder("e.tsv.gz"), &text, &err) == GP_OK);
    for (char *l = strchr(text.bytes, '\n') + 1; *l != 0; l = strchr(l, '\n') + 1, lines++) {
        const char *at = strstr(l, "\t#NA\t#NA\t");
        if (at != NULL)
            sum += strtod(at + 9, NULL);
    }
    assert_all(lines == m);
    assert_all(sum > 0.5 && sum < 1.0); /* the rest are covariates */
    gp_text_free(&text);
}

static void some_samples_are_evenly_spread(void **state) {
    (void)state;
    gp_err err = {0};
    assert_all(run(&gp_command_explain, MODEL "--max-samples 20 --out @e.tsv.gz", &err) == GP_OK);
    assert_all(gp_par_rank(par) > 0 || strstr(said, "explained with 20 samples") != NULL);
    assert_all(run(&gp_command_explain, MODEL "--max-samples 1000 --out @e.tsv.gz", &err) == GP_OK);
    assert_all(gp_par_rank(par) > 0 || strstr(said, "explained with 51 samples") != NULL);
}

/* ---- what is wrong ---- */

static void refuse(const gp_command *command, const char *words, const char *pattern) {
    gp_err err = {0};
    int code = run(command, words, &err);
    if (code != GP_EINPUT || strstr(err.text, pattern) == NULL)
        print_error("%s: %d %s\n", words, code, err.text);
    assert_all(code == GP_EINPUT && strstr(err.text, pattern) != NULL);
    assert_all(access(in_folder("no"), F_OK) != 0);
}

static void change_file(const char *from, const char *to, const char *what, const char *by) {
    gp_err err = {0};
    gp_text text = {0}, other = {0};
    if (gp_par_rank(par) == 0 && gp_io_read_text(in_folder(from), &text, &err) == GP_OK) {
        char *at = strstr(text.bytes, what);
        if (at == NULL)
            gp_err_set(&err, GP_EFAIL, "no '%s'", what);
        else
            gp_text_print(&other, &err, "%.*s%s%s", (int)(at - text.bytes), text.bytes, by,
                          at + strlen(what));
        if (err.code == GP_OK)
            gp_io_write_file(in_folder(to), other.bytes, other.length, &err);
    }
    gp_text_free(&text);
    gp_text_free(&other);
    assert_all(gp_par_agree(par, &err) == GP_OK);
}

/* A copy of the model as "bad", for a test to spoil. */
static void spoil(const char *name, const char *what, const char *by) {
    static const char *const file[] = {"config.json", "model.safetensors", "variants.tsv.gz"};
    gp_err err = {0};
    char from[100], to[100];
    for (int k = 0; k < 3; k++) {
        char command[1000];
        snprintf(command, sizeof command, "mkdir -p %s/bad && cp %s/model/%s %s/bad/", folder,
                 folder, file[k], folder);
        if (gp_par_rank(par) == 0 && system(command) != 0)
            gp_err_set(&err, GP_EFAIL, "%s", command);
    }
    assert_all(gp_par_agree(par, &err) == GP_OK);
    snprintf(from, sizeof from, "model/%s", name);
    snprintf(to, sizeof to, "bad/%s", name);
    change_file(from, to, what, by);
}

#define BAD "--model @bad --store @c.h5 --covar @covar.tsv --out @no"

static void wrong_input_is_named(void **state) {
    (void)state;
    refuse(&gp_command_predict, "--model @nowhere --store @c.h5 --out @no", "is not there");
    refuse(&gp_command_predict, "--model @. --store @c.h5 --out @no", "holds no model");
    refuse(&gp_command_explain, "--model @nowhere --store @c.h5 --out @no", "nowhere");
    refuse(&gp_command_predict, "--model @model --store @c.h5 --out @no", "needs --covar");
    refuse(&gp_command_explain, "--model @model --store @c.h5 --out @no",
           "explain needs --covar FILE");
    spoil("variants.tsv.gz", "\theight", "\twidth");
    refuse(&gp_command_predict, BAD, "other traits than config.json");
    spoil("variants.tsv.gz", "\nchr2\t", "\n1\t");
    refuse(&gp_command_predict, BAD, "is of chromosome '1' where");
    spoil("variants.tsv.gz", "\nchr2\t9000", "\nchr2\t5\tx\tA\tC\t1\t0\t0\nchr2\t9000");
    refuse(&gp_command_explain, BAD, "has more variants than");
    spoil("config.json", "\"x\"", "\"y\"");
    refuse(&gp_command_predict, BAD, "has no column for the model's covariate 'y'");
}

static void a_store_without_the_models_variants_is_refused(void **state) {
    (void)state;
    gp_err err = {0};
    char path[400];
    spoil("config.json", "\"x\"", "\"x\"");
    snprintf(path, sizeof path, "%s/bad/variants.tsv.gz", folder);
    if (gp_par_rank(par) == 0)
        for (int64_t k = 0; k < CHROMOSOMES; k++)
            for (int64_t j = 0; j < variants[k].count; j++)
                variants[k].position[j] += 1;
    if (gp_par_rank(par) == 0)
        print_variants(path, &err);
    if (gp_par_rank(par) == 0)
        for (int64_t k = 0; k < CHROMOSOMES; k++)
            for (int64_t j = 0; j < variants[k].count; j++)
                variants[k].position[j] -= 1;
    assert_all(gp_par_agree(par, &err) == GP_OK);
    refuse(&gp_command_predict, BAD, "has none of the");
    refuse(&gp_command_explain, BAD, "has none of the");
}

/* ---- memory ---- */

/* The k-th allocation of the last rank fails: on one rank all of the first ones, and later a
 * sample; on several a sample. */
static void fail_each(const gp_command *command, const char *words, const char *result) {
    int64_t k = 1, failed = 0;
    int alone = gp_par_size(par) == 1;
    for (;; k += alone ? 1 + k / 40 : 8 * k) {
        gp_err err = {0};
        fail_at = gp_par_rank(par) == gp_par_size(par) - 1 ? k : 0;
        int code = run(command, words, &err);
        fail_at = 0;
        if (code == GP_OK)
            break;
        failed++;
        if (code != GP_EFAIL || strstr(err.text, "memory") == NULL)
            print_error("allocation %d: status %d, %s\n", (int)k, code, err.text);
        assert_all(code == GP_EFAIL && strstr(err.text, "memory") != NULL);
        assert_all(access(in_folder(result), F_OK) != 0);
        assert_all(k < 100000);
    }
    assert_all(failed > (alone ? 40 : 1));
    assert_all(access(in_folder(result), F_OK) == 0);
}

static void refused_memory_leaves_nothing(void **state) {
    (void)state;
    fail_each(&gp_command_predict, MODEL "--loco --out @memory.tsv", "memory.tsv");
    fail_each(&gp_command_explain, MODEL "--method integrated --steps 2 --out @memory.gz",
              "memory.gz");
}

/* ---- together ---- */

static int set_up(gp_err *err) {
    gp_text name = {0};
    if (gp_par_rank(par) == 0 && scratch_make(NULL) == 0)
        gp_text_print(&name, err, "%s", scratch_folder);
    if (gp_par_agree(par, err) == GP_OK && gp_par_share_text(par, &name, err) == GP_OK)
        snprintf(folder, sizeof folder, "%s", name.bytes);
    gp_text_free(&name);
    if (err->code == GP_OK && gp_par_rank(par) == 0)
        simulate(err);
    if (gp_par_agree(par, err) != GP_OK)
        return err->code;
    read_store(err);
    if (err->code == GP_OK)
        list_variants();
    if (err->code == GP_OK && gp_par_rank(par) == 0) {
        write_turned(err);
        write_network(err);
        write_covariates(err);
    }
    return gp_par_agree(par, err);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    job.par = par;
    sink.say = remember;
    if (!only_rank_0_reports(gp_par_rank(par)) || set_up(&err) != GP_OK) {
        print_error("%s\n", err.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_are_those_of_the_shards),
        cmocka_unit_test(a_chromosome_is_masked_at_a_time),
        cmocka_unit_test(variants_are_known_by_place_and_alleles_and_counted),
        cmocka_unit_test(it_does_not_matter_how_many_samples_there_is_room_for),
        cmocka_unit_test(explanations_are_sums_over_the_shards),
        cmocka_unit_test(attention_has_no_trait_and_adds_up_to_at_most_1),
        cmocka_unit_test(some_samples_are_evenly_spread),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(a_store_without_the_models_variants_is_refused),
        cmocka_unit_test(refused_memory_leaves_nothing),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    gp_par_agree(par, &err);
    if (gp_par_rank(par) == 0)
        scratch_remove(NULL);
    gp_samples_free(&samples);
    for (int64_t k = 0; k < CHROMOSOMES; k++)
        gp_variants_free(&variants[k]);
    gp_par_close(par);
    return failures;
}
