#include "io/tabix.h"
#include "io/runs.h"
#include "src/base/ids.h"

#include <string.h>

enum {
    TBI_LEVELS = 5,
    CSI_LEVELS = 6, /* as tabix has it where no header says more */
    PART = 4096     /* windows at a time */
};

/* The index being made. A line is a point, so it lies in a bin of the lowest level, which is a
 * window; lines are sorted, so a bin is one chunk of the table. */
typedef struct making {
    int csi, levels;
    gp_ids names;
    gp_text *body;                  /* all chromosomes as they are written */
    gp_text windows;                /* of the chromosome at hand: they stand behind its bins */
    int64_t count_at;               /* in body: where the chromosome's count of bins stands */
    int64_t bin_count, lines, last; /* of the chromosome: bins, lines, last window (-1: none) */
    uint64_t begin, from;           /* offsets where the chromosome and its last window begin */
} making;

static inline char *put(char *to, uint64_t x, int bytes) {
    for (int k = 0; k < bytes; k++)
        to[k] = (char)(x >> (8 * k));
    return to + bytes;
}

static int add(gp_text *to, uint64_t x, int bytes, gp_err *err) {
    char buffer[8];
    put(buffer, x, bytes);
    return gp_text_add(to, buffer, bytes, err);
}

static int append(gp_text *to, const gp_text *from, gp_err *err) {
    if (err->code == GP_OK && from->length > 0)
        gp_text_add(to, from->bytes, from->length, err);
    return err->code;
}

/* The number of the first bin of a level (CSIv1, 3). */
static uint32_t first_bin(int level) {
    return ((1u << 3 * level) - 1) / 7;
}

static int not_sorted(const making *x, gp_err *err) {
    return gp_err_set(err, GP_EFAIL,
                      "index: the lines are not sorted, or a position is too large for %s; report "
                      "this fault",
                      x->csi ? "csi" : "tbi");
}

/* A bin of one chunk or two. */
static int add_bin(making *x, uint32_t bin, uint64_t first, const uint64_t *chunk, uint32_t chunks,
                   gp_err *err) {
    enum { ROOM = 4 + 8 + 4 + 32 };
    char *begin = gp_text_room(x->body, ROOM, err), *to = begin;
    if (begin == NULL)
        return err->code;
    to = put(to, bin, 4);
    if (x->csi)
        to = put(to, first, 8);
    to = put(to, chunks, 4);
    for (uint32_t k = 0; k < 2 * chunks; k++)
        to = put(to, chunk[k], 8);
    x->bin_count++;
    x->body->length += to - begin;
    return GP_OK;
}

/* Ends the bin of the last window. */
static int end_window(making *x, uint64_t end, gp_err *err) {
    uint64_t chunk[] = {x->from, end};
    if (x->last < 0)
        return err->code;
    return add_bin(x, first_bin(x->levels) + (uint32_t)x->last, x->from, chunk, 1, err);
}

/* Begins a window. Those before it that have no line say where the next line is. */
static int begin_window(making *x, int64_t window, uint64_t from, gp_err *err) {
    for (int64_t count = x->csi ? 0 : window - x->last; count > 0;) {
        int64_t n = count < PART ? count : PART;
        char *to = gp_text_room(&x->windows, 8 * n, err);
        if (to == NULL)
            return err->code;
        for (int64_t k = 0; k < n; k++)
            put(to + 8 * k, from, 8);
        x->windows.length += 8 * n;
        count -= n;
    }
    x->last = window;
    x->from = from;
    return GP_OK;
}

/* Ends a chromosome: a bin beyond all says where it lies and how many lines it has. */
static int end_chromosome(making *x, uint64_t end, gp_err *err) {
    if (x->names.count == 0)
        return err->code;
    end_window(x, end, err);
    uint64_t chunk[] = {x->begin, end, (uint64_t)x->lines, 0};
    add_bin(x, first_bin(x->levels + 1) + 1, 0, chunk, 2, err);
    if (!x->csi) {
        add(x->body, (uint64_t)x->windows.length / 8, 4, err);
        append(x->body, &x->windows, err);
    }
    if (err->code == GP_OK)
        put(x->body->bytes + x->count_at, (uint64_t)x->bin_count, 4);
    return err->code;
}

