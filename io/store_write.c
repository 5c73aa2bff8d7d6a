#include "io/chromosome.h"
#include "io/file.h"
#include "io/store_digest.h"
#include "io/store_disk.h"
#include "io/store_inside.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gp_store_writer {
    char *path;
    char *temporary; /* NULL when there is none to remove */
    gp_disk disk;
    hid_t file, chromosomes, group;
    gp_h5_column column[GP_STORE_COLUMNS]; /* of the chromosome being written */
    char *name;                            /* its name; NULL = none is being written */
    int with_morgan;
    int64_t announced, written; /* variants of the chromosome */
    int64_t position;           /* the last one */
    int64_t n, stride;
    int64_t variants, done; /* in all */
    int compress;
    uint8_t *mask; /* [stride] all samples */
    gp_digest digest;
};

/* ---- the shape of things ---- */

/* The largest block that leaves 1024 of them to share out. */
static int64_t block_size(int64_t variants) {
    int64_t block = 256;
    while (block > 8 && variants / block < 1024)
        block /= 2;
    return block;
}

static void cut_genotypes(gp_h5_plan *plan) {
    int64_t pieces = (plan->width + GP_STORE_GENOTYPE_WIDTH - 1) / GP_STORE_GENOTYPE_WIDTH;
    int64_t width = (plan->width + pieces - 1) / pieces;
    int64_t unit = GP_GENO_GROUP_BYTES;
    int64_t rows = 1024;
    plan->chunk_width = (width + unit - 1) / unit * unit;
    while (rows > 16 && rows * plan->chunk_width > GP_STORE_GENOTYPE_CHUNK)
        rows /= 2;
    plan->chunk_rows = gp_least(rows, plan->rows);
}

/* Column k of a chromosome of count variants. */
static gp_h5_plan column_plan(const gp_store_writer *w, int k, int64_t count) {
    const gp_h5_field *field = &gp_store_columns[k];
    gp_h5_plan plan = {.field = field, .rows = count, .width = 1, .compress = w->compress};
    if (k == GP_STORE_GENOTYPE) {
        plan.width = w->stride;
        cut_genotypes(&plan);
        return plan;
    }
    if (k == GP_STORE_COUNTS)
        plan.width = 4;
    plan.chunk_width = plan.width;
    plan.chunk_rows = gp_least(count, GP_STORE_CHUNK / (8 * plan.width));
    if (field->type == GP_H5_UINT8) {
        /* How long strings are is not known yet; a small chromosome should not get a big chunk. */
        plan.rows = -1;
        plan.chunk_rows =
            gp_least(GP_STORE_CHUNK, (4 * gp_least(count, GP_STORE_CHUNK) + 63) / 64 * 64);
    }
    return plan;
}

/* ---- the file ---- */

/* Makes PATH's hidden neighbour, private until it is finished. */
static int make_temporary(gp_store_writer *w, gp_err *err) {
    const char *slash = strrchr(w->path, '/');
    int directory = slash ? (int)(slash - w->path) + 1 : 0;
    gp_text name = {0};
    if (gp_text_print(&name, err, "%.*s.%s.XXXXXX", directory, w->path, w->path + directory) !=
        GP_OK)
        goto done;
    w->disk.fd = mkstemp(name.bytes);
    if (w->disk.fd < 0) {
        gp_err_set(err, GP_EINPUT, "%s: cannot be made: %s", w->path, strerror(errno));
        goto done;
    }
    w->temporary = name.bytes;
    name = (gp_text){0};
done:
    gp_text_free(&name);
    return err->code;
}

/* The file that make_temporary made, as HDF5's. */
static hid_t create_file(gp_store_writer *w) {
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = gp_h5_access(), file = -1;
    if (create > 0 && access > 0 && H5Pset_obj_track_times(create, 0) >= 0 &&
        gp_disk_set(access, &w->disk) >= 0)
        file = H5Fcreate(w->temporary, H5F_ACC_TRUNC, create, access);
    gp_h5_release(&access);
    gp_h5_release(&create);
    if (file < 0)
        close(w->disk.fd);
    return file;
}

