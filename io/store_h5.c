#include "io/store_h5.h"
#include "src/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t gp_h5_signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

const gp_h5_field gp_store_columns[GP_STORE_COLUMNS] = {
    [GP_STORE_POSITION] = {"position", GP_H5_INT64},
    [GP_STORE_MORGAN] = {"genetic_position", GP_H5_REAL},
    [GP_STORE_COUNTS] = {"counts", GP_H5_INT64},
    [GP_STORE_ID] = {"id", GP_H5_UINT8},
    [GP_STORE_ID_END] = {"id_end", GP_H5_INT64},
    [GP_STORE_REF] = {"ref", GP_H5_UINT8},
    [GP_STORE_REF_END] = {"ref_end", GP_H5_INT64},
    [GP_STORE_ALT] = {"alt", GP_H5_UINT8},
    [GP_STORE_ALT_END] = {"alt_end", GP_H5_INT64},
    [GP_STORE_GENOTYPE] = {"genotype", GP_H5_UINT8},
};

const gp_h5_field gp_store_sample_columns[GP_STORE_SAMPLE_COLUMNS] = {
    [GP_STORE_FID] = {"fid", GP_H5_UINT8},
    [GP_STORE_FID_END] = {"fid_end", GP_H5_INT64},
    [GP_STORE_IID] = {"iid", GP_H5_UINT8},
    [GP_STORE_IID_END] = {"iid_end", GP_H5_INT64},
    [GP_STORE_FATHER] = {"father", GP_H5_UINT8},
    [GP_STORE_FATHER_END] = {"father_end", GP_H5_INT64},
    [GP_STORE_MOTHER] = {"mother", GP_H5_UINT8},
    [GP_STORE_MOTHER_END] = {"mother_end", GP_H5_INT64},
    [GP_STORE_SEX] = {"sex", GP_H5_INT8},
};

void gp_h5_quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void gp_h5_release(hid_t *id) {
    if (*id > 0)
        H5Idec_ref(*id);
    *id = 0;
}

/* HDF5 counts metadata by its bytes in the file; in memory it takes some 15 times as many, and a
 * store may have thousands of chromosomes. */
static herr_t limit_metadata_cache(hid_t access) {
    H5AC_cache_config_t config = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (H5Pget_mdc_config(access, &config) < 0)
        return -1;
    config.set_initial_size = 1;
    config.initial_size = config.min_size = config.max_size = GP_STORE_METADATA_CACHE;
    config.incr_mode = H5C_incr__off;
    config.flash_incr_mode = H5C_flash_incr__off;
    config.decr_mode = H5C_decr__off;
    return H5Pset_mdc_config(access, &config);
}

hid_t gp_h5_access(void) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    herr_t bad = access < 0 || H5Pset_fapl_sec2(access) < 0 ||
                 H5Pset_cache(access, 0, 521, GP_STORE_CHUNK_CACHE, 0.75) < 0 ||
                 limit_metadata_cache(access) < 0;
#if H5_VERSION_GE(1, 10, 2)
    bad = bad || H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0;
#else
    bad = bad || H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) < 0;
#endif
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
    bad = bad || H5Pset_file_locking(access, 0, 1) < 0;
#endif
    if (bad) {
        gp_h5_release(&access);
        return -1;
    }
    return access;
}

/* A group without times; ordered: its links keep the order of their creation. */
hid_t gp_h5_group(hid_t parent, const char *name, int ordered) {
    hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group = -1;
    unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    /* A group with room for its few links in its header needs no heap and no tree. */
    if (create > 0 && H5Pset_obj_track_times(create, 0) >= 0 &&
        (ordered ? H5Pset_link_creation_order(create, order)
                 : H5Pset_link_phase_change(create, 16, 12)) >= 0)
        group = H5Gcreate2(parent, name, H5P_DEFAULT, create, H5P_DEFAULT);
    gp_h5_release(&create);
    return group;
}

/* ---- errors ---- */

typedef struct cause {
    char system[128]; /* what the system said, "" = nothing */
    char deepest[160];
    int checksum;
} cause;

