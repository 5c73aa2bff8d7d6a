/** The genome that is simulated: chromosomes, and where on them the variants lie. Local. */
#ifndef GP_SRC_SIM_GENOME_H
#define GP_SRC_SIM_GENOME_H

#include "src/base/err.h"
#include "src/base/rng.h"
#include <stdint.h>

enum { GP_GENOME_MOST = 22 };

/** One centimorgan a megabase, everywhere. */
#define GP_GENOME_BASES_PER_CM 1e6

/** Chromosomes 1 … K, as long as the human autosomes. */
typedef struct gp_genome {
    int64_t chromosomes;
    int64_t length[GP_GENOME_MOST]; /* base pairs */
    int64_t count[GP_GENOME_MOST];  /* variants: one each, the others in proportion to length */
} gp_genome;

/** GP_EINPUT where chromosomes is not in 1 … 22, or the variants are fewer than one a chromosome or
 * more than a hundredth of the bases. */
int gp_genome_init(gp_genome *genome, int64_t chromosomes, int64_t variants, gp_err *err);

/** Walks along a chromosome's variants. */
typedef struct gp_places {
    gp_rng rng;
    double sum, total; /* of the gaps: so far, and to the chromosome's end */
    int64_t index, spare;
} gp_places;

/** Stands before the first variant. Cost: one pass over the chromosome's gaps. */
gp_places gp_places_begin(const gp_genome *genome, int64_t chromosome, uint64_t seed);

/** The next variants' positions, 1-based, each larger than the last; spread evenly at random.
 *    position  out  [count] */
void gp_places_next(gp_places *places, int64_t *position, int64_t count);

/** Two different bases for a variant, numbered over all chromosomes. */
void gp_alleles_draw(uint64_t seed, int64_t variant, char *ref, char *alt);

#endif
