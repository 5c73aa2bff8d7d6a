/* An old store and new PLINK sets, before the work and at its end. */
#include "io/append_inside.h"
#include "io/chromosome.h"
#include "io/list.h"
#include "io/store_copy.h"
#include "io/store_h5.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

int gp_append_open(gp_append *a, gp_err *err) {
    if ((a->ask->out != NULL && gp_store_check_new(a->ask->out, err) != GP_OK) ||
        gp_store_open(&a->store, a->path, err) != GP_OK ||
        gp_store_read_samples(a->store, &a->samples, err) != GP_OK)
        return err->code;
    return gp_bfile_list_open(&a->list, a->ask->bfile, err);
}

/* ---- chromosomes ---- */

/* PLINK's --autosome-num, so that new chromosomes are taken as if all were imported together:
 * what the old store says, else 0, human, unless some number is too high for that. */
static int64_t autosomes_of(const gp_append *a) {
    enum { ALL = 1000000 };
    int64_t old = -1, highest = -1;
    if (a->ask->autosomes > 0)
        return a->ask->autosomes;
    for (int64_t k = 0; k < gp_store_chromosome_count(a->store); k++) {
        const gp_chromosome *c = gp_store_chromosome(a->store, k);
        int64_t number = gp_chromosome_number(c->name);
        if (c->kind != GP_AUTOSOME && number > (int64_t)c->kind)
            return number - (int64_t)c->kind; /* N + 1 is X, N + 2 Y, ... */
        old = gp_most(old, number);
    }
    for (int64_t k = 0; k < a->list.map.name.count; k++)
        highest = gp_most(highest, gp_chromosome_number(gp_ids_get(&a->list.map.name, k)));
    return old > GP_HUMAN_AUTOSOMES || highest > GP_HUMAN_AUTOSOMES + 4 ? ALL : 0;
}

/* How surely two are the same chromosome: 2 names that --chr takes for each other, 1 both the
 * only one of their kind, 0 not. */
static int likeness(const gp_append *a, int64_t place, int64_t k) {
    const gp_chromosome *x = &a->karyotype.place[place].chromosome;
    const gp_chromosome *y = gp_store_chromosome(a->store, k);
    int64_t alike = 0;
    if (gp_list_names(x->name, y) || gp_list_names(y->name, x))
        return 2;
    if (x->kind != y->kind || x->kind == GP_AUTOSOME)
        return 0;
    for (int64_t i = 0; i < a->karyotype.count; i++)
        alike += a->karyotype.place[i].chromosome.kind == x->kind;
    for (int64_t i = 0; i < gp_store_chromosome_count(a->store); i++)
        alike += gp_store_chromosome(a->store, i)->kind == x->kind;
    return alike == 2;
}

static void pair(gp_append *a, int64_t place, int64_t k) {
    a->place[k] = place;
    a->held[place] = k;
}

/* Most have one name on both sides; there may be thousands of them. */
static int pair_names(gp_append *a, gp_err *err) {
    gp_ids names = {0};
    int64_t chromosomes = gp_store_chromosome_count(a->store), k = 0;
    for (; k < chromosomes && err->code == GP_OK; k++) {
        const char *name = gp_store_chromosome(a->store, k)->name;
        a->place[k] = -1;
        gp_ids_add(&names, name, (int64_t)strlen(name), &(int64_t){0}, NULL, err);
    }
    for (int64_t p = 0; p < a->karyotype.count && err->code == GP_OK; p++) {
        const char *name = a->karyotype.place[p].chromosome.name;
        a->held[p] = -1;
        k = gp_ids_find(&names, name, (int64_t)strlen(name));
        if (k >= 0)
            pair(a, p, k);
    }
    gp_ids_free(&names);
    return err->code;
}

/* Two of the new sets' for one of the store's: which of them is it? */
static int check_left(const gp_append *a, int64_t p, gp_err *err) {
    for (int64_t k = 0; k < gp_store_chromosome_count(a->store); k++)
        if (likeness(a, p, k) == 2)
            return gp_err_set(
                err, GP_EINPUT,
                "%s: '%.60s' and '%.60s' of the new files are both chromosome '%.60s' of %s; "
                "give each chromosome one name",
                a->list.set[0].bim, a->karyotype.place[a->place[k]].chromosome.name,
                a->karyotype.place[p].chromosome.name, gp_store_chromosome(a->store, k)->name,
                a->path);
    return GP_OK;
}

