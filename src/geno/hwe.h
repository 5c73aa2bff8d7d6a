/** Exact test of Hardy-Weinberg proportions. Local, thread-safe, no allocation. */
#ifndef GP_SRC_GENO_HWE_H
#define GP_SRC_GENO_HWE_H

#include <stdint.h>

/** Two-sided exact p, no mid-p; 1 where nobody is called or the variant is monomorphic.
 *    ref, het, alt  in  numbers of samples with 0, 1, 2 copies
 *  Cost O(number of rarer alleles), stops where terms no longer add. Never below 0 or above 1; p
 *  under 1e-300 may be 0. Source: Wigginton, Cutler, Abecasis 2005, Am J Hum Genet 76:887; ties
 *  as in PLINK 2 (relative 2^-35 slack). */
double gp_hwe_exact(int64_t ref, int64_t het, int64_t alt);

#endif