static herr_t look(unsigned n, const H5E_error2_t *e, void *context) {
    cause *c = context;
    const char *text = e->desc ? e->desc : "";
    const char *mark = "error message = '";
    const char *found = strstr(text, mark);
    if (n == 0)
        snprintf(c->deepest, sizeof c->deepest, "HDF5: %s", text);
    if (strstr(text, "checksum") != NULL)
        c->checksum = 1;
    if (found != NULL && c->system[0] == 0) {
        found += strlen(mark);
        snprintf(c->system, sizeof c->system, "%.*s", (int)strcspn(found, "'"), found);
    }
    return 0;
}

static cause find_cause(void) {
    cause c = {"", "", 0};
    hid_t stack = H5Eget_current_stack();
    if (stack > 0) {
        H5Ewalk2(stack, H5E_WALK_UPWARD, look, &c);
        H5Eclose_stack(stack);
    }
    if (c.deepest[0] == 0)
        snprintf(c.deepest, sizeof c.deepest, "HDF5 gives no reason");
    return c;
}

/* "/chromosomes/1/genotype" */
static void object_name(char *to, size_t room, hid_t object, const char *child) {
    char name[200] = "";
    if (object > 0 && H5Iget_name(object, name, sizeof name) <= 0)
        name[0] = 0;
    const char *slash = strcmp(name, "/") == 0 ? "" : "/";
    if (child != NULL)
        snprintf(to, room, "%s%s%s ", name, slash, child);
    else
        snprintf(to, room, "%s%s", name, name[0] ? " " : "");
}

int gp_h5_damaged(gp_err *err, const char *path, hid_t object, const char *child, const char *why) {
    char name[256];
    object_name(name, sizeof name, object, child);
    return gp_err_set(err, GP_EINPUT,
                      "%s: %sis damaged (%s): restore the file from a copy, or make it again", path,
                      name, why);
}

int gp_h5_read_failed(gp_err *err, const char *path, hid_t object, const char *child) {
    cause c = find_cause();
    if (c.system[0] != 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be read: %s", path, c.system);
    return gp_h5_damaged(err, path, object, child, c.checksum ? "checksum" : c.deepest);
}

int gp_h5_write_failed(gp_err *err, const char *path) {
    cause c = find_cause();
    return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", path,
                      c.system[0] ? c.system : c.deepest);
}

/* ---- attributes ---- */

static int put(hid_t object, const char *name, hid_t type, hid_t memory, const void *value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    int bad = attribute < 0 || H5Awrite(attribute, memory, value) < 0;
    gp_h5_release(&attribute);
    gp_h5_release(&space);
    return bad ? -1 : 0;
}

int gp_h5_put_number(hid_t object, const char *name, int64_t value) {
    return put(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

int gp_h5_put_text(hid_t object, const char *name, const char *text) {
    hid_t type = H5Tcopy(H5T_C_S1);
    int bad = type < 0 || H5Tset_size(type, strlen(text) + 1) < 0 ||
              put(object, name, type, type, text) < 0;
    gp_h5_release(&type);
    return bad ? -1 : 0;
}

int gp_h5_get_number(hid_t object, const char *name, int64_t *value) {
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
    int bad = type < 0 || H5Tequal(type, H5T_STD_I64LE) <= 0 ||
              H5Sget_simple_extent_type(space) != H5S_SCALAR ||
              H5Aread(attribute, H5T_NATIVE_INT64, value) < 0;
    gp_h5_release(&space);
    gp_h5_release(&type);
    gp_h5_release(&attribute);
    return bad ? -1 : 0;
}

int gp_h5_get_text(hid_t object, const char *name, gp_text *text, gp_err *err) {
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
    int bad = type < 0 || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 ||
              H5Sget_simple_extent_type(space) != H5S_SCALAR;
    size_t size = bad ? 0 : H5Tget_size(type);
    bad = bad || size == 0 || size > 65536;
    char *to = bad ? NULL : gp_text_room(text, (int64_t)size, err);
    if (to != NULL) {
        bad = H5Aread(attribute, type, to) < 0;
        to[bad ? 0 : size] = 0;
        text->length += (int64_t)strlen(to);
    }
    gp_h5_release(&space);
    gp_h5_release(&type);
    gp_h5_release(&attribute);
    return bad || to == NULL ? -1 : 0;
}
