#include "io/store_chunk.h"
#include "io/fletcher.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <string.h>

/* Without its checksum. */
static int64_t chunk_bytes(const gp_h5_column *column) {
    return column->chunk_rows * column->chunk_width;
}

int gp_chunk_is_plain(const gp_h5_column *column) {
#if H5_VERSION_GE(1, 10, 3)
    return column->only_checksum && column->row_bytes == column->width &&
           column->chunk_width % GP_GENO_GROUP_BYTES == 0 &&
           chunk_bytes(column) <= GP_STORE_GENOTYPE_CHUNK;
#else
    (void)column;
    return 0;
#endif
}

/* HDF5 writes what is stored there, however much it is: its size must be known before. */
static herr_t read_raw(hid_t set, const hsize_t *at, uint32_t *skipped, uint8_t *to,
                       int64_t bytes) {
#if H5_VERSION_GE(2, 0, 0)
    size_t room = (size_t)bytes;
    return H5Dread_chunk2(set, H5P_DEFAULT, at, skipped, to, &room);
#elif H5_VERSION_GE(1, 10, 3)
    (void)bytes;
    return H5Dread_chunk(set, H5P_DEFAULT, at, skipped, to);
#else
    (void)set, (void)at, (void)skipped, (void)to, (void)bytes;
    return -1;
#endif
}

static uint32_t little_endian(const uint8_t *b) {
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

int gp_chunk_read(const gp_h5_column *column, int64_t row, int64_t begin, uint8_t *to,
                  gp_err *err) {
    hsize_t at[2] = {(hsize_t)row, (hsize_t)begin}, stored = 0;
    int64_t bytes = chunk_bytes(column);
    uint32_t skipped = 0;
    const char *why = NULL;
    if (H5Dget_chunk_storage_size(column->set, at, &stored) < 0)
        return gp_h5_read_failed(err, column->path, column->set, NULL);
    if (stored != (hsize_t)(bytes + GP_CHUNK_CHECKSUM))
        why = stored == 0 ? "a chunk is not there" : "the size of a chunk";
    else if (read_raw(column->set, at, &skipped, to, bytes + GP_CHUNK_CHECKSUM) < 0)
        return gp_h5_read_failed(err, column->path, column->set, NULL);
    else if (skipped != 0)
        why = "a chunk without its checksum";
    else if (gp_fletcher32(to, bytes) != little_endian(to + bytes))
        why = "checksum";
    return why ? gp_h5_damaged(err, column->path, column->set, NULL, why) : GP_OK;
}

/* Rows [part->first, part->first + part->count) must be whole rows of chunks. */
static int read_plain(gp_h5_column *column, const gp_h5_part *part, uint8_t *out, gp_err *err) {
    int64_t width = column->chunk_width, end = part->begin + part->width;
    /* A column that is read needs its buffer for nothing else. */
    if (column->buffer == NULL)
        column->buffer = gp_mem_alloc(chunk_bytes(column) + GP_CHUNK_CHECKSUM, 1, err);
    if (column->buffer == NULL)
        return err->code;
    for (int64_t row = part->first; row < part->first + part->count; row += column->chunk_rows) {
        int64_t left = part->first + part->count - row;
        int64_t rows = left < column->chunk_rows ? left : column->chunk_rows;
        for (int64_t at = part->begin / width * width; at < end; at += width) {
            int64_t from = at < part->begin ? part->begin : at;
            int64_t to = at + width < end ? at + width : end;
            if (gp_chunk_read(column, row, at, column->buffer, err) != GP_OK)
                return err->code;
            for (int64_t i = 0; i < rows; i++)
                memcpy(out + (row - part->first + i) * part->width + (from - part->begin),
                       column->buffer + i * width + (from - at), (size_t)(to - from));
        }
    }
    return GP_OK;
}

int gp_chunk_read_part(gp_h5_column *column, const gp_h5_part *part, uint8_t *out, gp_err *err) {
    int64_t end = part->first + part->count, tall = column->chunk_rows;
    int64_t whole = (part->first + tall - 1) / tall * tall;
    int64_t tail = end == column->rows ? end : end / tall * tall;
    if (!gp_chunk_is_plain(column) || whole >= tail)
        return gp_h5_column_read(column, part, out, err);
    gp_h5_part cut[3] = {*part, *part, *part};
    cut[0].count = whole - part->first;
    cut[1].first = whole;
    cut[1].count = tail - whole;
    cut[2].first = tail;
    cut[2].count = end - tail;
    if (gp_h5_column_read(column, &cut[0], out, err) != GP_OK ||
        read_plain(column, &cut[1], out + cut[0].count * part->width, err) != GP_OK)
        return err->code;
    return gp_h5_column_read(column, &cut[2], out + (tail - part->first) * part->width, err);
}
