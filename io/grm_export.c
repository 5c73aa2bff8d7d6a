#include "io/file.h"
#include "io/grm_inside.h"
#include "io/ten_digits.h"
#include "src/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 64 << 20 };

/* ---- a file being written under a temporary name ---- */

typedef struct output {
    FILE *file;
    int made;
    gp_text path, temporary;
} output;

static int out_failed(const output *out, gp_err *err) {
    return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", out->path.bytes, strerror(errno));
}

static int out_open(output *out, const char *prefix, const char *end, gp_err *err) {
    if (gp_text_print(&out->path, err, "%s%s", prefix, end) != GP_OK ||
        gp_text_print(&out->temporary, err, "%s.tmp", out->path.bytes) != GP_OK ||
        gp_io_check_new_file(out->path.bytes, err) != GP_OK)
        return err->code;
    out->file = fopen(out->temporary.bytes, "wb");
    if (out->file == NULL)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be made: %s", out->path.bytes,
                          strerror(errno));
    out->made = 1;
    return GP_OK;
}

static int out_put(output *out, const void *bytes, int64_t n, gp_err *err) {
    return fwrite(bytes, 1, (size_t)n, out->file) == (size_t)n ? GP_OK : out_failed(out, err);
}

/* Some file systems report a full disk only when a file is closed. */
static int out_close(output *out, gp_err *err) {
    FILE *file = out->file;
    out->file = NULL;
    return file != NULL && fclose(file) != 0 ? out_failed(out, err) : err->code;
}

static int out_commit(output *out, gp_err *err) {
    if (gp_io_commit(out->temporary.bytes, out->path.bytes, err) == GP_OK)
        out->made = 0;
    return err->code;
}

static void out_free(output *out) {
    if (out->file != NULL)
        fclose(out->file);
    if (out->made)
        unlink(out->temporary.bytes);
    gp_text_free(&out->path);
    gp_text_free(&out->temporary);
}

/* ---- GCTA ---- */

static void put_float(uint8_t *to, double value) {
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    for (int k = 0; k < 4; k++)
        to[k] = (uint8_t)(bits >> 8 * k);
}

static int put_floats(output *out, const double *value, int64_t count, double divisor,
                      uint8_t *bytes, gp_err *err) {
    for (int64_t k = 0; k < count; k++)
        put_float(bytes + 4 * k, value[k] / divisor);
    return out_put(out, bytes, 4 * count, err);
}

static int put_gcta(gp_grm *grm, output *out, double *row, uint8_t *bytes, gp_err *err) {
    const gp_grm_about *about = &grm->about;
    double variants = (double)about->variants;
    for (int64_t i = 0; i < about->n; i++) {
        if (gp_grm_read(grm, GP_GRM_WHOLE, i, 0, i + 1, row, err) != GP_OK ||
            put_floats(&out[0], row, i + 1, variants, bytes, err) != GP_OK)
            return err->code;
        for (int64_t j = 0; j <= i; j++)
            row[j] = variants;
        if (put_floats(&out[2], row, i + 1, 1.0, bytes, err) != GP_OK)
            return err->code;
        if (fprintf(out[1].file, "%s\t%s\n", about->fid[i], about->iid[i]) < 0)
            return out_failed(&out[1], err);
    }
    return GP_OK;
}

int gp_grm_export_gcta(gp_grm *grm, const char *prefix, gp_err *err) {
    static const char *const end[] = {".grm.bin", ".grm.id", ".grm.N.bin"};
    output out[3] = {{0}};
    double *row = NULL;
    uint8_t *bytes = NULL;
    if (grm->about.fid == NULL)
        return gp_err_set(err, GP_EINPUT,
                          "%s: has no sample ids, and GCTA's form needs them; export it as text",
                          grm->path);
    for (int k = 0; k < 3 && err->code == GP_OK; k++)
        out_open(&out[k], prefix, end[k], err);
    row = gp_mem_alloc(grm->about.n, sizeof *row, err);
    bytes = gp_mem_alloc(grm->about.n, 4, err);
    if (err->code == GP_OK)
        put_gcta(grm, out, row, bytes, err);
    for (int k = 0; k < 3; k++)
        out_close(&out[k], err);
    for (int k = 0; k < 3 && err->code == GP_OK; k++)
        out_commit(&out[k], err);
    for (int k = 0; k < 3; k++)
        out_free(&out[k]);
    free(row);
    free(bytes);
    return err->code;
}

/* ---- text ---- */

/* Rows first .. first + count in full: what stands left of the diagonal as it is, and what stands
 * right of it from the rows below. */
static int read_rows(gp_grm *grm, int64_t first, int64_t count, double *rows, double *part,
                     gp_err *err) {
    int64_t n = grm->about.n;
    for (int64_t i = first; i < n; i++) {
        int inside = i < first + count;
        double *row = inside ? rows + (i - first) * n : part;
        int64_t from = inside ? 0 : first;
        int64_t width = inside ? i + 1 : count;
        if (gp_grm_read(grm, GP_GRM_WHOLE, i, from, width, row, err) != GP_OK)
            return err->code;
        const double *mirrored = inside ? row + first : row;
        int64_t columns = inside ? i - first : count;
        for (int64_t j = 0; j < columns; j++)
            rows[j * n + i] = mirrored[j];
    }
    return GP_OK;
}

static int put_row(output *out, const double *row, int64_t n, double variants, char *line,
                   gp_err *err) {
    char *at = line;
    for (int64_t j = 0; j < n; j++) {
        at = gp_ten_digits(at, row[j] / variants);
        *at++ = j + 1 < n ? '\t' : '\n';
    }
    return out_put(out, line, at - line, err);
}

static int put_text(gp_grm *grm, output *out, gp_err *err) {
    int64_t n = grm->about.n, most = BLOCK_BYTES / (int64_t)sizeof(double) / n;
    int64_t block = most < 1 ? 1 : most < n ? most : n;
    double *rows = gp_mem_alloc(block * n, sizeof *rows, err);
    double *part = gp_mem_alloc(block, sizeof *part, err);
    char *line = gp_mem_alloc(n, GP_TEN_DIGITS_ROOM + 1, err);
    for (int64_t first = 0; first < n && err->code == GP_OK; first += block) {
        int64_t count = n - first < block ? n - first : block;
        read_rows(grm, first, count, rows, part, err);
        for (int64_t i = 0; i < count && err->code == GP_OK; i++)
            put_row(out, rows + i * n, n, (double)grm->about.variants, line, err);
    }
    free(rows);
    free(part);
    free(line);
    return err->code;
}

int gp_grm_export_text(gp_grm *grm, const char *path, gp_err *err) {
    output out = {0};
    if (out_open(&out, path, "", err) == GP_OK)
        put_text(grm, &out, err);
    out_close(&out, err);
    if (err->code == GP_OK)
        out_commit(&out, err);
    out_free(&out);
    return err->code;
}
