/** The samples' haplotypes: mosaics of the founders', run by run along a chromosome, and the
 * genotype rows that follow.
 *
 *  A haplotype of an unrelated sample copies one founder of its population and changes to another
 * GP_MOSAIC_SWITCHES times a morgan (one that stems from two populations draws the population anew
 * at each switch); a child's haplotype copies one of a parent's two and crosses over once a morgan.
 * Every haplotype has its own random streams, so the calls depend on the seed and the positions
 * alone, not on threads or on the cut into runs. Local.
 */
#ifndef GP_SRC_SIM_MOSAIC_H
#define GP_SRC_SIM_MOSAIC_H

#include "src/sim/panel.h"
#include "src/sim/people.h"

#define GP_MOSAIC_SWITCHES 10.0

/** What a haplotype copies now, and until where. */
typedef struct gp_copying {
    int64_t until;   /* base pair of the next switch */
    int32_t source;  /* founder; or which of the parent's two haplotypes */
    uint32_t number; /* switches so far on this chromosome */
} gp_copying;

typedef struct gp_mosaic {
    const gp_people *people;
    gp_panel panel;
    uint64_t seed;
    int64_t words;       /* 64 variants each: the longest run */
    gp_copying *copying; /* [2n] */
    uint64_t *founder;   /* [founders x words] bit v of a row: ALT at variant v of the run */
    uint64_t *haplotype; /* [2n, up to whole groups of 64 samples, x words] likewise */
} gp_mosaic;

/** Allocates; people is borrowed. Memory: 32 bytes + words x 16 bytes a sample. */
int gp_mosaic_init(gp_mosaic *mosaic, const gp_people *people, uint64_t seed, gp_err *err);

/** The longest run that gp_mosaic_next takes: 64 to 1024 variants, fewer the more samples. */
int64_t gp_mosaic_run(const gp_mosaic *mosaic);

/** Goes to the start of a chromosome. */
void gp_mosaic_begin(gp_mosaic *mosaic, int64_t chromosome);

/** Makes the next count variants of all samples, none missing.
 *    position  in   [count] base pairs, ascending; count <= gp_mosaic_run
 *    rows      out  [count x gp_geno_stride(n)] row-major, the 2-bit code
 *  Uses OpenMP threads. Cost: about one operation a call. */
void gp_mosaic_next(gp_mosaic *mosaic, const int64_t *position, int64_t count, uint8_t *rows);

void gp_mosaic_free(gp_mosaic *mosaic);

/** Makes calls of a run missing: half of the variants lose none, the others a share that varies
 * (exponential, so that all together lose mean_rate; at most half of a variant).
 *    first       in     number of the run's first variant on the chromosome
 *    rows        inout  [count x gp_geno_stride(n)]
 *  Uses OpenMP threads. Cost: one random number a missing call. */
void gp_mosaic_lose(const gp_mosaic *mosaic, double mean_rate, int64_t first, int64_t count,
                    uint8_t *rows);

#endif
