/* --replace: chromosomes of PLINK sets in place of a store's. */
#include "io/append.h"
#include "io/append_inside.h"
#include "io/bfile_copy.h"
#include "io/chromosome.h"
#include "io/sample_map.h"
#include "io/store_copy.h"
#include "src/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chromosome of the new store. */
typedef struct source {
    gp_chromosome chromosome; /* its name is borrowed */
    int64_t place;            /* of the sets, or -1 */
    int64_t old;              /* of the store, where place is -1 */
} source;

typedef struct replacer {
    gp_append a;
    source *source; /* [count] in karyotype order */
    int64_t count;
    int64_t variants;
    int64_t *order; /* [n] which of the sets' samples is the store's i; NULL where all are in place
                     */
} replacer;

/* ---- samples ---- */

/* Where each of the store's samples stands in the sets. */
static int find_samples(replacer *r, int64_t *order, gp_err *err) {
    const gp_samples *new = &r->a.list.samples, *old = &r->a.samples;
    gp_sample_map map = {0};
    int64_t lost = 0, found = 0;
    char first[200] = "";
    gp_sample_map_init(&map, new, 1, err);
    for (int64_t i = 0; i < old->n && err->code == GP_OK; i++) {
        if (gp_sample_map_find(&map, gp_samples_fid(old, i), gp_samples_iid(old, i), &order[i],
                               err) != GP_OK)
            break;
        found += order[i] >= 0;
        if (order[i] < 0 && lost++ == 0)
            snprintf(first, sizeof first, "%.60s %.60s", gp_samples_fid(old, i),
                     gp_samples_iid(old, i));
    }
    gp_sample_map_free(&map);
    if (err->code == GP_OK && lost > 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: lacks %lld of the %lld samples of %s (e.g. '%s'); --replace needs the same "
                   "samples",
                   r->a.list.set[0].fam, (long long)lost, (long long)old->n, r->a.path, first);
    if (err->code == GP_OK && found < new->n)
        gp_err_set(err, GP_EINPUT,
                   "%s: has %lld samples that are not in %s; --replace needs the same samples "
                   "(--append takes new ones)",
                   r->a.list.set[0].fam, (long long)(new->n - found), r->a.path);
    return err->code;
}

