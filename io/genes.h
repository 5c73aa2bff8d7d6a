/** Where genes are: the gene nearest to a position, from an annotation in GFF3, GTF or BED.
 *
 *  The name says the form: .gff3 or .gff, .gtf, .bed, perhaps with .gz or .bgz behind it; plain,
 *  gzip and BGZF are read. What counts as a gene:
 *    GFF3  lines of type gene or ..._gene
 *    GTF   lines of feature gene; on a chromosome without any, the transcripts and exons of a
 *          gene_id, joined
 *    BED   every line; its name is column 4
 *  A gene of GFF3 and GTF bears the first of gene_name, Name, gene, ID, gene_id that it has.
 *  Chromosomes match by any of their names, as for --chr: 1 and chr1, X and 23.
 *
 *  Where an index (.tbi or .csi) lies beside a BGZF file, a chromosome is read when it is first
 *  asked for; else the whole file is, by gp_genes_open. Genes are the same either way. Memory: 24
 *  bytes and its name for a gene. Local; not thread-safe.
 *  Source: Sequence Ontology, GFF3 1.26; GTF 2.2; UCSC BED.
 */
#ifndef GP_IO_GENES_H
#define GP_IO_GENES_H

#include "io/store.h"
#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_genes gp_genes;

/** Opens an annotation. GP_EINPUT, naming the file and where it can the line, where it cannot be
 *  read, is of another form, damaged or without any gene. *genes is NULL on failure. */
int gp_genes_open(gp_genes **genes, const char *path, gp_err *err);

/** Accepts NULL. */
void gp_genes_close(gp_genes *genes);

/** The chromosomes as the annotation names them. */
int64_t gp_genes_chromosomes(const gp_genes *genes);
const char *gp_genes_chromosome(const gp_genes *genes, int64_t k);

typedef struct gp_gene {
    const char *name;    /* borrowed until the next call; NULL: the chromosome has no gene */
    int64_t first, last; /* base pairs, both within */
    int64_t distance;    /* base pairs to its nearest end; 0 within it */
} gp_gene;

/** The gene nearest to a position; of equally near ones that which begins first, then that of the
 *  first name. GP_EINPUT where the annotation is damaged there. */
int gp_genes_nearest(gp_genes *genes, const gp_chromosome *chromosome, int64_t position,
                     gp_gene *gene, gp_err *err);

#endif
