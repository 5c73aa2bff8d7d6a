#include "io/append.h"
#include "io/append_match.h"
#include "io/append_row.h"
#include "io/sample_map.h"
#include "io/store_copy.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 3 };

/* ---- samples ---- */

/* Samples that are on both sides, and those that share their IID alone with an old one. */
typedef struct doubles {
    int64_t both, alike;
    gp_text names; /* the first of both */
    char first[GP_EXAMPLE];
} doubles;

static int compare_samples(const gp_append *a, doubles *d, gp_err *err) {
    const gp_samples *new = &a->list.samples;
    gp_sample_map map = {0};
    int64_t found = -1;
    gp_sample_map_init(&map, &a->samples, 1, err);
    for (int64_t i = 0; i < new->n && err->code == GP_OK; i++) {
        const char *fid = gp_samples_fid(new, i), *iid = gp_samples_iid(new, i);
        if (gp_sample_map_find(&map, fid, iid, &found, err) != GP_OK)
            break;
        if (found >= 0 && d->both++ < EXAMPLES)
            gp_text_print(&d->names, err, "%s'%.60s %.60s'", d->both > 1 ? ", " : "", fid, iid);
        if (found < 0 && gp_ids_find(&a->samples.iid, iid, (int64_t)strlen(iid)) >= 0 &&
            d->alike++ == 0)
            snprintf(d->first, sizeof d->first, "%.60s %.60s", fid, iid);
    }
    gp_sample_map_free(&map);
    return err->code;
}

static int check_samples(const gp_append *a, gp_err *err) {
    doubles d = {0};
    const char *fam = a->list.set[0].fam;
    if (compare_samples(a, &d, err) == GP_OK && d.both > 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: %lld of its %lld samples are in %s already (%s%s); --append takes new "
                   "samples alone",
                   fam, (long long)d.both, (long long)a->list.samples.n, a->path, d.names.bytes,
                   d.both > EXAMPLES ? ", ..." : "");
    if (err->code == GP_OK && d.alike > 0)
        gp_say(a->ask->sink, GP_WARN,
               "%s: %lld samples have the IID of one in %s, of another family (e.g. '%s'); tables "
               "will need FID and IID",
               fam, (long long)d.alike, a->path, d.first);
    gp_text_free(&d.names);
    return err->code;
}

