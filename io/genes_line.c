#include "io/genes_line.h"

#include <string.h>
#include <strings.h>

enum { SEQUENCE, SOURCE, TYPE, START, END, SCORE, STRAND, PHASE, ATTRIBUTES, GFF_FIELDS };
enum { BED_NAME = 3, BED_FIELDS };

/* ---- the form ---- */

static int ends_with(const char *path, int64_t length, const char *suffix) {
    int64_t n = (int64_t)strlen(suffix);
    return length > n && strncasecmp(path + length - n, suffix, (size_t)n) == 0;
}

int gp_genes_form_of(const char *path, gp_genes_form *form, gp_err *err) {
    static const struct {
        const char *suffix;
        gp_genes_form form;
    } known[] = {{".gff3", GP_GENES_GFF3},
                 {".gff", GP_GENES_GFF3},
                 {".gtf", GP_GENES_GTF},
                 {".bed", GP_GENES_BED}};
    static const char *const packed[] = {".gz", ".bgz", ".bgzf"};
    int64_t length = (int64_t)strlen(path);
    for (size_t k = 0; k < sizeof packed / sizeof *packed; k++)
        if (ends_with(path, length, packed[k])) {
            length -= (int64_t)strlen(packed[k]);
            break;
        }
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (ends_with(path, length, known[k].suffix)) {
            *form = known[k].form;
            return GP_OK;
        }
    return gp_err_set(err, GP_EINPUT,
                      "%s: its name tells no form of annotation; expected .gff3, .gff, .gtf or "
                      ".bed, perhaps with .gz",
                      path);
}

/* ---- fields ---- */

/* Cuts a line at tabs, or where it holds none at blanks; the last field is the rest. Returns how
 * many there are. */
static int cut(char *line, char **field, int most) {
    const char *mark = strchr(line, '\t') != NULL ? "\t" : " ";
    int count = 0;
    for (char *at = line; at != NULL; count++) {
        char *stop = strpbrk(at, mark);
        if (count == most)
            break;
        field[count] = at;
        if (stop != NULL && count < most - 1)
            *stop = 0;
        at = stop != NULL ? stop + 1 : NULL;
        while (*mark == ' ' && at != NULL && *at == ' ')
            at++;
    }
    return count < most ? count : most;
}

static int read_place(const char *s, int64_t *place) {
    int64_t value = 0;
    int digits = 0;
    for (; *s >= '0' && *s <= '9' && digits < 15; s++, digits++)
        value = value * 10 + (*s - '0');
    *place = value;
    return digits > 0 && *s == 0;
}

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* GFF3 writes some characters as %XX. What is no character of a table's field becomes '_'. */
static void clean(gp_genes_form form, char *name) {
    char *to = name;
    for (const char *c = name; *c != 0; c++) {
        char got = *c;
        if (form == GP_GENES_GFF3 && got == '%' && hex(c[1]) >= 0 && hex(c[2]) >= 0) {
            got = (char)(hex(c[1]) * 16 + hex(c[2]));
            c += 2;
        }
        *to++ = (unsigned char)got < ' ' || got == 0x7F ? '_' : got;
    }
    *to = 0;
}

/* ---- GFF3 and GTF ---- */

/* Cuts the next `key=value` or `key "value"` off a list that ';' parts; 0 at its end. */
static int next_attribute(char **rest, char **key, char **value) {
    char *at = *rest;
    while (*at == ' ' || *at == ';' || *at == '\t')
        at++;
    if (*at == 0)
        return 0;
    *key = at;
    at += strcspn(at, "= ;");
    char *stop = at + (*at == 0 || *at == ';' ? 0 : strspn(at, "= "));
    if (*stop == '"') {
        *value = ++stop;
        stop += strcspn(stop, "\"");
    } else {
        *value = stop;
        stop += strcspn(stop, ";");
    }
    *rest = *stop != 0 ? stop + 1 : stop;
    *stop = 0;
    *at = 0;
    return 1;
}

/* The name, and the gene_id that parts of a gene share. */
static void read_attributes(char *list, gp_genes_line *out) {
    static const char *const known[] = {"gene_name", "Name", "gene", "ID", "gene_id"};
    int best = sizeof known / sizeof *known;
    for (char *key, *value; next_attribute(&list, &key, &value);) {
        if (*value == 0)
            continue;
        for (int k = 0; k < best; k++)
            if (strcmp(key, known[k]) == 0) {
                best = k;
                out->name = value;
            }
        if (strcmp(key, "gene_id") == 0)
            out->key = value;
    }
}

static int is_gene(const char *type) {
    int64_t n = (int64_t)strlen(type);
    return strcmp(type, "gene") == 0 || (n > 5 && strcmp(type + n - 5, "_gene") == 0);
}

static const char *read_gff(gp_genes_form form, char *line, gp_genes_line *out) {
    char *field[GFF_FIELDS] = {0};
    int count = cut(line, field, GFF_FIELDS);
    if (count < ATTRIBUTES)
        return "has fewer than the 8 or 9 fields of GFF3 and GTF";
    if (!read_place(field[START], &out->first) || !read_place(field[END], &out->last) ||
        out->first < 1 || out->last < out->first)
        return "columns 4 and 5 are no first and last position";
    const char *type = field[TYPE];
    int part =
        form == GP_GENES_GTF && (strcmp(type, "transcript") == 0 || strcmp(type, "exon") == 0);
    if (!part && !is_gene(type))
        return NULL;
    out->chromosome = field[SEQUENCE];
    if (count > ATTRIBUTES)
        read_attributes(field[ATTRIBUTES], out);
    if (part && out->key == NULL)
        return "a transcript or exon has no gene_id";
    if (out->name == NULL)
        return "a gene has none of gene_name, Name, gene, ID, gene_id";
    out->what = part ? GP_GENES_PART : GP_GENES_GENE;
    return NULL;
}

/* ---- BED ---- */

/* Positions count from 0, and the last is not within. */
static const char *read_bed(char *line, gp_genes_line *out) {
    char *field[BED_FIELDS + 1] = {0};
    if (strncmp(line, "track", 5) == 0 || strncmp(line, "browser", 7) == 0)
        return NULL;
    int count = cut(line, field, BED_FIELDS + 1);
    if (count < BED_FIELDS || *field[BED_NAME] == 0)
        return "has no name in column 4, as a gene in BED should";
    if (!read_place(field[1], &out->first) || !read_place(field[2], &out->last) ||
        out->last < out->first)
        return "columns 2 and 3 are no start and end";
    out->first += out->first < out->last || out->first == 0;
    out->last = out->last < out->first ? out->first : out->last;
    out->chromosome = field[0];
    out->name = field[BED_NAME];
    out->what = GP_GENES_GENE;
    return NULL;
}

const char *gp_genes_line_read(gp_genes_form form, char *line, gp_genes_line *out) {
    *out = (gp_genes_line){.what = GP_GENES_NOTHING};
    if (strcmp(line, "##FASTA") == 0 || *line == '>')
        out->what = GP_GENES_END;
    if (*line == '#' || *line == '>' || line[strspn(line, " \t")] == 0)
        return NULL;
    const char *wrong = form == GP_GENES_BED ? read_bed(line, out) : read_gff(form, line, out);
    if (wrong == NULL && out->name != NULL)
        clean(form, out->name);
    return wrong;
}
