/* gp-dist explain: which variants a network's predictions are made of. */
#include "io/effects.h"
#include "io/file.h"
#include "io/part.h"
#include "io/tabix.h"
#include "jobs/job.h"
#include "jobs/network.h"
#include "jobs/times.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/fixed.h"
#include "src/nn/attribution.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 32, TBI_POSITIONS = 1 << 29 /* that a .tbi can hold */ };

typedef struct options {
    const char *model, *store, *out, *method;
    gp_cohort_options cohort; /* covar, missing_code, keep, remove */
    int64_t steps, samples;
} options;

static options values;

#define AT(field) offsetof(options, field)

static const gp_option option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    {"model", GP_TEXT, AT(model), "DIR", "the network: a directory that gp-dist train wrote", 0, 0,
     NULL},
    {"store", GP_TEXT, AT(store), "STORE.h5", "genotypes of samples to explain it with", 0, 0,
     NULL},
    {"covar", GP_TEXT, AT(cohort.covar), "FILE,...",
     "tables of their covariates, with the columns that the model was made with", 0, 0, NULL},
    {"missing-code", GP_TEXT, AT(cohort.missing_code), "X,Y",
     "further values that mean missing, beside NA, nan and an empty field", 0, 0, NULL},
    {.name = "Samples", .type = GP_HEADING},
    {"keep", GP_TEXT, AT(cohort.keep), "FILE", "use only the samples listed (FID IID lines)", 0, 0,
     NULL},
    {"remove", GP_TEXT, AT(cohort.remove), "FILE", "leave out the samples listed", 0, 0, NULL},
    {"max-samples", GP_WHOLE, AT(samples), "N",
     "use N of them, evenly spread over the store (default: all)", 1, 1e12, NULL},
    {.name = "Method", .type = GP_HEADING},
    {"method", GP_CHOICE, AT(method), NULL,
     "gradient at each sample (default), integrated gradients from the mean genotype to each "
     "sample, or attention rollout",
     0, 0, "gradient|integrated|attention"},
    {"steps", GP_WHOLE, AT(steps), "N",
     "points of the path of an integrated gradient (default: 32)", 1, 10000, NULL},
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "FILE.tsv.gz", "table of variants and traits", 0, 0, NULL},
    {0}};

static const char description[] =
    "Tells which variants the predictions of a trained network are made of. Variants are joined "
    "to the store's by chromosome, position and alleles, as gp-dist predict does it; the "
    "network's additive part counts too. The table has a line for each variant of the model and "
    "each trait:\n"
    "\n"
    "chromosome, base_pair_location, id, effect_allele, other_allele, trait\twhat it is about\n"
    "attribution\thow much the prediction grows with one more copy of the effect allele, in the "
    "trait's units (log odds for a binary trait): the mean over samples of the gradient, at the "
    "sample or along the path to it\n"
    "importance\tmean over samples of what the variant adds or takes away, whatever its sign: "
    "gradient times the distance from the mean genotype, in the same units\n"
    "rank\t1 for the trait's greatest importance\n"
    "\n"
    "Attention rollout follows the attention of all layers back to the patches, and shares a "
    "patch's part out among its variants by the length of their embedding weights times the "
    "distance from the mean genotype. It knows neither traits nor signs, nor the additive part: "
    "there is one line for each variant, with #NA for both, and importances that add up to 1 "
    "with those of covariates.\n"
    "\n"
    "An index for tabix stands beside the table (FILE.tsv.gz.tbi). The results are the same bytes "
    "on any number of ranks and threads.\n"
    "\n"
    "  mpirun -n 8 gp-dist explain --model results --store cohort.h5 \\\n"
    "      --covar covars.tsv --method integrated --out explained.tsv.gz";

static int check(const options *o, gp_err *err) {
    const char *missing = o->model == NULL   ? "--model DIR"
                          : o->store == NULL ? "--store STORE.h5"
                          : o->out == NULL   ? "--out FILE.tsv.gz"
                                             : NULL;
    if (missing != NULL)
        gp_err_set(err, GP_EINPUT, "command line: explain needs %s; see gp-dist explain --help",
                   missing);
    return err->code;
}

