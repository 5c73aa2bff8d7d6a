#include "io/genes.h"
#include "io/genes_line.h"
#include "io/list.h"
#include "src/base/ids.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <errno.h>
#include <fcntl.h>
#include <htslib/bgzf.h>
#include <htslib/hts_log.h>
#include <htslib/kstring.h>
#include <htslib/tbx.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BGZF_FORMAT = 2 /* bgzf_compression's word for it */ };

/* A gene; its name is zero-terminated in the block of names. */
typedef struct entry {
    int64_t name, first, last;
} entry;

typedef struct list {
    entry *entry; /* [count] */
    int64_t count, capacity;
} list;

/* A chromosome. */
typedef struct place {
    list genes;     /* sorted, once loaded */
    list parts;     /* of GTF: transcripts and exons, joined by gene_id */
    gp_ids key;     /* the gene_id of each of the parts */
    int64_t *reach; /* [genes] the largest last position of a gene and those before it */
    int loaded;
} place;

struct gp_genes {
    char *path;
    gp_genes_form form;
    BGZF *file;
    tbx_t *index; /* NULL: all is loaded */
    kstring_t line;
    int64_t number; /* of the line, where the file is read as a whole */
    gp_ids chromosome;
    place *place; /* [chromosomes] */
    int64_t places;
    gp_text names;
};

/* ---- a line's gene ---- */

static int add_entry(gp_genes *g, list *to, const gp_genes_line *line, gp_err *err) {
    entry new = {g->names.length, line->first, line->last};
    if (gp_mem_grow(&to->entry, &to->capacity, to->count + 1, sizeof *to->entry, err) == GP_OK &&
        gp_text_add(&g->names, line->name, (int64_t)strlen(line->name) + 1, err) == GP_OK)
        to->entry[to->count++] = new;
    return err->code;
}

/* A transcript or exon makes its gene begin earlier or end later. */
static int add_part(gp_genes *g, place *p, const gp_genes_line *line, gp_err *err) {
    int64_t number = 0;
    int fresh = 0;
    if (p->genes.count > 0)
        return GP_OK;
    if (gp_ids_add(&p->key, line->key, (int64_t)strlen(line->key), &number, &fresh, err) != GP_OK)
        return err->code;
    if (fresh)
        return add_entry(g, &p->parts, line, err);
    entry *gene = &p->parts.entry[number];
    gene->first = gp_least(gene->first, line->first);
    gene->last = gp_most(gene->last, line->last);
    return GP_OK;
}

static int add_chromosome(gp_genes *g, const char *name, int64_t *number, gp_err *err) {
    if (gp_ids_add(&g->chromosome, name, (int64_t)strlen(name), number, NULL, err) == GP_OK)
        gp_mem_grow(&g->place, &g->places, g->chromosome.count, sizeof *g->place, err);
    return err->code;
}

static int add_line(gp_genes *g, const gp_genes_line *line, gp_err *err) {
    int64_t number = 0;
    if (line->what != GP_GENES_GENE && line->what != GP_GENES_PART)
        return GP_OK;
    if (add_chromosome(g, line->chromosome, &number, err) != GP_OK)
        return err->code;
    place *p = &g->place[number];
    return line->what == GP_GENES_PART ? add_part(g, p, line, err)
                                       : add_entry(g, &p->genes, line, err);
}

static int is_damaged(const gp_genes *g, gp_err *err) {
    return gp_err_set(err, GP_EINPUT, "%s: cannot be read: the file is damaged or cut short",
                      g->path);
}

/* Reads the line at hand. A line of a region has no number: its beginning tells where it is. */
static int read_line(gp_genes *g, gp_genes_line *line, gp_err *err) {
    enum { SHOWN = 60 };
    char shown[SHOWN + 1] = "";
    if (g->line.l > 0 && g->line.s[g->line.l - 1] == '\r')
        g->line.s[--g->line.l] = 0;
    if (g->index != NULL)
        strncat(shown, g->line.s, SHOWN);
    const char *wrong = strlen(g->line.s) != g->line.l
                            ? "holds a zero byte"
                            : gp_genes_line_read(g->form, g->line.s, line);
    if (wrong == NULL)
        return GP_OK;
    if (g->index != NULL)
        return gp_err_set(err, GP_EINPUT, "%s: the line '%s...' is damaged: %s", g->path, shown,
                          wrong);
    return gp_err_set(err, GP_EINPUT, "%s:%lld: %s", g->path, (long long)g->number, wrong);
}

/* ---- a chromosome, ready to be asked ---- */

