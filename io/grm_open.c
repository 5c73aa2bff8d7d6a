#include "io/file.h"
#include "io/grm_inside.h"
#include "src/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const gp_grm_about *gp_grm_about_of(const gp_grm *grm) {
    return &grm->about;
}

const char *gp_grm_path(const gp_grm *grm) {
    return grm->path;
}

int gp_grm_check_run(const char *path, int64_t n, int64_t row, int64_t first, int64_t count,
                     gp_err *err) {
    if (row >= 0 && row < n && first >= 0 && count >= 0 && first <= row + 1 - count)
        return GP_OK;
    return gp_err_set(
        err, GP_EFAIL, "%s: row %lld of %lld has no lower-triangle elements %lld to %lld", path,
        (long long)row, (long long)n, (long long)first, (long long)(first + count - 1));
}

int gp_grm_read(gp_grm *grm, int64_t chromosome, int64_t row, int64_t first, int64_t count,
                double *value, gp_err *err) {
    gp_grm_run run = {1 + chromosome, row, first, count};
    if (chromosome < GP_GRM_WHOLE || chromosome >= grm->about.chromosomes)
        return gp_err_set(err, GP_EFAIL, "%s: has no matrix of a chromosome number %lld", grm->path,
                          (long long)chromosome);
    if (gp_grm_check_run(grm->path, grm->about.n, row, first, count, err) != GP_OK || count == 0)
        return err->code;
    return grm->kind->read(grm, &run, value, err);
}

int gp_grm_stored_check(const gp_grm *grm, int64_t chromosome, uint64_t *check) {
    if (grm->check == NULL)
        return 0;
    *check = grm->check[1 + chromosome];
    return 1;
}

/* ---- which form ---- */

static int ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Whether path names one of GCTA's files, or their prefix; grm->path is then the prefix. */
static int find_gcta(gp_grm *grm, gp_err *err) {
    static const char *const end[] = {".grm.bin", ".grm.id", ".grm.N.bin"};
    struct stat about;
    gp_text name = {0};
    int found = 0;
    for (int k = 0; k < 3 && !found; k++)
        if (ends_with(grm->path, end[k])) {
            grm->path[strlen(grm->path) - strlen(end[k])] = 0;
            found = 1;
        }
    if (!found && (stat(grm->path, &about) != 0 || !S_ISREG(about.st_mode)) &&
        gp_text_print(&name, err, "%s.grm.bin", grm->path) == GP_OK)
        found = stat(name.bytes, &about) == 0;
    gp_text_free(&name);
    return found;
}

static int begins_as_h5(const char *path) {
    uint8_t begin[sizeof gp_h5_signature] = {0};
    FILE *file = fopen(path, "rb");
    size_t got = file != NULL ? fread(begin, 1, sizeof begin, file) : 0;
    if (file != NULL)
        fclose(file);
    return got == sizeof begin && memcmp(begin, gp_h5_signature, sizeof begin) == 0;
}

static int open_any(gp_grm *grm, gp_err *err) {
    int64_t bytes = 0;
    if (find_gcta(grm, err))
        return gp_grm_open_gcta(grm, err);
    if (err->code != GP_OK || gp_io_file_size(grm->path, &bytes, err) != GP_OK)
        return err->code;
    if (begins_as_h5(grm->path))
        return gp_grm_open_h5(grm, err);
    return gp_grm_open_text(grm, err);
}

int gp_grm_open(gp_grm **out, const char *path, gp_err *err) {
    *out = NULL;
    gp_grm *grm = gp_mem_alloc(1, sizeof *grm, err);
    if (grm == NULL)
        return err->code;
    grm->about.form = "unknown";
    grm->about.store_digest = grm->about.filters = "";
    grm->path = gp_mem_string(path, (int64_t)strlen(path), err);
    if (grm->path != NULL && open_any(grm, err) == GP_OK)
        *out = grm;
    else
        gp_grm_close(grm);
    return err->code;
}

void gp_grm_close(gp_grm *grm) {
    if (grm == NULL)
        return;
    if (grm->source != NULL)
        grm->kind->close(grm);
    for (int64_t k = 0; k < grm->about.chromosomes; k++)
        free((void *)(uintptr_t)grm->about.chromosome[k]);
    free(grm->about.chromosome);
    free(grm->about.chromosome_variants);
    free(grm->about.fid);
    free(grm->about.iid);
    free(grm->ids[0]);
    free(grm->ids[1]);
    free(grm->check);
    gp_text_free(&grm->form);
    gp_text_free(&grm->store_digest);
    gp_text_free(&grm->filters);
    free(grm->path);
    free(grm);
}
