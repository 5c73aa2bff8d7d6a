/** The causal variants of all traits: which they are, their true calls, their effects. Local. */
#ifndef GP_SRC_SIM_CAUSE_H
#define GP_SRC_SIM_CAUSE_H

#include "src/base/err.h"
#include <stdint.h>

/** One causal variant of one trait. Effects are on the trait's scale (of a binary trait:
 * liability's); shares are of its variance. */
typedef struct gp_cause {
    int64_t variant;              /* number over all chromosomes */
    int64_t chromosome, position; /* known once its calls were taken */
    double additive;              /* average effect of one more copy of ALT */
    double dominance;             /* of a heterozygote, beyond the middle of the homozygotes */
    double epistasis;             /* of (copies - mean) x (partner's copies - mean) */
    double additive_share, dominance_share, epistasis_share;
    int64_t partner; /* cause of the same trait, or -1; only the first of a pair has the effect */
} gp_cause;

typedef struct gp_causes {
    int64_t traits, each; /* causal variants per trait */
    int64_t samples;
    gp_cause *cause; /* [traits x each] row-major; ascending within a trait */
    int64_t *order;  /* [traits x each] numbers in cause, by variant */
    int64_t taken;   /* of order */
    uint8_t *rows;   /* [traits x each x gp_geno_stride(samples)] true calls, as cause */
} gp_causes;

typedef struct gp_causes_plan {
    int64_t traits, each, samples, variants;
    uint64_t seed;
} gp_causes_plan;

/** Draws the variants: for each trait one from each of `each` equal stretches of all variants;
 * number k is partner of number k + each/2. GP_EINPUT where there are fewer variants than each. */
int gp_causes_init(gp_causes *causes, const gp_causes_plan *plan, gp_err *err);

/** Takes what a run of variants holds of them; runs come in order.
 *    first     in  number of the run's first variant over all chromosomes
 *    position  in  [count] base pairs
 *    rows      in  [count x gp_geno_stride(samples)] */
void gp_causes_take(gp_causes *causes, int64_t first, int64_t count, int64_t chromosome,
                    const int64_t *position, const uint8_t *rows);

void gp_causes_free(gp_causes *causes);

#endif