static int order_samples(replacer *r, gp_err *err) {
    int64_t n = r->a.samples.n, moved = 0;
    r->order = gp_mem_alloc(n, sizeof *r->order, err);
    if (r->order == NULL || find_samples(r, r->order, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        moved += r->order[i] != i;
    if (moved > 0) {
        gp_say(r->a.ask->sink, GP_NOTE,
               "%s: has the samples in another order than %s; they are put in the store's",
               r->a.list.set[0].fam, r->a.path);
    } else {
        free(r->order);
        r->order = NULL;
    }
    return GP_OK;
}

/* ---- chromosomes ---- */

static int compare_sources(const void *x, const void *y) {
    const gp_chromosome *a = &((const source *)x)->chromosome;
    const gp_chromosome *b = &((const source *)y)->chromosome;
    return gp_chromosome_compare(a->name, a->kind, b->name, b->kind);
}

static void add_source(replacer *r, source one) {
    r->source[r->count++] = one;
    r->variants += one.chromosome.count;
}

/* What is replaced keeps the name that the store gives it. */
static void add_new(replacer *r, int64_t place) {
    gp_append *a = &r->a;
    gp_chromosome chromosome = a->karyotype.place[place].chromosome;
    int64_t held = a->held[place];
    if (held >= 0) {
        const gp_chromosome *old = gp_store_chromosome(a->store, held);
        gp_say(a->ask->sink, GP_NOTE, "chromosome %s: %lld variants take the place of %lld",
               old->name, (long long)chromosome.count, (long long)old->count);
        if (strcmp(old->name, chromosome.name) != 0)
            gp_say(a->ask->sink, GP_NOTE, "chromosome %s of the new files keeps its name %s",
                   chromosome.name, old->name);
        chromosome.name = old->name;
    } else {
        gp_say(a->ask->sink, GP_NOTE, "chromosome %s: new, %lld variants", chromosome.name,
               (long long)chromosome.count);
    }
    add_source(r, (source){chromosome, place, -1});
}

static int list_sources(replacer *r, gp_err *err) {
    gp_append *a = &r->a;
    int64_t chromosomes = gp_store_chromosome_count(a->store);
    r->source = gp_mem_alloc(chromosomes + a->karyotype.count, sizeof *r->source, err);
    if (r->source == NULL)
        return err->code;
    for (int64_t k = 0; k < chromosomes; k++)
        if (a->place[k] < 0)
            add_source(r, (source){*gp_store_chromosome(a->store, k), -1, k});
    for (int64_t p = 0; p < a->karyotype.count; p++)
        add_new(r, p);
    qsort(r->source, (size_t)r->count, sizeof *r->source, compare_sources);
    return GP_OK;
}

static int print_report(const replacer *r, gp_text *text, gp_err *err) {
    gp_text_print(text, err, "chromosome\tkind\tvariants\tfrom\n");
    for (int64_t k = 0; k < r->count && err->code == GP_OK; k++) {
        const source *s = &r->source[k];
        gp_text_print(text, err, "%s\t%s\t%lld\t%s\n", s->chromosome.name,
                      gp_kind_name(s->chromosome.kind), (long long)s->chromosome.count,
                      s->place < 0 ? "store" : "new files");
    }
    if (err->code != GP_OK)
        return err->code;
    return gp_text_print(text, err, "samples\t%lld\nvariants\t%lld\n", (long long)r->a.samples.n,
                         (long long)r->variants);
}

/* ---- writing ---- */

static int keep_chromosome(gp_append *a, gp_store_piece *piece, int64_t k, gp_import_tally *t,
                           gp_err *err) {
    const gp_chromosome *c = gp_store_chromosome(a->store, k);
    for (int64_t first = 0; first < c->count; first += piece->v.count) {
        if (gp_store_piece_read(piece, k, first, err) != GP_OK ||
            (first == 0 &&
             gp_store_begin_chromosome(a->writer, c, piece->v.morgan != NULL, err) != GP_OK) ||
            gp_store_append(a->writer, &piece->v, piece->rows, err) != GP_OK)
            return err->code;
        if (gp_import_tell(t, piece->v.count))
            return gp_err_set(err, GP_ESTOP, "import: stopped while writing");
    }
    return GP_OK;
}

static int write_store(replacer *r, gp_err *err) {
    gp_append *a = &r->a;
    gp_import_tally written = {a->ask, "variants", 0, r->variants};
    gp_bfile_copy copy = {.list = &a->list,
                          .karyotype = &a->karyotype,
                          .order = r->order,
                          .watch = gp_import_tell,
                          .context = &written};
    gp_store_piece piece = {0};
    if (gp_store_piece_init(&piece, a->store, err) != GP_OK ||
        gp_append_create(a, &a->samples, r->variants, err) != GP_OK)
        goto done;
    copy.writer = a->writer;
    gp_bfile_copy_begin(&copy, err);
    for (int64_t k = 0; k < r->count && err->code == GP_OK; k++) {
        const source *s = &r->source[k];
        if (s->place < 0)
            keep_chromosome(a, &piece, s->old, &written, err);
        else
            gp_bfile_copy_chromosome(&copy, s->place, s->chromosome.name, err);
    }
    if (err->code == GP_OK)
        gp_append_finish(a, err);
done:
    gp_bfile_copy_end(&copy);
    gp_store_piece_free(&piece);
    return err->code;
}

/* ---- the whole ---- */

static int check_ids(replacer *r, gp_err *err) {
    gp_import_tally read = {.ask = r->a.ask};
    int64_t all = 0;
    if (gp_bfile_list_bytes(&r->a.list, &read.total, &all, err) != GP_OK)
        return err->code;
    return gp_import_warn_of_repeats(&r->a.list, &read, err);
}

int gp_append_chromosomes(const gp_import *ask, const char *store, gp_import_result *result,
                          gp_err *err) {
    replacer r = {.a = {.ask = ask, .path = store}};
    char done[100];
    if (gp_append_open(&r.a, err) != GP_OK || order_samples(&r, err) != GP_OK ||
        gp_append_map(&r.a, err) != GP_OK || check_ids(&r, err) != GP_OK ||
        list_sources(&r, err) != GP_OK)
        goto done;
    result->samples = r.a.samples.n;
    result->variants = r.variants;
    result->chromosomes = r.count;
    result->bytes = r.variants * ((r.a.samples.n + 3) / 4);
    result->more = r.a.karyotype.count;
    if (ask->dry_run) {
        print_report(&r, &result->report, err);
        goto done;
    }
    snprintf(done, sizeof done, "replaced: %lld chromosomes", (long long)result->more);
    if (gp_append_describe(&r.a, result->samples, result->variants, done, err) == GP_OK)
        write_store(&r, err);
done:
    gp_import_explain_stop(err);
    gp_append_free(&r.a);
    free(r.source);
    free(r.order);
    return err->code;
}
