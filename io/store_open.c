#include "io/store_inside.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int64_t gp_store_sample_count(const gp_store *store) {
    return store->n;
}

int64_t gp_store_variant_count(const gp_store *store) {
    return store->m;
}

int64_t gp_store_block(const gp_store *store) {
    return store->block;
}

int64_t gp_store_chromosome_count(const gp_store *store) {
    return store->chromosome_count;
}

const gp_chromosome *gp_store_chromosome(const gp_store *store, int64_t k) {
    return &store->chromosome[k];
}

const char *gp_store_path(const gp_store *store) {
    return store->path;
}

const char *gp_store_digest(const gp_store *store) {
    return store->digest;
}

const char *gp_store_chromosome_digest(const gp_store *store, int64_t k) {
    return store->chromosome_digest[k][0] ? store->chromosome_digest[k] : NULL;
}

const char *gp_store_provenance(const gp_store *store) {
    return store->provenance.bytes;
}

/* ---- opening ---- */

/* Looks at the superblock before HDF5 does: what is no store of ours never reaches the library, and
 * a cut is told by its length. Source: HDF5 File Format Specification 3.0, II.A, version 3. */
static int check_superblock(const char *path, int64_t *bytes, gp_err *err) {
    uint8_t head[48] = {0};
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        gp_err_set(err, GP_EINPUT, "%s: is not a file; expected a genotype store", path);
        goto done;
    }
    size_t got = fread(head, 1, sizeof head, file);
    uint64_t end = 0;
    for (int k = 0; k < 8; k++)
        end |= (uint64_t)head[28 + k] << (8 * k);
    *bytes = info.st_size;
    if (ferror(file))
        gp_err_set(err, GP_EFAIL, "%s: cannot be read: %s", path, strerror(errno));
    else if (got < sizeof gp_h5_signature ||
             memcmp(head, gp_h5_signature, sizeof gp_h5_signature) != 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: is not an HDF5 file; expected a store that gp-dist import made", path);
    else if (got < sizeof head)
        gp_err_set(err, GP_EINPUT,
                   "%s: is cut short: %lld bytes are there; copy or import it again", path,
                   (long long)info.st_size);
    else if ((head[8] != 2 && head[8] != 3) || head[9] != 8 || head[10] != 8)
        gp_err_set(err, GP_EINPUT,
                   "%s: is an HDF5 file but not a gp-dist store; expected one that gp-dist import "
                   "made",
                   path);
    else if (end > (uint64_t)info.st_size)
        gp_err_set(err, GP_EINPUT,
                   "%s: is cut short: %lld of %llu bytes are there; copy or import it again", path,
                   (long long)info.st_size, (unsigned long long)end);
    else if (end < (uint64_t)info.st_size)
        gp_h5_damaged(err, path, 0, NULL, "it is longer than it was written");
done:
    fclose(file);
    return err->code;
}

static int bad_attribute(const gp_store *s, hid_t object, const char *name, gp_err *err) {
    char why[80];
    snprintf(why, sizeof why, "attribute %s", name);
    return gp_h5_damaged(err, s->path, object, NULL, why);
}

static int get_number(const gp_store *s, hid_t object, const char *name, int64_t *value,
                      gp_err *err) {
    return gp_h5_get_number(object, name, value) < 0 ? bad_attribute(s, object, name, err) : GP_OK;
}

static int get_text(const gp_store *s, hid_t object, const char *name, gp_text *text, gp_err *err) {
    return gp_h5_get_text(object, name, text, err) < 0 ? bad_attribute(s, object, name, err)
                                                       : GP_OK;
}

