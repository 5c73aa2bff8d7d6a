#include "io/store_h5.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

static hid_t file_type(gp_h5_type type) {
    switch (type) {
    case GP_H5_UINT8:
        return H5T_STD_U8LE;
    case GP_H5_INT8:
        return H5T_STD_I8LE;
    case GP_H5_INT64:
        return H5T_STD_I64LE;
    default:
        return H5T_IEEE_F64LE;
    }
}

static hid_t memory_type(gp_h5_type type) {
    switch (type) {
    case GP_H5_UINT8:
        return H5T_NATIVE_UINT8;
    case GP_H5_INT8:
        return H5T_NATIVE_INT8;
    case GP_H5_INT64:
        return H5T_NATIVE_INT64;
    default:
        return H5T_NATIVE_DOUBLE;
    }
}

static int64_t type_bytes(gp_h5_type type) {
    return type == GP_H5_UINT8 || type == GP_H5_INT8 ? 1 : 8;
}

static int rank_of(int64_t width) {
    return width == 1 ? 1 : 2;
}

/* ---- writing ---- */

static hid_t creation(const gp_h5_plan *plan) {
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[2] = {(hsize_t)plan->chunk_rows, (hsize_t)plan->chunk_width};
    int wide = type_bytes(plan->field->type) > 1;
    int bad = p < 0 || H5Pset_obj_track_times(p, 0) < 0 ||
              H5Pset_chunk(p, rank_of(plan->width), chunk) < 0 ||
              (plan->compress && wide && H5Pset_shuffle(p) < 0) ||
              (plan->compress && H5Pset_deflate(p, (unsigned)plan->compress) < 0) ||
              H5Pset_fletcher32(p) < 0;
    if (bad)
        gp_h5_release(&p);
    return bad ? -1 : p;
}

int gp_h5_column_create(gp_h5_column *column, const char *path, hid_t group, const gp_h5_plan *plan,
                        gp_err *err) {
    int grows = plan->rows < 0, rank = rank_of(plan->width);
    hsize_t size[2] = {grows ? 0 : (hsize_t)plan->rows, (hsize_t)plan->width};
    hsize_t most[2] = {grows ? H5S_UNLIMITED : size[0], size[1]};
    hid_t space = H5Screate_simple(rank, size, most);
    hid_t create = creation(plan);
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    *column = (gp_h5_column){.path = path,
                             .type = plan->field->type,
                             .rows = plan->rows,
                             .width = plan->width,
                             .row_bytes = plan->width * type_bytes(plan->field->type),
                             .chunk_rows = plan->chunk_rows};
    /* Whole chunks go straight to the file: a cache would only hold memory. */
    if (create < 0 || H5Pset_chunk_cache(access, 1, 0, 1.0) < 0 ||
        (column->set = H5Dcreate2(group, plan->field->name, file_type(column->type), space,
                                  H5P_DEFAULT, create, access)) < 0)
        gp_h5_write_failed(err, path);
    else
        column->buffer = gp_mem_alloc(plan->chunk_rows, column->row_bytes, err);
    gp_h5_release(&access);
    gp_h5_release(&create);
    gp_h5_release(&space);
    return err->code;
}

static int flush(gp_h5_column *column, gp_err *err) {
    int rank = rank_of(column->width);
    hsize_t first[2] = {(hsize_t)column->written, 0};
    hsize_t count[2] = {(hsize_t)column->filled, (hsize_t)column->width};
    hsize_t size[2] = {first[0] + count[0], count[1]};
    if (column->filled == 0)
        return GP_OK;
    if (column->rows < 0 && H5Dset_extent(column->set, size) < 0)
        return gp_h5_write_failed(err, column->path);
    hid_t file = H5Dget_space(column->set);
    hid_t memory = H5Screate_simple(rank, count, NULL);
    if (H5Sselect_hyperslab(file, H5S_SELECT_SET, first, NULL, count, NULL) < 0 ||
        H5Dwrite(column->set, memory_type(column->type), memory, file, H5P_DEFAULT,
                 column->buffer) < 0)
        gp_h5_write_failed(err, column->path);
    gp_h5_release(&memory);
    gp_h5_release(&file);
    column->written += column->filled;
    column->filled = 0;
    return err->code;
}

uint8_t *gp_h5_column_room(const gp_h5_column *column, int64_t *count) {
    *count = column->chunk_rows - column->filled;
    return column->buffer + column->filled * column->row_bytes;
}

int gp_h5_column_pushed(gp_h5_column *column, int64_t count, gp_err *err) {
    column->filled += count;
    return column->filled == column->chunk_rows ? flush(column, err) : GP_OK;
}

int gp_h5_column_push(gp_h5_column *column, const void *rows, int64_t count, gp_err *err) {
    const uint8_t *from = rows;
    while (count > 0) {
        int64_t room = 0;
        uint8_t *to = gp_h5_column_room(column, &room);
        int64_t now = count < room ? count : room;
        memcpy(to, from, (size_t)(now * column->row_bytes));
        if (gp_h5_column_pushed(column, now, err) != GP_OK)
            return err->code;
        from += now * column->row_bytes;
        count -= now;
    }
    return GP_OK;
}