/* A gene beside its name, for qsort. */
typedef struct sorted {
    entry entry;
    const char *name;
} sorted;

static int by_place(const void *a, const void *b) {
    const sorted *x = a, *y = b;
    if (x->entry.first != y->entry.first)
        return x->entry.first < y->entry.first ? -1 : 1;
    int names = strcmp(x->name, y->name);
    if (names != 0)
        return names;
    return x->entry.last < y->entry.last ? -1 : x->entry.last > y->entry.last;
}

static int sort(const gp_genes *g, list *genes, gp_err *err) {
    sorted *order = gp_mem_alloc(genes->count, sizeof *order, err);
    if (order == NULL)
        return err->code;
    for (int64_t k = 0; k < genes->count; k++)
        order[k] = (sorted){genes->entry[k], g->names.bytes + genes->entry[k].name};
    qsort(order, (size_t)genes->count, sizeof *order, by_place);
    for (int64_t k = 0; k < genes->count; k++)
        genes->entry[k] = order[k].entry;
    free(order);
    return GP_OK;
}

static int finish_place(gp_genes *g, place *p, gp_err *err) {
    if (p->genes.count == 0) {
        free(p->genes.entry);
        p->genes = p->parts;
        p->parts = (list){0};
    }
    free(p->parts.entry);
    p->parts = (list){0};
    gp_ids_free(&p->key);
    p->reach = gp_mem_alloc(p->genes.count, sizeof *p->reach, err);
    if (err->code != GP_OK || sort(g, &p->genes, err) != GP_OK)
        return err->code;
    for (int64_t k = 0, most = 0; k < p->genes.count; k++)
        p->reach[k] = most = gp_most(most, p->genes.entry[k].last);
    p->loaded = 1;
    return GP_OK;
}

/* Reads a chromosome's lines by the index. */
static int load_place(gp_genes *g, int64_t number, gp_err *err) {
    int got = -1, id = tbx_name2id(g->index, gp_ids_get(&g->chromosome, number));
    hts_itr_t *lines = tbx_itr_queryi(g->index, id, 0, HTS_POS_MAX);
    if (lines == NULL)
        return is_damaged(g, err);
    while (err->code == GP_OK &&
           (got = tbx_bgzf_itr_next(g->file, g->index, lines, &g->line)) >= 0) {
        gp_genes_line line;
        if (read_line(g, &line, err) == GP_OK)
            add_line(g, &line, err);
    }
    tbx_itr_destroy(lines);
    if (got < -1)
        is_damaged(g, err);
    return err->code != GP_OK ? err->code : finish_place(g, &g->place[number], err);
}

/* ---- opening ---- */

static int no_gene(const gp_genes *g, gp_err *err) {
    const char *wanted = g->form == GP_GENES_GFF3  ? "lines of type gene"
                         : g->form == GP_GENES_GTF ? "lines of gene, transcript or exon"
                                                   : "lines with a name in column 4";
    return gp_err_set(err, GP_EINPUT, "%s: holds no gene; expected %s", g->path, wanted);
}

static int read_all(gp_genes *g, gp_err *err) {
    int got = -1;
    gp_genes_line line = {0};
    while (line.what != GP_GENES_END && err->code == GP_OK &&
           (got = bgzf_getline(g->file, '\n', &g->line)) >= 0) {
        g->number++;
        if (g->number == 1 && g->line.l >= 3 && memcmp(g->line.s, "\xEF\xBB\xBF", 3) == 0)
            memmove(g->line.s, g->line.s + 3, (g->line.l -= 3) + 1);
        if (read_line(g, &line, err) == GP_OK)
            add_line(g, &line, err);
    }
    if (got < -1)
        is_damaged(g, err);
    if (err->code == GP_OK && g->chromosome.count == 0)
        no_gene(g, err);
    for (int64_t k = 0; k < g->chromosome.count && err->code == GP_OK; k++)
        finish_place(g, &g->place[k], err);
    return err->code;
}

/* The chromosomes that the index knows. */
static int read_index(gp_genes *g, gp_err *err) {
    int count = 0;
    int64_t number = 0;
    const char **name = tbx_seqnames(g->index, &count);
    for (int k = 0; k < count && err->code == GP_OK; k++)
        add_chromosome(g, name[k], &number, err);
    free(name);
    return err->code == GP_OK && count == 0 ? no_gene(g, err) : err->code;
}

