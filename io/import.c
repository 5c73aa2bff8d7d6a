#include "io/import.h"
#include "io/bfile_copy.h"
#include "io/bfile_list.h"
#include "io/file.h"
#include "io/karyotype.h"
#include "io/repeats.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

/* ---- progress ---- */

typedef struct tally {
    const gp_import *ask;
    const char *what;
    int64_t done, total;
} tally;

static int tell(void *context, int64_t more) {
    tally *t = context;
    t->done += more;
    return t->ask->watch != NULL && t->ask->watch(t->ask->context, t->what, t->done, t->total);
}

/* Whoever stopped, the user reads one and the same message. */
static void explain_stop(gp_err *err) {
    if (err->code != GP_ESTOP)
        return;
    *err = (gp_err){0};
    gp_err_set(err, GP_ESTOP,
               "import: stopped by a signal; nothing was written; run the same command again");
}

/* ---- repeated variant ids ---- */

/* Where an id was met that had been met before. */
typedef struct example {
    char id[64];
    const char *path;
    int64_t line;
} example;

static int see_ids(gp_repeats *repeats, gp_reader *reader, example *first, tally *t, gp_err *err) {
    gp_slice line = {0}, field[2];
    int64_t told = 0;
    for (int64_t i = 1; gp_reader_next(reader, &line, err) == GP_OK && line.s != NULL; i++) {
        if (i % 4096 == 0) {
            if (tell(t, reader->offset - told))
                return gp_err_set(err, GP_ESTOP, "%s: stopped while reading it", reader->path);
            told = reader->offset;
        }
        if (gp_slice_cut(line, field, 2) < 2 || (field[1].n == 1 && field[1].s[0] == '.') ||
            !gp_repeats_see(repeats, field[1].s, field[1].n) || first->path != NULL)
            continue;
        int64_t n =
            field[1].n < (int64_t)sizeof first->id ? field[1].n : (int64_t)sizeof first->id - 1;
        memcpy(first->id, field[1].s, (size_t)n);
        first->path = reader->path;
        first->line = reader->number;
    }
    return err->code;
}

/* Such ids are allowed; the user shall know of them. */
static int warn_of_repeats(const gp_bfile_list *list, tally *t, gp_err *err) {
    gp_repeats repeats = {0};
    gp_reader reader = {0};
    example first = {0};
    int64_t total = t->total;
    gp_repeats_init(&repeats, list->map.named, GP_REPEATS_SLOTS, err);
    *t = (tally){.ask = t->ask, .what = "bytes of ids compared", .total = total * repeats.classes};
    for (int64_t k = 0; k < repeats.classes && err->code == GP_OK; k++) {
        gp_repeats_begin(&repeats, k);
        for (int64_t i = 0; i < list->count && err->code == GP_OK; i++) {
            if (gp_reader_open(&reader, list->set[i].bim, CHUNK, err) == GP_OK)
                see_ids(&repeats, &reader, &first, t, err);
            gp_reader_close(&reader);
        }
    }
    if (err->code == GP_OK && repeats.count > 0)
        gp_say(
            t->ask->sink, GP_WARN,
            "%lld variants have an id that an earlier one has (e.g. '%s', %s:%lld); all are kept",
            (long long)repeats.count, first.id, first.path, (long long)first.line);
    gp_repeats_free(&repeats);
    return err->code;
}

/* ---- what else the user should know ---- */

static void warn_of_order(const gp_bim_map *map, const gp_karyotype *karyotype,
                          const gp_sink *sink) {
    int64_t count = 0;
    const char *name = NULL;
    for (int64_t k = karyotype->count - 1; k >= 0; k--)
        if (!gp_karyotype_streams(map, &karyotype->place[k])) {
            count++;
            name = karyotype->place[k].chromosome.name;
        }
    if (count > 0)
        gp_say(sink, GP_WARN,
               "%lld of %lld chromosomes are not in one piece in order of position (e.g. %s); "
               "their variants are sorted",
               (long long)count, (long long)karyotype->count, name);
    if (map->skipped > 0)
        gp_say(sink, GP_WARN, "%lld variants with a negative position are left out",
               (long long)map->skipped);
}

/* What the store will take: calls, positions, counts and strings. */
static int64_t predicted_bytes(const gp_bfile_list *list, const gp_karyotype *karyotype) {
    enum { A_VARIANT = 8 + 8 + 4 * 8 + 3 };
    return karyotype->variants * (gp_geno_stride(list->samples.n) + A_VARIANT) + list->map.text;
}

static int report(const gp_bfile_list *list, const gp_karyotype *karyotype, gp_text *text,
                  gp_err *err) {
    gp_text_print(text, err, "chromosome\tkind\tvariants\torder\n");
    for (int64_t k = 0; k < karyotype->count && err->code == GP_OK; k++) {
        const gp_karyotype_place *place = &karyotype->place[k];
        gp_text_print(text, err, "%s\t%s\t%lld\t%s\n", place->chromosome.name,
                      gp_kind_name(place->chromosome.kind), (long long)place->chromosome.count,
                      gp_karyotype_streams(&list->map, place) ? "sorted" : "to be sorted");
    }
    if (err->code != GP_OK)
        return err->code;
    return gp_text_print(text, err,
                         "samples\t%lld\nvariants\t%lld\nstore\tabout %.1f MB before compression\n",
                         (long long)list->samples.n, (long long)karyotype->variants,
                         1e-6 * (double)predicted_bytes(list, karyotype));
}

