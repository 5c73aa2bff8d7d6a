/** Tables of association results: GWAS-SSF lines, their index and their metadata. How the lines
 * become a BGZF file stands in io/part.h. Local.
 */
#ifndef GP_IO_SUMSTATS_H
#define GP_IO_SUMSTATS_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

/** One line. NaN (and what is not finite) prints as #NA. Strings hold no tab and no line end. */
typedef struct gp_sumstat {
    const char *chromosome;
    int64_t position;
    const char *effect_allele, *other_allele; /* "." = unknown, printed as #NA */
    const char *id;                           /* "." = unknown, printed as it is */
    double beta, se, frequency;
    double statistic;
    double neglog10p; /* p_value is made from it, so it keeps its exponent below 1e-308 */
    int64_t n;
    const char *status;
} gp_sumstat;

/** The header line, with its newline. */
extern const char gp_sumstat_header[];

/** Appends one line. Numbers carry 9 significant digits in the "%.9g" form, p_value too whatever
 * its exponent: 0.5, 1.25e-09, 3.21987654e-1234. */
int gp_sumstat_print(const gp_sumstat *line, gp_text *text, gp_err *err);

/* ---- the finished table ---- */

/** Writes the tabix index of a finished BGZF table under a name that the caller chooses.
 *    csi    in   0 for TABLE.tbi; 1 for TABLE.csi, needed where a position is 2^29 or more
 *    lines  out  how many records the index saw: to compare with what went in
 *  GP_EFAIL where the table is cut short, not sorted, or the index cannot be written; the index
 * file is then removed. Source: tabix manual; -s 1 -b 2 -e 2 -S 1. */
int gp_sumstats_index(const char *table, const char *index_path, int csi, int64_t *lines,
                      gp_err *err);

/** What -meta.yaml says of a table. */
typedef struct gp_sumstats_meta {
    const char *trait;
    const char *file_name;  /* of the table, no directory */
    const char *md5;        /* of the table */
    const char *program;    /* "gp-dist 0.1.0" */
    const char *model;      /* "linear" */
    const char *missing;    /* "exact" or "mean" */
    const char *covariates; /* names, comma-separated, or "" */
    const char *store_digest;
    int64_t samples;  /* with phenotype and covariates */
    int64_t variants; /* lines */
} gp_sumstats_meta;

/** Appends GWAS-SSF metadata: YAML, users' strings quoted and escaped; no dates, so that the same
 * run gives the same bytes. What the format has no field for stands in author_notes. Source:
 * GWAS-SSF v1.0 metadata schema (EBISPOT/gwas-summary-statistics-standard). */
int gp_sumstats_meta_print(const gp_sumstats_meta *meta, gp_text *yaml, gp_err *err);

#endif
