#include "io/store_calls.h"
#include "io/store_chunk.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <stdlib.h>

/* How a slice lies in its column: which chunks, and where they go. */
typedef struct cut {
    gp_h5_column *column;
    gp_h5_part part; /* of the column */
    int plain;       /* chunks come as they are, else HDF5 unpacks the wanted rectangle */
    int64_t width;   /* bytes from one column of chunks to the next */
    int64_t left;    /* column of chunks that holds the first sample */
    int64_t pieces;
    int64_t top, height; /* rows that are read; plain: whole chunks */
    int64_t matrix;      /* bytes from one piece's memory to the next */
} cut;

static cut cut_slice(gp_h5_column *column, const gp_store_slice *slice) {
    cut c = {
        .column = column,
        .part = {slice->first, slice->count, slice->sample / 4, gp_geno_stride(slice->samples)},
        .plain = gp_chunk_is_plain(column),
        .width = column->width,
        .top = slice->first,
        .height = slice->count};
    if (column->chunk_width % GP_GENO_GROUP_BYTES == 0)
        c.width = column->chunk_width;
    if (c.plain) {
        c.top = slice->first / column->chunk_rows * column->chunk_rows;
        c.height = gp_round_up(slice->first - c.top + slice->count, column->chunk_rows);
    }
    c.left = c.part.begin / c.width;
    c.pieces = (c.part.begin + c.part.width - 1) / c.width - c.left + 1;
    c.matrix = gp_round_up(c.height * c.width + GP_CHUNK_CHECKSUM, 64);
    return c;
}

/* The bytes of a row that piece k holds: [from, to) of the column. */
static void piece_span(const cut *c, int64_t k, int64_t *from, int64_t *to) {
    int64_t begin = (c->left + k) * c->width, end = c->part.begin + c->part.width;
    *from = begin < c->part.begin ? c->part.begin : begin;
    *to = gp_least(begin + c->width, end);
}

static void place_pieces(const cut *c, int64_t samples, const gp_store_calls *room) {
    for (int64_t k = 0; k < c->pieces; k++) {
        int64_t from = 0, to = 0;
        piece_span(c, k, &from, &to);
        int64_t pitch = c->plain ? c->width : to - from;
        int64_t skipped = c->plain ? from - (c->left + k) * c->width : 0;
        int64_t first = (from - c->part.begin) * 4;
        room->piece[k] = (gp_piece){.row = room->bytes + k * c->matrix +
                                           (c->part.first - c->top) * pitch + skipped,
                                    .pitch = pitch,
                                    .first = first,
                                    .samples = gp_least((to - from) * 4, samples - first)};
    }
}

static int is_stopped(const atomic_int *stop, gp_err *err) {
    return stop != NULL && atomic_load(stop) ? gp_err_set(err, GP_ESTOP, "reading was stopped")
                                             : GP_OK;
}

/* In the order of the file: along a row of chunks, then down. */
static int read_plain(const cut *c, const atomic_int *stop, uint8_t *bytes, gp_err *err) {
    int64_t rows = c->column->chunk_rows;
    int64_t height = gp_least(c->height, gp_round_up(c->column->rows - c->top, rows));
    for (int64_t row = 0; row < height; row += rows)
        for (int64_t k = 0; k < c->pieces; k++)
            if (is_stopped(stop, err) != GP_OK ||
                gp_chunk_read(c->column, c->top + row, (c->left + k) * c->width,
                              bytes + k * c->matrix + row * c->width, err) != GP_OK)
                return err->code;
    return GP_OK;
}

static int unpack(const cut *c, const atomic_int *stop, uint8_t *bytes, gp_err *err) {
    for (int64_t k = 0; k < c->pieces; k++) {
        int64_t from = 0, to = 0;
        piece_span(c, k, &from, &to);
        gp_h5_part part = {c->part.first, c->part.count, from, to - from};
        if (is_stopped(stop, err) != GP_OK ||
            gp_h5_column_read(c->column, &part, bytes + k * c->matrix, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

/* Room for this run and for the longest that may follow it here. What is in it is not kept. */
static int make_room(gp_h5_column *column, const gp_store_slice *slice, int64_t most,
                     gp_store_calls *room, gp_err *err) {
    gp_store_slice longest = *slice;
    int64_t there = column->rows - slice->first;
    longest.count = most < slice->count ? slice->count : gp_least(most, there);
    cut c = cut_slice(column, &longest);
    if (gp_mem_grow(&room->piece, &room->piece_capacity, c.pieces, sizeof *room->piece, err) !=
        GP_OK)
        return err->code;
    if (c.pieces * c.matrix <= room->capacity)
        return GP_OK;
    free(room->bytes);
    room->capacity = 0;
    room->bytes = gp_mem_alloc(c.pieces, c.matrix, err);
    if (room->bytes != NULL)
        room->capacity = c.pieces * c.matrix;
    return err->code;
}

int gp_store_read_calls(gp_store *store, const gp_store_slice *slice, int64_t most,
                        const atomic_int *stop, gp_store_calls *room, gp_calls *calls,
                        gp_err *err) {
    gp_h5_column *column = &store->column[GP_STORE_GENOTYPE];
    if (gp_store_use_genotypes(store, slice, err) != GP_OK ||
        make_room(column, slice, most, room, err) != GP_OK)
        return err->code;
    cut c = cut_slice(column, slice);
    if ((c.plain ? read_plain : unpack)(&c, stop, room->bytes, err) != GP_OK)
        return err->code;
    place_pieces(&c, slice->samples, room);
    *calls = (gp_calls){slice->count, c.pieces, room->piece};
    return GP_OK;
}

/* Chunks are at most so wide and so large (io/store_h5.h); a run may begin and end within one, and
 * so may the samples. */
int64_t gp_store_calls_bytes(int64_t samples, int64_t most) {
    int64_t pieces = gp_geno_stride(samples) / (GP_STORE_GENOTYPE_WIDTH / 2) + 2;
    int64_t width = gp_geno_stride(samples) + 2 * GP_STORE_GENOTYPE_WIDTH;
    return most * width + pieces * 2 * GP_STORE_GENOTYPE_CHUNK;
}

void gp_store_calls_free(gp_store_calls *room) {
    free(room->bytes);
    free(room->piece);
    *room = (gp_store_calls){0};
}