/* ---- over the samples ---- */

typedef struct explanation {
    gp_job *job;
    const options *o;
    gp_store *store;
    gp_cohort cohort;
    gp_network network;
    gp_network_people people;
    gp_nn_explainer *explainer; /* [threads] */
    int threads;
    int rollout;
    int64_t traits; /* that the sums tell apart: 1 for rollout */
    gp_nn_attributions sums;
    int64_t *rank;    /* [traits x m] on rank 0 */
    int64_t farthest; /* position in the table; rank 0 */
} explanation;

static void explanation_free(explanation *e) {
    for (int k = 0; e->explainer != NULL && k < e->threads; k++)
        gp_nn_explainer_free(&e->explainer[k]);
    free(e->explainer);
    gp_nn_attributions_free(&e->sums);
    free(e->rank);
    gp_network_people_free(&e->people);
    gp_network_free(&e->network);
    gp_cohort_free(&e->cohort);
    gp_store_close(e->store);
}

static int load(explanation *e, gp_err *err) {
    const options *o = e->o;
    gp_cohort_options people = o->cohort;
    people.covar = NULL; /* the model says which columns, and how */
    people.missing_code = NULL;
    if (gp_par_rank(e->job->par) == 0)
        gp_io_check_new_file(o->out, err);
    gp_times_phase(e->job, "load");
    gp_store_open(&e->store, o->store, err);
    if (gp_par_agree(e->job->par, err) != GP_OK ||
        gp_cohort_load(e->job, &people, e->store, &e->cohort, err) != GP_OK)
        return err->code;
    const gp_network_ask ask = {.command = "explain",
                                .cohort = &e->cohort,
                                .covar = o->cohort.covar,
                                .missing_code = o->cohort.missing_code,
                                .most = o->samples};
    if (gp_network_open(e->job, o->model, &e->network, err) != GP_OK ||
        gp_network_match(e->job, &e->network, e->store, err) != GP_OK ||
        gp_network_people_init(e->job, &e->network, &ask, &e->people, err) != GP_OK)
        return err->code;
    if (e->people.n == 0)
        gp_err_set(err, GP_EINPUT, "%s: no sample is kept that has all covariates of the model",
                   o->store);
    return err->code;
}

/* Local. */
static int make_room(explanation *e, gp_err *err) {
    const gp_nn_shape *shape = &e->network.about.shape;
    int integrated = e->o->method != NULL && strcmp(e->o->method, "integrated") == 0;
    int64_t steps = e->o->steps > 0 ? e->o->steps : STEPS;
    e->rollout = e->o->method != NULL && strcmp(e->o->method, "attention") == 0;
    e->traits = e->rollout ? 1 : shape->traits;
    e->threads = omp_get_max_threads();
    e->explainer = gp_mem_alloc(e->threads, sizeof *e->explainer, err);
    gp_nn_attributions_init(&e->sums, shape->variants, e->traits, e->people.n, err);
    for (int k = 0; k < e->threads && err->code == GP_OK; k++) {
        e->explainer[k].models = e->network.about.networks;
        e->explainer[k].model = e->network.model;
        gp_nn_explainer_init(&e->explainer[k], GP_NETWORK_SHARD, integrated ? steps : 0, err);
    }
    return err->code;
}

static void visit(void *context, int thread, int64_t first, const gp_nn_batch *batch) {
    explanation *e = context;
    gp_nn_explainer *mine = &e->explainer[thread];
    (void)first;
    gp_nn_explainer_begin(mine, batch);
    if (e->rollout)
        gp_nn_attributions_add_rollout(&e->sums, mine, batch);
    for (int64_t t = 0; t < e->traits && !e->rollout; t++)
        gp_nn_attributions_add(&e->sums, mine, batch, t);
}

