/* GCTA's binary form. Source: Yang et al. 2011, Am J Hum Genet 88:76, and GCTA's manual,
 * --make-grm. */
#include "io/file.h"
#include "io/grm_inside.h"
#include "io/lines.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 16 << 10 /* numbers read at once */ };

typedef struct source {
    int fd;
    uint8_t *bytes; /* [PIECE x 4] */
} source;

static int read_all(int fd, const char *path, uint8_t *to, int64_t n, int64_t at, gp_err *err) {
    while (n > 0) {
        ssize_t got = pread(fd, to, (size_t)n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gp_err_set(err, GP_EFAIL, "%s.grm.bin: cannot be read: %s", path,
                              strerror(errno));
        if (got == 0)
            return gp_err_set(err, GP_EINPUT, "%s.grm.bin: was cut short while it was read", path);
        to += got;
        at += got;
        n -= got;
    }
    return GP_OK;
}

static double to_double(const uint8_t *b) {
    uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static int read_run(gp_grm *grm, const gp_grm_run *run, double *value, gp_err *err) {
    const source *in = grm->source;
    int64_t at = gp_grm_place(run->row, run->first);
    for (int64_t k = 0; k < run->count; k += PIECE) {
        int64_t now = run->count - k < PIECE ? run->count - k : PIECE;
        if (read_all(in->fd, grm->path, in->bytes, 4 * now, 4 * (at + k), err) != GP_OK)
            return err->code;
        for (int64_t i = 0; i < now; i++)
            value[k + i] = to_double(in->bytes + 4 * i);
    }
    return GP_OK;
}

static void close_files(gp_grm *grm) {
    source *in = grm->source;
    if (in->fd >= 0)
        close(in->fd);
    free(in->bytes);
    free(in);
}

/* ---- opening ---- */

static int cut_id(gp_grm *grm, gp_lines *lines, const char *path, int only_iid, gp_err *err) {
    char *rest = gp_lines_next(lines);
    const char *fid = only_iid ? "0" : gp_lines_field(lines, &rest);
    const char *iid = rest != NULL ? gp_lines_field(lines, &rest) : NULL;
    if (iid == NULL || *fid == 0 || *iid == 0)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: expected FID and IID", path,
                          (long long)lines->number);
    grm->about.fid[grm->about.n] = fid;
    grm->about.iid[grm->about.n++] = iid;
    return GP_OK;
}

/* Cuts the lines of .grm.id; the ids point into text. PLINK 2 may write a header: #FID IID, or
 * #IID. */
static int cut_ids(gp_grm *grm, const char *path, gp_text *text, gp_err *err) {
    gp_lines lines;
    if (gp_lines_start(&lines, path, text, err) != GP_OK)
        return err->code;
    int header = lines.at < lines.end && *lines.at == '#';
    int only_iid = header && strncmp(lines.at, "#IID", 4) == 0;
    if (header)
        gp_lines_next(&lines);
    int64_t n = gp_lines_count(&lines);
    if (n < 1 || n > GP_GRM_MOST)
        return gp_err_set(err, GP_EINPUT, "%s: names no samples; expected lines of FID and IID",
                          path);
    grm->about.fid = gp_mem_alloc(n, sizeof *grm->about.fid, err);
    grm->about.iid = gp_mem_alloc(n, sizeof *grm->about.iid, err);
    while (err->code == GP_OK && grm->about.n < n)
        cut_id(grm, &lines, path, only_iid, err);
    return err->code;
}

static int read_ids(gp_grm *grm, gp_err *err) {
    gp_text path = {0}, text = {0};
    if (gp_text_print(&path, err, "%s.grm.id", grm->path) == GP_OK &&
        gp_io_read_text(path.bytes, &text, err) == GP_OK)
        cut_ids(grm, path.bytes, &text, err);
    grm->ids[0] = text.bytes;
    gp_text_free(&path);
    return err->code;
}

static int check_size(const gp_grm *grm, const char *path, gp_err *err) {
    int64_t bytes = 0, want = 4 * gp_grm_place(grm->about.n, 0);
    if (gp_io_file_size(path, &bytes, err) == GP_OK && bytes != want)
        gp_err_set(
            err, GP_EINPUT,
            "%s: has %lld bytes; the %lld samples of %s.grm.id make %lld (4 for each element "
            "of the lower triangle)",
            path, (long long)bytes, (long long)grm->about.n, grm->path, (long long)want);
    return err->code;
}

/* The numbers of variants may be left out, and differ from element to element: relationships are
 * taken as they are. But a file that does not fit is not of this matrix. */
static int check_counts(const gp_grm *grm, gp_err *err) {
    gp_text path = {0};
    if (gp_text_print(&path, err, "%s.grm.N.bin", grm->path) == GP_OK &&
        access(path.bytes, F_OK) == 0)
        check_size(grm, path.bytes, err);
    gp_text_free(&path);
    return err->code;
}

static int open_elements(gp_grm *grm, source *in, gp_err *err) {
    gp_text path = {0};
    if (gp_text_print(&path, err, "%s.grm.bin", grm->path) != GP_OK ||
        check_size(grm, path.bytes, err) != GP_OK)
        goto done;
    in->bytes = gp_mem_alloc(PIECE, 4, err);
    if (in->bytes == NULL)
        goto done;
    in->fd = open(path.bytes, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path.bytes, strerror(errno));
done:
    gp_text_free(&path);
    return err->code;
}

int gp_grm_open_gcta(gp_grm *grm, gp_err *err) {
    static const gp_grm_kind kind = {read_run, close_files};
    source *in = gp_mem_alloc(1, sizeof *in, err);
    if (in == NULL)
        return err->code;
    in->fd = -1;
    grm->source = in;
    grm->kind = &kind;
    grm->about.variants = 1;
    if (read_ids(grm, err) == GP_OK && check_counts(grm, err) == GP_OK)
        open_elements(grm, in, err);
    return err->code;
}
