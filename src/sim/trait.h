/** Traits: sums of genetic, environmental and random parts, each scaled to its share of the
 * variance. Local.
 *
 *  Over all samples the trait has mean 0 and variance 1 exactly; the additive part has variance
 * `additive`, and likewise dominance and epistasis. Of what they leave, covariates make 20%,
 * ancestry 5%, and noise the rest (noise is scaled last, so that the sum has variance 1 although
 * the parts happen to be correlated a little). Standardised effects are normal, whatever the
 * frequency; the dominance of a variant is what is left of "is heterozygous" after its regression
 * on the number of copies, so that the additive effect is what a regression on copies estimates.
 */
#ifndef GP_SRC_SIM_TRAIT_H
#define GP_SRC_SIM_TRAIT_H

#include "src/sim/cause.h"
#include "src/sim/people.h"

typedef struct gp_trait_plan {
    double additive, dominance, epistasis; /* shares of variance; together at most 1 */
    int64_t traits;
    int64_t binary;    /* the last so many: 1 above the threshold of liability, else 0 */
    double prevalence; /* share of 1 among all samples: exact but for rounding */
    double missing;    /* share of samples without a value, at random */
    uint64_t seed;
} gp_trait_plan;

/** GP_EINPUT where shares do not fit. */
int gp_trait_check(const gp_trait_plan *plan, int64_t causal, gp_err *err);

/** Makes trait t, all causes taken before.
 *    causes  inout  effects and shares of trait t are set; a variant that does not vary has none
 *    value   out    [n]; NaN = missing
 *  Cost O(n x causal variants); memory 4 x 8 bytes a sample. */
int gp_trait_make(const gp_trait_plan *plan, int64_t t, gp_causes *causes, const gp_people *people,
                  double *value, gp_err *err);

#endif