static int open_file(gp_genes *g, gp_err *err) {
    hts_set_log_level(HTS_LOG_OFF); /* htslib would print; the error goes up instead */
    int fd = open(g->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", g->path, strerror(errno));
    g->file = bgzf_dopen(fd, "r");
    if (g->file == NULL) {
        close(fd);
        return gp_err_set(err, GP_EINPUT, "%s: cannot be read", g->path);
    }
    if (bgzf_compression(g->file) != BGZF_FORMAT)
        return GP_OK;
    if (bgzf_check_EOF(g->file) == 0)
        return is_damaged(g, err);
    g->index = tbx_index_load3(g->path, NULL, HTS_IDX_SILENT_FAIL);
    return GP_OK;
}

int gp_genes_open(gp_genes **genes, const char *path, gp_err *err) {
    *genes = NULL;
    gp_genes *g = gp_mem_alloc(1, sizeof *g, err);
    if (g == NULL)
        return err->code;
    g->path = gp_mem_string(path, (int64_t)strlen(path), err);
    if (err->code == GP_OK && gp_genes_form_of(path, &g->form, err) == GP_OK &&
        open_file(g, err) == GP_OK && (g->index != NULL ? read_index : read_all)(g, err) == GP_OK)
        *genes = g;
    else
        gp_genes_close(g);
    return err->code;
}

void gp_genes_close(gp_genes *g) {
    if (g == NULL)
        return;
    for (int64_t k = 0; k < g->places; k++) {
        free(g->place[k].genes.entry);
        free(g->place[k].parts.entry);
        gp_ids_free(&g->place[k].key);
        free(g->place[k].reach);
    }
    free(g->place);
    gp_ids_free(&g->chromosome);
    gp_text_free(&g->names);
    free(g->line.s);
    if (g->index != NULL)
        tbx_destroy(g->index);
    if (g->file != NULL)
        bgzf_close(g->file);
    free(g->path);
    free(g);
}

int64_t gp_genes_chromosomes(const gp_genes *genes) {
    return genes->chromosome.count;
}

const char *gp_genes_chromosome(const gp_genes *genes, int64_t k) {
    return gp_ids_get(&genes->chromosome, k);
}

/* ---- asking ---- */

/* The first gene that begins behind a position. */
static int64_t find_behind(const list *genes, int64_t position) {
    int64_t low = 0, high = genes->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (genes->entry[middle].first <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first of the genes [0, end) that reaches as far as a position, or else as any of them. */
static int64_t find_reaching(const place *p, int64_t end, int64_t position) {
    int64_t low = 0, high = end - 1, wanted = gp_least(position, p->reach[end - 1]);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (p->reach[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t distance_of(const entry *gene, int64_t position) {
    return position < gene->first  ? gene->first - position
           : position > gene->last ? position - gene->last
                                   : 0;
}

static void nearest_here(const gp_genes *g, const place *p, int64_t position, gp_gene *gene) {
    int64_t behind = find_behind(&p->genes, position), best = behind;
    if (p->genes.count == 0)
        return;
    if (behind > 0)
        best = find_reaching(p, behind, position);
    if (behind > 0 && behind < p->genes.count &&
        distance_of(&p->genes.entry[behind], position) <
            distance_of(&p->genes.entry[best], position))
        best = behind;
    const entry *e = &p->genes.entry[best];
    *gene = (gp_gene){g->names.bytes + e->name, e->first, e->last, distance_of(e, position)};
}

/* A chromosome may be there under two names: the nearer gene counts, as if it were one. */
static int is_nearer(const gp_gene *a, const gp_gene *b) {
    if (b->name == NULL || a->name == NULL)
        return b->name == NULL;
    if (a->distance != b->distance)
        return a->distance < b->distance;
    return a->first != b->first ? a->first < b->first : strcmp(a->name, b->name) < 0;
}

int gp_genes_nearest(gp_genes *genes, const gp_chromosome *chromosome, int64_t position,
                     gp_gene *gene, gp_err *err) {
    *gene = (gp_gene){0};
    for (int64_t k = 0; k < genes->chromosome.count; k++)
        if (gp_list_names(gp_ids_get(&genes->chromosome, k), chromosome) &&
            !genes->place[k].loaded && load_place(genes, k, err) != GP_OK)
            return err->code;
    for (int64_t k = 0; k < genes->chromosome.count; k++) {
        gp_gene found = {0};
        if (!gp_list_names(gp_ids_get(&genes->chromosome, k), chromosome))
            continue;
        nearest_here(genes, &genes->place[k], position, &found);
        if (is_nearer(&found, gene))
            *gene = found;
    }
    return GP_OK;
}
