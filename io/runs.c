#include "io/runs.h"

#include <string.h>

/* ---- numbers ---- */

enum { VARINT = 10 /* bytes at most */ };

/* Returns where the number ends. */
static inline char *put(char *to, uint64_t x) {
    for (; x > 127; x >>= 7)
        *to++ = (char)(x | 128);
    *to++ = (char)x;
    return to;
}

/* Appends three numbers: most of what is noted are runs. */
static int put_three(gp_text *text, uint64_t x, uint64_t y, uint64_t z, gp_err *err) {
    char *begin = gp_text_room(text, 3 * VARINT, err);
    if (begin == NULL)
        return err->code;
    char *end = put(put(put(begin, x), y), z);
    *end = 0;
    text->length += end - begin;
    return GP_OK;
}

static int get(gp_runs_reader *r, uint64_t *x) {
    *x = 0;
    for (int shift = 0; shift < 64 && r->at < r->length; shift += 7) {
        uint64_t byte = (unsigned char)r->bytes[r->at++];
        *x |= (byte & 127) << shift;
        if (byte < 128)
            return 1;
    }
    return 0;
}

/* ---- noting ---- */

static int end_run(gp_runs *runs, gp_err *err) {
    const gp_run_of_lines *open = &runs->open;
    if (open->lines == 0)
        return GP_OK;
    if (put_three(&runs->bytes, (uint64_t)open->lines, (uint64_t)open->first,
                  open->offset - runs->before, err) == GP_OK) {
        runs->before = open->offset;
        runs->open.lines = 0;
    }
    return err->code;
}

static int begin_chromosome(gp_runs *runs, const char *name, int64_t n, gp_err *err) {
    char bytes[2 * VARINT];
    if (end_run(runs, err) != GP_OK ||
        gp_text_add(&runs->bytes, bytes, put(put(bytes, 0), (uint64_t)n) - bytes, err) != GP_OK)
        return err->code;
    runs->name = runs->bytes.length;
    runs->length = n;
    runs->last = 0;
    return gp_text_add(&runs->bytes, name, n, err);
}

/* The number at text[*at], which a tab ends; -1 where there is none. */
static int64_t read_position(const char *text, int64_t n, int64_t *at) {
    int64_t x = 0, begin = *at;
    for (; *at < n && text[*at] >= '0' && text[*at] <= '9' && x < INT64_MAX / 16; ++*at)
        x = 10 * x + (text[*at] - '0');
    return *at > begin && *at < n && (text[*at] == '\t' || text[*at] == '\n') ? x : -1;
}

/* Where the chromosome's name at text[at] ends; that of the line before it, mostly. */
static int64_t end_of_name(const gp_runs *runs, const char *text, int64_t n, int64_t at) {
    if (runs->length > 0 && at + runs->length < n && text[at + runs->length] == '\t' &&
        memcmp(text + at, runs->bytes.bytes + runs->name, (size_t)runs->length) == 0)
        return at + runs->length;
    const char *tab = memchr(text + at, '\t', (size_t)(n - at));
    return tab != NULL ? tab - text : n;
}

static int add_line(gp_runs *runs, const char *text, int64_t n, int64_t at, uint64_t offset,
                    gp_err *err) {
    int64_t name_end = end_of_name(runs, text, n, at), digits = name_end + 1;
    int64_t position = read_position(text, n, &digits);
    if (position < 0 || name_end == at)
        return gp_err_set(err, GP_EFAIL,
                          "index: a line holds no chromosome and position; report this fault");
    if (runs->length != name_end - at ||
        memcmp(text + at, runs->bytes.bytes + runs->name, (size_t)runs->length) != 0)
        begin_chromosome(runs, text + at, name_end - at, err);
    if (position < runs->last)
        gp_err_set(err, GP_EFAIL,
                   "index: position %lld comes after %lld, so the table is not sorted; report this "
                   "fault",
                   (long long)position, (long long)runs->last);
    if (err->code == GP_OK && runs->open.lines > 0 &&
        gp_run_window(position) != gp_run_window(runs->open.first))
        end_run(runs, err);
    if (runs->open.lines == 0)
        runs->open = (gp_run_of_lines){.first = position, .offset = offset};
    runs->open.lines++;
    runs->last = position;
    runs->lines++;
    return err->code;
}

int gp_runs_add(gp_runs *runs, const char *text, int64_t n, const gp_runs_block *block,
                int64_t *from, gp_err *err) {
    while (*from < block->end) {
        uint64_t offset = (uint64_t)block->block << 16 | (uint64_t)(*from - block->begin);
        if (add_line(runs, text, n, *from, offset, err) != GP_OK)
            return err->code;
        const char *newline = memchr(text + *from, '\n', (size_t)(n - *from));
        *from = newline != NULL ? newline - text + 1 : n;
    }
    return GP_OK;
}

int gp_runs_print(gp_runs *runs, int64_t part, gp_text *message, gp_err *err) {
    if (end_run(runs, err) == GP_OK && put_three(message, 0, 0, (uint64_t)part, err) == GP_OK &&
        runs->bytes.length > 0)
        gp_text_add(message, runs->bytes.bytes, runs->bytes.length, err);
    return err->code;
}

void gp_runs_free(gp_runs *runs) {
    gp_text_free(&runs->bytes);
    *runs = (gp_runs){0};
}

/* ---- reading ---- */

/* After a 0: a chromosome's name, or where a part begins. */
static int read_place(gp_runs_reader *r) {
    uint64_t length, part;
    if (!get(r, &length))
        return 0;
    if (length == 0) {
        if (!get(r, &part))
            return 0;
        r->part = part << 16;
        r->before = 0;
        return 1;
    }
    if (length > (uint64_t)(r->length - r->at))
        return 0;
    r->name = r->at;
    r->name_length = (int64_t)length;
    r->at += (int64_t)length;
    return 1;
}

int gp_runs_next(gp_runs_reader *r, gp_run_of_lines *run) {
    uint64_t lines = 0, first, more;
    while (lines == 0) {
        if (r->at == r->length)
            return 0;
        if (!get(r, &lines) || (lines == 0 && !read_place(r)))
            return -1;
    }
    if (!get(r, &first) || !get(r, &more) || r->name_length == 0)
        return -1;
    r->before += more;
    *run = (gp_run_of_lines){
        .lines = (int64_t)lines, .first = (int64_t)first, .offset = r->part + r->before};
    return 1;
}
