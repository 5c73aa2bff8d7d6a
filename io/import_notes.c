/* What every import says on its way: progress, warnings, where the store comes from. */
#include "io/import_inside.h"
#include "io/repeats.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

/* ---- progress ---- */

int gp_import_tell(void *context, int64_t more) {
    gp_import_tally *t = context;
    t->done += more;
    return t->ask->watch != NULL && t->ask->watch(t->ask->context, t->what, t->done, t->total);
}

/* Whoever stopped, the user reads one and the same message. */
void gp_import_explain_stop(gp_err *err) {
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

static int see_ids(gp_repeats *repeats, gp_reader *reader, example *first, gp_import_tally *t,
                   gp_err *err) {
    gp_slice line = {0}, field[2];
    int64_t told = 0;
    for (int64_t i = 1; gp_reader_next(reader, &line, err) == GP_OK && line.s != NULL; i++) {
        if (i % 4096 == 0) {
            if (gp_import_tell(t, reader->offset - told))
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
int gp_import_warn_of_repeats(const gp_bfile_list *list, gp_import_tally *t, gp_err *err) {
    gp_repeats repeats = {0};
    gp_reader reader = {0};
    example first = {0};
    int64_t total = t->total;
    gp_repeats_init(&repeats, list->map.named, GP_REPEATS_SLOTS, err);
    *t = (gp_import_tally){
        .ask = t->ask, .what = "bytes of ids compared", .total = total * repeats.classes};
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

void gp_import_warn_of_order(const gp_bim_map *map, const gp_karyotype *karyotype,
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

/* ---- provenance ---- */

/* Its name without directories, so that the same input gives the same store anywhere. */
static int describe_file(const char *path, gp_import_tally *t, gp_text *text, gp_err *err) {
    const char *slash = strrchr(path, '/');
    char md5[33];
    int64_t size = 0;
    if (gp_io_file_size(path, &size, err) != GP_OK ||
        gp_io_md5_watched(path, md5, gp_import_tell, t, err) != GP_OK)
        return err->code;
    return gp_text_print(text, err, "source: %s, %lld bytes, md5 %s\n", slash ? slash + 1 : path,
                         (long long)size, md5);
}

int gp_import_describe(const gp_bfile_list *list, gp_import_tally *t, gp_text *text, gp_err *err) {
    for (int64_t k = 0; k < list->count && err->code == GP_OK; k++)
        if (describe_file(list->set[k].fam, t, text, err) == GP_OK &&
            describe_file(list->set[k].bim, t, text, err) == GP_OK)
            describe_file(list->set[k].bed, t, text, err);
    return err->code;
}