/* Collective. */
static int add_up(explanation *e, gp_err *err) {
    gp_par *par = e->job->par;
    int64_t count = e->traits * e->sums.variants;
    if (gp_par_sum(par, e->sums.effect, count, err) == GP_OK &&
        gp_par_sum(par, e->sums.importance, count, err) == GP_OK &&
        gp_par_sum(par, &e->sums.misfits, 1, err) == GP_OK && e->sums.misfits > 0)
        gp_err_set(err, GP_EFAIL,
                   "%s: gradients are not numbers, or above %d in standard deviations of a "
                   "trait; the network is of no use",
                   e->o->model, GP_NN_LARGEST_SLOPE);
    return err->code;
}

/* ---- the table, on rank 0 ---- */

typedef struct place {
    int64_t importance, variant;
} place;

static int by_importance(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->importance != y->importance)
        return x->importance > y->importance ? -1 : 1;
    return x->variant < y->variant ? -1 : x->variant > y->variant;
}

static int rank_variants(explanation *e, gp_err *err) {
    int64_t m = e->sums.variants;
    place *order = gp_mem_alloc(m, sizeof *order, err);
    e->rank = gp_mem_alloc(e->traits, m * (int64_t)sizeof *e->rank, err);
    for (int64_t t = 0; t < e->traits && err->code == GP_OK; t++) {
        for (int64_t j = 0; j < m; j++)
            order[j] = (place){e->sums.importance[t * m + j], j};
        qsort(order, (size_t)m, sizeof *order, by_importance);
        for (int64_t k = 0; k < m; k++)
            e->rank[t * m + order[k].variant] = k + 1;
    }
    free(order);
    return err->code;
}

/* The lines of variant j. */
static void print_variant(const explanation *e, const gp_effect *line, int64_t j, gp_text *text,
                          gp_err *err) {
    const gp_io_network *about = &e->network.about;
    double n = (double)e->people.n;
    for (int64_t t = 0; t < e->traits; t++) {
        int64_t at = t * e->sums.variants + j;
        double unit =
            e->rollout || about->shape.loss[t] == GP_NN_LOGISTIC ? 1.0 : about->trait[t].deviation;
        double effect = gp_fixed_to(e->sums.effect[at], e->sums.exponent) / n;
        double importance = gp_fixed_to(e->sums.importance[at], e->sums.exponent) / n;
        gp_text_print(text, err, "%s\t%lld\t%s\t%s\t%s", line->chromosome,
                      (long long)line->position, line->id, line->effect_allele, line->other_allele);
        if (e->rollout)
            gp_text_print(text, err, "\t#NA\t#NA");
        else
            gp_text_print(text, err, "\t%s\t%.9g", about->trait[t].name,
                          effect * about->scale[j] * unit);
        gp_text_print(text, err, "\t%.9g\t%lld\n", importance * unit, (long long)e->rank[at]);
    }
}

/* Copies the model's variants line by line, with what was found. */
static int print_table(explanation *e, gp_effects *file, gp_part *part, gp_pack *pack,
                       gp_err *err) {
    gp_text text = {0};
    gp_effect line;
    int32_t chromosome = -1;
    const gp_nn_shape *shape = &e->network.about.shape;
    gp_text_print(&text, err,
                  "chromosome\tbase_pair_location\tid\teffect_allele\tother_"
                  "allele\ttrait\tattribution\timportance\trank\n");
    if (err->code == GP_OK)
        gp_part_add_header(part, &text, pack, err);
    for (int64_t j = 0, patch = 0, lines = 0; err->code == GP_OK && j < shape->variants; j++) {
        if (!gp_effects_next(file, &line, err)) {
            gp_err_set(err, GP_EFAIL, "%s: has changed while it was read", e->o->model);
            break;
        }
        while (j >= shape->first[patch + 1])
            patch++;
        if (lines == GP_TEXT_BLOCK || chromosome != shape->chromosome[patch]) {
            gp_part_append(part, &text, pack, e->threads, err);
            gp_job_check_signals(err);
            lines = 0;
        }
        chromosome = shape->chromosome[patch];
        lines++;
        e->farthest = gp_most(e->farthest, line.position);
        print_variant(e, &line, j, &text, err);
    }
    if (err->code == GP_OK)
        gp_part_append(part, &text, pack, e->threads, err);
    gp_text_free(&text);
    return err->code;
}

