#define _GNU_SOURCE /* fallocate */
#include "io/file.h"
#include "io/grm_inside.h"
#include "io/store_disk.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct gp_grm_writer {
    char *path;
    char *temporary;
    int made; /* the temporary file is this rank's to rename or remove */
    int64_t n, chromosomes;
    char **name; /* [chromosomes] */
    hid_t file;
    hid_t *group, *set;  /* [1 + chromosomes] the whole's first */
    hid_t space, memory; /* of a matrix's elements; of a row's */
};

uint64_t gp_grm_check(int64_t i, int64_t j, double value) {
    /* Steps that can be undone (SplitMix64's): for one place no two values give the same. */
    uint64_t z = (uint64_t)gp_grm_place(i, j) * 0x9E3779B97F4A7C15u + 0xD1342543DE82EF95u, bits;
    memcpy(&bits, &value, sizeof bits);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z ^= (z >> 27) ^ bits;
    z = (z ^ (z >> 32)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* ---- making the file: one process ---- */

static int cannot_write(const char *path, int cause, gp_err *err) {
    return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s; %s", path, strerror(cause),
                      cause == ENOSPC || cause == EDQUOT
                          ? "make room there, then give the same command again"
                          : "check that directory, then give the same command again");
}

static double bytes_needed(const gp_grm_about *about) {
    double n = (double)about->n;
    return n * (n + 1) / 2 * (double)sizeof(double) * (double)(1 + about->chromosomes);
}

/* Before the work that fills it: a disk that is too small is told at once. */
static int check_room(const char *path, const gp_grm_about *about, gp_err *err) {
    struct statvfs fs;
    double need = bytes_needed(about);
    if (gp_io_check_new_file(path, err) != GP_OK)
        return err->code;
    const char *slash = strrchr(path, '/');
    int64_t length = slash == NULL ? 0 : slash == path ? 1 : slash - path;
    char *directory = length ? gp_mem_string(path, length, err) : gp_mem_string(".", 1, err);
    if (directory == NULL)
        return err->code;
    if (statvfs(directory, &fs) == 0) {
        double room = (double)fs.f_bavail * (double)fs.f_frsize;
        if (need > room)
            gp_err_set(
                err, GP_EFAIL,
                "%s: needs %.3g GB of disk where %.3g GB are free; make room there, or choose "
                "another directory",
                path, need / 1e9, room / 1e9);
    }
    free(directory);
    return err->code;
}

static hid_t element_space(int64_t n) {
    hsize_t size = (hsize_t)gp_grm_place(n, 0);
    return H5Screate_simple(1, &size, NULL);
}

/* A matrix's dataset: its place is given now, and filled by gp_grm_write alone. */
static int make_matrix(hid_t group, int64_t n) {
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = element_space(n), set = -1;
    if (create > 0 && space > 0 && H5Pset_obj_track_times(create, 0) >= 0 &&
        H5Pset_layout(create, H5D_CONTIGUOUS) >= 0 &&
        H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0)
        set = H5Dcreate2(group, "sum", H5T_IEEE_F64LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    int bad = set < 0 || gp_h5_put_number(group, "variants", 0) < 0 ||
              gp_h5_put_number(group, "check", 0) < 0;
    gp_h5_release(&set);
    gp_h5_release(&space);
    gp_h5_release(&create);
    return bad ? -1 : 0;
}

static int make_matrices(hid_t file, const char *path, const gp_grm_about *about, gp_err *err) {
    hid_t matrix = gp_h5_group(file, "matrix", 0), chromosomes = 0;
    int bad = matrix < 0 || make_matrix(matrix, about->n) < 0;
    if (!bad && about->chromosomes > 0)
        bad = (chromosomes = gp_h5_group(file, "chromosomes", 1)) < 0;
    for (int64_t k = 0; !bad && k < about->chromosomes; k++) {
        hid_t group = gp_h5_group(chromosomes, about->chromosome[k], 0);
        bad = group < 0 || make_matrix(group, about->n) < 0;
        gp_h5_release(&group);
    }
    gp_h5_release(&chromosomes);
    gp_h5_release(&matrix);
    return bad ? gp_h5_write_failed(err, path) : GP_OK;
}

static int open_ids(hid_t group, const char *path, int k, int64_t rows, gp_h5_column *column,
                    gp_err *err) {
    const gp_h5_field *field = &gp_store_sample_columns[k];
    int64_t most = GP_STORE_CHUNK / (field->type == GP_H5_INT64 ? 8 : 1);
    gp_h5_plan plan = {.field = field,
                       .rows = rows,
                       .width = 1,
                       .chunk_rows = rows < most ? rows : most,
                       .chunk_width = 1};
    return gp_h5_column_create(column, path, group, &plan, err);
}

/* "strings", as in the store. */
static int make_ids(hid_t group, const char *path, int k, int64_t n, const char **id, gp_err *err) {
    gp_h5_column text = {0}, ends = {0};
    int64_t total = 0, end = 0;
    for (int64_t i = 0; i < n; i++)
        total += (int64_t)strlen(id[i]) + 1;
    if (open_ids(group, path, k, total, &text, err) != GP_OK ||
        open_ids(group, path, k + 1, n, &ends, err) != GP_OK)
        goto done;
    for (int64_t i = 0; i < n; i++) {
        int64_t bytes = (int64_t)strlen(id[i]) + 1;
        end += bytes;
        if (gp_h5_column_push(&text, id[i], bytes, err) != GP_OK ||
            gp_h5_column_push(&ends, &end, 1, err) != GP_OK)
            goto done;
    }
    if (gp_h5_column_finish(&text, err) == GP_OK)
        gp_h5_column_finish(&ends, err);
done:
    gp_h5_column_free(&text);
    gp_h5_column_free(&ends);
    return err->code;
}

static int make_head(hid_t file, const char *path, const gp_grm_about *about, gp_err *err) {
    if (gp_h5_put_text(file, "format", GP_GRM_FORMAT) < 0 ||
        gp_h5_put_number(file, "format_version", GP_GRM_VERSION) < 0 ||
        gp_h5_put_text(file, "form", about->form) < 0 ||
        gp_h5_put_number(file, "samples", about->n) < 0 ||
        gp_h5_put_text(file, "store_digest", about->store_digest) < 0 ||
        gp_h5_put_text(file, "filters", about->filters) < 0)
        return gp_h5_write_failed(err, path);
    hid_t group = gp_h5_group(file, "samples", 0);
    if (group < 0)
        gp_h5_write_failed(err, path);
    else if (make_ids(group, path, GP_STORE_FID, about->n, about->fid, err) == GP_OK)
        make_ids(group, path, GP_STORE_IID, about->n, about->iid, err);
    gp_h5_release(&group);
    return err->code;
}

/* PATH.tmp as HDF5's, through the driver that outlives a full disk. */
static hid_t make_file(const char *temporary, gp_disk *disk) {
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = gp_h5_access(), file = -1;
    /* Elements begin on a page. */
    if (create > 0 && access > 0 && H5Pset_obj_track_times(create, 0) >= 0 &&
        H5Pset_alignment(access, GP_STORE_CHUNK, 4096) >= 0 && gp_disk_set(access, disk) >= 0)
        file = H5Fcreate(temporary, H5F_ACC_TRUNC, create, access);
    gp_h5_release(&access);
    gp_h5_release(&create);
    return file;
}

/* Takes the disk's blocks for the whole file, so that it cannot be full later. Not every file
 * system can: no failure. Its bytes stay as they are. */
static int take_room(const gp_grm_writer *w, gp_err *err) {
    struct stat about;
    int fd = open(w->temporary, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0)
        cannot_write(w->path, errno, err);
#ifdef __linux__
    else if (fallocate(fd, 0, 0, about.st_size) != 0 &&
             (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        cannot_write(w->path, errno, err);
#endif
    if (fd >= 0)
        close(fd);
    return err->code;
}

static int make(gp_grm_writer *w, const gp_grm_about *about, gp_err *err) {
    gp_disk disk = {.fd = -1};
    if (check_room(w->path, about, err) != GP_OK)
        return err->code;
    disk.fd = open(w->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (disk.fd < 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be made: %s", w->path, strerror(errno));
    w->made = 1;
    hid_t file = make_file(w->temporary, &disk);
    if (file < 0) {
        close(disk.fd);
        return gp_h5_write_failed(err, w->path);
    }
    if (make_head(file, w->path, about, err) == GP_OK)
        make_matrices(file, w->path, about, err);
    if (H5Fclose(file) < 0)
        gp_h5_write_failed(err, w->path);
    if (disk.failure != 0)
        cannot_write(w->path, disk.failure, err);
    return err->code == GP_OK ? take_room(w, err) : err->code;
}

/* ---- all ranks ---- */

/* MPI does not hand on what the system said. */
static int write_failed(const gp_grm_writer *w, gp_err *err) {
    gp_err cause = {0};
    gp_h5_write_failed(&cause, w->path);
    return gp_err_set(err, GP_EFAIL,
                      "%s; see that this disk works and is not full, then give the same command "
                      "again",
                      cause.text);
}

static int check_about(const char *path, const gp_grm_about *about, gp_err *err) {
    if (about->n < 1 || about->n > GP_GRM_MOST || about->fid == NULL || about->iid == NULL ||
        about->chromosomes < 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot hold a matrix of %lld samples", path,
                          (long long)about->n);
    if (strlen(about->filters) >= GP_STORE_PROVENANCE_MAX)
        return gp_err_set(err, GP_EINPUT, "%s: cannot hold a text of %zu bytes on filters", path,
                          strlen(about->filters));
    return GP_OK;
}

/* What a rank needs in memory. */
static int begin(gp_grm_writer *w, const char *path, const gp_grm_about *about, gp_err *err) {
    gp_text name = {0};
    w->n = about->n;
    w->path = gp_mem_string(path, (int64_t)strlen(path), err);
    if (w->path != NULL && gp_text_print(&name, err, "%s.tmp", path) == GP_OK)
        w->temporary = name.bytes;
    w->set = gp_mem_alloc(1 + about->chromosomes, sizeof *w->set, err);
    w->group = gp_mem_alloc(1 + about->chromosomes, sizeof *w->group, err);
    w->name = gp_mem_alloc(about->chromosomes, sizeof *w->name, err);
    if (err->code != GP_OK)
        return err->code;
    w->chromosomes = about->chromosomes;
    for (int64_t k = 0; k < about->chromosomes && err->code == GP_OK; k++)
        w->name[k] =
            gp_mem_string(about->chromosome[k], (int64_t)strlen(about->chromosome[k]), err);
    return err->code;
}

int gp_grm_create(gp_grm_writer **writer, const char *path, const gp_grm_about *about, int makes,
                  gp_err *err) {
    *writer = NULL;
    gp_h5_quiet();
    if (check_about(path, about, err) != GP_OK)
        return err->code;
    gp_grm_writer *w = gp_mem_alloc(1, sizeof *w, err);
    if (w == NULL)
        return err->code;
    if (begin(w, path, about, err) == GP_OK && makes)
        make(w, about, err);
    if (err->code == GP_OK)
        *writer = w;
    else
        gp_grm_finish(w, 0, err);
    return err->code;
}

static int open_matrix(gp_grm_writer *w, int64_t k, hid_t parent, const char *name) {
    w->group[k] = H5Gopen2(parent, name, H5P_DEFAULT);
    w->set[k] = w->group[k] < 0 ? -1 : H5Dopen2(w->group[k], "sum", H5P_DEFAULT);
    return w->set[k] < 0 ? -1 : 0;
}

int gp_grm_join(gp_grm_writer *w, int64_t access, gp_err *err) {
    hid_t own = access > 0 ? 0 : gp_h5_access(), chromosomes = 0;
    hsize_t row = (hsize_t)w->n;
    w->file = H5Fopen(w->temporary, H5F_ACC_RDWR, access > 0 ? (hid_t)access : own);
    gp_h5_release(&own);
    int bad = w->file < 0 || open_matrix(w, 0, w->file, "matrix") < 0;
    if (!bad && w->chromosomes > 0)
        bad = (chromosomes = H5Gopen2(w->file, "chromosomes", H5P_DEFAULT)) < 0;
    for (int64_t k = 0; !bad && k < w->chromosomes; k++)
        bad = open_matrix(w, 1 + k, chromosomes, w->name[k]) < 0;
    gp_h5_release(&chromosomes);
    if (bad || (w->space = element_space(w->n)) < 0 ||
        (w->memory = H5Screate_simple(1, &row, NULL)) < 0)
        return write_failed(w, err);
    return GP_OK;
}

int gp_grm_write(gp_grm_writer *w, int64_t chromosome, int64_t row, int64_t first, int64_t count,
                 const double *value, gp_err *err) {
    if (chromosome < GP_GRM_WHOLE || chromosome >= w->chromosomes ||
        gp_grm_check_run(w->path, w->n, row, first, count, err) != GP_OK)
        return gp_err_set(err, GP_EFAIL, "%s: has no matrix %lld", w->path, (long long)chromosome);
    if (count == 0)
        return GP_OK;
    hsize_t at = (hsize_t)gp_grm_place(row, first), zero = 0, size = (hsize_t)count;
    if (H5Sselect_hyperslab(w->space, H5S_SELECT_SET, &at, NULL, &size, NULL) < 0 ||
        H5Sselect_hyperslab(w->memory, H5S_SELECT_SET, &zero, NULL, &size, NULL) < 0 ||
        H5Dwrite(w->set[1 + chromosome], H5T_NATIVE_DOUBLE, w->memory, w->space, H5P_DEFAULT,
                 value) < 0)
        return write_failed(w, err);
    return GP_OK;
}

static int set_number(hid_t object, const char *name, int64_t value) {
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    int bad = attribute < 0 || H5Awrite(attribute, H5T_NATIVE_INT64, &value) < 0;
    gp_h5_release(&attribute);
    return bad ? -1 : 0;
}

int gp_grm_leave(gp_grm_writer *w, const int64_t *variants, const uint64_t *check, gp_err *err) {
    int bad = 0;
    for (int64_t k = 0; variants != NULL && k <= w->chromosomes; k++)
        bad |= set_number(w->group[k], "variants", variants[k]) < 0 ||
               set_number(w->group[k], "check", (int64_t)check[k]) < 0;
    /* A close alone leaves the bytes in the memory of each node. */
    if (bad || (variants != NULL && H5Fflush(w->file, H5F_SCOPE_GLOBAL) < 0))
        write_failed(w, err);
    gp_h5_release(&w->memory);
    gp_h5_release(&w->space);
    for (int64_t k = 0; k <= w->chromosomes; k++) {
        gp_h5_release(&w->set[k]);
        gp_h5_release(&w->group[k]);
    }
    hid_t file = w->file;
    w->file = 0;
    if (file > 0 && H5Fclose(file) < 0)
        write_failed(w, err);
    return err->code;
}

int gp_grm_finish(gp_grm_writer *w, int ok, gp_err *err) {
    if (w == NULL)
        return err->code;
    if (w->file > 0)
        gp_grm_leave(w, NULL, NULL, err);
    if (w->made && !(ok && gp_io_commit(w->temporary, w->path, err) == GP_OK))
        unlink(w->temporary);
    for (int64_t k = 0; k < w->chromosomes; k++)
        free(w->name[k]);
    free(w->name);
    free(w->set);
    free(w->group);
    free(w->temporary);
    free(w->path);
    free(w);
    return err->code;
}
