#include "io/part.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <htslib/bgzf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int cannot_write(const char *path, gp_err *err) {
    int cause = errno;
    return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s; %s", path, strerror(cause),
                      cause == ENOSPC || cause == EDQUOT
                          ? "make room there, then give the same command again"
                          : "check that directory, then give the same command again");
}

/* All n bytes, at the file's offset `at`, however few the system takes at a time. */
static int write_at(int file, const char *path, const void *bytes, int64_t n, int64_t at,
                    gp_err *err) {
    const char *from = bytes;
    while (n > 0) {
        ssize_t done = pwrite(file, from, (size_t)n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return cannot_write(path, err);
        from += done;
        at += done;
        n -= done;
    }
    return GP_OK;
}

int gp_part_open(gp_part *part, const char *path, gp_err *err) {
    *part = (gp_part){.file = -1};
    char *name = gp_mem_string(path, (int64_t)strlen(path), err);
    if (name == NULL)
        return err->code;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        gp_err_set(err, GP_EINPUT, "%s: cannot be made: %s; choose a directory you may write to",
                   path, strerror(errno));
        free(name);
        return err->code;
    }
    *part = (gp_part){.path = name, .file = file};
    return GP_OK;
}

/* One BGZF block; n = 0 gives the end-of-file marker. */
static int append_block(gp_part *part, const char *text, int64_t n, gp_err *err) {
    enum { LEVEL = 6 /* bgzip's default is zlib's */ };
    unsigned char block[BGZF_MAX_BLOCK_SIZE];
    size_t size = sizeof block;
    if (bgzf_compress(block, &size, text, (size_t)n, LEVEL) < 0)
        return gp_err_set(err, GP_EFAIL, "%s: a block cannot be compressed; is memory short?",
                          part->path);
    if (write_at(part->file, part->path, block, (int64_t)size, part->size, err) != GP_OK)
        return err->code;
    part->size += (int64_t)size;
    return GP_OK;
}

int gp_part_append(gp_part *part, gp_text *text, int64_t lines, gp_err *err) {
    for (int64_t at = 0; at < text->length; at += GP_PART_PIECE) {
        int64_t left = text->length - at;
        if (append_block(part, text->bytes + at, left < GP_PART_PIECE ? left : GP_PART_PIECE,
                         err) != GP_OK)
            return err->code;
    }
    part->lines += lines;
    text->length = 0;
    return GP_OK;
}

int gp_part_end(gp_part *part, gp_err *err) {
    return append_block(part, "", 0, err);
}

static int copy(const gp_part *part, int file, const char *table, int64_t offset, gp_err *err) {
    enum { CHUNK = 1 << 20 };
    char *bytes = gp_mem_alloc(CHUNK, 1, err);
    if (bytes == NULL)
        return err->code;
    for (int64_t at = 0; at < part->size && err->code == GP_OK;) {
        int64_t left = part->size - at;
        ssize_t got = pread(part->file, bytes, (size_t)(left < CHUNK ? left : CHUNK), (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            gp_err_set(err, GP_EFAIL, "%s: cannot be read back: %s; give the same command again",
                       part->path, got < 0 ? strerror(errno) : "it was cut short");
            break;
        }
        write_at(file, table, bytes, got, offset + at, err);
        at += got;
    }
    free(bytes);
    return err->code;
}

int gp_part_place(gp_part *part, const char *table, int64_t offset, gp_err *err) {
    int file = open(table, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return cannot_write(table, err);
    if (copy(part, file, table, offset, err) == GP_OK && fsync(file) != 0)
        cannot_write(table, err);
    /* Some network file systems report a full disk only here. */
    if (close(file) != 0 && err->code == GP_OK)
        cannot_write(table, err);
    return err->code;
}

void gp_part_discard(gp_part *part) {
    if (part->path != NULL) {
        close(part->file);
        unlink(part->path);
        free(part->path);
    }
    *part = (gp_part){0};
}