/* What the disk refused, if it did. */
static int check_disk(const gp_store_writer *w, gp_err *err) {
    if (w->disk.failure == 0)
        return GP_OK;
    return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", w->path,
                      strerror(w->disk.failure));
}

static int write_head(gp_store_writer *w, const gp_store_plan *plan, gp_err *err) {
    gp_store_target target = {w->path, w->compress};
    w->file = create_file(w);
    if (w->file < 0 || gp_h5_put_text(w->file, "format", GP_STORE_FORMAT) < 0 ||
        gp_h5_put_number(w->file, "format_version", GP_STORE_VERSION) < 0 ||
        gp_h5_put_number(w->file, "block", block_size(plan->variants)) < 0 ||
        gp_h5_put_number(w->file, "samples", w->n) < 0 ||
        gp_h5_put_number(w->file, "variants", plan->variants) < 0 ||
        gp_h5_put_text(w->file, "provenance", plan->provenance) < 0)
        return gp_h5_write_failed(err, w->path);
    if (gp_store_write_samples(w->file, &target, plan->samples, err) != GP_OK)
        return err->code;
    w->chromosomes = gp_h5_group(w->file, "chromosomes", 1);
    return w->chromosomes < 0 ? gp_h5_write_failed(err, w->path) : check_disk(w, err);
}

/* Whether an HDF5 file is whole and something else than a store. */
static int is_foreign(const char *path) {
    gp_text format = {0};
    gp_err ignored = {0};
    hid_t access = gp_h5_access(), file = H5Fopen(path, H5F_ACC_RDONLY, access);
    int foreign = file >= 0 && (gp_h5_get_text(file, "format", &format, &ignored) < 0 ||
                                strcmp(format.bytes, GP_STORE_FORMAT) != 0);
    gp_h5_release(&file);
    gp_h5_release(&access);
    gp_text_free(&format);
    return foreign;
}

/* A store, a damaged one too, may be replaced by a newer one; a cohort's .bed, or anything else,
 * only by mistake. */
int gp_store_check_new(const char *path, gp_err *err) {
    uint8_t begin[sizeof gp_h5_signature];
    if (gp_io_check_new_file(path, err) != GP_OK)
        return err->code;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return GP_OK;
    size_t n = fread(begin, 1, sizeof begin, file);
    fclose(file);
    gp_h5_quiet();
    if (n == 0 || (n == sizeof begin && memcmp(begin, gp_h5_signature, sizeof begin) == 0 &&
                   !is_foreign(path)))
        return GP_OK;
    return gp_err_set(err, GP_EINPUT,
                      "%s: is there already and is no store; choose another name, or remove it",
                      path);
}