/* Pairs those that are alike, surest ones first. */
static int pair_all(gp_append *a, gp_err *err) {
    int64_t chromosomes = gp_store_chromosome_count(a->store), places = a->karyotype.count;
    if (pair_names(a, err) != GP_OK)
        return err->code;
    for (int sure = 2; sure > 0; sure--)
        for (int64_t p = 0; p < places; p++)
            for (int64_t k = 0; a->held[p] < 0 && k < chromosomes; k++)
                if (a->place[k] < 0 && likeness(a, p, k) == sure)
                    pair(a, p, k);
    for (int64_t p = 0; p < places && err->code == GP_OK; p++)
        if (a->held[p] < 0)
            check_left(a, p, err);
    return err->code;
}

int gp_append_map(gp_append *a, gp_err *err) {
    gp_import_tally read = {.ask = a->ask, .what = "bytes of .bim checked"};
    int64_t all = 0;
    if (gp_bfile_list_bytes(&a->list, &read.total, &all, err) != GP_OK ||
        gp_bfile_list_map(&a->list, gp_import_tell, &read, err) != GP_OK ||
        gp_karyotype_make(&a->karyotype, &a->list.map, autosomes_of(a), a->ask->sink, err) != GP_OK)
        return err->code;
    if (a->karyotype.variants == 0)
        return gp_err_set(err, GP_EINPUT, "%s: every variant has a negative position",
                          a->list.set[0].bim);
    gp_import_warn_of_order(&a->list.map, &a->karyotype, a->ask->sink);
    a->place = gp_mem_alloc(gp_store_chromosome_count(a->store), sizeof *a->place, err);
    a->held = gp_mem_alloc(a->karyotype.count, sizeof *a->held, err);
    return err->code == GP_OK ? pair_all(a, err) : err->code;
}

/* ---- provenance ---- */

/* Adds the old store's lines, as many as there is room for. */
static int add_history(gp_append *a, gp_err *err) {
    static const char rest[] = "older lines are left out\n";
    const char *old = gp_store_provenance(a->store);
    int64_t room = GP_STORE_PROVENANCE_MAX - 1 - (int64_t)sizeof rest - a->provenance.length;
    int64_t length = (int64_t)strlen(old);
    if (length <= room)
        return gp_text_add(&a->provenance, old, length, err);
    for (length = room > 0 ? room : 0; length > 0 && old[length - 1] != '\n';)
        length--;
    if (gp_text_add(&a->provenance, old, length, err) != GP_OK)
        return err->code;
    return gp_text_add(&a->provenance, rest, (int64_t)sizeof rest - 1, err);
}

int gp_append_describe(gp_append *a, int64_t samples, int64_t variants, const char *done,
                       gp_err *err) {
    gp_import_tally summed = {.ask = a->ask, .what = "bytes summed"};
    const char *slash = strrchr(a->path, '/');
    int64_t bim = 0;
    if (gp_bfile_list_bytes(&a->list, &bim, &summed.total, err) != GP_OK ||
        gp_text_print(&a->provenance, err, "program: %s\nsamples: %lld\nvariants: %lld\n%s\n",
                      a->ask->program ? a->ask->program : "gp-dist", (long long)samples,
                      (long long)variants, done) != GP_OK ||
        gp_import_describe(&a->list, &summed, &a->provenance, err) != GP_OK ||
        gp_text_print(&a->provenance, err, "before: %s, %lld samples, %lld variants, digest %s\n",
                      slash ? slash + 1 : a->path, (long long)gp_store_sample_count(a->store),
                      (long long)gp_store_variant_count(a->store),
                      gp_store_digest(a->store)) != GP_OK)
        return err->code;
    return add_history(a, err);
}

/* ---- the new store ---- */

int gp_append_create(gp_append *a, const gp_samples *samples, int64_t variants, gp_err *err) {
    int level = a->ask->compress < 0 ? gp_store_compression(a->store, err) : a->ask->compress;
    gp_store_plan plan = {.samples = samples,
                          .variants = variants,
                          .compress = level,
                          .provenance = a->provenance.bytes};
    return err->code == GP_OK ? gp_store_create(&a->writer, a->ask->out, &plan, err) : err->code;
}

int gp_append_finish(gp_append *a, gp_err *err) {
    gp_store_writer *writer = a->writer;
    gp_store_close(a->store);
    a->store = NULL;
    a->writer = NULL;
    return gp_store_finish(writer, err);
}

void gp_append_free(gp_append *a) {
    gp_store_discard(a->writer);
    gp_store_close(a->store);
    gp_samples_free(&a->samples);
    gp_karyotype_free(&a->karyotype);
    gp_bfile_list_free(&a->list);
    gp_text_free(&a->provenance);
    free(a->place);
    free(a->held);
    *a = (gp_append){0};
}
