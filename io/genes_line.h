/** A line of an annotation: what gene it tells of. Private to io/genes*.c. */
#ifndef GP_IO_GENES_LINE_H
#define GP_IO_GENES_LINE_H

#include "src/base/err.h"
#include <stdint.h>

typedef enum gp_genes_form { GP_GENES_GFF3, GP_GENES_GTF, GP_GENES_BED } gp_genes_form;

/** The form that a file's name tells. GP_EINPUT where it tells none. */
int gp_genes_form_of(const char *path, gp_genes_form *form, gp_err *err);

enum {
    GP_GENES_NOTHING, /* blank, a comment, another feature */
    GP_GENES_GENE,
    GP_GENES_PART, /* a transcript or exon of GTF: part of a gene, known by key */
    GP_GENES_END   /* no annotation follows, but sequences */
};

typedef struct gp_genes_line {
    int what;
    const char *chromosome;
    char *name;
    const char *key;     /* of a part: the gene_id */
    int64_t first, last; /* base pairs from 1, both within */
} gp_genes_line;

/** Reads a line, cutting it in place: the strings of *out lie in it.
 *    line  inout  zero-terminated, without its end
 *  NULL, or what is wrong with it. */
const char *gp_genes_line_read(gp_genes_form form, char *line, gp_genes_line *out);

#endif
