/* Matrices as text: n rows of n numbers, plain or compressed. Source: GEMMA's manual, 4.4
 * (relatedness matrix). */
#include "io/file.h"
#include "io/grm_inside.h"
#include "io/number.h"
#include "src/base/mem.h"

#include <htslib/bgzf.h>
#include <htslib/hts_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 256 << 10,
    LONGEST = 256 << 20, /* bytes of a line */
    INFLATION = 1040     /* deflate makes nothing smaller than 1/1032 */
};

typedef struct source {
    BGZF *file;
    char *bytes; /* [PIECE] read, and given up to at */
    int64_t at, size;
    int64_t number; /* of the line given last, from 1 */
    gp_text line;
    int64_t row;   /* the one in value, and the last one passed in this pass; -1 = none */
    double *value; /* [n] */
} source;

static int open_file(gp_grm *grm, source *in, gp_err *err) {
    if (in->file != NULL)
        bgzf_close(in->file);
    /* htslib would print; the error goes up instead. */
    hts_set_log_level(HTS_LOG_OFF);
    in->file = bgzf_open(grm->path, "r");
    in->at = in->size = in->number = 0;
    in->row = -1;
    return in->file != NULL
               ? GP_OK
               : gp_err_set(err, GP_EINPUT, "%s: cannot be opened for reading", grm->path);
}

static int refill(const gp_grm *grm, source *in, gp_err *err) {
    in->at = 0;
    in->size = bgzf_read(in->file, in->bytes, PIECE);
    if (in->size >= 0)
        return GP_OK;
    in->size = 0;
    return gp_err_set(err, GP_EINPUT, "%s: cannot be read: the file is damaged or cut short",
                      grm->path);
}

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static int all_blank(const char *s, int64_t n) {
    int64_t k = 0;
    while (k < n && is_blank(s[k]))
        k++;
    return k == n;
}

/* The next line that is not blank.
 *    keep    in   whether its text is wanted, in in->line
 *    *there  out  0 = the file has ended */
static int next_line(const gp_grm *grm, source *in, int keep, int *there, gp_err *err) {
    int64_t length = 0;
    int blank = 1, begun = 0;
    in->line.length = 0;
    for (;;) {
        if (in->at == in->size && refill(grm, in, err) != GP_OK)
            return err->code;
        if (in->size == 0)
            break;
        if (!begun)
            in->number++;
        begun = 1;
        const char *from = in->bytes + in->at;
        const char *end = memchr(from, '\n', (size_t)(in->size - in->at));
        int64_t n = end != NULL ? end - from : in->size - in->at;
        blank = blank && all_blank(from, n);
        if (keep && !blank && gp_text_add(&in->line, from, n, err) != GP_OK)
            return err->code;
        length += n;
        if (length > LONGEST)
            return gp_err_set(err, GP_EINPUT, "%s:%lld: is longer than %d bytes; is this a matrix?",
                              grm->path, (long long)in->number, LONGEST);
        in->at += n + (end != NULL);
        if (end == NULL)
            continue;
        if (!blank)
            break;
        begun = 0;
        length = 0;
    }
    *there = !blank;
    return GP_OK;
}

/* Cuts the next number off *rest and puts a zero behind it; NULL = none is left. */
static char *next_field(char **rest, char *end) {
    char *s = *rest;
    while (s < end && is_blank(*s))
        s++;
    if (s == end)
        return NULL;
    char *begin = s;
    while (s < end && !is_blank(*s))
        s++;
    *s = 0; /* at the end: the text's own zero */
    *rest = s < end ? s + 1 : s;
    return begin;
}

static int parse_row(const gp_grm *grm, source *in, gp_err *err) {
    char *rest = in->line.bytes, *end = rest + in->line.length, *field;
    int64_t n = grm->about.n, k = 0;
    if (memchr(rest, 0, (size_t)in->line.length) != NULL)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: holds a zero byte; expected numbers", grm->path,
                          (long long)in->number);
    for (; (field = next_field(&rest, end)) != NULL && k < n; k++)
        if (!gp_number_read(field, &in->value[k]))
            return gp_err_set(
                err, GP_EINPUT,
                "%s:%lld: column %lld: '%.60s' is no number; expected a matrix as %lld "
                "rows of as many numbers",
                grm->path, (long long)in->number, (long long)k + 1, field, (long long)n);
    if (k < n || field != NULL)
        return gp_err_set(
            err, GP_EINPUT,
            "%s:%lld: has %s numbers than the first row, which has %lld; a matrix has "
            "as many in each",
            grm->path, (long long)in->number, k < n ? "fewer" : "more", (long long)n);
    return GP_OK;
}

