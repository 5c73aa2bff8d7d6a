/* --init: a network that training starts from. */
#include "io/effects.h"
#include "jobs/train.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the same variants ---- */

static const char *from_of(const gp_train_run *run) {
    return run->o->warm != NULL ? run->o->warm : run->o->init;
}

static const char *option_of(const gp_train_run *run) {
    return run->o->warm != NULL ? "--warm-start" : "--init";
}

static int differ(const gp_train_run *run, int64_t line, const gp_variants *v, int64_t j,
                  const char *chromosome, const gp_effect *theirs, gp_err *err) {
    char other[200] = "no more";
    if (theirs != NULL)
        snprintf(other, sizeof other, "%.40s:%lld %.40s %.20s/%.20s", theirs->chromosome,
                 (long long)theirs->position, theirs->id, theirs->other_allele,
                 theirs->effect_allele);
    return gp_err_set(err, GP_EINPUT,
                      "%s/variants.tsv.gz: variant %lld is %s, and here it is %.40s:%lld %.40s "
                      "%.20s/%.20s; %s needs the same variants: give the filters it was made "
                      "with, or --extract",
                      from_of(run), (long long)line, other, chromosome, (long long)v->position[j],
                      v->id[j], v->ref[j], v->alt[j], option_of(run));
}

static int is_same(const gp_variants *v, int64_t j, const char *chromosome, const gp_effect *e) {
    return v->position[j] == e->position && strcmp(chromosome, e->chromosome) == 0 &&
           strcmp(v->alt[j], e->effect_allele) == 0 && strcmp(v->ref[j], e->other_allele) == 0;
}

static int compare_block(const gp_train_run *run, gp_effects *effects, int64_t k, int64_t first,
                         gp_variants *block, int64_t *number, gp_err *err) {
    const gp_kinship_variants *v = run->variants;
    const char *name = gp_store_chromosome(run->store, k)->name;
    gp_effect theirs;
    for (int64_t j = 0; j < block->count && err->code == GP_OK; j++) {
        if (v->calls[v->first[k] + first + j] == 0)
            continue;
        int more = gp_effects_next(effects, &theirs, err);
        ++*number;
        if (err->code == GP_OK && (!more || !is_same(block, j, name, &theirs)))
            differ(run, *number, block, j, name, more ? &theirs : NULL, err);
    }
    return err->code;
}

/* On one rank: the lists side by side. */
static int compare_variants(const gp_train_run *run, gp_err *err) {
    enum { BLOCK = 4096 };
    const gp_kinship_variants *v = run->variants;
    gp_effects *effects = NULL;
    gp_variants block = {0};
    gp_text path = {0};
    int64_t number = 0;
    gp_effect more;
    if (gp_text_print(&path, err, "%s/variants.tsv.gz", from_of(run)) == GP_OK)
        gp_effects_open(&effects, path.bytes, err);
    for (int64_t k = 0; k < v->chromosomes; k++)
        for (int64_t j = 0; j < v->count[k] && err->code == GP_OK; j += BLOCK)
            if (gp_store_read_variants(run->store, k, j, gp_least(BLOCK, v->count[k] - j), &block,
                                       err) == GP_OK)
                compare_block(run, effects, k, j, &block, &number, err);
    if (err->code == GP_OK && gp_effects_next(effects, &more, err) && err->code == GP_OK)
        gp_err_set(err, GP_EINPUT,
                   "%s: has more than the %lld variants in use here, from %.40s:%lld %.40s on; "
                   "%s needs the same variants: give the filters it was made with",
                   path.bytes, (long long)number, more.chromosome, (long long)more.position,
                   more.id, option_of(run));
    gp_effects_close(effects);
    gp_variants_free(&block);
    gp_text_free(&path);
    return err->code;
}

/* ---- the same shape ---- */

static int unlike(const char *directory, const char *what, int64_t theirs, int64_t ours,
                  const char *option, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: its network has %lld %s, and this one %lld; give --%s %lld", directory,
                      (long long)theirs, what, (long long)ours, option, (long long)theirs);
}

