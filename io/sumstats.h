/** Tables of association results: GWAS-SSF lines and their metadata. How the lines become a BGZF
 * file stands in io/part.h, its index in io/tabix.h. Local.
 */
#ifndef GP_IO_SUMSTATS_H
#define GP_IO_SUMSTATS_H

#include "io/store.h"
#include "src/assoc/result.h"
#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

/** What a trait's lines hold beyond the columns that all have. */
typedef struct gp_sumstat_form {
    int binary;     /* columns of cases and controls, and of the test */
    double deviate; /* of a binary trait: odds ratio and interval, beta -+ deviate x se; 0: none */
} gp_sumstat_form;

/** Appends the header line, with its newline. */
int gp_sumstat_add_header(const gp_sumstat_form *form, gp_text *text, gp_err *err);

/** What the lines of a run of variants share over all traits, as text: made once, printed with each
 *  trait's numbers. Starts zeroed. */
typedef struct gp_sumstat_sites {
    int64_t count; /* lines */
    gp_text
        text; /* chromosome, position and alleles of a line, then its id, then the next line's */
    int64_t *end;     /* [2 count] where in text they end */
    int64_t capacity; /* of end */
} gp_sumstat_sites;

/** Takes over the names of chosen variants; what was there before is replaced, its memory reused.
 *    chromosome  in  its name
 *    v           in  a batch; ALT is the effect allele, REF the other one; "." = unknown is printed
 *                    as #NA, but as it is for an id. Strings hold no tab and no line end
 *    chosen      in  [count] numbers of variants in v, in the order of the lines
 *  GP_EFAIL when memory is refused; sites then has no lines. */
int gp_sumstat_sites_set(gp_sumstat_sites *sites, const char *chromosome, const gp_variants *v,
                         const int64_t *chosen, int64_t count, gp_err *err);

void gp_sumstat_sites_free(gp_sumstat_sites *sites);

/** One trait's numbers. */
typedef struct gp_sumstat_trait {
    const gp_result *result; /* of line i: result[i * step] */
    int64_t step;
    gp_sumstat_form form;
} gp_sumstat_trait;

/** Appends the lines of one trait. sites is only read: different traits from different threads.
 *  NaN (and what is not finite) prints as #NA; p_value is made from neglog10p, so it keeps its
 *  exponent below 1e-308. Numbers carry 9 significant digits in the "%.9g" form, p_value too
 *  whatever its exponent: 0.5, 1.25e-09, 3.21987654e-1234. The test is #NA unless status is OK.
 *  GP_EFAIL when memory is refused; text is then unchanged. */
int gp_sumstat_print(const gp_sumstat_sites *sites, const gp_sumstat_trait *trait, gp_text *text,
                     gp_err *err);

/* ---- the finished table ---- */

/** What -meta.yaml says of a table. */
typedef struct gp_sumstats_meta {
    const char *trait;
    const char *file_name;  /* of the table, no directory */
    const char *md5;        /* of the table */
    const char *program;    /* "gp-dist 0.1.0" */
    const char *model;      /* "linear" */
    const char *test;       /* of a binary trait, in words; NULL: it is not binary */
    const char *missing;    /* "exact" or "mean" */
    const char *covariates; /* names, comma-separated, or "" */
    const char *store_digest;
    int64_t samples;  /* with phenotype and covariates */
    int64_t cases;    /* of them, where test is said; the others are controls */
    int64_t variants; /* lines */
} gp_sumstats_meta;

/** Appends GWAS-SSF metadata: YAML, users' strings quoted and escaped; no dates, so that the same
 * run gives the same bytes. What the format has no field for stands in author_notes. Source:
 * GWAS-SSF v1.0 metadata schema (EBISPOT/gwas-summary-statistics-standard). */
int gp_sumstats_meta_print(const gp_sumstats_meta *meta, gp_text *yaml, gp_err *err);

/** What a table's metadata tell: read back from what gp_sumstats_meta_print wrote. */
typedef struct gp_sumstats_about {
    char *trait, *model, *store_digest; /* owned */
    int64_t samples;
    int64_t cases; /* -1: the trait is not binary */
    int64_t variants;
} gp_sumstats_about;

/** about starts zeroed; free it in any case. GP_EINPUT, naming the file `path`, where one of them
 *  is not told.
 *    yaml  in  zero-terminated */
int gp_sumstats_about_read(const char *path, const char *yaml, gp_sumstats_about *about,
                           gp_err *err);
void gp_sumstats_about_free(gp_sumstats_about *about);

/** Appends a table's metadata as they are for one of the same name whose lines have more columns:
 *  with its MD5, and a note (no quotes, no backslashes) at the end of author_notes. */
int gp_sumstats_meta_revise(const char *yaml, const char *md5, const char *note, gp_text *revised,
                            gp_err *err);

#endif
