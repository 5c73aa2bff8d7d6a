#include "io/bfile_copy.h"
#include "io/batch.h"
#include "io/bim_index.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Lines in order are read in long pieces, single ones in short pieces. */
enum { STREAM_CHUNK = 1 << 16, FETCH_CHUNK = 1 << 12 };

/* What the copying of one chromosome needs. */
typedef struct state {
    const gp_bfile_copy *copy;
    gp_batch batch;
    gp_bim_index index;
    int32_t *rank;     /* [chromosomes of the map] place in the output, or -1 */
    gp_reader *reader; /* [sets] for single lines; opened when first needed */
} state;

static int flush(state *s, gp_err *err) {
    int64_t count = s->batch.v.count;
    if (gp_batch_append(&s->batch, s->copy->list->bed, s->copy->writer, err) != GP_OK)
        return err->code;
    if (s->copy->watch != NULL && s->copy->watch(s->copy->context, count))
        return gp_err_set(err, GP_ESTOP, "import: stopped while writing");
    return GP_OK;
}

/* The next line, which must be of the chromosome that the first pass found there. */
static int next_variant(gp_reader *reader, const char *chromosome, gp_bim_line *bim, gp_err *err) {
    gp_slice line = {0}, name = {chromosome, (int64_t)strlen(chromosome)};
    gp_err why = {0};
    if (gp_reader_next(reader, &line, &why) == GP_EFAIL)
        return gp_err_set(err, GP_EFAIL, "%s", why.text);
    if (why.code != GP_OK || line.s == NULL || gp_bim_parse(reader, line, bim, &why) != GP_OK ||
        !gp_slice_equal(bim->chromosome, name))
        return gp_bim_changed(reader->path, err);
    return GP_OK;
}

static int take(state *s, const gp_bim_line *bim, int64_t file, int64_t row, gp_err *err) {
    if (gp_batch_is_full(&s->batch) && flush(s, err) != GP_OK)
        return err->code;
    return gp_batch_add(&s->batch, bim, file, row, err);
}

static int begin(state *s, const gp_karyotype_place *place, gp_err *err) {
    return gp_store_begin_chromosome(s->copy->writer, &place->chromosome,
                                     s->copy->list->map.span[place->span].has_morgan, err);
}

/* A chromosome that lies in order. */
static int stream(state *s, const gp_karyotype_place *place, gp_err *err) {
    const gp_bim_span *span = &s->copy->list->map.span[place->span];
    gp_reader reader = {0};
    gp_bim_line bim = {0};
    if (begin(s, place, err) != GP_OK ||
        gp_reader_open(&reader, s->copy->list->set[span->file].bim, STREAM_CHUNK, err) != GP_OK)
        return err->code;
    gp_reader_seek(&reader, span->offset, span->number);
    for (int64_t i = 0; i < span->lines; i++)
        if (next_variant(&reader, place->chromosome.name, &bim, err) != GP_OK ||
            (bim.position >= 0 && take(s, &bim, span->file, span->row + i, err) != GP_OK))
            break;
    if (err->code == GP_OK)
        flush(s, err);
    gp_reader_close(&reader);
    return err->code;
}

/* While an index is made nothing is written, but a wish to stop counts. */
static int only_ask(void *context, int64_t more) {
    const gp_bfile_copy *copy = context;
    (void)more;
    return copy->watch != NULL && copy->watch(copy->context, 0);
}

/* Indexes the chromosomes first to end - 1 of the output in one pass over the files they are in. */
static int make_index(state *s, int64_t first, int64_t end, int64_t count, gp_err *err) {
    const gp_bfile_list *list = s->copy->list;
    const gp_karyotype *karyotype = s->copy->karyotype;
    gp_bfile_copy watched = *s->copy;
    gp_bim_index_free(&s->index);
    if (gp_bim_index_init(&s->index, count, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < list->map.name.count; k++)
        s->rank[k] = -1;
    for (int64_t k = first; k < end; k++)
        s->rank[karyotype->place[k].span] = (int32_t)k;
    for (int64_t file = 0; file < list->count; file++) {
        int wanted = 0;
        for (int64_t k = first; k < end; k++) {
            int64_t only = list->map.span[karyotype->place[k].span].file;
            wanted |= only < 0 || only == file;
        }
        if (wanted && gp_bim_index_add(&s->index, &list->map, s->rank, list->set[file].bim, file,
                                       only_ask, &watched, err) != GP_OK)
            return err->code;
    }
    if (s->index.count != count)
        return gp_bim_changed(list->set[0].bim, err);
    gp_bim_index_sort(&s->index);
    return GP_OK;
}

static int fetch(state *s, const gp_bim_entry *entry, const char *chromosome, gp_err *err) {
    gp_reader *reader = &s->reader[entry->file];
    gp_bim_line bim = {0};
    if (reader->path == NULL &&
        gp_reader_open(reader, s->copy->list->set[entry->file].bim, FETCH_CHUNK, err) != GP_OK)
        return err->code;
    gp_reader_seek(reader, entry->offset, 1);
    if (next_variant(reader, chromosome, &bim, err) != GP_OK)
        return err->code;
    if (bim.position != entry->position)
        return gp_bim_changed(reader->path, err);
    return take(s, &bim, entry->file, entry->row, err);
}

/* Chromosomes that have to be sorted: from first on, as many as the index may hold. */
static int gather(state *s, int64_t first, int64_t *end, gp_err *err) {
    const gp_karyotype *karyotype = s->copy->karyotype;
    const gp_bim_map *map = &s->copy->list->map;
    int64_t count = karyotype->place[first].chromosome.count, at = 0;
    for (*end = first + 1; *end < karyotype->count; (*end)++) {
        const gp_karyotype_place *place = &karyotype->place[*end];
        if (gp_karyotype_streams(map, place) || count + place->chromosome.count > s->copy->entries)
            break;
        count += place->chromosome.count;
    }
    if (make_index(s, first, *end, count, err) != GP_OK)
        return err->code;
    for (int64_t k = first; k < *end; k++) {
        const gp_karyotype_place *place = &karyotype->place[k];
        if (begin(s, place, err) != GP_OK)
            return err->code;
        for (int64_t i = 0; i < place->chromosome.count; i++)
            if (fetch(s, &s->index.entry[at++], place->chromosome.name, err) != GP_OK)
                return err->code;
        if (flush(s, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

int gp_bfile_copy_run(const gp_bfile_copy *copy, gp_err *err) {
    const gp_karyotype *karyotype = copy->karyotype;
    state s = {.copy = copy};
    s.rank = gp_mem_alloc(copy->list->map.name.count, sizeof *s.rank, err);
    s.reader = gp_mem_alloc(copy->list->count, sizeof *s.reader, err);
    if (err->code != GP_OK || gp_batch_init(&s.batch, copy->list->samples.n, err) != GP_OK)
        goto done;
    for (int64_t k = 0; k < karyotype->count && err->code == GP_OK;) {
        if (gp_karyotype_streams(&copy->list->map, &karyotype->place[k]))
            stream(&s, &karyotype->place[k++], err);
        else
            gather(&s, k, &k, err);
    }
done:
    for (int64_t k = 0; s.reader != NULL && k < copy->list->count; k++)
        gp_reader_close(&s.reader[k]);
    free(s.reader);
    free(s.rank);
    gp_bim_index_free(&s.index);
    gp_batch_free(&s.batch);
    return err->code;
}