/* OUT.tbi, or OUT.csi for positions that the former cannot hold; not yet whole is the table. */
static int write_index(const explanation *e, gp_part *part, gp_pack *pack, gp_err *err) {
    static const char *const suffix[] = {".tbi", ".csi"};
    int64_t lines = 0;
    int csi = e->farthest >= TBI_POSITIONS;
    gp_text runs = {0}, index = {0}, packed = {0}, path = {0}, other = {0};
    gp_text_print(&path, err, "%s%s", e->o->out, suffix[csi]);
    gp_text_print(&other, err, "%s%s", e->o->out, suffix[!csi]);
    if (err->code == GP_OK && gp_runs_print(&part->runs, 0, &runs, err) == GP_OK &&
        gp_tabix_print(&runs, part->size, csi, &index, &lines, err) == GP_OK &&
        gp_pack_file(pack, &index, &packed, err) == GP_OK &&
        gp_io_write_file(path.bytes, packed.bytes, packed.length, err) == GP_OK)
        unlink(other.bytes); /* an earlier table's */
    gp_text_free(&runs);
    gp_text_free(&index);
    gp_text_free(&packed);
    gp_text_free(&path);
    gp_text_free(&other);
    return err->code;
}

static int write_table(explanation *e, gp_err *err) {
    gp_text path = {0}, temporary = {0};
    gp_part part = {0};
    gp_effects *file = NULL;
    gp_pack *pack = gp_packs_new(e->threads, err);
    gp_text_print(&path, err, "%s/variants.tsv.gz", e->o->model);
    gp_text_print(&temporary, err, "%s.tmp", e->o->out);
    if (err->code == GP_OK && rank_variants(e, err) == GP_OK &&
        gp_effects_open(&file, path.bytes, err) == GP_OK &&
        gp_part_open(&part, temporary.bytes, 1, err) == GP_OK &&
        print_table(e, file, &part, pack, err) == GP_OK &&
        write_index(e, &part, pack, err) == GP_OK && gp_part_end(&part, err) == GP_OK)
        gp_io_commit(temporary.bytes, e->o->out, err);
    gp_effects_close(file);
    gp_part_discard(&part);
    gp_packs_free(pack, e->threads);
    gp_text_free(&path);
    gp_text_free(&temporary);
    return err->code;
}

/* ---- together ---- */

static int work(explanation *e, gp_err *err) {
    gp_job *job = e->job;
    gp_times_phase(job, "explain");
    make_room(e, err);
    if (gp_par_agree(job->par, err) != GP_OK ||
        gp_network_walk(job, &e->network, &e->people, visit, e, err) != GP_OK ||
        add_up(e, err) != GP_OK)
        return err->code;
    gp_times_phase(job, "write");
    if (gp_par_rank(job->par) == 0)
        write_table(e, err);
    if (gp_par_agree(job->par, err) == GP_OK)
        gp_say(job->sink, GP_NOTE, "%s: %lld variants, %lld traits, explained with %lld samples",
               e->o->out, (long long)e->sums.variants, (long long)e->network.about.shape.traits,
               (long long)e->people.n);
    return err->code;
}

static int start(gp_job *job, gp_err *err) {
    explanation e = {.job = job, .o = &values};
    check(e.o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(&e, err) == GP_OK)
        work(&e, err);
    explanation_free(&e);
    return err->code;
}

const gp_command gp_command_explain = {
    .name = "explain",
    .summary = "tell which variants a network's predictions come from",
    .synopsis = "--model DIR --store STORE.h5 --out FILE.tsv.gz [options]",
    .description = description,
    .options = option_table,
    .values = &values,
    .run = start};