/* Where the name of a run is not the last chromosome's, another chromosome begins. */
static int follow_name(making *x, const gp_runs_reader *reader, uint64_t from, gp_err *err) {
    const char *name = reader->bytes + reader->name;
    int64_t n = reader->name_length, number = 0;
    const char *last = x->names.count > 0 ? gp_ids_get(&x->names, x->names.count - 1) : "";
    if (strncmp(last, name, (size_t)n) == 0 && last[n] == 0)
        return GP_OK;
    if (end_chromosome(x, from, err) != GP_OK)
        return err->code;
    int64_t before = x->names.count;
    x->windows.length = x->bin_count = x->lines = 0;
    x->count_at = x->body->length;
    x->begin = from;
    x->last = -1;
    if (add(x->body, 0, 4, err) != GP_OK) /* the count, not known yet */
        return err->code;
    if (gp_ids_add(&x->names, name, n, &number, NULL, err) == GP_OK && number != before)
        return not_sorted(x, err);
    return err->code;
}

/* A window may be cut in several runs where parts meet. */
static int add_runs(making *x, const gp_text *runs, uint64_t end, int64_t *lines, gp_err *err) {
    gp_runs_reader reader = {.bytes = runs->bytes, .length = runs->length};
    gp_run_of_lines run;
    int more;
    while ((more = gp_runs_next(&reader, &run)) == 1) {
        int64_t window = gp_run_window(run.first);
        if (follow_name(x, &reader, run.offset, err) != GP_OK)
            return err->code;
        if (window < x->last || window >> 3 * x->levels != 0)
            return not_sorted(x, err);
        if (window > x->last && (end_window(x, run.offset, err) != GP_OK ||
                                 begin_window(x, window, run.offset, err) != GP_OK))
            return err->code;
        x->lines += run.lines;
        *lines += run.lines;
    }
    if (more < 0)
        return gp_err_set(err, GP_EFAIL, "index: its runs are damaged; report this fault");
    return end_chromosome(x, end, err);
}

/* What a reader needs to know of the columns, and the names. */
static int add_columns(const making *x, gp_text *index, gp_err *err) {
    enum { GENERIC, NAME, BEGIN, END = BEGIN, SKIP = 1 }; /* columns from 1; lines */
    add(index, GENERIC, 4, err);
    add(index, NAME, 4, err);
    add(index, BEGIN, 4, err);
    add(index, END, 4, err);
    add(index, '#', 4, err);
    add(index, SKIP, 4, err);
    add(index, (uint64_t)x->names.block.length, 4, err);
    return append(index, &x->names.block, err); /* each with its zero */
}

static int add_header(const making *x, gp_text *index, gp_err *err) {
    enum { SHIFT = 14, COLUMNS = 28 };
    gp_text_add(index, x->csi ? "CSI\1" : "TBI\1", 4, err);
    if (x->csi) {
        add(index, SHIFT, 4, err);
        add(index, CSI_LEVELS, 4, err);
        add(index, (uint64_t)(COLUMNS + x->names.block.length), 4, err);
        add_columns(x, index, err);
        return add(index, (uint64_t)x->names.count, 4, err);
    }
    add(index, (uint64_t)x->names.count, 4, err);
    return add_columns(x, index, err);
}

/* Puts the header, which the names are known for only at the end, before what stands in index from
 * byte `at` on. */
static int put_header(const making *x, gp_text *index, int64_t at, gp_err *err) {
    gp_text header = {0};
    char *to =
        add_header(x, &header, err) == GP_OK ? gp_text_room(index, header.length, err) : NULL;
    if (to != NULL) {
        char *begin = index->bytes + at;
        memmove(begin + header.length, begin, (size_t)(index->length - at));
        memcpy(begin, header.bytes, (size_t)header.length);
        index->length += header.length;
    }
    gp_text_free(&header);
    return err->code;
}

int gp_tabix_print(const gp_text *runs, int64_t end, int csi, gp_text *index, int64_t *lines,
                   gp_err *err) {
    making x = {.csi = csi, .levels = csi ? CSI_LEVELS : TBI_LEVELS, .body = index};
    int64_t at = index->length;
    *lines = 0;
    if (add_runs(&x, runs, (uint64_t)end << 16, lines, err) == GP_OK &&
        put_header(&x, index, at, err) == GP_OK)
        add(index, 0, 8, err); /* lines without a place */
    gp_ids_free(&x.names);
    gp_text_free(&x.windows);
    return err->code;
}
