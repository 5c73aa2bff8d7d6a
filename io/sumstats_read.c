#include "io/sumstats_read.h"
#include "src/base/mem.h"
#include "src/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <htslib/bgzf.h>
#include <htslib/hts_log.h>
#include <htslib/kstring.h>
#include <htslib/tbx.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gp_sumstats_reader {
    char *path;
    BGZF *file;
    tbx_t *index;
    char *header;
    gp_text names;   /* the header, cut */
    char **column;   /* [columns] into names */
    int64_t columns; /* of every line */
    kstring_t line;
    gp_text copy; /* of the line, cut */
    char **field; /* [columns] into copy */
    int pending;  /* the line is the first one behind the last region */
    /* The region. */
    gp_text chromosome;
    int64_t first, last;
    int whole;      /* there is none yet: all lines, of any chromosome */
    int open;       /* lines may still come */
    int over;       /* the chromosome has no lines behind the region */
    int64_t before; /* position of the line before */
};

/* ---- opening ---- */

static int is_damaged(const gp_sumstats_reader *r, gp_err *err) {
    return gp_err_set(err, GP_EINPUT, "%s: cannot be read: the file is damaged or cut short",
                      r->path);
}

/* 1 with a line; 0 at the end or on failure. */
static int read_line(gp_sumstats_reader *r, gp_err *err) {
    int got = bgzf_getline(r->file, '\n', &r->line);
    /* A line that ends where the next block cannot be read comes back as if it were whole. */
    if (got < -1 || r->file->errcode != 0)
        is_damaged(r, err);
    return got >= 0 && err->code == GP_OK;
}

static int open_file(gp_sumstats_reader *r, gp_err *err) {
    int fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", r->path, strerror(errno));
    r->file = bgzf_dopen(fd, "r");
    if (r->file == NULL) {
        close(fd);
        return gp_err_set(err, GP_EINPUT, "%s: cannot be read", r->path);
    }
    if (bgzf_compression(r->file) != 2)
        return gp_err_set(err, GP_EINPUT,
                          "%s: is no BGZF file; a table with an index is one (bgzip makes it)",
                          r->path);
    if (bgzf_check_EOF(r->file) != 1)
        return is_damaged(r, err);
    r->index = tbx_index_load3(r->path, NULL, HTS_IDX_SILENT_FAIL);
    if (r->index == NULL)
        return gp_err_set(err, GP_EINPUT,
                          "%s: has no index beside it (.tbi or .csi), or a damaged one; tabix -s 1 "
                          "-b 2 -e 2 -S 1 makes it",
                          r->path);
    return GP_OK;
}

/* Cuts a line at its tabs; returns how many fields there are, of which up to most are noted. */
static int64_t cut(char *s, char **field, int64_t most) {
    int64_t count = 0;
    for (char *next = s; next != NULL; count++) {
        char *begin = next;
        next = strchr(begin, '\t');
        if (next != NULL)
            *next++ = 0;
        if (count < most)
            field[count] = begin;
    }
    return count;
}

static int read_header(gp_sumstats_reader *r, gp_err *err) {
    static const char leading[] = "chromosome\tbase_pair_location\t";
    if (!read_line(r, err) || strncmp(r->line.s, leading, sizeof leading - 1) != 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: is no table of results: its first line must name its columns, the "
                          "first two of them chromosome and base_pair_location, tab-separated",
                          r->path);
    r->columns = 1;
    for (const char *c = r->line.s; *c != 0; c++)
        r->columns += *c == '\t';
    r->header = gp_mem_string(r->line.s, (int64_t)r->line.l, err);
    r->column = gp_mem_alloc(r->columns, sizeof *r->column, err);
    r->field = gp_mem_alloc(r->columns, sizeof *r->field, err);
    if (err->code == GP_OK && gp_text_add(&r->names, r->line.s, (int64_t)r->line.l, err) == GP_OK)
        cut(r->names.bytes, r->column, r->columns);
    return err->code;
}

int gp_sumstats_open(gp_sumstats_reader **reader, const char *path, gp_err *err) {
    gp_sumstats_reader *r = gp_mem_alloc(1, sizeof *r, err);
    *reader = NULL;
    if (r == NULL)
        return err->code;
    hts_set_log_level(HTS_LOG_OFF);
    r->path = gp_mem_string(path, (int64_t)strlen(path), err);
    if (r->path != NULL && open_file(r, err) == GP_OK && read_header(r, err) == GP_OK) {
        r->open = r->whole = 1;
        *reader = r;
    } else {
        gp_sumstats_close(r);
    }
    return err->code;
}

void gp_sumstats_close(gp_sumstats_reader *r) {
    if (r == NULL)
        return;
    if (r->index != NULL)
        tbx_destroy(r->index);
    if (r->file != NULL)
        bgzf_close(r->file);
    free(r->line.s);
    gp_text_free(&r->names);
    gp_text_free(&r->copy);
    gp_text_free(&r->chromosome);
    free(r->header);
    free(r->column);
    free(r->field);
    free(r->path);
    free(r);
}

