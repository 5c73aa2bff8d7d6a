/** Filters of variants by their counts. Local, thread-safe. */
#ifndef GP_SRC_GENO_FILTER_H
#define GP_SRC_GENO_FILTER_H

#include "src/geno/count.h"

/** Thresholds; NaN = no such filter. */
typedef struct gp_filter {
    double maf;  /* keep minor allele frequency >= maf */
    double mac;  /* keep minor allele count >= mac */
    double geno; /* keep missing rate <= geno */
    double hwe;  /* keep exact p >= hwe */
} gp_filter;

/** Why a variant is left out; the order of checking. */
enum { GP_KEPT, GP_LOW_MAF, GP_LOW_MAC, GP_MISSING_CALLS, GP_HWE, GP_FILTER_REASONS };

/** Judges one variant.
 *    all  in  counts over the kept samples
 *    hwe  in  counts over the samples whose proportions are tested (the females on X), or NULL for
 *             no test (Y, MT)
 *  Returns GP_KEPT or the first filter that it fails. A variant that nobody is called for has
 *  frequency 0; one of no samples has missing rate 0. */
int gp_filter_judge(const gp_filter *filter, const gp_counts *all, const gp_counts *hwe);

#endif
