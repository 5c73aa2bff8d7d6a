#include "io/part.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
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

gp_pack *gp_packs_new(int64_t count, gp_err *err) {
    gp_pack *pack = gp_mem_alloc(count, sizeof *pack, err);
    for (int64_t k = 0; pack != NULL && k < count; k++)
        gp_crc32_init(&pack[k].crc);
    return pack;
}

void gp_packs_free(gp_pack *pack, int64_t count) {
    for (int64_t k = 0; pack != NULL && k < count; k++)
        gp_text_free(&pack[k].blocks);
    free(pack);
}

int gp_part_open(gp_part *part, const char *path, int whole, gp_err *err) {
    *part = (gp_part){.file = -1};
    char *name = gp_mem_string(path, (int64_t)strlen(path), err);
    if (name == NULL)
        return err->code;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, whole ? 0666 : 0600);
    if (file < 0) {
        gp_err_set(err, GP_EINPUT, "%s: cannot be made: %s; choose a directory you may write to",
                   path, strerror(errno));
        free(name);
        return err->code;
    }
    *part = (gp_part){.path = name, .file = file};
    return GP_OK;
}

/* ---- blocks ---- */

static void put_number(unsigned char *to, uint64_t x, int bytes) {
    for (int k = 0; k < bytes; k++)
        to[k] = (unsigned char)(x >> (8 * k));
}

typedef int64_t encoder(gp_deflate *, const void *, int64_t, void *);

/* Makes one BGZF block: a gzip member (RFC 1952) that says its own size (4.1). */
static void make_block(gp_pack *pack, const char *text, int64_t n, encoder *encode) {
    static const unsigned char head[] = {31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 'B', 'C', 2, 0};
    enum { HEAD = sizeof head, SIZE = 2, TAIL = 8 };
    int64_t size = encode(&pack->deflate, text, n, pack->block + HEAD + SIZE);
    unsigned char *tail = pack->block + HEAD + SIZE + size;
    pack->size = HEAD + SIZE + size + TAIL;
    memcpy(pack->block, head, HEAD);
    put_number(pack->block + HEAD, (uint64_t)pack->size - 1, SIZE);
    put_number(tail, gp_crc32_of(&pack->crc, text, n), 4);
    put_number(tail + 4, (uint64_t)n, 4);
}

/* The end of piece number k of a text. */
static int64_t piece_end(const gp_text *text, int64_t k) {
    int64_t end = (k + 1) * GP_PART_PIECE;
    return end < text->length ? end : text->length;
}

/* Compresses `count` pieces from number first on, each with a pack of its own. */
static void make_blocks(const gp_text *text, gp_pack *packs, int64_t first, int64_t count) {
#pragma omp parallel for num_threads((int)count) schedule(static, 1) if (count > 1)
    for (int64_t k = 0; k < count; k++) {
        int64_t begin = (first + k) * GP_PART_PIECE;
        make_block(&packs[k], text->bytes + begin, piece_end(text, first + k) - begin,
                   gp_deflate_piece);
    }
}

/* Appends the text to the part's file. indexed: its lines go into the runs. */
static int add_text(gp_part *part, gp_text *text, gp_pack *packs, int threads, int indexed,
                    gp_err *err) {
    int64_t pieces = (text->length + GP_PART_PIECE - 1) / GP_PART_PIECE, line = 0;
    gp_text *blocks = &packs[0].blocks;
    blocks->length = 0;
    for (int64_t first = 0; first < pieces && err->code == GP_OK; first += threads) {
        int64_t count = pieces - first < threads ? pieces - first : threads;
        make_blocks(text, packs, first, count);
        for (int64_t k = 0; k < count && err->code == GP_OK; k++) {
            gp_runs_block block = {.begin = (first + k) * GP_PART_PIECE,
                                   .end = piece_end(text, first + k),
                                   .block = part->size + blocks->length};
            if (indexed)
                gp_runs_add(&part->runs, text->bytes, text->length, &block, &line, err);
            gp_text_add(blocks, (const char *)packs[k].block, packs[k].size, err);
        }
    }
    if (err->code == GP_OK &&
        write_at(part->file, part->path, blocks->bytes, blocks->length, part->size, err) == GP_OK)
        part->size += blocks->length;
    text->length = 0;
    return err->code;
}

int gp_part_add_header(gp_part *part, gp_text *text, gp_pack *pack, gp_err *err) {
    return add_text(part, text, pack, 1, 0, err);
}

int gp_part_append(gp_part *part, gp_text *text, gp_pack *packs, int threads, gp_err *err) {
    return add_text(part, text, packs, threads, 1, err);
}

/* An empty block, with these bytes by definition (4.1.2). */
static const unsigned char end_marker[GP_PART_END] = {31, 139, 8,   4,   0, 0, 0,  0, 0, 255,
                                                      6,  0,   'B', 'C', 2, 0, 27, 0, 3};

int gp_pack_file(gp_pack *pack, const gp_text *bytes, gp_text *file, gp_err *err) {
    for (int64_t k = 0; k * GP_PART_PIECE < bytes->length; k++) {
        int64_t begin = k * GP_PART_PIECE;
        make_block(pack, bytes->bytes + begin, piece_end(bytes, k) - begin, gp_deflate_numbers);
        if (gp_text_add(file, (const char *)pack->block, pack->size, err) != GP_OK)
            return err->code;
    }
    return gp_text_add(file, (const char *)end_marker, GP_PART_END, err);
}

int gp_part_end(gp_part *part, gp_err *err) {
    if (write_at(part->file, part->path, end_marker, GP_PART_END, part->size, err) == GP_OK)
        part->size += GP_PART_END;
    return err->code;
}

/* ---- putting together ---- */

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
    int file = open(table, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return cannot_write(table, err);
    copy(part, file, table, offset, err);
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
    gp_runs_free(&part->runs);
    *part = (gp_part){0};
}
