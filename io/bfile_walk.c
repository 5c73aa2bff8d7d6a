#include "io/bfile_walk.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Lines in order are read in long pieces, single ones in short pieces. */
enum { STREAM_CHUNK = 1 << 16, FETCH_CHUNK = 1 << 12 };

int gp_bfile_walk_init(gp_bfile_walk *walk, const gp_bfile_list *list,
                       const gp_karyotype *karyotype, int64_t entries, gp_err *err) {
    *walk = (gp_bfile_walk){
        .list = list, .karyotype = karyotype, .entries = entries > 0 ? entries : GP_WALK_ENTRIES};
    walk->rank = gp_mem_alloc(list->map.name.count, sizeof *walk->rank, err);
    walk->single = gp_mem_alloc(list->count, sizeof *walk->single, err);
    return err->code;
}

static const gp_bim_span *span_of(const gp_bfile_walk *walk, int64_t place) {
    return &walk->list->map.span[walk->karyotype->place[place].span];
}

static int streams(const gp_bfile_walk *walk, int64_t place) {
    return gp_karyotype_streams(&walk->list->map, &walk->karyotype->place[place]);
}

/* ---- the index ---- */

/* While an index is made nothing else is done, but a wish to stop counts. */
static int only_ask(void *context, int64_t more) {
    const gp_bfile_walk *walk = context;
    (void)more;
    return walk->watch != NULL && walk->watch(walk->context, 0);
}

/* Whether some of a file's variants are of the index's chromosomes. */
static int is_wanted(const gp_bfile_walk *walk, int64_t file) {
    for (int64_t k = walk->first; k < walk->end; k++) {
        int64_t only = span_of(walk, k)->file;
        if (only < 0 || only == file)
            return 1;
    }
    return 0;
}

/* Indexes chromosomes in one pass over the files they are in: from place on, as many as fit. */
static int make_index(gp_bfile_walk *walk, int64_t place, gp_err *err) {
    const gp_bfile_list *list = walk->list;
    const gp_karyotype *karyotype = walk->karyotype;
    int64_t count = karyotype->place[place].chromosome.count, end = place + 1;
    for (; end < karyotype->count; end++) {
        int64_t more = karyotype->place[end].chromosome.count;
        if (streams(walk, end) || count + more > walk->entries)
            break;
        count += more;
    }
    gp_bim_index_free(&walk->index);
    walk->first = walk->end = place;
    if (gp_bim_index_init(&walk->index, count, err) != GP_OK)
        return err->code;
    walk->end = end;
    for (int64_t k = 0; k < list->map.name.count; k++)
        walk->rank[k] = -1;
    for (int64_t k = place; k < end; k++)
        walk->rank[karyotype->place[k].span] = (int32_t)k;
    for (int64_t file = 0; file < list->count; file++)
        if (is_wanted(walk, file) &&
            gp_bim_index_add(&walk->index, &list->map, walk->rank, list->set[file].bim, file,
                             only_ask, walk, err) != GP_OK)
            return err->code;
    if (walk->index.count != count)
        return gp_bim_changed(list->set[0].bim, err);
    gp_bim_index_sort(&walk->index);
    return GP_OK;
}

static int enter_index(gp_bfile_walk *walk, int64_t place, gp_err *err) {
    if ((place < walk->first || place >= walk->end) && make_index(walk, place, err) != GP_OK)
        return err->code;
    walk->at = 0;
    for (int64_t k = walk->first; k < place; k++)
        walk->at += walk->karyotype->place[k].chromosome.count;
    walk->stop = walk->at + walk->karyotype->place[place].chromosome.count;
    return GP_OK;
}

/* ---- walking ---- */

int gp_bfile_walk_enter(gp_bfile_walk *walk, int64_t place, gp_err *err) {
    const gp_bim_span *span = span_of(walk, place);
    walk->place = place;
    gp_reader_close(&walk->stream);
    if (!streams(walk, place))
        return enter_index(walk, place, err);
    walk->at = 0;
    walk->stop = span->lines;
    if (gp_reader_open(&walk->stream, walk->list->set[span->file].bim, STREAM_CHUNK, err) == GP_OK)
        gp_reader_seek(&walk->stream, span->offset, span->number);
    return err->code;
}

/* The next line, which must be of the chromosome that the first pass found there. */
static int read_line(const gp_bfile_walk *walk, gp_reader *reader, gp_bim_line *bim, gp_err *err) {
    const char *text = gp_ids_get(&walk->list->map.name, walk->karyotype->place[walk->place].span);
    gp_slice line = {0}, name = {text, (int64_t)strlen(text)};
    gp_err why = {0};
    if (gp_reader_next(reader, &line, &why) == GP_EFAIL)
        return gp_err_set(err, GP_EFAIL, "%s", why.text);
    if (why.code != GP_OK || line.s == NULL || gp_bim_parse(reader, line, bim, &why) != GP_OK ||
        !gp_slice_equal(bim->chromosome, name))
        return gp_bim_changed(reader->path, err);
    return GP_OK;
}

static int next_streamed(gp_bfile_walk *walk, gp_bfile_variant *variant, gp_err *err) {
    const gp_bim_span *span = span_of(walk, walk->place);
    while (walk->at < walk->stop) {
        if (read_line(walk, &walk->stream, &variant->bim, err) != GP_OK)
            return err->code;
        variant->row = span->row + walk->at++;
        if (variant->bim.position >= 0) {
            variant->file = span->file;
            break;
        }
    }
    return GP_OK;
}

static int next_fetched(gp_bfile_walk *walk, gp_bfile_variant *variant, gp_err *err) {
    if (walk->at == walk->stop)
        return GP_OK;
    const gp_bim_entry *entry = &walk->index.entry[walk->at++];
    gp_reader *reader = &walk->single[entry->file];
    if (reader->path == NULL &&
        gp_reader_open(reader, walk->list->set[entry->file].bim, FETCH_CHUNK, err) != GP_OK)
        return err->code;
    gp_reader_seek(reader, entry->offset, 1);
    if (read_line(walk, reader, &variant->bim, err) != GP_OK)
        return err->code;
    if (variant->bim.position != entry->position)
        return gp_bim_changed(reader->path, err);
    variant->file = entry->file;
    variant->row = entry->row;
    return GP_OK;
}

int gp_bfile_walk_next(gp_bfile_walk *walk, gp_bfile_variant *variant, gp_err *err) {
    variant->file = -1;
    return walk->stream.path != NULL ? next_streamed(walk, variant, err)
                                     : next_fetched(walk, variant, err);
}

void gp_bfile_walk_free(gp_bfile_walk *walk) {
    gp_reader_close(&walk->stream);
    for (int64_t k = 0; walk->single != NULL && k < walk->list->count; k++)
        gp_reader_close(&walk->single[k]);
    free(walk->single);
    free(walk->rank);
    gp_bim_index_free(&walk->index);
    *walk = (gp_bfile_walk){0};
}
