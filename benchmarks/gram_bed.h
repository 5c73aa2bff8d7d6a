/** The standardised relationship matrix of a PLINK .bed, timed as a whole, and compared. */
#ifndef GP_BENCHMARKS_GRAM_BED_H
#define GP_BENCHMARKS_GRAM_BED_H

#include "benchmarks/options.h"
#include "src/base/err.h"

/** Makes the matrix of options->samples x options->variants from options->bed, in memory, lower
 *  triangle, missing calls imputed by the mean; prints how long it took from opening the file. With
 *  options->expect, a file of [samples x samples] doubles (as plink2 --make-rel square bin writes
 *  it), prints the largest difference of the lower triangles. GP_EFAIL where that is above 1e-6. */
int gram_of_bed(const bench_options *options, gp_err *err);

#endif
