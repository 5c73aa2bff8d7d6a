#include "io/file.h"
#include "io/grm_inside.h"
#include "io/store_inside.h"
#include "src/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An open file of our own format. */
typedef struct source {
    hid_t file;
    hid_t *set; /* [1 + chromosomes] */
    hid_t space, memory;
    int64_t bytes; /* of the file */
} source;

static int damaged(const gp_grm *grm, const char *where, const char *why, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: %s is damaged (%s): restore the file from a copy, or make it again",
                      grm->path, where, why);
}

static int get_number(const gp_grm *grm, hid_t object, const char *where, const char *name,
                      int64_t *value, gp_err *err) {
    char why[80];
    snprintf(why, sizeof why, "attribute %s", name);
    return gp_h5_get_number(object, name, value) < 0 ? damaged(grm, where, why, err) : GP_OK;
}

static int get_text(const gp_grm *grm, hid_t object, const char *name, gp_text *text, gp_err *err) {
    char why[80];
    snprintf(why, sizeof why, "attribute %s", name);
    return gp_h5_get_text(object, name, text, err) < 0 ? damaged(grm, "the head", why, err) : GP_OK;
}

/* ---- the head ---- */

static int check_format(const gp_grm *grm, hid_t file, gp_err *err) {
    gp_text format = {0};
    int64_t version = 0;
    int ours = H5Aexists(file, "format") > 0 && gp_h5_get_text(file, "format", &format, err) >= 0 &&
               strcmp(format.bytes, GP_GRM_FORMAT) == 0;
    gp_text_free(&format);
    if (!ours)
        return gp_err_set(err, GP_EINPUT,
                          "%s: is an HDF5 file but no relationship matrix; expected one that "
                          "gp-dist grm made",
                          grm->path);
    if (get_number(grm, file, "the head", "format_version", &version, err) != GP_OK)
        return err->code;
    if (version > GP_GRM_VERSION)
        return gp_err_set(err, GP_EINPUT,
                          "%s: was written in format version %lld; this program reads up to %d; "
                          "use a newer gp-dist",
                          grm->path, (long long)version, GP_GRM_VERSION);
    return version < 1 ? damaged(grm, "the head", "attribute format_version", err) : GP_OK;
}

static int read_head(gp_grm *grm, const source *in, gp_err *err) {
    gp_grm_about *about = &grm->about;
    if (check_format(grm, in->file, err) != GP_OK ||
        get_number(grm, in->file, "the head", "samples", &about->n, err) != GP_OK ||
        get_text(grm, in->file, "form", &grm->form, err) != GP_OK ||
        get_text(grm, in->file, "store_digest", &grm->store_digest, err) != GP_OK ||
        get_text(grm, in->file, "filters", &grm->filters, err) != GP_OK)
        return err->code;
    if (about->n < 1 || about->n > GP_GRM_MOST ||
        gp_grm_place(about->n, 0) > in->bytes / (int64_t)sizeof(double))
        return damaged(grm, "the head", "it has more samples than the file can hold", err);
    about->form = grm->form.bytes;
    about->store_digest = grm->store_digest.bytes;
    about->filters = grm->filters.bytes;
    return GP_OK;
}

/* ---- samples ---- */

