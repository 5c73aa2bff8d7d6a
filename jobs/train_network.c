/* A trained network as files: config.json, model.safetensors, variants.tsv.gz. */
#include "io/effects.h"
#include "io/file.h"
#include "io/part.h"
#include "jobs/job.h"
#include "jobs/train.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *copy(const char *s, gp_err *err) {
    return gp_mem_string(s, (int64_t)strlen(s), err);
}

/* ---- the network ---- */

static void copy_people(const gp_train_model *m, gp_io_network *to, gp_err *err) {
    const gp_train_run *run = m->run;
    int64_t c = run->cohort.covariates;
    for (int64_t k = 0; k < c; k++) {
        to->covariate[k] = run->covariate[k];
        to->covariate[k].name = copy(run->covariate[k].name, err);
    }
    for (int64_t t = 0; t < run->traits; t++) {
        double *effect = to->trait[t].effect;
        to->trait[t] = m->trait[t];
        to->trait[t].name = copy(m->trait[t].name, err);
        to->trait[t].effect = effect;
        memcpy(effect, m->trait[t].effect, (size_t)c * sizeof *effect);
    }
}

int gp_train_network_in(const gp_train_model *m, const char *directory, gp_err *err) {
    const gp_train_run *run = m->run;
    const gp_patches *p = &run->patches;
    gp_io_network to = {.networks = run->o->networks};
    if (gp_io_network_init(&to, &run->model.shape, err) == GP_OK) {
        size_t variants = (size_t)p->variants * sizeof(double);
        for (int32_t k = 0; k < p->chromosomes; k++)
            to.chromosome[k] = copy(gp_store_chromosome(run->store, p->place[k])->name, err);
        copy_people(m, &to, err);
        memcpy(to.mean, run->mean, variants);
        memcpy(to.scale, run->scale, variants);
        free(to.parameter);
        to.parameter = m->parameter; /* lent: all networks' are many */
        to.linear = !run->masked && strcmp(run->o->linear, "none") != 0;
        to.chromosome_dropout = run->o->training.chromosome_dropout;
        to.samples = run->n;
        to.seed = (uint64_t)run->o->seed;
        to.objective = copy(run->o->objective, err);
        if (err->code == GP_OK)
            gp_io_network_write(&to, directory, err);
        to.parameter = NULL;
    }
    gp_io_network_free(&to);
    return err->code;
}

/* ---- its variants ---- */

/* The table under way. */
typedef struct table {
    const gp_train_run *run;
    const gp_train_model *m;
    const float *linear; /* [variants x traits] of the first network */
    int64_t apart;       /* parameters from one network to the next */
    int64_t at;          /* variants written */
    double *value;       /* [traits] */
    gp_variants variants;
    gp_text text;
    gp_pack *pack;
    gp_part part;
} table;

/* The table needs one, if only of zeros. */
static int64_t columns(const gp_train_run *run) {
    return gp_most(run->traits, 1);
}

/* The mean over the networks. */
static double effect(const table *w, int64_t t) {
    const gp_train_run *run = w->run;
    double sum = 0.0;
    for (int64_t k = 0; k < run->o->networks; k++)
        sum += (double)w->linear[k * w->apart + w->at * run->traits + t];
    return w->m->trait[t].deviation * run->scale[w->at] * sum / (double)run->o->networks;
}

/* Lines of a block of variants of the store: per copy of ALT, in the trait's units or as a logit.
 */
static int add_block(table *w, int64_t chromosome, int64_t first, int64_t count, gp_err *err) {
    const gp_train_run *run = w->run;
    const gp_kinship_variants *v = run->variants;
    const char *name = gp_store_chromosome(run->store, chromosome)->name;
    int64_t p = run->traits;
    if (gp_store_read_variants(run->store, chromosome, first, count, &w->variants, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < count && err->code == GP_OK; j++) {
        if (v->calls[v->first[chromosome] + first + j] == 0)
            continue;
        for (int64_t t = 0; t < p; t++)
            w->value[t] = effect(w, t);
        const gp_effect line = {.chromosome = name,
                                .position = w->variants.position[j],
                                .id = w->variants.id[j],
                                .effect_allele = w->variants.alt[j],
                                .other_allele = w->variants.ref[j],
                                .mean = run->mean[w->at++],
                                .value = w->value};
        gp_effects_print(&w->text, &line, columns(run), err);
    }
    return err->code == GP_OK ? gp_part_append(&w->part, &w->text, w->pack, 1, err) : err->code;
}

static int fill(table *w, const char *path, gp_err *err) {
    const gp_train_run *run = w->run;
    const gp_kinship_variants *v = run->variants;
    const char **name = gp_mem_alloc(run->traits, sizeof *name, err);
    w->value = gp_mem_alloc(run->traits, sizeof *w->value, err);
    w->pack = gp_packs_new(1, err);
    w->linear = w->m->parameter + gp_nn_table_find(&run->model.table, "linear.weight")->first;
    w->apart = run->model.table.parameters;
    for (int64_t t = 0; name != NULL && t < run->traits; t++)
        name[t] = w->m->trait[t].name;
    if (name != NULL && run->traits == 0)
        name[0] = "none";
    if (err->code == GP_OK && gp_part_open(&w->part, path, 1, err) == GP_OK &&
        gp_effects_header(&w->text, name, columns(run), err) == GP_OK)
        gp_part_add_header(&w->part, &w->text, w->pack, err);
    for (int64_t k = 0; k < v->chromosomes; k++)
        for (int64_t j = 0; j < v->count[k] && err->code == GP_OK; j += GP_TEXT_BLOCK)
            add_block(w, k, j, gp_least(GP_TEXT_BLOCK, v->count[k] - j), err);
    if (err->code == GP_OK)
        gp_part_end(&w->part, err);
    free(name);
    return err->code;
}

static int write_variants(const gp_train_run *run, const gp_train_model *m, gp_err *err) {
    table w = {.run = run, .m = m};
    gp_text path = {0}, temporary = {0};
    gp_text_print(&path, err, "%s/variants.tsv.gz", run->o->out);
    gp_text_print(&temporary, err, "%s/.variants.tsv.gz.tmp", run->o->out);
    if (err->code == GP_OK && fill(&w, temporary.bytes, err) == GP_OK)
        gp_io_commit(temporary.bytes, path.bytes, err);
    gp_part_discard(&w.part);
    gp_packs_free(w.pack, 1);
    gp_variants_free(&w.variants);
    gp_text_free(&w.text);
    gp_text_free(&temporary);
    gp_text_free(&path);
    free(w.value);
    return err->code;
}

int gp_train_network(const gp_train_run *run, const gp_train_model *m, gp_err *err) {
    return write_variants(run, m, err) == GP_OK ? gp_train_network_in(m, run->o->out, err)
                                                : err->code;
}
