/** A run directory, read for people: what its files say, thinned to what a page can show. Local.
 *
 *    merged/TRAIT.summary.json, merged/TRAIT.hits.tsv
 *    model/TRAIT/metrics.tsv, training.tsv, predictions.tsv, heritability.tsv
 *    pca/pca.eigenvec, pca.eigenval; assoc/filters.tsv, assoc/variance.tsv; manifest.json
 *
 *  Each of them may be missing: the page then says so. Memory: the largest of them once, while it
 *  is read, and some 100 kB a trait.
 */
#ifndef GP_IO_REPORT_H
#define GP_IO_REPORT_H

#include "io/report_cells.h"
#include "io/report_sheet.h"
#include "io/report_thin.h"
#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

struct json_t;

/** Columns of TRAIT.hits.tsv. */
enum {
    GP_HIT_CHROMOSOME,
    GP_HIT_POSITION,
    GP_HIT_ID,
    GP_HIT_EFFECT_ALLELE,
    GP_HIT_OTHER_ALLELE,
    GP_HIT_FREQUENCY,
    GP_HIT_BETA,
    GP_HIT_ERROR,
    GP_HIT_NEG_LOG10,
    GP_HIT_ATTRIBUTION,
    GP_HIT_RANK,
    GP_HIT_CLUMPED,
    GP_HIT_START,
    GP_HIT_END,
    GP_HIT_GENE,
    GP_HIT_DISTANCE,
    GP_HIT_COLUMNS
};

typedef struct gp_report_trait {
    char *file;             /* its name in names of files */
    const char *name;       /* as users know it; borrowed from summary, metrics, or file */
    struct json_t *summary; /* NULL: not merged; without its cells */
    gp_cells cells;
    int binary;
    gp_sheet hits, metrics, training, heritability;
    int64_t hit[GP_HIT_COLUMNS]; /* columns of hits, -1 for what is not there */
    int has_model;               /* there is a directory of a network */
    gp_guesses guesses;
} gp_report_trait;

typedef struct gp_report_run {
    const char *directory; /* borrowed */
    gp_report_trait *trait;
    int64_t traits;
    gp_sheet filters, variance;
    struct json_t *manifest; /* NULL: none */
    gp_cloud people;         /* the first two components */
    double *eigenvalue;      /* [components] */
    int64_t components;
    int has_pca;
} gp_report_run;

/** Reads a run. Traits come in byte order of their files' names.
 *    brief  in  1: only what runs are compared by: no predictions, no components, no manifest
 *  GP_EINPUT: no such directory, nothing of a run in it, or a damaged file, by name. */
int gp_report_read(gp_report_run *run, const char *directory, int brief, gp_err *err);

/** Accepts a zeroed struct. */
void gp_report_free(gp_report_run *run);

/** A number of a trait's summary by its name; NaN where there is none. */
double gp_report_number(const gp_report_trait *trait, const char *name);

/** How many lines of a trait have a result. */
int64_t gp_report_tested(const gp_report_trait *trait);

/** A measure of a model ("covariates", "ridge", "transformer") over all folds together, or over the
 *  validation samples: "r2", "auc", ... NaN where there is none.
 *    low, high  out  the same over the folds; NaN where there are none. May be NULL */
double gp_report_metric(const gp_report_trait *trait, const char *model, const char *measure,
                        double *low, double *high);

/** What the page is to have beside a run. */
typedef struct gp_report_page {
    const gp_report_run *run;
    const gp_sheet *changes; /* NULL: no comparison */
    const char *version;
    const char *browser; /* NULL, UCSC's name of a genome, or an address with {chromosome}, {start}
                            and {end} */
    int64_t most;        /* bytes that plots of traits may take before they are thinned */
} gp_report_page;

enum { GP_REPORT_BYTES = 2700000 };

/** Appends the page. The same run gives the same bytes. */
int gp_report_print(const gp_report_page *page, gp_text *to, gp_err *err);

#endif
