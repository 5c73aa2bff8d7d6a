/* A model's variants in a store. Ranks share out the store's variants, and all learn what each of
 * them found. */
#include "io/effects.h"
#include "jobs/job.h"
#include "jobs/network.h"
#include "mpi/plan.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BATCH = 4096 /* variants read at once */ };

/* A store's variant as found: its key's number, and whether alleles are swapped and their own
 * complements. */
enum { SWAPPED = 1, AMBIGUOUS = 2, FLAGS = 4 };

typedef struct counts {
    int64_t matched, swapped, ambiguous, twice, extra;
} counts;

typedef struct matcher {
    gp_job *job;
    gp_network *network;
    gp_ids chromosome; /* of the model, without "chr" */
    gp_ids key;        /* of the model's variants: chromosome, position, effect and other allele */
    int64_t *head;     /* [key.count] first variant of the model with a key that is not taken yet */
    int64_t *tail;     /* [key.count] its last variant */
    int64_t *next;     /* [m] the next one with the same key; -1 = none */
    gp_text text;      /* scratch */
} matcher;

static void matcher_free(matcher *m) {
    gp_ids_free(&m->chromosome);
    gp_ids_free(&m->key);
    free(m->head);
    free(m->tail);
    free(m->next);
    gp_text_free(&m->text);
}

static const char *without_chr(const char *name) {
    return strncasecmp(name, "chr", 3) == 0 && name[3] != 0 ? name + 3 : name;
}

static int make_key(gp_text *text, const char *chromosome, int64_t position, const char *effect,
                    const char *other, gp_err *err) {
    text->length = 0;
    return gp_text_print(text, err, "%s\t%lld\t%s\t%s", without_chr(chromosome),
                         (long long)position, effect, other);
}

/* ---- the model's variants ---- */

/* Whether variants.tsv.gz belongs to the network: its traits, and each line's chromosome. */
static int check_traits(const matcher *m, const gp_effects *file, const char *path, gp_err *err) {
    const gp_io_network *about = &m->network->about;
    int same = gp_effects_traits(file) == about->shape.traits;
    for (int64_t t = 0; same && t < about->shape.traits; t++)
        same = strcmp(gp_effects_trait(file, t), about->trait[t].name) == 0;
    if (!same)
        gp_err_set(err, GP_EINPUT,
                   "%s: has other traits than config.json; both must come from one run", path);
    return err->code;
}

static int add_line(matcher *m, const gp_effect *line, int64_t variant, gp_err *err) {
    int64_t number = 0;
    int fresh = 0;
    if (make_key(&m->text, line->chromosome, line->position, line->effect_allele,
                 line->other_allele, err) != GP_OK ||
        gp_ids_add(&m->key, m->text.bytes, m->text.length, &number, &fresh, err) != GP_OK)
        return err->code;
    m->next[variant] = -1;
    if (fresh)
        m->head[number] = variant;
    else
        m->next[m->tail[number]] = variant;
    m->tail[number] = variant;
    return GP_OK;
}

static int read_lines(matcher *m, gp_effects *file, const char *path, gp_err *err) {
    const gp_io_network *about = &m->network->about;
    const gp_nn_shape *shape = &about->shape;
    gp_effect line;
    int64_t at = 0, patch = 0;
    for (; at < shape->variants && gp_effects_next(file, &line, err); at++) {
        while (patch < shape->patches - 1 && at >= shape->first[patch + 1])
            patch++;
        if (strcmp(line.chromosome, about->chromosome[shape->chromosome[patch]]) != 0)
            return gp_err_set(err, GP_EINPUT,
                              "%s: variant %lld is of chromosome '%.60s' where model.safetensors "
                              "has '%.60s'; both must come from one run",
                              path, (long long)at + 1, line.chromosome,
                              about->chromosome[shape->chromosome[patch]]);
        if (add_line(m, &line, at, err) != GP_OK ||
            (at % BATCH == 0 && gp_job_check_signals(err) != GP_OK))
            return err->code;
    }
    if (err->code == GP_OK && (at < shape->variants || gp_effects_next(file, &line, err)))
        gp_err_set(err, GP_EINPUT,
                   "%s: has %s variants than the %lld of model.safetensors; both must come from "
                   "one run",
                   path, at < shape->variants ? "fewer" : "more", (long long)shape->variants);
    return err->code;
}

/* Local. */
static int read_model(matcher *m, gp_err *err) {
    const gp_io_network *about = &m->network->about;
    int64_t count = about->shape.variants, number;
    gp_effects *file = NULL;
    gp_text path = {0};
    m->head = gp_mem_alloc(count, sizeof *m->head, err);
    m->tail = gp_mem_alloc(count, sizeof *m->tail, err);
    m->next = gp_mem_alloc(count, sizeof *m->next, err);
    for (int32_t k = 0; err->code == GP_OK && k < about->shape.chromosomes; k++) {
        const char *name = without_chr(about->chromosome[k]);
        gp_ids_add(&m->chromosome, name, (int64_t)strlen(name), &number, NULL, err);
    }
    if (err->code == GP_OK &&
        gp_text_print(&path, err, "%s/variants.tsv.gz", m->network->directory) == GP_OK &&
        gp_effects_open(&file, path.bytes, err) == GP_OK &&
        check_traits(m, file, path.bytes, err) == GP_OK)
        read_lines(m, file, path.bytes, err);
    gp_effects_close(file);
    gp_text_free(&path);
    return err->code;
}

/* ---- the store's ---- */

