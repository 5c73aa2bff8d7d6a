#include "io/reader.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST = 8 << 20 };

int gp_reader_open(gp_reader *reader, const char *path, int64_t chunk, gp_err *err) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(fd);
        return gp_err_set(err, GP_EINPUT, "%s: is not a regular file", path);
    }
    *reader = (gp_reader){.path = path, .fd = fd, .chunk = chunk};
    if (gp_mem_grow(&reader->buffer, &reader->capacity, chunk + 1, 1, err) != GP_OK)
        gp_reader_close(reader);
    return err->code;
}

void gp_reader_close(gp_reader *reader) {
    if (reader->path != NULL)
        close(reader->fd);
    free(reader->buffer);
    *reader = (gp_reader){0};
}

void gp_reader_seek(gp_reader *reader, int64_t offset, int64_t number) {
    reader->number = number - 1;
    if (offset >= reader->base && offset <= reader->base + reader->size) {
        reader->at = offset - reader->base;
        return;
    }
    reader->base = offset;
    reader->at = reader->size = 0;
}

/* Moves what is left to the buffer's start and reads a piece behind it; *got = 0 at the end. */
static int fill(gp_reader *reader, int64_t *got, gp_err *err) {
    int64_t left = reader->size - reader->at;
    if (left > LONGEST)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: is longer than %d bytes; is this a text file?",
                          reader->path, (long long)reader->number + 1, LONGEST);
    memmove(reader->buffer, reader->buffer + reader->at, (size_t)left);
    reader->base += reader->at;
    reader->at = 0;
    reader->size = left;
    if (gp_mem_grow(&reader->buffer, &reader->capacity, left + reader->chunk + 1, 1, err) != GP_OK)
        return err->code;
    ssize_t n = 0;
    do
        n = pread(reader->fd, reader->buffer + left, (size_t)reader->chunk, reader->base + left);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be read: %s", reader->path, strerror(errno));
    reader->size += n;
    reader->buffer[reader->size] = 0;
    *got = n;
    return GP_OK;
}

/* One line, blank or not. */
static int next_line(gp_reader *reader, gp_slice *line, gp_err *err) {
    int64_t seen = 0, got = 1;
    char *end = NULL;
    for (;;) {
        int64_t n = reader->size - reader->at - seen;
        end = n > 0 ? memchr(reader->buffer + reader->at + seen, '\n', (size_t)n) : NULL;
        if (end != NULL || got == 0)
            break;
        seen += n;
        if (fill(reader, &got, err) != GP_OK)
            return err->code;
    }
    const char *s = reader->buffer + reader->at;
    int64_t n = end != NULL ? end - s : reader->size - reader->at;
    *line = (gp_slice){n > 0 || end != NULL ? s : NULL, n};
    if (line->s == NULL)
        return GP_OK;
    reader->number++;
    reader->offset = reader->base + reader->at;
    reader->at += n + (end != NULL);
    if (memchr(s, 0, (size_t)n) != NULL)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: holds a zero byte; is this a text file?",
                          reader->path, (long long)reader->number);
    return GP_OK;
}

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the byte-order mark from the front, and blanks (CR among them) from both ends. */
static gp_slice trim(gp_slice line, int first) {
    if (first && line.n >= 3 && memcmp(line.s, "\xEF\xBB\xBF", 3) == 0) {
        line.s += 3;
        line.n -= 3;
    }
    while (line.n > 0 && is_blank(line.s[line.n - 1]))
        line.n--;
    while (line.n > 0 && is_blank(line.s[0])) {
        line.s++;
        line.n--;
    }
    return line;
}

int gp_reader_next(gp_reader *reader, gp_slice *line, gp_err *err) {
    do {
        if (next_line(reader, line, err) != GP_OK)
            return err->code;
        if (line->s != NULL)
            *line = trim(*line, reader->offset == 0);
    } while (line->s != NULL && line->n == 0);
    return GP_OK;
}

int gp_slice_cut(gp_slice line, gp_slice *field, int most) {
    const char *s = line.s, *end = line.s + line.n;
    for (int count = 0;; count++) {
        while (s < end && is_blank(*s))
            s++;
        if (s == end || count == most)
            return count;
        field[count].s = s;
        while (s < end && !is_blank(*s))
            s++;
        field[count].n = s - field[count].s;
    }
}

int gp_slice_equal(gp_slice a, gp_slice b) {
    return a.n == b.n && memcmp(a.s, b.s, (size_t)a.n) == 0;
}