/* That the file says it is a store, of a version that can be read. */
static int check_format(gp_store *s, gp_err *err) {
    gp_text format = {0};
    int64_t version = 0;
    htri_t there = H5Aexists(s->file, "format");
    if (there < 0)
        gp_h5_read_failed(err, s->path, 0, NULL);
    else if (there > 0)
        get_text(s, s->file, "format", &format, err);
    if (err->code == GP_OK && (there == 0 || strcmp(format.bytes, GP_STORE_FORMAT) != 0))
        gp_err_set(err, GP_EINPUT,
                   "%s: is an HDF5 file but not a gp-dist store; expected one that gp-dist import "
                   "made",
                   s->path);
    if (err->code == GP_OK && get_number(s, s->file, "format_version", &version, err) == GP_OK) {
        if (version > GP_STORE_VERSION)
            gp_err_set(err, GP_EINPUT,
                       "%s: was written in format version %lld; this program reads up to %d; use a "
                       "newer gp-dist",
                       s->path, (long long)version, GP_STORE_VERSION);
        else if (version < 1)
            bad_attribute(s, s->file, "format_version", err);
    }
    gp_text_free(&format);
    return err->code;
}

/* Reads a digest: 32 hex digits. */
static int read_digest(const gp_store *s, hid_t object, char hex[33], gp_err *err) {
    gp_text digest = {0};
    if (get_text(s, object, "digest", &digest, err) == GP_OK) {
        if (digest.length != 32 || strspn(digest.bytes, "0123456789abcdef") != 32)
            bad_attribute(s, object, "digest", err);
        else
            memcpy(hex, digest.bytes, 33);
    }
    gp_text_free(&digest);
    return err->code;
}

static int read_head(gp_store *s, gp_err *err) {
    if (check_format(s, err) != GP_OK || get_number(s, s->file, "block", &s->block, err) != GP_OK ||
        get_number(s, s->file, "samples", &s->n, err) != GP_OK ||
        get_number(s, s->file, "variants", &s->m, err) != GP_OK ||
        get_text(s, s->file, "provenance", &s->provenance, err) != GP_OK ||
        read_digest(s, s->file, s->digest, err) != GP_OK)
        return err->code;
    if (s->block < 8 || s->block > 65536 || (s->block & (s->block - 1)) != 0)
        bad_attribute(s, s->file, "block", err);
    else if (s->n < 1 || s->n > s->limit)
        bad_attribute(s, s->file, "samples", err);
    else if (s->m < 1 || s->m > s->limit / gp_geno_stride(s->n))
        bad_attribute(s, s->file, "variants", err);
    if (err->code == GP_OK)
        s->stride = gp_geno_stride(s->n);
    return err->code;
}

static int read_kind(const gp_store *s, hid_t group, gp_kind *kind, gp_err *err) {
    static const gp_kind kinds[] = {GP_AUTOSOME, GP_X, GP_Y, GP_XY, GP_MT};
    gp_text text = {0};
    size_t k = 0, all = sizeof kinds / sizeof *kinds;
    if (get_text(s, group, "kind", &text, err) == GP_OK) {
        while (k < all && strcmp(text.bytes, gp_kind_name(kinds[k])) != 0)
            k++;
        if (k < all)
            *kind = kinds[k];
        else
            bad_attribute(s, group, "kind", err);
    }
    gp_text_free(&text);
    return err->code;
}

/* One that the chromosome may have. */
static int read_own_digest(const gp_store *s, hid_t group, char hex[33], gp_err *err) {
    htri_t there = H5Aexists(group, "digest");
    if (there < 0)
        return gp_h5_read_failed(err, s->path, group, NULL);
    return there > 0 ? read_digest(s, group, hex, err) : GP_OK;
}