static int no_more_rows(const gp_grm *grm, source *in, gp_err *err) {
    int there = 0;
    if (next_line(grm, in, 0, &there, err) == GP_OK && there)
        gp_err_set(err, GP_EINPUT,
                   "%s:%lld: is one row too many; the first row has %lld numbers, so there must be "
                   "%lld rows",
                   grm->path, (long long)in->number, (long long)grm->about.n,
                   (long long)grm->about.n);
    return err->code;
}

/* Goes on to a row below the present one; only its numbers are looked at. */
static int go_to(const gp_grm *grm, source *in, int64_t row, gp_err *err) {
    while (in->row < row) {
        int there = 0;
        if (next_line(grm, in, in->row + 1 == row, &there, err) != GP_OK)
            return err->code;
        if (!there)
            return gp_err_set(err, GP_EINPUT,
                              "%s: ends after %lld rows; the first one has %lld numbers, so there "
                              "must be %lld rows",
                              grm->path, (long long)in->row + 1, (long long)grm->about.n,
                              (long long)grm->about.n);
        in->row++;
    }
    if (parse_row(grm, in, err) == GP_OK && row == grm->about.n - 1)
        no_more_rows(grm, in, err);
    return err->code;
}

static int read_run(gp_grm *grm, const gp_grm_run *run, double *value, gp_err *err) {
    source *in = grm->source;
    if ((run->row < in->row && open_file(grm, in, err) != GP_OK) ||
        (run->row > in->row && go_to(grm, in, run->row, err) != GP_OK)) {
        in->row = grm->about.n; /* half a row is none: the next call starts again */
        return err->code;
    }
    memcpy(value, in->value + run->first, (size_t)run->count * sizeof *value);
    return GP_OK;
}

static void close_file(gp_grm *grm) {
    source *in = grm->source;
    if (in->file != NULL)
        bgzf_close(in->file);
    gp_text_free(&in->line);
    free(in->value);
    free(in->bytes);
    free(in);
}

/* ---- opening ---- */

static int64_t count_fields(const char *s, int64_t length) {
    int64_t count = 0;
    for (int64_t k = 0; k < length; k++)
        count += !is_blank(s[k]) && (k == 0 || is_blank(s[k - 1]));
    return count;
}

/* GCTA's other text form has lines of two numbers of rows, one of variants, and an element. */
static int check_form(const gp_grm *grm, gp_err *err) {
    size_t length = strlen(grm->path);
    if (grm->about.n != 4 || length < 7 || strcmp(grm->path + length - 7, ".grm.gz") != 0)
        return GP_OK;
    return gp_err_set(err, GP_EINPUT,
                      "%s: is GCTA's text form; make its binary form: gcta64 --grm-gz %.*s "
                      "--make-grm-bin",
                      grm->path, (int)(length - 7), grm->path);
}

/* A row of n numbers is followed by n - 1 others of at least two bytes for each. */
static int check_size(const gp_grm *grm, const source *in, gp_err *err) {
    int64_t bytes = 0, n = grm->about.n;
    if (gp_io_file_size(grm->path, &bytes, err) != GP_OK)
        return err->code;
    bytes *= bgzf_compression(in->file) ? INFLATION : 1;
    if (n <= GP_GRM_MOST && n <= bytes / n && n * (2 * n - 1) <= bytes)
        return GP_OK;
    return gp_err_set(
        err, GP_EINPUT,
        "%s: is too short for %lld rows of as many numbers as its first one; expected "
        "a matrix as text, GCTA's files, or a file that gp-dist grm made",
        grm->path, (long long)n);
}

/* Reads the first row, which says how many there are. */
static int read_first(gp_grm *grm, source *in, gp_err *err) {
    int there = 0;
    if (next_line(grm, in, 1, &there, err) != GP_OK)
        return err->code;
    if (!there)
        return gp_err_set(err, GP_EINPUT, "%s: is empty; expected a relationship matrix",
                          grm->path);
    int64_t n = count_fields(in->line.bytes, in->line.length);
    grm->about.n = n;
    if (check_form(grm, err) != GP_OK || check_size(grm, in, err) != GP_OK)
        return err->code;
    in->value = gp_mem_alloc(n, sizeof *in->value, err);
    if (in->value == NULL)
        return err->code;
    in->row = 0;
    if (parse_row(grm, in, err) == GP_OK && n == 1)
        no_more_rows(grm, in, err);
    return err->code;
}

int gp_grm_open_text(gp_grm *grm, gp_err *err) {
    static const gp_grm_kind kind = {read_run, close_file};
    source *in = gp_mem_alloc(1, sizeof *in, err);
    if (in == NULL)
        return err->code;
    grm->source = in;
    grm->kind = &kind;
    grm->about.variants = 1;
    in->bytes = gp_mem_alloc(PIECE, 1, err);
    if (in->bytes != NULL && open_file(grm, in, err) == GP_OK)
        read_first(grm, in, err);
    return err->code;
}