static int check_plan(const char *path, const gp_store_plan *plan, gp_err *err) {
    if (plan->samples->n < 1 || plan->variants < 1)
        return gp_err_set(err, GP_EINPUT,
                          "%s: would hold %lld samples and %lld variants; a store "
                          "needs one of each",
                          path, (long long)plan->samples->n, (long long)plan->variants);
    if (strlen(plan->provenance) >= GP_STORE_PROVENANCE_MAX)
        return gp_err_set(err, GP_EINPUT, "%s: has a provenance of %zu bytes; at most %d fit", path,
                          strlen(plan->provenance), GP_STORE_PROVENANCE_MAX - 1);
    if (plan->compress && H5Zfilter_avail(H5Z_FILTER_DEFLATE) <= 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: cannot be compressed: this HDF5 was built without deflate", path);
    return GP_OK;
}

int gp_store_create(gp_store_writer **writer, const char *path, const gp_store_plan *plan,
                    gp_err *err) {
    *writer = NULL;
    gp_h5_quiet();
    if (check_plan(path, plan, err) != GP_OK)
        return err->code;
    gp_store_writer *w = gp_mem_alloc(1, sizeof *w, err);
    if (w == NULL)
        return err->code;
    w->n = plan->samples->n;
    w->stride = gp_geno_stride(w->n);
    w->variants = plan->variants;
    w->compress = plan->compress;
    w->path = gp_mem_string(path, (int64_t)strlen(path), err);
    w->mask = gp_mem_alloc(w->stride, 1, err);
    if (w->path == NULL || w->mask == NULL)
        goto failed;
    for (int64_t i = 0; i < w->n; i++)
        gp_mask_set(w->mask, i);
    if (make_temporary(w, err) != GP_OK || write_head(w, plan, err) != GP_OK ||
        gp_digest_begin(&w->digest, plan->samples, err) != GP_OK)
        goto failed;
    *writer = w;
    return GP_OK;
failed:
    gp_store_discard(w);
    return err->code;
}

/* ---- chromosomes ---- */

static int check_name(const gp_store_writer *w, const char *name, gp_err *err) {
    if (!gp_chromosome_name_fits(name, (int64_t)strlen(name)))
        return gp_err_set(err, GP_EINPUT,
                          "%s: cannot hold a chromosome called '%s'; a name is not empty, '.' or "
                          "'..' and has no '/'",
                          w->path, name);
    htri_t there = H5Lexists(w->chromosomes, name, H5P_DEFAULT);
    if (there > 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: chromosome '%s' comes twice; sort the input by chromosome", w->path,
                          name);
    return there < 0 ? gp_h5_write_failed(err, w->path) : GP_OK;
}

static int end_chromosome(gp_store_writer *w, gp_err *err) {
    char hex[33];
    if (w->name == NULL)
        return GP_OK;
    if (w->written != w->announced)
        return gp_err_set(err, GP_EFAIL,
                          "%s: %lld variants of chromosome %s came where %lld were announced",
                          w->path, (long long)w->written, w->name, (long long)w->announced);
    for (int k = 0; k < GP_STORE_COLUMNS; k++) {
        if (w->column[k].set > 0 && gp_h5_column_finish(&w->column[k], err) != GP_OK)
            return err->code;
        gp_h5_column_free(&w->column[k]);
    }
    gp_digest_chromosome_end(&w->digest, hex);
    if (gp_h5_put_text(w->group, "digest", hex) < 0)
        return gp_h5_write_failed(err, w->path);
    gp_h5_release(&w->group);
    free(w->name);
    w->name = NULL;
    return check_disk(w, err);
}

int gp_store_begin_chromosome(gp_store_writer *w, const gp_chromosome *chromosome, int with_morgan,
                              gp_err *err) {
    if (end_chromosome(w, err) != GP_OK || check_name(w, chromosome->name, err) != GP_OK)
        return err->code;
    if (chromosome->count < 1 || chromosome->count > w->variants - w->done)
        return gp_err_set(err, GP_EFAIL,
                          "%s: chromosome %s cannot have %lld variants; 1 to %lld are left",
                          w->path, chromosome->name, (long long)chromosome->count,
                          (long long)(w->variants - w->done));
    w->group = gp_h5_group(w->chromosomes, chromosome->name, 0);
    if (w->group < 0 || gp_h5_put_text(w->group, "kind", gp_kind_name(chromosome->kind)) < 0 ||
        gp_h5_put_number(w->group, "variants", chromosome->count) < 0)
        return gp_h5_write_failed(err, w->path);
    for (int k = 0; k < GP_STORE_COLUMNS; k++) {
        gp_h5_plan plan = column_plan(w, k, chromosome->count);
        if (k == GP_STORE_MORGAN && !with_morgan)
            continue;
        if (gp_h5_column_create(&w->column[k], w->path, w->group, &plan, err) != GP_OK)
            return err->code;
    }
    w->name = gp_mem_string(chromosome->name, (int64_t)strlen(chromosome->name), err);
    if (w->name == NULL)
        return err->code;
    w->with_morgan = with_morgan;
    w->announced = chromosome->count;
    w->written = w->position = 0;
    gp_digest_chromosome(&w->digest, chromosome, with_morgan);
    return GP_OK;
}

/* Takes a row over with clean padding: what lies behind the last sample has no say in digests. */
static void copy_row(const gp_store_writer *w, const uint8_t *row, uint8_t *to) {
    for (int64_t k = 0; k < w->stride; k++)
        to[k] = (uint8_t)(row[k] & (w->mask[k] | w->mask[k] << 1));
}

static int push_string(gp_store_writer *w, int k, const char *text, gp_err *err) {
    gp_h5_column *c = &w->column[k];
    int64_t bytes = (int64_t)strlen(text) + 1;
    int64_t end = c->written + c->filled + bytes;
    if (gp_h5_column_push(c, text, bytes, err) != GP_OK)
        return err->code;
    return gp_h5_column_push(&w->column[k + 1], &end, 1, err);
}

static int append_one(gp_store_writer *w, const gp_variants *v, int64_t i, const uint8_t *row,
                      gp_err *err) {
    int64_t room = 0;
    uint8_t *to = gp_h5_column_room(&w->column[GP_STORE_GENOTYPE], &room);
    if (v->position[i] < w->position)
        return gp_err_set(err, GP_EFAIL,
                          "%s: position %lld of chromosome %s comes after %lld; variants must be "
                          "sorted",
                          w->path, (long long)v->position[i], w->name, (long long)w->position);
    w->position = v->position[i];
    copy_row(w, row, to);
    gp_counts counts = gp_geno_count(to, w->mask, w->stride);
    gp_digest_variant(&w->digest, v, i, to);
    if (gp_h5_column_pushed(&w->column[GP_STORE_GENOTYPE], 1, err) != GP_OK ||
        gp_h5_column_push(&w->column[GP_STORE_COUNTS], counts.call, 1, err) != GP_OK ||
        gp_h5_column_push(&w->column[GP_STORE_POSITION], &v->position[i], 1, err) != GP_OK ||
        push_string(w, GP_STORE_ID, v->id[i], err) != GP_OK ||
        push_string(w, GP_STORE_REF, v->ref[i], err) != GP_OK ||
        push_string(w, GP_STORE_ALT, v->alt[i], err) != GP_OK)
        return err->code;
    if (w->with_morgan)
        return gp_h5_column_push(&w->column[GP_STORE_MORGAN], &v->morgan[i], 1, err);
    return GP_OK;
}

int gp_store_append(gp_store_writer *w, const gp_variants *v, const uint8_t *rows, gp_err *err) {
    if (w->name == NULL || v->count > w->announced - w->written ||
        (w->with_morgan && v->morgan == NULL))
        return gp_err_set(err, GP_EFAIL,
                          "%s: these variants do not belong to the chromosome that was begun",
                          w->path);
    for (int64_t i = 0; i < v->count; i++)
        if (append_one(w, v, i, rows + i * w->stride, err) != GP_OK)
            return err->code;
    w->written += v->count;
    w->done += v->count;
    return check_disk(w, err);
}

/* ---- the end ---- */

static int finish(gp_store_writer *w, gp_err *err) {
    char hex[33];
    if (end_chromosome(w, err) != GP_OK)
        return err->code;
    if (w->done != w->variants)
        return gp_err_set(err, GP_EFAIL, "%s: %lld variants came where %lld were announced",
                          w->path, (long long)w->done, (long long)w->variants);
    gp_digest_end(&w->digest, hex);
    if (gp_h5_put_text(w->file, "digest", hex) < 0)
        return gp_h5_write_failed(err, w->path);
    gp_h5_release(&w->chromosomes);
    hid_t file = w->file;
    w->file = 0;
    if (H5Fclose(file) < 0)
        gp_h5_write_failed(err, w->path);
    if (check_disk(w, err) != GP_OK)
        return err->code;
    mode_t mask = umask(0);
    umask(mask);
    if (chmod(w->temporary, 0666 & ~mask) != 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be made readable: %s", w->path,
                          strerror(errno));
    if (gp_io_commit(w->temporary, w->path, err) != GP_OK)
        return err->code;
    free(w->temporary);
    w->temporary = NULL;
    return GP_OK;
}

int gp_store_finish(gp_store_writer *writer, gp_err *err) {
    int code = finish(writer, err);
    gp_store_discard(writer);
    return code;
}

void gp_store_discard(gp_store_writer *w) {
    if (w == NULL)
        return;
    for (int k = 0; k < GP_STORE_COLUMNS; k++)
        gp_h5_column_free(&w->column[k]);
    gp_h5_release(&w->group);
    gp_h5_release(&w->chromosomes);
    gp_h5_release(&w->file);
    if (w->temporary != NULL)
        unlink(w->temporary);
    gp_digest_free(&w->digest);
    free(w->temporary);
    free(w->name);
    free(w->path);
    free(w->mask);
    free(w);
}