static int read_chromosome(gp_store *s, hsize_t k, gp_err *err) {
    gp_chromosome *c = &s->chromosome[k];
    hid_t group = -1;
    ssize_t length = H5Lget_name_by_idx(s->chromosomes, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, k,
                                        NULL, 0, H5P_DEFAULT);
    if (length < 1 || length > s->limit)
        return gp_h5_read_failed(err, s->path, s->chromosomes, NULL);
    c->name = gp_mem_alloc(length + 1, 1, err);
    if (c->name == NULL)
        return err->code;
    if (H5Lget_name_by_idx(s->chromosomes, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, k, c->name,
                           (size_t)length + 1, H5P_DEFAULT) != length ||
        (group = H5Gopen2(s->chromosomes, c->name, H5P_DEFAULT)) < 0) {
        gp_h5_read_failed(err, s->path, s->chromosomes, NULL);
    } else if (read_kind(s, group, &c->kind, err) == GP_OK &&
               get_number(s, group, "variants", &c->count, err) == GP_OK &&
               read_own_digest(s, group, s->chromosome_digest[k], err) == GP_OK) {
        if (c->count < 1 || c->count > s->m)
            bad_attribute(s, group, "variants", err);
    }
    gp_h5_release(&group);
    return err->code;
}

static int read_chromosomes(gp_store *s, gp_err *err) {
    H5G_info_t info = {0};
    int64_t left = s->m;
    s->chromosomes = H5Gopen2(s->file, "chromosomes", H5P_DEFAULT);
    if (s->chromosomes < 0 || H5Gget_info(s->chromosomes, &info) < 0)
        return gp_h5_read_failed(err, s->path, s->file, "chromosomes");
    if (info.nlinks < 1 || info.nlinks > (hsize_t)s->m)
        return gp_h5_damaged(err, s->path, s->chromosomes, NULL, "the number of chromosomes");
    s->chromosome = gp_mem_alloc((int64_t)info.nlinks, sizeof *s->chromosome, err);
    s->chromosome_digest = gp_mem_alloc((int64_t)info.nlinks, sizeof *s->chromosome_digest, err);
    if (err->code != GP_OK)
        return err->code;
    s->chromosome_count = (int64_t)info.nlinks;
    for (hsize_t k = 0; k < info.nlinks; k++) {
        if (read_chromosome(s, k, err) != GP_OK)
            return err->code;
        left -= s->chromosome[k].count;
        if (left < 0)
            break;
    }
    return left == 0 ? GP_OK
                     : gp_h5_damaged(err, s->path, s->chromosomes, NULL, "the number of variants");
}

int gp_store_open(gp_store **store, const char *path, gp_err *err) {
    int64_t bytes = 0;
    *store = NULL;
    gp_h5_quiet();
    if (check_superblock(path, &bytes, err) != GP_OK)
        return err->code;
    gp_store *s = gp_mem_alloc(1, sizeof *s, err);
    hid_t access = gp_h5_access();
    if (s == NULL)
        goto done;
    s->current = -1;
    s->limit = bytes * GP_STORE_INFLATION;
    s->path = gp_mem_string(path, (int64_t)strlen(path), err);
    if (s->path == NULL)
        goto done;
    s->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (s->file < 0)
        gp_h5_read_failed(err, path, 0, NULL);
    else if (read_head(s, err) == GP_OK)
        read_chromosomes(s, err);
done:
    gp_h5_release(&access);
    if (err->code == GP_OK)
        *store = s;
    else
        gp_store_close(s);
    return err->code;
}

void gp_store_leave_chromosome(gp_store *s) {
    for (int k = 0; k < GP_STORE_COLUMNS; k++)
        gp_h5_column_free(&s->column[k]);
    gp_h5_release(&s->group);
    s->current = -1;
}

void gp_store_close(gp_store *s) {
    if (s == NULL)
        return;
    gp_store_leave_chromosome(s);
    gp_h5_release(&s->chromosomes);
    gp_h5_release(&s->file);
    for (int64_t k = 0; k < s->chromosome_count; k++)
        free(s->chromosome[k].name);
    for (int k = 0; k < 3; k++)
        free(s->end[k]);
    free(s->chromosome);
    free(s->chromosome_digest);
    gp_text_free(&s->provenance);
    free(s->path);
    free(s);
}