static int compare_shapes(const gp_train_run *run, const gp_nn_shape *their, const char *directory,
                          gp_err *err) {
    const gp_nn_shape *our = &run->model.shape;
    if (their->channels != our->channels)
        return unlike(directory, "channels", their->channels, our->channels, "channels", err);
    if (their->layers != our->layers)
        return unlike(directory, "layers", their->layers, our->layers, "layers", err);
    if (their->heads != our->heads)
        return unlike(directory, "heads", their->heads, our->heads, "heads", err);
    if (their->rotary != our->rotary)
        return gp_err_set(err, GP_EINPUT,
                          "%s: its network turns %lld channels of a head by position, and this one "
                          "%lld; give --rotary %g",
                          directory, (long long)their->rotary, (long long)our->rotary,
                          (double)their->rotary * (double)their->heads / (double)their->channels);
    if (!their->causal != !our->causal)
        return gp_err_set(err, GP_EINPUT, "%s: its network is %scausal, and this one is%s; %s",
                          directory, their->causal ? "" : "not ", our->causal ? "" : " not",
                          their->causal ? "give --causal" : "leave --causal out");
    if (their->patches != our->patches ||
        memcmp(their->first, our->first, (size_t)our->patches * sizeof *our->first) != 0)
        return unlike(directory, "variants in a patch", their->first[1] - their->first[0],
                      our->first[1] - our->first[0], "patch", err);
    return GP_OK;
}

/* ---- tensors ---- */

static int begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

static int is_head(const gp_nn_tensor *t) {
    return begins(t->name, "head.") || begins(t->name, "linear.");
}

static int same_covariates(const gp_train_run *run, const gp_io_network *from) {
    if (from->shape.covariates != run->cohort.covariates)
        return 0;
    for (int64_t k = 0; k < run->cohort.covariates; k++)
        if (strcmp(from->covariate[k].name, run->covariate[k].name) != 0)
            return 0;
    return 1;
}

static void forget_given(gp_train_run *run) {
    free(run->taken);
    free(run->given);
    run->taken = NULL;
    run->given = NULL;
}

static int take_tensors(gp_train_run *run, const gp_io_network *from, int heads, gp_err *err) {
    const gp_nn_table *table = &run->model.table;
    gp_nn_table theirs = {0};
    int people = same_covariates(run, from);
    forget_given(run);
    run->taken = gp_mem_alloc(table->count, 1, err);
    run->given_networks = from->networks;
    run->given = gp_mem_alloc(table->parameters, from->networks * (int64_t)sizeof *run->given, err);
    if (err->code == GP_OK)
        gp_nn_table_init(&theirs, &from->shape, err);
    for (int64_t k = 0; k < table->count && err->code == GP_OK; k++) {
        const gp_nn_tensor *to = &table->tensor[k], *t = gp_nn_table_find(&theirs, to->name);
        if ((is_head(to) && !heads) || t == NULL || t->rows != to->rows ||
            t->columns != to->columns || (begins(to->name, "covariate.") && !people))
            continue;
        for (int64_t n = 0; n < from->networks; n++)
            memcpy(run->given + n * table->parameters + to->first,
                   from->parameter + n * theirs.parameters + t->first,
                   (size_t)(t->rows * t->columns) * sizeof *run->given);
        run->taken[k] = 1;
    }
    gp_nn_table_free(&theirs);
    return err->code;
}

int gp_train_give(gp_train_run *run, const gp_io_network *from, const char *directory, int heads,
                  gp_err *err) {
    if (compare_shapes(run, &from->shape, directory, err) == GP_OK)
        take_tensors(run, from, heads, err);
    return err->code;
}

static int read_init(gp_train_run *run, gp_err *err) {
    gp_io_network from = {0};
    if (gp_io_network_read(&from, run->o->init, err) == GP_OK &&
        (gp_par_rank(run->job->par) != 0 || compare_variants(run, err) == GP_OK))
        gp_train_give(run, &from, run->o->init, 0, err);
    gp_io_network_free(&from);
    return gp_par_agree(run->job->par, err);
}

/* The model of all samples stands for those of the folds, before anything is begun. */
static int check_warm(gp_train_run *run, gp_err *err) {
    if (gp_par_rank(run->job->par) == 0)
        compare_variants(run, err);
    if (gp_par_agree(run->job->par, err) == GP_OK &&
        gp_train_warm_take(run, run->models - 1, err) == GP_OK)
        forget_given(run);
    return err->code;
}

/* The additive path only where it is asked for; with --lora heads, what is new, and adapters (which
 * the trainer knows). */
static void freeze(gp_train_run *run) {
    const gp_nn_table *table = &run->model.table;
    int linear = strcmp(run->o->linear, "free") == 0 && !run->masked;
    for (int64_t k = 0; k < table->count; k++) {
        const gp_nn_tensor *t = &table->tensor[k];
        run->frozen[k] = (begins(t->name, "linear.") && !linear) ||
                         (run->o->training.lora > 0 && run->taken != NULL && run->taken[k] &&
                          !begins(t->name, "decode."));
    }
}

int gp_train_init(gp_train_run *run, gp_err *err) {
    if (run->o->init != NULL && read_init(run, err) != GP_OK)
        return err->code;
    if (run->o->warm != NULL && check_warm(run, err) != GP_OK)
        return err->code;
    freeze(run);
    return GP_OK;
}