/* Local: all variants, those of chromosomes that the model has being work. */
static int list_store(matcher *m, gp_err *err) {
    gp_network *network = m->network;
    gp_store *store = network->store;
    int64_t chromosomes = gp_store_chromosome_count(store), all = gp_store_variant_count(store);
    network->count = gp_mem_alloc(chromosomes, sizeof *network->count, err);
    network->first = gp_mem_alloc(chromosomes + 1, sizeof *network->first, err);
    network->column = gp_mem_alloc(all, sizeof *network->column, err);
    network->swap = gp_mem_alloc(all, 1, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t k = 0; k < chromosomes; k++) {
        const gp_chromosome *c = gp_store_chromosome(store, k);
        const char *name = without_chr(c->name);
        network->first[k + 1] = network->first[k] + c->count;
        if (gp_ids_find(&m->chromosome, name, (int64_t)strlen(name)) >= 0)
            network->count[k] = c->count;
    }
    for (int64_t v = 0; v < all; v++)
        network->column[v] = -1;
    return GP_OK;
}

/* Bases that are each other's complement: swapped alleles look like the other strand's. */
static int ambiguous(const char *a, const char *b) {
    static const char *const pair[] = {"AT", "TA", "CG", "GC"};
    for (int k = 0; k < 4; k++)
        if (a[0] == pair[k][0] && a[1] == 0 && b[0] == pair[k][1] && b[1] == 0)
            return 1;
    return 0;
}

static int find_run(matcher *m, const gp_run *run, const gp_variants *v, gp_err *err) {
    const gp_network *network = m->network;
    const char *name = gp_store_chromosome(network->store, run->chromosome)->name;
    int64_t *column = network->column + network->first[run->chromosome] + run->first;
    for (int64_t j = 0; j < run->count; j++)
        for (int swapped = 0; swapped < 2 && column[j] < 0; swapped++) {
            const char *alt = v->alt[j], *ref = v->ref[j];
            if (make_key(&m->text, name, v->position[j], swapped ? ref : alt, swapped ? alt : ref,
                         err) != GP_OK)
                return err->code;
            int64_t number = gp_ids_find(&m->key, m->text.bytes, m->text.length);
            if (number >= 0)
                column[j] = number * FLAGS + swapped * SWAPPED + ambiguous(alt, ref) * AMBIGUOUS;
        }
    return GP_OK;
}

/* Local: this rank's share. */
static int find_variants(matcher *m, gp_err *err) {
    gp_network *network = m->network;
    int rank = gp_par_rank(m->job->par);
    gp_plan plan = {0};
    gp_variants variants = {0};
    gp_run run;
    if (gp_plan_init(&plan, network->count, gp_store_chromosome_count(network->store),
                     gp_store_block(network->store), gp_par_size(m->job->par), err) == GP_OK)
        for (int64_t at = plan.begin[rank]; err->code == GP_OK &&
                                            gp_job_check_signals(err) == GP_OK &&
                                            gp_plan_next(&plan, rank, BATCH, &at, &run);)
            if (gp_store_read_variants(network->store, run.chromosome, run.first, run.count,
                                       &variants, err) == GP_OK)
                find_run(m, &run, &variants, err);
    gp_variants_free(&variants);
    gp_plan_free(&plan);
    return err->code;
}

/* From keys to variants of the model: the first of the store with a key is the model's first with
 * it, and so on. */
static void settle(matcher *m, counts *n) {
    gp_network *network = m->network;
    int64_t all = gp_store_variant_count(network->store);
    for (int64_t v = 0; v < all; v++) {
        int64_t found = network->column[v], key = found / FLAGS;
        if (found < 0) {
            n->extra++;
            continue;
        }
        network->column[v] = m->head[key];
        if (m->head[key] < 0) {
            n->twice++;
            continue;
        }
        m->head[key] = m->next[m->head[key]];
        network->swap[v] = (found & SWAPPED) != 0;
        n->matched++;
        n->swapped += network->swap[v];
        n->ambiguous += network->swap[v] && (found & AMBIGUOUS) != 0;
    }
}

static int tell(const matcher *m, const counts *n, gp_err *err) {
    const gp_network *network = m->network;
    const char *store = gp_store_path(network->store);
    long long all = (long long)network->about.shape.variants;
    if (n->matched == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: has none of the %lld variants of the model %s; they are joined by "
                          "chromosome, position and alleles",
                          store, all, network->directory);
    gp_say(m->job->sink, GP_NOTE,
           "%s: %lld of the model's %lld variants are in the store, %lld of them with alleles "
           "swapped (%lld of these A/T or C/G: taken by their alleles); %lld are not there and "
           "count as their mean; the store has %lld others",
           network->directory, (long long)n->matched, all, (long long)n->swapped,
           (long long)n->ambiguous, all - (long long)n->matched, (long long)n->extra);
    if (n->matched < all)
        gp_say(m->job->sink, GP_WARN,
               "%s: %lld of the model's %lld variants are not in the store; they count as their "
               "mean",
               network->directory, all - (long long)n->matched, all);
    if (n->twice > 0)
        gp_say(m->job->sink, GP_WARN,
               "%s: %lld variants have the place and alleles of another; the first of each is used",
               store, (long long)n->twice);
    return GP_OK;
}

int gp_network_match(gp_job *job, gp_network *network, gp_store *store, gp_err *err) {
    matcher m = {.job = job, .network = network};
    counts n = {0};
    network->store = store;
    if (read_model(&m, err) == GP_OK && list_store(&m, err) == GP_OK)
        find_variants(&m, err);
    if (gp_par_agree(job->par, err) == GP_OK &&
        gp_par_max(job->par, network->column, gp_store_variant_count(store), err) == GP_OK) {
        settle(&m, &n);
        tell(&m, &n, err);
    }
    matcher_free(&m);
    return err->code;
}