/* ---- provenance ---- */

/* Its name without directories, so that the same input gives the same store anywhere. */
static int describe_file(const char *path, tally *t, gp_text *text, gp_err *err) {
    const char *slash = strrchr(path, '/');
    char md5[33];
    int64_t size = 0;
    if (gp_io_file_size(path, &size, err) != GP_OK ||
        gp_io_md5_watched(path, md5, tell, t, err) != GP_OK)
        return err->code;
    return gp_text_print(text, err, "source: %s, %lld bytes, md5 %s\n", slash ? slash + 1 : path,
                         (long long)size, md5);
}

static int describe(const gp_bfile_list *list, const gp_karyotype *karyotype, tally *t,
                    gp_text *text, gp_err *err) {
    gp_text_print(text, err, "program: %s\nsamples: %lld\nvariants: %lld\n",
                  t->ask->program ? t->ask->program : "gp-dist", (long long)list->samples.n,
                  (long long)karyotype->variants);
    if (err->code == GP_OK && list->map.skipped > 0)
        gp_text_print(text, err, "variants left out (negative position): %lld\n",
                      (long long)list->map.skipped);
    for (int64_t k = 0; k < list->count && err->code == GP_OK; k++)
        if (describe_file(list->set[k].fam, t, text, err) == GP_OK &&
            describe_file(list->set[k].bim, t, text, err) == GP_OK)
            describe_file(list->set[k].bed, t, text, err);
    return err->code;
}

/* ---- the whole ---- */

static int write_store(const gp_import *ask, const gp_bfile_list *list,
                       const gp_karyotype *karyotype, const char *provenance, gp_err *err) {
    tally written = {.ask = ask, .what = "variants", .total = karyotype->variants};
    gp_store_plan plan = {.samples = &list->samples,
                          .variants = karyotype->variants,
                          .compress = ask->compress,
                          .provenance = provenance};
    gp_bfile_copy copy = {.list = list,
                          .karyotype = karyotype,
                          .entries = GP_COPY_ENTRIES,
                          .watch = tell,
                          .context = &written};
    if (gp_store_create(&copy.writer, ask->out, &plan, err) != GP_OK)
        return err->code;
    if (gp_bfile_copy_run(&copy, err) == GP_OK)
        return gp_store_finish(copy.writer, err);
    gp_store_discard(copy.writer);
    return err->code;
}

/* All checks that need no more than the text files; warnings come before the long work. */
static int check_input(const gp_import *ask, gp_bfile_list *list, gp_karyotype *karyotype,
                       gp_err *err) {
    tally read = {.ask = ask, .what = "bytes of .bim checked"};
    int64_t all = 0;
    if (gp_bfile_list_open(list, ask->bfile, err) != GP_OK ||
        gp_bfile_list_bytes(list, &read.total, &all, err) != GP_OK ||
        gp_bfile_list_map(list, tell, &read, err) != GP_OK ||
        gp_karyotype_make(karyotype, &list->map, ask->autosomes, ask->sink, err) != GP_OK)
        return err->code;
    if (karyotype->variants == 0)
        return gp_err_set(err, GP_EINPUT, "%s: every variant has a negative position",
                          list->set[0].bim);
    warn_of_order(&list->map, karyotype, ask->sink);
    return warn_of_repeats(list, &read, err);
}

int gp_import_bfile(const gp_import *ask, gp_import_result *result, gp_err *err) {
    gp_bfile_list list = {0};
    gp_karyotype karyotype = {0};
    gp_text provenance = {0};
    tally summed = {.ask = ask, .what = "bytes summed"};
    int64_t bim = 0;
    if ((ask->out != NULL && gp_store_check_new(ask->out, err) != GP_OK) ||
        check_input(ask, &list, &karyotype, err) != GP_OK)
        goto done;
    result->samples = list.samples.n;
    result->variants = karyotype.variants;
    result->chromosomes = karyotype.count;
    for (int64_t k = 0; k < list.count; k++)
        result->bytes += list.set[k].calls.size;
    if (ask->dry_run) {
        report(&list, &karyotype, &result->report, err);
        goto done;
    }
    if (gp_bfile_list_bytes(&list, &bim, &summed.total, err) == GP_OK &&
        describe(&list, &karyotype, &summed, &provenance, err) == GP_OK)
        write_store(ask, &list, &karyotype, provenance.bytes, err);
done:
    explain_stop(err);
    gp_text_free(&provenance);
    gp_karyotype_free(&karyotype);
    gp_bfile_list_free(&list);
    return err->code;
}

void gp_import_result_free(gp_import_result *result) {
    gp_text_free(&result->report);
    *result = (gp_import_result){0};
}