static int read_strings(const gp_grm *grm, gp_strings *run, const char **id, char **text,
                        gp_err *err) {
    run->count = grm->about.n;
    run->end = gp_mem_alloc(run->count + 1, sizeof *run->end, err);
    if (run->end == NULL || gp_strings_read_ends(run, err) != GP_OK ||
        (*text = gp_mem_alloc(gp_strings_bytes(run), 1, err)) == NULL ||
        gp_strings_read(run, *text, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < run->count; i++)
        id[i] = *text + run->end[i];
    return GP_OK;
}

/* FIDs or IIDs: k = GP_STORE_FID or GP_STORE_IID. */
static int read_ids(gp_grm *grm, const source *in, hid_t group, int k, gp_err *err) {
    gp_h5_column text = {0}, ends = {0};
    gp_strings run = {.text = &text, .ends = &ends};
    gp_h5_plan plan = {.field = &gp_store_sample_columns[k], .rows = -1, .width = 1};
    gp_h5_plan end_plan = {
        .field = &gp_store_sample_columns[k + 1], .rows = grm->about.n, .width = 1};
    int64_t limit = in->bytes * GP_STORE_INFLATION;
    const char ***id = k == GP_STORE_FID ? &grm->about.fid : &grm->about.iid;
    *id = gp_mem_alloc(grm->about.n, sizeof **id, err);
    if (*id != NULL && gp_h5_column_open(&text, grm->path, group, &plan, limit, err) == GP_OK &&
        gp_h5_column_open(&ends, grm->path, group, &end_plan, limit, err) == GP_OK)
        read_strings(grm, &run, *id, &grm->ids[k == GP_STORE_IID], err);
    free(run.end);
    gp_h5_column_free(&text);
    gp_h5_column_free(&ends);
    return err->code;
}

static int read_samples(gp_grm *grm, const source *in, gp_err *err) {
    hid_t group = H5Gopen2(in->file, "samples", H5P_DEFAULT);
    if (group < 0)
        return gp_h5_read_failed(err, grm->path, in->file, "samples");
    if (read_ids(grm, in, group, GP_STORE_FID, err) == GP_OK)
        read_ids(grm, in, group, GP_STORE_IID, err);
    gp_h5_release(&group);
    return err->code;
}

/* ---- matrices ---- */

/* What is wrong with a matrix's dataset, or NULL. */
static const char *check_set(hid_t set, int64_t n, int64_t bytes) {
    hsize_t size = 0, want = (hsize_t)gp_grm_place(n, 0);
    const char *wrong = NULL;
    hid_t type = H5Dget_type(set), space = H5Dget_space(set), create = H5Dget_create_plist(set);
    haddr_t at = H5Dget_offset(set);
    if (type < 0 || H5Tequal(type, H5T_IEEE_F64LE) <= 0)
        wrong = "its type is not the layout's";
    else if (space < 0 || H5Sget_simple_extent_ndims(space) != 1 ||
             H5Sget_simple_extent_dims(space, &size, NULL) != 1 || size != want)
        wrong = "its length is not what the attributes say";
    /* Contiguous, but not in another file. */
    else if (create < 0 || H5Pget_layout(create) != H5D_CONTIGUOUS ||
             H5Pget_external_count(create) != 0)
        wrong = "it does not lie in one piece";
    else if (at > (haddr_t)bytes || /* HADDR_UNDEF, too */
             want > ((haddr_t)bytes - at) / sizeof(double))
        wrong = "it is larger than the file";
    gp_h5_release(&create);
    gp_h5_release(&space);
    gp_h5_release(&type);
    return wrong;
}

static int open_matrix(gp_grm *grm, source *in, int64_t k, hid_t parent, const char *name,
                       gp_err *err) {
    int64_t check = 0,
            *variants = k ? &grm->about.chromosome_variants[k - 1] : &grm->about.variants;
    const char *wrong = NULL;
    hid_t group = H5Gopen2(parent, name, H5P_DEFAULT);
    in->set[k] = group < 0 ? -1 : H5Dopen2(group, "sum", H5P_DEFAULT);
    if (in->set[k] < 0)
        gp_h5_read_failed(err, grm->path, parent, name);
    else if ((wrong = check_set(in->set[k], grm->about.n, in->bytes)) != NULL)
        damaged(grm, name, wrong, err);
    else if (get_number(grm, group, name, "variants", variants, err) == GP_OK &&
             get_number(grm, group, name, "check", &check, err) == GP_OK && *variants < (k == 0))
        damaged(grm, name, "attribute variants", err);
    grm->check[k] = (uint64_t)check;
    gp_h5_release(&group);
    return err->code;
}

/* The name of chromosome k, into about. */
static int read_name(gp_grm *grm, const source *in, hid_t chromosomes, int64_t k, gp_err *err) {
    ssize_t length = H5Lget_name_by_idx(chromosomes, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC,
                                        (hsize_t)k, NULL, 0, H5P_DEFAULT);
    if (length < 1 || length > in->bytes)
        return gp_h5_read_failed(err, grm->path, chromosomes, NULL);
    char *name = gp_mem_alloc(length + 1, 1, err);
    if (name == NULL)
        return err->code;
    grm->about.chromosome[k] = name;
    if (H5Lget_name_by_idx(chromosomes, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, (hsize_t)k, name,
                           (size_t)length + 1, H5P_DEFAULT) != length)
        return gp_h5_read_failed(err, grm->path, chromosomes, NULL);
    return GP_OK;
}

static int open_chromosomes(gp_grm *grm, source *in, hid_t chromosomes, gp_err *err) {
    for (int64_t k = 0; k < grm->about.chromosomes; k++)
        if (read_name(grm, in, chromosomes, k, err) != GP_OK ||
            open_matrix(grm, in, 1 + k, chromosomes, grm->about.chromosome[k], err) != GP_OK)
            return err->code;
    return GP_OK;
}

static int open_matrices(gp_grm *grm, source *in, gp_err *err) {
    H5G_info_t info = {0};
    hid_t chromosomes = 0;
    htri_t there = H5Lexists(in->file, "chromosomes", H5P_DEFAULT);
    if (there < 0 ||
        (there > 0 && ((chromosomes = H5Gopen2(in->file, "chromosomes", H5P_DEFAULT)) < 0 ||
                       H5Gget_info(chromosomes, &info) < 0)))
        return gp_h5_read_failed(err, grm->path, in->file, "chromosomes");
    int64_t count = (int64_t)info.nlinks;
    if (info.nlinks > (hsize_t)in->bytes / sizeof(double)) {
        damaged(grm, "chromosomes", "their number", err);
        goto done;
    }
    in->set = gp_mem_alloc(1 + count, sizeof *in->set, err);
    grm->check = gp_mem_alloc(1 + count, sizeof *grm->check, err);
    grm->about.chromosome = gp_mem_alloc(count, sizeof *grm->about.chromosome, err);
    grm->about.chromosome_variants =
        gp_mem_alloc(count, sizeof *grm->about.chromosome_variants, err);
    if (err->code != GP_OK)
        goto done;
    grm->about.chromosomes = count;
    if (open_matrix(grm, in, 0, in->file, "matrix", err) == GP_OK)
        open_chromosomes(grm, in, chromosomes, err);
done:
    gp_h5_release(&chromosomes);
    return err->code;
}

/* ---- the form ---- */

static int read_run(gp_grm *grm, const gp_grm_run *run, double *value, gp_err *err) {
    const source *in = grm->source;
    hsize_t at = (hsize_t)gp_grm_place(run->row, run->first), zero = 0, size = (hsize_t)run->count;
    if (H5Sselect_hyperslab(in->space, H5S_SELECT_SET, &at, NULL, &size, NULL) < 0 ||
        H5Sselect_hyperslab(in->memory, H5S_SELECT_SET, &zero, NULL, &size, NULL) < 0 ||
        H5Dread(in->set[run->matrix], H5T_NATIVE_DOUBLE, in->memory, in->space, H5P_DEFAULT,
                value) < 0)
        return gp_h5_read_failed(err, grm->path, in->set[run->matrix], NULL);
    return GP_OK;
}

static void close_file(gp_grm *grm) {
    source *in = grm->source;
    for (int64_t k = 0; in->set != NULL && k <= grm->about.chromosomes; k++)
        gp_h5_release(&in->set[k]);
    gp_h5_release(&in->memory);
    gp_h5_release(&in->space);
    gp_h5_release(&in->file);
    free(in->set);
    free(in);
}

/* The superblock says how long the file was (HDF5 File Format Specification 3.0, II.A, version 3).
 */
static int check_length(const gp_grm *grm, int64_t bytes, gp_err *err) {
    uint8_t head[48] = {0};
    uint64_t end = 0;
    FILE *file = fopen(grm->path, "rb");
    size_t got = file != NULL ? fread(head, 1, sizeof head, file) : 0;
    if (file != NULL)
        fclose(file);
    for (int k = 0; k < 8; k++)
        end |= (uint64_t)head[28 + k] << (8 * k);
    if (got < sizeof head || (head[8] >= 2 && head[9] == 8 && end > (uint64_t)bytes))
        return gp_err_set(err, GP_EINPUT,
                          "%s: is cut short: %lld of %llu bytes are there; copy or make it again",
                          grm->path, (long long)bytes,
                          (unsigned long long)(got < sizeof head ? sizeof head : end));
    if (head[8] < 2 || head[8] > 3 || head[9] != 8 || head[10] != 8)
        return gp_err_set(err, GP_EINPUT,
                          "%s: is an HDF5 file but no relationship matrix; expected one that "
                          "gp-dist grm made",
                          grm->path);
    return end < (uint64_t)bytes ? damaged(grm, "the file", "it is longer than it was written", err)
                                 : GP_OK;
}

int gp_grm_open_h5(gp_grm *grm, gp_err *err) {
    static const gp_grm_kind kind = {read_run, close_file};
    int64_t bytes = 0;
    gp_h5_quiet();
    if (gp_io_file_size(grm->path, &bytes, err) != GP_OK || check_length(grm, bytes, err) != GP_OK)
        return err->code;
    source *in = gp_mem_alloc(1, sizeof *in, err);
    if (in == NULL)
        return err->code;
    grm->source = in;
    grm->kind = &kind;
    in->bytes = bytes;
    hid_t access = gp_h5_access();
    in->file = H5Fopen(grm->path, H5F_ACC_RDONLY, access);
    gp_h5_release(&access);
    if (in->file < 0)
        return gp_h5_read_failed(err, grm->path, 0, NULL);
    if (read_head(grm, in, err) != GP_OK || open_matrices(grm, in, err) != GP_OK ||
        read_samples(grm, in, err) != GP_OK)
        return err->code;
    hsize_t size = (hsize_t)gp_grm_place(grm->about.n, 0), row = (hsize_t)grm->about.n;
    in->space = H5Screate_simple(1, &size, NULL);
    in->memory = H5Screate_simple(1, &row, NULL);
    return in->space < 0 || in->memory < 0 ? gp_h5_read_failed(err, grm->path, 0, NULL) : GP_OK;
}