int gp_h5_column_finish(gp_h5_column *column, gp_err *err) {
    if (flush(column, err) != GP_OK)
        return err->code;
    if (column->rows >= 0 && column->written != column->rows)
        return gp_err_set(err, GP_EFAIL, "%s: %lld rows came where %lld were announced",
                          column->path, (long long)column->written, (long long)column->rows);
    hid_t set = column->set;
    column->set = 0;
    return H5Dclose(set) < 0 ? gp_h5_write_failed(err, column->path) : GP_OK;
}

void gp_h5_column_free(gp_h5_column *column) {
    gp_h5_release(&column->set);
    free(column->buffer);
    *column = (gp_h5_column){0};
}

/* ---- reading ---- */

static int has_only_checksum(hid_t create) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    return H5Pget_nfilters(create) == 1 && H5Pget_filter2(create, 0, &flags, &values, NULL, 0, NULL,
                                                          &config) == H5Z_FILTER_FLETCHER32;
}

/* What is wrong with an open dataset's shape, or NULL. Fills in its rows and chunks, and the bytes
 * of one row of chunks. */
static const char *check_shape(gp_h5_column *column, int64_t width, int64_t limit, int64_t *band) {
    hsize_t size[2] = {0, 1}, chunk[2] = {0, 1};
    int rank = rank_of(width);
    const char *wrong = NULL;
    hid_t type = H5Dget_type(column->set);
    hid_t space = H5Dget_space(column->set);
    hid_t create = H5Dget_create_plist(column->set);
    hsize_t stored = H5Dget_storage_size(column->set);
    if (type < 0 || H5Tequal(type, file_type(column->type)) <= 0)
        wrong = "its type is not the layout's";
    else if (space < 0 || H5Sget_simple_extent_ndims(space) != rank ||
             H5Sget_simple_extent_dims(space, size, NULL) != rank || size[1] != (hsize_t)width)
        wrong = "its shape is not the layout's";
    else if (create < 0 || H5Pget_layout(create) != H5D_CHUNKED ||
             H5Pget_chunk(create, rank, chunk) != rank || chunk[0] < 1 || chunk[1] < 1 ||
             chunk[0] * chunk[1] > 1u << 26)
        wrong = "its chunks are not the layout's";
    else if (stored > (hsize_t)limit / GP_STORE_INFLATION ||
             size[0] > (hsize_t)limit / (hsize_t)column->row_bytes ||
             size[0] * (hsize_t)column->row_bytes > stored * GP_STORE_INFLATION)
        wrong = "it is larger than the file can hold";
    column->only_checksum = wrong == NULL && has_only_checksum(create);
    gp_h5_release(&create);
    gp_h5_release(&space);
    gp_h5_release(&type);
    column->rows = (int64_t)size[0];
    column->chunk_rows = (int64_t)chunk[0];
    column->chunk_width = (int64_t)chunk[1];
    *band = wrong ? 0
                  : (int64_t)((size[1] + chunk[1] - 1) / chunk[1] * chunk[0] * chunk[1]) *
                        type_bytes(column->type);
    return wrong;
}

/* Opens again with a chunk cache of one row of chunks, so that consecutive small runs read a chunk
 * once; above 16 MiB runs are taken to be longer than chunks. */
static int widen_cache(gp_h5_column *column, hid_t group, const char *name, int64_t band) {
    int64_t most = 16 << 20;
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    gp_h5_release(&column->set);
    if (access > 0 &&
        H5Pset_chunk_cache(access, 521, (size_t)(band < most ? band : most), 0.75) >= 0)
        column->set = H5Dopen2(group, name, access);
    gp_h5_release(&access);
    return column->set > 0 ? 0 : -1;
}

int gp_h5_column_open(gp_h5_column *column, const char *path, hid_t group, const gp_h5_plan *plan,
                      int64_t limit, gp_err *err) {
    const char *name = plan->field->name;
    int64_t band = 0;
    *column = (gp_h5_column){.path = path,
                             .type = plan->field->type,
                             .width = plan->width,
                             .row_bytes = plan->width * type_bytes(plan->field->type)};
    column->set = H5Dopen2(group, name, H5P_DEFAULT);
    if (column->set < 0)
        return gp_h5_read_failed(err, path, group, name);
    const char *wrong = check_shape(column, plan->width, limit, &band);
    if (wrong == NULL && plan->rows >= 0 && plan->rows != column->rows)
        wrong = "its length is not what the attributes say";
    if (wrong != NULL)
        return gp_h5_damaged(err, path, group, name, wrong);
    if (band > GP_STORE_CHUNK_CACHE && widen_cache(column, group, name, band) < 0)
        return gp_h5_read_failed(err, path, group, name);
    return GP_OK;
}

int gp_h5_column_read(const gp_h5_column *column, const gp_h5_part *part, void *out, gp_err *err) {
    int rank = rank_of(column->width);
    hsize_t first[2] = {(hsize_t)part->first, (hsize_t)part->begin};
    hsize_t count[2] = {(hsize_t)part->count, (hsize_t)part->width};
    if (part->count == 0)
        return GP_OK;
    hid_t file = H5Dget_space(column->set);
    hid_t memory = H5Screate_simple(rank, count, NULL);
    if (H5Sselect_hyperslab(file, H5S_SELECT_SET, first, NULL, count, NULL) < 0 ||
        H5Dread(column->set, memory_type(column->type), memory, file, H5P_DEFAULT, out) < 0)
        gp_h5_read_failed(err, column->path, column->set, NULL);
    gp_h5_release(&memory);
    gp_h5_release(&file);
    return err->code;
}