int64_t gp_sumstats_columns(const gp_sumstats_reader *r) {
    return r->columns;
}

const char *gp_sumstats_column(const gp_sumstats_reader *r, int64_t k) {
    return r->column[k];
}

int64_t gp_sumstats_find(const gp_sumstats_reader *r, const char *name) {
    for (int64_t k = 0; k < r->columns; k++)
        if (strcmp(r->column[k], name) == 0)
            return k;
    return -1;
}

const char *gp_sumstats_header(const gp_sumstats_reader *r) {
    return r->header;
}

/* ---- regions ---- */

/* Goes to a place at or before the region's first line, near it. The lines are sorted: from there
 * on they are read one after the other. */
static int seek(gp_sumstats_reader *r, gp_err *err) {
    int id = tbx_name2id(r->index, r->chromosome.bytes);
    r->pending = 0;
    r->before = -1;
    r->over = id < 0;
    if (id < 0)
        return GP_OK;
    hts_pos_t from = r->first > 1 ? r->first - 1 : 0;
    hts_itr_t *places = tbx_itr_queryi(r->index, id, from, r->last > from ? r->last : from + 1);
    if (places == NULL)
        return gp_err_set(err, GP_EINPUT, "%s: its index cannot be read", r->path);
    if (!places->finished && places->n_off > 0) {
        r->open = 1;
        if (bgzf_seek(r->file, (int64_t)places->off[0].u, SEEK_SET) < 0)
            is_damaged(r, err);
    }
    tbx_itr_destroy(places);
    return err->code;
}

int gp_sumstats_set_region(gp_sumstats_reader *r, const char *chromosome, int64_t first,
                           int64_t last, gp_err *err) {
    int goes_on = r->chromosome.length > 0 && strcmp(chromosome, r->chromosome.bytes) == 0 &&
                  r->last < INT64_MAX && first == r->last + 1 && (r->pending || r->over);
    r->first = first;
    r->last = last;
    if (goes_on) {
        r->open = r->pending;
        return GP_OK;
    }
    r->open = r->whole = 0;
    r->chromosome.length = 0;
    if (gp_text_add(&r->chromosome, chromosome, (int64_t)strlen(chromosome), err) != GP_OK)
        return err->code;
    return seek(r, err);
}

/* The position of the line; -1 where it is not of the region's chromosome. */
static int64_t place(const gp_sumstats_reader *r, gp_err *err) {
    const char *s = r->line.s;
    size_t length = r->whole ? strcspn(s, "\t") : (size_t)r->chromosome.length;
    if ((!r->whole && strncmp(s, r->chromosome.bytes, length) != 0) || s[length] != '\t')
        return -1;
    int64_t position = 0;
    const char *c = s + length + 1;
    for (; *c >= '0' && *c <= '9' && position < INT64_MAX / 16; c++)
        position = 10 * position + (*c - '0');
    if (*c != '\t' || c[-1] == '\t')
        gp_err_set(err, GP_EINPUT, "%s: a line has no position: '%.60s'", r->path, s);
    else if (position < r->before && !r->whole)
        gp_err_set(err, GP_EINPUT,
                   "%s: is not sorted: position %lld comes behind %lld on chromosome %s", r->path,
                   (long long)position, (long long)r->before, r->chromosome.bytes);
    return position;
}

int gp_sumstats_next(gp_sumstats_reader *r, gp_sumstats_line *line, gp_err *err) {
    while (r->open && err->code == GP_OK) {
        if (!r->pending && !read_line(r, err)) {
            r->open = 0;
            r->over = err->code == GP_OK;
            break;
        }
        r->pending = 0;
        int64_t position = place(r, err);
        if (err->code != GP_OK || position < 0) {
            /* Lines of the chromosome before may stand at the place the index gave. */
            r->open = err->code == GP_OK && r->before < 0;
            r->over = err->code == GP_OK && !r->open;
            continue;
        }
        r->before = position;
        if (position > r->last && !r->whole) {
            r->pending = 1;
            return 0;
        }
        if (position < r->first && !r->whole)
            continue;
        *line = (gp_sumstats_line){position, r->line.s, (int64_t)r->line.l};
        return 1;
    }
    return 0;
}

char *const *gp_sumstats_fields(gp_sumstats_reader *r, gp_err *err) {
    r->copy.length = 0;
    if (gp_text_add(&r->copy, r->line.s, (int64_t)r->line.l, err) != GP_OK)
        return NULL;
    int64_t count = cut(r->copy.bytes, r->field, r->columns);
    if (count == r->columns)
        return r->field;
    gp_err_set(err, GP_EINPUT, "%s: a line has %lld fields, the header %lld: '%.60s'", r->path,
               (long long)count, (long long)r->columns, r->line.s);
    return NULL;
}
