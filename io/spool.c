#include "io/spool.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

int gp_spool_open(gp_spool *spool, const char *path, gp_err *err) {
    char *name = gp_mem_string(path, (int64_t)strlen(path), err);
    if (name == NULL)
        return err->code;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0) {
        gp_err_set(err, GP_EINPUT, "%s: cannot be made: %s", path, strerror(errno));
        free(name);
        return err->code;
    }
    *spool = (gp_spool){.path = name, .file = file};
    return GP_OK;
}

/* Writes all of it, at an offset. */
static int write_at(int file, const char *bytes, int64_t n, int64_t offset) {
    while (n > 0) {
        ssize_t done = pwrite(file, bytes, (size_t)n, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        bytes += done;
        n -= done;
        offset += done;
    }
    return 0;
}

static int failed(const char *path, gp_err *err) {
    return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", path, strerror(errno));
}

int gp_spool_add(gp_spool *spool, gp_text *text, gp_err *err) {
    if (write_at(spool->file, text->bytes, text->length, spool->size) < 0)
        return failed(spool->path, err);
    spool->size += text->length;
    text->length = 0;
    return GP_OK;
}

int gp_spool_place(const gp_spool *spool, const char *path, int64_t offset, gp_err *err) {
    char *piece = gp_mem_alloc(PIECE, 1, err);
    if (piece == NULL)
        return err->code;
    int file = open(path, O_WRONLY);
    int64_t at = 0;
    while (file >= 0 && at < spool->size) {
        ssize_t got = pread(spool->file, piece, PIECE, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || write_at(file, piece, got, offset + at) < 0)
            break;
        at += got;
    }
    if (file < 0 || at < spool->size || fsync(file) != 0)
        failed(path, err);
    if (file >= 0 && close(file) != 0)
        failed(path, err);
    free(piece);
    return err->code;
}

void gp_spool_discard(gp_spool *spool) {
    if (spool->path != NULL) {
        close(spool->file);
        unlink(spool->path);
    }
    free(spool->path);
    *spool = (gp_spool){0};
}