/* Adds the new samples behind the old ones. */
static int join_samples(gp_append *a, gp_err *err) {
    const gp_samples *new = &a->list.samples;
    if (check_samples(a, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < new->n; i++) {
        gp_sample one = {gp_samples_fid(new, i), gp_samples_iid(new, i), gp_samples_father(new, i),
                         gp_samples_mother(new, i), new->sex[i]};
        if (gp_samples_add(&a->samples, &one, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

/* ---- what the user should know ---- */

static int report_match(gp_append *a, const gp_append_match *match, gp_err *err) {
    const gp_sink *sink = a->ask->sink;
    long long all = (long long)gp_store_variant_count(a->store);
    if (match->matched == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: has none of the %lld variants of %s; they are joined by chromosome, "
                          "position and alleles (here e.g. %s, there %s)",
                          a->list.set[0].bim, all, a->path, match->lone, match->lacks);
    gp_say(sink, GP_NOTE,
           "%lld of the %lld variants of %s are in the new files, %lld of them with alleles "
           "swapped, %lld under another id",
           (long long)match->matched, all, a->path, (long long)match->swapped,
           (long long)match->renamed);
    if (match->fills > 0)
        gp_say(sink, GP_NOTE, "%lld variants get an allele from the new files that %s did not know",
               (long long)match->fills, a->path);
    if (match->extra > 0)
        gp_say(sink, GP_NOTE, "%lld variants are only in the new files and are left out (e.g. %s)",
               (long long)match->extra, match->lone);
    if (match->ambiguous > 0)
        gp_say(sink, GP_WARN,
               "%lld variants are A/T or C/G with alleles swapped (e.g. %s): taken by their "
               "alleles; if the new files are of the other strand, leave such variants out",
               (long long)match->ambiguous, match->swaps);
    if (match->lacking > 0)
        gp_say(sink, GP_WARN,
               "%lld of the %lld variants of %s are not in the new files (e.g. %s; %lld have "
               "variants of other alleles there): they are missing in all new samples",
               (long long)match->lacking, all, a->path, match->lacks, (long long)match->differ);
    return GP_OK;
}

static int print_report(const gp_append *a, const gp_append_match *match, gp_text *text,
                        gp_err *err) {
    const int64_t *from = match->from;
    gp_text_print(text, err, "chromosome\tkind\tvariants\tin_new_files\n");
    for (int64_t k = 0; k < gp_store_chromosome_count(a->store) && err->code == GP_OK; k++) {
        const gp_chromosome *c = gp_store_chromosome(a->store, k);
        int64_t found = 0;
        for (int64_t i = 0; i < c->count; i++)
            found += *from++ >= 0;
        gp_text_print(text, err, "%s\t%s\t%lld\t%lld\n", c->name, gp_kind_name(c->kind),
                      (long long)c->count, (long long)found);
    }
    if (err->code != GP_OK)
        return err->code;
    return gp_text_print(text, err, "samples\t%lld\nof_them_new\t%lld\nvariants\t%lld\n",
                         (long long)a->samples.n, (long long)a->list.samples.n,
                         (long long)gp_store_variant_count(a->store));
}

/* ---- calls ---- */

typedef struct joiner {
    gp_append *a;
    const gp_append_match *match;
    gp_store_piece piece;
    int64_t base; /* number in the store of the piece's first variant */
    int64_t fill; /* the next one to be filled in */
    uint8_t *bed; /* [most x bytes of a .bed's row] */
    uint8_t *row; /* [stride of the new samples] */
    uint8_t *out; /* [most x stride of all samples] */
} joiner;

static int joiner_init(joiner *j, gp_err *err) {
    const gp_append *a = j->a;
    if (gp_store_piece_init(&j->piece, a->store, err) != GP_OK)
        return err->code;
    j->bed = gp_mem_alloc(j->piece.most, a->list.bed[0]->row, err);
    j->row = gp_mem_alloc(gp_geno_stride(a->list.samples.n), 1, err);
    j->out = gp_mem_alloc(j->piece.most, gp_geno_stride(a->samples.n), err);
    return err->code;
}

static void joiner_free(joiner *j) {
    gp_store_piece_free(&j->piece);
    free(j->bed);
    free(j->row);
    free(j->out);
}

/* Reads the new calls of a piece; rows that lie one behind the other at once. */
static int read_new(joiner *j, gp_err *err) {
    const int64_t *from = j->match->from + j->base;
    int64_t sets = j->a->list.count;
    for (int64_t i = 0, run = 1; i < j->piece.v.count; i += run) {
        int64_t file = from[i] / 2 % sets, row = from[i] / 2 / sets;
        run = 1;
        if (from[i] < 0)
            continue;
        while (i + run < j->piece.v.count && from[i + run] >= 0 &&
               from[i + run] / 2 == (row + run) * sets + file)
            run++;
        const gp_bed *bed = j->a->list.bed[file];
        if (gp_bed_read(bed, row, run, j->bed + i * bed->row, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

static void join_rows(joiner *j) {
    const int64_t *from = j->match->from + j->base;
    int64_t old = gp_store_sample_count(j->a->store), new = j->a->list.samples.n;
    int64_t stride = gp_geno_stride(old), all = gp_geno_stride(old + new);
    int64_t bytes = j->a->list.bed[0]->row;
    for (int64_t i = 0; i < j->piece.v.count; i++) {
        if (from[i] < 0)
            memset(j->row, 0xFF, (size_t)bytes); /* four missing calls a byte */
        else
            gp_geno_from_bed(j->bed + i * bytes, new, j->row);
        if (from[i] >= 0 && from[i] % 2 == 1)
            gp_row_turn(j->row, bytes);
        gp_row_join(j->piece.rows + i * stride, old, j->row, new, j->out + i * all);
    }
}

/* Puts in the alleles that only the new files know. */
static void fill_alleles(joiner *j) {
    const gp_append_match *match = j->match;
    gp_variants *v = &j->piece.v;
    for (; j->fill < match->fills && match->fill[j->fill].variant < j->base + v->count; j->fill++) {
        const gp_append_fill *fill = &match->fill[j->fill];
        int64_t i = fill->variant - j->base;
        if (fill->ref >= 0)
            v->ref[i] = match->names.bytes + fill->ref;
        if (fill->alt >= 0)
            v->alt[i] = match->names.bytes + fill->alt;
    }
}

static int join_chromosome(joiner *j, int64_t k, gp_import_tally *t, gp_err *err) {
    const gp_chromosome *c = gp_store_chromosome(j->a->store, k);
    for (int64_t first = 0; first < c->count; first += j->piece.v.count) {
        if (gp_store_piece_read(&j->piece, k, first, err) != GP_OK || read_new(j, err) != GP_OK ||
            (first == 0 &&
             gp_store_begin_chromosome(j->a->writer, c, j->piece.v.morgan != NULL, err) != GP_OK))
            return err->code;
        join_rows(j);
        fill_alleles(j);
        if (gp_store_append(j->a->writer, &j->piece.v, j->out, err) != GP_OK)
            return err->code;
        j->base += j->piece.v.count;
        if (gp_import_tell(t, j->piece.v.count))
            return gp_err_set(err, GP_ESTOP, "import: stopped while writing");
    }
    return GP_OK;
}

static int write_store(gp_append *a, const gp_append_match *match, gp_err *err) {
    gp_import_tally written = {a->ask, "variants", 0, gp_store_variant_count(a->store)};
    joiner j = {.a = a, .match = match};
    if (joiner_init(&j, err) == GP_OK &&
        gp_append_create(a, &a->samples, written.total, err) == GP_OK)
        for (int64_t k = 0; k < gp_store_chromosome_count(a->store) && err->code == GP_OK; k++)
            join_chromosome(&j, k, &written, err);
    joiner_free(&j);
    return err->code == GP_OK ? gp_append_finish(a, err) : err->code;
}

/* ---- the whole ---- */

int gp_append_samples(const gp_import *ask, const char *store, gp_import_result *result,
                      gp_err *err) {
    gp_append a = {.ask = ask, .path = store};
    gp_append_match match = {0};
    char done[100];
    if (gp_append_open(&a, err) != GP_OK || join_samples(&a, err) != GP_OK ||
        gp_append_map(&a, err) != GP_OK || gp_append_match_run(&match, &a, err) != GP_OK ||
        report_match(&a, &match, err) != GP_OK)
        goto done;
    result->samples = a.samples.n;
    result->variants = gp_store_variant_count(a.store);
    result->chromosomes = gp_store_chromosome_count(a.store);
    result->bytes = result->variants * ((a.samples.n + 3) / 4);
    result->more = a.list.samples.n;
    if (ask->dry_run) {
        print_report(&a, &match, &result->report, err);
        goto done;
    }
    snprintf(done, sizeof done, "appended: %lld samples", (long long)result->more);
    if (gp_append_describe(&a, result->samples, result->variants, done, err) == GP_OK)
        write_store(&a, &match, err);
done:
    gp_import_explain_stop(err);
    gp_append_match_free(&match);
    gp_append_free(&a);
    return err->code;
}
